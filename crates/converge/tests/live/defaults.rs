//! The type map and the translated defaults against real servers: a row of nothing but defaults
//! on the source is the row of nothing but defaults on the target.

use std::fmt::Write;

use baseline::{ColumnContext, Mapping, Need, TypeMap, TypeOverrides};
use catalog::{ServerKind, SourceCatalog, SourceColumn, quote};
use testing::Databases;

use crate::support::Workplace;

/// Columns of the source as their own server spells them, and what `types` chooses for them.
const COLUMNS: [(&str, &str); 68] = [
    ("tinyint(1) default 0", ""),
    ("tinyint(1) default 1", ""),
    ("tinyint(1) default 7", "smallint"),
    ("tinyint default -128", ""),
    ("tinyint default 1", "boolean"),
    ("smallint unsigned default 65535", ""),
    ("mediumint unsigned default 16777215", ""),
    ("int default '-5'", ""),
    ("int unsigned default 4294967295", ""),
    ("bigint default -9223372036854775808", ""),
    ("bigint unsigned default 18446744073709551615", ""),
    ("decimal(6,2) default -1.5", ""),
    (
        "decimal(65,30) default 12345678901234567890123456789012345.123456789012345678901234567890",
        "",
    ),
    ("float default 1.5", ""),
    ("float default -1e10", "double precision"),
    ("double default 1e-5", ""),
    ("double default -1.7976931348623157e308", ""),
    ("bit(1) default b'1'", ""),
    ("bit(1) default b'0'", "bit"),
    ("bit(8) default b'101'", ""),
    ("bit(8) default 5", "bigint"),
    (
        "bit(64) default b'1111111111111111111111111111111111111111111111111111111111111111'",
        "",
    ),
    ("char(4) default 'a  '", ""),
    ("char(4) default 'null'", "varchar"),
    (
        "char(36) default '6CCD780C-BABA-1026-9564-5B8C656024DB'",
        "uuid",
    ),
    ("varchar(40) default 'it''s \\\\ a \\n line; -- \"x\"'", ""),
    ("varchar(40) default '\\'); drop table defaults; --'", ""),
    ("varchar(40) default ''", ""),
    ("varchar(40) default 'current_timestamp'", "text"),
    ("varchar(40) default 'grüße ☃'", "text"),
    ("varchar(40) default '$$ $1 %s {0}'", ""),
    ("varchar(40) default '{\"a\": [1, \"b\"]}'", "json"),
    ("binary(3) default 'a'", ""),
    ("binary(16) default '0123456789abcdef'", "uuid"),
    ("varbinary(9) default 'a b'", ""),
    ("varbinary(9) default ''", ""),
    ("varbinary(9) not null default 'a\\0?'", ""),
    ("varchar(9) not null default 'x😀?'", ""),
    ("enum('😀','😁') not null default '😁'", ""),
    ("timestamp not null default '2024-01-31 12:00:00'", ""),
    ("date default '2024-02-29'", ""),
    ("date default '0009-12-04'", ""),
    ("datetime default '2024-01-31 12:00:00'", ""),
    ("datetime(6) default '9999-12-31 23:59:59.999999'", ""),
    ("datetime(3) default '2024-07-31 12:00:00.5'", "timestamptz"),
    ("timestamp null default '2024-01-31 12:00:00'", ""),
    (
        "timestamp(3) null default '2024-01-31 12:00:00.25'",
        "timestamp",
    ),
    ("time default '10:11:12'", ""),
    ("time(2) default '-838:59:58.75'", "interval"),
    ("year default 2024", ""),
    ("enum('b','it''s','') default 'it''s'", ""),
    ("enum('b','it''s','') default ''", ""),
    ("enum('x','y') default 'y'", "check"),
    ("enum('x','y') default 'y'", "text"),
    ("set('a','b','NULL') default 'a,NULL'", ""),
    ("set('a','b') default ''", ""),
    ("set('a','b') default 'a,b'", "text"),
    ("json default (json_array())", ""),
    ("json default (json_object())", "json"),
    ("json default ('{\"k\": \"it''s\"}')", ""),
    ("json default (json_array(1, 'a\"b', null))", "text"),
    ("text default ('it''s')", ""),
    ("longtext default ('[]')", "jsonb"),
    ("blob default ('a b')", ""),
    ("int default (1)", ""),
    ("varchar(9) default null", ""),
    ("int", ""),
    ("point", "bytea"),
];

