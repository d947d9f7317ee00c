//! Rows and references that rules took away, kept beside a table for the length of a session: a
//! comparison counts them in.

use std::io::Read;

use catalog::quote;

use crate::connection::Connection;
use crate::copy::copy_csv;
use crate::error::{Doing, Error};
use crate::scan::TargetRow;

/// What was taken away from a table, as temporary tables.
#[derive(Debug, Default)]
pub struct Aside {
    /// Rows that were not loaded.
    pub left_out: Option<Kept>,
    /// References that were cleared: the primary key, then the columns with what they held.
    pub cleared: Option<Kept>,
}

/// A temporary table.
#[derive(Debug)]
pub struct Kept {
    name: String,
    pub(crate) columns: Vec<String>,
    /// Its rows.
    pub rows: u64,
}

impl Kept {
    /// The temporary table, as SQL.
    pub(crate) fn rows_sql(&self) -> String {
        format!("pg_temp.{}", self.name)
    }

    /// The places of those of its rows that had a reason, as SQL.
    pub(crate) fn why_sql(&self) -> String {
        format!("pg_temp.{}_why", self.name)
    }
}

impl Connection {
    /// Whether the user may make temporary tables.
    ///
    /// # Errors
    /// Where the server refuses to say.
    pub fn may_keep_aside(&mut self) -> Result<bool, Error> {
        let sql = "select has_database_privilege(current_database(), 'temporary') \
                     and not pg_is_in_recovery()";
        let row = self.client.query_one(sql, &[]);
        let row = row.doing(|| "looking for the right to make temporary tables".to_owned())?;
        Ok(row.get(0))
    }

    /// Loads a CSV with its header, whose columns are those of a table, into a temporary table.
    /// `proceed` is asked now and then.
    ///
    /// # Errors
    /// Where the server refuses, and those of `proceed`.
    pub fn keep_aside<E: From<Error>>(
        &mut self,
        schema: &str,
        table: &str,
        columns: &[String],
        csv: impl Read,
        mut proceed: impl FnMut() -> Result<(), E>,
    ) -> Result<Kept, E> {
        let doing = || format!("keeping rows of table `{table}` aside");
        let row = self
            .client
            .query_one(
                "select count(*) from pg_catalog.pg_class where relnamespace = pg_my_temp_schema()",
                &[],
            )
            .doing(doing)?;
        let name = format!("converge_aside_{}", row.get::<_, i64>(0));
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        // As a query: what the table demands of its rows is no matter here.
        let sql = format!(
            "create temporary table {name} as select {} from {} with no data; \
             create temporary table {name}_why (place tid)",
            list(&names),
            quote::postgres_qualified(schema, table)
        );
        let mut transaction = self.client.transaction().doing(doing)?;
        transaction.batch_execute(&sql).doing(doing)?;
        let rows = copy_csv(&mut transaction, "pg_temp", &name, &names, csv, |_| {
            proceed()
        })?;
        let analyze = format!("analyze pg_temp.{name}");
        transaction.batch_execute(&analyze).doing(doing)?;
        transaction.commit().doing(doing)?;
        Ok(Kept {
            name,
            columns: columns.to_vec(),
            rows,
        })
    }

    /// Hands every row of a table to `visit` as if nothing had been taken away from it. `key` is
    /// its primary key.
    ///
    /// # Errors
    /// Those of the server and those of `visit`, after which the server's statement is ended.
    pub fn scan_with<E: From<Error>>(
        &mut self,
        (schema, table): (&str, &str),
        key: &[&str],
        columns: &[&str],
        aside: &Aside,
        visit: impl FnMut(&TargetRow<'_>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let mut sql = match &aside.cleared {
            Some(cleared) => restored((schema, table), key, columns, cleared, "left join"),
            None => format!(
                "select {} from {}",
                list(columns),
                quote::postgres_qualified(schema, table)
            ),
        };
        if let Some(kept) = &aside.left_out {
            let columns = list(columns);
            sql += &format!(" union all select {columns} from {}", kept.rows_sql());
        }
        self.scan_query(&sql, table, visit)
    }
}

/// The rows of a table with the references that they lost.
pub(crate) fn restored(
    (schema, table): (&str, &str),
    key: &[&str],
    columns: &[&str],
    cleared: &Kept,
    join: &str,
) -> String {
    let values = columns.iter().map(|name| {
        let quoted = quote::postgres(name);
        let is_kept = cleared.columns.iter().any(|kept| kept == name) && !key.contains(name);
        match is_kept {
            true => format!("coalesce(t.{quoted}, k.{quoted}) as {quoted}"),
            false => format!("t.{quoted}"),
        }
    });
    let values: Vec<String> = values.collect();
    format!(
        "select {} from {} as t {join} {} as k on {}",
        values.join(", "),
        quote::postgres_qualified(schema, table),
        cleared.rows_sql(),
        same("t", "k", key, key)
    )
}

pub(crate) fn same(one: &str, other: &str, columns: &[&str], others: &[&str]) -> String {
    let pairs = columns.iter().zip(others).map(|(column, of)| {
        format!(
            "{one}.{} = {other}.{}",
            quote::postgres(column),
            quote::postgres(of)
        )
    });
    pairs.collect::<Vec<_>>().join(" and ")
}

fn list(columns: &[&str]) -> String {
    let columns: Vec<String> = columns.iter().map(|name| quote::postgres(name)).collect();
    columns.join(", ")
}
