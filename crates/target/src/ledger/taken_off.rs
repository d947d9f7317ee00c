//! What is off for a load, how far back each of it is, and the definitions that have to come back.

use postgres::{GenericClient, Transaction};

use catalog::quote;

use crate::error::{Doing, Error};
use crate::fingerprint::Fingerprint;
use crate::off::{Off, OffKind, OffState};
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
        "insert into {schema}.taken_off \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
    );
    let statement = transaction.prepare(&sql).doing(doing)?;
    for off in off {
        let checked = off.checked.as_ref();
        let referenced = checked.and_then(|checked| checked.referenced.as_ref());
        transaction
            .execute(
                &statement,
                &[
                    &run_id,
                    &off.number,
                    &off.kind.word(),
                    &off.table,
                    &off.name,
                    &off.remove,
                    &off.restore,
                    &off.validate,
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

/// What of a kind is in a state, in the order in which it comes back.
pub(crate) fn read_off(
    client: &mut impl GenericClient,
    (ledger, run_id): (&str, &str),
    kind: OffKind,
    state: OffState,
) -> Result<Vec<Off>, Error> {
    let sql = format!(
        "select number, kind, table_name, name, remove, restore, validate, \
                columns, referenced_table, referenced_columns, named_by \
           from {}.taken_off where run_id = $1 and kind = $2 and state = $3 order by number",
        quote::postgres(ledger)
    );
    let rows = client
        .query(&sql, &[&run_id, &kind.word(), &state.word()])
        .doing(|| "reading the ledger".to_owned())?;
    let off = rows.iter().map(|row| {
        let (table, name): (String, String) = (row.get(2), row.get(3));
        let columns: Option<Vec<String>> = row.get(7);
        let referenced: Option<String> = row.get(8);
        let checked = columns.map(|columns| Checked {
            table: table.clone(),
            constraint: name.clone(),
            columns,
            referenced: referenced.map(|table| (table, row.get(9))),
            named_by: row.get(10),
        });
        Off {
            number: row.get(0),
            kind,
            remove: row.get(4),
            restore: row.get(5),
            validate: row.get(6),
            checked,
            table,
            name,
        }
    });
    Ok(off.collect())
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
