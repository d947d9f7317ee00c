//! The operating system account that a server runs as.
//!
//! It only matters for root; everybody else runs servers as themselves.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

/// An account other than the one we run as.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// The account of that name on this machine.
    pub(crate) fn named(name: &str) -> Option<Account> {
        let sh = Shell::new().ok()?;
        let number = |flag: &str| -> Option<u32> {
            let text = cmd!(sh, "id {flag} {name}")
                .quiet()
                .ignore_stderr()
                .read()
                .ok()?;
            text.parse().ok()
        };
        Some(Account {
            uid: number("-u")?,
            gid: number("-g")?,
        })
    }

    /// Gives a file or directory to this account.
    pub(crate) fn own(self, path: &Path) -> Result<()> {
        chown(path, Some(self.uid), Some(self.gid))
            .with_context(|| format!("cannot change the owner of {}", path.display()))
    }
}

/// The account that MySQL or MariaDB runs as where we are root, if there is one.
pub(crate) fn of_mysql() -> Option<Account> {
    is_root().then(|| Account::named("mysql")).flatten()
}

/// The account that PostgreSQL runs as where we are root: it refuses to run as that.
pub(crate) fn of_postgres() -> Option<Account> {
    let candidates = ["postgres", "nobody"];
    let find = || candidates.iter().find_map(|name| Account::named(name));
    is_root().then(find).flatten()
}

/// Whether this process runs as root.
pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// Runs `command` as the account, if there is one.
pub(crate) fn run_as(command: &mut Command, account: Option<Account>) {
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
}
