//! Where a benchmark works: its directory beside the local servers, its lock, its configuration.
//!
//! What it removes is the directory `bench` of the state directory and nothing else.

use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::system::{System, workspace_root};

/// Names the state directory where it is not the default, as everywhere in this workspace.
const STATE_VARIABLE: &str = "CONVERGE_DB_STATE";

/// The directories and files of a benchmark; the lock ends with it.
#[derive(Debug)]
pub(crate) struct Place {
    state: PathBuf,
    work: PathBuf,
    _lock: File,
}

impl Place {
    /// Takes the lock of the state directory's servers and makes an empty working directory.
    ///
    /// # Errors
    /// Where another benchmark is at work there: each would count the other's work.
    pub(crate) fn make() -> Result<Self> {
        let state = std::env::var_os(STATE_VARIABLE)
            .map_or_else(|| workspace_root().join("target/db"), PathBuf::from);
        let state = std::path::absolute(&state)
            .with_context(|| format!("cannot use {}", state.display()))?;
        let path = state.join("bench.lock");
        let lock =
            File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        if lock.try_lock().is_err() {
            bail!(
                "another benchmark is at work on these servers: it holds {}",
                path.display()
            );
        }
        let work = state.join("bench");
        let place = Self {
            state,
            work,
            _lock: lock,
        };
        // What a killed benchmark left behind.
        place.remove_work()?;
        DirBuilder::new()
            .mode(0o700)
            .create(&place.work)
            .with_context(|| format!("cannot make {}", place.work.display()))?;
        Ok(place)
    }

    /// The directory of the data and pid files, which `db up` wrote down.
    pub(crate) fn home_of_servers(&self) -> Result<PathBuf> {
        let text = self.read("state")?;
        let home = setting(&text, "home").context("the state directory names no home")?;
        Ok(home.into())
    }

    /// The directory beside the servers, whose files outlive a benchmark.
    pub(crate) fn state(&self) -> &Path {
        &self.state
    }

    /// The working directory.
    pub(crate) fn work(&self) -> &Path {
        &self.work
    }

    /// The run directory of the round.
    pub(crate) fn run_directory(&self) -> PathBuf {
        self.work.join("run")
    }

    /// The directory of a stage's files.
    pub(crate) fn files_of(&self, system: System, stage: &str) -> PathBuf {
        self.run_directory().join(system.name()).join(stage)
    }

    /// Removes the run of the round.
    pub(crate) fn remove_run(&self) -> Result<()> {
        remove(&self.run_directory())
    }

    /// Removes the working directory.
    pub(crate) fn remove_work(&self) -> Result<()> {
        remove(&self.work)
    }

    /// Writes the workspace's `alkemio.yml` with the addresses of the databases under
    /// `prefix` in place of its variables, and returns its path. Other tools have no rules.
    pub(crate) fn write_config(&self, prefix: &str, with_rules: bool) -> Result<PathBuf> {
        let example = workspace_root().join("alkemio.yml");
        let text = fs::read_to_string(&example)
            .with_context(|| format!("cannot read {}", example.display()))?;
        let mut config = with_addresses(&text, &self.read("env")?, prefix)?;
        if !with_rules {
            config = without_rules(&config);
        }
        let path = self.work.join("bench.yml");
        fs::write(&path, config).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    fn read(&self, name: &str) -> Result<String> {
        let path = self.state.join(name);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}

fn remove(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", directory.display()))
        }
        _ => Ok(()),
    }
}

fn setting<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs
        .into_iter()
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// Replaces `${NAME:-default}` by the address that `env` has for NAME, with the prefix before
/// the database's name.
fn with_addresses(text: &str, env: &str, prefix: &str) -> Result<String> {
    let mut config = text.to_owned();
    for system in System::ALL {
        for server in ["MYSQL", "POSTGRES"] {
            let name = format!("{}_{server}_URL", system.name().to_uppercase());
            let server = setting(env, &name)
                .and_then(|url| url.strip_suffix(system.name()))
                .with_context(|| format!("the state directory has no address {name}"))?;
            let address = format!("{server}{prefix}{}", system.name());
            let start = config.find(&format!("${{{name}:-"));
            let length = start.and_then(|start| config[start..].find('}'));
            let (Some(start), Some(length)) = (start, length) else {
                bail!("alkemio.yml does not use {name}");
            };
            config.replace_range(start..=start + length, &address);
        }
    }
    // It lies elsewhere.
    let fixtures = format!("checks: {}/", workspace_root().join("fixtures").display());
    let config = config.replace("checks: fixtures/", &fixtures);
    // Whatever else came from the environment would not be the benchmark's own.
    if config.contains("${") {
        bail!("alkemio.yml uses a variable that the benchmark does not know");
    }
    Ok(config)
}

/// The lines that are not `rules:` and what is below it.
fn without_rules(config: &str) -> String {
    let mut within = false;
    let kept = config.lines().filter(|line| {
        within = *line == "    rules:" || within && line.starts_with("      ");
        !within
    });
    kept.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENV: &str = "ALKEMIO_MYSQL_URL=mysql://root:toor@127.0.0.1:1/alkemio\n\
        KRATOS_MYSQL_URL=mysql://root:toor@127.0.0.1:1/kratos\n\
        ALKEMIO_POSTGRES_URL=postgres://alkemio:alkemio@127.0.0.1:2/alkemio\n\
        KRATOS_POSTGRES_URL=postgres://kratos:kratos@127.0.0.1:2/kratos\n";

    #[test]
    fn the_configuration_has_the_rules_of_the_example_and_no_variables() {
        let example = fs::read_to_string(workspace_root().join("alkemio.yml")).unwrap();
        let config = with_addresses(&example, ENV, "bench_").unwrap();
        for line in [
            "    source: mysql://root:toor@127.0.0.1:1/bench_alkemio",
            "    target: postgres://alkemio:alkemio@127.0.0.1:2/bench_alkemio",
            "    source: mysql://root:toor@127.0.0.1:1/bench_kratos",
            "    target: postgres://kratos:kratos@127.0.0.1:2/bench_kratos",
            "environment: scratch",
        ] {
            assert!(
                config.lines().any(|found| found == line),
                "{line}\n{config}"
            );
        }
        let rules = |text: &str| text.matches("when:").count();
        assert!(rules(&config) > 0);
        assert_eq!(rules(&config), rules(&example));
        assert!(!config.contains('$'), "{config}");
        let bare = without_rules(&config);
        assert_eq!(rules(&bare), 0);
        assert!(!bare.contains("rules") && bare.contains("types:"), "{bare}");
    }

    #[test]
    fn a_variable_that_is_missing_or_unknown_is_an_error() {
        let example = fs::read_to_string(workspace_root().join("alkemio.yml")).unwrap();
        let lacking = ENV.replace("KRATOS_MYSQL_URL", "X");
        assert!(with_addresses(&example, &lacking, "").is_err());
        let other = format!("{example}\n# ${{OTHER}}\n");
        assert!(with_addresses(&other, ENV, "").is_err());
        assert!(with_addresses("version: 1\n", ENV, "").is_err());
    }
}
