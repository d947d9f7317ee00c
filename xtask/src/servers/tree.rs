//! A folder with the unpacked packages of a release, and programs in it that run from there.
//!
//! Each program is replaced by a script that starts it with the folder's own loader and
//! libraries: it needs neither the machine's libraries nor a changed binary.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::{
    Family, Release,
    archive::{self, Suite},
};
use crate::{
    db::{place, programs::search, state::remove_if_there},
    ticker::Ticker,
};

/// Programs that are started, by us or by each other.
const PROGRAMS: [&str; 9] = [
    "usr/sbin/mysqld",
    "usr/bin/mysql",
    "usr/sbin/mariadbd",
    "usr/bin/mariadb",
    "usr/bin/my_print_defaults",
    "usr/bin/resolveip",
    "bin/initdb",
    "bin/postgres",
    "bin/psql",
];

/// The package and program of a pooler of sessions, and where the package has it.
const PGBOUNCER: &str = "pgbouncer";
const PGBOUNCER_PROGRAM: &str = "usr/sbin/pgbouncer";

/// Folders of packages that no server reads.
const LEFT_OUT: [&str; 5] = [
    "./usr/share/doc",
    "./usr/share/man",
    "./usr/share/info",
    "./usr/share/lintian",
    "./usr/share/perl",
];

/// Where programs of a release run from.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    path: PathBuf,
    release: &'static Release,
}

impl Tree {
    /// The tree of a release, if it was made before.
    pub(crate) fn find(release: &'static Release) -> Result<Option<Tree>> {
        let path = name_of_folder().join(release.name);
        Ok(path.is_dir().then_some(Tree { path, release }))
    }

    /// The tree of a release, made where it is not there yet.
    pub(crate) fn prepare(release: &'static Release) -> Result<Tree> {
        let content = (release.suite, release.packages);
        let path = tree(release.name, content, |draft| programs(draft, release))?;
        Ok(Tree { path, release })
    }

    /// Whose server it holds.
    pub(crate) fn family(&self) -> Family {
        self.release.family
    }

    /// A file or folder of it.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The folder of PostgreSQL's programs.
    pub(crate) fn postgres_bin(&self) -> PathBuf {
        postgres_bin(&self.path, self.release)
    }
}

/// PgBouncer, where the machine has it, or it was fetched before.
pub(crate) fn find_pgbouncer() -> Result<Option<PathBuf>> {
    let fetched = name_of_folder().join(PGBOUNCER).join(PGBOUNCER_PROGRAM);
    let fetched = fetched.is_file().then_some(fetched);
    Ok(fetched.or_else(|| search(&[PGBOUNCER])))
}

/// PgBouncer, fetched where it is not there yet.
pub(crate) fn pgbouncer() -> Result<PathBuf> {
    if let Some(found) = find_pgbouncer()? {
        return Ok(found);
    }
    let path = tree(PGBOUNCER, (Suite::Bookworm, &[PGBOUNCER]), |draft| {
        Ok(vec![draft.join(PGBOUNCER_PROGRAM)])
    })?;
    Ok(path.join(PGBOUNCER_PROGRAM))
}

/// A folder with packages and all that they depend on, made where it is not there yet, in which
/// the `programs` start.
fn tree(
    name: &str,
    (suite, packages): (Suite, &[&str]),
    programs: impl FnOnce(&Path) -> Result<Vec<PathBuf>>,
) -> Result<PathBuf> {
    let folder = folder()?;
    let path = folder.join(name);
    if path.is_dir() {
        return Ok(path);
    }
    let draft = folder.join(format!("{name}.{}", std::process::id()));
    let fetching = format!("servers: fetching and unpacking {name}");
    eprintln!("{fetching}");
    let _ticker = Ticker::start(fetching);
    unpack(&folder, suite, packages, &draft)?;
    for program in programs(&draft)? {
        wrap(&program, &draft, &path)?;
    }
    // Another command may have been faster.
    if fs::rename(&draft, &path).is_err() {
        remove_if_there(&draft)?;
    }
    Ok(path)
}

fn postgres_bin(tree: &Path, release: &Release) -> PathBuf {
    tree.join("usr/lib/postgresql")
        .join(release.series())
        .join("bin")
}

