//! One column: from a row number to the value of its cell.
//!
//! What kind of values a column gets was decided by `plan`.

use super::counts::CREDENTIAL_TYPES;
use super::random::{Random, random_uuid, row_id};
use super::reference::Reference;
use super::text::TextPlan;
use super::value::Value;
use super::{binary, dirt, json, number, text, time};

/// How the cells of one column are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColumnPlan {
    pub(crate) name: String,
    pub(crate) seed: u64,
    /// Whether both sides take NULL.
    pub(crate) nullable: bool,
    /// Whether empty uuids are planted.
    pub(crate) empty_uuids: bool,
    pub(crate) values: Values,
}

/// The kinds of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    /// The id of the row itself.
    RowId {
        table_seed: u64,
    },
    /// The id of a row of the same or another table.
    Reference(Reference),
    /// How many levels of a tree are above the row.
    TreeLevel(Reference),
    /// The id of the row at the top of the row's tree.
    TreeTop(Reference),
    /// A uuid that refers to nothing; one in twenty is in upper case.
    AnyUuid,
    AutoIncrement,
    Int,
    Bigint,
    Decimal {
        precision: u8,
        scale: u8,
    },
    Boolean,
    OneOrTwo,
    Datetime {
        fraction: u8,
    },
    Timestamp,
    Text(TextPlan),
    /// A few words; some rows have a line that is only `\.`.
    DotLine,
    EventId,
    CasePair,
    CredentialTypeName,
    /// A label of the enum.
    Label(Vec<String>),
    Blob,
    Json {
        is_jsonb: bool,
    },
    CredentialRules,
    PrivilegeRules,
    CompressedWhiteboard,
    PlainWhiteboard,
}

impl ColumnPlan {
    /// The cell of row `row`.
    pub(crate) fn value(&self, row: u64) -> Value {
        let mut random = Random::new(self.seed, row);
        if let Values::Reference(reference) = &self.values {
            return match reference.parent_row(&mut random, row, self.nullable) {
                Some(parent) => Value::Text(row_id(reference.parent_seed, parent)),
                None => Value::Null,
            };
        }
        if self.empty_uuids && dirt::is_empty_uuid_row(row) {
            return Value::Text(String::new());
        }
        if self.nullable && random.one_in(6) {
            return Value::Null;
        }
        self.present_value(&mut random, row)
    }

    fn present_value(&self, random: &mut Random, row: u64) -> Value {
        match &self.values {
            Values::RowId { table_seed } => Value::Text(row_id(*table_seed, row)),
            Values::Reference(_) => unreachable!("references were dealt with before"),
            Values::TreeLevel(tree) => number::number(tree.top_of_tree(row).1 as i64),
            Values::TreeTop(tree) => Value::Text(row_id(tree.parent_seed, tree.top_of_tree(row).0)),
            Values::AnyUuid => any_uuid(random),
            Values::AutoIncrement => Value::Number(number::auto_increment(row).to_string()),
            Values::Int => number::int(random),
            Values::Bigint => number::bigint(random),
            Values::Decimal { precision, scale } => number::decimal(random, *precision, *scale),
            Values::Boolean => number::boolean(random),
            Values::OneOrTwo => number::number(1 + random.below(2) as i64),
            Values::Datetime { fraction } => time::datetime(random, *fraction),
            Values::Timestamp => time::timestamp(random),
            Values::Text(plan) => plan.value(random, row),
            Values::DotLine => text::with_dot_line(random, row),
            Values::EventId => text::event_id(random),
            Values::CasePair => text::case_pair(row),
            Values::CredentialTypeName => {
                Value::Text(CREDENTIAL_TYPES[row as usize % CREDENTIAL_TYPES.len()].to_owned())
            }
            Values::Label(labels) => Value::Text(labels[row as usize % labels.len()].clone()),
            Values::Blob => binary::blob(random, row),
            Values::Json { is_jsonb } => json::document(random, row, *is_jsonb),
            Values::CredentialRules => json::credential_rules(random),
            Values::PrivilegeRules => json::privilege_rules(random),
            Values::CompressedWhiteboard => binary::whiteboard_bytes_as_text(random, row),
            Values::PlainWhiteboard => Value::Text(binary::whiteboard_document(random)),
        }
    }
}

fn any_uuid(random: &mut Random) -> Value {
    let is_upper = random.one_in(20);
    let uuid = random_uuid(random);
    Value::Text(if is_upper { uuid.to_uppercase() } else { uuid })
}
