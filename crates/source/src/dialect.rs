//! Where MySQL and MariaDB differ, and their versions: how a server is asked, and how its
//! answers are read. The only file here that chooses by kind or version.
//!
//! Asks nothing itself. What can be read without knowing the server needs no method: types have
//! a display width in MariaDB and in zerofill columns (`int(11)`), which `catalog::MysqlType`
//! passes over, and a column that is not generated has an empty expression or none.

use catalog::{MysqlType, Server, ServerKind, Version};

use crate::expression::{normalise, unescaped};
use crate::latin1;

/// What a server understands and how it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    mariadb: bool,
    version: Version,
}

/// Reads the answer to `select version()`, such as `9.7.4-2` or `10.11.6-MariaDB-log`.
///
/// Forks of MySQL number their versions as MySQL does; MariaDB says its name.
/// Source: MariaDB documentation, "VERSION".
pub(crate) fn server(version_text: &str) -> Server {
    let kind = match version_text.to_ascii_lowercase().contains("mariadb") {
        true => ServerKind::Mariadb,
        false => ServerKind::Mysql,
    };
    let end = version_text.find(|c: char| !c.is_ascii_digit() && c != '.');
    Server {
        kind,
        version: version_text[..end.unwrap_or(version_text.len())].to_owned(),
    }
}

impl Dialect {
    pub(crate) fn of(server: &Server) -> Self {
        Self {
            mariadb: server.kind == ServerKind::Mariadb,
            version: server.number(),
        }
    }

    fn at_least(self, major: u32, minor: u32, patch: u32) -> bool {
        self.version >= Version::new(major, minor, patch)
    }

