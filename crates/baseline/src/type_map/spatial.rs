//! Spatial types: named, never mapped by themselves.
//!
//! Their values are four bytes of reference system and then well-known binary, which is no type
//! of PostgreSQL: what they are to become is for the operator to say.

use catalog::{MysqlType, PostgresType};

use super::row::{Choice, Made, Need, Row};

const BYTEA: Choice = Choice::new("bytea", |_| PostgresType::Bytea.into())
    .losing("everything but MySQL's own bytes: 4 of the reference system, then well-known binary");
const POINT: Choice = Choice::new("point", |_| PostgresType::Other("point".to_owned()).into())
    .losing("the reference system; schema only: values are not converted by this version");
const GEOMETRY: Choice = Choice::new("geometry", |_| Made {
    needs: vec![Need::Extension("postgis")],
    ..PostgresType::Other("geometry".to_owned()).into()
})
.losing("schema only: values are not converted by this version; needs the extension `postgis`");

const WHY: &str = "its values are not converted to a spatial type by this version";

fn named(data_type: &MysqlType, names: &[&str]) -> bool {
    matches!(data_type, MysqlType::Other(text)
        if names.contains(&text.to_ascii_lowercase().as_str()))
}

pub(super) static ROWS: &[Row] = &[
    Row {
        mysql: "point",
        example: "point",
        matches: |t| named(t, &["point"]),
        unsupported: Some(WHY),
        choices: &[BYTEA, POINT, GEOMETRY],
    },
    Row {
        mysql: "geometry, linestring, polygon, multipoint, multilinestring, multipolygon, \
                geomcollection, geometrycollection",
        example: "geometry",
        matches: |t| {
            let names = [
                "geometry",
                "linestring",
                "polygon",
                "multipoint",
                "multilinestring",
                "multipolygon",
                "geomcollection",
                "geometrycollection",
            ];
            named(t, &names)
        },
        unsupported: Some(WHY),
        choices: &[BYTEA, GEOMETRY],
    },
];
