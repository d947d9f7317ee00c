//! `findings.json` of a database: what the last assessment and the last comparison found.
//!
//! Each writes its own part and leaves the other's.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

/// The file's name in the folder of its database.
pub(crate) const FILE: &str = "findings.json";

/// Puts a part in place of the one of that name.
pub(crate) fn add(directory: &Path, name: &str, part: &impl Serialize) -> anyhow::Result<()> {
    let mut parts = Map::new();
    parts.insert(name.to_owned(), serde_json::to_value(part)?);
    write(directory, parts)
}

/// Puts the fields of a document in place of those of the same names.
pub(crate) fn merge(directory: &Path, document: &impl Serialize) -> anyhow::Result<()> {
    match serde_json::to_value(document)? {
        Value::Object(parts) => write(directory, parts),
        _ => anyhow::bail!("findings are fields"),
    }
}

fn write(directory: &Path, parts: Map<String, Value>) -> anyhow::Result<()> {
    let path = directory.join(FILE);
    // A file that is damaged is none: it is written anew.
    let before = dataset::read(&path).ok();
    let before = before.and_then(|text| serde_json::from_slice(&text).ok());
    let mut all: Map<String, Value> = before.unwrap_or_default();
    all.extend(parts);
    dataset::write_atomically(&path, &serde_json::to_vec_pretty(&all)?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn each_part_outlives_the_other() {
        let directory = tempfile::tempdir().unwrap();
        add(directory.path(), "findings", &[1]).unwrap();
        merge(directory.path(), &serde_json::json!({"tables": [2]})).unwrap();
        add(directory.path(), "findings", &[3]).unwrap();
        let text = fs::read(directory.path().join(FILE)).unwrap();
        let all: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(all, serde_json::json!({"findings": [3], "tables": [2]}));
    }
}
