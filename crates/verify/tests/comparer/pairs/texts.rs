//! Text, padding, uuids, bytes and bits.

use digest::SourceValue::Bytes;

use super::{differ, same, text};
use crate::fixture::bits;

#[test]
fn text_is_exact() {
    same("varchar(9) => varchar(9)", Bytes(b"ab "), text("ab "));
    differ("varchar(9) => varchar(9)", Bytes(b"ab "), text("ab"));
    differ("varchar(9) => varchar(9)", Bytes(b"ab"), text("Ab"));
    differ(
        "longtext => text",
        Bytes("e\u{301}".as_bytes()),
        text("\u{e9}"),
    );
    differ("text => text", Bytes(b"a\r\nb"), text("a\nb"));
    same("text => text", Bytes(b"a\r\nb"), text("a\r\nb"));
    same("text => text", Bytes(b"\\."), text("\\."));
    differ("text => text", Bytes(b"\xff"), Some(vec![0xff]));
    differ("text => text", Bytes(b"a\0b"), text("ab"));
    differ("varchar(9) => varchar(3)", Bytes(b"abc   "), text("abc"));
    differ("varchar(9) => varchar(3)", Bytes(b"abc   "), text("abc "));
    same(
        "varchar(9) => varchar(3)",
        Bytes("äöü".as_bytes()),
        text("äöü"),
    );
    same("text => citext", Bytes(b"a"), text("a"));
    differ("text => citext", Bytes(b"a"), text("A"));
    same("json => text", Bytes(b"{\"a\": 1}"), text("{\"a\": 1}"));
    differ("json => text", Bytes(b"{\"a\": 1}"), text("{\"a\":1}"));
    same(
        "uuid => text",
        Bytes(b"0f8fad5b-d9cb-469f-a165-70867728950e"),
        text("0f8fad5b-d9cb-469f-a165-70867728950e"),
    );
}

#[test]
fn blanks_pad_characters() {
    same("char(5) => character(5)", Bytes(b"ab"), text("ab "));
    same("varchar(5) => character(5)", Bytes(b"ab  "), text("ab "));
    same(
        "varchar(9) => character(3)",
        Bytes(b"ab       "),
        text("ab "),
    );
    differ("char(5) => character(5)", Bytes(b" ab"), text("ab "));
    differ("char(5) => character(5)", Bytes(b"ab\t"), text("ab "));
    same("char(5) => character(5)", Bytes(b""), text(" "));
    differ("char(5) => character(3)", Bytes(b"abcd"), text("abc"));
}

#[test]
fn uuids() {
    let uuid = vec![
        0x0f, 0x8f, 0xad, 0x5b, 0xd9, 0xcb, 0x46, 0x9f, 0xa1, 0x65, 0x70, 0x86, 0x77, 0x28, 0x95,
        0x0e,
    ];
    let field = || Some(uuid.clone());
    same(
        "char(36) => uuid",
        Bytes(b"0f8fad5b-d9cb-469f-a165-70867728950e"),
        field(),
    );
    same(
        "varchar(36) => uuid",
        Bytes(b"0F8FAD5B-D9CB-469F-A165-70867728950E"),
        field(),
    );
    same(
        "uuid => uuid",
        Bytes(b"0f8fad5b-d9cb-469f-a165-70867728950e"),
        field(),
    );
    same("binary(16) => uuid", Bytes(&uuid), field());
    differ(
        "char(36) => uuid",
        Bytes(b"0f8fad5b-d9cb-469f-a165-70867728950f"),
        field(),
    );
    differ(
        "char(36) => uuid",
        Bytes(b"0f8fad5bd9cb469fa16570867728950e"),
        field(),
    );
    differ(
        "char(36) => uuid",
        Bytes(b" 0f8fad5b-d9cb-469f-a165-70867728950"),
        field(),
    );
    differ("char(36) => uuid", Bytes(b""), None);
    differ("char(36) => uuid", Bytes(b""), Some(vec![0; 16]));
    differ("char(36) => uuid", Bytes(b"guidance"), None);
}

#[test]
fn bytes_and_bits() {
    let all: Vec<u8> = (0..=255).collect();
    same("blob => bytea", Bytes(&all), Some(all.clone()));
    differ(
        "varbinary(300) => bytea",
        Bytes(&all[1..]),
        Some(all.clone()),
    );
    differ("binary(2) => bytea", Bytes(b"a\0"), Some(b"a".to_vec()));
    same("point => bytea", Bytes(&all), Some(all.clone()));
    same("bit(8) => bit(8)", Bytes(&[5]), Some(bits(8, &[5])));
    differ("bit(8) => bit(8)", Bytes(&[5]), Some(bits(8, &[4])));
    same("bit(1) => bit(1)", Bytes(&[1]), Some(bits(1, &[0x80])));
    same(
        "bit(12) => bit(12)",
        Bytes(&[0x0a, 0xbc]),
        Some(bits(12, &[0xab, 0xc0])),
    );
    same(
        "bit(12) => bit varying(40)",
        Bytes(&[0x0a, 0xbc]),
        Some(bits(12, &[0xab, 0xc0])),
    );
    differ(
        "bit(3) => bit varying(40)",
        Bytes(&[5]),
        Some(bits(5, &[0x28])),
    );
    same(
        "bit(64) => bit(64)",
        Bytes(&[0xff; 8]),
        Some(bits(64, &[0xff; 8])),
    );
    differ("bit(8) => bit(4)", Bytes(&[0x1f]), Some(bits(4, &[0xf0])));
    same(
        "bit(64) => bit(140)",
        Bytes(&[0x80, 0, 0, 0, 0, 0, 0, 1]),
        Some(bits(
            140,
            &[0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0x10],
        )),
    );
    same("bit(8) => bytea", Bytes(&[5]), Some(vec![5]));
}
