//! Tables, columns and the sequences behind them.

use catalog::{Identity, Sequence, TargetColumn, TargetTable, quote};

use super::pre_data::is_of_another_schema;

/// Makes a table without its keys, with the sequences that its columns take numbers from.
pub(crate) fn create_table(table: &TargetTable) -> Vec<String> {
    let name = quote::postgres(&table.name);
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| format!("    {}", definition(&table.name, column)))
        .collect();
    let create = match columns.is_empty() {
        true => format!("create table {name} ()"),
        false => format!("create table {name} (\n{}\n)", columns.join(",\n")),
    };
    let create = match &table.partitioning {
        Some(how) => format!("{create} partition by {how}"),
        None => create,
    };
    let mut statements: Vec<String> = table.columns.iter().filter_map(create_sequence).collect();
    statements.push(create);
    let owned = table.columns.iter();
    statements.extend(owned.filter_map(|column| own_sequence(&table.name, column)));
    statements
}

/// Adds a column, with the sequence that it takes numbers from.
pub(crate) fn add_column(table: &str, column: &TargetColumn) -> Vec<String> {
    let mut statements: Vec<String> = create_sequence(column).into_iter().collect();
    statements.push(format!(
        "alter table {} add column {}",
        quote::postgres(table),
        definition(table, column)
    ));
    statements.extend(own_sequence(table, column));
    statements
}

/// The sequence of a column that is numbered without being an identity.
pub(crate) fn separate_sequence(column: &TargetColumn) -> Option<&Sequence> {
    column
        .sequence
        .as_ref()
        .filter(|_| column.identity.is_none())
}

/// Makes the sequence of a column that is no identity.
pub(crate) fn create_sequence(column: &TargetColumn) -> Option<String> {
    let sequence = separate_sequence(column).filter(|of| !is_of_another_schema(&of.name))?;
    let options = options(sequence).join(" ");
    Some(
        format!("create sequence {} {options}", sequence.name)
            .trim_end()
            .to_owned(),
    )
}

/// Lets the sequence go with its column.
pub(crate) fn own_sequence(table: &str, column: &TargetColumn) -> Option<String> {
    let sequence = separate_sequence(column)
        .filter(|sequence| sequence.owned && !is_of_another_schema(&sequence.name))?;
    Some(format!(
        "alter sequence {} owned by {}.{}",
        sequence.name,
        quote::postgres(table),
        quote::postgres(&column.name)
    ))
}

/// How a sequence is not as `create sequence` would make it.
fn options(sequence: &Sequence) -> Vec<String> {
    let largest = largest_number(&sequence.data_type);
    let mut options = Vec::new();
    if sequence.data_type != "bigint" {
        options.push(format!("as {}", sequence.data_type));
    }
    if sequence.increment != 1 {
        options.push(format!("increment by {}", sequence.increment));
    }
    if (sequence.min, sequence.max) != (1, largest) {
        options.push(format!(
            "minvalue {} maxvalue {}",
            sequence.min, sequence.max
        ));
    }
    if sequence.start != sequence.min {
        options.push(format!("start with {}", sequence.start));
    }
    if sequence.cycle {
        options.push("cycle".to_owned());
    }
    options
}

/// The largest number of a sequence of that type.
pub(crate) fn largest_number(data_type: &str) -> i64 {
    match data_type {
        "smallint" => i64::from(i16::MAX),
        "integer" => i64::from(i32::MAX),
        _ => i64::MAX,
    }
}

fn definition(table: &str, column: &TargetColumn) -> String {
    let mut sql = format!("{} {}", quote::postgres(&column.name), type_of(column));
    if !column.nullable {
        sql.push_str(" not null");
    }
    if let Some(generated) = &column.generated {
        let kind = if generated.stored {
            "stored"
        } else {
            "virtual"
        };
        sql.push_str(&format!(
            " generated always as ({}) {kind}",
            generated.expression
        ));
    }
    if let Some(default) = &column.default {
        sql.push_str(&format!(" default {default}"));
    }
    if let Some(kind) = column.identity {
        sql.push_str(&format!(" {}", identity(table, column, kind)));
    }
    sql
}

/// A column's type with its collation; its domain where it has one.
pub(crate) fn type_of(column: &TargetColumn) -> String {
    let name = match &column.domain {
        Some(domain) => domain.clone(),
        None => column.data_type.to_string(),
    };
    match &column.collation {
        Some(collation) => format!("{name} collate {collation}"),
        None => name,
    }
}

/// `generated … as identity` with what is not by default.
pub(crate) fn identity(table: &str, column: &TargetColumn, kind: Identity) -> String {
    let kind = match kind {
        Identity::Always => "always",
        Identity::ByDefault => "by default",
    };
    let mut own = Vec::new();
    if let Some(sequence) = &column.sequence {
        // PostgreSQL's own choice of a name depends on what is there already.
        let usual = format!("{table}_{}_seq", column.name);
        if sequence.name != usual && sequence.name != quote::postgres(&usual) {
            own.push(format!("sequence name {}", sequence.name));
        }
        // The type of the numbers is the column's.
        let options = options(sequence);
        own.extend(
            options
                .into_iter()
                .filter(|option| !option.starts_with("as ")),
        );
    }
    match own.is_empty() {
        true => format!("generated {kind} as identity"),
        false => format!("generated {kind} as identity ({})", own.join(" ")),
    }
}
