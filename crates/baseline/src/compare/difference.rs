//! A difference between two schemas: what, on which side, and what would mend it.

use std::fmt;

use catalog::{quote, visible};

/// One thing in which a live schema is not what is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where it is.
    pub side: DifferenceSide,
    /// What differs.
    pub kind: DifferenceKind,
    /// The table that it belongs to.
    pub table: Option<String>,
    /// What it is, such as `user.email` or `unique key of user (email)`.
    pub object: String,
    /// How it should be, where both sides have it.
    pub expected: Option<String>,
    /// How it is, where both sides have it.
    pub found: Option<String>,
    /// What the statements may cost, where they cost rows or values.
    pub loses: Option<&'static str>,
    /// Statements that make the live schema as expected, without names of schemas; to be
    /// run in one transaction; none where no statement does.
    pub mend: Vec<String>,
}

/// On which side something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceSide {
    /// Expected, and not there.
    MissingInTarget,
    /// There, and not expected.
    OnlyInTarget,
    /// On both sides, and not the same.
    Different,
    /// In the target, and in the source, which cannot be compared: it is not translated.
    NotTranslated,
}

impl DifferenceSide {
    /// As a person reads it.
    pub fn label(self) -> &'static str {
        match self {
            Self::MissingInTarget => "missing in target",
            Self::OnlyInTarget => "only in target",
            Self::Different => "different",
            Self::NotTranslated => "in the source, not translated",
        }
    }

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::MissingInTarget => "missing_in_target",
            Self::OnlyInTarget => "only_in_target",
            Self::Different => "different",
            Self::NotTranslated => "not_translated",
        }
    }
}

/// Kinds of differences, in the order in which they are mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// An extension.
    Extension,
    /// An enum type that columns need.
    EnumType,
    /// The labels of an enum type, or their order.
    EnumLabels,
    /// A table.
    Table,
    /// A column.
    Column,
    /// How a column is computed.
    Generated,
    /// The type of a column.
    Type,
    /// The collation of a column.
    Collation,
    /// The default of a column.
    Default,
    /// Whether a column takes NULL.
    Nullability,
    /// Identity or sequence: how a column is numbered.
    Sequence,
    /// A primary key.
    PrimaryKey,
    /// A unique key: constraint or index.
    UniqueKey,
    /// An index.
    Index,
    /// An exclusion constraint.
    Exclusion,
    /// A foreign key.
    ForeignKey,
    /// A check.
    Check,
    /// A function that a trigger needs.
    Function,
    /// A trigger.
    Trigger,
    /// A view, a procedure, a sequence or a type of its own.
    Object,
    /// How a table is divided.
    Partitioning,
    /// Code or a type of another role, which something of the schema uses.
    Borrowed,
    /// The name of a key, constraint, sequence or type.
    Name,
}

impl DifferenceKind {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Extension => "extension",
            Self::EnumType => "enum_type",
            Self::EnumLabels => "enum_labels",
            Self::Table => "table",
            Self::Column => "column",
            Self::Type => "type",
            Self::Collation => "collation",
            Self::Generated => "generated",
            Self::Default => "default",
            Self::Nullability => "nullability",
            Self::Sequence => "sequence",
            Self::PrimaryKey => "primary_key",
            Self::UniqueKey => "unique_key",
            Self::Index => "index",
            Self::Exclusion => "exclusion",
            Self::ForeignKey => "foreign_key",
            Self::Check => "check",
            Self::Function => "function",
            Self::Trigger => "trigger",
            Self::Object => "object",
            Self::Partitioning => "partitioning",
            Self::Borrowed => "borrowed",
            Self::Name => "name",
        }
    }

    /// What stands in the way of others when it is dropped goes first.
    fn rank(self, side: DifferenceSide) -> u8 {
        let goes = side == DifferenceSide::OnlyInTarget;
        match self {
            Self::ForeignKey if goes => 1,
            Self::Check | Self::PrimaryKey | Self::UniqueKey | Self::Index | Self::Exclusion
                if goes =>
            {
                2
            }
            Self::Table if goes => 3,
            Self::Extension => 0,
            _ => 4,
        }
    }
}

