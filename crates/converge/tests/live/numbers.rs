//! Every numeric type of the source with all that it can be declared with: what is stored
//! arrives, whatever is shown.

use proptest::prelude::*;
use proptest::strategy::{BoxedStrategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use testing::Databases;

use crate::servers::ServerSetting;
use crate::support::Workplace;

const ROWS: usize = 400;

/// A declared type, its counterpart and the numbers that are put into it.
struct Column {
    source: String,
    target: &'static str,
    values: BoxedStrategy<String>,
}

/// Every type with each of its attributes, and several sizes.
fn columns() -> Vec<Column> {
    let mut columns = Vec::new();
    for sign in ["", " unsigned", " zerofill"] {
        for (word, bits, target) in [
            ("tinyint(3)", 7, "smallint"),
            ("smallint(5)", 15, "integer"),
            ("mediumint(9)", 23, "integer"),
            ("int(4)", 31, "bigint"),
            ("bigint(20)", 63, "numeric(20)"),
        ] {
            columns.push(Column {
                source: format!("{word}{sign}"),
                target,
                values: integers(bits, sign.is_empty()),
            });
        }
        for (digits, scale) in [(1, 0), (5, 5), (10, 2), (65, 30)] {
            columns.push(Column {
                source: format!("decimal({digits},{scale}){sign}"),
                target: "numeric",
                values: decimals(digits - scale, scale, sign.is_empty()),
            });
        }
        for (word, target) in [("float", "real"), ("double", "double precision")] {
            for display in ["", "(8,2)", "(10,0)", "(7,7)", "(20,10)", "(30,1)"] {
                columns.push(Column {
                    source: format!("{word}{display}{sign}"),
                    target,
                    values: floats(display, sign.is_empty()),
                });
            }
        }
    }
    columns
}

fn integers(bits: u32, signed: bool) -> BoxedStrategy<String> {
    let most = (1_i128 << (bits + u32::from(!signed))) - 1;
    let least = if signed { -most - 1 } else { 0 };
    let anywhere = (least..=most).prop_map(|number| number.to_string());
    prop_oneof![4 => anywhere, 1 => Just(least.to_string()), 1 => Just(most.to_string())].boxed()
}

fn decimals(before: usize, after: usize, signed: bool) -> BoxedStrategy<String> {
    let sign = if signed { "-?" } else { "" };
    let fraction = if after == 0 {
        String::new()
    } else {
        format!("[.][0-9]{{0,{after}}}")
    };
    let pattern = format!("{sign}[0-9]{{1,{}}}{fraction}", before.max(1));
    proptest::string::string_regex(&pattern)
        .expect("a pattern")
        .boxed()
}

/// What fits the digits shown, and for a column without any the whole range.
fn floats(display: &str, signed: bool) -> BoxedStrategy<String> {
    let inside = display.trim_matches(['(', ')']).split_once(',');
    let number = |text: &str| text.parse::<usize>().expect("a number of ours");
    match inside {
        Some((digits, scale)) => {
            let (digits, scale) = (number(digits), number(scale));
            decimals(digits - scale, scale + 2, signed)
        }
        None => {
            let sign = if signed { "-?" } else { "" };
            let wide = format!("{sign}[0-9][.][0-9]{{1,17}}e-?([12]?[0-9]|3[0-7])");
            let wide = proptest::string::string_regex(&wide).expect("a pattern");
            prop_oneof![6 => wide, 1 => Just("-0".to_owned()), 1 => Just("1e-45".to_owned()),
                        1 => Just("2.2250738585072014e-308".to_owned())]
            .boxed()
        }
    }
}

#[test]
fn every_number_is_read_as_it_is_stored() {
    let databases = Databases::create();
    let columns = columns();
    let declared = |of: fn(&Column) -> &str| -> String {
        let columns = columns.iter().enumerate();
        columns
            .map(|(at, column)| format!(", c{at} {}", of(column)))
            .collect()
    };
    let source = declared(|column| &column.source);
    let target = declared(|column| column.target);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[8; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut rows = Vec::new();
    for row in 1..=ROWS {
        let mut values = vec![row.to_string()];
        for column in &columns {
            let value = column
                .values
                .new_tree(&mut runner)
                .expect("a value")
                .current();
            values.push(format!("'{value}'"));
        }
        rows.push(format!("({})", values.join(", ")));
    }
    databases.load(
        &format!(
            "create table t (id int primary key{source}); \
             insert ignore into t values {}; \
             create table price (id int primary key, a double(8,2), b float(9,3)); \
             insert into price values (1, 7.94, 4321.988);",
            rows.join(", ")
        ),
        &format!(
            "create table t (id integer primary key{target}); \
             create table price (id integer primary key, a double precision, b real);"
        ),
    );
    let sessions = "set global div_precision_increment = 0, sql_mode = 'ANSI,REAL_AS_FLOAT'";
    let undo = "set global div_precision_increment = default, sql_mode = default";
    let _set = ServerSetting::new(&databases, sessions, undo);
    let workplace = Workplace::new(&[("one", &databases, "")]);
    workplace.run(&["migrate"]).expect(0);
    let stored = "select a::text, b::text, (select count(*) from t)::text from price";
    let stored = databases.postgres().query_text(stored).unwrap();
    let stored: Vec<&str> = stored[0].iter().flatten().map(String::as_str).collect();
    assert_eq!(stored, ["7.9399999999999995", "4321.988", "400"]);
}
