//! Tables cut into ranges by every kind of key: every row is in one of them, once, in order.

use std::cell::RefCell;

use catalog::{ServerKind, SourceTable};
use dataset::KeyRange;
use proptest::prelude::*;
use source::{Connection, Reader, Snapshot, discover};
use testing::Databases;

/// A table's key and how a random number becomes one.
struct Kind {
    /// Columns and keys of the table.
    definition: &'static str,
    /// A row's values for the key's columns.
    values: fn(u64) -> String,
    /// Whether one part of the table can be read without another.
    is_cut: bool,
}

/// Another index, from which keys are sampled.
const OTHER_INDEX: &str = ", key by_body (body(3))";

const fn kind(definition: &'static str, values: fn(u64) -> String) -> Kind {
    Kind {
        definition,
        values,
        is_cut: true,
    }
}

const fn whole(definition: &'static str, values: fn(u64) -> String) -> Kind {
    Kind {
        definition,
        values,
        is_cut: false,
    }
}

/// Some of the lower bits, so that parts of composite keys repeat.
fn few(seed: u64) -> u64 {
    seed % 5
}

fn signed(seed: u64) -> i64 {
    seed.cast_signed()
}

/// Three characters of a set in which letters differ in case and accent alone, and some sort
/// before the blank.
fn word(seed: u64) -> String {
    let letters = ["61", "41", "E9", "65", "45", "20", "09", "DF", "5C", "27"];
    let letter = |place: u32| letters[(seed / 10_u64.pow(place) % 10) as usize];
    format!("_latin1 x'{}{}{}'", letter(0), letter(1), letter(2))
}

fn bytes(seed: u64, length: usize) -> String {
    format!("x'{}'", &format!("{seed:016x}{seed:016x}")[..2 * length])
}

fn day(seed: u64) -> String {
    match seed % 50 {
        0 => "0000-00-00".to_owned(),
        1 => "2024-02-00".to_owned(),
        day => format!(
            "{:04}-{:02}-{:02}",
            1000 + seed % 9000,
            1 + seed % 12,
            1 + day % 28
        ),
    }
}

fn clock(seed: u64) -> String {
    format!("{:02}:{:02}:{:02}", seed % 24, seed % 59, seed % 53)
}

