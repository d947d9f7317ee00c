//! Invariants of the two systems that their keys do not express, so that clean rows pass the checks
//! of `fixtures/*/checks`.
//!
//! Rows that break them are dirt: `violations`.

use super::column::Values;
use super::reference::Shape;

/// Columns that no row of the system leaves empty, though both schemas take NULL.
const REQUIRED: &[(&str, &[&str])] = &[
    ("application", &["lifecycleId", "roleSetId", "userId"]),
    ("calendar_event", &["calendarId"]),
    ("callout", &["framingId"]),
    ("callout_contribution", &["calloutId"]),
    ("community", &["authorizationId", "roleSetId"]),
    ("credential", &["agentId"]),
    ("document", &["authorizationId", "storageBucketId"]),
    ("invitation", &["roleSetId"]),
    ("license_entitlement", &["licenseId"]),
    ("organization", &["agentId", "profileId", "verificationId"]),
    ("post", &["profileId"]),
    ("role", &["roleSetId"]),
    ("sessions", &["token"]),
    (
        "space",
        &[
            "aboutId",
            "authorizationId",
            "collaborationId",
            "communityId",
            "levelZeroSpaceID",
        ],
    ),
    (
        "user",
        &["agentId", "authorizationId", "profileId", "settingsId"],
    ),
    ("whiteboard", &["profileId"]),
];

/// What a contribution can be, and the column that says which one.
const CONTRIBUTIONS: [(&str, &str); 4] = [
    ("post", "postId"),
    ("link", "linkId"),
    ("memo", "memoId"),
    ("whiteboard", "whiteboardId"),
];

/// Whether the column is filled in every row.
pub(super) fn is_required(table: &str, column: &str) -> bool {
    let required = REQUIRED.iter().filter(|(name, _)| *name == table);
    required
        .flat_map(|(_, columns)| *columns)
        .any(|name| *name == column)
}

/// The pattern of a foreign key that an invariant speaks of.
pub(super) fn shape(table: &str, column: &str) -> Option<Shape> {
    Some(match (table, column) {
        ("authorization_policy", "parentAuthorizationPolicyId") | ("space", "parentSpaceId") => {
            Shape::Tree
        }
        ("callout_contribution", column) => {
            let first = CONTRIBUTIONS.iter().position(|(_, name)| *name == column)?;
            Shape::Alternating {
                first: first as u64,
                of: CONTRIBUTIONS.len() as u64,
            }
        }
        // Credential n belongs to identity n, and identifier n to credential n, as far as they
        // reach. Two rows one after the other share network and type, so that identifiers that
        // differ in case alone meet in the unique key; it takes even numbers of identities, and
        // of credentials as many as twice the types.
        ("identity_credentials", "identity_id")
        | ("identity_credential_identifiers", "identity_credential_id") => {
            Shape::InTurn { rows_each: 1 }
        }
        ("identities" | "identity_credentials" | "identity_credential_identifiers", "nid")
        | (
            "identity_credentials" | "identity_credential_identifiers",
            "identity_credential_type_id",
        ) => Shape::InTurn { rows_each: 2 },
        _ => return None,
    })
}

/// The type of a contribution, in step with the column that is filled.
pub(super) fn contribution_type() -> Values {
    let types = CONTRIBUTIONS.iter().map(|(name, _)| (*name).to_owned());
    Values::Label(types.collect())
}
