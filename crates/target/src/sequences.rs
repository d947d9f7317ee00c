//! Sequences: their states, and the next values that they are to give.
//!
//! `alter sequence … restart` obeys the transaction where `setval` alone does not, so a state
//! is set by both: the first gives the sequence new storage that an abort throws away.

use postgres::Transaction;

use catalog::quote;

use crate::connection::Connection;
use crate::error::{Doing, Error, Kind};

/// A sequence's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SequenceState {
    /// Quoted and qualified.
    pub(crate) name: String,
    pub(crate) last_value: i64,
    pub(crate) is_called: bool,
}

/// The states of sequences, whose names are quoted and qualified.
pub(crate) fn read_states(
    transaction: &mut Transaction<'_>,
    names: &[&str],
) -> Result<Vec<SequenceState>, Error> {
    let mut states = Vec::new();
    for name in names {
        let row = transaction
            .query_one(&format!("select last_value, is_called from {name}"), &[])
            .doing(|| format!("reading sequence {name}"))?;
        states.push(SequenceState {
            name: (*name).to_owned(),
            last_value: row.get(0),
            is_called: row.get(1),
        });
    }
    Ok(states)
}

/// Gives a sequence a state, within the transaction.
pub(crate) fn set_state(
    transaction: &mut Transaction<'_>,
    state: &SequenceState,
) -> Result<(), Error> {
    let doing = || format!("setting sequence {}", state.name);
    alter(transaction, &state.name, state.last_value)?;
    if state.is_called {
        let sql = format!(
            "select pg_catalog.setval({}, {}, true)",
            quote::postgres_literal(&state.name),
            state.last_value
        );
        transaction.batch_execute(&sql).doing(doing)?;
    }
    Ok(())
}

/// Makes `next` the value that a sequence gives next, within the transaction.
///
/// One more than the sequence's maximum makes it exhausted, as MySQL's column is then.
pub(crate) fn restart(
    transaction: &mut Transaction<'_>,
    name: &str,
    next: i128,
) -> Result<(), Error> {
    let doing = || format!("setting sequence {name}");
    let sql = "select seqmin, seqmax, seqincrement from pg_catalog.pg_sequence \
                where seqrelid = $1::text::pg_catalog.regclass";
    let row = transaction.query_one(sql, &[&name]).doing(doing)?;
    let (lowest, highest, step): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    if i128::from(highest) + 1 == next && step > 0 {
        let exhausted = SequenceState {
            name: name.to_owned(),
            last_value: highest,
            is_called: true,
        };
        return set_state(transaction, &exhausted);
    }
    match i64::try_from(next) {
        Ok(next) if (lowest..=highest).contains(&next) && step > 0 => {
            alter(transaction, name, next)
        }
        _ => {
            let text = format!(
                "it counts from {lowest} to {highest} by {step} and cannot give {next} next, as the source would"
            );
            Err(Error::new(Kind::State(text), doing()))
        }
    }
}

fn alter(transaction: &mut Transaction<'_>, name: &str, next: i64) -> Result<(), Error> {
    transaction
        .batch_execute(&format!("alter sequence {name} restart with {next}"))
        .doing(|| format!("setting sequence {name}"))
}

/// One more than the largest value of a column, at least 1.
pub(crate) fn after_largest(
    transaction: &mut Transaction<'_>,
    schema: &str,
    table: &str,
    column: &str,
) -> Result<i128, Error> {
    let sql = format!(
        "select pg_catalog.trunc(greatest(coalesce(max({})::pg_catalog.numeric, 0) + 1, 1))::pg_catalog.text \
           from {}",
        quote::postgres(column),
        quote::postgres_qualified(schema, table)
    );
    let row = transaction
        .query_one(&sql, &[])
        .doing(|| format!("reading the largest value of `{table}.{column}`"))?;
    Ok(number(&row))
}

/// A number that may be beyond those of a sequence, as text.
fn number(row: &postgres::Row) -> i128 {
    row.get::<_, &str>(0).parse().unwrap_or(i128::MAX)
}

impl Connection {
    /// The value that a sequence, quoted and qualified, would give next; one more than its
    /// maximum where it is exhausted.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn next_value(&mut self, sequence: &str) -> Result<i128, Error> {
        let sql = format!(
            "select (case when s.is_called then s.last_value::pg_catalog.numeric + p.seqincrement \
                     else s.last_value end)::pg_catalog.text \
               from {sequence} s, pg_catalog.pg_sequence p \
              where p.seqrelid = {}::pg_catalog.regclass",
            quote::postgres_literal(sequence)
        );
        let row = self
            .client
            .query_one(&sql, &[])
            .doing(|| format!("reading sequence {sequence}"))?;
        Ok(number(&row))
    }
}
