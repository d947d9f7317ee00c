//! The command as it was typed, for hints that work when they are pasted.
//!
//! Says what to type; what has to be done is decided in `lost.rs`.

use std::env;
use std::path::Path;

use crate::args::{CommonArgs, DEFAULT_CONFIG};

/// How this process was called.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// All that stood behind the program's name.
    words: Vec<String>,
    /// The options that another command needs to speak of the same databases.
    options: Vec<String>,
    /// Whether it goes over more than one database.
    pub(crate) several: bool,
}

impl Call {
    /// This process's; `databases` is how many it goes over.
    pub(crate) fn of_this_process(args: &CommonArgs, databases: usize) -> Self {
        let words = env::args_os().skip(1);
        Self {
            words: words.map(|word| word.to_string_lossy().into()).collect(),
            options: options(args),
            several: databases > 1,
        }
    }

    #[cfg(test)]
    pub(crate) fn typed(words: &[&str], args: &CommonArgs, databases: usize) -> Self {
        Self {
            words: words.iter().map(|&word| word.to_owned()).collect(),
            ..Self::of_this_process(args, databases)
        }
    }

    /// The name of the command.
    pub(crate) fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// The same command line once more.
    pub(crate) fn again(&self) -> String {
        command_line(self.words.iter())
    }

    /// Another command for the same databases, and for a run where one is named.
    pub(crate) fn other(&self, name: &str, run: Option<&Path>) -> String {
        let mut words = vec![name.to_owned()];
        if let Some(run) = run {
            words.extend(["--run".to_owned(), run.display().to_string()]);
        }
        command_line(words.iter().chain(&self.options))
    }

    /// Another command with words of its own, for the same databases.
    pub(crate) fn with(&self, name: &str, words: &[&str]) -> String {
        let own = [name].into_iter().chain(words.iter().copied());
        let own: Vec<String> = own.map(str::to_owned).collect();
        command_line(own.iter().chain(&self.options))
    }
}

fn options(args: &CommonArgs) -> Vec<String> {
    let mut options = Vec::new();
    if args.config != Path::new(DEFAULT_CONFIG) {
        options.extend(["--config".to_owned(), args.config.display().to_string()]);
    }
    for database in &args.database {
        options.extend(["--database".to_owned(), database.clone()]);
    }
    options
}

fn command_line<'w>(words: impl Iterator<Item = &'w String>) -> String {
    let words: Vec<String> = words.map(|word| quoted(word)).collect();
    format!("cargo xtask {}", words.join(" "))
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&byte);
    match !word.is_empty() && word.bytes().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command::Import};

    fn import(words: &[&str]) -> CommonArgs {
        let line = ["converge", "import"].iter().chain(words);
        let Import(args) = Cli::parse_from(line).command else {
            panic!("another command");
        };
        args.common
    }

    #[test]
    fn a_command_names_the_databases_that_were_typed() {
        let run = Some(Path::new("runs/x"));
        let typed = [
            "--database",
            "alkemio",
            "--config",
            "it's/my move.yml",
            "--database=kratos",
        ];
        let call = Call::typed(&["import"], &import(&typed), 2);
        assert_eq!(
            call.other("import", run),
            r"cargo xtask import --run runs/x --config 'it'\''s/my move.yml' --database alkemio --database kratos"
        );
        let call = Call::typed(&["import", "--run", "a b"], &import(&[]), 2);
        assert_eq!(call.other("status", None), "cargo xtask status");
        assert_eq!(call.again(), "cargo xtask import --run 'a b'");
    }

    #[test]
    fn a_shell_gives_back_what_was_quoted() {
        for word in ["a b", "it's", "", "$HOME", "a`b", "~", "ä", "x;y", "--a=b"] {
            let script = format!("printf %s {}", quoted(word));
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), word);
        }
    }
}
