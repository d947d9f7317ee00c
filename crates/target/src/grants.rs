//! What a role needs on the target, as statements.
//!
//! The only place where they stand: documentation and the roles of the tests are made from it.
//! What a role has is read in `privileges.rs`.

use catalog::quote;

/// A statement, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleGrant {
    /// What it is for.
    pub purpose: &'static str,
    /// The statement, without a semicolon.
    pub statement: String,
}

/// What a role should be granted to load a database whose tables belong to `owner`.
pub fn role_grants(role: &str, owner: &str, database: &str) -> Vec<RoleGrant> {
    let [role, owner, database] = [role, owner, database].map(quote::postgres);
    vec![
        RoleGrant {
            purpose: "the role that owns the tables, their sequences and types",
            statement: format!("grant {owner} to {role}"),
        },
        RoleGrant {
            purpose: "for the ledger's schema",
            statement: format!("grant create on database {database} to {role}"),
        },
    ]
}

/// The statements for the role on the target, for documentation.
pub fn role_grants_document() -> String {
    let mut text = "\n```sql\ncreate role \"converge\" login password '…';\n".to_owned();
    for RoleGrant { purpose, statement } in role_grants("converge", "alkemio", "alkemio") {
        text.push_str(&format!("{statement};  -- {purpose}\n"));
    }
    text + "```\n\n"
}
