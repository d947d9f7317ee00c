//! The life of local servers, on real ones: up, found again, protected, down, removed.
//!
//! Each test has a state directory of its own and takes its servers away.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// Servers in a directory of their own, removed at the end of the test.
struct Servers {
    state: PathBuf,
}

/// What a command said.
#[derive(Debug)]
struct Said {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Servers {
    fn new(name: &str) -> Servers {
        let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let servers = Servers { state };
        // What a killed run left behind.
        servers.take_away();
        servers
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(["db", "--provider", "native", "--state-dir"])
            .arg(&self.state)
            .args(args)
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Said {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(args).output().expect("xtask starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is text");
        Said {
            code: status.code().expect("no signal"),
            stdout: text(stdout),
            stderr: text(stderr),
        }
    }

    /// Runs a command that must succeed.
    fn ok(&self, args: &[&str]) -> Said {
        let said = self.run(args);
        assert_eq!(said.code, 0, "{args:?}: {said:?}");
        said
    }

    fn mysql(&self, sql: &str) -> String {
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

    fn psql(&self, database: &str, sql: &str) -> String {
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

    fn token(&self) -> String {
        self.read("token")
    }

    /// The pid of a server's process.
    fn pid(&self, server: &str) -> String {
        self.read(&format!("{server}.pid"))
    }

    /// A file of the state directory.
    fn read(&self, name: &str) -> String {
        let text = fs::read_to_string(self.state.join(name)).expect("the file is there");
        text.trim().to_owned()
    }

    fn take_away(&self) {
        // Refused where the test changed the token; the rest is done by hand then.
        let _ = self.command(&["down", "--volumes"]).output();
        let _ = self.command(&["down"]).output();
        let _ = fs::remove_dir_all(&self.state);
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.take_away();
    }
}

/// Whether the process lives; one that ended may still wait for its parent, without a
/// command line.
fn runs(pid: &str) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

#[test]
fn data_survives_down_and_up_and_is_removed_on_demand() {
    let servers = Servers::new("life");
    assert_eq!(servers.run(&["status"]).code, 1);
    servers.ok(&["up"]);
    let status = servers.ok(&["status"]).stdout;
    assert_eq!(status.matches(" up ").count(), 2, "{status}");
    assert_eq!(servers.mysql("select token from token"), servers.token());
    assert_eq!(
        servers.psql("converge_local", "select token from token"),
        servers.token()
    );

    let pid = servers.pid("mysql");
    let again = servers.ok(&["up"]);
    assert!(again.stderr.contains("already up"), "{again:?}");
    assert_eq!(servers.pid("mysql"), pid);

    servers.mysql("create table alkemio.kept (id int primary key)");
    servers.psql("alkemio", "create table kept (id int primary key)");
    let env = fs::read_to_string(servers.state.join("env")).unwrap();
    servers.ok(&["down"]);
    assert_eq!(servers.run(&["status"]).code, 1);
    assert_eq!(servers.run(&["psql"]).code, 3);
    assert!(!runs(&pid));

    servers.ok(&["up"]);
    assert_eq!(fs::read_to_string(servers.state.join("env")).unwrap(), env);
    assert_eq!(servers.mysql("select count(*) from alkemio.kept"), "0");
    assert_eq!(servers.psql("alkemio", "select count(*) from kept"), "0");

    let token = servers.token();
    servers.ok(&["reset"]);
    assert_ne!(servers.token(), token);
    assert_eq!(
        servers.psql("alkemio", "select to_regclass('kept') is null"),
        "t"
    );

    servers.ok(&["down", "--volumes"]);
    for name in ["mysql", "postgres", "env", "token", "state", "mysql.cnf"] {
        assert!(!servers.state.join(name).exists(), "{name}");
    }
}

#[test]
fn data_is_kept_when_a_server_has_another_token() {
    let servers = Servers::new("foreign");
    servers.ok(&["up"]);
    let token = servers.token();
    servers.mysql("update token set token = 'of somebody else'");
    for args in [&["reset"][..], &["down", "--volumes"]] {
        let said = servers.run(args);
        assert_eq!(said.code, 3, "{said:?}");
        assert!(said.stderr.contains("does not have the token"), "{said:?}");
    }
    assert_eq!(servers.run(&["status"]).code, 1);
    servers.mysql(&format!("update token set token = '{token}'"));
    servers.psql("converge_local", "drop table token");
    assert_eq!(servers.run(&["reset"]).code, 3);
    assert_eq!(servers.mysql("select token from token"), token);
}

#[test]
fn servers_start_again_after_they_were_killed() {
    let servers = Servers::new("killed");
    servers.ok(&["up"]);
    servers.psql("alkemio", "create table kept (id int primary key)");
    for server in ["mysql", "postgres"] {
        let killed = Command::new("sh")
            .args(["-c", "kill -s KILL \"$1\"", "sh", &servers.pid(server)])
            .status()
            .unwrap();
        assert!(killed.success());
    }
    assert_eq!(servers.run(&["status"]).code, 1);
    let up = servers.ok(&["up"]);
    assert!(up.stderr.contains("up again"), "{up:?}");
    assert_eq!(servers.psql("alkemio", "select count(*) from kept"), "0");
}

#[test]
fn an_unfinished_start_is_made_anew() {
    let servers = Servers::new("unfinished");
    servers.ok(&["up"]);
    let state = servers.state.join("state");
    let text = fs::read_to_string(&state).unwrap();
    fs::write(&state, text.replace("complete=true", "complete=false")).unwrap();
    let pid = servers.pid("postgres");
    servers.ok(&["up"]);
    assert_ne!(servers.pid("postgres"), pid);
    assert!(!runs(&pid));
    assert_eq!(servers.ok(&["status"]).stdout.matches(" up ").count(), 2);
}

#[test]
fn servers_whose_data_was_swept_away_are_made_anew() {
    let servers = Servers::new("swept");
    servers.ok(&["up"]);
    servers.ok(&["down"]);
    fs::remove_dir_all(servers.state.join("postgres")).unwrap();
    servers.ok(&["up"]);
    assert_eq!(
        servers.psql("converge_local", "select token from token"),
        servers.token()
    );
}

#[test]
fn paths_may_be_long_and_hold_quotes_and_blanks() {
    let name = format!("it's a \"state\" of ${{HOME}} {}", "long".repeat(30));
    let servers = Servers::new(&name);
    servers.ok(&["up"]);
    assert_eq!(servers.mysql("select 1"), "1");
    servers.ok(&["reset"]);
    assert_eq!(servers.psql("kratos", "select current_user"), "kratos");
    servers.ok(&["down", "--volumes"]);
}

#[test]
fn two_sets_do_not_know_each_other() {
    let (one, other) = (Servers::new("one"), Servers::new("other"));
    one.ok(&["up"]);
    other.ok(&["up"]);
    assert_ne!(one.mysql("select @@port"), other.mysql("select @@port"));
    one.ok(&["down", "--volumes"]);
    assert_eq!(other.ok(&["status"]).stdout.matches(" up ").count(), 2);
    assert_eq!(other.mysql("select token from token"), other.token());
}

#[test]
fn data_directories_that_nobody_recorded_are_not_touched() {
    let servers = Servers::new("unrecorded");
    let precious = servers.state.join("mysql/precious");
    fs::create_dir_all(precious.parent().unwrap()).unwrap();
    fs::write(&precious, "kept").unwrap();
    let said = servers.run(&["up"]);
    assert_eq!(said.code, 3, "{said:?}");
    assert_eq!(fs::read_to_string(&precious).unwrap(), "kept");
}

#[test]
fn a_state_directory_may_be_closed_to_the_servers_account() {
    let servers = Servers::new("closed/state");
    let closed = servers.state.parent().unwrap();
    fs::create_dir_all(closed).unwrap();
    fs::set_permissions(closed, fs::Permissions::from_mode(0o700)).unwrap();
    servers.ok(&["up"]);
    assert_eq!(servers.psql("alkemio", "select 1"), "1");
    // Only root has other accounts to run servers as.
    let elsewhere = !servers.state.join("postgres").exists();
    assert_eq!(elsewhere, fs::metadata("/proc/self").unwrap().uid() == 0);
    servers.ok(&["down", "--volumes"]);
}

#[test]
fn the_guard_takes_servers_away_when_its_command_ends() {
    let servers = Servers::new("guarded");
    servers.ok(&["up"]);
    let pid = servers.pid("mysql");
    let mut guard = servers
        .command(&["guard"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    assert!(runs(&pid));
    drop(guard.stdin.take());
    assert!(guard.wait().unwrap().success());
    assert!(!runs(&pid));
    assert!(!servers.state.join("mysql").exists());
}

/// A program in cargo's place that prints what `line` says in the shell.
///
/// Another process writes it: a file that a thread of ours had open while another one
/// starts a program could not be run.
fn cargo_that_prints(name: &str, line: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let write = "printf '#!/bin/sh\\necho \"%s\"\\n' \"$2\" > \"$1\" && chmod 700 \"$1\"";
    let status = Command::new("sh")
        .args(["-c", write, "sh"])
        .arg(&path)
        .arg(line)
        .status()
        .expect("sh starts");
    assert!(status.success());
    path
}

const URL_VARIABLES: [&str; 4] = [
    "ALKEMIO_MYSQL_URL",
    "ALKEMIO_POSTGRES_URL",
    "KRATOS_MYSQL_URL",
    "KRATOS_POSTGRES_URL",
];

#[test]
fn data_commands_get_all_local_addresses_or_none() {
    let servers = Servers::new("addresses");
    servers.ok(&["up"]);
    let shown = URL_VARIABLES.map(|name| format!("${name}")).join("|");
    let cargo = cargo_that_prints("cargo-that-prints-addresses", &shown);
    let addresses = |args: &[&str], set: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(args)
            .env("CARGO", &cargo)
            .env("CONVERGE_DB_STATE", &servers.state);
        for name in URL_VARIABLES {
            command.env_remove(name).env_remove(format!("{name}_FILE"));
        }
        let output = command.envs(set.iter().copied()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap().trim().to_owned();
        (text(output.stdout), text(output.stderr))
    };
    let env = servers.read("env");
    let local = URL_VARIABLES.map(|name| {
        let start = format!("{name}=");
        env.lines()
            .find_map(|line| line.strip_prefix(&start))
            .unwrap()
    });
    let (stdout, stderr) = addresses(&["migrate"], &[]);
    assert_eq!(stdout, local.join("|"));
    assert!(stderr.contains("local servers are up"), "{stderr}");
    for (args, set, expected) in [
        (
            &["migrate"][..],
            &[("ALKEMIO_POSTGRES_URL", "postgres://db/")][..],
            "|postgres://db/||",
        ),
        (
            &["verify"],
            &[("KRATOS_MYSQL_URL_FILE", "/run/secret")],
            "|||",
        ),
        (&["export", "--config", "mine.yml"], &[], "|||"),
        (&["rehearse", "--config=mine.yml"], &[], "|||"),
    ] {
        let said = addresses(args, set);
        assert_eq!(said, (expected.to_owned(), String::new()), "{args:?}");
    }
}

#[test]
fn clients_reach_no_file_of_the_server() {
    let servers = Servers::new("files");
    servers.ok(&["up"]);
    let file = servers.state.join("secret");
    fs::write(&file, "secret").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    for path in ["/etc/passwd", file.to_str().unwrap()] {
        let sql = format!("select load_file('{path}') is null");
        assert_eq!(servers.mysql(&sql), "1", "{path}");
    }
    let written = format!("/tmp/converge-{}", std::process::id());
    let sql = format!("select 1 into outfile '{written}'");
    let said = servers.run(&["mysql", "converge_local", "-e", &sql]);
    assert_ne!(said.code, 0, "{said:?}");
    assert!(said.stderr.contains("--secure-file-priv"), "{said:?}");
    let allowed = servers.mysql("select @@secure_file_priv");
    if allowed != "NULL" {
        // Nothing lies in the one folder that a MariaDB may use.
        let folder = servers.state.join("mysql-files");
        assert_eq!(Path::new(&allowed), folder.canonicalize().unwrap());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
    servers.ok(&["down", "--volumes"]);
    assert!(!servers.state.join("mysql-files").exists());
}

#[test]
fn a_recorded_place_that_is_not_ours_is_not_removed() {
    let servers = Servers::new("misled");
    servers.ok(&["up"]);
    servers.ok(&["down"]);
    let foreign = Path::new(env!("CARGO_TARGET_TMPDIR")).join("of somebody else");
    let precious = [foreign.join("mysql/precious"), foreign.join("precious")];
    fs::create_dir_all(foreign.join("mysql")).unwrap();
    for path in &precious {
        fs::write(path, "kept").unwrap();
    }
    let state = servers.state.join("state");
    let recorded = servers.read("state");
    let lines = recorded.lines().map(|line| match line.split_once('=') {
        Some(("home", _)) => format!("home={}\n", foreign.display()),
        Some(("complete", _)) => "complete=false\n".to_owned(),
        _ => format!("{line}\n"),
    });
    fs::write(&state, lines.collect::<String>()).unwrap();
    for args in [&["up"][..], &["reset"], &["down", "--volumes"]] {
        let said = servers.run(args);
        assert_eq!(said.code, 3, "{said:?}");
        assert!(said.stderr.contains("nothing there proves"), "{said:?}");
        assert!(said.stderr.contains("\nhint: "), "{said:?}");
        for path in &precious {
            assert_eq!(fs::read_to_string(path).unwrap(), "kept", "{args:?}");
        }
    }
    fs::write(&state, recorded + "\n").unwrap();
    servers.ok(&["down", "--volumes"]);
    fs::remove_dir_all(&foreign).unwrap();
}

#[test]
fn rehearse_on_fixtures_never_uses_the_users_databases() {
    let servers = Servers::new("rehearse");
    let cargo = cargo_that_prints("cargo-that-tells", "$ALKEMIO_MYSQL_URL $*");
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["rehearse", "--scale", "3", "--jobs", "1"])
        .args(["--provider", "native"])
        .env("CARGO", &cargo)
        .env("CONVERGE_DB_STATE", &servers.state)
        .env("ALKEMIO_MYSQL_URL", "mysql://production/")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let env = servers.read("env");
    let url = env
        .lines()
        .next()
        .unwrap()
        .strip_prefix("ALKEMIO_MYSQL_URL=")
        .unwrap();
    let ends = [
        "-p devtool",
        "-p converge",
        "-p devtool -- fixtures load --scale 3",
        "-p devtool -- fixtures targets",
        "/fixtures/rehearse.yml",
    ];
    assert_eq!(stdout.lines().count(), ends.len(), "{stdout}");
    for (index, (line, end)) in stdout.lines().zip(ends).enumerate() {
        assert!(line.ends_with(end), "{line}");
        // Builds come first, and touch no database.
        assert_eq!(line.starts_with(url), index >= 2, "{line}");
    }
    assert!(
        stdout.contains("-p converge -- rehearse --jobs 1 --config "),
        "{stdout}"
    );
}

#[test]
fn no_pipe_of_the_caller_stays_open() {
    let servers = Servers::new("pipes");
    // `output` returns when both pipes are closed, which a server would prevent.
    let said = servers.ok(&["up"]);
    assert_eq!(said.stdout.lines().count(), 3, "{said:?}");
    for server in ["mysql", "postgres"] {
        for stream in 0..3 {
            let open = fs::read_link(format!("/proc/{}/fd/{stream}", servers.pid(server))).unwrap();
            assert!(
                open.is_absolute() && !open.starts_with("/dev/pts"),
                "{}",
                open.display()
            );
        }
    }
}
