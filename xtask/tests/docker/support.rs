//! A set of containers for one test, and the commands that tests call.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

/// Images whose servers differ most from the installed ones.
pub(crate) const IMAGES: [(&str, &str); 2] = [
    ("MYSQL_IMAGE", "localhost/converge/mysql:9.7"),
    ("POSTGRES_IMAGE", "localhost/converge/postgres:18"),
];

/// A state directory and the containers that belong to it, removed at the end of the test.
pub(crate) struct Containers {
    pub(crate) state: PathBuf,
    ports: [u16; 2],
    /// Asked for while the containers run.
    project: OnceLock<String>,
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    pub(crate) fn of(output: Output) -> Said {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is text");
        Said {
            code: output.status.code().expect("no signal"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Checks the exit code.
    pub(crate) fn expect(self, code: i32) -> Said {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        self
    }
}

impl Containers {
    pub(crate) fn new(name: &str) -> Containers {
        let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("docker-{name}"));
        let containers = Containers {
            state,
            ports: free_ports(),
            project: OnceLock::new(),
        };
        // What a killed run left behind.
        containers.take_away();
        fs::create_dir_all(&containers.state).expect("the state directory can be made");
        containers
    }

    /// Containers that are up.
    pub(crate) fn up(name: &str) -> Containers {
        let containers = Containers::new(name);
        containers.db(&["up"]).expect(0);
        containers.project();
        containers
    }

    /// `cargo xtask` with these words, for these containers.
    pub(crate) fn xtask(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(words)
            .env("CONVERGE_DB_STATE", &self.state)
            .env("MYSQL_PORT", self.ports[0].to_string())
            .env("POSTGRES_PORT", self.ports[1].to_string())
            .envs(IMAGES)
            .current_dir(&self.state)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn db(&self, words: &[&str]) -> Said {
        let words = [&["db", "--provider", "docker"], words].concat();
        Said::of(self.xtask(&words).output().expect("xtask starts"))
    }

    pub(crate) fn mysql(&self, sql: &str) -> String {
        let words = [
            "mysql",
            "alkemio",
            "--batch",
            "--skip-column-names",
            "-e",
            sql,
        ];
        self.db(&words).expect(0).stdout.trim().to_owned()
    }

    pub(crate) fn psql(&self, sql: &str) -> String {
        let words = [
            "psql",
            "alkemio",
            "-X",
            "--tuples-only",
            "--no-align",
            "-c",
            sql,
        ];
        self.db(&words).expect(0).stdout.trim().to_owned()
    }

    /// The container of a service.
    pub(crate) fn container(&self, service: &str) -> String {
        let ids = docker(&[
            "ps",
            "--all",
            "--quiet",
            "--filter",
            &format!("label=com.docker.compose.project={}", self.project()),
            "--filter",
            &format!("label=com.docker.compose.service={service}"),
        ]);
        assert!(!ids.is_empty(), "there is no container of {service}");
        ids
    }

    /// The project's name, which every container of it has as a label.
    pub(crate) fn project(&self) -> &str {
        self.project.get_or_init(|| {
            let filter = format!("publish={}", self.ports[0]);
            let format = "{{.Label \"com.docker.compose.project\"}}";
            let name = docker(&["ps", "--filter", &filter, "--format", format]);
            assert!(name.starts_with("converge-"), "`{name}` publishes the port");
            // For whoever cleans up after a test that was killed.
            fs::write(self.state.join("project"), &name).expect("it can be written");
            name
        })
    }

    pub(crate) fn published(&self, variable: &str) -> String {
        let env = fs::read_to_string(self.state.join("env")).expect("servers are up");
        let mut pairs = env.lines().filter_map(|line| line.split_once('='));
        let found = pairs.find(|(name, _)| *name == variable);
        found.expect("the variable is published").1.to_owned()
    }

    /// Writes a configuration for both servers' database `alkemio`.
    pub(crate) fn write_config(&self) {
        let text = format!(
            "version: 1\nenvironment: scratch\ndatabases:\n  alkemio:\n    source: {}\n    target: {}\n",
            self.published("ALKEMIO_MYSQL_URL"),
            self.published("ALKEMIO_POSTGRES_URL"),
        );
        fs::write(self.state.join("config.yml"), text).expect("the file can be written");
    }

    /// A data command on that configuration.
    pub(crate) fn converge(&self, words: &[&str]) -> Command {
        self.xtask(&[words, &["--config", "config.yml"]].concat())
    }

    /// The directory of the only run, relative to the state directory.
    pub(crate) fn run_directory(&self) -> PathBuf {
        let runs = fs::read_dir(self.state.join("runs")).expect("there is a run");
        let mut names = runs.flatten().map(|entry| entry.file_name());
        let only = names.next().expect("there is a run");
        assert_eq!(names.next(), None);
        Path::new("runs").join(only)
    }

    fn take_away(&self) {
        if self.state.join("state").exists() {
            // A paused container cannot be stopped; one that is not paused says so.
            let project = fs::read_to_string(self.state.join("project")).unwrap_or_default();
            let filter = format!("label=com.docker.compose.project={project}");
            for id in docker(&["ps", "--quiet", "--filter", &filter]).lines() {
                let _ = Command::new("docker").args(["unpause", id]).output();
            }
            let said = self.db(&["down", "--volumes"]);
            assert!(said.code == 0 || thread::panicking(), "{said:?}");
            if said.code != 0 {
                // What is left is known by what lies there.
                return;
            }
        }
        let _ = fs::remove_dir_all(&self.state);
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        self.take_away();
    }
}

/// What `docker` prints.
pub(crate) fn docker(words: &[&str]) -> String {
    let output = Command::new("docker")
        .args(words)
        .output()
        .expect("docker starts");
    assert!(output.status.success(), "docker {words:?}: {output:?}");
    String::from_utf8(output.stdout)
        .expect("output is text")
        .trim()
        .to_owned()
}

/// Begins a command that goes on in the background.
pub(crate) fn begin(mut command: Command) -> Child {
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    piped.spawn().expect("xtask starts")
}

pub(crate) fn finish(child: Child) -> Said {
    Said::of(child.wait_with_output().expect("it ends"))
}

/// Waits until `look` finds something.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "waited for {what}"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

fn free_ports() -> [u16; 2] {
    // Both are held until both are known, or they could be the same.
    let listeners = [(); 2].map(|()| listener());
    listeners.map(|listener| port_of(&listener))
}

pub(crate) fn listener() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port")
}

pub(crate) fn port_of(listener: &TcpListener) -> u16 {
    listener.local_addr().expect("it has an address").port()
}