const KINDS: [Kind; 27] = [
    kind("a int, primary key (a)", |s| (signed(s) >> 33).to_string()),
    kind("a tinyint unsigned zerofill, primary key (a)", |s| {
        (s % 256).to_string()
    }),
    kind("a bigint, primary key (a)", |s| signed(s).to_string()),
    kind("a bigint unsigned, primary key (a)", |s| s.to_string()),
    kind("a decimal(40,10), primary key (a)", |s| {
        format!("{}.{s:010}", signed(s) % 1_000_000)
    }),
    kind("a bit(64), primary key (a)", |s| s.to_string()),
    kind("a bit(5), b int, primary key (a, b)", |s| {
        format!("{}, {s} % 100", few(s))
    }),
    kind("a year, b int, primary key (a, b)", |s| {
        format!(
            "{}, {}",
            [0, 1901, 1970, 2024, 2155][s as usize % 5],
            s % 100
        )
    }),
    kind("a date, b int, primary key (a, b)", |s| {
        format!("'{}', {}", day(s), s % 7)
    }),
    kind("a datetime(6), primary key (a)", |s| {
        format!("'{} {}.{:06}'", day(s), clock(s / 7), s % 1_000_000)
    }),
    kind(
        "a timestamp(3) default '2001-01-01', primary key (a)",
        |s| {
            format!(
                "'2024-{:02}-{:02} {}.{:03}'",
                1 + s % 12,
                1 + s % 28,
                clock(s / 7),
                s % 1000
            )
        },
    ),
    kind("a time(3), primary key (a)", |s| {
        format!(
            "'{}{:03}:{:02}:{:02}.{:03}'",
            ["", "-"][s as usize % 2],
            s % 838,
            s % 59,
            s % 53,
            s % 1000
        )
    }),
    kind(
        "a enum('z','m','10','','9','a'), b int, primary key (a, b)",
        |s| format!("{}, {}", 1 + s % 6, s % 40),
    ),
    kind("a int, b enum('2','1'), primary key (a, b)", |s| {
        format!("{}, {}", s % 90, s % 3)
    }),
    kind(
        "a set('z','m','null','a'), b int, primary key (b, a)",
        |s| format!("{}, {}", s % 16, s % 11),
    ),
    kind("a char(36) character set ascii, primary key (a)", |s| {
        format!("'{:08x}-0000-4000-8000-{:012x}'", s >> 32, s & 0xffff_ffff)
    }),
    kind("a varchar(40) collate utf8mb4_bin, primary key (a)", word),
    kind(
        "a char(40) collate utf8mb4_unicode_ci, primary key (a)",
        word,
    ),
    kind(
        "a varchar(40) character set latin1, b tinyint, primary key (a, b)",
        |s| format!("{}, {}", word(s), few(s)),
    ),
    kind("a varchar(40) character set utf16, primary key (a)", word),
    kind(
        "a varchar(9) character set sjis, b int, primary key (a, b)",
        |s| format!("_sjis x'835C{:02x}', {}", 0x41 + s % 20, s % 9),
    ),
    kind("a binary(16), primary key (a)", |s| bytes(s, 16)),
    kind("a varbinary(20), primary key (a)", |s| {
        bytes(s, 1 + s as usize % 4)
    }),
    kind(
        "a int, b varchar(9), c datetime, primary key (a, b, c)",
        |s| {
            format!(
                "{}, {}, '{} {}'",
                few(s),
                word(s % 100),
                day(s % 3),
                clock(s)
            )
        },
    ),
    kind(
        "a int not null, b int not null, f double primary key, unique key (b, a)",
        |s| format!("{}, {}, {s}", s % 13, s % 17),
    ),
    whole("a float, b int, primary key (a, b)", |s| {
        format!("{}, {}", few(s), s % 30)
    }),
    whole("a int, b int, unique key (a)", |s| {
        format!("nullif({}, 0), {}", s % 90, few(s))
    }),
];

/// What only one of the two families has.
fn own_kinds(connection: &Connection) -> Vec<Kind> {
    match connection.server().kind {
        ServerKind::Mariadb => vec![
            kind("a uuid, primary key (a)", |s| {
                format!(
                    "'{:08x}-{:04x}-1000-8000-{:012x}'",
                    s >> 32,
                    s & 0xffff,
                    s >> 16
                )
            }),
            // Text that is longer is larger there, also by a blank or what comes before it.
            kind(
                "a varchar(9) collate utf8mb4_nopad_bin, primary key (a)",
                word,
            ),
            whole("a char(9) collate utf8mb4_nopad_bin, primary key (a)", word),
            whole(
                "a char(9) collate utf8mb4_unicode_nopad_ci, primary key (a)",
                word,
            ),
            whole("a inet6, primary key (a)", |s| {
                format!("'::{:x}'", s & 0xffff)
            }),
        ],
        _ => vec![
            kind(
                "a varchar(9) collate utf8mb4_0900_ai_ci, b int, primary key (a desc, b)",
                |s| format!("{}, {}", word(s), few(s)),
            ),
            kind("a char(9) collate utf8mb4_0900_bin, primary key (a)", word),
            kind(
                "a char(9) collate utf8mb4_0900_as_cs, primary key (a)",
                word,
            ),
        ],
    }
}

/// A set of so many members that its number is beyond those of a double, and negative to MariaDB.
fn many_members() -> Kind {
    let members: Vec<String> = (0..64).map(|n| format!("'m{n}'")).collect();
    let definition = format!("a set({}), primary key (a)", members.join(","));
    // Lives as long as the process, as the others' do.
    whole(definition.leak(), |s| s.to_string())
}

