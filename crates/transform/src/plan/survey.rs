//! Looks at every column of a record, where a conversion stops at the first that is refused.
//!
//! The conversions are those of [`TablePlan::convert`]; nothing is written for anybody to load.

use dataset::Record;

use super::TablePlan;
use crate::rejection::{Kind, Rejection};

impl TablePlan {
    /// Converts what can be converted. `refused` is called with the position in
    /// [`TablePlan::columns`] and the kind of each value that cannot; `output` then has NULL in
    /// its place. A rule is counted for each record that it applied to, whatever else the record
    /// holds.
    ///
    /// # Errors
    /// Where the record has another number of fields than the plan.
    pub fn survey(
        &mut self,
        input: &Record,
        output: &mut Record,
        record_number: u64,
        mut refused: impl FnMut(usize, Kind),
    ) -> Result<(), Rejection> {
        output.clear();
        self.work.applied.clear();
        if input.len() != self.fields {
            return Err(self.wrong_length(input.len(), record_number));
        }
        for (index, column) in self.columns.iter().enumerate() {
            if let Err(problem) = column.convert(input, output, &mut self.work) {
                refused(index, problem.kind);
                output.push_null();
            }
        }
        if !self.work.applied.is_empty() {
            self.count();
        }
        Ok(())
    }

    /// A rule for the config that would let values of that kind pass in a column, given by its
    /// position in [`TablePlan::columns`]; `None` where no rule could.
    pub fn suggested_rule(&self, column: usize, kind: Kind) -> Option<String> {
        match kind {
            Kind::Condition(condition) => self.rule_line(self.columns.get(column)?, condition),
            _ => None,
        }
    }
}
