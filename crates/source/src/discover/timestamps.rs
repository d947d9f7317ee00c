//! What a server does to `timestamp` by itself, and no column says.

use catalog::MysqlType;

use super::Tables;
use crate::connection::Connection;
use crate::error::Error;

/// Names the columns of which a NULL becomes the present time, in strict mode, too.
///
/// Sources: MySQL Reference Manual, "explicit_defaults_for_timestamp"; MariaDB documentation,
/// "TIMESTAMP", where it is off by default before 10.10.
pub(super) fn read(connection: &mut Connection, tables: &mut Tables) -> Result<(), Error> {
    let sql = "show global variables like 'explicit_defaults_for_timestamp'";
    let rows = connection.query_text(sql)?;
    let mut values = rows.into_iter().flatten().flatten().skip(1);
    if values.next().as_deref() != Some("OFF") {
        return Ok(());
    }
    for table in tables.values_mut() {
        let columns = table.columns.iter().filter(|column| {
            let timestamp = matches!(column.data_type, MysqlType::Timestamp { .. });
            timestamp && !column.nullable && column.generated.is_none()
        });
        let names = columns.map(|column| {
            format!(
                "column `{}`: a NULL that is written becomes the present time \
                 (explicit_defaults_for_timestamp is off)",
                column.name
            )
        });
        table.other_parts.extend(names);
    }
    Ok(())
}
