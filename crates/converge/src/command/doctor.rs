//! `doctor`: everything that can be known to be wrong before anything is read or changed.

use serde::Serialize;

use crate::args::CommonArgs;
use crate::call::next;
use crate::command::{baseline, import, transform, verify};
use crate::config::{Config, Database};
use crate::connection_room;
use crate::console::{bytes_text, counted, text_table};
use crate::constraint_rules;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::limits;
use crate::lock_room;
use crate::lost::{DOCTOR, Side, Task, Work};
use crate::pairing::{Catalogs, TablePair};
use crate::run::Session;
use crate::security;
use crate::source_obstacle;
use crate::source_privileges;
use crate::target_encoding;
use crate::target_obstacle;
use crate::target_privileges::{self, Purpose};
use crate::text::Text;
use crate::versions;
use catalog::{LoadOrder, Server, load_order, quote};

const TASK: Task = Task {
    name: DOCTOR,
    sides: &[Side::Source, Side::Target],
    leaves: "these checks only read: nothing was changed",
    is_kept: false,
};

/// What `doctor --output json` prints.
#[derive(Debug, Serialize)]
struct Document {
    schema_version: u32,
    passed: bool,
    checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    database: String,
    check: &'static str,
    passed: bool,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<Text>,
}

pub(crate) fn run(args: &CommonArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    let session = Session::look(args, interrupt)?;
    let checks = examine(&session)?;
    let document = Document {
        schema_version: 1,
        passed: checks.iter().all(|check| check.passed),
        checks,
    };
    session
        .console
        .result(&human(&document.checks), &document)?;
    match failures(&document.checks) {
        0 => Ok(()),
        count => Err(blocked(count).into()),
    }
}

/// Looks at every database of a session.
pub(crate) fn examine(session: &Session) -> anyhow::Result<Vec<Check>> {
    let mut checks = Vec::new();
    for database in &session.config.databases {
        session.interrupt.check()?;
        let mut examination = Examination {
            config: &session.config,
            database,
            workers: session.workers,
            checks: &mut checks,
        };
        // A server that cannot be reached is a check that failed; one that falls silent
        // afterwards ends the process, since nobody knows how long a check would wait for it.
        let Ok((mut source, mut target)) = examination.connect() else {
            continue;
        };
        let work = Work::outside(&TASK, &session.call, database);
        work.watched(database, || {
            // A check that fails has entered itself; what needs its result is left out.
            let _ = examination.run(&mut source, &mut target);
            Ok(())
        })?;
        session.interrupt.check()?;
    }
    Ok(checks)
}

/// Number of checks that failed.
pub(crate) fn failures(checks: &[Check]) -> usize {
    checks.iter().filter(|check| !check.passed).count()
}

/// The failure that `doctor` ends with.
pub(crate) fn blocked(count: usize) -> Failure {
    Failure::blocked(format!(
        "{} failed; nothing was changed",
        counted(count as u64, "check")
    ))
    .hint(format!(
        "fix what the lines above say, then run `{}` again",
        next("doctor")
    ))
}

/// The checks as a table; below it, each that failed in one line, and the hints.
pub(crate) fn human(checks: &[Check]) -> Text {
    let rows: Vec<Vec<String>> = checks
        .iter()
        .map(|check| {
            let (verdict, detail) = if check.passed {
                ("ok", check.detail.as_str())
            } else {
                ("FAILED", "see below")
            };
            [&check.database, check.check, verdict, detail]
                .map(str::to_owned)
                .into()
        })
        .collect();
    let mut text = text_table(&["database", "check", "", "detail"], &rows);
    let mut said = checks
        .iter()
        .filter(|check| !check.passed || check.hint.is_some())
        .peekable();
    while let Some(check) = said.next() {
        if !check.passed {
            text.line(format!(
                "error: {} of `{}`: {}",
                check.check, check.database, check.detail
            ));
        }
        // Databases that lack the same thing share its hint.
        let is_last = said
            .peek()
            .is_none_or(|next| (next.check, &next.hint) != (check.check, &check.hint));
        if let Some(hint) = check.hint.as_ref().filter(|_| is_last) {
            text.append(hint.clone().behind(format!("hint: {}: ", check.check)));
        }
    }
    text
}

/// The checks of one database, in an order in which later ones need earlier ones.
struct Examination<'e> {
    config: &'e Config,
    database: &'e Database,
    workers: usize,
    checks: &'e mut Vec<Check>,
}

/// A check has failed and is entered.
struct Failed;