/// Defaults that have another value each time, and what PostgreSQL says of its own.
const MOVING: [(&str, &str, &str); 9] = [
    (
        "datetime(6) default current_timestamp(6)",
        "",
        "between now() - interval '1 hour' and now() + interval '1 hour'",
    ),
    (
        "timestamp default current_timestamp",
        "",
        "between now() - interval '1 hour' and now() + interval '1 hour'",
    ),
    (
        "timestamp(3) default current_timestamp(3)",
        "timestamp",
        "between (now() at time zone 'UTC') - interval '1 minute' and (now() at time zone 'UTC') + interval '1 minute'",
    ),
    ("date default (curdate())", "", "= current_date"),
    ("time default (curtime())", "", "is not null"),
    (
        "bigint default (unix_timestamp())",
        "",
        "between extract(epoch from now()) - 60 and extract(epoch from now()) + 60",
    ),
    ("char(36) default (uuid())", "uuid", "is not null"),
    ("varchar(36) default (uuid())", "", "~ '^[0-9a-f-]{36}$'"),
    (
        "binary(16) default (unhex(replace(uuid(), '-', '')))",
        "",
        "is not null",
    ),
];

const ZONE: &str = "Europe/Amsterdam";

/// A table of the source, its catalogue, and the statements that make its like.
struct Prepared {
    databases: Databases,
    catalog: SourceCatalog,
    map: TypeMap,
}

impl Prepared {
    fn new<'c>(columns: impl IntoIterator<Item = (&'c str, &'c str)>) -> Self {
        let databases = Databases::create();
        let mut source = "create table defaults (id int not null primary key".to_owned();
        let mut overrides = Vec::new();
        for (index, (column, choice)) in columns.into_iter().enumerate() {
            write!(source, ", c{index} {column}").unwrap();
            if !choice.is_empty() {
                overrides.push((format!("defaults.c{index}"), choice));
            }
        }
        source.push_str(");\ninsert into defaults (id) values (1);");
        databases.load(&source, "");
        let overrides = overrides
            .iter()
            .map(|(key, choice)| (key.as_str(), *choice));
        let map = TypeMap::new(&TypeOverrides::parse(overrides).unwrap());
        let catalog = source::discover(&mut databases.mysql(), databases.name()).unwrap();
        Self {
            databases,
            catalog,
            map,
        }
    }

    fn columns(&self) -> impl Iterator<Item = (&SourceColumn, Mapping)> {
        self.catalog.tables[0].columns.iter().map(|column| {
            let context = ColumnContext::default();
            let mapping = self
                .map
                .map("defaults", &column.name, &column.data_type, context);
            (column, mapping.unwrap())
        })
    }

    /// Makes the table on the target, with a row of defaults.
    fn make_target(&self) {
        let mut types = String::new();
        let mut lines = Vec::new();
        for (column, mapping) in self.columns() {
            for need in &mapping.needs {
                if let Need::EnumType { labels } = need {
                    let labels: Vec<String> = labels
                        .iter()
                        .map(|label| quote::postgres_literal(label))
                        .collect();
                    writeln!(
                        types,
                        "create type {} as enum ({});",
                        mapping.postgres,
                        labels.join(", ")
                    )
                    .unwrap();
                }
            }
            lines.push(line(column, &mapping));
        }
        let table = format!(
            "{types}create table defaults (\n{},\nprimary key (id)\n);\ninsert into defaults (id) values (1);",
            lines.join(",\n")
        );
        if let Err(error) = self.databases.postgres().batch_execute(&table) {
            panic!("{error}\n{table}");
        }
    }
}

fn line(column: &SourceColumn, mapping: &Mapping) -> String {
    let name = quote::postgres(&column.name);
    let mut line = format!("{name} {}", mapping.postgres);
    if let Some(default) = &column.default {
        let translated =
            baseline::translate(default, &column.data_type, &mapping.postgres, Some(ZONE));
        let translated = translated.unwrap_or_else(|error| panic!("{}: {error}", column.name));
        write!(line, " default {}", translated.unwrap().sql).unwrap();
    }
    if let Some(check) = &mapping.check {
        write!(line, " check ({check})").unwrap();
    }
    line
}

#[test]
fn a_row_of_defaults_is_the_same_on_both_sides() {
    let prepared = Prepared::new(COLUMNS);
    let with_default = prepared
        .columns()
        .filter(|(column, _)| column.default.is_some());
    assert_eq!(
        with_default.count(),
        COLUMNS.len() - 3,
        "each default is discovered"
    );
    prepared.make_target();
    let options = format!("datetime_zone: {ZONE}");
    let workplace = Workplace::new(&[("defaults", &prepared.databases, &options)]);
    let verified = workplace.run(&["verify"]).expect(0);
    assert!(
        verified.stdout.contains("verdict: equal"),
        "{}",
        verified.text()
    );
}

/// The comparison above is able to fail: with one default changed, it names the column.
#[test]
fn a_row_of_other_defaults_is_not_the_same() {
    let prepared = Prepared::new([("varchar(9) default 'a'", ""), ("int default 5", "")]);
    prepared.make_target();
    let change = "update defaults set c1 = 6";
    prepared.databases.postgres().batch_execute(change).unwrap();
    let workplace = Workplace::new(&[("defaults", &prepared.databases, "")]);
    let verified = workplace.run(&["verify"]).expect(5);
    assert!(verified.stdout.contains("c1"), "{}", verified.text());
}

