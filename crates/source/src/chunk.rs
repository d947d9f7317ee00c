//! The key by which a table is cut, and in SQL which rows a range of it has.
//!
//! Order and bounds compare in one and the same way, so that no row falls between two ranges.

use catalog::{Key, MysqlType, SourceColumn, SourceTable, quote};
use dataset::KeyRange;

/// No server finds the rows beyond a label by an index, so that each range passes over the whole
/// key where that begins with one: such tables get fewer and larger ranges.
const LABEL_FACTOR: u64 = 16;
/// The number of a set is exact as long as a double holds it; beyond, MariaDB makes some of them
/// negative where it adds to them.
const SET_MEMBERS_MAX: usize = 53;

/// The key by which a table is read in order.
#[derive(Debug)]
pub(crate) struct ChunkKey<'t> {
    name: &'t str,
    parts: Vec<Part<'t>>,
}

/// A column of the key.
#[derive(Debug)]
struct Part<'t> {
    column: &'t SourceColumn,
    form: Form,
    descending: bool,
}

/// How a key's value is asked for and written into a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A number, exact as text.
    Number,
    /// Bits, which read as bytes unless they are made a number.
    Bits,
    /// Ordered by its number, compared as a text unless it is made a number.
    Label,
    /// Text in the column's own character set and collation, as its bytes in hex: no conversion
    /// is without loss for every character set.
    Text,
    /// Bytes in hex.
    Bytes,
    /// What the server understands in quotes, which is compared as the column's type.
    Quoted,
}

impl Form {
    /// `None` for types whose values have no exact spelling, or no order that is known here.
    fn of(column: &SourceColumn) -> Option<Self> {
        let is_char = matches!(column.data_type, MysqlType::Char { .. });
        Some(match &column.data_type {
            MysqlType::Integer { .. } | MysqlType::Decimal { .. } | MysqlType::Year => Self::Number,
            MysqlType::Bit { .. } => Self::Bits,
            MysqlType::Set { members } if members.len() > SET_MEMBERS_MAX => return None,
            MysqlType::Enum { .. } | MysqlType::Set { .. } => Self::Label,
            MysqlType::Char { .. } | MysqlType::Varchar { .. } => match &column.collation {
                Some(collation) if collation == "binary" => Self::Bytes,
                // MariaDB's index has the blanks that fill a CHAR, and its comparisons have not.
                Some(collation) if is_char && collation.contains("_nopad_") => return None,
                Some(_) => Self::Text,
                None => return None,
            },
            MysqlType::Binary { .. } | MysqlType::Varbinary { .. } => Self::Bytes,
            MysqlType::Date
            | MysqlType::Datetime { .. }
            | MysqlType::Timestamp { .. }
            | MysqlType::Time { .. }
            | MysqlType::Uuid => Self::Quoted,
            _ => return None,
        })
    }
}

impl<'t> ChunkKey<'t> {
    /// The primary key, or else a unique key without NULL, of which all values can be spelled
    /// exactly; `None` where there is none.
    pub(crate) fn of(table: &'t SourceTable) -> Option<Self> {
        let usable = |key: &&Key| key.is_unique() && key.visible;
        table.keys.iter().filter(usable).find_map(|key| {
            let parts = key.parts.iter().map(|part| {
                let column = table.column(part.plain_column()?);
                let column = column.filter(|column| !column.nullable)?;
                Some(Part {
                    column,
                    form: Form::of(column)?,
                    descending: part.descending,
                })
            });
            Some(Self {
                name: &key.name,
                parts: parts.collect::<Option<_>>()?,
            })
        })
    }

