//! The pairs of types that random tables are made of, with values that differ from each other.

/// A pair of types with values that are all different from each other, as each side spells them.
pub(super) struct Kind {
    pub(super) source: &'static str,
    pub(super) target: &'static str,
    pub(super) values: &'static [(&'static str, &'static str)],
    /// Another spelling of the same value on the target, by its number.
    pub(super) again: &'static [(usize, &'static str)],
}

pub(super) const KINDS: [Kind; 15] = [
    Kind {
        source: "varchar(60) character set utf8mb4 collate utf8mb4_bin",
        target: "text",
        values: &[
            ("''", "''"),
            ("'a'", "'a'"),
            ("'A'", "'A'"),
            ("'a '", "'a '"),
            ("'NULL'", "'NULL'"),
            ("_utf8mb4 x'c3a9'", "U&'\\00e9'"),
            ("_utf8mb4 x'65cc81'", "U&'e\\0301'"),
            ("_utf8mb4 x'f09f9982'", "U&'\\+01F642'"),
            ("_utf8mb4 x'610d0a62'", "E'a\\r\\nb'"),
            ("_utf8mb4 x'610a62'", "E'a\\nb'"),
            ("_utf8mb4 x'5c4e'", "E'\\\\N'"),
        ],
        again: &[],
    },
    Kind {
        source: "int",
        target: "integer",
        values: &[
            ("0", "0"),
            ("-1", "-1"),
            ("1", "1"),
            ("2147483647", "2147483647"),
            ("-2147483648", "-2147483648"),
        ],
        again: &[],
    },
    Kind {
        source: "bigint unsigned",
        target: "numeric(20)",
        values: &[
            ("0", "0"),
            ("9007199254740992", "9007199254740992"),
            ("9007199254740993", "9007199254740993"),
            ("18446744073709551615", "18446744073709551615"),
        ],
        again: &[],
    },
    Kind {
        source: "decimal(20,3)",
        target: "numeric(20,3)",
        values: &[
            ("0.000", "0.000"),
            ("0.001", "0.001"),
            ("-0.001", "-0.001"),
            ("12345678901234567.891", "12345678901234567.891"),
            ("12345678901234567.892", "12345678901234567.892"),
        ],
        again: &[(0, "0"), (1, "1e-3")],
    },
    Kind {
        source: "double",
        target: "double precision",
        values: &[
            ("0", "0"),
            ("0.1", "0.1"),
            ("0.10000000000000002", "0.10000000000000002"),
            ("1e300", "1e300"),
            ("-1e-300", "-1e-300"),
        ],
        again: &[(1, "0.1000000000000000055")],
    },
    Kind {
        source: "float",
        target: "real",
        values: &[
            ("0", "0"),
            ("0.1", "0.1"),
            ("16777216", "16777216"),
            ("16777214", "16777214"),
        ],
        again: &[],
    },
    Kind {
        source: "tinyint(1)",
        target: "boolean",
        values: &[("0", "false"), ("1", "true")],
        again: &[],
    },
    Kind {
        source: "datetime(6)",
        target: "timestamp(6)",
        values: &[
            ("'2024-03-31 02:30:00.000000'", "'2024-03-31 02:30:00'"),
            (
                "'2024-03-31 02:30:00.000001'",
                "'2024-03-31 02:30:00.000001'",
            ),
            ("'2024-03-31 03:30:00.000000'", "'2024-03-31 03:30:00'"),
            (
                "'1969-12-31 23:59:59.999999'",
                "'1969-12-31 23:59:59.999999'",
            ),
            (
                "'9999-12-31 23:59:59.999999'",
                "'9999-12-31 23:59:59.999999'",
            ),
        ],
        again: &[],
    },
    Kind {
        source: "date",
        target: "date",
        values: &[
            ("'2024-02-29'", "'2024-02-29'"),
            ("'2024-03-01'", "'2024-03-01'"),
            ("'1000-01-01'", "'1000-01-01'"),
        ],
        again: &[(0, "'20240229'")],
    },
    Kind {
        source: "time(6)",
        target: "time(6)",
        values: &[
            ("'00:00:00'", "'00:00:00'"),
            ("'00:00:00.000001'", "'00:00:00.000001'"),
            ("'23:59:59.999999'", "'23:59:59.999999'"),
        ],
        again: &[],
    },
    Kind {
        source: "char(36)",
        target: "uuid",
        values: &[
            (
                "'0f8fad5b-d9cb-469f-a165-70867728950e'",
                "'0f8fad5b-d9cb-469f-a165-70867728950e'",
            ),
            (
                "'0F8FAD5B-D9CB-469F-A165-70867728950F'",
                "'0f8fad5b-d9cb-469f-a165-70867728950f'",
            ),
            (
                "'00000000-0000-0000-0000-000000000000'",
                "'00000000-0000-0000-0000-000000000000'",
            ),
        ],
        again: &[(0, "'0F8FAD5BD9CB469FA16570867728950E'")],
    },
    Kind {
        source: "varbinary(40)",
        target: "bytea",
        values: &[
            ("x''", "'\\x'"),
            ("x'00'", "'\\x00'"),
            ("x'0000'", "'\\x0000'"),
            ("x'ff'", "'\\xff'"),
            ("x'5c78'", "'\\x5c78'"),
        ],
        again: &[],
    },
    Kind {
        source: "json",
        target: "jsonb",
        values: &[
            ("'{\"a\": 1, \"b\": 2}'", "'{\"a\": 1, \"b\": 2}'"),
            ("'{\"a\": 2, \"b\": 1}'", "'{\"a\": 2, \"b\": 1}'"),
            ("'{\"a\": true, \"b\": 2}'", "'{\"a\": true, \"b\": 2}'"),
            ("'{\"a\": \"1\", \"b\": 2}'", "'{\"a\": \"1\", \"b\": 2}'"),
            ("'{\"a\": 1}'", "'{\"a\": 1}'"),
            ("'{}'", "'{}'"),
            ("'[]'", "'[]'"),
            ("'null'", "'null'"),
            ("'[1, 2]'", "'[1, 2]'"),
            ("'[2, 1]'", "'[2, 1]'"),
        ],
        again: &[(0, "'{\"b\":2,\"a\":1}'"), (8, "'[1,2]'")],
    },
    Kind {
        source: "longtext character set utf8mb4 collate utf8mb4_bin",
        target: "json",
        values: &[
            ("'{\"a\": 1, \"b\": 2}'", "'{\"a\": 1, \"b\": 2}'"),
            ("'{\"a\": 1, \"B\": 2}'", "'{\"a\": 1, \"B\": 2}'"),
            ("'[1.50]'", "'[1.50]'"),
            ("'[1.51]'", "'[1.51]'"),
            ("'\"x\"'", "'\"x\"'"),
        ],
        again: &[
            (0, "'{\"b\" : 2 , \"a\":1.0}'"),
            (2, "'[15e-1]'"),
            (4, "'\"\\u0078\"'"),
        ],
    },
    Kind {
        source: "bit(8)",
        target: "bit(8)",
        values: &[
            ("b'00000000'", "B'00000000'"),
            ("b'00000001'", "B'00000001'"),
            ("b'10000000'", "B'10000000'"),
        ],
        again: &[],
    },
];
