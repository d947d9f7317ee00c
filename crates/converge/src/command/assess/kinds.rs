//! Every kind of finding: how much it stands in the way, why it matters, and what to do.
//!
//! One table, from which the output is made and against which docs/DataManagement.md is held.

/// How much a finding stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// The move stops here, and no rule helps.
    Blocker,
    /// The move stops here until a rule is declared or the source is repaired.
    RuleNeeded,
    /// Nothing stops; something is other afterwards.
    Note,
}

impl Severity {
    /// The word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Blocker => "blocker",
            Self::RuleNeeded => "rule_needed",
            Self::Note => "note",
        }
    }
}

/// What is known of a kind before anything was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Its name in JSON; two kinds share one where the contract has one word for both.
    pub(crate) name: &'static str,
    pub(crate) severity: Severity,
    /// What the rows or columns are, as a fragment.
    pub(crate) what: &'static str,
    /// Why it matters.
    pub(crate) why: &'static str,
    /// The way out where no rule is at hand; `{table}`, `{column}` and `{name}` stand for quoted
    /// names of the source, `{object}` for an unquoted one.
    pub(crate) fix: &'static str,
}

macro_rules! kinds {
    ($($constant:ident $name:literal $severity:ident, $what:literal, $why:literal, $fix:literal;)*) => {
        $(pub(crate) const $constant: &Kind = &Kind {
            name: $name,
            severity: Severity::$severity,
            what: $what,
            why: $why,
            fix: $fix,
        };)*
        /// All of them, in the order of the documentation.
        pub(crate) const ALL: &[&Kind] = &[$($constant),*];
    };
}

