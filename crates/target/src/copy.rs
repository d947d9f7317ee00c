//! Loads CSV as it stands: `copy … from stdin (format csv, header)`.
//!
//! Parsing and type checks are the server's; nothing is converted here.

use std::io::{Read, Write};

use postgres::Transaction;

use catalog::quote;

use crate::error::{Doing, Error, Kind};

/// Few large messages instead of many small ones.
const MESSAGE_BYTES: usize = 256 * 1024;

/// Sends a CSV with its header to a table and returns the number of rows that the server took.
///
/// `proceed` is asked before every message; where it says no, the COPY is aborted.
pub(crate) fn copy_csv<E: From<Error>>(
    transaction: &mut Transaction<'_>,
    schema: &str,
    table: &str,
    columns: &[&str],
    mut csv: impl Read,
    mut proceed: impl FnMut(u64) -> Result<(), E>,
) -> Result<u64, E> {
    let columns: Vec<String> = columns.iter().map(|c| quote::postgres(c)).collect();
    let sql = format!(
        "copy {} ({}) from stdin (format csv, header)",
        quote::postgres_qualified(schema, table),
        columns.join(", ")
    );
    let doing = || format!("loading table `{table}`");
    let mut writer = transaction.copy_in(&sql).doing(doing)?;
    let mut buffer = vec![0; MESSAGE_BYTES];
    let mut sent = 0;
    loop {
        proceed(sent)?;
        let bytes = csv
            .read(&mut buffer)
            .map_err(|error| Error::new(Kind::Local(error), "reading the file to load"))?;
        if bytes == 0 {
            break;
        }
        writer.write_all(&buffer[..bytes]).doing(doing)?;
        sent += bytes as u64;
    }
    Ok(writer.finish().doing(doing)?)
}