/// Makes a table of the kind, with rows of a text that is now short and now long.
fn fill(connection: &mut Connection, kind: &Kind, seeds: &[u64], other_index: &str) {
    let mut sql = format!(
        "drop table if exists t, part; \
         create table t ({}, body text, shape blob{other_index});",
        kind.definition
    );
    for seed in seeds {
        let (values, length) = ((kind.values)(*seed), seed % 60);
        sql += &format!("insert ignore into t select {values}, repeat('x', {length}), null;");
    }
    // Sampling is for what the statistics call large.
    sql += "analyze table t;";
    connection.execute_script(&sql).unwrap();
}

fn table(connection: &mut Connection, databases: &Databases, name: &str) -> SourceTable {
    let catalog = discover(connection, databases.name()).unwrap();
    catalog.table(name).unwrap().clone()
}

/// The rows of a range as text.
fn rows(reader: &mut Reader, database: &str, table: &SourceTable, range: &KeyRange) -> Vec<String> {
    let mut rows = Vec::new();
    reader
        .export_table::<source::Error>(database, table, range, |record| {
            rows.push(format!("{record:?}"));
            Ok(())
        })
        .unwrap();
    rows
}

/// Cuts a table and reads the ranges; returns how many rows each has.
fn read_in_ranges(databases: &Databases, name: &str, bytes_max: u64) -> Vec<usize> {
    let mut connection = databases.mysql();
    let table = table(&mut connection, databases, name);
    let count = connection.query_text(&format!("select count(*) from {name}"));
    let count: usize = count.unwrap()[0][0].as_deref().unwrap().parse().unwrap();
    let mut snapshot = Snapshot::take(connection, 1).unwrap();
    let database = databases.name();
    let reader = snapshot.reader();
    let ranges = reader
        .plan_chunks::<source::Error>(database, &table, bytes_max, || Ok(()))
        .unwrap();
    assert_eq!(
        (&ranges[0].after, &ranges[ranges.len() - 1].up_to),
        (&None, &None)
    );
    let whole = rows(reader, database, &table, &KeyRange::whole());
    assert_eq!(whole.len(), count);
    let parts: Vec<Vec<String>> = ranges
        .iter()
        .map(|range| rows(reader, database, &table, range))
        .collect();
    assert_eq!(parts.concat(), whole, "{ranges:?}");
    assert!(
        count == 0 || parts.iter().all(|rows| !rows.is_empty()),
        "{ranges:?}"
    );
    parts.iter().map(Vec::len).collect()
}

fn check(databases: &Databases, kind: &Kind, seeds: &[u64], bytes_max: u64, other_index: &str) {
    let mut connection = databases.mysql();
    fill(&mut connection, kind, seeds, other_index);
    let sizes = read_in_ranges(databases, "t", bytes_max);
    if !kind.is_cut {
        assert_eq!(sizes.len(), 1, "{}", kind.definition);
        return;
    }
    // As many rows as end with a full range, one fewer and one more.
    let full: usize = sizes[..sizes.len() - 1].iter().sum();
    let table = table(&mut connection, databases, "t");
    let order = source::key_columns(&table).join(", ");
    let order = match kind.definition.contains("(a desc, b)") {
        true => "a desc, b".to_owned(),
        false => order,
    };
    for rows in [full.saturating_sub(1), full, full + 1] {
        let part = format!(
            "drop table if exists part; create table part like t; \
             insert into part select * from t order by {order} limit {rows}"
        );
        connection.execute_script(&part).unwrap();
        let parts = read_in_ranges(databases, "part", bytes_max);
        // Where the last rows are long, what is left before them is halved until it fits: that
        // is at most the logarithm of the rows more often than where they are not the last.
        assert!(parts.len() <= sizes.len() + 10, "{parts:?} {sizes:?}");
    }
}

