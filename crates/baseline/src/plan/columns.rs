//! Columns: types, defaults, numbers, and what `on update` becomes.

use std::collections::BTreeSet;

use catalog::{Generated, Identity, PostgresType, Sequence, TargetColumn, TargetTable, quote};

use super::subject::{SubjectColumn, SubjectTable};
use super::{UpdateTrigger, Wanted, constraints, not_translated, note};
use crate::note::{Note, NoteKind};
use crate::{Need, OnUpdate, shortened, translate};

/// Puts the columns in their places, and the checks that their types need.
pub(super) fn plan(
    table: &SubjectTable<'_>,
    wanted: &Wanted<'_>,
    planned: &mut TargetTable,
    extensions: &mut BTreeSet<&'static str>,
    notes: &mut Vec<Note>,
) {
    for column in &table.columns {
        let place = format!("{}.{}", table.source.name, column.source.name);
        for need in &column.mapping.needs {
            match need {
                Need::Extension(name) => {
                    extensions.insert(name);
                }
                Need::DatetimeZone if wanted.datetime_zone.is_none() => {
                    let reason = "set `datetime_zone`: the zone of the source's clock is not known";
                    notes.push(note(NoteKind::Changed, reason, &place));
                }
                _ => {}
            }
        }
        if let Some(lost) = column.mapping.lost {
            let what = format!(
                "{place}: {} is {}",
                column.source.data_type, column.mapping.postgres
            );
            notes.push(note(NoteKind::Lost, lost, what));
        }
        if let Some(check) = &column.mapping.check {
            let name = format!("{}_{}_check", table.name, column.name);
            planned.checks.push(catalog::Check::new(name, check));
        }
        planned.columns.push(one(column, &place, wanted, notes));
        say_more(column, &place, wanted, notes);
    }
    for part in &table.source.other_parts {
        let reason = "known to the source alone: what it refuses and does is not done here";
        notes.push(not_translated(
            reason,
            format!("table `{}`, {part}", table.source.name),
        ));
    }
    if let Some(how) = &table.source.partitioning {
        let reason = "partitions: it is one table here";
        let what = format!("table `{}` by {how}", table.source.name);
        notes.push(not_translated(reason, what));
    }
}

fn one(
    column: &SubjectColumn<'_>,
    place: &str,
    wanted: &Wanted<'_>,
    notes: &mut Vec<Note>,
) -> TargetColumn {
    let source = column.source;
    let mut planned = TargetColumn::new(column.name.clone(), column.mapping.postgres.clone());
    planned.nullable = source.nullable;
    planned.comment = constraints::comment(source.comment.as_deref(), place, notes);
    if let Some(expression) = &column.generated {
        planned.generated = Some(Generated::stored(expression));
    } else if let Some(sequence) = &column.sequence {
        number(column, sequence, &mut planned);
    } else if let Some(default) = &source.effective_default() {
        let postgres = &column.mapping.postgres;
        match translate(default, &source.data_type, postgres, wanted.datetime_zone) {
            Ok(None) => {}
            Ok(Some(translated)) => {
                if let Some(changed) = translated.note {
                    notes.push(note(NoteKind::Changed, changed, place));
                }
                planned.default = Some(translated.sql);
            }
            Err(error) => {
                let reason = format!("default, left out: {}", error.reason);
                notes.push(not_translated(
                    reason,
                    format!("{place}: {}", error.default),
                ));
            }
        }
    }
    planned
}

/// Numbers a column from 1: an import sets the sequence to what the rows have come to.
fn number(column: &SubjectColumn<'_>, name: &str, planned: &mut TargetColumn) {
    let (data_type, max) = match column.mapping.postgres {
        PostgresType::Smallint => ("smallint", i64::from(i16::MAX)),
        PostgresType::Integer => ("integer", i64::from(i32::MAX)),
        _ => ("bigint", i64::MAX),
    };
    planned.auto_increment = true;
    planned.sequence = Some(Sequence {
        name: quote::postgres(name),
        data_type: data_type.to_owned(),
        start: 1,
        increment: 1,
        min: 1,
        max,
        cycle: false,
        owned: true,
    });
    if column.mapping.needs.contains(&Need::Sequence) {
        let name = quote::postgres_literal(&quote::postgres(name));
        planned.default = Some(format!("pg_catalog.nextval({name}::regclass)"));
    } else {
        planned.identity = Some(Identity::ByDefault);
    }
    // MySQL's are never null, whatever they were declared.
    planned.nullable = false;
}

fn say_more(column: &SubjectColumn<'_>, place: &str, wanted: &Wanted<'_>, notes: &mut Vec<Note>) {
    let source = column.source;
    if source
        .generated
        .as_ref()
        .is_some_and(|generated| !generated.stored)
    {
        let reason = "computed when it is written, not when it is read";
        notes.push(note(NoteKind::Changed, reason, place));
    }
    if source.invisible {
        let reason = "invisible in the source: `select *` has it here";
        notes.push(note(NoteKind::Changed, reason, place));
    }
    let Some(on_update) = &source.on_update else {
        return;
    };
    let reason = match (wanted.options.on_update, moment(column, wanted)) {
        (OnUpdate::Ignore, _) => {
            "`on update`: `baseline: {on_update: trigger}` makes a trigger of it"
        }
        (OnUpdate::Trigger, None) => "`on update`: not known for the column's type",
        (OnUpdate::Trigger, Some(_)) => {
            let reason = "set when another column changes, also where the update gives it the \
                          value that it has: the source keeps that";
            notes.push(note(NoteKind::Changed, reason, place));
            return;
        }
    };
    notes.push(not_translated(reason, format!("{place}: {on_update}")));
}

/// What a column is set to when its row changes.
fn moment(column: &SubjectColumn<'_>, wanted: &Wanted<'_>) -> Option<String> {
    let on_update = column.source.on_update.as_ref()?;
    let (source, postgres) = (&column.source.data_type, &column.mapping.postgres);
    let translated = translate(on_update, source, postgres, wanted.datetime_zone);
    Some(translated.ok()??.sql)
}

/// The trigger for a table's `on update` columns.
pub(super) fn trigger(
    table: &SubjectTable<'_>,
    wanted: &Wanted<'_>,
    planned: &TargetTable,
) -> Option<UpdateTrigger> {
    let columns = table.columns.iter();
    let columns: Vec<(String, String)> = columns
        .filter_map(|column| Some((column.name.clone(), moment(column, wanted)?)))
        .collect();
    let (computed, plain): (Vec<_>, Vec<_>) = planned
        .columns
        .iter()
        .partition(|column| column.generated.is_some());
    (!columns.is_empty()).then(|| UpdateTrigger {
        table: planned.name.clone(),
        name: shortened(&format!("{}_on_update", planned.name)),
        columns,
        compared: match computed.is_empty() {
            true => Vec::new(),
            false => plain.iter().map(|column| column.name.clone()).collect(),
        },
    })
}
