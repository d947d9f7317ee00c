//! Fetches packages of any Debian suite with apt, into a folder of its own.
//!
//! The machine's own package lists and packages are neither read nor changed; the address
//! of the archive and the keys that sign it are the machine's.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{
    db::programs,
    failure::{BLOCKED, Failure},
};

/// Signs all suites; Debian's own machines have it, elsewhere it is a package.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Names the archive where the machine's own sources are not Debian's.
const MIRROR_VARIABLE: &str = "CONVERGE_DEBIAN_MIRROR";

/// Names of the archive's main suites, as they stand in a machine's sources.
const DEBIAN_SUITES: [&str; 8] = [
    "bookworm",
    "trixie",
    "forky",
    "sid",
    "oldstable",
    "stable",
    "testing",
    "unstable",
];

/// A part of Debian's archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suite {
    Bookworm,
    Trixie,
    Sid,
}

impl Suite {
    fn name(self) -> &'static str {
        match self {
            Suite::Bookworm => "bookworm",
            Suite::Trixie => "trixie",
            Suite::Sid => "sid",
        }
    }

    /// Whether there is a suite with this one's security updates.
    fn has_security_updates(self) -> bool {
        self != Suite::Sid
    }
}

/// Why no packages can be fetched here, and what can be done about it; none where they can.
pub(crate) fn obstacle() -> Option<(String, &'static str)> {
    for program in ["apt-get", "dpkg-deb"] {
        if programs::search(&[program]).is_none() {
            return Some((
                format!("packages need {program}, which is not here"),
                "releases are for Debian and Ubuntu; elsewhere use installed servers or images",
            ));
        }
    }
    if !Path::new(KEYRING).is_file() {
        let reason = format!("{KEYRING} is missing, by which packages are checked");
        return Some((reason, "install the package debian-archive-keyring"));
    }
    if mirror().is_none() {
        let reason = "this machine's apt knows no archive of Debian".to_owned();
        return Some((reason, "name one: CONVERGE_DEBIAN_MIRROR=<address>"));
    }
    None
}

fn mirror() -> Option<String> {
    let named = env::var(MIRROR_VARIABLE).ok();
    named.or_else(|| machine_archive("Debian"))
}

/// The packages `names` of a suite and all that they depend on, as files.
///
/// # Errors
/// Where there is no apt, no archive is known, or it does not have them.
pub(crate) fn fetch(folder: &Path, suite: Suite, names: &[&str]) -> Result<Vec<PathBuf>> {
    let archive = Archive::open(folder, suite)?;
    archive.run("fetching package lists", &["update"])?;
    // Without an answer from dpkg's status, which is empty, all dependencies are chosen.
    let install = ["install", "--yes", "--no-install-recommends"];
    let plan = archive.read(&[&install[..], &["--simulate"], names].concat())?;
    archive.run(
        "fetching packages",
        &[&install[..], &["--download-only"], names].concat(),
    )?;
    let files: Vec<PathBuf> = plan
        .lines()
        .filter_map(file_name)
        .map(|name| archive.folder.join("cache/archives").join(name))
        .collect();
    if let Some(missing) = files.iter().find(|file| !file.is_file()) {
        bail!("apt did not leave {}", missing.display());
    }
    Ok(files)
}

/// The file that apt makes for `Inst name (version source [architecture])`; a colon in a
/// version is escaped.
fn file_name(line: &str) -> Option<String> {
    let (name, rest) = line.strip_prefix("Inst ")?.split_once(" (")?;
    let version = rest.split(' ').next()?.replace(':', "%3a");
    let architecture = rest.split_once('[')?.1.split(']').next()?;
    Some(format!("{name}_{version}_{architecture}.deb"))
}

/// apt's own world in a folder.
struct Archive {
    folder: PathBuf,
    config: PathBuf,
    /// Two commands may want packages of one suite at once.
    _lock: File,
}

impl Archive {
    fn open(folder: &Path, suite: Suite) -> Result<Archive> {
        if let Some((reason, hint)) = obstacle() {
            return Err(Failure::new(BLOCKED, reason).hint(hint).into());
        }
        let folder = folder.join(suite.name());
        for part in ["lists/partial", "cache/archives/partial", "etc/parts"] {
            let path = folder.join(part);
            fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        }
        let lock = folder.join("lock");
        let lock =
            File::create(&lock).with_context(|| format!("cannot open {}", lock.display()))?;
        lock.lock().context("cannot lock the packages' folder")?;
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        write("status", "")?;
        write("etc/sources.list", &sources(suite)?)?;
        write("apt.conf", &configuration(&folder))?;
        Ok(Archive {
            config: folder.join("apt.conf"),
            folder,
            _lock: lock,
        })
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("apt-get");
        command
            .args(words)
            .env("APT_CONFIG", &self.config)
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        command
    }

