//! Installs missing servers on Debian and Ubuntu, or says how.
//!
//! Only packages that start no service; for PostgreSQL, whose package would make and
//! start a cluster on port 5432, that is switched off for the time of the installation.

use std::{
    env, fs,
    io::{self, BufRead, IsTerminal, Write},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use super::{account, programs};
use crate::{
    failure::{BLOCKED, Failure},
    ticker,
};

/// Server and client of the MySQL family, best first: unversioned names are Debian's
/// from 12 and Ubuntu's from 24.04 on.
const MYSQL_PACKAGES: [[&str; 2]; 3] = [
    ["mariadb-server-core", "mariadb-client-core"],
    ["mariadb-server-core-10.6", "mariadb-client-core-10.6"],
    ["mysql-server-core-8.0", "mysql-client-core-8.0"],
];

/// Supported major versions, the recommended one first.
const POSTGRES_MAJORS: [u32; 4] = [17, 16, 15, 14];

/// A setting of postgresql-common that only lives while we install.
const CLUSTER_FOLDER: &str = "/etc/postgresql-common/createcluster.d";
const CLUSTER_FILE: &str = "/etc/postgresql-common/createcluster.d/converge.conf";

/// Installs what is missing after asking, or fails with the commands to type.
pub(crate) fn install(mysql: bool, postgres: bool, yes: bool) -> Result<()> {
    let mut names = Vec::new();
    if mysql {
        names.push("a MySQL or MariaDB server with its client");
    }
    if postgres {
        names.push("a PostgreSQL server");
    }
    let missing = names.join(" and ");
    if !is_debian() {
        let hint =
            "install them by the system's own means, without starting a service, and try again";
        return Err(Failure::new(BLOCKED, format!("missing: {missing}"))
            .hint(hint)
            .into());
    }
    let apt = Apt::new();
    let packages = apt.choose(mysql, postgres)?;
    let refuse = |why: &str| {
        // A small system of root's has no sudo.
        let sudo = if account::is_root() { "" } else { "sudo " };
        let hint = format!("type\n{}", commands_to_type(&packages, postgres, sudo));
        Failure::new(BLOCKED, format!("missing: {missing}{why}")).hint(hint)
    };
    if !apt.may_install {
        return Err(refuse("; installing needs root or sudo without a password").into());
    }
    if !yes && !agreed(&packages)? {
        return Err(refuse("").into());
    }
    if postgres {
        return apt.without_cluster(|| apt.install(&packages));
    }
    apt.install(&packages)
}

struct Apt {
    /// Words before a command that make it run as root.
    prefix: &'static [&'static str],
    may_install: bool,
}

impl Apt {
    fn new() -> Apt {
        if account::is_root() {
            return Apt {
                prefix: &[],
                may_install: true,
            };
        }
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "true"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Apt {
            prefix: &["sudo", "-n"],
            may_install: sudo.status().is_ok_and(|status| status.success()),
        }
    }

    /// The packages to install, after fetching the lists where they know of none.
    fn choose(&self, mysql: bool, postgres: bool) -> Result<Vec<String>> {
        if let Some(packages) = choose(mysql, postgres, has_candidate) {
            return Ok(packages);
        }
        if !self.may_install {
            // What the newest systems have; the list is fetched by hand, too.
            let packages = choose(mysql, postgres, |name| !name.ends_with(char::is_numeric));
            return packages.context("no package has a plain name");
        }
        self.run(&["apt-get", "update"])?;
        choose(mysql, postgres, has_candidate).ok_or_else(|| {
            let message = "the package lists of apt name no server to install";
            let hint = "look at /etc/apt/sources.list.d for what is missing";
            Failure::new(BLOCKED, message).hint(hint).into()
        })
    }

    fn install(&self, packages: &[String]) -> Result<()> {
        let mut words = vec!["apt-get", "install", "--yes", "--no-install-recommends"];
        // Another apt may be at work, as on a machine that was just booted.
        words.extend(["-o", "DPkg::Lock::Timeout=300"]);
        words.extend(packages.iter().map(String::as_str));
        if self.run(&words).is_ok() {
            return Ok(());
        }
        // Old lists name files that the archive no longer has.
        self.run(&["apt-get", "update"])?;
        self.run(&words)
    }

    /// Runs `work` while postgresql-common is told to make no cluster.
    fn without_cluster(&self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let folder_was_there = Path::new(CLUSTER_FOLDER).exists();
        self.run(&["mkdir", "-p", CLUSTER_FOLDER])?;
        self.run(&[
            "sh",
            "-c",
            "echo 'create_main_cluster = false' >\"$1\"",
            "sh",
            CLUSTER_FILE,
        ])?;
        let worked = work();
        self.run(&["rm", "-f", CLUSTER_FILE])?;
        if !folder_was_there {
            // The package may have put files of its own there, which is no failure.
            let _ = self.run(&["rmdir", "--ignore-fail-on-non-empty", CLUSTER_FOLDER]);
        }
        worked
    }

