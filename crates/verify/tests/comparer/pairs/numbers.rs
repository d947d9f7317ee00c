//! Booleans, integers, exact numbers and floats.

use digest::SourceValue::{Bytes, Double, Float, Int, UInt};

use super::{differ, same, text};
use crate::fixture::numeric;

#[test]
fn booleans() {
    same("tinyint => boolean", Int(0), Some(vec![0]));
    same("tinyint(1) => boolean", Int(1), Some(vec![1]));
    same("bigint unsigned => boolean", UInt(1), Some(vec![1]));
    differ("tinyint => boolean", Int(0), Some(vec![1]));
    differ("tinyint => boolean", Int(2), Some(vec![1]));
    differ("tinyint => boolean", Int(-1), Some(vec![1]));
    differ("tinyint => boolean", Int(127), Some(vec![1]));
    same("bit(1) => boolean", Bytes(&[1]), Some(vec![1]));
    differ("bit(8) => boolean", Bytes(&[2]), Some(vec![1]));
    differ("tinyint => boolean", Int(1), Some(vec![2]));
    differ("tinyint => boolean", Int(1), Some(vec![]));
}

#[test]
fn integers() {
    same("tinyint(1) => smallint", Int(2), Some(vec![0, 2]));
    same("smallint => smallint", Int(-1), Some(vec![0xff, 0xff]));
    same(
        "int => integer",
        Int(-2),
        Some(vec![0xff, 0xff, 0xff, 0xfe]),
    );
    same(
        "int unsigned => bigint",
        Int(4_294_967_295),
        Some(vec![0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]),
    );
    same(
        "bigint => bigint",
        Int(i64::MIN),
        Some(vec![0x80, 0, 0, 0, 0, 0, 0, 0]),
    );
    differ(
        "bigint unsigned => bigint",
        UInt(u64::MAX),
        Some(vec![0xff; 8]),
    );
    differ("int => smallint", Int(65_537), Some(vec![0, 1]));
    same("year => smallint", Int(2024), Some(vec![0x07, 0xe8]));
    same("bit(16) => integer", Bytes(&[1, 2]), Some(vec![0, 0, 1, 2]));
    same(
        "decimal(10,2) => integer",
        Bytes(b"7.00"),
        Some(vec![0, 0, 0, 7]),
    );
    differ(
        "decimal(10,2) => integer",
        Bytes(b"7.01"),
        Some(vec![0, 0, 0, 7]),
    );
    same("int => text", Int(5), text("5"));
    same("year => varchar(4)", Int(0), text("0000"));
}

#[test]
fn exact_numbers() {
    let positive = 0;
    let negative = 0x4000;
    same(
        "bigint unsigned => numeric(20,0)",
        UInt(u64::MAX),
        Some(numeric(&[1844, 6744, 737, 955, 1615], 4, positive, 0)),
    );
    same(
        "decimal(10,4) => numeric(10,4)",
        Bytes(b"0.0001"),
        Some(numeric(&[1], -1, positive, 4)),
    );
    same(
        "decimal(10,0) => numeric(10,0)",
        Bytes(b"10000"),
        Some(numeric(&[1], 1, positive, 0)),
    );
    same(
        "decimal(10,2) => numeric(10,2)",
        Bytes(b"-1.50"),
        Some(numeric(&[1, 5000], 0, negative, 2)),
    );
    differ(
        "decimal(10,2) => numeric(10,2)",
        Bytes(b"1.50"),
        Some(numeric(&[1, 5000], 0, negative, 2)),
    );
    same(
        "decimal(10,2) => numeric(10,2)",
        Bytes(b"0.00"),
        Some(numeric(&[], 0, positive, 2)),
    );
    same(
        "decimal(65,30) => numeric(65,30)",
        Bytes(b"12345.000000000000000000000000000001"),
        Some(numeric(
            &[1, 2345, 0, 0, 0, 0, 0, 0, 0, 100],
            1,
            positive,
            30,
        )),
    );
    differ(
        "decimal(65,30) => numeric(65,30)",
        Bytes(b"12345.000000000000000000000000000001"),
        Some(numeric(
            &[1, 2345, 0, 0, 0, 0, 0, 0, 0, 200],
            1,
            positive,
            30,
        )),
    );
    differ(
        "decimal(10,2) => numeric(10,2)",
        Bytes(b"1.50"),
        Some(numeric(&[], 0, 0xc000, 0)),
    );
    differ(
        "decimal(10,2) => numeric(10,2)",
        Bytes(b"1.50"),
        Some(numeric(&[1, 5000], 0, positive, 2)[..10].to_vec()),
    );
    same(
        "int => numeric(10,2)",
        Int(7),
        Some(numeric(&[7], 0, positive, 2)),
    );
    same(
        "float => numeric",
        Float(16_777_216.0),
        Some(numeric(&[1677, 7216], 1, positive, 0)),
    );
    same(
        "double => numeric",
        Double(0.1),
        Some(numeric(&[1000], -1, positive, 1)),
    );
}

