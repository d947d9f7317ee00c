//! What is off for a load, how far back each of it is, and the definitions that have to come back.

use postgres::{GenericClient, Row, Transaction};

use catalog::quote;

use crate::error::{Doing, Error, Kind};
use crate::fingerprint::Fingerprint;
use crate::off::{Off, OffKind, OffState, What};
use crate::offenders::Checked;

/// Enters what is off, and the definitions before and meanwhile.
pub(crate) fn insert_off(
    transaction: &mut Transaction<'_>,
    (ledger, run_id): (&str, &str),
    off: &[Off],
    (before, meanwhile): (&Fingerprint, &Fingerprint),
) -> Result<(), Error> {
    let doing = || "writing the ledger".to_owned();
    let schema = quote::postgres(ledger);
    let sql = format!(
        "insert into {schema}.taken_off values \
         ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
    );
    let statement = transaction.prepare(&sql).doing(doing)?;
    for off in off {
        let parts = Parts::of(&off.what);
        let checked = off.checked.as_ref();
        let referenced = checked.and_then(|checked| checked.referenced.as_ref());
        transaction
            .execute(
                &statement,
                &[
                    &run_id,
                    &off.number,
                    &parts.kind,
                    &off.table,
                    &off.name,
                    &parts.definition,
                    &parts.comment,
                    &parts.index,
                    &parts.index_comment,
                    &parts.later,
                    &checked.map(|checked| &checked.columns),
                    &referenced.map(|(table, _)| table),
                    &referenced.map(|(_, columns)| columns),
                    &checked.map(|checked| &checked.named_by),
                ],
            )
            .doing(doing)?;
    }
    let names = before.union(meanwhile);
    let states = |of: &Fingerprint| -> Vec<Option<String>> {
        let states = names.iter().map(|name| of.state(name).map(str::to_owned));
        states.collect()
    };
    let sql = format!(
        "insert into {schema}.definition \
         select $1, u.* from rows from (pg_catalog.unnest($2::text[]), \
           pg_catalog.unnest($3::text[]), pg_catalog.unnest($4::text[])) u"
    );
    transaction
        .execute(
            &sql,
            &[&run_id, &names, &states(before), &states(meanwhile)],
        )
        .doing(doing)?;
    Ok(())
}

/// The columns of a row of `taken_off`.
struct Parts<'w> {
    kind: &'static str,
    definition: &'w str,
    comment: Option<&'w str>,
    index: Option<&'w str>,
    index_comment: Option<&'w str>,
    later: bool,
}

impl<'w> Parts<'w> {
    fn of(what: &'w What) -> Self {
        let of = |kind, definition, comment: &'w Option<String>| Self {
            kind,
            definition,
            comment: comment.as_deref(),
            index: None,
            index_comment: None,
            later: false,
        };
        match what {
            What::KeyConstraint {
                definition,
                comment,
                index,
                index_comment,
            } => Self {
                index: Some(index),
                index_comment: index_comment.as_deref(),
                ..of("key", definition, comment)
            },
            What::Index {
                definition,
                index,
                comment,
            } => Self {
                index: Some(index),
                ..of("index", definition, comment)
            },
            What::ForeignKey {
                definition,
                comment,
                later,
            } => Self {
                later: *later,
                ..of("foreign_key", definition, comment)
            },
            What::Trigger { enabled } => of("trigger", enabled, &None),
        }
    }
}

/// What of a kind is in a state, in the order in which it comes back.
pub(crate) fn read_off(
    client: &mut impl GenericClient,
    (ledger, run_id): (&str, &str),
    kind: OffKind,
    state: OffState,
) -> Result<Vec<Off>, Error> {
    let sql = include_str!("../sql/taken_off_read.sql");
    let sql = sql.replace("{schema}", &quote::postgres(ledger));
    let kinds: &[&str] = match kind {
        OffKind::Key => &["key", "index"],
        OffKind::ForeignKey => &["foreign_key"],
        OffKind::Trigger => &["trigger"],
    };
    let rows = client
        .query(&sql, &[&run_id, &kinds, &state.word()])
        .doing(|| "reading the ledger".to_owned())?;
    rows.iter().map(read_row).collect()
}

fn read_row(row: &Row) -> Result<Off, Error> {
    let (table, name): (String, String) = (row.get(2), row.get(3));
    let (definition, comment): (String, Option<String>) = (row.get(4), row.get(5));
    let index: String = row.get::<_, Option<String>>(6).unwrap_or_default();
    let what = match row.get(1) {
        "key" => What::KeyConstraint {
            definition,
            comment,
            index,
            index_comment: row.get(7),
        },
        "index" => What::Index {
            definition,
            index,
            comment,
        },
        "foreign_key" => What::ForeignKey {
            definition,
            comment,
            later: row.get(8),
        },
        _ => What::Trigger {
            enabled: definition,
        },
    };
    let columns: Option<Vec<String>> = row.get(9);
    let referenced: Option<String> = row.get(10);
    let checked = columns.map(|columns| Checked {
        table: table.clone(),
        constraint: name.clone(),
        columns,
        referenced: referenced.map(|table| (table, row.get(11))),
        named_by: row.get(12),
    });
    let off = Off {
        number: row.get(0),
        table,
        name,
        what,
        checked,
    };
    if !row.get::<_, bool>(13) {
        let text = format!(
            "the ledger keeps `{}` for {}, which is no table here",
            off.name, off.table
        );
        return Err(Error::new(Kind::State(text), "reading the ledger"));
    }
    off.check()?;
    Ok(off)
}

/// Notes how far back something is.
pub(crate) fn mark(
    transaction: &mut Transaction<'_>,
    (ledger, run_id): (&str, &str),
    off: &[&Off],
    state: OffState,
) -> Result<(), Error> {
    let sql = format!(
        "update {}.taken_off set state = $3 where run_id = $1 and number = any ($2)",
        quote::postgres(ledger)
    );
    let numbers: Vec<i32> = off.iter().map(|off| off.number).collect();
    transaction
        .execute(&sql, &[&run_id, &numbers, &state.word()])
        .doing(|| "writing the ledger".to_owned())?;
    Ok(())
}

/// The definitions before the load, and while everything was off.
pub(crate) fn read_definitions(
    client: &mut impl GenericClient,
    (ledger, run_id): (&str, &str),
) -> Result<(Fingerprint, Fingerprint), Error> {
    let sql = format!(
        "select object, before, meanwhile from {}.definition where run_id = $1",
        quote::postgres(ledger)
    );
    let rows = client
        .query(&sql, &[&run_id])
        .doing(|| "reading the ledger".to_owned())?;
    let states = |at: usize| {
        let states = rows
            .iter()
            .filter_map(|row| Some((row.get(0), row.get::<_, Option<String>>(at)?)));
        states.collect()
    };
    Ok((states(1), states(2)))
}
