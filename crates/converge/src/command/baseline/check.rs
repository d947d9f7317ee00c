//! `baseline check`: is a live target what is expected of it?
//!
//! The server itself spells both schemas, the expected one in a scratch schema that is rolled
//! back; what differs, and what would mend it, is the crate `baseline`'s knowledge.

mod defaults;
mod report;

use std::path::Path;

use ::baseline::{Baseline, Difference, LeftOut, Names, compare_beside, sql, without_schema};
use catalog::{ForeignKey, TargetCatalog, quote};
use target::{Batches, Scratch};

use crate::args::CheckArgs;
use crate::command::baseline::generate;
use crate::command::baseline::scripts::Scripts;
use crate::config::{self, Database};
use crate::console::thousands;
use crate::exit::{DIFFERENT, Failure, INTERRUPTED};
use crate::interrupt::Interrupt;
use crate::lost::{Side, Task, Work};
use crate::plain_file;
use crate::run::Session;
use crate::versions;

use report::{Document, Entry};

const LEAVES: &str = "a check only reads: its scratch schema is rolled back";
const TARGET_ALONE: Task = Task {
    name: "baseline check",
    sides: &[Side::Target],
    leaves: LEAVES,
    is_kept: false,
};
const BOTH_SIDES: Task = Task {
    sides: &[Side::Source, Side::Target],
    ..TARGET_ALONE
};

const MORE_LOCKS: &str = "nothing was changed; a check of files makes all tables in one \
                          transaction: give the server more locks (max_locks_per_transaction, which needs a \
                          restart), or name one that has them with --scratch URL";

/// What a target is compared with.
#[derive(Clone, Copy, Debug)]
enum Expected<'a> {
    /// What `baseline generate` would make of the source now.
    Source,
    /// The files of a baseline.
    Files(&'a Path),
    /// A catalogue that was read from a target.
    Catalog(&'a Path),
}

impl Expected<'_> {
    fn of(args: &CheckArgs) -> Expected<'_> {
        match (&args.from, &args.catalog) {
            (Some(directory), _) => Expected::Files(directory),
            (None, Some(directory)) => Expected::Catalog(directory),
            (None, None) => Expected::Source,
        }
    }

    /// As a person reads it.
    fn label(self) -> String {
        match self {
            Self::Source => "the source's schema under the type map".to_owned(),
            Self::Files(directory) => format!("the baseline in {}", directory.display()),
            Self::Catalog(directory) => format!("the catalogue in {}", directory.display()),
        }
    }
}

pub(super) fn run(args: &CheckArgs, interrupt: Interrupt) -> anyhow::Result<()> {
    let session = Session::open(&args.common, interrupt)?;
    let scratch = args.scratch.as_deref();
    let scratch = scratch
        .map(|text| config::parse_typed_target("--scratch", text))
        .transpose()?;
    let names = match args.names {
        true => Names::Compared,
        false => Names::Ignored,
    };
    let expected = Expected::of(args);
    let task = match expected {
        Expected::Source => BOTH_SIDES,
        _ => TARGET_ALONE,
    };
    let mut entries: Vec<Entry> = Vec::new();
    for database in &session.config.databases {
        session.interrupt.check()?;
        let work = Work::outside(&task, &session.call, database);
        let entry = work.watched(database, || {
            let check = Check {
                database,
                session: &session,
                expected,
                scratch: scratch.as_ref(),
            };
            let (tables, differences) = check.differences(names)?;
            Ok(Entry::new(database, tables, &differences))
        })?;
        entries.push(entry);
    }
    let document = Document::new(expected.label(), entries);
    session.console.result(&document.human(), &document)?;
    match document.differences() {
        0 => Ok(()),
        count => Err(different(count, &document).into()),
    }
}

fn different(count: usize, document: &Document) -> Failure {
    let message = match count {
        1 => "the target is not as expected: 1 difference".to_owned(),
        _ => format!("the target is not as expected: {count} differences"),
    };
    Failure::new(DIFFERENT, message).hint(document.hint())
}

/// The comparison of one target.
struct Check<'a> {
    database: &'a Database,
    session: &'a Session,
    expected: Expected<'a>,
    scratch: Option<&'a target::Endpoint>,
}

