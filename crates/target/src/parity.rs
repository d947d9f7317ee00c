//! Whether the objects of a schema are what they have to be after a load.
//!
//! It names them; what that means for a verdict is decided elsewhere.

use crate::connection::Connection;
use crate::error::{Doing, Error};
use crate::fingerprint::definitions;
use crate::ledger::{self, LedgerRun};

/// An object that is not what it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectFinding {
    /// As the fingerprint calls it: `table`, `column`, `constraint`, `index`, `sequence definition`
    /// and so on.
    pub kind: String,
    /// As the server qualifies and quotes it.
    pub object: String,
    /// What is the matter.
    pub detail: &'static str,
}

/// The kinds that have two words.
const LONG_KINDS: [&str; 3] = [
    "sequence definition",
    "sequence rights",
    "materialised view",
];

impl Connection {
    /// The objects that are not as they were before a run, which the ledger knows.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn changed_since(
        &mut self,
        ledger: &str,
        run: &LedgerRun,
    ) -> Result<Vec<ObjectFinding>, Error> {
        let place = (ledger, run.run_id.as_str());
        let (before, _) = ledger::read_definitions(&mut self.client, place)?;
        let now = definitions(&mut self.client, &run.target_schema)?;
        let finding = |name: String| {
            let mut long = LONG_KINDS.into_iter();
            let kind = long.find(|kind| name.starts_with(kind));
            let kind = kind.or_else(|| name.split(' ').next()).unwrap_or_default();
            ObjectFinding {
                kind: kind.to_owned(),
                object: name[kind.len()..].trim_start().to_owned(),
                detail: match (before.state(&name), now.state(&name)) {
                    (Some(_), None) => "was there before the import and is not there now",
                    (None, Some(_)) => "was not there before the import",
                    _ => "is not as it was before the import",
                },
            }
        };
        let differences = before.differences(&now);
        Ok(differences.into_iter().map(finding).collect())
    }

    /// What of these tables does not hold or is not kept: for targets whose ledger knows no run.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn not_in_force(
        &mut self,
        schema: &str,
        tables: &[&str],
    ) -> Result<Vec<ObjectFinding>, Error> {
        let rows = self
            .client
            .query(include_str!("sql/not_in_force.sql"), &[&schema, &tables])
            .doing(|| "looking for what is not in force".to_owned())?;
        let findings = rows.iter().map(|row| ObjectFinding {
            kind: row.get(0),
            object: row.get(1),
            detail: match row.get(2) {
                "unlogged" => "is unlogged: a crash of the server empties it",
                "disabled" => "is disabled",
                "not enforced" => "is not enforced: its triggers are disabled",
                "not validated" => "was not validated",
                _ => "is not valid",
            },
        });
        Ok(findings.collect())
    }
}