    pub(crate) fn name(&self) -> &'t str {
        self.name
    }

    /// The key's columns.
    pub(crate) fn columns(&self) -> Vec<&'t str> {
        self.parts.iter().map(|p| p.column.name.as_str()).collect()
    }

    /// How many bytes its values may have as text, with what keeps them.
    pub(crate) fn text_bytes_max(&self) -> u64 {
        const KEPT_BYTES: u64 = 64;
        let values = self.parts.iter().map(|part| match &part.column.data_type {
            // Hex of characters of at most four bytes, or of bytes.
            MysqlType::Char { length } | MysqlType::Varchar { length } => 8 * u64::from(*length),
            MysqlType::Binary { length } | MysqlType::Varbinary { length } => {
                2 * u64::from(*length)
            }
            _ => 0,
        });
        values.map(|bytes| bytes + KEPT_BYTES).sum()
    }

    /// How much larger ranges of this key are to be than those of others.
    pub(crate) fn factor(&self) -> u64 {
        match self.parts[0].form {
            Form::Label => LABEL_FACTOR,
            _ => 1,
        }
    }

    /// ` force index (…)`: any other way to the rows would sort or pass over the whole table
    /// for every range.
    pub(crate) fn hint(&self) -> String {
        format!(" force index ({})", quote::mysql(self.name))
    }

    /// ` order by …`: the columns as they are, which is the order of the index. Labels and sets
    /// are ordered by their numbers (MySQL Reference Manual, "The ENUM Type", "The SET Type").
    pub(crate) fn order(&self) -> String {
        self.ordered(["", " desc"])
    }

    /// The same from the end.
    pub(crate) fn order_from_end(&self) -> String {
        self.ordered([" desc", ""])
    }

    fn ordered(&self, directions: [&str; 2]) -> String {
        let parts = self.parts.iter().map(|part| {
            let direction = directions[usize::from(part.descending)];
            quote::mysql(&part.column.name) + direction
        });
        format!(" order by {}", parts.collect::<Vec<_>>().join(", "))
    }

    /// ` where …`, or nothing for the whole table.
    pub(crate) fn condition(&self, range: &KeyRange) -> String {
        let after = range.after.as_ref();
        let after = after.map(|key| self.beyond(key, [">", "<"], [">", "<"]));
        let up_to = range.up_to.as_ref();
        let up_to = up_to.map(|key| self.beyond(key, ["<", ">"], ["<=", ">="]));
        match (after, up_to) {
            (None, None) => String::new(),
            (Some(one), None) | (None, Some(one)) => format!(" where {one}"),
            (Some(after), Some(up_to)) => format!(" where {after} and {up_to}"),
        }
    }

    /// Rows on one side of a key, part by part: `(a > 1 or (a = 1 and (b > 2)))`.
    ///
    /// Both server families read this as ranges of the index, and a comparison of rows,
    /// `(a, b) > (1, 2)`, as the whole of it. Of two operators the second is for parts that are
    /// ordered from the largest to the smallest.
    fn beyond(&self, key: &[String], strictly: [&str; 2], at_last: [&str; 2]) -> String {
        let last = self.parts.len() - 1;
        let mut parts = self.parts.iter().zip(key).enumerate().rev();
        parts
            .by_ref()
            .fold(String::new(), |rest, (index, (part, value))| {
                let (expression, value) = (part.compared(), part.literal(value));
                let [strictly, at_last] =
                    [strictly, at_last].map(|operators| operators[usize::from(part.descending)]);
                match index == last {
                    true => format!("({expression} {at_last} {value})"),
                    false => format!(
                        "({expression} {strictly} {value} or ({expression} = {value} and {rest}))"
                    ),
                }
            })
    }

    /// The select list that gives the key's values for a bound.
    pub(crate) fn values(&self) -> String {
        let values = self.parts.iter().map(Part::value);
        values.collect::<Vec<_>>().join(", ")
    }
}