impl Check<'_> {
    /// How many tables were compared, and what differs.
    fn differences(&self, names: Names) -> anyhow::Result<(usize, Vec<Difference>)> {
        let schema = self.database.target_schema.as_str();
        let mut connection = target::Connection::open(&self.database.target)?;
        versions::support(connection.server())?;
        if !connection.schema_rights(schema)?.exists {
            return Err(no_schema(self.database).into());
        }
        let live = target::discover(&mut connection, schema)?;
        let mut live = self.wanted(without_schema(live, &[schema]));
        let (expected, extensions, left_out) = self.expected(&mut connection)?;
        let mut expected = self.wanted(expected);
        defaults::unite(&mut connection, schema, &expected, &mut live)?;
        if let Expected::Source = self.expected {
            unite_actions(&mut expected, &live);
        }
        let mut differences: Vec<Difference> = Vec::new();
        let installed = connection.extensions()?;
        let missing = extensions.iter().filter(|name| !installed.contains(name));
        differences.extend(missing.map(|name| Difference::missing_extension(name)));
        let borrowed = connection.borrowed(schema)?;
        differences.extend(
            borrowed
                .iter()
                .map(|found| Difference::borrowed(&found.object, &found.uses, &found.role)),
        );
        differences.extend(compare_beside(&expected, &live, names, &left_out));
        Ok((expected.tables.len(), differences))
    }

    /// Without the tables that the configuration leaves alone.
    fn wanted(&self, mut catalog: TargetCatalog) -> TargetCatalog {
        let is_wanted = |name: &String| self.database.takes(name);
        catalog.tables.retain(|table| is_wanted(&table.name));
        catalog
            .others
            .retain(|other| other.table.as_ref().is_none_or(is_wanted));
        catalog
    }

    /// The expected schema as the server spells it, the extensions that it had to make, and what
    /// of the source is not in it.
    fn expected(
        &self,
        live: &mut target::Connection,
    ) -> anyhow::Result<(TargetCatalog, Vec<String>, Vec<LeftOut>)> {
        let (catalog, extensions) = match self.expected {
            Expected::Source => {
                let baseline = generate::plan(self.database)?;
                let (catalog, extensions) = self.spelled_in_parts(live, None, &baseline)?;
                return Ok((catalog, extensions, baseline.left_out));
            }
            Expected::Files(directory) => {
                let scripts = Scripts::read(&directory.join(&self.database.name))?;
                let statements = scripts.statements()?;
                let outlives = |sql: &&&str| target::may_outlive_a_rollback(sql);
                if let Some(statement) = statements.iter().find(outlives) {
                    return Err(only_reads(&scripts.place(statement)).into());
                }
                let place = |at: usize| format!("{}: ", scripts.place(statements[at]));
                self.spelled(live, None, &statements, place)?
            }
            Expected::Catalog(directory) => {
                let catalog = read_catalog(&directory.join(&self.database.name))?;
                let own = catalog.schema.clone();
                let baseline = Baseline::of_catalog(without_schema(catalog, &[&own]));
                let beside = Some(self.database.target_schema.as_str());
                self.spelled_in_parts(live, beside, &baseline)?
            }
        };
        Ok((catalog, extensions, Vec::new()))
    }

    /// Lets the server spell as many tables at a time as it has locks for. Foreign keys between
    /// two parts have nothing that could be spelled in two ways, and are taken as they are.
    fn spelled_in_parts(
        &self,
        live: &mut target::Connection,
        beside: Option<&str>,
        baseline: &Baseline,
    ) -> anyhow::Result<(TargetCatalog, Vec<String>)> {
        let no_place = |_| String::new();
        let statements = sql::statements(baseline);
        let batches = Batches::plan(live, &borrowed(&statements), 0)?;
        if batches.ranges.len() == 1 {
            return self.spelled(live, beside, &borrowed(&statements), no_place);
        }
        // One more than the locks are for, since tables differ in what belongs to them.
        let parts = batches.locks_needed / batches.locks_room.max(1) + 2;
        let tables = baseline.catalog.tables.len();
        let mut whole = TargetCatalog::new(live.server().clone(), String::new());
        let mut extensions = Vec::new();
        for part in baseline.parts(tables.div_ceil(usize::try_from(parts)?)) {
            let statements = sql::statements(&part);
            let (spelled, made) = self.spelled(live, beside, &borrowed(&statements), no_place)?;
            whole.tables.extend(spelled.tables);
            whole.others.extend(spelled.others);
            extensions = made;
        }
        for table in &mut whole.tables {
            let planned = baseline.catalog.table(&table.name);
            table.foreign_keys = planned.map_or(Vec::new(), |table| table.foreign_keys.clone());
        }
        Ok((whole, extensions))
    }

    fn spelled(
        &self,
        live: &mut target::Connection,
        beside: Option<&str>,
        statements: &[&str],
        place: impl Fn(usize) -> String,
    ) -> anyhow::Result<(TargetCatalog, Vec<String>)> {
        let mut other = match self.scratch {
            None => None,
            Some(endpoint) => {
                let other = target::Connection::open(endpoint)?;
                same_version(live, &other)?;
                Some(other)
            }
        };
        let connection = other.as_mut().unwrap_or(live);
        let batches = Batches::plan(connection, statements, 0)?;
        if batches.ranges.len() > 1 {
            return Err(too_many_locks(&batches).into());
        }
        let interrupt = &self.session.interrupt;
        let _cancelled_on_interrupt = interrupt.cancels(connection.cancel());
        let mut at = None;
        let proceed = |index| -> anyhow::Result<()> {
            at = Some(index).filter(|index| *index < statements.len());
            interrupt.check()?;
            Ok(())
        };
        let made = connection.scratch(beside, statements, proceed);
        let Scratch {
            catalog,
            extensions,
        } = made.map_err(|error| self.explain(error, connection, at.map(place)))?;
        let scratch = catalog.schema.clone();
        let schemas = [scratch.as_str(), &self.database.target_schema];
        Ok((without_schema(catalog, &schemas), extensions))
    }

    /// What stopped a scratch schema, before its first statement or at one of them.
    fn explain(
        &self,
        error: anyhow::Error,
        connection: &mut target::Connection,
        place: Option<String>,
    ) -> anyhow::Error {
        if self.session.interrupt.is_set() {
            let again = self.session.call.again();
            return Failure::new(INTERRUPTED, "interrupted")
                .hint(format!("nothing was changed; begin again with `{again}`"))
                .into();
        }
        let Some(refusal) = error.downcast_ref::<target::Error>() else {
            return error;
        };
        if refusal.is_lost_connection() {
            return error;
        }
        let hint = match (refusal.sqlstate(), &place) {
            (Some("42501"), None) => right_to_make_schemas(connection),
            (Some("42501"), Some(_)) => "nothing was changed; grant the role what it lacks, or \
                                         name another database with --scratch URL"
                .to_owned(),
            (Some("53200"), _) => MORE_LOCKS.to_owned(),
            _ => match self.expected {
                Expected::Files(_) => "nothing was changed; mend the file".to_owned(),
                _ => "nothing was changed; another database can be named with --scratch URL"
                    .to_owned(),
            },
        };
        let place = place.unwrap_or_default();
        let message = format!("database `{}`: {place}{refusal}", self.database.name);
        Failure::blocked(message).hint(hint).into()
    }
}