/// Where trees and fetched packages are kept, open to the servers' accounts.
pub(crate) fn folder() -> Result<PathBuf> {
    let folder = name_of_folder();
    place::make_open_dir_in_folder(&folder)?;
    Ok(folder)
}

/// The name of that folder, which need not be there.
pub(crate) fn name_of_folder() -> PathBuf {
    place::name_of_folder().join("servers")
}

/// Unpacks packages with all that they depend on into a new folder.
pub(crate) fn unpack(folder: &Path, suite: Suite, names: &[&str], into: &Path) -> Result<()> {
    let packages = archive::fetch(folder, suite, names)?;
    remove_if_there(into)?;
    // As on every system of today; packages of older suites still name the other paths.
    for part in ["bin", "sbin", "lib", "lib64"] {
        fs::create_dir_all(into.join("usr").join(part))
            .with_context(|| format!("cannot make {}", into.display()))?;
        symlink(format!("usr/{part}"), into.join(part))
            .with_context(|| format!("cannot make {}", into.join(part).display()))?;
    }
    for package in packages {
        unpack_one(&package, into)
            .with_context(|| format!("cannot unpack {}", package.display()))?;
    }
    Ok(())
}

fn unpack_one(package: &Path, into: &Path) -> Result<()> {
    let mut reader = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(package)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start dpkg-deb")?;
    let stream = reader.stdout.take().expect("stdout is piped");
    let mut tar = Command::new("tar");
    tar.args([
        "--extract",
        "--keep-directory-symlink",
        "--no-same-owner",
        "--same-permissions",
    ])
    .args(LEFT_OUT.map(|folder| format!("--exclude={folder}")))
    .arg("--directory")
    .arg(into);
    let unpacked = tar.stdin(stream).status().context("cannot start tar")?;
    let read = reader.wait().context("cannot wait for dpkg-deb")?;
    if !unpacked.success() || !read.success() {
        bail!("dpkg-deb or tar failed");
    }
    Ok(())
}

/// The programs of [`PROGRAMS`] that this release has.
fn programs(tree: &Path, release: &Release) -> Result<Vec<PathBuf>> {
    let bin = postgres_bin(tree, release);
    let all = PROGRAMS.iter().map(|name| match name.strip_prefix("bin/") {
        Some(name) => bin.join(name),
        None => tree.join(name),
    });
    // A link leads to a program that is found under its own name.
    let found: Vec<PathBuf> = all
        .filter(|path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()))
        .collect();
    let server = if release.family == Family::Postgres {
        3
    } else {
        2
    };
    if found.len() < server {
        bail!("the packages of {} lack its programs", release.name);
    }
    Ok(found)
}

/// Puts a script in the place of a program; `tree` is where both will be.
fn wrap(program: &Path, draft: &Path, tree: &Path) -> Result<()> {
    let inside = |path: &Path| {
        let relative = path.strip_prefix(draft).expect("it lies in the tree");
        tree.join(relative)
    };
    let libraries = libraries(draft)?;
    let loader = fs::read_dir(&libraries)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("ld-linux")
        })
        .context("the packages have no loader of programs")?;
    let real = program.with_extension("real");
    fs::rename(program, &real).with_context(|| format!("cannot move {}", program.display()))?;
    let quoted = |path: &Path| format!("'{}'", path.display().to_string().replace('\'', "'\\''"));
    let libraries = inside(&libraries);
    let script = format!(
        "#!/bin/sh\n\
         # Starts the program of the same folder with its own loader and libraries.\n\
         export LOCPATH={}\n\
         exec {} --library-path {} --argv0 \"$0\" {} \"$@\"\n",
        quoted(&tree.join("usr/lib/locale")),
        quoted(&inside(&loader)),
        quoted(&libraries),
        quoted(&inside(&real)),
    );
    fs::write(program, script)
        .and_then(|()| fs::set_permissions(program, Permissions::from_mode(0o755)))
        .with_context(|| format!("cannot write {}", program.display()))
}

/// The folder of the machine's architecture, such as `usr/lib/x86_64-linux-gnu`.
fn libraries(tree: &Path) -> Result<PathBuf> {
    let lib = tree.join("usr/lib");
    let entries = fs::read_dir(&lib).with_context(|| format!("cannot list {}", lib.display()))?;
    let mut folders = entries.flatten().map(|entry| entry.path());
    folders
        .find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.contains("-linux-gnu")
        })
        .context("the packages have no libraries")
}
