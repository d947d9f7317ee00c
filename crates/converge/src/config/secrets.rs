//! Where the passwords of a configuration lie, and who else can read them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::call::shell_word;
use crate::plain_file;
use crate::secret;

const GROUP_OR_OTHERS_READ: u32 = 0o044;

/// The files of a configuration that hold passwords.
#[derive(Debug)]
pub(crate) struct Secrets {
    /// The configuration itself.
    pub(super) file: PathBuf,
    /// Whether it holds a password itself.
    is_literal: bool,
    /// The others.
    files: Vec<PathBuf>,
}

impl Secrets {
    /// Those of a document; `literal` is what stands in the file itself.
    pub(super) fn of(
        document: &Value,
        literal: &Value,
        mut files: Vec<PathBuf>,
        base: &Path,
    ) -> Self {
        let named = ["source_password_file", "target_password_file"];
        files.extend(texts(document, &named).map(|file| base.join(file)));
        Self {
            file: PathBuf::new(),
            is_literal: texts(literal, &["source", "target"]).any(secret::is_literal),
            files,
        }
    }

    /// What an operator should know of the files that others can read; `None` where there is none.
    pub(crate) fn note(&self) -> Option<String> {
        let config = self.is_literal.then_some(&self.file);
        let mut open: Vec<String> = config
            .into_iter()
            .chain(&self.files)
            .filter(|file| can_be_read_by_others(file))
            .map(|file| file.display().to_string())
            .collect();
        open.sort();
        open.dedup();
        let words: Vec<String> = open.iter().map(|file| shell_word(file)).collect();
        (!open.is_empty()).then(|| {
            format!(
                "note: other accounts can read passwords in {}; take that away: chmod go-r {}",
                open.join(", "),
                words.join(" ")
            )
        })
    }

    /// What an operator should know of a configuration that any account can change.
    pub(crate) fn writable_note(&self) -> Option<String> {
        let file = self.file.display().to_string();
        plain_file::is_writable_by_others(&self.file).then(|| {
            format!(
                "note: any account can change {file}; take that away: chmod o-w {}",
                shell_word(&file)
            )
        })
    }
}

/// The texts of some keys of all databases.
fn texts<'v>(document: &'v Value, keys: &'v [&str]) -> impl Iterator<Item = &'v str> {
    let databases = document["databases"].as_object();
    let databases = databases.into_iter().flat_map(|all| all.values());
    databases.flat_map(|database| keys.iter().filter_map(|key| database[*key].as_str()))
}

/// Anything but a plain file, such as a pipe of a shell, cannot be read by other accounts.
fn can_be_read_by_others(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|metadata| {
        metadata.is_file() && metadata.permissions().mode() & GROUP_OR_OTHERS_READ != 0
    })
}
