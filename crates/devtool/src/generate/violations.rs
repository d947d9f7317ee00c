//! Rows that violate a check of `fixtures/*/checks`, planted one for each check that the keys of
//! the two schemas leave room for.
//!
//! Both servers take these rows: `assess` finds nothing, and they arrive as they are.

use super::dirt::{Dirt, DirtKinds};
use super::random::{row_id, seed};
use crate::system::System;
use System::{Alkemio, Kratos};

/// Rows that violate one check, and no other.
pub(super) struct Violation {
    pub(super) system: System,
    /// Group and name, as `verify` prints them.
    pub(super) check: &'static str,
    pub(super) table: &'static str,
    /// The rows that are changed, or lose what refers to them.
    pub(super) rows: &'static [u64],
    change: Change,
}

/// `{table:row}` is the id of that row.
enum Change {
    /// What the rows get.
    Set(&'static str),
    /// A statement of its own.
    Statement(&'static str),
}

const fn violation(
    system: System,
    check: &'static str,
    table: &'static str,
    rows: &'static [u64],
    set: &'static str,
) -> Violation {
    Violation {
        system,
        check,
        table,
        rows,
        change: Change::Set(set),
    }
}

// No row is in two of them, and none is what another one needs.
#[rustfmt::skip]
const VIOLATIONS: &[Violation] = &[
    violation(Alkemio, "authentication: every user has a profile", "user", &[10], "profileId = null"),
    violation(Alkemio, "authentication: every user has an agent", "user", &[11], "agentId = null"),
    violation(Alkemio, "authentication: every user has settings", "user", &[12], "settingsId = null"),
    violation(Alkemio, "authentication: every credential belongs to an agent", "credential", &[3], "agentId = null"),
    violation(Alkemio, "authentication: every organization has a profile and an agent", "organization", &[5], "agentId = null"),
    violation(Alkemio, "authentication: every organization has the state of its verification", "organization", &[6], "verificationId = null"),
    violation(Alkemio, "authorization: no policy is its own parent", "authorization_policy", &[8], "parentAuthorizationPolicyId = id"),
    violation(Alkemio, "authorization: every user is under a policy", "user", &[13], "authorizationId = null"),
    violation(Alkemio, "authorization: every space is under a policy", "space", &[40], "authorizationId = null"),
    violation(Alkemio, "authorization: every community is under a policy", "community", &[3], "authorizationId = null"),
    violation(Alkemio, "authorization: every document is under a policy", "document", &[8], "authorizationId = null"),
    violation(Alkemio, "authorization: every entitlement belongs to a licence", "license_entitlement", &[3], "licenseId = null"),
    violation(Alkemio, "content: every callout has a framing", "callout", &[9], "framingId = null"),
    violation(Alkemio, "content: every contribution belongs to a callout", "callout_contribution", &[3], "calloutId = null"),
    violation(Alkemio, "content: no contribution is several things at once", "callout_contribution", &[4], "linkId = {link:7}"),
    violation(Alkemio, "content: every post has a profile", "post", &[3], "profileId = null"),
    violation(Alkemio, "content: every whiteboard has a profile", "whiteboard", &[4], "profileId = null"),
    violation(Alkemio, "content: every document is in a bucket", "document", &[9], "storageBucketId = null"),
    violation(Alkemio, "content: every event is in a calendar", "calendar_event", &[6], "calendarId = null"),
    violation(Alkemio, "spaces_and_memberships: every space below the first level has a parent, and none of the first has", "space", &[26], "parentSpaceId = null"),
    violation(Alkemio, "spaces_and_memberships: every space is one level below its parent", "space", &[27], "level = 1"),
    violation(Alkemio, "spaces_and_memberships: every space has the first level of its parent", "space", &[33], "levelZeroSpaceID = {space:0}"),
    violation(Alkemio, "spaces_and_memberships: every space has a community", "space", &[41], "communityId = null"),
    violation(Alkemio, "spaces_and_memberships: every space has a collaboration", "space", &[42], "collaborationId = null"),
    violation(Alkemio, "spaces_and_memberships: every space says what it is about", "space", &[43], "aboutId = null"),
    violation(Alkemio, "spaces_and_memberships: every community has a set of roles", "community", &[4], "roleSetId = null"),
    violation(Alkemio, "spaces_and_memberships: every role belongs to a set of roles", "role", &[3], "roleSetId = null"),
    violation(Alkemio, "spaces_and_memberships: no application without its user", "application", &[3], "userId = null"),
    violation(Alkemio, "spaces_and_memberships: no application without its set of roles", "application", &[4], "roleSetId = null"),
    violation(Alkemio, "spaces_and_memberships: every application has a lifecycle", "application", &[5], "lifecycleId = null"),
    violation(Alkemio, "spaces_and_memberships: no invitation without its set of roles", "invitation", &[3], "roleSetId = null"),
    Violation {
        system: Kratos,
        check: "authentication: every identity has a credential",
        table: "identities",
        rows: &[3],
        // How many credentials an identity has depends on the scale.
        change: Change::Statement("update identity_credentials set identity_id = {identities:2} where identity_id = {identities:3}"),
    },
    violation(Kratos, "authentication: every credential is in the network of its identity", "identity_credentials", &[6], "nid = {networks:0}"),
    violation(Kratos, "authentication: every identifier has the type of its credential", "identity_credential_identifiers", &[4], "identity_credential_type_id = {identity_credential_types:7}"),
    violation(Kratos, "authentication: no identifier leads to two credentials of a type", "identity_credential_identifiers", &[10, 11], "nid = null, identifier = 'dirt'"),
    violation(Kratos, "authentication: no two sessions with the same token", "sessions", &[20, 21], "token = null"),
    violation(Kratos, "authentication: no address for recovery twice in a network", "identity_recovery_addresses", &[6, 7], "nid = null, via = 'email', value = 'dirt'"),
];

/// The violations that a load plants into a system.
pub(super) fn violations(
    system: System,
    dirt: &DirtKinds,
) -> impl Iterator<Item = &'static Violation> + use<> {
    let is_planted = dirt.contains(Dirt::ViolatedCheck);
    VIOLATIONS
        .iter()
        .filter(move |violation| is_planted && violation.system == system)
}

impl Violation {
    /// The statement, for a session that is in the system's database.
    pub(super) fn statement(&self) -> String {
        let sql = match self.change {
            Change::Statement(sql) => sql.to_owned(),
            Change::Set(set) => {
                let table = self.table;
                let ids: Vec<String> = self.rows.iter().map(|row| id_of(table, *row)).collect();
                // A column that changes by itself is set to what it is, or two loads would differ.
                let unchanged = match self.system {
                    Alkemio => ", updatedDate = updatedDate",
                    Kratos => "",
                };
                let ids = ids.join(", ");
                format!("update `{table}` set {set}{unchanged} where id in ({ids})")
            }
        };
        with_ids(&sql)
    }
}

fn id_of(table: &str, row: u64) -> String {
    format!("'{}'", row_id(seed(table), row))
}

/// Puts ids in place of `{table:row}`.
fn with_ids(sql: &str) -> String {
    let mut parts = sql.split('{');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let place = part.split_once('}').and_then(|(place, rest)| {
            let (table, row) = place.split_once(':')?;
            Some((id_of(table, row.parse().ok()?), rest))
        });
        let (id, rest) = place.expect("every brace holds a table and a row");
        text = text + &id + rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::listing::Listing;
    use crate::system::{Server, workspace_root};

    /// Checks that no row of the target can violate, since the column that is named is a foreign
    /// key there, or unique.
    #[rustfmt::skip]
    const KEPT_BY_KEYS: &[(System, &str, &str, &str, &str)] = &[
        (Alkemio, "authentication: no two users share an agent", "unique", "user", "agentId"),
        (Alkemio, "authentication: no two users share a profile", "unique", "user", "profileId"),
        (Alkemio, "authentication: no two users with the same address", "unique", "user", "email"),
        (Alkemio, "authentication: no two users with the same name in addresses", "unique", "user", "nameID"),
        (Alkemio, "authorization: no policy is that of two spaces", "unique", "space", "authorizationId"),
        (Alkemio, "spaces_and_memberships: every parent of a space is there", "foreign", "space", "parentSpaceId"),
        (Alkemio, "spaces_and_memberships: no two spaces share a community", "unique", "space", "communityId"),
        (Kratos, "authentication: every credential belongs to an identity", "foreign", "identity_credentials", "identity_id"),
        (Kratos, "authentication: every credential has a known type", "foreign", "identity_credentials", "identity_credential_type_id"),
        (Kratos, "authentication: every identifier belongs to a credential", "foreign", "identity_credential_identifiers", "identity_credential_id"),
        (Kratos, "authentication: every session belongs to an identity", "foreign", "sessions", "identity_id"),
        (Kratos, "authentication: every device belongs to a session", "foreign", "session_devices", "session_id"),
        (Kratos, "authentication: every address for verification belongs to an identity", "foreign", "identity_verifiable_addresses", "identity_id"),
        (Kratos, "authentication: every address for recovery belongs to an identity", "foreign", "identity_recovery_addresses", "identity_id"),
        (Kratos, "authentication: every dispatch belongs to a message", "foreign", "courier_message_dispatches", "message_id"),
    ];

    /// The checks of a system that want no answer.
    fn checks(system: System) -> Vec<String> {
        let directory = workspace_root().join(format!("fixtures/{}/checks", system.name()));
        let mut checks = Vec::new();
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let group = path.file_stem().unwrap().to_str().unwrap();
            let text = fs::read_to_string(&path).unwrap();
            for (name, _) in text
                .split("\n\n")
                .filter_map(|block| block.split_once("\n-- none\n"))
            {
                checks.push(format!("{group}: {}", name.trim_start_matches("-- ")));
            }
        }
        checks
    }

    #[test]
    fn each_check_is_violated_by_rows_or_kept_by_a_key() {
        for system in System::ALL {
            let planted = violations(system, &DirtKinds::parse("all").unwrap());
            let planted = planted.map(|violation| violation.check);
            let kept = KEPT_BY_KEYS.iter().filter(|kept| kept.0 == system);
            let mut named: Vec<&str> = planted.chain(kept.map(|kept| kept.1)).collect();
            let mut checks = checks(system);
            assert!(checks.len() >= 14, "{checks:?}");
            named.sort_unstable();
            checks.sort_unstable();
            assert_eq!(named, checks);
        }
        for (system, check, kind, table, column) in KEPT_BY_KEYS {
            let target = Listing::read(*system, Server::Postgres).unwrap();
            let is_there = target
                .keys_of(table)
                .any(|key| key.kind == *kind && key.columns == *column);
            assert!(is_there, "{check}");
        }
    }

    #[test]
    fn ids_are_put_into_statements() {
        let id = row_id(seed("link"), 7);
        assert_eq!(
            with_ids("set a = {link:7}, b"),
            format!("set a = '{id}', b")
        );
        for violation in VIOLATIONS {
            assert!(violation.statement().starts_with("update "));
        }
    }
}