kinds! {
    EMPTY_UUID "empty_uuid" RuleNeeded,
        "empty texts where the target is uuid",
        "PostgreSQL has no empty uuid",
        "update {table} set {column} = null where {column} = ''";
    INVALID_UUID "invalid_uuid" RuleNeeded,
        "texts that are no uuid where the target is uuid",
        "PostgreSQL refuses them",
        "replace the texts by the uuids that they stand for";
    ZERO_DATE "zero_date" RuleNeeded,
        "dates that are all zeros",
        "PostgreSQL has no such date",
        "update {table} set {column} = null where cast({column} as char) like '0000-00-00%'";
    INVALID_DATE "invalid_date" RuleNeeded,
        "dates without a month or a day, or that the declared zone skips or repeats",
        "PostgreSQL has no such date, and a moment must be one moment",
        "repair the dates on the source";
    TIME_RANGE "time_range" RuleNeeded,
        "times outside one day",
        "a time of PostgreSQL is a time of day",
        "make the target column an interval: it holds all times of the source";
    NUL_BYTE "nul_byte" RuleNeeded,
        "texts with a NUL character",
        "no text of PostgreSQL holds one",
        "update {table} set {column} = replace({column}, char(0 using utf8mb4), '') where locate(char(0), cast({column} as binary)) > 0";
    JSON_NUL "json_nul" RuleNeeded,
        "JSON with \\u0000 where the target is jsonb",
        "jsonb refuses it, json does not",
        "make the target column json, or repair the documents on the source";
    NOT_BOOLEAN "not_boolean" RuleNeeded,
        "numbers other than 0 and 1 where the target is boolean",
        "a boolean has no third value, and which of the two they mean is not known",
        "update {table} set {column} = 1 where {column} not in (0, 1)";
    ENUM_UNKNOWN "enum_unknown" RuleNeeded,
        "labels that the target's type does not have, or index 0",
        "labels are compared by bytes, and PostgreSQL refuses others",
        "add the labels to the target's type, or repair the rows on the source";
    TOO_LONG "too_long" RuleNeeded,
        "values beyond the target's length",
        "PostgreSQL refuses them, or cuts trailing blanks without a word",
        "make the target column longer, or shorten the values on the source";
    PRECISION_LOST "precision_lost" RuleNeeded,
        "more digits behind the point than the target keeps",
        "PostgreSQL rounds without a word",
        "give the target column the source's digits, or round on the source";
    OUT_OF_RANGE "out_of_range" RuleNeeded,
        "numbers or dates beyond the target's range",
        "PostgreSQL refuses them",
        "give the target column a larger type, or repair the rows on the source";
    INVALID_JSON "invalid_json" RuleNeeded,
        "texts that are no JSON where the target is json",
        "PostgreSQL refuses them",
        "select * from {table} where not json_valid({column})";
    NULL_IN_NOT_NULL "null_in_not_null" RuleNeeded,
        "NULL where the target is not null",
        "PostgreSQL refuses it",
        "update {table} set {column} = <value> where {column} is null";
    INVALID_UTF8 "invalid_utf8" Blocker,
        "texts whose bytes are no UTF-8",
        "PostgreSQL refuses them",
        "repair the bytes on the source";
    NOT_IN_MAP "not_in_map" Blocker,
        "values that the map file of a rule lacks",
        "a map is complete or wrong",
        "add the values to the map file";
    NOT_LATIN1 "not_latin1" Blocker,
        "texts with characters above U+00FF under a rule that makes one byte of each character",
        "they are no bytes that were kept as text",
        "take the rule off the column, or repair the rows on the source";
    MALFORMED "malformed" Blocker,
        "values that are not spelled as their type is",
        "what they mean is not known",
        "repair the rows on the source; if they look right, this is a fault of the tool";
    TOO_LARGE "too_large" Blocker,
        "values beyond what PostgreSQL holds in one field: 1 GB, in jsonb 256 MB",
        "PostgreSQL refuses them",
        "cut the values up, or keep them elsewhere";
    ORPHAN "orphan" RuleNeeded,
        "rows whose foreign key finds no row, compared by bytes",
        "the target checks each foreign key after the load, and its texts differ where their bytes do",
        "repair the rows on the source";
    ORPHAN_UNCHECKED "orphan" Note,
        "rows whose foreign key finds no row, where the target has no such key or was told not to check it",
        "the target does not look, and takes them as they are",
        "repair the rows on the source";
    ORPHAN_RULED "orphan" Note,
        "rows whose foreign key finds no row, for which a rule is declared",
        "the rule clears the reference, or leaves the row out; rows that refer to it follow by rules of their own",
        "look at the rows in `rejected/` after the move";
    DUPLICATE "duplicate" RuleNeeded,
        "rows whose unique key another row has, compared by bytes",
        "the target refuses the second of two equal keys",
        "remove the rows from the source";
    DUPLICATE_RULED "duplicate" Note,
        "rows whose unique key another row has, for which a rule is declared",
        "the rule leaves them out; the row with the lowest primary key stays",
        "look at the rows in `rejected/` after the move";
    INDEX_ROW_TOO_LARGE "index_row_too_large" Blocker,
        "rows whose entry in an index would pass 2,704 bytes",
        "a btree of PostgreSQL takes no larger entry; what compresses well may still pass",
        "shorten the values on the source, or do without the index in the target";
    NOT_JUDGED "key_not_judged" Note,
        "a key of the target that compares by a nondeterministic collation or an expression, or some of the rows alone",
        "whether rows of the source break it is known when it is made again after the load",
        "move a copy first, or look for rows on the source that are equal in the target's way";
    ENCODED_TWICE "suspect_encoding" Note,
        "texts that look as if they had been encoded to UTF-8 twice",
        "they arrive as they are, and were wrong before: `Ã¤` for `ä`",
        "look at the rows; update {table} set {column} = convert(cast(convert({column} using latin1) as binary) using utf8mb4) where …";
    BINARY_AS_TEXT "suspect_encoding" Note,
        "bytes of a known format that are kept as text, one character for each byte",
        "as text each byte above 0x7F is two, and NUL characters are refused",
        "declare what is to become of them: latin1_to_bytes for bytea, latin1_to_bytes_base64 for text";
    DOT_LINE "dot_line" Note,
        "texts with a line that is only `\\.`",
        "\\copy of psql before version 18 takes it for the end of the data; this tool does not use psql",
        "load the files with this tool, with plain COPY, or with psql 18";
    TABLE_ONLY_IN_SOURCE "table_only_in_source" Blocker,
        "a table that the target does not have",
        "its rows would be left behind",
        "make the table in the target, or add `{object}` to exclude_tables";
    TABLE_ONLY_IN_TARGET "table_only_in_target" Blocker,
        "a table that the source does not have",
        "it would stay as it is, and whether that is meant is not known",
        "add `{object}` to exclude_tables";
    COLUMN_ONLY_IN_SOURCE "column_only_in_source" Blocker,
        "a column that the target does not have",
        "its values would be left behind; a column cannot be left out",
        "add the column to the target, or drop it from the source";
    COLUMN_WITHOUT_VALUE "column_only_in_target" Blocker,
        "a column of the target that must have a value, and gets none",
        "PostgreSQL refuses NULL there",
        "give the target column a default, or let it be null";
    COLUMN_ONLY_IN_TARGET "column_only_in_target" Note,
        "a column that the source does not have",
        "its rows get the target's default, or NULL",
        "nothing, where the default is what you want";
    GENERATED_IN_SOURCE "generated_in_source" Blocker,
        "a column that is generated in the source and a plain one in the target",
        "it would get none of its values",
        "make the target column a generated one, or drop it there";
    GENERATED_IN_TARGET "generated_in_target" Blocker,
        "a column that holds data in the source and is generated in the target",
        "PostgreSQL takes no value for it",
        "make the target column a plain one";
    NO_CONVERSION "not_converted" Blocker,
        "a column whose pair of types has no conversion",
        "none of its values can be moved",
        "change the target column's type, or map its values: {when: any, then: \"map:<file.csv>\"}";
    NOT_CONVERTED "not_converted" Note,
        "a view, trigger, routine or event of the source",
        "only tables are moved",
        "write it anew for PostgreSQL, where it is still needed";
    SOURCE_PART "not_converted" Note,
        "a part of a table that the source alone knows, such as a period or a reference system",
        "what it refuses and does there is not done in the target",
        "write by hand in the target what is needed of it";
    TARGET_NOT_EMPTY "target_not_empty" Blocker,
        "rows that a target table already holds",
        "the import refuses a table that is not empty",
        "empty the table, or set target_rows: {{object}: replace}";
    SEQUENCE_EXHAUSTED "sequence_exhausted" Blocker,
        "a column whose next number is beyond what its sequence in the target can give",
        "the load would stop at its end, when the sequence is set",
        "lower the next number on the source (alter table {table} auto_increment = …), or give the target column a larger type and sequence";
    MISSING_EXTENSION "missing_extension" Blocker,
        "an extension that the target's schema needs and the database lacks",
        "the statement that makes the schema fails",
        "create extension if not exists \"{object}\"";
    BOOKKEEPING_TABLE "bookkeeping_table" Note,
        "a table in which migrations or caches keep their books, and which is not excluded",
        "the target's own entries belong to its schema; the source's would replace or join them",
        "add `{object}` to exclude_tables";
    CASE_FOLDING "case_folding" Note,
        "texts in a key that the source compares without case or accents; the rows are values that are equal there and differ in the target",
        "afterwards `A` and `a` are two values: a search finds one of them, a unique key takes both",
        "make the target column citext or give it a nondeterministic collation, or compare in lower case in the application";
    ZONE_LESS "zone_less" Note,
        "moments without a zone",
        "whoever reads them takes them to be of his own zone: whole days move where that is not the writer's",
        "let the application read and write UTC, or make the target timestamptz and set datetime_zone";
    ON_UPDATE "on_update" Note,
        "a column that the source sets by itself when a row changes",
        "PostgreSQL does not: the column keeps its value",
        "set it in the application, or have a trigger made: baseline: {on_update: trigger}";
    FOREIGN_KEY_WITHOUT_INDEX "foreign_key_without_index" Note,
        "a foreign key of the target whose columns have no index",
        "MySQL makes one for each; without it, deleting a parent row reads the whole table, and so does each join from there",
        "in the target: create index on {table} ({column})";
    CHECK_NOT_JUDGED "check_not_judged" Note,
        "a check of the target that the source does not have",
        "rows that violate it stop the load, which names the first and takes back what it has loaded; nothing of the kind is looked for before",
        "look for such rows in the source, or add the check to the target after the move";
}