#[test]
fn every_row_of_every_kind_of_key_is_in_one_range() {
    let databases = RefCell::new(Databases::create());
    let seeds = proptest::collection::vec(any::<u64>(), 0..120);
    let cases = ProptestConfig {
        cases: 3,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(cases, |(seeds in seeds, bytes_max in 1_u64..2_000)| {
        let databases = databases.borrow();
        let mut own = own_kinds(&databases.mysql());
        own.push(many_members());
        for kind in KINDS.iter().chain(&own) {
            for other_index in ["", OTHER_INDEX] {
                check(&databases, kind, &seeds, bytes_max, other_index);
            }
        }
    });
}

#[test]
fn ranges_are_as_large_as_wanted_whatever_the_keys() {
    let databases = Databases::create();
    let mut connection = databases.mysql();
    let script = "create table sparse (id bigint primary key, body text); \
         insert into sparse values (1, 'a'), (4611686018427387904, 'b'); \
         create table steps (id int primary key, body text); \
         insert into steps with recursive n (id) as \
             (select 1 union all select id + 1 from n where id < 1000) \
             select id * id, repeat('x', if(id <= 500, 93, 993)) from n; \
         create table none (a int, body text); insert into none select id, body from steps";
    connection.execute_script(script).unwrap();
    assert_eq!(read_in_ranges(&databases, "sparse", 16 << 20), [2]);
    assert_eq!(read_in_ranges(&databases, "sparse", 1), [1, 1]);
    assert_eq!(read_in_ranges(&databases, "none", 10_000), [1000]);
    let sizes = read_in_ranges(&databases, "steps", 10_000);
    assert!(sizes[0] >= 95 && sizes[0] <= 105, "{sizes:?}");
    assert!(sizes[10..].iter().all(|rows| *rows <= 10), "{sizes:?}");
    assert!(sizes.len() < 80, "{sizes:?}");
}

#[test]
fn long_rows_behind_many_short_ones_get_chunks_of_their_own() {
    let databases = Databases::create();
    let mut connection = databases.mysql();
    let script = "create table t (id int primary key, body longtext); \
         insert into t with recursive n (id) as \
             (select 1 union all select id + 1 from n where id < 1000) \
             select id, repeat('x', if(id <= 700, 90, 90000)) from n";
    connection.execute_script(script).unwrap();
    let sizes = read_in_ranges(&databases, "t", 1_000_000);
    // None has more than ten of the long rows.
    let mut seen = 0;
    for rows in &sizes {
        let long = (seen + rows).saturating_sub(seen.max(700));
        assert!(long <= 12, "{sizes:?}");
        seen += rows;
    }
    assert_eq!(seen, 1000);
    assert!(sizes.len() < 60, "{sizes:?}");
}

#[test]
fn a_large_table_is_cut_by_keys_from_another_index() {
    let databases = Databases::create();
    let mut connection = databases.mysql();
    let script = "create table t (a char(36), b int, body text, key by_b (b), \
             primary key (a, b)); \
         insert into t with recursive n (id) as \
             (select 1 union all select id + 1 from n where id < 100) \
             select hex(one.id * 7919), other.id, repeat('x', 900 + other.id) from n one, n other; \
         analyze table t";
    connection.execute_script(script).unwrap();
    let sizes = read_in_ranges(&databases, "t", 500_000);
    // A thousand bytes a row; what is left at the end may be anything.
    let (_, whole) = sizes.split_last().unwrap();
    assert!((15..=30).contains(&sizes.len()), "{sizes:?}");
    assert!(
        whole.iter().all(|rows| (250..=900).contains(rows)),
        "{sizes:?}"
    );
    let varied = whole.iter().any(|rows| rows.abs_diff(whole[0]) > 1);
    assert!(varied, "no sample was taken: {sizes:?}");
}