impl Examination<'_> {
    fn connect(&mut self) -> Result<(source::Connection, target::Connection), Failed> {
        let source = source::Connection::open(&self.database.source);
        let source = self.check("source", source.map_err(Into::into), |connection| {
            connection.server().to_string()
        });
        let target = target::Connection::open(&self.database.target);
        let target = self.check("target", target.map_err(Into::into), |connection| {
            connection.server().to_string()
        });
        Ok((source?, target?))
    }

    fn run(
        &mut self,
        source: &mut source::Connection,
        target: &mut target::Connection,
    ) -> Result<(), Failed> {
        let versions = check_versions(source.server(), target.server());
        self.check("versions", versions.map_err(Into::into), Clone::clone)?;
        if let Err(at_work) = import::check_nobody_at_work(target) {
            self.check::<()>("other runs", Err(at_work), |()| String::new())?;
        }
        let encoding = target_encoding::check(self.database, target);
        let _ = self.check("target encoding", encoding, Clone::clone);
        let privileges = target_privileges::check(self.database, target, Purpose::Load);
        self.check("target privileges", privileges, |role| {
            format!("role {role} of the target has what a load needs")
        })?;
        self.check_room(source, target);
        self.check_security(source, target);
        let owner = baseline::check_owner(self.database, target);
        self.check("schema owner", owner, Clone::clone)?;
        let database = self.database;
        let catalogs = Catalogs::discover(database, source, target);
        let catalogs = self.check("catalogues", catalogs, |catalogs| {
            let (source, target) = (catalogs.source.tables.len(), catalogs.target.tables.len());
            format!("{source} tables in the source, {target} in the target")
        })?;
        let account = source.account().map_err(Into::into);
        let sight =
            account.map(|account| source_privileges::schema_sight(&catalogs.source, &account));
        let _ = self.check_with_hint("schema privileges", sight);
        let pairs = catalogs.pairs(database).map_err(Into::into);
        let pairs = self.check("pairs of tables", pairs, |pairs| {
            format!("{} tables", pairs.len())
        })?;
        let _ = self.check(
            "foreign keys",
            Ok(load_order(&catalogs.source)),
            describe_order,
        );
        self.check_data_path(source, target, &pairs)
    }

    /// Whether both servers have room for all connections, and the target for all locks.
    fn check_room(&mut self, source: &mut source::Connection, target: &mut target::Connection) {
        let (database, workers) = (self.database, self.workers);
        let room = connection_room::check_source(database, source, workers);
        let _ = self.check("connections", room, Clone::clone);
        let room = connection_room::check_target(database, target, workers);
        let _ = self.check("connections", room, Clone::clone);
        let locks = lock_room::check(database, target);
        let _ = self.check("locks", locks, Clone::clone);
    }

    /// Who else could read what is sent, pass for a server, or get in between.
    fn check_security(&mut self, source: &source::Connection, target: &mut target::Connection) {
        let (config, database) = (self.config, self.database);
        let links = security::links(database, source.is_encrypted(), target.is_encrypted());
        for link in links {
            let found = link.judge(config).map_err(Into::into);
            let _ = self.check_with_hint("security: network", found);
        }
        let _ = self.check_with_hint("security: role", security::role(target));
        let others = security::who_may_create(database, target);
        let _ = self.check_with_hint("security: create", others);
        let ledger = security::ledger_owner(database, target);
        let _ = self.check("security: ledger", ledger, Clone::clone);
        let secrets = match config.secrets.note() {
            None => "no password file can be read by other accounts",
            Some(_) => "other accounts can read passwords, see the note",
        };
        let _ = self.check("security: secrets", Ok(secrets), |text| (*text).to_owned());
        let limits = limits::describe(self.workers).map_err(Into::into);
        let _ = self.check("limits", limits, Clone::clone);
    }

    fn check_data_path(
        &mut self,
        source: &mut source::Connection,
        target: &mut target::Connection,
        pairs: &[TablePair<'_>],
    ) -> Result<(), Failed> {
        let database = self.database;
        let readable = check_readable(database, source, pairs);
        let _ = self.check("read privileges", readable, |()| "all tables".to_owned());
        if let Err(generated) = check_stored_columns(database, source, pairs) {
            self.check::<()>("stored columns", Err(generated), |()| String::new())?;
        }
        let packet = source.packet_bytes_max().map_err(Into::into);
        let _ = self.check("packet size", packet, |bytes| {
            let limit = bytes_text(*bytes);
            format!("text that is converted may have {limit} a value (max_allowed_packet)")
        });
        let engines = check_engines(pairs).map_err(Into::into);
        let _ = self.check("storage engines", engines, |()| "InnoDB".to_owned());
        let plans = transform::plans(database, pairs).map_err(Into::into);
        let _ = self.check("conversions", plans, |plans| {
            let columns: usize = plans.iter().map(|plan| plan.columns().len()).sum();
            let left_out = transform::left_out(plans, pairs);
            match left_out.is_empty() {
                true => format!("{columns} columns"),
                false => format!(
                    "{columns} columns; in the target only, keeping their defaults: {}",
                    left_out.join(", ")
                ),
            }
        });
        let plans = verify::plans(database, pairs);
        let _ = self.check("comparisons", plans, |plans| {
            format!("{} tables", plans.len())
        });
        if !database.constraint_rules.is_empty() {
            let rules = constraint_rules::resolve(database, pairs).map_err(Into::into);
            let _ = self.check("rules for constraints", rules, |rules| {
                counted(rules.len() as u64, "rule")
            });
        }
        let ledger = import::check_ledger(database, target, None);
        self.check("ledger", ledger, |()| "holds no run".to_owned())?;
        let blockers = import::check_blockers(database, target, pairs);
        self.check("target tables", blockers, |()| "ready".to_owned())
    }

    /// Enters something that is no failure, and what would be better, where there is something.
    fn check_with_hint(
        &mut self,
        check: &'static str,
        found: anyhow::Result<(String, Option<String>)>,
    ) -> Result<(), Failed> {
        let (_, hint) = self.check(check, found, |(detail, _)| detail.clone())?;
        if let Some(entry) = self.checks.last_mut() {
            entry.hint = hint.map(Text::from);
        }
        Ok(())
    }

    /// Enters a result and hands it on.
    fn check<T>(
        &mut self,
        check: &'static str,
        result: anyhow::Result<T>,
        detail: impl FnOnce(&T) -> String,
    ) -> Result<T, Failed> {
        let result = result.map_err(|error| source_obstacle::explain(self.database, error));
        let result = result.map_err(|error| target_obstacle::explain(self.database, error));
        let failure = result
            .as_ref()
            .err()
            .and_then(|e| e.downcast_ref::<Failure>());
        self.checks.push(Check {
            database: self.database.name.clone(),
            check,
            passed: result.is_ok(),
            detail: match &result {
                Ok(value) => detail(value),
                Err(error) => format!("{error:#}"),
            },
            hint: failure.and_then(|failure| failure.next_step().cloned()),
        });
        result.map_err(|_| Failed)
    }
}

