//! A pair of servers for one test that stops or kills them, which the shared ones would not
//! bear. `cargo xtask db` makes them, in a state directory of the test's own.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use testing::workspace_root;

use crate::support::signal;

/// A MySQL and a PostgreSQL server with a database `alkemio` each, removed at the end.
pub(crate) struct OwnServers {
    state: PathBuf,
}

/// The processes of a server; the first one starts the others.
pub(crate) struct Processes(Vec<u32>);

/// The password of a URL's login.
pub(crate) fn password(url: &str) -> &str {
    let (login, _) = url.rsplit_once('@').unwrap();
    login.rsplit_once(':').unwrap().1
}

impl OwnServers {
    /// Starts them.
    pub(crate) fn up(name: &str) -> Self {
        let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let servers = Self { state };
        // What a killed test left behind.
        servers.take_away();
        servers.start();
        servers
    }

    /// Starts what does not run, with the data of before.
    pub(crate) fn start(&self) {
        let output = self.db(&["up", "--yes"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }

    pub(crate) fn source_url(&self) -> String {
        self.published("ALKEMIO_MYSQL_URL")
    }

    /// The password of the source's root, as it stands in the URL.
    pub(crate) fn source_password(&self) -> String {
        password(&self.source_url()).to_owned()
    }

    pub(crate) fn target_url(&self) -> String {
        self.published("ALKEMIO_POSTGRES_URL")
    }

    pub(crate) fn source(&self) -> source::Connection {
        let endpoint = source::Endpoint::parse(&self.source_url()).unwrap();
        source::Connection::open(&endpoint).unwrap()
    }

    pub(crate) fn target(&self) -> target::Connection {
        let endpoint = target::Endpoint::parse(&self.target_url()).unwrap();
        target::Connection::open(&endpoint).unwrap()
    }

    /// The target's server as the role that may change its settings.
    pub(crate) fn target_as_superuser(&self) -> target::Connection {
        let url = self.published("CONVERGE_DB_POSTGRES_URL");
        let endpoint = target::Endpoint::parse(&url).unwrap();
        target::Connection::open(&endpoint).unwrap()
    }

    /// Stops all processes of the source, as if the machine hung: connections are accepted,
    /// and nobody answers.
    pub(crate) fn freeze_source(&self) -> Processes {
        self.freeze(self.source_process())
    }

    /// The same with the target.
    pub(crate) fn freeze_target(&self) -> Processes {
        self.freeze(self.target_process())
    }

    /// Kills all processes of the source at once, as a power cut would.
    pub(crate) fn kill_source(&self) {
        self.freeze_source().send("KILL");
    }

    /// The same with the target.
    pub(crate) fn kill_target(&self) {
        self.freeze_target().send("KILL");
    }

    /// Asks the target to shut down once all of its sessions have ended.
    pub(crate) fn shut_target_down(&self) {
        Processes(vec![self.target_process()]).send("TERM");
    }

    fn freeze(&self, first: u32) -> Processes {
        // The first one before the others are looked up, so that no new one comes.
        let pids = Processes(vec![first]);
        self.remember(&pids);
        pids.send("STOP");
        let mut pids = pids.0;
        pids.extend(children(first));
        let all = Processes(pids);
        self.remember(&all);
        all.send("STOP");
        all
    }

    fn source_process(&self) -> u32 {
        let rows = self.source().query_text("select @@datadir, @@pid_file");
        let row = rows.unwrap().remove(0);
        let path = Path::new(row[0].as_deref().unwrap()).join(row[1].as_deref().unwrap());
        fs::read_to_string(path).unwrap().trim().parse().unwrap()
    }

    /// The parent of the process that serves a connection.
    fn target_process(&self) -> u32 {
        let mut connection = self.target();
        let rows = connection.query_text("select pg_catalog.pg_backend_pid()::text");
        let pid = rows.unwrap()[0][0].as_deref().unwrap().parse().unwrap();
        parent(pid).unwrap()
    }

    fn db(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--manifest-path"])
            .arg(workspace_root().join("Cargo.toml"))
            .args(["--package", "xtask", "--", "db", "--provider", "native"])
            .arg("--state-dir")
            .arg(&self.state)
            .args(arguments)
            .args(chosen("--mysql", "CONVERGE_TEST_MYSQL"))
            .args(chosen("--postgres", "CONVERGE_TEST_POSTGRES"))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn published(&self, variable: &str) -> String {
        let env = fs::read_to_string(self.state.join("env")).unwrap();
        let mut pairs = env.lines().filter_map(|line| line.split_once('='));
        let (_, url) = pairs.find(|(name, _)| *name == variable).unwrap();
        url.to_owned()
    }

    /// Writes down who is stopped: a test that is killed cannot let them go on.
    fn remember(&self, processes: &Processes) {
        let pids: Vec<String> = processes.0.iter().map(u32::to_string).collect();
        fs::write(self.state.join("frozen"), pids.join(" ")).unwrap();
    }

    fn take_away(&self) {
        let frozen = self.state.join("frozen");
        let pids = fs::read_to_string(&frozen).unwrap_or_default();
        let pids = pids.split(' ').filter_map(|pid| pid.parse().ok());
        Processes(pids.collect()).send("CONT");
        let _ = fs::remove_file(frozen);
        let _ = self.db(&["down", "--volumes"]);
        let _ = fs::remove_dir_all(&self.state);
    }
}

impl Drop for OwnServers {
    fn drop(&mut self) {
        self.take_away();
    }
}

impl Processes {
    /// Lets stopped processes go on.
    pub(crate) fn thaw(&self) {
        self.send("CONT");
    }

    fn send(&self, name: &str) {
        for pid in &self.0 {
            // One that ended meanwhile is none to worry about.
            let _ = signal(name, *pid);
        }
    }
}

/// The kind of server that the run of all tests was asked for.
fn chosen(option: &str, variable: &str) -> Vec<String> {
    let server = env::var(variable).ok();
    server.map_or_else(Vec::new, |server| vec![option.to_owned(), server])
}

fn children(pid: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    pids.filter(|child| parent(*child) == Some(pid)).collect()
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name, which may hold anything, stands in parentheses before.
    let (_, after) = stat.rsplit_once(") ")?;
    after.split(' ').nth(1)?.parse().ok()
}