#[test]
fn the_scale_counts_where_no_type_declares_it() {
    same(
        "decimal(10,2) => numeric",
        Bytes(b"1.50"),
        Some(numeric(&[1, 5000], 0, 0, 2)),
    );
    differ(
        "decimal(10,2) => numeric",
        Bytes(b"1.50"),
        Some(numeric(&[1, 5000], 0, 0, 1)),
    );
    same(
        "decimal(10,2) => numeric(10,1)",
        Bytes(b"1.50"),
        Some(numeric(&[1, 5000], 0, 0, 1)),
    );
    differ(
        "decimal(10,3) => numeric(10,2)",
        Bytes(b"1.005"),
        Some(numeric(&[1, 100], 0, 0, 2)),
    );
    differ(
        "decimal(10,0) => numeric(2,0)",
        Bytes(b"100"),
        Some(numeric(&[100], 0, 0, 0)),
    );
}

#[test]
fn floats() {
    let tiny = vec![0, 0, 0, 0, 0, 0, 0, 1];
    let max = 1.797_693_134_862_315_7e308_f64;
    same(
        "float => real",
        Float(16_777_216.0),
        Some(vec![0x4b, 0x80, 0, 0]),
    );
    differ(
        "float => real",
        Float(16_777_200.0),
        Some(vec![0x4b, 0x80, 0, 0]),
    );
    same(
        "float => real",
        Float(3.402_823_5e38),
        Some(vec![0x7f, 0x7f, 0xff, 0xff]),
    );
    same("double => double precision", Double(5e-324), Some(tiny));
    same(
        "double => double precision",
        Double(max),
        Some(vec![0x7f, 0xef, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    );
    same(
        "double => double precision",
        Double(-0.0),
        Some(vec![0x80, 0, 0, 0, 0, 0, 0, 0]),
    );
    differ("double => double precision", Double(-0.0), Some(vec![0; 8]));
    differ("float => real", Float(0.0), Some(vec![0x80, 0, 0, 0]));
    same(
        "float => double precision",
        Float(0.1),
        Some(vec![0x3f, 0xb9, 0x99, 0x99, 0xa0, 0, 0, 0]),
    );
    differ(
        "double => double precision",
        Double(0.1),
        Some(vec![0x3f, 0xb9, 0x99, 0x99, 0xa0, 0, 0, 0]),
    );
    same("double => real", Double(0.5), Some(vec![0x3f, 0, 0, 0]));
    differ(
        "double => real",
        Double(0.1),
        Some(vec![0x3d, 0xcc, 0xcc, 0xcd]),
    );
    differ(
        "double => real",
        Double(1e300),
        Some(vec![0x7f, 0x80, 0, 0]),
    );
    same(
        "decimal(10,2) => double precision",
        Bytes(b"0.50"),
        Some(vec![0x3f, 0xe0, 0, 0, 0, 0, 0, 0]),
    );
    differ(
        "bigint => double precision",
        Int(9_007_199_254_740_993),
        Some(vec![0x43, 0x40, 0, 0, 0, 0, 0, 0]),
    );
    same("float => text", Float(16_777_216.0), text("1.6777216e+07"));
    same("double => text", Double(1.5), text("1.5"));
    same("double => text", Double(1.5), text("1.50000000000000001"));
    differ("double => text", Double(1.5), text("1.6"));
    differ("double => text", Double(1.5), text("one"));
}
