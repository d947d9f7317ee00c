//! What a generated baseline does beyond the schema as it is: `baseline` in the configuration.

/// The options, all off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BaselineOptions {
    /// What becomes of `on update current_timestamp`.
    pub on_update: OnUpdate,
    /// Whether foreign keys get the indexes that MySQL made for them.
    pub index_foreign_keys: bool,
}

/// What becomes of MySQL's `on update current_timestamp`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUpdate {
    /// Named in the head of the output and left out.
    #[default]
    Ignore,
    /// A trigger does the same.
    Trigger,
}
