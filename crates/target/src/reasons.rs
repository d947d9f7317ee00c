//! Whether what rules took away had to leave, asked of the target as it is now.
//!
//! A reason never rests on itself: a row whose parent was left out had to leave only once it is
//! clear that its parent had to, and so on from what is in the target.

use catalog::{ForeignKey, Key, quote};

use crate::aside::{Aside, Kept, restored, same};
use crate::connection::Connection;
use crate::error::{Doing, Error};

/// Why a rule takes a row or a reference away.
#[derive(Clone, Debug)]
pub enum Reason<'k> {
    /// The row is not loaded because its foreign key finds no row.
    Orphan(&'k ForeignKey),
    /// The row is not loaded because another one has its key.
    Duplicate(&'k Key),
    /// These columns are cleared because the foreign key finds no row.
    Cleared(&'k ForeignKey, Vec<&'k str>),
}

/// How far the reasons hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasons {
    /// Rows to which each applies.
    pub rows: Vec<u64>,
    /// Rows that were not loaded although none applies.
    pub left_out_without: u64,
    /// Rows that lost a reference although none applies.
    pub cleared_without: u64,
}

/// A table from which rules may have taken something away.
#[derive(Clone, Debug)]
pub struct TakenFrom<'k> {
    /// The table in the target.
    pub table: &'k str,
    /// Its primary key.
    pub key: Vec<&'k str>,
    /// What was taken away.
    pub aside: &'k Aside,
    /// By which rules.
    pub reasons: Vec<Reason<'k>>,
}

/// All of them.
struct Taken<'t> {
    schema: &'t str,
    tables: &'t [TakenFrom<'t>],
}

impl Connection {
    /// Says for each table how far its reasons hold. Within a transaction, whose search path is
    /// changed; reads the target and writes no table but temporary ones.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn reasons(
        &mut self,
        schema: &str,
        tables: &[TakenFrom<'_>],
    ) -> Result<Vec<Reasons>, Error> {
        self.find_operators(schema)?;
        let taken = Taken { schema, tables };
        while self.next_reasons(&taken)? > 0 {}
        let found = tables.iter().map(|from| self.reasons_of(&taken, from));
        let found = found.collect::<Result<_, _>>()?;
        self.batch_execute("set local search_path = ''")?;
        Ok(found)
    }

    /// The operators of an extension's types are found by the search path alone: without it,
    /// citext would be compared as text. Where no column needs it, the path stays empty.
    fn find_operators(&mut self, schema: &str) -> Result<(), Error> {
        let doing = || "looking for the operators of the columns' types".to_owned();
        let sql = include_str!("sql/operator_schemas.sql");
        let rows = self.client.query(sql, &[&schema]).doing(doing)?;
        let schemas: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
        if schemas.is_empty() {
            return Ok(());
        }
        self.check_shadows(&schemas, ["="])?;
        let names: Vec<String> = schemas.into_iter().map(quote::postgres).collect();
        self.batch_execute(&format!("set local search_path = {}", names.join(", ")))
    }

    /// Enters the rows that have a reason by what is known so far; returns how many.
    fn next_reasons(&mut self, taken: &Taken<'_>) -> Result<u64, Error> {
        let mut new = 0;
        for from in taken.tables {
            let Some(kept) = &from.aside.left_out else {
                continue;
            };
            let any: Vec<String> = from
                .of_rows()
                .map(|reason| taken.condition(from, reason))
                .collect();
            let (rows, why) = (kept.rows_sql(), kept.why_sql());
            let sql = format!(
                "insert into {why} select r.ctid from {rows} as r \
                 where not {} and ({})",
                is_clear(kept, "r"),
                either(&any)
            );
            let asking = || asking(from.table);
            new += self.client.execute(&sql, &[]).doing(asking)?;
        }
        Ok(new)
    }

    fn reasons_of(&mut self, taken: &Taken<'_>, from: &TakenFrom<'_>) -> Result<Reasons, Error> {
        let mut found = Reasons::default();
        let left_out = from.aside.left_out.as_ref();
        let restored = from.restored(taken.schema);
        for reason in &from.reasons {
            let rows = match reason {
                Reason::Cleared(..) => restored.clone(),
                Reason::Orphan(_) | Reason::Duplicate(_) => left_out.map(Kept::rows_sql),
            };
            let condition = match reason {
                Reason::Duplicate(key) => taken.duplicates(from, key),
                _ => taken.condition(from, reason),
            };
            found.rows.push(match rows {
                Some(rows) => self.count_rows(from.table, &rows, &condition)?,
                None => 0,
            });
        }
        if let Some(kept) = left_out {
            let unclear = format!("not {}", is_clear(kept, "r"));
            found.left_out_without = self.count_rows(from.table, &kept.rows_sql(), &unclear)?;
        }
        if let (Some(rows), Some(cleared)) = (&restored, &from.aside.cleared) {
            let without = taken.cleared_without(from, cleared);
            found.cleared_without = self.count_rows(from.table, rows, &without)?;
        }
        Ok(found)
    }

    fn count_rows(&mut self, table: &str, rows: &str, condition: &str) -> Result<u64, Error> {
        let sql = format!("select count(*) from {rows} as r where {condition}");
        let row = self.client.query_one(&sql, &[]).doing(|| asking(table))?;
        Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or_default())
    }
}

fn asking(table: &str) -> String {
    format!("asking why rows of table `{table}` were left out")
}

