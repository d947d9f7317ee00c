//! Settings of every session on the source: whatever could cut, refuse, hold up or misspell what
//! is read is set, and read back, since proxies and init files are known to change it.

use mysql::Conn;

use crate::dialect::Dialect;
use crate::driver;
use crate::error::{Error, Kind};

/// A slow target may leave the source's stream unread for long.
const NET_TIMEOUT_SECONDS: u64 = 3600;
/// A snapshot idles while another database is read; eight hours are MySQL's own default.
const IDLE_SECONDS_MAX: u64 = 28_800;
/// MySQL's spelling of no limit.
const ALL_ROWS: u64 = u64::MAX;
/// No statement waits longer for a table that another session has locked; the default is a day.
/// Long enough for the end of a usual `alter table`, short enough for whoever watches.
const LOCK_WAIT_SECONDS_MAX: u64 = 10;

/// A session variable, as it is set and as it reads back.
struct Setting {
    name: &'static str,
    sql: String,
    reads_back: String,
}

fn number(name: &'static str, value: u64) -> Setting {
    Setting {
        name,
        sql: value.to_string(),
        reads_back: value.to_string(),
    }
}

fn text(name: &'static str, value: &str) -> Setting {
    Setting {
        name,
        sql: format!("'{value}'"),
        reads_back: value.to_owned(),
    }
}

/// The settings of both families; those of one are `Dialect::session_limits`.
fn settings() -> Vec<Setting> {
    vec![
        // `timestamp` is read as UTC.
        text("time_zone", "+00:00"),
        // Modes change quotes, spaces, zero dates and what is an error.
        text("sql_mode", ""),
        // The server would hang up while the target is slow, or another database is read.
        number("net_write_timeout", NET_TIMEOUT_SECONDS),
        number("net_read_timeout", NET_TIMEOUT_SECONDS),
        number("wait_timeout", IDLE_SECONDS_MAX),
        // A smaller limit cuts every table.
        number("sql_select_limit", ALL_ROWS),
        // Without it, `max_join_size` refuses whole tables (error 1104).
        number("sql_big_selects", 1),
        // A locked table would be waited for without a bound.
        number("lock_wait_timeout", LOCK_WAIT_SECONDS_MAX),
        // Else any question opens a transaction, which sees one moment for ever and keeps its
        // locks on the tables.
        number("autocommit", 1),
        // Else the end of a transaction starts the next one, or ends the session.
        Setting {
            name: "completion_type",
            sql: "'NO_CHAIN'".to_owned(),
            reads_back: "NO_CHAIN".to_owned(),
        },
        // Else names stand without quotes in what `show grants` and `show create table` say.
        number("sql_quote_show_create", 1),
    ]
}

/// Sets everything and reads it back.
pub(crate) fn fix(conn: &mut Conn, dialect: Dialect) -> Result<(), Error> {
    driver::rows(conn, "set names utf8mb4", || "set names utf8mb4".to_owned())?;
    let settings = settings();
    let mut assignments: Vec<String> = settings
        .iter()
        .map(|setting| format!("{} = {}", setting.name, setting.sql))
        .collect();
    let limits = dialect.session_limits().iter();
    assignments.extend(limits.map(|&limit| limit.to_owned()));
    let sql = format!("set session {}", assignments.join(", "));
    driver::rows(conn, &sql, || "fixing the session's settings".to_owned())?;
    read_back(conn, &settings)?;
    check_limits(conn, dialect.session_limits())
}

/// The first row of a query.
fn read(conn: &mut Conn, sql: &str) -> Result<Vec<Option<String>>, Error> {
    let rows = driver::rows(conn, sql, || {
        "reading the session's settings back".to_owned()
    })?;
    let row = rows.into_iter().next();
    Ok(row.map(crate::connection::row_to_text).unwrap_or_default())
}

/// Reads back what was assigned for one family, `name = number` each.
fn check_limits(conn: &mut Conn, limits: &[&'static str]) -> Result<(), Error> {
    if limits.is_empty() {
        return Ok(());
    }
    let held = limits.iter().map(|limit| format!("@@session.{limit}"));
    let sql = format!("select {}", held.collect::<Vec<_>>().join(", "));
    let holds = read(conn, &sql)?;
    for (at, limit) in limits.iter().enumerate() {
        if holds.get(at).and_then(Option::as_deref) != Some("1") {
            let name = limit.split(' ').next().unwrap_or(limit);
            let kind = Kind::Setting { name };
            return Err(Error::new(kind, "fixing the session's settings"));
        }
    }
    Ok(())
}

fn read_back(conn: &mut Conn, settings: &[Setting]) -> Result<(), Error> {
    let charset = Setting {
        name: "character_set_results",
        sql: String::new(),
        reads_back: "utf8mb4".to_owned(),
    };
    let all: Vec<&Setting> = settings.iter().chain([&charset]).collect();
    let names: Vec<String> = all
        .iter()
        .map(|setting| format!("@@session.{}", setting.name))
        .collect();
    let found = read(conn, &format!("select {}", names.join(", ")))?;
    for (at, setting) in all.iter().enumerate() {
        if found.get(at).and_then(Option::as_deref) != Some(&setting.reads_back) {
            return Err(Error::new(
                Kind::Setting { name: setting.name },
                "fixing the session's settings",
            ));
        }
    }
    Ok(())
}
