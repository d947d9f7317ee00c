//! Servers of a test's own, and programs that stand in for cargo.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// Servers in a directory of their own, removed at the end of the test.
pub(crate) struct Servers {
    pub(crate) state: PathBuf,
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// Runs a command to its end.
    pub(crate) fn by(command: &mut Command) -> Said {
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().expect("xtask starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is text");
        Said {
            code: status.code().expect("no signal"),
            stdout: text(stdout),
            stderr: text(stderr),
        }
    }
}

impl Servers {
    pub(crate) fn new(name: &str) -> Servers {
        let state = closed_folder().join(name);
        let servers = Servers { state };
        // What a killed run left behind.
        servers.take_away();
        servers
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(["db", "--provider", "native", "--state-dir"])
            .arg(&self.state)
            .args(args)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        Said::by(&mut self.command(args))
    }

    /// Runs a command that must succeed.
    pub(crate) fn ok(&self, args: &[&str]) -> Said {
        let said = self.run(args);
        assert_eq!(said.code, 0, "{args:?}: {said:?}");
        said
    }

    pub(crate) fn mysql(&self, sql: &str) -> String {
        let said = self.ok(&[
            "mysql",
            "converge_local",
            "--batch",
            "--skip-column-names",
            "-e",
            sql,
        ]);
        said.stdout.trim().to_owned()
    }

    pub(crate) fn psql(&self, database: &str, sql: &str) -> String {
        let said = self.ok(&[
            "psql",
            database,
            "-X",
            "--tuples-only",
            "--no-align",
            "-c",
            sql,
        ]);
        said.stdout.trim().to_owned()
    }

    pub(crate) fn token(&self) -> String {
        self.read("token")
    }

    /// The directory of the data and pid files, as the record has it.
    pub(crate) fn home(&self) -> PathBuf {
        self.recorded_home().expect("the record names the home")
    }

    fn recorded_home(&self) -> Option<PathBuf> {
        let record = fs::read_to_string(self.state.join("state")).ok()?;
        let mut lines = record.lines();
        lines.find_map(|line| line.strip_prefix("home=").map(PathBuf::from))
    }

    /// The pid of a server's process.
    pub(crate) fn pid(&self, server: &str) -> String {
        let text = fs::read_to_string(self.home().join(format!("{server}.pid")));
        text.expect("the pid file is there").trim().to_owned()
    }

    /// A file of the state directory.
    pub(crate) fn read(&self, name: &str) -> String {
        let text = fs::read_to_string(self.state.join(name)).expect("the file is there");
        text.trim().to_owned()
    }

    fn take_away(&self) {
        // A copied record names the original's data, which is not ours to remove.
        let is_own = |home: &PathBuf| {
            fs::read_to_string(home.join("state-directory"))
                .is_ok_and(|state| Path::new(state.trim_end_matches('\n')) == self.state)
        };
        let home = self.recorded_home().filter(is_own);
        // Refused where the test changed the token; the rest is done by hand then.
        let _ = self.command(&["down", "--volumes"]).output();
        let _ = self.command(&["down"]).output();
        for folder in home.iter().chain([&self.state]) {
            let _ = fs::remove_dir_all(folder);
        }
        // The workspace's folder in /var/tmp, where this was the last one in it.
        if let Some(folder) = home.as_deref().and_then(Path::parent) {
            let _ = fs::remove_dir(folder);
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.take_away();
    }
}

/// A workspace without sources, in which xtask believes itself to be.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
}

impl Workspace {
    pub(crate) fn new(name: &str) -> Workspace {
        let root = closed_folder().join(name);
        let workspace = Workspace { root };
        // What a killed run left behind.
        workspace.db(&["down", "--volumes"]);
        let _ = fs::remove_dir_all(&workspace.root);
        let program = workspace.program();
        fs::create_dir_all(program.parent().expect("it lies in a folder"))
            .expect("the folder is made");
        // By another process, as the scripts below.
        let copied = Command::new("cp")
            .arg(env!("CARGO_BIN_EXE_xtask"))
            .arg(program)
            .status();
        assert!(copied.expect("cp starts").success());
        workspace
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.root.join("target/release/xtask")
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.program());
        command
            .args(args)
            .env("CARGO_PKG_NAME", "xtask")
            .env("CARGO_MANIFEST_DIR", self.root.join("xtask"))
            .env_remove("CONVERGE_DB_STATE")
            .stdin(Stdio::null());
        command
    }

    /// Runs `db` in it, where it is there.
    pub(crate) fn db(&self, args: &[&str]) -> Option<Said> {
        let mut command = self.command(&["db", "--provider", "native"]);
        command.args(args);
        self.program().exists().then(|| Said::by(&mut command))
    }
}

/// A folder that only we can enter.
pub(crate) fn closed_folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("closed");
    fs::create_dir_all(&folder).expect("the folder is made");
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).expect("the folder is closed");
    folder
}

/// Whether the process lives; one that ended may still wait for its parent, without a
/// command line.
pub(crate) fn runs(pid: &str) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

/// A program in cargo's place that prints what `line` says in the shell, and keeps it in a file
/// beside it, with the ending `log`.
pub(crate) fn cargo_that_prints(name: &str, line: &str) -> PathBuf {
    let path = cargo_that(name, &format!("echo \"{line}\" | tee -a \"$0.log\""));
    let _ = fs::remove_file(path.with_extension("log"));
    path
}

/// A program in cargo's place, as a script of the shell.
///
/// Another process writes it: a file that a thread of ours had open while another one
/// starts a program could not be run.
pub(crate) fn cargo_that(name: &str, script: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let write = "printf '#!/bin/sh\n%s\n' \"$2\" > \"$1\" && chmod 700 \"$1\"";
    let status = Command::new("sh")
        .args(["-c", write, "sh"])
        .arg(&path)
        .arg(script)
        .status()
        .expect("sh starts");
    assert!(status.success());
    path
}