impl Part<'_> {
    /// What a bound is compared with.
    fn compared(&self) -> String {
        let name = quote::mysql(&self.column.name);
        match self.form {
            Form::Label => format!("{name} + 0"),
            _ => name,
        }
    }

    /// What is asked for.
    fn value(&self) -> String {
        let name = quote::mysql(&self.column.name);
        match self.form {
            Form::Text | Form::Bytes => format!("hex({name})"),
            Form::Bits | Form::Label => format!("{name} + 0"),
            Form::Number | Form::Quoted => name,
        }
    }

    /// An answer as it is written into a bound.
    fn literal(&self, value: &str) -> String {
        match self.form {
            Form::Number | Form::Bits | Form::Label => value.to_owned(),
            Form::Bytes => format!("x'{value}'"),
            Form::Quoted => quote::mysql_literal(value),
            Form::Text => {
                let collation = self.column.collation.as_deref().unwrap_or_default();
                // A collation's name begins with its character set's.
                let charset = collation.split('_').next().unwrap_or_default();
                format!("_{charset} x'{value}' collate {collation}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use catalog::{KeyKind, KeyPart, KeyTerm};

    use super::*;

    fn table(columns: &[(&str, &str)], nullable: bool) -> SourceTable {
        let mut table = SourceTable::new("t");
        let parts = columns.iter().map(|(name, _)| {
            KeyPart::from(KeyTerm::Column {
                name: (*name).to_owned(),
                prefix_length: None,
            })
        });
        let key = Key::new("PRIMARY", KeyKind::Primary, parts.collect());
        table.keys.push(key);
        for (name, data_type) in columns {
            let mut column = SourceColumn::new(*name, MysqlType::parse(data_type));
            column.nullable = nullable;
            column.collation = Some("latin1_swedish_ci".to_owned());
            table.columns.push(column);
        }
        table
    }

    #[test]
    fn a_range_is_compared_part_by_part() {
        let table = table(
            &[("e", "enum('b','a')"), ("c", "char(3)"), ("n", "int")],
            false,
        );
        let key = ChunkKey::of(&table).unwrap();
        let bound = |values: [&str; 3]| Some(values.map(str::to_owned).to_vec());
        let range = KeyRange {
            after: bound(["1", "E4", "-7"]),
            up_to: bound(["2", "", "0"]),
        };
        assert_eq!(
            key.order() + &key.condition(&range),
            " order by `e`, `c`, `n` where \
             (`e` + 0 > 1 or (`e` + 0 = 1 and \
             (`c` > _latin1 x'E4' collate latin1_swedish_ci or \
             (`c` = _latin1 x'E4' collate latin1_swedish_ci and (`n` > -7))))) and \
             (`e` + 0 < 2 or (`e` + 0 = 2 and \
             (`c` < _latin1 x'' collate latin1_swedish_ci or \
             (`c` = _latin1 x'' collate latin1_swedish_ci and (`n` <= 0)))))"
        );
        assert_eq!(key.condition(&KeyRange::whole()), "");
    }

    #[test]
    fn keys_with_null_or_without_an_exact_spelling_cut_no_table() {
        assert!(ChunkKey::of(&table(&[("n", "int")], true)).is_none());
        assert!(ChunkKey::of(&table(&[("n", "int"), ("f", "float")], false)).is_none());
        assert!(ChunkKey::of(&table(&[("b", "longblob")], false)).is_none());
        assert!(ChunkKey::of(&SourceTable::new("t")).is_none());
    }

    #[test]
    fn parts_in_descending_order_are_compared_the_other_way() {
        let mut table = table(&[("a", "int"), ("b", "int")], false);
        table.keys[0].parts[0].descending = true;
        let key = ChunkKey::of(&table).unwrap();
        let bound = |values: [&str; 2]| Some(values.map(str::to_owned).to_vec());
        let range = KeyRange {
            after: bound(["9", "1"]),
            up_to: bound(["5", "2"]),
        };
        assert_eq!(
            key.order() + &key.condition(&range),
            " order by `a` desc, `b` where (`a` < 9 or (`a` = 9 and (`b` > 1))) \
             and (`a` > 5 or (`a` = 5 and (`b` <= 2)))"
        );
        assert_eq!(key.order_from_end(), " order by `a`, `b` desc");
    }
}
