//! docs/type-mapping.md, written from the table.
//!
//! The text around the table stands here; what is in it stands in the families.

use std::fmt::Write;

use super::FAMILIES;
use super::row::Row;

const HEAD: &str = include_str!("head.md");

/// The whole page.
pub fn document() -> String {
    let mut page = HEAD.to_owned();
    for family in &FAMILIES {
        write!(
            page,
            "\n## {}\n\n| MySQL | PostgreSQL | what is lost | in `types` |\n| --- | --- | --- | --- |\n",
            family.title
        )
        .expect("text takes text");
        for row in family.rows {
            write_row(&mut page, row);
        }
    }
    page
}

fn write_row(page: &mut String, row: &Row) {
    let mut line = |postgres: &str, lost: &str, key: &str| {
        writeln!(page, "| {} | {postgres} | {lost} | {key} |", row.mysql).expect("text takes text");
    };
    if let Some(reason) = row.unsupported {
        line("named as not supported", reason, "default");
    }
    for (index, choice) in row.choices.iter().enumerate() {
        let default = index == 0 && row.unsupported.is_none();
        let key = match default {
            true => format!("default, `{}`", choice.name),
            false => format!("`{}`", choice.name),
        };
        line(choice.shown, choice.lost.unwrap_or("nothing"), &key);
    }
}
