//! The kinds of dirt that can be planted, and where those are planted that rows are made with.
//!
//! What production held comes first; the rules that clean it are in `alkemio.yml`. What is planted
//! into rows that were made without is in `planting.rs`.

/// A kind of value or row that the target refuses without a rule, or that is not what it seems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dirt {
    /// `''` where the target's type is uuid.
    EmptyUuid,
    /// Compressed whiteboards, kept as the latin1 text of their bytes.
    BinaryWhiteboard,
    /// Names where the target's type is uuid.
    InvalidUuid,
    /// NULL where the target alone is not null.
    NullInNotNull,
    /// `0000-00-00`.
    ZeroDate,
    /// A date without a day.
    InvalidDate,
    /// A NUL character in a text.
    NulByte,
    /// `\u0000` in a document whose target is jsonb.
    JsonNul,
    /// A two where the target is boolean.
    NotBoolean,
    /// Index 0 of an enum.
    EnumUnknown,
    /// A foreign key without its parent.
    Orphan,
    /// Equal keys where the target alone has a unique key.
    Duplicate,
    /// Text that was encoded to UTF-8 twice.
    EncodedTwice,
    /// Rows that violate a check of meaning, which both servers take.
    ViolatedCheck,
    /// Everything that neither schema has a place for, in a database of its own: `fixtures/dirt`.
    Others,
}

/// The kinds of one load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DirtKinds(Vec<Dirt>);

/// Columns that get empty uuids: nullable, uuid in the target, and without a
/// foreign key in the source, which would refuse them.
const EMPTY_UUID_COLUMNS: [(&str, &str); 5] = [
    ("callout", "publishedBy"),
    ("callout_contribution", "createdBy"),
    ("document", "createdBy"),
    ("space", "levelZeroSpaceID"),
    ("whiteboard", "createdBy"),
];

/// Every so many rows there is an empty uuid in each of those columns, a prime so
/// that it meets all the other patterns.
const EMPTY_UUID_EVERY: u64 = 29;

/// The first row that has one.
const EMPTY_UUID_FIRST: u64 = 5;

impl Dirt {
    /// Every kind, in the order in which help names them.
    pub(crate) const ALL: [Self; 15] = [
        Self::EmptyUuid,
        Self::BinaryWhiteboard,
        Self::InvalidUuid,
        Self::NullInNotNull,
        Self::ZeroDate,
        Self::InvalidDate,
        Self::NulByte,
        Self::JsonNul,
        Self::NotBoolean,
        Self::EnumUnknown,
        Self::Orphan,
        Self::Duplicate,
        Self::EncodedTwice,
        Self::ViolatedCheck,
        Self::Others,
    ];

    /// What production held.
    const PRODUCTION: [Self; 2] = [Self::EmptyUuid, Self::BinaryWhiteboard];

    /// The name that is typed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EmptyUuid => "empty_uuid",
            Self::BinaryWhiteboard => "binary_whiteboard",
            Self::InvalidUuid => "invalid_uuid",
            Self::NullInNotNull => "null_in_not_null",
            Self::ZeroDate => "zero_date",
            Self::InvalidDate => "invalid_date",
            Self::NulByte => "nul_byte",
            Self::JsonNul => "json_nul",
            Self::NotBoolean => "not_boolean",
            Self::EnumUnknown => "enum_unknown",
            Self::Orphan => "orphan",
            Self::Duplicate => "duplicate",
            Self::EncodedTwice => "encoded_twice",
            Self::ViolatedCheck => "violated_check",
            Self::Others => "others",
        }
    }
}

impl DirtKinds {
    /// Parses a comma-separated list, or one of the words `all`, `none`, `production`.
    ///
    /// # Errors
    /// Names the known kinds when one is unknown.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self(Vec::new())),
            "all" => Ok(Self(Dirt::ALL.to_vec())),
            "production" => Ok(Self(Dirt::PRODUCTION.to_vec())),
            list => list
                .split(',')
                .map(parse_one)
                .collect::<Result<_, _>>()
                .map(Self),
        }
    }

    pub(crate) fn contains(&self, kind: Dirt) -> bool {
        self.0.contains(&kind)
    }

    /// The names with commas, as they were typed.
    pub(crate) fn names(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|kind| kind.name()).collect();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(",")
        }
    }
}

fn parse_one(name: &str) -> Result<Dirt, String> {
    Dirt::ALL
        .into_iter()
        .find(|kind| kind.name() == name)
        .ok_or_else(|| {
            let known: Vec<&str> = Dirt::ALL.iter().map(|kind| kind.name()).collect();
            format!(
                "unknown kind of dirt `{name}`; known are all, none, production, {}",
                known.join(", ")
            )
        })
}

/// Whether this column gets empty uuids.
pub(crate) fn gets_empty_uuids(table: &str, column: &str) -> bool {
    EMPTY_UUID_COLUMNS.contains(&(table, column))
}

/// Whether this row gets them.
pub(crate) fn is_empty_uuid_row(row: u64) -> bool {
    row % EMPTY_UUID_EVERY == EMPTY_UUID_FIRST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_words_are_understood_and_strays_are_not() {
        assert_eq!(DirtKinds::parse("none").unwrap().names(), "none");
        assert_eq!(
            DirtKinds::parse("production").unwrap().names(),
            "empty_uuid,binary_whiteboard"
        );
        let all = DirtKinds::parse("all").unwrap();
        assert!(Dirt::ALL.into_iter().all(|kind| all.contains(kind)));
        assert!(all.names().len() <= 255, "fixtures check remembers them");
        assert_eq!(DirtKinds::parse(&all.names()).unwrap(), all);
        assert_eq!(
            DirtKinds::parse("empty_uuid").unwrap().names(),
            "empty_uuid"
        );
        let error = DirtKinds::parse("empty_uuid,dust").unwrap_err();
        assert!(
            error.contains("`dust`") && error.contains("binary_whiteboard"),
            "{error}"
        );
    }
}