    /// Runs apt silently; what it said is shown when it fails.
    fn run(&self, what: &str, words: &[&str]) -> Result<()> {
        self.output(what, words).map(drop)
    }

    fn read(&self, words: &[&str]) -> Result<String> {
        self.output("choosing packages", words)
    }

    fn output(&self, what: &str, words: &[&str]) -> Result<String> {
        let output = self
            .command(words)
            .output()
            .context("cannot start apt-get")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("{what} failed:\n{}", said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Lines of a `sources.list`.
fn sources(suite: Suite) -> Result<String> {
    let mirror = mirror().context("no archive of Debian is known")?;
    let line =
        |address: &str, suite: &str| format!("deb [signed-by={KEYRING}] {address} {suite} main\n");
    let mut lines = line(&mirror, suite.name());
    if suite.has_security_updates()
        && let Some(security) = machine_archive("Debian-Security")
    {
        lines += &line(&security, &format!("{}-security", suite.name()));
    }
    Ok(lines)
}

/// The address of an archive among the machine's own sources: the one with this label, or
/// where the machine never fetched a list, the first whose suite has such a name.
fn machine_archive(label: &str) -> Option<String> {
    let labelled = format!("Label: {label}");
    let first = |filters: &[&str]| {
        let text = targets(filters)?;
        let is_security = label.ends_with("Security");
        let mut lines = text.lines().filter_map(|line| line.split_once(' '));
        let found = lines.find(|(suite, _)| match is_security {
            true => suite.ends_with("-security"),
            false => DEBIAN_SUITES.contains(suite),
        });
        found.map(|(_, address)| address.to_owned())
    };
    let found = first(&["Origin: Debian", &labelled]);
    // Other archives name their suites after Debian's, too.
    let is_likely = |address: &String| address.contains("/debian");
    found.or_else(|| first(&["Component: main"]).filter(is_likely))
}

/// Suite and address of each list of packages that apt is set up for.
fn targets(filters: &[&str]) -> Option<String> {
    let output = Command::new("apt-get")
        .args(["indextargets", "--format", "$(RELEASE) $(REPO_URI)"])
        .arg("Created-By: Packages")
        .args(filters)
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()
}

fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    [
        format!("Dir::Etc \"{folder}/etc\";"),
        "Dir::Etc::sourcelist \"sources.list\";".to_owned(),
        "Dir::Etc::sourceparts \"parts\";".to_owned(),
        "Dir::Etc::parts \"parts\";".to_owned(),
        "Dir::Etc::preferencesparts \"parts\";".to_owned(),
        format!("Dir::State \"{folder}\";"),
        format!("Dir::State::status \"{folder}/status\";"),
        format!("Dir::Cache \"{folder}/cache\";"),
        format!("Dir::Log \"{folder}\";"),
        // The folder need not be open to apt's own user.
        "APT::Sandbox::User \"root\";".to_owned(),
        "Acquire::Languages \"none\";".to_owned(),
        proxies(),
        // A mirror of an unstable suite may be some days old; signatures are checked.
        "Acquire::Check-Valid-Until \"false\";".to_owned(),
        String::new(),
    ]
    .join("\n")
}

/// How this machine's apt reaches archives, such as through a proxy.
fn proxies() -> String {
    let dump = Command::new("apt-config")
        .args(["dump", "Acquire"])
        .output();
    let text = dump.map_or_else(|_| Vec::new(), |output| output.stdout);
    let text = String::from_utf8_lossy(&text);
    let is_proxy = |line: &&str| line.starts_with("Acquire::http") && line.contains("Proxy");
    text.lines().filter(is_proxy).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_chosen_package_has_its_escaped_version() {
        let line =
            "Inst mariadb-server-core (1:10.11.19-0+deb12u1 Debian-Security:12/stable [amd64])";
        assert_eq!(
            file_name(line).unwrap(),
            "mariadb-server-core_1%3a10.11.19-0+deb12u1_amd64.deb"
        );
        assert_eq!(
            file_name("Inst tzdata (2026b-1 Debian:13/stable [all]) []").unwrap(),
            "tzdata_2026b-1_all.deb"
        );
        assert_eq!(file_name("Conf tzdata (2026b-1)"), None);
    }
}