#[test]
fn what_the_clock_and_chance_decide_is_as_it_should_be() {
    let columns = MOVING.iter().map(|(column, choice, _)| (*column, *choice));
    let prepared = Prepared::new(columns);
    prepared.make_target();
    for (index, (column, _, condition)) in MOVING.iter().enumerate() {
        let holds = format!(
            "do $$ begin if not exists (select from defaults where c{index} {condition}) then \
             raise exception 'it does not hold'; end if; end $$"
        );
        let answer = prepared.databases.postgres().batch_execute(&holds);
        assert!(answer.is_ok(), "{column}: {}", answer.unwrap_err());
    }
}

/// A type, and a value of it that every choice for the type takes.
const SAMPLES: [(&str, &str); 41] = [
    ("tinyint(1)", "1"),
    ("tinyint", "1"),
    ("tinyint unsigned", "1"),
    ("smallint", "-5"),
    ("smallint unsigned", "5"),
    ("mediumint", "-5"),
    ("mediumint unsigned", "5"),
    ("int", "-5"),
    ("int unsigned", "5"),
    ("bigint", "-5"),
    ("bigint unsigned", "5"),
    ("decimal(10,2)", "1.25"),
    ("decimal(10,2) unsigned", "1.25"),
    ("float", "1.5"),
    ("double", "1.1"),
    ("bit(1)", "b'1'"),
    ("bit(8)", "b'101'"),
    ("bit(64)", "b'101'"),
    ("char(0)", "''"),
    ("char(36)", "'6ccd780c-baba-1026-9564-5b8c656024db'"),
    ("char(10)", "'a'"),
    ("varchar(36)", "null"),
    ("varchar(50)", "'[1]'"),
    ("text", "'[1]'"),
    ("longtext", "'[1]'"),
    ("binary(16)", "'0123456789abcdef'"),
    ("varbinary(16)", "'0123456789abcdef'"),
    ("binary(3)", "'a'"),
    ("varbinary(9)", "'a'"),
    ("blob", "'a'"),
    ("longblob", "'a'"),
    ("date", "'2024-01-31'"),
    ("datetime(3)", "'2024-01-31 12:00:00.5'"),
    ("timestamp(3) null", "'2024-01-31 12:00:00.5'"),
    ("time(3)", "'12:00:00.5'"),
    ("year", "2024"),
    ("enum('a','b')", "'b'"),
    ("set('a','b')", "'a,b'"),
    ("json", "'{}'"),
    ("point", "point(1, 2)"),
    ("polygon", "null"),
];

/// The same for types that only MariaDB has.
const MARIADB_SAMPLES: [(&str, &str); 3] = [
    ("uuid", "'6ccd780c-baba-1026-9564-5b8c656024db'"),
    ("inet4", "'192.0.2.1'"),
    ("inet6", "'2001:db8::1'"),
];

fn is_mariadb() -> bool {
    let databases = Databases::create();
    let catalog = source::discover(&mut databases.mysql(), databases.name()).unwrap();
    catalog.server.kind == ServerKind::Mariadb
}

/// Every choice of every type makes a table, and all but two kinds of spatial columns take the
/// source's values.
#[test]
fn every_choice_makes_a_column_that_the_data_goes_to() {
    let mut samples = SAMPLES.to_vec();
    if is_mariadb() {
        samples.extend(MARIADB_SAMPLES);
    }
    let (mut columns, mut values) = (Vec::new(), String::new());
    for (data_type, value) in samples {
        for choice in choices(data_type) {
            columns.push((data_type, choice));
            write!(values, ", {value}").unwrap();
        }
    }
    assert!(columns.len() > 80, "{} choices", columns.len());
    let prepared = Prepared::new(columns.iter().copied());
    prepared
        .databases
        .mysql()
        .execute(&format!("insert into defaults values (2{values})"))
        .unwrap();
    prepared.make_target();
    let empty = "delete from defaults";
    prepared.databases.postgres().batch_execute(empty).unwrap();
    let options = format!("datetime_zone: {ZONE}\nschema_owner: converge");
    let workplace = Workplace::new(&[("defaults", &prepared.databases, &options)]);
    let moved = workplace.run(&["migrate"]).expect(0);
    assert!(moved.text().contains("equal"), "{}", moved.text());
}

/// The words of `types` for a type, from the errors that name them.
fn choices(data_type: &'static str) -> Vec<&'static str> {
    let bare = data_type.trim_end_matches(" null");
    let error = TypeOverrides::parse([(bare, "no such choice")]).unwrap_err();
    let without_data = ["point", "geometry", "citext"];
    error
        .known
        .into_iter()
        .filter(|choice| !without_data.contains(choice))
        .collect()
}
