//! How many rows each table has at a scale.
//!
//! The proportions are production's, roughly: half of all rows are authorization
//! policies, and what a platform has one of stays one at every scale.

use crate::system::System;

/// Rows per unit of scale in Alkemio; scale 1 of both systems is about 20,000.
const ALKEMIO_SCALED: &[(&str, u64)] = &[
    ("account", 40),
    ("agent", 220),
    ("ai_persona", 10),
    ("application", 80),
    ("application_questions", 160),
    ("authorization_policy", 10_000),
    ("calendar", 70),
    ("calendar_event", 80),
    ("callout", 200),
    ("callout_contribution", 270),
    ("callout_contribution_defaults", 200),
    ("callout_framing", 200),
    ("callouts_set", 90),
    ("classification", 200),
    ("collaboration", 80),
    ("communication", 70),
    ("community", 70),
    ("community_guidelines", 70),
    ("conversation", 70),
    ("conversations_set", 130),
    ("credential", 330),
    ("discussion", 20),
    ("document", 200),
    ("form", 70),
    ("in_app_notification", 200),
    ("innovation_flow", 80),
    ("innovation_flow_state", 230),
    ("innovation_hub", 10),
    ("innovation_pack", 10),
    ("invitation", 30),
    ("knowledge_base", 10),
    ("license", 170),
    ("license_entitlement", 270),
    ("lifecycle", 130),
    ("link", 70),
    ("location", 130),
    ("memo", 40),
    ("nvp", 160),
    ("organization", 20),
    ("organization_verification", 20),
    ("platform_invitation", 10),
    ("post", 100),
    ("profile", 470),
    ("reference", 200),
    ("role", 170),
    ("role_set", 90),
    ("room", 270),
    ("space", 70),
    ("space_about", 70),
    ("storage_aggregator", 130),
    ("storage_bucket", 200),
    ("tagset", 330),
    ("tagset_template", 130),
    ("tagset_template_set", 90),
    ("template", 70),
    ("template_content_space", 10),
    ("template_default", 30),
    ("templates_manager", 70),
    ("templates_set", 70),
    ("timeline", 70),
    ("user", 130),
    ("user_group", 20),
    ("user_settings", 130),
    ("vc_interaction", 20),
    ("virtual_contributor", 10),
    ("visual", 270),
    ("whiteboard", 80),
];

/// Rows of Alkemio's tables that do not grow with the scale. `activity` is empty on
/// purpose: it has an AUTO_INCREMENT of its own to keep, and no foreign key needs it.
const ALKEMIO_CONSTANT: &[(&str, u64)] = &[
    ("activity", 0),
    ("ai_server", 1),
    ("forum", 1),
    ("library", 1),
    ("license_plan", 12),
    ("license_policy", 1),
    ("licensing_framework", 1),
    ("migrations_typeorm", 40),
    ("platform", 1),
    ("query-result-cache", 5),
];

/// Rows per unit of scale in Kratos.
const KRATOS_SCALED: &[(&str, u64)] = &[
    ("continuity_containers", 30),
    ("courier_message_dispatches", 80),
    ("courier_messages", 80),
    ("identities", 200),
    ("identity_credential_identifiers", 220),
    ("identity_credentials", 220),
    ("identity_login_codes", 40),
    ("identity_recovery_addresses", 150),
    ("identity_recovery_codes", 40),
    ("identity_recovery_tokens", 40),
    ("identity_registration_codes", 30),
    ("identity_verifiable_addresses", 200),
    ("identity_verification_codes", 60),
    ("identity_verification_tokens", 40),
    ("selfservice_errors", 30),
    ("selfservice_login_flows", 100),
    ("selfservice_recovery_flows", 40),
    ("selfservice_registration_flows", 60),
    ("selfservice_settings_flows", 40),
    ("selfservice_verification_flows", 60),
    ("session_devices", 200),
    ("session_token_exchanges", 30),
    ("sessions", 200),
];

/// Rows of Kratos' tables that do not grow with the scale.
const KRATOS_CONSTANT: &[(&str, u64)] = &[
    ("identity_credential_types", CREDENTIAL_TYPES.len() as u64),
    ("networks", 2),
    ("schema_migration", 30),
];

/// The credential types that Kratos 1.3.1 knows; its migrations insert them.
pub(crate) const CREDENTIAL_TYPES: [&str; 10] = [
    "password",
    "oidc",
    "totp",
    "lookup_secret",
    "webauthn",
    "code",
    "link_recovery",
    "code_recovery",
    "passkey",
    "profile",
];

/// The number of rows of `table`, or `None` where the table is not listed here.
pub(crate) fn rows(system: System, table: &str, scale: u64) -> Option<u64> {
    let (scaled, constant) = match system {
        System::Alkemio => (ALKEMIO_SCALED, ALKEMIO_CONSTANT),
        System::Kratos => (KRATOS_SCALED, KRATOS_CONSTANT),
    };
    let find = |list: &[(&str, u64)]| list.iter().find(|(name, _)| *name == table).map(|e| e.1);
    find(scaled)
        .map(|rows| rows * scale)
        .or_else(|| find(constant))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::Listing;
    use crate::system::Server;

    fn total(scale: u64) -> (u64, u64) {
        let mut all = 0;
        for system in System::ALL {
            for table in Listing::read(system, Server::Mysql).unwrap().table_names() {
                all += rows(system, table, scale).unwrap_or_else(|| panic!("{table} has no count"));
            }
        }
        (
            all,
            rows(System::Alkemio, "authorization_policy", scale).unwrap(),
        )
    }

    #[test]
    fn scale_1_is_20_000_rows_and_half_of_them_are_policies() {
        let (all, policies) = total(1);
        assert!((19_500..=20_500).contains(&all), "{all}");
        assert!((all / 2).abs_diff(policies) < 500, "{policies} of {all}");
    }

    #[test]
    fn scale_175_is_production() {
        let (all, _) = total(175);
        assert!((3_400_000..=3_600_000).contains(&all), "{all}");
    }
}
