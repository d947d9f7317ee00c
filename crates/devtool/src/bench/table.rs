//! A report as people read it: what was measured, on what, and a line for each step.
//!
//! It shows; every number comes from `report`.

use super::family::FamilyReport;
use super::report::{Report, StepReport};

const HEADER: [&str; 10] = [
    "",
    "seconds",
    "MB/s",
    "rows/s",
    "client cpu s",
    "source cpu s",
    "target cpu s",
    "peak MB",
    "floor",
    "times floor",
];

const FAMILY_HEADER: [&str; 7] = [
    "",
    "tables",
    "rows",
    "MB",
    "MB/s",
    "csv crate MB/s",
    "of csv crate",
];

/// The human form, ending with a line break.
pub(crate) fn text(report: &Report) -> String {
    let machine = &report.machine;
    let largest = report.steps.iter().max_by_key(|step| step.bytes);
    let (rows, bytes) = largest.map_or((0, 0), |step| (step.rows, step.bytes));
    let mut text = format!(
        "scale {}: {rows} rows, {:.1} MB of CSV; {}; {}, {} build\n\
         {} processors, {:.1} GB of memory, load average {:.2} before; {}, {}\n\n",
        report.scale,
        bytes as f64 / 1e6,
        match report.rounds {
            1 => "one round".to_owned(),
            rounds => format!("medians of {rounds} rounds"),
        },
        report.converge,
        report.build,
        machine.processors,
        machine.memory_bytes as f64 / 1e9,
        machine.load_average,
        machine.source,
        machine.target,
    );
    let lines: Vec<[String; 10]> = report.steps.iter().map(cells).collect();
    write_lines(HEADER, &lines, &mut text);
    if !report.families.is_empty() {
        text.push_str("\none processor, by kind of table\n\n");
        let lines: Vec<[String; 7]> = report.families.iter().map(family_cells).collect();
        write_lines(FAMILY_HEADER, &lines, &mut text);
    }
    if let Some(one) = &report.one_table {
        text.push_str(&format!(
            "\n{} alone, {} rows, {:.1} MB: import {:.2} s; \\copy with its constraints in place \
             {:.2} s, with lz4 {:.2} s; {:.2} of its time\n",
            one.table,
            one.rows,
            one.bytes as f64 / 1e6,
            one.import_seconds,
            one.copy_seconds,
            one.copy_lz4_seconds,
            one.ratio
        ));
    }
    if !report.peers.is_empty() {
        text.push('\n');
    }
    for peer in &report.peers {
        text.push_str(&format!(
            "{}: migrate, alone, takes {:.2} of its time; its target {}\n",
            peer.version,
            peer.ratio,
            match peer.differences.as_slice() {
                [] => "equals the source".to_owned(),
                differences => format!("differs from the source: {}", differences.join(", ")),
            }
        ));
    }
    text
}

/// Aligns the cells: the first column to the left, the others to the right.
fn write_lines<const N: usize>(header: [&str; N], lines: &[[String; N]], text: &mut String) {
    let header = header.map(str::to_owned);
    let all: Vec<&[String; N]> = std::iter::once(&header).chain(lines).collect();
    for line in &all {
        for (column, cell) in line.iter().enumerate() {
            let widths = all.iter().map(|line| line[column].chars().count());
            let width = widths.max().unwrap_or(0);
            text.push_str(&match column {
                0 => format!("{cell:<width$}"),
                _ => format!("  {cell:>width$}"),
            });
        }
        text.push('\n');
    }
}

fn family_cells(family: &FamilyReport) -> [String; 7] {
    [
        family.name.to_owned(),
        family.tables.to_string(),
        family.rows.to_string(),
        format!("{:.1}", family.bytes as f64 / 1e6),
        format!("{:.1}", family.megabytes_per_second),
        format!("{:.1}", family.csv_crate_megabytes_per_second),
        format!("{:.2}", family.ratio_to_csv_crate),
    ]
}

fn cells(step: &StepReport) -> [String; 10] {
    let median = &step.median;
    let none = || "-".to_owned();
    let name = match step.kind {
        "floor" => format!("floor: {}", step.name),
        _ => step.name.to_owned(),
    };
    [
        name,
        format!("{:.2}", median.seconds),
        format!("{:.1}", step.megabytes_per_second),
        format!("{:.0}", step.rows_per_second),
        format!("{:.2}", median.client_processor_seconds),
        format!("{:.2}", median.source_processor_seconds),
        format!("{:.2}", median.target_processor_seconds),
        median
            .peak_memory_bytes
            .map_or_else(none, |bytes| format!("{:.1}", bytes as f64 / 1e6)),
        match step.floors.as_slice() {
            [] => none(),
            floors => floors.join(" + "),
        },
        step.ratio_to_floors
            .map_or_else(none, |ratio| format!("{ratio:.2}")),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn a_report_is_a_table() {
        let expected = "\
scale 1: 1000 rows, 4.0 MB of CSV; medians of 3 rounds; converge 0.1.0, BUILD build
2 processors, 8.0 GB of memory, load average 0.50 before; MariaDB 10.11.19, PostgreSQL 17.5

              seconds  MB/s  rows/s  client cpu s  source cpu s  target cpu s  peak MB  floor  times floor
export           2.20   1.8     455          1.65          0.25          0.00     23.1  drain         2.00
floor: drain     1.10   3.6     909          0.83          0.25          0.00        -      -            -
";
        let report = report();
        let expected = expected.replace("BUILD", report.build);
        assert_eq!(text(&report), expected);
    }
}
