//! Counts, in the same snapshot, the rows of every table that was read in parts: a row that fell
//! between two ranges, or was in both, would show here.

use catalog::SourceTable;
use source::Reader;

use crate::run::StageRun;
use crate::side_by_side::side_by_side;

/// A table that was read in parts, with the number of rows that were written.
#[derive(Debug)]
pub(crate) struct Written<'t> {
    pub(crate) table: &'t SourceTable,
    pub(crate) rows: u64,
}

/// Fails where the server counts other rows than were written.
pub(crate) fn check(
    stage: &mut StageRun<'_>,
    readers: &mut [Reader],
    tables: &[Written<'_>],
) -> anyhow::Result<()> {
    let (name, database) = (stage.database.name.clone(), stage.database.source_name());
    side_by_side(
        stage,
        readers,
        tables,
        |reader, written, halt| {
            halt.check()?;
            let counted = reader.count_rows(database, written.table)?;
            anyhow::ensure!(
                counted == written.rows,
                "`{name}.{}`: {} rows were written where the source counts {counted}",
                written.table.name,
                written.rows
            );
            Ok(())
        },
        || format!("export     {name}: counting rows"),
        |_, _, ()| Ok(()),
    )
}
