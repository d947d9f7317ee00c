//! Nobody logs in to local servers without the passwords that their state directory keeps.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::support::{Servers, closed_folder};

impl Servers {
    /// What the client of MySQL says with more options.
    fn mysql_with(&self, options: &[&str]) -> (i32, String) {
        let words = [&["mysql", "converge_local", "-e", "select 1"], options].concat();
        let said = self.run(&words);
        (said.code, said.stderr)
    }

    /// What psql says as a role, with a password.
    fn psql_as(&self, role: &str, password: &str) -> (i32, String) {
        let env = self.read("env");
        let url = env
            .lines()
            .find_map(|line| line.strip_prefix("CONVERGE_DB_POSTGRES_URL="));
        let (_, place) = url
            .expect("it is published")
            .split_once('@')
            .expect("a URL with a login");
        let url = format!("--dbname=postgres://{role}:{password}@{place}");
        let said = self.run(&["psql", "alkemio", "-X", "-c", "select 1", &url]);
        (said.code, said.stderr)
    }

    /// Makes the servers what they were before passwords were random.
    fn make_former(&self) {
        self.mysql("alter user 'root'@'localhost' identified by 'toor'");
        self.mysql("alter user 'root'@'127.0.0.1' identified by 'toor'");
        let roles = "alter role alkemio password 'alkemio'; alter role kratos password 'kratos'";
        self.psql("postgres", roles);
        let state = self.state.join("state");
        let text = fs::read_to_string(&state).expect("the record is there");
        let lines = text.lines().filter(|line| {
            !line.starts_with("mysql_password=") && !line.starts_with("owner_password=")
        });
        let former: String = lines.map(|line| format!("{line}\n")).collect();
        fs::write(&state, former).expect("it is ours");
        let options = self.state.join("mysql.cnf");
        let text = fs::read_to_string(&options).expect("the file is there");
        let (before, _) = text.split_once("password=").expect("it has a password");
        fs::write(&options, format!("{before}password=toor\n")).expect("it is ours");
    }
}

#[test]
fn known_passwords_and_none_are_refused() {
    let servers = Servers::new("passwords");
    servers.ok(&["up"]);
    let socket = format!(
        "--socket={}",
        servers.home().join("mysql/mysql.sock").display()
    );
    for password in ["--password=toor", "--password=", "--skip-password"] {
        for way in [&["--protocol=tcp"][..], &["--protocol=socket", &socket]] {
            let (code, said) = servers.mysql_with(&[way, &[password]].concat());
            assert_ne!(code, 0, "{password} {way:?}");
            assert!(said.contains("Access denied"), "{password} {way:?}: {said}");
        }
    }
    let accounts = "select count(*) from mysql.user where user = '' \
                    or (user = 'root' and host not in ('localhost', '127.0.0.1'))";
    assert_eq!(servers.mysql(accounts), "0");
    for role in ["alkemio", "kratos", "postgres"] {
        let (code, said) = servers.psql_as(role, role);
        assert_ne!(code, 0, "{role}");
        assert!(
            said.contains("password authentication failed"),
            "{role}: {said}"
        );
    }
    assert_eq!(servers.psql("alkemio", "select current_user"), "alkemio");
    let other = Servers::new("other-passwords");
    other.ok(&["up"]);
    let password = |servers: &Servers, name: &str| {
        let state = servers.read("state");
        let password = state.lines().find_map(|line| line.strip_prefix(name));
        password.unwrap().to_owned()
    };
    for name in ["mysql_password=", "postgres_password=", "owner_password="] {
        assert_eq!(password(&servers, name).len(), 32, "{name}");
        assert_ne!(password(&servers, name), password(&other, name), "{name}");
    }
    for name in ["state", "env", "token", "mysql.cnf"] {
        let mode = fs::metadata(servers.state.join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let setup = servers.home().join("mysql-setup.sql");
    assert!(
        !setup.exists(),
        "the password stands in no file of the setup"
    );
}

#[test]
fn no_command_line_has_a_password() {
    let servers = Servers::new("lines");
    servers.ok(&["up"]);
    let passwords: Vec<String> = servers
        .read("state")
        .lines()
        .filter_map(|line| line.split_once("_password="))
        .map(|(_, password)| password.to_owned())
        .collect();
    assert_eq!(passwords.len(), 3);
    let look = "for line in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$line 2>/dev/null; echo; done";
    let mut client = servers
        .command(&["mysql", "converge_local", "-e", "select sleep(2)"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_millis(700));
    let output = Command::new("sh").args(["-c", look]).output().unwrap();
    let lines = String::from_utf8_lossy(&output.stdout);
    assert!(client.wait().unwrap().success());
    assert!(lines.contains("select sleep(2)"), "the client was seen");
    for password in passwords {
        assert!(!lines.contains(&password));
    }
}

#[test]
fn servers_of_before_are_known_and_get_passwords_when_they_are_made_anew() {
    let servers = Servers::new("former");
    servers.ok(&["up"]);
    servers.make_former();
    assert_eq!(servers.ok(&["status"]).stdout.matches(" up ").count(), 2);
    let up = servers.ok(&["up"]);
    assert!(up.stderr.contains("`cargo xtask db reset`"), "{up:?}");
    assert!(servers.read("env").contains("mysql://root:toor@127.0.0.1"));
    servers.ok(&["down"]);
    servers.ok(&["up"]);
    assert_eq!(servers.psql("kratos", "select current_user"), "kratos");
    let reset = servers.ok(&["reset"]);
    assert!(!reset.stderr.contains("note:"), "{reset:?}");
    assert!(!servers.read("env").contains("toor"));
    assert_ne!(servers.mysql_with(&["--password=toor"]).0, 0);
    servers.make_former();
    let home = servers.home();
    servers.ok(&["down", "--volumes"]);
    assert!(!home.exists());
}

#[test]
fn containers_have_no_password_that_everybody_reads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let compose = read("compose.yml");
    for name in ["MYSQL_ROOT_PASSWORD", "POSTGRES_PASSWORD"] {
        let line = compose
            .lines()
            .find(|line| line.contains(&format!("{name}: ")));
        let demanded = format!("${{{name}:?");
        assert!(line.unwrap().contains(&demanded), "{name}: {line:?}");
        let settings = read(".env.docker");
        assert!(
            !settings.lines().any(|line| line.starts_with(name)),
            "{name}"
        );
    }
}

#[test]
fn the_entrypoint_writes_the_password_for_nobody_else() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/images/postgres_entrypoint.sh");
    let script = fs::read_to_string(script).unwrap();
    let writes = script
        .lines()
        .filter(|line| line.contains(">\"$work/password\""));
    let line: Vec<&str> = writes.collect();
    assert_eq!(line.len(), 1);
    let work = closed_folder().join("entrypoint");
    fs::create_dir_all(&work).unwrap();
    let text = format!("set -eu\numask 000\npassword=secret\n{}\n", line[0]);
    let status = Command::new("sh")
        .env("work", &work)
        .args(["-c", &text])
        .status()
        .unwrap();
    assert!(status.success());
    let file = work.join("password");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(fs::read_to_string(file).unwrap(), "secret\n");
    fs::remove_dir_all(work).unwrap();
}