fn no_schema(database: &Database) -> Failure {
    let (name, schema) = (&database.name, &database.target_schema);
    Failure::blocked(format!("target `{name}` has no schema `{schema}`"))
        .hint("look at target_schema in the configuration; `create schema` makes one")
}

/// A check that ran it might change what it looks at.
fn only_reads(place: &str) -> Failure {
    Failure::blocked(format!(
        "{place}: a statement that may do what no rollback undoes, and a check only reads"
    ))
    .hint(
        "nothing was changed; let the files make tables and what belongs to them, and nothing else",
    )
}

/// A scratch schema needs a right that a load does not need.
fn right_to_make_schemas(connection: &mut target::Connection) -> String {
    let grant = match connection.schema_rights("public") {
        Ok(rights) => format!(
            "grant create on database {} to {}",
            quote::postgres(&rights.database),
            quote::postgres(&rights.role)
        ),
        Err(_) => "grant create on the database".to_owned(),
    };
    format!(
        "nothing was changed; a check makes a schema and rolls it back: {grant}; or name another \
         database of the same version with --scratch URL"
    )
}

/// A server without locks left refuses others, too: it is not tried.
fn too_many_locks(batches: &Batches) -> Failure {
    Failure::blocked(format!(
        "a scratch schema would need about {} locks in one transaction; half of the server's are {}",
        thousands(batches.locks_needed),
        thousands(batches.locks_room)
    ))
    .hint(MORE_LOCKS)
}

fn borrowed(statements: &[String]) -> Vec<&str> {
    statements.iter().map(String::as_str).collect()
}

fn read_catalog(directory: &Path) -> anyhow::Result<TargetCatalog> {
    let path = directory.join("catalog.target.json");
    let bytes = plain_file::read(&path).map_err(|error| {
        Failure::usage(format!("{}: {error}", path.display()))
            .hint("a run's directory has such a file for each database after `export`")
    })?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let failure = Failure::usage(format!("{}: no catalogue: {error}", path.display()));
        failure
            .hint("`export` writes such a file for each database into the run's directory")
            .into()
    })
}

/// Another version may spell an expression otherwise.
fn same_version(live: &target::Connection, scratch: &target::Connection) -> Result<(), Failure> {
    let major = |connection: &target::Connection| connection.server().number().major;
    if major(live) == major(scratch) {
        return Ok(());
    }
    Err(Failure::blocked(format!(
        "the scratch server is {}, the target {}: they spell expressions in different ways",
        scratch.server(),
        live.server()
    ))
    .hint("name a database of the target's version with --scratch"))
}

/// `restrict` and `no action` are one thing in MySQL, so that either is right here.
fn unite_actions(expected: &mut TargetCatalog, live: &TargetCatalog) {
    const SAME: [&str; 2] = ["NO ACTION", "RESTRICT"];
    for table in &mut expected.tables {
        let there = live.table(&table.name);
        let there: Vec<&ForeignKey> = there.into_iter().flat_map(|t| &t.foreign_keys).collect();
        for key in &mut table.foreign_keys {
            let Some(live) = there.iter().find(|live| live.refers_like(key)) else {
                continue;
            };
            for (action, live) in [
                (&mut key.on_delete, &live.on_delete),
                (&mut key.on_update, &live.on_update),
            ] {
                if SAME.contains(&action.as_str()) && SAME.contains(&live.as_str()) {
                    action.clone_from(live);
                }
            }
        }
    }
}