impl TakenFrom<'_> {
    /// The reasons for which whole rows leave.
    fn of_rows(&self) -> impl Iterator<Item = &Reason<'_>> {
        let reasons = self.reasons.iter();
        reasons.filter(|reason| !matches!(reason, Reason::Cleared(..)))
    }

    /// The rows that lost references, with those.
    fn restored(&self, schema: &str) -> Option<String> {
        let cleared = self.aside.cleared.as_ref()?;
        let mut columns = self.key.clone();
        for reason in &self.reasons {
            if let Reason::Cleared(key, _) = reason {
                columns.extend(key.columns.iter().map(String::as_str));
            }
        }
        columns.sort_unstable();
        columns.dedup();
        let place = (schema, self.table);
        let rows = restored(place, &self.key, &columns, cleared, "join");
        Some(format!("({rows})"))
    }
}

impl Taken<'_> {
    /// Whether a reason applies to a row `r` of a table, as SQL.
    fn condition(&self, from: &TakenFrom<'_>, reason: &Reason<'_>) -> String {
        match reason {
            Reason::Orphan(key) | Reason::Cleared(key, _) => self.orphan(key),
            Reason::Duplicate(key) => self.duplicate(from, key),
        }
    }

    fn left_out(&self, table: &str) -> Option<&Kept> {
        let from = self.tables.iter().find(|from| from.table == table)?;
        from.aside.left_out.as_ref()
    }

    /// Whether a foreign key of `r` finds no row in the target, and none that was left out
    /// without a reason.
    fn orphan(&self, key: &ForeignKey) -> String {
        let columns: Vec<&str> = key.columns.iter().map(String::as_str).collect();
        let referenced: Vec<&str> = key.referenced_columns.iter().map(String::as_str).collect();
        let null = |is: &str, word: &str| {
            let conditions = columns.iter();
            let conditions = conditions.map(|name| format!("r.{} {is}", quote::postgres(name)));
            conditions.collect::<Vec<_>>().join(word)
        };
        let is_parent = same("p", "r", &referenced, &columns);
        let mut missing = format!(
            "{} and not exists (select from {} as p where {is_parent})",
            null("is not null", " and "),
            quote::postgres_qualified(self.schema, &key.referenced_table),
        );
        if let Some(kept) = self.left_out(&key.referenced_table) {
            missing += &format!(
                " and not exists (select from {} as p where {is_parent} and not {})",
                kept.rows_sql(),
                is_clear(kept, "p")
            );
        }
        match key.match_full {
            false => format!("({missing})"),
            true => {
                let (some, all) = (null("is null", " or "), null("is null", " and "));
                format!("({missing} or (({some}) and not ({all})))")
            }
        }
    }

    /// Whether a row of the target has the unique key of `r`, which has no reason yet, or one
    /// that was left out with a reason: that was the first of them when `r` left.
    fn duplicate(&self, from: &TakenFrom<'_>, key: &Key) -> String {
        let (in_target, equal) = self.double(from, key);
        match &from.aside.left_out {
            None => in_target,
            Some(kept) => format!(
                "({in_target} or exists (select from {} as t where {equal} and {}))",
                kept.rows_sql(),
                is_clear(kept, "t")
            ),
        }
    }

    /// Whether a row of the target, or another one that was left out, has the unique key of `r`.
    fn duplicates(&self, from: &TakenFrom<'_>, key: &Key) -> String {
        let (in_target, _) = self.double(from, key);
        let columns = key.plain_columns().unwrap_or_default();
        let list = |alias: &str| {
            let columns = columns.iter();
            let columns = columns.map(|name| format!("{alias}.{}", quote::postgres(name)));
            columns.collect::<Vec<_>>().join(", ")
        };
        match &from.aside.left_out {
            None => in_target,
            // By a set and not one by one: there may be as many as the table has rows.
            Some(kept) => format!(
                "({in_target} or ({}) in (select {} from {} as t group by {} having count(*) > 1))",
                list("r"),
                list("t"),
                kept.rows_sql(),
                list("t")
            ),
        }
    }

    /// Whether a row of the target has the unique key of `r`, and when a row `t` has it.
    fn double(&self, from: &TakenFrom<'_>, key: &Key) -> (String, String) {
        let columns = key.plain_columns().unwrap_or_default();
        let equal = columns.iter().map(|name| {
            let name = quote::postgres(name);
            match key.nulls_not_distinct {
                true => format!("t.{name} is not distinct from r.{name}"),
                false => format!("t.{name} = r.{name}"),
            }
        });
        let equal = equal.collect::<Vec<_>>().join(" and ");
        let in_target = format!(
            "exists (select from {} as t where {equal})",
            quote::postgres_qualified(self.schema, from.table),
        );
        (in_target, equal)
    }

    /// Whether `r` lost a reference, and no foreign key that would clear it finds no row.
    fn cleared_without(&self, from: &TakenFrom<'_>, cleared: &Kept) -> String {
        let columns = cleared.columns.iter().map(String::as_str);
        let columns = columns.filter(|name| !from.key.contains(name)).map(|name| {
            let clearing = from
                .reasons
                .iter()
                .filter(|r| matches!(r, Reason::Cleared(_, columns) if columns.contains(&name)));
            let applying: Vec<String> = clearing.map(|r| self.condition(from, r)).collect();
            let (name, applying) = (quote::postgres(name), either(&applying));
            format!("(k.{name} is not null and not ({applying}))")
        });
        let columns: Vec<String> = columns.collect();
        format!(
            "exists (select from {} as k where {} and ({}))",
            cleared.rows_sql(),
            same("k", "r", &from.key, &from.key),
            either(&columns)
        )
    }
}

/// Whether it is clear that a row had to leave.
fn is_clear(kept: &Kept, row: &str) -> String {
    let why = kept.why_sql();
    format!("exists (select from {why} as w where w.place = {row}.ctid)")
}

fn either(conditions: &[String]) -> String {
    match conditions.is_empty() {
        true => "false".to_owned(),
        false => conditions.join(" or "),
    }
}
