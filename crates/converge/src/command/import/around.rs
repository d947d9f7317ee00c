//! What is around the tables of a load: named before it, and filled anew after it.

use catalog::{ObjectKind, PostgresType, TargetCatalog, quote};
use target::Surroundings;

use super::Manner;
use crate::call::next;
use crate::console::{counted, first_of};
use crate::exit::Failure;
use crate::pairing::TablePair;
use crate::run::StageRun;

/// Enough to recognise a pattern by.
const KEYS_SHOWN: usize = 5;

/// Names who is going to notice the load.
pub(super) fn name_others(stage: &StageRun<'_>, around: &Surroundings) {
    let name = &stage.database.name;
    if !around.publications.is_empty() {
        stage.console.line(&format!(
            "note: the rows of `{name}` are handed on by {}: {}",
            counted(around.publications.len() as u64, "publication"),
            around.publications.join(", ")
        ));
    }
    if !around.sessions.is_empty() {
        stage.console.line(&format!(
            "note: others are connected to target `{name}`: {}",
            around.sessions.join("; ")
        ));
    }
}

/// Names the materialised views that are not filled anew.
pub(super) fn name_views(stage: &StageRun<'_>, around: &Surroundings, manner: Manner<'_>) {
    if !around.materialized_views.is_empty() && !manner.refresh {
        stage.console.line(&format!(
            "note: materialised views of `{}` keep what they held, since --refresh is not set: {}",
            stage.database.name,
            around.materialized_views.join(", ")
        ));
    }
}

/// Names the foreign keys whose rows no index finds: deletes in the tables that they refer to read
/// their whole table, which MySQL, with an index for each, never did.
pub(super) fn name_foreign_keys_without_index(stage: &mut StageRun<'_>, pairs: &[TablePair<'_>]) {
    let of_table = |pair: &TablePair<'_>| {
        let keys = pair.target.foreign_keys_without_index();
        let names = keys.map(|key| format!("{}.{}", pair.target.name, key.columns.join("+")));
        names.collect::<Vec<String>>()
    };
    let keys: Vec<String> = pairs.iter().flat_map(of_table).collect();
    if keys.is_empty() {
        return;
    }
    stage.line_once(format!(
        "note: no index finds the rows of {} of `{}`, so that deletes become slow: {}; `{}` \
         lists the statements that make them",
        counted(keys.len() as u64, "foreign key"),
        stage.database.name,
        first_of(&keys, KEYS_SHOWN),
        next("assess"),
    ));
}

/// Names the sequences that no column default uses, such as those of Hibernate: only
/// the application knows which numbers come next.
pub(super) fn name_loose_sequences(
    stage: &StageRun<'_>,
    target: &TargetCatalog,
    pairs: &[TablePair<'_>],
) {
    let database = stage.database;
    let others = target.others.iter();
    for sequence in others.filter(|other| other.kind == ObjectKind::Sequence) {
        let place = quote::postgres_qualified(&database.target_schema, &sequence.name);
        let literal = quote::postgres_literal(&place);
        let remedy = match numbered(&sequence.name, pairs) {
            Some((table, column)) => {
                let (column, table) = (
                    quote::postgres(column),
                    quote::postgres_qualified(&database.target_schema, table),
                );
                // Never back, and not where there is no row.
                format!(
                    "run: select setval({literal}, greatest((select max({column}) from {table}), \
                     (select last_value from {place}))) where exists (select from {table})"
                )
            }
            None => format!("set it with setval({literal}, N), N being the largest number in use"),
        };
        stage.console.line(&format!(
            "note: sequence {place} of `{}` is used by no column default, so its next value was \
             not set; where an application takes numbers from it, {}",
            database.name,
            quote::postgres_shown(&remedy)
        ));
    }
}

/// The table and column that a sequence is called after: `a_seq`, `a_id_seq`, `seq_a`.
fn numbered<'p>(sequence: &str, pairs: &[TablePair<'p>]) -> Option<(&'p str, &'p str)> {
    let name = sequence.to_lowercase();
    let bare = name
        .strip_suffix("_seq")
        .or_else(|| name.strip_prefix("seq_"));
    let bare = bare?;
    pairs.iter().find_map(|pair| {
        let key = pair.target.primary_key_columns();
        let [column] = key[..] else {
            return None;
        };
        let is_number = matches!(
            pair.target.column(column)?.data_type,
            PostgresType::Smallint | PostgresType::Integer | PostgresType::Bigint
        );
        if !is_number {
            return None;
        }
        let table = pair.target.name.as_str();
        let called = [
            table.to_lowercase(),
            format!("{table}_{column}").to_lowercase(),
        ];
        called
            .iter()
            .any(|called| called == bare)
            .then_some((table, column))
    })
}

/// Fills materialised views anew, where that is wanted.
pub(super) fn refresh(
    stage: &StageRun<'_>,
    connection: &mut target::Connection,
    around: &Surroundings,
    manner: Manner<'_>,
) -> anyhow::Result<()> {
    if !manner.refresh {
        return Ok(());
    }
    let _cancelled_on_interrupt = stage.interrupt.cancels(connection.cancel());
    let place = (stage.database.ledger.as_str(), stage.directory.run_id());
    let refreshed = connection.refresh(place, &around.materialized_views);
    stage.interrupt.check()?;
    refreshed.map_err(|error| match error.is_lost_connection() {
        true => error.into(),
        false => Failure::refused(error.to_string())
            .hint("the load itself is done; refresh the materialised views yourself")
            .into(),
    })
}
