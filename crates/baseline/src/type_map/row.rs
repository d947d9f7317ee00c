//! What a line of the type map is made of.
//!
//! Holds no type of its own.

use catalog::{ColumnPattern, MysqlType, PostgresType, quote};

use crate::names;
use crate::type_map::ColumnContext;

/// Types of the source that share what they can become.
pub(super) struct Row {
    /// The types, as a reader knows them, such as `char(n)`.
    pub(super) mysql: &'static str,
    /// An example of the types, as a server reports it.
    pub(super) example: &'static str,
    /// Whether a type belongs here; a type that no server reports belongs nowhere.
    pub(super) matches: fn(&MysqlType) -> bool,
    /// Why none of the choices holds by itself, where that is so.
    pub(super) unsupported: Option<&'static str>,
    /// What the types can become; the first holds where the configuration says nothing.
    pub(super) choices: &'static [Choice],
}

/// One of the types that a type can become.
#[derive(Clone, Copy)]
pub(super) struct Choice {
    /// As the configuration spells it.
    pub(super) name: &'static str,
    /// The type as a reader of the table sees it.
    pub(super) shown: &'static str,
    /// What is lost by it.
    pub(super) lost: Option<&'static str>,
    /// The type for one column.
    pub(super) make: fn(&Subject<'_>) -> Made,
}

impl Choice {
    pub(super) const fn new(name: &'static str, make: fn(&Subject<'_>) -> Made) -> Self {
        Self {
            name,
            shown: name,
            lost: None,
            make,
        }
    }

    pub(super) const fn shown(mut self, shown: &'static str) -> Self {
        self.shown = shown;
        self
    }

    pub(super) const fn losing(mut self, lost: &'static str) -> Self {
        self.lost = Some(lost);
        self
    }
}

/// A column whose type is looked for.
pub(super) struct Subject<'a> {
    table: &'a str,
    column: &'a str,
    pub(super) data_type: &'a MysqlType,
    pub(super) context: ColumnContext<'a>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(
        table: &'a str,
        column: &'a str,
        data_type: &'a MysqlType,
        context: ColumnContext<'a>,
    ) -> Self {
        Self {
            table,
            column,
            data_type,
            context,
        }
    }

    /// `table.column`, as `types` spells it.
    pub(super) fn name(&self) -> String {
        let pattern = ColumnPattern {
            table: Some(self.table.to_owned()),
            column: Some(self.column.to_owned()),
        };
        pattern.to_string()
    }

    /// The column in an SQL expression, by the name that it has there.
    pub(super) fn quoted(&self) -> String {
        quote::postgres(&names::shortened(self.column))
    }

    /// The name of the column's enum type as `format_type()` shows it.
    pub(super) fn enum_name(&self) -> String {
        let name = match self.context.enum_name {
            Some(name) => name.to_owned(),
            None => names::enum_type_name(self.table, self.column),
        };
        names::quoted_where_needed(&name)
    }
}

/// The type of one column.
pub(super) struct Made {
    pub(super) postgres: PostgresType,
    pub(super) check: Option<String>,
    pub(super) needs: Vec<Need>,
}

impl From<PostgresType> for Made {
    fn from(postgres: PostgresType) -> Self {
        Self {
            postgres,
            check: None,
            needs: Vec::new(),
        }
    }
}

/// What must be there before a column can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// An enum type with these labels; its name is the column type's. Columns that foreign keys
    /// join may need the same one.
    EnumType {
        /// The labels in order.
        labels: Vec<String>,
    },
    /// An extension.
    Extension(&'static str),
    /// `datetime_zone` in the configuration: the clock of values that say none.
    DatetimeZone,
    /// A sequence of its own: the column is numbered and its type cannot be an identity.
    Sequence,
}
