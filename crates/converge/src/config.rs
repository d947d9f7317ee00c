//! What is to be moved and how: the checked configuration.
//!
//! Read once, before anything is done; later code never sees YAML or the environment.

mod baseline_options;
mod checks;
mod constraint_rule;
mod document;
mod rules;
mod scalar;
mod secrets;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use baseline::{BaselineOptions, TypeOverrides};
use catalog::RuleSet;

pub(crate) use crate::config::checks::SemanticCheck;
pub(crate) use crate::config::constraint_rule::{ConstraintRule, Remedy, Violation};
use crate::config::document::Fields;
use crate::config::secrets::Secrets;
pub(crate) use crate::config::tables::TablePatterns;
use crate::exit::Failure;

/// Schema of the ledger where the configuration names none.
const LEDGER: &str = "converge";

/// A checked configuration.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) environment: Environment,
    /// Whether production may be moved over a network to servers that are not verified.
    pub(crate) allow_unverified_tls: bool,
    /// In the order of the file.
    pub(crate) databases: Vec<Database>,
    /// blake3 of the file, in hex: a run says which configuration it was made with.
    pub(crate) digest: String,
    pub(crate) secrets: Secrets,
}

/// What kind of data the databases hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Environment {
    Scratch,
    Staging,
    Production,
}

impl Environment {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Scratch => "scratch",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

/// A database to be moved.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) name: String,
    pub(crate) source: source::Endpoint,
    pub(crate) target: target::Endpoint,
    pub(crate) target_schema: String,
    pub(crate) schema_owner: SchemaOwner,
    /// The tables that the run is about, but for those that are excluded.
    pub(crate) include_tables: TablePatterns,
    /// Left alone on both sides.
    pub(crate) exclude_tables: BTreeSet<String>,
    pub(crate) target_rows: TargetRows,
    pub(crate) datetime_zone: Option<String>,
    pub(crate) rules: RuleSet,
    pub(crate) constraint_rules: Vec<ConstraintRule>,
    /// What a generated baseline makes of types other than the type map would.
    pub(crate) types: TypeOverrides,
    /// What a generated baseline does beyond the schema as it is.
    pub(crate) baseline: BaselineOptions,
    pub(crate) ledger: String,
    /// Directory of questions that both sides have to answer alike.
    pub(crate) checks: Option<PathBuf>,
}

impl Database {
    /// The source's database name.
    pub(crate) fn source_name(&self) -> &str {
        self.source
            .database()
            .expect("the configuration requires a database in the URL")
    }

    /// Whether the run is about a table of that name.
    pub(crate) fn takes(&self, table: &str) -> bool {
        self.include_tables.matches(table) && !self.exclude_tables.contains(table)
    }
}

/// Who makes the target's schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchemaOwner {
    /// It is there, by whomever.
    External,
    /// TypeORM's migrations, recorded in `migrations_typeorm`.
    Typeorm,
    /// Kratos's migrations, recorded in `schema_migration`.
    Kratos,
    /// A baseline of this tool.
    Converge,
}