impl Difference {
    /// Something of a table that is not the same on both sides.
    pub(super) fn of(kind: DifferenceKind, table: &str, object: String) -> Self {
        Self {
            side: DifferenceSide::Different,
            kind,
            table: Some(table.to_owned()),
            object,
            expected: None,
            found: None,
            loses: None,
            mend: Vec::new(),
        }
    }

    /// Something of a table that is expected and not there.
    pub(super) fn missing(kind: DifferenceKind, table: &str, object: String) -> Self {
        Self {
            side: DifferenceSide::MissingInTarget,
            ..Self::of(kind, table, object)
        }
    }

    /// Something of a table that is there and not expected.
    pub(super) fn unexpected(kind: DifferenceKind, table: &str, object: String) -> Self {
        Self {
            side: DifferenceSide::OnlyInTarget,
            ..Self::of(kind, table, object)
        }
    }

    /// The same where the source has it, too, so that nobody is told to drop it.
    pub(super) fn unless_in_source(mut self, is_in_source: bool) -> Self {
        if is_in_source {
            self.side = DifferenceSide::NotTranslated;
            self.loses = None;
            self.mend.clear();
        }
        self
    }

    /// An extension that the schema needs and the target lacks.
    pub fn missing_extension(name: &str) -> Self {
        let mut difference = Self::missing(DifferenceKind::Extension, "", String::new());
        difference.table = None;
        difference.object = format!("extension {name}");
        difference.mend = vec![format!(
            "create extension if not exists {}",
            quote::postgres(name)
        )];
        difference
    }

    /// Something of the schema that uses what belongs to another role, which may change it.
    pub fn borrowed(object: &str, uses: &str, role: &str) -> Self {
        let object = format!("{object} uses {uses}, which belongs to role {role}");
        let mut difference = Self::unexpected(DifferenceKind::Borrowed, "", object);
        difference.table = None;
        difference
    }

    /// The order in which differences can be mended.
    pub(super) fn rank(&self) -> impl Ord + use<> {
        let rank = self.kind.rank(self.side);
        (rank, self.kind, self.table.clone(), self.object.clone())
    }

    /// The statements on one line, each with its semicolon; `None` where there are none, or where
    /// a body goes over several lines.
    pub fn mend_line(&self) -> Option<String> {
        let statements = self.mend.iter();
        let lines = statements.map(|statement| format!("{};", joined(statement)));
        let line = quote::postgres_shown(&lines.collect::<Vec<_>>().join(" "));
        Some(line).filter(|line| !line.is_empty() && visible(line) == *line)
    }
}

/// A statement without its own line breaks; those of literals, names and bodies stay.
fn joined(statement: &str) -> String {
    if statement.contains('$') {
        return statement.to_owned();
    }
    let mut line = String::with_capacity(statement.len());
    let mut inside = None;
    let mut characters = statement.chars().peekable();
    while let Some(c) = characters.next() {
        match (inside, c) {
            (None, '\'' | '"') => inside = Some(c),
            (Some(quote), c) if c == quote => inside = None,
            (None, '\n') => {
                while characters.next_if_eq(&' ').is_some() {}
                let open = line.ends_with('(') || characters.peek() == Some(&')');
                if !open {
                    line.push(' ');
                }
                continue;
            }
            _ => {}
        }
        line.push(c);
    }
    line
}

impl fmt::Display for Difference {
    /// Side, object, and how it should be and is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.side.label(), visible(&self.object))?;
        if let (Some(expected), Some(found)) = (&self.expected, &self.found) {
            let (expected, found) = (visible(expected), visible(found));
            write!(f, ": is {found}, expected {expected}")?;
        }
        Ok(())
    }
}
