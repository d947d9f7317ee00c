//! Names of indexes, constraints, sequences and types: unique in a schema, at most 63 bytes, and
//! the same from run to run.
//!
//! In MySQL an index's name is its table's business; in PostgreSQL indexes, tables, sequences and
//! types share the names of a schema. Tables are here only because their names are taken.

use std::collections::BTreeSet;

use catalog::quote;

/// The longest name in bytes; PostgreSQL cuts longer ones without a word.
///
/// Source: PostgreSQL manual, section 4.1.1 "Identifiers and Key Words".
const BYTES_MAX: usize = 63;

/// What a name is for. Where two want one name, the earlier kind here has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameKind {
    /// A table: it always keeps its name, unless that is too long.
    Table,
    /// An enum type.
    Type,
    /// A sequence, one of an identity too.
    Sequence,
    /// What PostgreSQL 18 makes of a column's `not null`, a constraint of its own.
    NotNull,
    /// The index of a primary key.
    PrimaryKey,
    /// A unique constraint or index.
    Unique,
    /// An index.
    Index,
    /// A foreign key.
    ForeignKey,
    /// A check.
    Check,
}

/// A name that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NameRequest<'a> {
    /// What for.
    pub kind: NameKind,
    /// The table that it belongs to.
    pub table: &'a str,
    /// MySQL's name, or the one that PostgreSQL would choose.
    pub wanted: &'a str,
}

/// The names, in the order of the requests.
///
/// The order does not matter to which name a request gets. A name that one request alone wants is
/// kept; of several, the first by kind and table keeps it and the others have their table's name
/// put before it.
pub fn unique_names(requests: &[NameRequest<'_>]) -> Vec<String> {
    let mut order: Vec<usize> = (0..requests.len()).collect();
    order.sort_by_key(|&index| requests[index]);
    let mut names = vec![String::new(); requests.len()];
    let mut taken = BTreeSet::new();
    let mut left = Vec::new();
    for index in order {
        let name = shortened(requests[index].wanted);
        match taken.insert(name.clone()) {
            true => names[index] = name,
            false => left.push(index),
        }
    }
    for index in left {
        names[index] = free_name(&requests[index], &mut taken);
    }
    names
}

/// The name of a column's enum type, where nothing else wants it.
pub fn enum_type_name(table: &str, column: &str) -> String {
    shortened(&format!("{table}_{column}_enum"))
}

/// A name of at most 63 bytes: itself, or its beginning and a hash of the whole.
pub fn shortened(name: &str) -> String {
    match name.len() <= BYTES_MAX {
        true => name.to_owned(),
        false => with_hash(name, name),
    }
}

/// A name as `format_type()` shows it where no key word has it: in quotes where it needs them.
pub(crate) fn quoted_where_needed(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    match name.chars().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        true => name.to_owned(),
        false => quote::postgres(name),
    }
}

fn free_name(request: &NameRequest<'_>, taken: &mut BTreeSet<String>) -> String {
    let whole = format!("{}_{}", request.table, request.wanted);
    let mut name = shortened(&whole);
    let mut attempt = 1;
    while !taken.insert(name.clone()) {
        name = with_hash(&whole, &format!("{whole} {:?} {attempt}", request.kind));
        attempt += 1;
    }
    name
}

/// The beginning of a name, cut between characters, and eight digits that `hashed` decides.
fn with_hash(name: &str, hashed: &str) -> String {
    const HASH_BYTES: usize = 9;
    let mut end = name.len().min(BYTES_MAX - HASH_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{:08x}", &name[..end], fnv(hashed))
}

/// FNV-1a, folded to 32 bits: the same on every machine and in every version, which the standard
/// library's hashes do not promise. Source: RFC 9923.
fn fnv(text: &str) -> u32 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let folded = (hash >> 32) ^ (hash & 0xffff_ffff);
    u32::try_from(folded).expect("the upper half is gone")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request<'a>(kind: NameKind, table: &'a str, wanted: &'a str) -> NameRequest<'a> {
        NameRequest {
            kind,
            table,
            wanted,
        }
    }

    #[test]
    fn a_free_name_is_kept_and_a_taken_one_gets_its_table() {
        use NameKind::{ForeignKey, Index, Table};
        let requests = [
            request(Index, "b", "idx_name"),
            request(Index, "a", "idx_name"),
            request(Index, "a", "b"),
            request(Table, "b", "b"),
            request(ForeignKey, "a", "b_idx_name"),
            request(ForeignKey, "a", "FK_1"),
            request(ForeignKey, "a", "fk_1"),
        ];
        let expected = [
            "b_idx_name_ae160c9d",
            "idx_name",
            "a_b",
            "b",
            "b_idx_name",
            "FK_1",
            "fk_1",
        ];
        assert_eq!(unique_names(&requests), expected);
    }

    #[test]
    fn long_names_are_cut_between_characters_and_differ() {
        let (one, two) = ("x".repeat(63) + "1", "x".repeat(63) + "2");
        assert_eq!(shortened(&one).len(), 63);
        assert_ne!(shortened(&one), shortened(&two));
        assert_eq!(shortened(&one[..63]), one[..63]);
        let wide = "é".repeat(64);
        let cut = shortened(&wide);
        assert_eq!(cut.len(), 63);
        assert!(cut.starts_with(&"é".repeat(27)));
        assert_eq!(enum_type_name("t", "Kind"), "t_Kind_enum");
        assert_eq!(quoted_where_needed("t_kind_enum"), "t_kind_enum");
        assert_eq!(quoted_where_needed("t_Kind\"_enum"), "\"t_Kind\"\"_enum\"");
        assert_eq!(quoted_where_needed("1_enum"), "\"1_enum\"");
    }

    #[test]
    fn the_hash_is_the_published_one() {
        // The 64-bit hashes of these are af63dc4c8601ec8c and 85944171f73967e8.
        assert_eq!(fnv("a"), 0xaf63_dc4c ^ 0x8601_ec8c);
        assert_eq!(fnv("foobar"), 0x8594_4171 ^ 0xf739_67e8);
    }

    proptest! {
        #[test]
        fn names_are_unique_short_and_independent_of_the_order(
            wanted in prop::collection::btree_set(("[abé]{1,2}", "[abé_]{1,3}|é{30,40}[ab]"), 1..20),
            turn in 0..20_usize
        ) {
            let requests: Vec<NameRequest<'_>> = wanted
                .iter()
                .map(|(table, name)| request(NameKind::Index, table, name))
                .collect();
            let names = unique_names(&requests);
            let distinct: BTreeSet<&String> = names.iter().collect();
            prop_assert_eq!(distinct.len(), names.len());
            prop_assert!(names.iter().all(|name| name.len() <= BYTES_MAX));
            let mut turned = requests.clone();
            turned.rotate_left(turn % requests.len());
            let again = unique_names(&turned);
            for (request, name) in turned.iter().zip(&again) {
                let before = requests.iter().position(|r| r == request).expect("the same set");
                prop_assert_eq!(name, &names[before]);
            }
        }
    }
}
