//! The floors: reading the source into nothing, and loading ready files into bare tables.
//!
//! Each uses one connection and one table after the other, with the statements that the
//! stages use, and nothing of what they do besides.

use std::fs::File;

use anyhow::{Context, Result};
use catalog::{SourceTable, quote};
use dataset::Manifest;
use source::Snapshot;

use super::converge::bytes_of_files;
use super::interrupt::Interrupt;
use super::measure::{Moved, OwnMeter, Sample};
use super::place::Place;
use super::processor::Servers;
use crate::local::LocalServers;
use crate::system::System;

/// A schema in the benchmark's own target databases; it holds the bare tables.
const BARE_SCHEMA: &str = "bench_bare";

/// What both floors need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground<'a> {
    pub(crate) local: &'a LocalServers,
    pub(crate) place: &'a Place,
    pub(crate) servers: Servers,
    pub(crate) interrupt: &'a Interrupt,
}

impl Ground<'_> {
    /// Has all rows that the export wrote sent once more, in its order and by its statements, and
    /// drops them as the driver hands them over.
    pub(crate) fn drain(self) -> Result<Sample> {
        let mut connection = self.local.open_source()?;
        let mut databases = Vec::new();
        for system in System::ALL {
            databases.push((
                self.local.database(system),
                self.exported(system, &mut connection)?,
            ));
        }
        let mut snapshot = Snapshot::take(connection, 1)?;
        let meter = OwnMeter::start(self.servers)?;
        let mut rows = 0;
        for (database, tables) in &databases {
            for table in tables {
                let proceed = || Ok::<_, anyhow::Error>(self.interrupt.check()?);
                rows += snapshot.reader().drain_table(database, table, proceed)?;
            }
        }
        let bytes = bytes_of_files(self.place, "export")?;
        meter.finish(Moved { rows, bytes })
    }

    /// The tables in the export's manifest.
    fn exported(
        self,
        system: System,
        connection: &mut source::Connection,
    ) -> Result<Vec<SourceTable>> {
        let manifest = Manifest::read(&self.place.files_of(system, "export"))?;
        let mut tables = source::discover(connection, &self.local.database(system))?.tables;
        tables.retain(|table| manifest.table(&table.name).is_some());
        Ok(tables)
    }

    /// Loads the transformed files into tables that have columns and nothing else.
    pub(crate) fn load(self) -> Result<Sample> {
        let mut databases = Vec::new();
        for system in System::ALL {
            databases.push(BareDatabase::make(self, system)?);
        }
        let meter = OwnMeter::start(self.servers)?;
        let mut rows = 0;
        for database in &mut databases {
            rows += database.load(self)?;
        }
        let bytes = bytes_of_files(self.place, "transformed")?;
        let sample = meter.finish(Moved { rows, bytes })?;
        for database in &mut databases {
            drop_schemas(&mut database.connection)?;
        }
        Ok(sample)
    }
}

/// A target database with bare copies of the tables that have files.
struct BareDatabase {
    system: System,
    connection: target::Connection,
    manifest: Manifest,
}

impl BareDatabase {
    fn make(ground: Ground<'_>, system: System) -> Result<Self> {
        let mut connection = ground.local.open_target_owner(system)?;
        let manifest = Manifest::read(&ground.place.files_of(system, "transformed"))?;
        drop_schemas(&mut connection)?;
        let mut script = format!("begin;\ncreate schema {BARE_SCHEMA};\n");
        for table in &manifest.tables {
            script.push_str(&format!(
                "create table {} (like {});\n",
                quote::postgres_qualified(BARE_SCHEMA, &table.name),
                quote::postgres_qualified("public", &table.name)
            ));
        }
        script.push_str("commit;\n");
        connection.batch_execute(&script)?;
        Ok(Self {
            system,
            connection,
            manifest,
        })
    }

    /// One file after the other, each in a transaction of its own.
    fn load(&mut self, ground: Ground<'_>) -> Result<u64> {
        let directory = ground.place.files_of(self.system, "transformed");
        let mut rows = 0;
        for table in &self.manifest.tables {
            let columns: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
            for file in &table.files {
                let path = directory.join(&file.name);
                let csv =
                    File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
                let place = (BARE_SCHEMA, table.name.as_str());
                rows += self
                    .connection
                    .load_csv::<anyhow::Error>(place, &columns, csv, |_| {
                        Ok(ground.interrupt.check()?)
                    })?;
            }
        }
        Ok(rows)
    }
}

fn drop_schemas(connection: &mut target::Connection) -> Result<()> {
    connection.batch_execute(&format!("drop schema if exists {BARE_SCHEMA} cascade"))?;
    Ok(())
}