/// The kind of that name for a value that a conversion refuses.
pub(crate) fn refused(kind: transform::Kind) -> &'static Kind {
    let named = ALL.iter().find(|known| known.name == kind.name());
    named.copied().unwrap_or(MALFORMED)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_condition_of_a_value_has_a_kind() {
        for condition in catalog::Condition::ALL {
            let kind = transform::Kind::Condition(condition);
            let known = refused(kind).name == kind.name();
            assert_eq!(known, condition != catalog::Condition::Any, "{condition}");
        }
    }

    /// A line of the table in docs/DataManagement.md.
    fn line(kind: &Kind) -> String {
        let severity = match kind.severity {
            Severity::Blocker => "blocker",
            Severity::RuleNeeded => "rule needed",
            Severity::Note => "note",
        };
        format!(
            "| `{}` | {severity} | {} | {} |",
            kind.name, kind.what, kind.why
        )
    }

    #[test]
    fn the_documentation_has_every_kind_and_no_other() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/DataManagement.md");
        let text = fs::read_to_string(path).unwrap();
        let table = text.split("| kind | severity | what was found | why it matters |\n");
        let table = table.into_iter().nth(1).expect("the table is there");
        let lines: Vec<&str> = table
            .lines()
            .skip(1)
            .take_while(|line| line.starts_with('|'))
            .collect();
        let expected: Vec<String> = ALL.iter().map(|kind| line(kind)).collect();
        assert_eq!(
            lines,
            expected,
            "write the lines into the table:\n{}",
            expected.join("\n")
        );
    }
}