/// What becomes of rows that a target table already holds.
#[derive(Debug)]
pub(crate) struct TargetRows {
    default: RowPolicy,
    tables: BTreeMap<String, RowPolicy>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RowPolicy {
    Refuse,
    Replace,
}

impl TargetRows {
    /// The tables that are named.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    /// Whether a table's rows may be replaced.
    pub(crate) fn replace(&self, table: &str) -> bool {
        *self.tables.get(table).unwrap_or(&self.default) == RowPolicy::Replace
    }
}

impl Config {
    /// Reads and checks a file; `only` names databases, or none for all.
    pub(crate) fn read(path: &Path, only: &[String]) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!("{}: {error}", path.display()))
                .hint("name the configuration with --config FILE")
        })?;
        let base = path.parent().unwrap_or(Path::new(""));
        let mut config = Self::parse(&text, base).map_err(|problem| problem.into_failure(path))?;
        config.secrets.file = path.to_owned();
        for name in only {
            if !config
                .databases
                .iter()
                .any(|database| database.name == *name)
            {
                let known: Vec<&str> = config.databases.iter().map(|d| d.name.as_str()).collect();
                return Err(Failure::usage(format!("there is no database `{name}`"))
                    .hint(format!("the configuration has: {}", known.join(", "))));
            }
        }
        if !only.is_empty() {
            config
                .databases
                .retain(|database| only.contains(&database.name));
        }
        Ok(config)
    }

    fn parse(text: &str, base: &Path) -> Result<Self, Problem> {
        let document: Value = serde_saphyr::from_str(text)
            .map_err(|error| Problem::new("", without_snippet(&error.to_string())))?;
        let replaced = scalar::replace_variables(document)?;
        let document = replaced.document;
        let mut fields = Fields::new("", &document)?;
        let version = fields.required("version")?;
        if version.as_u64() != Some(1) {
            let value = document::as_text("version", version)?;
            return Err(document::wrong_value("version", &value, &["1"]));
        }
        let environment = match fields.required_text("environment")?.as_str() {
            "scratch" => Environment::Scratch,
            "staging" => Environment::Staging,
            "production" => Environment::Production,
            other => {
                let accepted = ["scratch", "staging", "production"];
                return Err(document::wrong_value("environment", other, &accepted));
            }
        };
        let allow_unverified_tls = fields.flag("allow_unverified_tls")?;
        let databases = fields.required("databases")?;
        fields.finish()?;
        let mut parsed = Vec::new();
        for (name, database) in document::entries("databases", databases)? {
            parsed.push(parse_database(name, database, base)?);
        }
        check_targets(&parsed)?;
        if parsed.is_empty() {
            return Err(Problem::new("databases", "names no database".to_owned()));
        }
        Ok(Self {
            environment,
            allow_unverified_tls,
            databases: parsed,
            digest: blake3::hash(text.as_bytes()).to_hex().to_string(),
            secrets: Secrets::of(&document, &replaced.literal, replaced.files, base),
        })
    }
}

fn parse_database(name: &str, value: &Value, base: &Path) -> Result<Database, Problem> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
        let message = "cannot be the name of a directory".to_owned();
        return Err(Problem::new(format!("databases.{name}"), message));
    }
    let path = format!("databases.{name}");
    let mut fields = Fields::new(&path, value)?;
    let source = parse_source(&mut fields, base)?;
    let target = parse_target(&mut fields, base)?;
    let (rules, constraint_rules) = rules::parse(&mut fields, base)?;
    let database = Database {
        name: name.to_owned(),
        source,
        target,
        target_schema: fields
            .text("target_schema")?
            .unwrap_or_else(|| "public".to_owned()),
        schema_owner: parse_owner(&mut fields)?,
        include_tables: TablePatterns::new(fields.texts("include_tables")?),
        exclude_tables: fields.texts("exclude_tables")?.into_iter().collect(),
        target_rows: parse_target_rows(&mut fields)?,
        datetime_zone: fields.text("datetime_zone")?,
        rules,
        constraint_rules,
        types: baseline_options::parse_types(&mut fields)?,
        baseline: baseline_options::parse(&mut fields)?,
        ledger: fields
            .text("ledger_schema")?
            .unwrap_or_else(|| LEDGER.to_owned()),
        checks: fields.text("checks")?.map(|directory| base.join(directory)),
    };
    fields.finish()?;
    if database.ledger == database.target_schema {
        let message = "must not be the schema that is loaded".to_owned();
        return Err(Problem::new(format!("{path}.ledger_schema"), message));
    }
    Ok(database)
}

impl Config {
    /// Whether another database of the run goes into the same one of PostgreSQL.
    pub(crate) fn shares_its_target(&self, database: &Database) -> bool {
        let mut others = self
            .databases
            .iter()
            .filter(|other| other.name != database.name);
        others.any(|other| other.target.same_database(&database.target))
    }
}

/// A target's ledger holds one run of one database.
fn check_targets(databases: &[Database]) -> Result<(), Problem> {
    for (index, database) in databases.iter().enumerate() {
        let rival = databases[..index].iter().find(|other| {
            other.target.same_database(&database.target)
                && (other.ledger == database.ledger
                    || other.target_schema == database.target_schema)
        });
        if let Some(rival) = rival {
            let message = format!("has the same target as `{}`", rival.name);
            let hint = "give each its own target_schema and ledger_schema".to_owned();
            let problem = Problem::new(format!("databases.{}", database.name), message);
            return Err(problem.with_hint(Some(hint)));
        }
    }
    Ok(())
}

