//! Calls of the driver to a server that may violate the protocol: a panic of the driver becomes an
//! error, and a result that is read as a whole is bounded.

use std::cell::Cell;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use mysql::prelude::{Protocol, Queryable};
use mysql::{Conn, QueryResult, Row, Value};

use crate::error::{Doing, Error, Kind};

/// What an answer that is read as a whole may take in memory.
const ANSWER_MAX: usize = 192 << 20;
/// What a row takes in memory besides its bytes, and each of its columns.
const OF_A_ROW: usize = 96;
const OF_A_COLUMN: usize = mem::size_of::<Value>();

thread_local! {
    /// Whether the driver is at work in this thread.
    static AT_WORK: Cell<bool> = const { Cell::new(false) };
}

/// Runs a call of the driver; where the server's bytes make it panic, that is the server's fault.
pub(crate) fn guarded<T>(
    doing: impl Fn() -> String,
    call: impl FnOnce() -> mysql::Result<T>,
) -> Result<T, Error> {
    stay_quiet();
    let before = AT_WORK.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    AT_WORK.set(before);
    match result {
        Ok(result) => result.doing(doing),
        Err(_) => Err(Error::new(
            Kind::Protocol("the server's answer violates the protocol"),
            doing(),
        )),
    }
}

/// Keeps the text of such a panic, with the place in the driver, away from the terminal.
fn stay_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !AT_WORK.get() {
                hook(info);
            }
        }));
    });
}

/// All rows of a query, as long as they are no more than fit.
pub(crate) fn rows(
    conn: &mut Conn,
    sql: &str,
    doing: impl Fn() -> String,
) -> Result<Vec<Row>, Error> {
    let result = guarded(&doing, || conn.query_iter(sql))?;
    collect(result, ANSWER_MAX, doing)
}

fn collect<T: Protocol>(
    mut result: QueryResult<'_, '_, '_, T>,
    limit: usize,
    doing: impl Fn() -> String,
) -> Result<Vec<Row>, Error> {
    let (mut rows, mut bytes) = (Vec::new(), 0_usize);
    while let Some(row) = guarded(&doing, || result.next().transpose())? {
        bytes = bytes.saturating_add(size(&row));
        if bytes > limit {
            // Its end would read all that is left, which may be without end. The connection is
            // of no use any more, and is closed with its owner.
            mem::forget(result);
            let kind = Kind::Protocol("the server sends far more rows than requested");
            return Err(Error::new(kind, doing()));
        }
        rows.push(row);
    }
    end(result, doing)?;
    Ok(rows)
}

/// Ends a query of one statement whose rows have been read: there is nothing behind them.
pub(crate) fn end<T: Protocol>(
    mut result: QueryResult<'_, '_, '_, T>,
    doing: impl Fn() -> String,
) -> Result<(), Error> {
    if !guarded(&doing, || Ok(result.iter().is_some()))? {
        return Ok(());
    }
    // Its end would read all that follows, which may be without end.
    mem::forget(result);
    let kind = Kind::Protocol("the server sends more results than requested");
    Err(Error::new(kind, doing()))
}

fn size(row: &Row) -> usize {
    let values = (0..row.len()).map(|index| match row.as_ref(index) {
        Some(Value::Bytes(bytes)) => OF_A_COLUMN + bytes.capacity(),
        _ => OF_A_COLUMN,
    });
    OF_A_ROW + values.sum::<usize>()
}