    /// Assignments that take the limits off a session that only one family knows, let
    /// `information_schema` speak of now instead of yesterday, and show the primary keys that the
    /// server made by itself (8.0.30), whatever it hides by default.
    ///
    /// Empty for servers too old for them, and for this tool: they are to be refused by their
    /// version, not by a setting that they do not know.
    /// Sources: MySQL 8.0 Reference Manual, 7.1.8 "Server System Variables" and "Generated
    /// Invisible Primary Keys"; MariaDB
    /// documentation, "Transaction Timeouts" (10.3) and "Aborting Statements" (10.1).
    pub(crate) fn session_limits(self) -> &'static [&'static str] {
        match self.mariadb {
            true if self.at_least(10, 3, 0) => &[
                "max_statement_time = 0",
                "idle_transaction_timeout = 0",
                "idle_readonly_transaction_timeout = 0",
                // So that none hides behind the 64 first ones: MariaDB warns of each text that it
                // cannot convert. MySQL does not, and asks for a privilege here.
                "max_error_count = 65535",
            ],
            false if self.at_least(8, 0, 30) => &[
                "max_execution_time = 0",
                "information_schema_stats_expiry = 0",
                "show_gipk_in_create_table_and_information_schema = 1",
            ],
            false if self.at_least(8, 0, 3) => &[
                "max_execution_time = 0",
                "information_schema_stats_expiry = 0",
            ],
            _ => &[],
        }
    }

    /// The privilege that shows procedures and functions without letting anybody run them, and
    /// where it is granted; on each database where that is nowhere else.
    ///
    /// Sources: MySQL 8.0.20 Reference Manual, "SHOW_ROUTINE"; MariaDB documentation, "GRANT"
    /// (`SHOW CREATE ROUTINE`, 11.3) and "mysql.proc Table".
    pub(crate) fn routine_privilege(self) -> (&'static str, Option<&'static str>) {
        match self.mariadb {
            true if self.at_least(11, 3, 0) => ("show create routine", None),
            true => ("select", Some("mysql.proc")),
            false if self.at_least(8, 0, 20) => ("show_routine", Some("*.*")),
            false => ("select", Some("*.*")),
        }
    }

    /// Whether grants can have exceptions, in which case names of databases are no patterns.
    ///
    /// Source: MySQL 8.0 Reference Manual, "Privilege Restriction Using Partial Revokes" (8.0.16).
    pub(crate) fn partial_revokes(self) -> &'static str {
        match !self.mariadb && self.at_least(8, 0, 16) {
            true => "@@global.partial_revokes",
            false => "0",
        }
    }

    /// The statement whose first row begins with the binary log's file and position.
    ///
    /// MySQL has the new name since 8.2.0 and nothing else since 8.4.0.
    /// Sources: MySQL 8.2 Reference Manual, "SHOW BINARY LOG STATUS"; MariaDB documentation,
    /// "SHOW BINLOG STATUS", which keeps the old name.
    pub(crate) fn binary_log_status(self) -> &'static str {
        match !self.mariadb && self.at_least(8, 2, 0) {
            true => "show binary log status",
            false => "show master status",
        }
    }

    /// The transactions that were written to the server, by itself or as a replica; nothing where
    /// it does not count all of them.
    ///
    /// MySQL keeps the set of old ones when it no longer counts. MariaDB's log has its own alone,
    /// unless a replica is told to log what it applies.
    /// Sources: MySQL Reference Manual, "Global Transaction ID System Variables"; MariaDB
    /// documentation, "Global Transaction ID".
    pub(crate) fn gtid_expression(self) -> &'static str {
        match self.mariadb {
            true => "concat_ws(';', @@global.gtid_binlog_pos, @@global.gtid_slave_pos)",
            false => "if(@@global.gtid_mode = 'ON', @@global.gtid_executed, '')",
        }
    }

    /// Whether the count has all that a replica applies. MariaDB's lacks what comes from a
    /// server that does not count as it does, such as MySQL.
    pub(crate) fn counts_what_it_follows(self) -> bool {
        !self.mariadb
    }

    /// The variable that keeps everybody from writing whom the server can keep from it.
    pub(crate) fn read_only_variable(self) -> &'static str {
        match self.mariadb {
            true => "@@global.read_only",
            false => "@@global.super_read_only",
        }
    }

    /// The statement that has a row for each server that this one follows.
    ///
    /// MariaDB shows one connection of several where it is not asked for all.
    /// Sources: MySQL 8.0 Reference Manual, "SHOW REPLICA STATUS" (8.0.22); MariaDB
    /// documentation, "SHOW REPLICA STATUS".
    pub(crate) fn replica_status(self) -> &'static str {
        match self.mariadb {
            true => "show all slaves status",
            false if self.at_least(8, 0, 22) => "show replica status",
            false => "show slave status",
        }
    }

    /// The statement that keeps the schema as it is without holding up anybody's rows.
    ///
    /// MariaDB's `backup lock` is for one table.
    /// Source: MySQL 8.0 Reference Manual, "LOCK INSTANCE FOR BACKUP".
    pub(crate) fn backup_lock(self) -> Option<&'static str> {
        (!self.mariadb && self.at_least(8, 0, 0)).then_some("lock instance for backup")
    }

    /// The query for check constraints, where the server has them.
    ///
    /// Sources: MySQL 8.0 Reference Manual, "CHECK Constraints" (8.0.16); MariaDB documentation,
    /// "Information Schema CHECK_CONSTRAINTS Table", with the level since 10.5.10.
    pub(crate) fn checks(self) -> Option<&'static str> {
        match self.mariadb {
            true => Some(include_str!("sql/checks_mariadb.sql")),
            false => self
                .at_least(8, 0, 16)
                .then_some(include_str!("sql/checks_mysql.sql")),
        }
    }

    /// Whether columns of JSON are text of a certain check to the server: MariaDB's `json` is
    /// `longtext` with the check `json_valid(column)` at the column.
    ///
    /// Source: MariaDB documentation, "JSON Data Type".
    pub(crate) fn has_json_as_text(self) -> bool {
        self.mariadb
    }

    /// Whether a column of text, bytes or JSON without a length may have a literal for a default:
    /// in MySQL it has an expression.
    ///
    /// Sources: MySQL Reference Manual, "Data Type Default Values"; MariaDB documentation, "BLOB
    /// and TEXT Data Types".
    pub(crate) fn has_literals_for_texts(self) -> bool {
        self.mariadb
    }

    /// Whether `information_schema` has a `?` for each byte of a character of four bytes within
    /// an expression (seen in MariaDB 10.11); MySQL shows all bytes there.
    pub(crate) fn loses_characters_of_expressions(self) -> bool {
        self.mariadb
    }

    /// The place of a check without a name among those of its table.
    ///
    /// MySQL counts them (`t_chk_1`), and so does MariaDB (`CONSTRAINT_1`), where those that
    /// stand at a column, and come first, have the column's name.
    /// Sources: MySQL Reference Manual, "CHECK Constraints"; MariaDB documentation, "CONSTRAINT".
    pub(crate) fn unnamed_check(self, name: &str, at_column: bool) -> Option<u32> {
        match (self.mariadb, at_column) {
            (true, true) => Some(0),
            (true, false) => name.strip_prefix("CONSTRAINT_")?.parse().ok(),
            (false, _) => None,
        }
    }

    /// The query for the parts of all keys, with the expression of those that are no column,
    /// and whether the optimizer uses the key.
    ///
    /// Only MySQL has such parts, since 8.0.13, and with them the column that tells. MySQL calls
    /// the keys visible since 8.0, MariaDB ignored since 10.6.
    /// Sources: MySQL 8.0 Reference Manual, 28.3.34 "The INFORMATION_SCHEMA STATISTICS Table";
    /// MariaDB documentation, "Ignored Indexes".
    pub(crate) fn keys(self) -> String {
        let expression = match !self.mariadb && self.at_least(8, 0, 13) {
            true => "expression",
            false => "null",
        };
        let visible = match self.mariadb {
            true if self.at_least(10, 6, 0) => "if(ignored = 'YES', 'NO', 'YES')",
            false if self.at_least(8, 0, 0) => "is_visible",
            _ => "'YES'",
        };
        include_str!("sql/keys.sql")
            .replace("{expression}", expression)
            .replace("{visible}", visible)
    }

    /// A foreign key's action: MariaDB reports the usual one as `RESTRICT` and MySQL as
    /// `NO ACTION`, and both check at once, so that the two words are one.
    ///
    /// Source: MySQL Reference Manual, "FOREIGN KEY Constraints".
    pub(crate) fn action(action: &str) -> &str {
        match action {
            "RESTRICT" => "NO ACTION",
            other => other,
        }
    }

    /// The query for the columns of all tables, with the reference system that a spatial one is
    /// bound to.
    ///
    /// Only MySQL has such columns, since 8.0.3.
    /// Source: MySQL 8.0 Reference Manual, "The INFORMATION_SCHEMA COLUMNS Table".
    pub(crate) fn columns(self) -> String {
        let srid = match !self.mariadb && self.at_least(8, 0, 3) {
            true => "cast(srs_id as char)",
            false => "null",
        };
        include_str!("sql/columns.sql").replace("{srid}", srid)
    }

    /// Whether tables may have periods of application time, which `show create table` alone
    /// shows in all versions.
    ///
    /// Source: MariaDB documentation, "Application-Time Periods" (10.4) and "WITHOUT OVERLAPS"
    /// (10.5).
    pub(crate) fn has_periods(self) -> bool {
        self.mariadb && self.at_least(10, 4, 0)
    }

    /// A column's default as SQL, and none for NULL.
    ///
    /// MariaDB reports SQL, with `NULL` for no default. MySQL reports the bare text of a
    /// literal, bytes as `0x…`, and marks expressions with `DEFAULT_GENERATED`.
    /// Sources: MariaDB documentation, "Information Schema COLUMNS Table" (10.2.7); MySQL
    /// Reference Manual, "The INFORMATION_SCHEMA COLUMNS Table" and "Data Type Default Values".
    pub(crate) fn default_as_sql(
        self,
        text: &str,
        extra: &str,
        data_type: &MysqlType,
    ) -> Option<String> {
        if self.mariadb {
            if let Some(bytes) = hex_literal(text).filter(|_| data_type.is_binary()) {
                return Some(bytes);
            }
            return (!text.eq_ignore_ascii_case("null")).then(|| normalise(text));
        }
        if is_now(text, data_type) {
            return Some(moment(text));
        }
        if extra.to_ascii_lowercase().contains("default_generated") {
            return Some(self.expression(text));
        }
        if is_bare(text, data_type) {
            return Some(text.to_owned());
        }
        Some(catalog::quote::mysql_literal(text))
    }

    /// The text of an expression in `information_schema`, in the spelling of all servers.
    ///
    /// MySQL puts a backslash before each quote and backslash there, as if the text were to
    /// stand within quotes, and takes the bytes of what is beyond ASCII for characters (9.7);
    /// `show create table` has it without either.
    pub(crate) fn expression(self, text: &str) -> String {
        if self.mariadb {
            return normalise(text);
        }
        let mended = latin1::undo(text).unwrap_or_else(|| text.to_owned());
        let mut sql = String::with_capacity(mended.len());
        let mut characters = mended.chars();
        while let Some(character) = characters.next() {
            sql.push(match (character, characters.clone().next()) {
                ('\\', Some(escaped)) => {
                    characters.next();
                    unescaped(escaped)
                }
                _ => character,
            });
        }
        normalise(&sql)
    }
}