/// Circles are no obstacle, since foreign keys are checked after the load; an operator who
/// repairs rows by hand wants to know of them.
fn describe_order(order: &LoadOrder) -> String {
    let cycles: Vec<String> = order
        .cycles
        .iter()
        .map(|tables| tables.join(" and "))
        .collect();
    let cycles = match cycles.is_empty() {
        true => "no circle".to_owned(),
        false => format!("in a circle: {}", cycles.join("; ")),
    };
    format!("{cycles}, {} to the own table", order.self_references.len())
}

/// What is known of both versions; fails for one that this tool is not made for.
fn check_versions(source: &Server, target: &Server) -> Result<String, Failure> {
    let (of_source, of_target) = (versions::support(source)?, versions::support(target)?);
    Ok(format!("{source}: {of_source}; {target}: {of_target}"))
}

/// Fails where a table, or only a column of one, may not be read: a column that is hidden from
/// this login is missing in `information_schema` too.
pub(crate) fn check_readable(
    database: &Database,
    source: &mut source::Connection,
    pairs: &[TablePair<'_>],
) -> anyhow::Result<()> {
    for pair in pairs {
        let name = quote::mysql_qualified(database.source_name(), &pair.source.name);
        source.execute(&format!("select * from {name} limit 0"))?;
    }
    Ok(())
}

/// Fails for tables of generated columns alone: there is no value to move, only how many rows
/// there are.
pub(crate) fn check_stored_columns(
    database: &Database,
    source: &mut source::Connection,
    pairs: &[TablePair<'_>],
) -> anyhow::Result<()> {
    let mut tables = Vec::new();
    for pair in pairs {
        let mut columns = pair.source.columns.iter();
        if columns.all(|column| column.generated.is_some()) {
            let name = quote::mysql_qualified(database.source_name(), &pair.source.name);
            let rows = source.query_text(&format!("select count(*) from {name}"))?;
            let rows = rows.into_iter().flatten().flatten().next();
            let rows = rows.and_then(|rows| rows.parse().ok()).unwrap_or_default();
            tables.push(format!("`{}` ({})", pair.source.name, counted(rows, "row")));
        }
    }
    if tables.is_empty() {
        return Ok(());
    }
    Err(Failure::blocked(format!(
        "tables with generated columns alone, whose rows hold no values to move: {}",
        tables.join(", ")
    ))
    .hint("add them to exclude_tables, and insert as many rows there by hand (`default values`)")
    .into())
}

/// Fails for tables that no snapshot can hold still.
pub(crate) fn check_engines(pairs: &[TablePair<'_>]) -> Result<(), Failure> {
    let others: Vec<String> = pairs
        .iter()
        .filter_map(|pair| {
            let engine = pair.source.engine.as_deref().unwrap_or("unknown");
            (!engine.eq_ignore_ascii_case("innodb"))
                .then(|| format!("{} ({engine})", pair.source.name))
        })
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    Err(Failure::blocked(format!(
        "tables that no snapshot shows as a whole: {}",
        others.join(", ")
    ))
    .hint("convert them to plain InnoDB tables, or exclude them"))
}
