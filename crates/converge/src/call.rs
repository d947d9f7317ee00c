//! The command as it was typed, for hints that work when they are pasted: the only place that
//! makes a command line.
//!
//! Says what to type; what has to be done is decided elsewhere.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use catalog::is_hidden;

use crate::args::{CommonArgs, DEFAULT_CONFIG};
use crate::secret;

/// Set by a program that becomes this one, such as `cargo xtask`: what to type for it.
const CALLED_AS: &str = "CONVERGE_CALLED_AS";

/// The call of this process, once its configuration is read.
static CALL: OnceLock<Call> = OnceLock::new();

/// A command for the databases and the run of this process, as it is typed.
pub(crate) fn next(name: &str) -> String {
    next_with(name, &[])
}

/// The same with words of its own behind the name.
pub(crate) fn next_with(name: &str, words: &[&str]) -> String {
    match CALL.get() {
        Some(call) => call.with(name, words),
        // Before the configuration is read, nothing is known but the program.
        None => command_line(&program(), &[&[name], words].concat()),
    }
}

/// How this process was called.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// What is typed for this program.
    program: String,
    /// All that stood behind the program's name.
    words: Vec<String>,
    /// The options that another command needs to speak of the same databases.
    options: Vec<String>,
    /// The run that was named.
    run: Option<PathBuf>,
    /// Whether it goes over more than one database.
    pub(crate) several: bool,
}

impl Call {
    /// This process's; `databases` is how many it goes over.
    pub(crate) fn of_this_process(args: &CommonArgs, databases: usize) -> Self {
        let words = env::args_os().skip(1);
        Self {
            program: program(),
            words: words.map(|word| word.to_string_lossy().into()).collect(),
            options: options(args),
            run: args.run.clone(),
            several: databases > 1,
        }
    }

    /// Makes it the call that [`next`] speaks of.
    pub(crate) fn remember(&self) {
        // A process has one call.
        let _ = CALL.set(self.clone());
    }

    #[cfg(test)]
    pub(crate) fn typed(words: &[&str], args: &CommonArgs, databases: usize) -> Self {
        Self {
            program: "converge".to_owned(),
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
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        command_line(&self.program, &words)
    }

    /// Another command for the same databases, and for a run where one is named here or was on
    /// the command line.
    pub(crate) fn other(&self, name: &str, run: Option<&Path>) -> String {
        self.line(name, &[], run.or(self.run.as_deref()))
    }

    /// Another command with words of its own, for the same databases and run.
    pub(crate) fn with(&self, name: &str, words: &[&str]) -> String {
        self.line(name, words, self.run.as_deref())
    }

    fn line(&self, name: &str, own: &[&str], run: Option<&Path>) -> String {
        // `doctor` looks at servers, not at runs.
        let run = run
            .filter(|_| name != "doctor")
            .map(|run| run.display().to_string());
        let mut words = vec![name];
        words.extend(own);
        if let Some(run) = &run {
            words.extend(["--run", run]);
        }
        words.extend(self.options.iter().map(String::as_str));
        command_line(&self.program, &words)
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

fn command_line(program: &str, words: &[&str]) -> String {
    let words: Vec<String> = words
        .iter()
        .map(|word| shell_word(&secret::in_word(word)))
        .collect();
    format!("{program} {}", words.join(" "))
}

/// What to type for this program.
fn program() -> String {
    if let Ok(called_as) = env::var(CALLED_AS) {
        return called_as;
    }
    let typed = env::args_os().next().unwrap_or_else(|| "converge".into());
    shell_word(&typed.to_string_lossy())
}

/// As a shell takes it for one word.
pub(crate) fn shell_word(word: &str) -> String {
    if word.contains(is_hidden) {
        return escaped_word(word);
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&byte);
    match !word.is_empty() && word.bytes().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// The form of bash, zsh and newer shells, for what is not to be printed as it stands.
fn escaped_word(word: &str) -> String {
    let mut escaped = String::from("$'");
    for character in word.chars() {
        match character {
            '\'' | '\\' => escaped.extend(['\\', character]),
            _ if is_hidden(character) => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    escaped.push_str(&format!("\\{byte:03o}"));
                }
            }
            _ => escaped.push(character),
        }
    }
    escaped + "'"
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
            r"converge import --run runs/x --config 'it'\''s/my move.yml' --database alkemio --database kratos"
        );
        let call = Call::typed(&["import", "--run", "a b"], &import(&[]), 2);
        assert_eq!(call.other("doctor", None), "converge doctor");
        assert_eq!(call.again(), "converge import --run 'a b'");
        let call = Call::typed(&["import"], &import(&["--run", "a b"]), 1);
        assert_eq!(call.other("status", None), "converge status --run 'a b'");
        assert_eq!(
            call.with("baseline", &["apply"]),
            "converge baseline apply --run 'a b'"
        );
    }

    #[test]
    fn a_password_that_was_typed_is_not_repeated() {
        let scratch = [
            "baseline",
            "check",
            "--scratch",
            "postgres://u:s3 cr@et@h/d",
        ];
        let call = Call::typed(&scratch, &import(&[]), 1);
        let again = "converge baseline check --scratch 'postgres://u:${PASSWORD}@h/d'";
        assert_eq!(call.again(), again);
    }

    #[test]
    fn a_shell_gives_back_what_is_not_printed() {
        for word in [
            "a\nb",
            "\u{1b}]52;c;'\\x\u{7}9",
            "$HOME\u{202e}",
            "\u{9b}",
            "\u{e0041}ä\t",
        ] {
            let quoted = shell_word(word);
            assert!(!quoted.contains(is_hidden), "{quoted}");
            let script = format!("printf %s {quoted}");
            // `dash` does not know the form yet.
            let output = Command::new("bash").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), word);
        }
    }

    #[test]
    fn a_shell_gives_back_what_was_word() {
        for word in ["a b", "it's", "", "$HOME", "a`b", "~", "ä", "x;y", "--a=b"] {
            let script = format!("printf %s {}", shell_word(word));
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), word);
        }
    }
}