    /// Runs a command as root, with its output on our stderr.
    fn run(&self, words: &[&str]) -> Result<()> {
        let environment = [
            "env",
            "DEBIAN_FRONTEND=noninteractive",
            "NEEDRESTART_SUSPEND=1",
        ];
        let all: Vec<&str> = self
            .prefix
            .iter()
            .chain(&environment)
            .chain(words)
            .copied()
            .collect();
        let mut command = Command::new(all[0]);
        command.args(&all[1..]);
        let status = ticker::run(command, &format!("db: running {}", words[..2].join(" ")))
            .with_context(|| format!("cannot start {}", all[0]))?;
        if !status.success() {
            bail!("`{}` failed ({status})", words.join(" "));
        }
        Ok(())
    }
}

/// The best packages among those that are `available`.
fn choose(mysql: bool, postgres: bool, available: impl Fn(&str) -> bool) -> Option<Vec<String>> {
    let mut packages = Vec::new();
    if mysql {
        let pair = MYSQL_PACKAGES
            .iter()
            .find(|pair| pair.iter().all(|package| available(package)))?;
        packages.extend(pair.iter().map(|package| (*package).to_owned()));
    }
    if postgres {
        let mut names = POSTGRES_MAJORS
            .iter()
            .map(|major| format!("postgresql-{major}"));
        // An archive that has only a newer one has it behind the plain name.
        let name = names.find(|name| available(name));
        packages.push(name.or_else(|| available("postgresql").then(|| "postgresql".to_owned()))?);
    }
    Some(packages)
}

fn has_candidate(package: &str) -> bool {
    let Ok(sh) = Shell::new() else {
        return false;
    };
    // Without the variable, the answer is in the user's language.
    let policy = cmd!(sh, "apt-cache policy {package}")
        .env("LC_ALL", "C")
        .quiet()
        .ignore_stderr()
        .read();
    policy.is_ok_and(|text| {
        let candidate = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("Candidate: "));
        candidate.is_some_and(|version| version != "(none)")
    })
}

fn is_debian() -> bool {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let named = release
        .lines()
        .filter(|line| line.starts_with("ID=") || line.starts_with("ID_LIKE="))
        .any(|line| line.contains("debian") || line.contains("ubuntu"));
    named && programs::search(&["apt-get"]).is_some()
}

fn commands_to_type(packages: &[String], postgres: bool, sudo: &str) -> String {
    let mut lines = vec![format!("  {sudo}apt-get update")];
    if postgres {
        lines.push(format!("  {sudo}mkdir -p {CLUSTER_FOLDER}"));
        lines.push(format!(
            "  echo 'create_main_cluster = false' | {sudo}tee {CLUSTER_FILE}"
        ));
    }
    lines.push(format!(
        "  {sudo}apt-get install --no-install-recommends {}",
        packages.join(" ")
    ));
    lines.join("\n")
}

/// Asks on a terminal; elsewhere says what happens and goes on, or no machine could
/// do it.
fn agreed(packages: &[String]) -> Result<bool> {
    let packages = packages.join(" ");
    let asked =
        io::stdin().is_terminal() && io::stderr().is_terminal() && env::var_os("CI").is_none();
    if !asked {
        eprintln!("db: installing {packages} by apt-get; no service is started");
        return Ok(true);
    }
    eprint!("db: install {packages} by apt-get? No service is started. [y/N] ");
    io::stderr().flush().context("cannot ask")?;
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .context("cannot read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_available_packages_are_chosen() {
        let bookworm = [
            "mariadb-server-core",
            "mariadb-client-core",
            "postgresql-15",
            "postgresql",
        ];
        let jammy = [
            "mariadb-server-core-10.6",
            "mariadb-client-core-10.6",
            "postgresql-14",
        ];
        let sid = ["postgresql", "postgresql-18"];
        let chosen = |archive: &[&str], mysql| choose(mysql, true, |name| archive.contains(&name));
        assert_eq!(chosen(&bookworm, true).unwrap(), bookworm[..3]);
        assert_eq!(chosen(&jammy, true).unwrap(), jammy);
        assert_eq!(chosen(&sid, false).unwrap(), ["postgresql"]);
        assert_eq!(chosen(&sid, true), None);
    }

    #[test]
    fn commands_keep_the_package_from_making_a_cluster() {
        let text = commands_to_type(&["postgresql-15".to_owned()], true, "sudo ");
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[2].contains("create_main_cluster = false"));
        assert!(lines[3].starts_with("  sudo apt-get install "));
        assert!(lines[3].ends_with("postgresql-15"));
        assert_eq!(
            commands_to_type(&["mariadb-server-core".to_owned()], false, ""),
            "  apt-get update\n  apt-get install --no-install-recommends mariadb-server-core"
        );
    }
}