/// Bytes as `0xFF` from the literal `x'ff'`, which later releases of MariaDB 11.8 report.
fn hex_literal(text: &str) -> Option<String> {
    let digits = text.strip_prefix("x'")?.strip_suffix('\'')?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hex && !digits.is_empty()).then(|| format!("0x{}", digits.to_ascii_uppercase()))
}

/// `current_timestamp` with its digits and its brackets, as all servers understand it.
///
/// MySQL writes `CURRENT_TIMESTAMP`, MariaDB `current_timestamp()`.
pub(crate) fn moment(text: &str) -> String {
    let lower = text.trim().to_ascii_lowercase();
    let call = if lower.ends_with(')') { "" } else { "()" };
    lower + call
}

/// Whether a default is the time at which a row is made; the same word in a text column is text.
fn is_now(text: &str, data_type: &MysqlType) -> bool {
    const NOW: &str = "current_timestamp";
    let temporal = matches!(
        data_type,
        MysqlType::Datetime { .. } | MysqlType::Timestamp { .. }
    );
    let word = text.get(..NOW.len());
    temporal && word.is_some_and(|word| word.eq_ignore_ascii_case(NOW))
}

/// Whether MySQL's text of a literal default is SQL as it stands: numbers, bits and bytes.
fn is_bare(text: &str, data_type: &MysqlType) -> bool {
    match data_type {
        MysqlType::Integer { .. }
        | MysqlType::Decimal { .. }
        | MysqlType::Float
        | MysqlType::Double
        | MysqlType::Bit { .. }
        | MysqlType::Year => true,
        MysqlType::Binary { .. } | MysqlType::Varbinary { .. } => text.starts_with("0x"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(version_text: &str) -> Dialect {
        Dialect::of(&server(version_text))
    }

    #[test]
    fn a_server_is_known_by_its_version_text() {
        use ServerKind::{Mariadb, Mysql};
        for (text, kind, version) in [
            ("9.7.4-2", Mysql, "9.7.4"),
            ("8.0.36-28", Mysql, "8.0.36"),
            ("5.7.44-log", Mysql, "5.7.44"),
            ("10.11.6-MariaDB-0+deb12u1-log", Mariadb, "10.11.6"),
            (
                "11.8.6-MariaDB-0+deb13u1 from Debian-log",
                Mariadb,
                "11.8.6",
            ),
            ("12.3.1-mariadb", Mariadb, "12.3.1"),
            ("", Mysql, ""),
        ] {
            let version = version.to_owned();
            assert_eq!(server(text), Server { kind, version }, "{text}");
        }
    }

    #[test]
    fn each_version_is_asked_in_its_own_words() {
        for (version, limits, status, expression) in [
            ("5.7.44", 0, "show master status", "null"),
            ("8.0.0", 0, "show master status", "null"),
            ("8.0.3", 2, "show master status", "null"),
            ("8.0.12", 2, "show master status", "null"),
            ("8.0.13", 2, "show master status", "expression"),
            ("8.0.30", 3, "show master status", "expression"),
            ("8.1.0", 3, "show master status", "expression"),
            ("8.2.0", 3, "show binary log status", "expression"),
            ("9.7.4", 3, "show binary log status", "expression"),
            ("10.2.44-MariaDB", 0, "show master status", "null"),
            ("10.6.0-MariaDB", 4, "show master status", "null"),
            ("12.3.1-MariaDB", 4, "show master status", "null"),
        ] {
            let dialect = dialect(version);
            assert_eq!(dialect.session_limits().len(), limits, "{version}");
            assert_eq!(dialect.binary_log_status(), status, "{version}");
            let sql = dialect.keys();
            assert!(sql.contains(&format!(" {expression},")), "{version} {sql}");
        }
    }

    #[test]
    fn defaults_are_sql_whichever_server_reports_them() {
        let (mysql, mariadb) = (dialect("9.7.4"), dialect("11.8.6-MariaDB"));
        for (column_type, extra, from_mysql, from_mariadb, sql) in [
            ("int", "", "5", "5", "5"),
            ("decimal(6,2)", "", "1.50", "1.50", "1.50"),
            ("bit(3)", "", "b'101'", "b'101'", "b'101'"),
            ("varchar(9)", "", "it's", "'it''s'", "'it''s'"),
            ("varchar(9)", "", "", "''", "''"),
            ("char(4)", "", "null", "'null'", "'null'"),
            ("enum('x','0x')", "", "0x", "'0x'", "'0x'"),
            ("varbinary(9)", "", "", "''", "''"),
            (
                "varchar(20)",
                "",
                "current_timestamp",
                "'current_timestamp'",
                "'current_timestamp'",
            ),
            (
                "datetime(6)",
                "DEFAULT_GENERATED on update CURRENT_TIMESTAMP(6)",
                "CURRENT_TIMESTAMP(6)",
                "current_timestamp(6)",
                "current_timestamp(6)",
            ),
            (
                "timestamp",
                "",
                "CURRENT_TIMESTAMP",
                "current_timestamp()",
                "current_timestamp()",
            ),
            (
                "char(36)",
                "DEFAULT_GENERATED",
                "uuid()",
                "uuid()",
                "uuid()",
            ),
        ] {
            let data_type = MysqlType::parse(column_type);
            let found = mysql.default_as_sql(from_mysql, extra, &data_type);
            assert_eq!(found.as_deref(), Some(sql), "MySQL's {column_type}");
            let found = mariadb.default_as_sql(from_mariadb, "", &data_type);
            assert_eq!(found.as_deref(), Some(sql), "MariaDB's {column_type}");
        }
        let text = MysqlType::parse("text");
        assert_eq!(mariadb.default_as_sql("NULL", "", &text), None);
    }

    #[test]
    fn bytes_stay_as_they_are_and_expressions_have_one_spelling() {
        let (mysql, mariadb) = (dialect("9.7.4"), dialect("11.8.6-MariaDB"));
        let binary = MysqlType::parse("binary(3)");
        let found = mariadb.default_as_sql("x'6162ff'", "", &binary);
        assert_eq!(found.as_deref(), Some("0x6162FF"));
        let found = mysql.default_as_sql("0x616263", "", &binary);
        assert_eq!(found.as_deref(), Some("0x616263"));
        for (reported, sql) in [
            (r"(`a` + 1)", "`a` + 1"),
            (r"_utf8mb4\'x\'", "'x'"),
            (r"_utf8mb4\'it\\\'s Ã¼\'", "'it''s ü'"),
            (r"concat(`b`,_utf8mb4\'\\n\')", "concat(`b`, '\n')"),
            (r"`we\'ird\\col`", r"`we'ird\col`"),
            ("ends with \\", "ends with \\"),
        ] {
            assert_eq!(mysql.expression(reported), sql);
        }
        let text = MysqlType::parse("text");
        let found = mysql.default_as_sql(r"_utf8mb4\'x\'", "DEFAULT_GENERATED", &text);
        assert_eq!(found.as_deref(), Some("'x'"));
        assert_eq!(mariadb.expression(r"'it\'s'"), "'it''s'");
    }
}