fn parse_source(fields: &mut Fields<'_>, base: &Path) -> Result<source::Endpoint, Problem> {
    let path = fields.path_of("source");
    let url = fields.required_text("source")?;
    let mut endpoint = source::Endpoint::parse(&url)
        .map_err(|error| Problem::new(path.clone(), error.to_string()))?;
    if let Some(file) = fields.text("source_password_file")? {
        let path = fields.path_of("source_password_file");
        endpoint = endpoint.with_password(scalar::read_secret(&path, &base.join(file))?);
    }
    if endpoint.database().is_none() {
        return Err(Problem::new(path, "the URL names no database".to_owned()));
    }
    Ok(endpoint)
}

fn parse_target(fields: &mut Fields<'_>, base: &Path) -> Result<target::Endpoint, Problem> {
    let path = fields.path_of("target");
    let url = fields.required_text("target")?;
    let mut endpoint = target::Endpoint::parse(&url)
        .map_err(|error| Problem::new(path.clone(), error.to_string()))?;
    if let Some(file) = fields.text("target_password_file")? {
        let path = fields.path_of("target_password_file");
        endpoint = endpoint.with_password(scalar::read_secret(&path, &base.join(file))?);
    }
    if endpoint.database().is_none() {
        return Err(Problem::new(path, "the URL names no database".to_owned()));
    }
    Ok(endpoint)
}

/// Reads the address of a target that stands on the command line as one of the file would.
pub(crate) fn parse_typed_target(option: &str, text: &str) -> Result<target::Endpoint, Failure> {
    let document = serde_json::json!({ "target": text });
    let parsed = scalar::replace_variables(document).and_then(|replaced| {
        parse_target(&mut Fields::new("", &replaced.document)?, Path::new(""))
    });
    parsed.map_err(|problem| {
        let failure = Failure::usage(format!("{option}: {}", problem.message));
        match problem.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })
}

fn parse_owner(fields: &mut Fields<'_>) -> Result<SchemaOwner, Problem> {
    let path = fields.path_of("schema_owner");
    Ok(match fields.text("schema_owner")?.as_deref() {
        None | Some("external") => SchemaOwner::External,
        Some("typeorm") => SchemaOwner::Typeorm,
        Some("kratos") => SchemaOwner::Kratos,
        Some("converge") => SchemaOwner::Converge,
        Some(other) => {
            let accepted = ["external", "typeorm", "kratos", "converge"];
            return Err(document::wrong_value(path, other, &accepted));
        }
    })
}

fn parse_target_rows(fields: &mut Fields<'_>) -> Result<TargetRows, Problem> {
    let mut rows = TargetRows {
        default: RowPolicy::Refuse,
        tables: BTreeMap::new(),
    };
    let path = fields.path_of("target_rows");
    let Some(value) = fields.optional("target_rows") else {
        return Ok(rows);
    };
    if let Some(text) = value.as_str() {
        let message = format!("`{text}` is no mapping of tables to refuse or replace");
        let hint = "write `{default: refuse}` or `{default: replace}`".to_owned();
        return Err(Problem::new(path, message).with_hint(Some(hint)));
    }
    for (table, policy) in document::entries(&path, value)? {
        let path = format!("{path}.{table}");
        let policy = match document::as_text(&path, policy)?.as_str() {
            "refuse" => RowPolicy::Refuse,
            "replace" => RowPolicy::Replace,
            other => return Err(document::wrong_value(path, other, &["refuse", "replace"])),
        };
        if table == "default" {
            rows.default = policy;
        } else {
            rows.tables.insert(table.to_owned(), policy);
        }
    }
    Ok(rows)
}

/// The parser's messages may quote the file around the fault, where passwords stand.
fn without_snippet(message: &str) -> String {
    message.lines().next().unwrap_or("not YAML").to_owned()
}

/// Something wrong in the configuration: where, what, and what may have been meant.
#[derive(Debug)]
pub(crate) struct Problem {
    path: String,
    message: String,
    hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(path: impl Into<String>, message: String) -> Self {
        Self {
            path: path.into(),
            message,
            hint: None,
        }
    }

    pub(crate) fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    fn into_failure(self, file: &Path) -> Failure {
        let message = if self.path.is_empty() {
            format!("{}: {}", file.display(), self.message)
        } else {
            format!("{}: `{}`: {}", file.display(), self.path, self.message)
        };
        let failure = Failure::usage(message);
        match self.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

#[cfg(test)]
mod tests;
