//! Rows and references that rules took away, kept beside a table for the length of a session: a
//! comparison counts them in.

use std::io::Read;

use catalog::{KeyForm, KeySample, quote};

use crate::connection::Connection;
use crate::copy::copy_csv;
use crate::error::{Doing, Error};
use crate::row_key::RowKey;
use crate::scan::TargetRow;

/// What was taken away from a table, as temporary tables.
#[derive(Debug, Default)]
pub struct Aside {
    /// Rows that were not loaded.
    pub left_out: Option<Kept>,
    /// References that were cleared: the primary key, then the columns with what they held.
    pub cleared: Option<Kept>,
}

impl Aside {
    /// Whether nothing was taken away.
    pub fn is_empty(&self) -> bool {
        self.left_out.is_none() && self.cleared.is_none()
    }
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
        proceed: impl FnMut() -> Result<(), E>,
    ) -> Result<Kept, E> {
        let mut kept = self.make_aside(schema, table, columns)?;
        self.fill_aside(&mut kept, csv, proceed)?;
        let analyze = format!("analyze {}", kept.rows_sql());
        self.client
            .batch_execute(&analyze)
            .doing(|| keeping(table))?;
        Ok(kept)
    }

    /// A temporary table for rows of a table, which may break its constraints.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn make_aside(
        &mut self,
        schema: &str,
        table: &str,
        columns: &[String],
    ) -> Result<Kept, Error> {
        let row = self
            .client
            .query_one(
                "select count(*) from pg_catalog.pg_class where relnamespace = pg_my_temp_schema()",
                &[],
            )
            .doing(|| keeping(table))?;
        let name = format!("converge_aside_{}", row.get::<_, i64>(0));
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        // As a query: what the table demands of its rows is no matter here.
        let sql = format!(
            "create temporary table {name} as select {} from {} with no data; \
             create temporary table {name}_why (place tid)",
            list(&names),
            quote::postgres_qualified(schema, table)
        );
        self.client.batch_execute(&sql).doing(|| keeping(table))?;
        Ok(Kept {
            name,
            columns: columns.to_vec(),
            rows: 0,
        })
    }

    /// Adds the rows of a CSV with its header, whose columns are those of the temporary table.
    ///
    /// # Errors
    /// Where the server refuses, and those of `proceed`; no row is there then.
    pub fn fill_aside<E: From<Error>>(
        &mut self,
        kept: &mut Kept,
        csv: impl Read,
        mut proceed: impl FnMut() -> Result<(), E>,
    ) -> Result<(), E> {
        let doing = || keeping(&kept.name);
        let names: Vec<&str> = kept.columns.iter().map(String::as_str).collect();
        let mut transaction = self.client.transaction().doing(doing)?;
        let columns = (&names[..], &RowKey::default());
        let rows = copy_csv(
            &mut transaction,
            "pg_temp",
            &kept.name,
            columns,
            csv,
            |_| proceed(),
        )?;
        transaction.commit().doing(doing)?;
        kept.rows += rows;
        Ok(())
    }

    /// Hands every row that was kept to `visit`.
    ///
    /// # Errors
    /// Those of the server and those of `visit`, after which the server's statement is ended.
    pub fn scan_aside<E: From<Error>>(
        &mut self,
        kept: &Kept,
        columns: &[&str],
        visit: impl FnMut(&TargetRow<'_>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let sql = format!("select {} from {}", list(columns), kept.rows_sql());
        self.scan_query(&sql, &kept.name, columns.len(), visit)
    }

    /// Takes the temporary table away before the session ends.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn drop_aside(&mut self, kept: &Kept) -> Result<(), Error> {
        let sql = format!("drop table {}, {}", kept.rows_sql(), kept.why_sql());
        let dropped = self.client.batch_execute(&sql);
        dropped.doing(|| format!("dropping {}", kept.name))
    }

    /// Hands every row of a table to `visit` as if nothing had been taken away from it, or, with a
    /// sample, those that it chooses. `key` is its primary key.
    ///
    /// # Errors
    /// Those of the server and those of `visit`, after which the server's statement is ended.
    pub fn scan_with<E: From<Error>>(
        &mut self,
        (schema, table): (&str, &str),
        key: &[&str],
        columns: &[&str],
        aside: &Aside,
        sample: Option<&KeySample>,
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
        if let Some(sample) = sample {
            sql = format!("select * from ({sql}) as t where {}", is_chosen(sample));
        }
        self.scan_query(&sql, table, columns.len(), visit)
    }
}

/// Whether the sample has a row, as SQL.
fn is_chosen(sample: &KeySample) -> String {
    let texts = sample.columns.iter().map(|column| {
        let quoted = quote::postgres(&column.name);
        match column.form {
            KeyForm::Integer | KeyForm::Text | KeyForm::Uuid => format!("{quoted}::text"),
            KeyForm::Bytes => format!("encode({quoted}, 'hex')"),
            KeyForm::UuidBytes => format!("replace({quoted}::text, '-', '')"),
        }
    });
    let texts: Vec<String> = texts.collect();
    format!(
        "sha256(convert_to(concat_ws(e'\\n', {}), 'UTF8')) < '\\x{}'::bytea",
        texts.join(", "),
        sample.below_hex()
    )
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

fn keeping(table: &str) -> String {
    format!("keeping rows of table `{table}` aside")
}

fn list(columns: &[&str]) -> String {
    let columns: Vec<String> = columns.iter().map(|name| quote::postgres(name)).collect();
    columns.join(", ")
}
