//! An engine, image or port that cannot be had: each has its own message, and `auto` goes on
//! without containers.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, symlink},
        net::UnixListener,
    },
    process::Command,
};

use crate::support::{Containers, Said, listener, port_of};

/// Nobody listens on the port that is named for discarding.
const NO_IMAGE: &str = "127.0.0.1:9/none:1";

/// Checks that `db up` is refused with this reason and a way out.
fn check(mut command: Command, reason: &str) {
    let said = Said::of(command.output().expect("it starts")).expect(3);
    assert!(said.stderr.contains(reason), "{said:?}");
    assert!(said.stderr.contains("\nhint: "), "{said:?}");
}

fn up(servers: &Containers) -> Command {
    servers.xtask(&["db", "--provider", "docker", "up"])
}

#[test]
fn a_missing_client_is_named() {
    let servers = Containers::new("no-client");
    let mut command = up(&servers);
    command.env("PATH", &servers.state);
    check(command, "docker is not installed");
}

#[test]
fn a_missing_compose_is_named() {
    let servers = Containers::new("no-compose");
    let found = Command::new("sh")
        .args(["-c", "command -v docker"])
        .output()
        .unwrap();
    let client = String::from_utf8(found.stdout).unwrap();
    symlink(client.trim(), servers.state.join("docker")).unwrap();
    let mut command = up(&servers);
    // So that nothing is started where the client brings Compose itself.
    command
        .env("PATH", &servers.state)
        .env("MYSQL_IMAGE", NO_IMAGE);
    let plugin = Command::new("docker")
        .args(["compose", "version"])
        .output()
        .unwrap();
    let reason = match plugin.status.success() {
        true => "cannot be pulled",
        false => "neither `docker compose` nor `docker-compose` is installed",
    };
    check(command, reason);
}

#[test]
fn an_engine_that_is_not_running_is_named() {
    let servers = Containers::new("stopped");
    let mut command = up(&servers);
    let socket = servers.state.join("no.sock");
    command.env("DOCKER_HOST", format!("unix://{}", socket.display()));
    check(command, "the Docker engine is not running");
}

#[test]
fn a_socket_without_permission_is_named() {
    let servers = Containers::new("closed");
    let socket = servers.state.join("closed.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o000)).unwrap();
    let inner = up(&servers);
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut command = Command::new("setpriv");
    if is_root {
        // Root may open everything, unless it gives that right away.
        command.args(["--bounding-set", "-dac_override,-dac_read_search"]);
    }
    command
        .arg("--")
        .arg(inner.get_program())
        .args(inner.get_args())
        .env("CONVERGE_DB_STATE", &servers.state)
        .env("DOCKER_HOST", format!("unix://{}", socket.display()));
    check(command, "this user may not use the socket");
}

#[test]
fn an_image_that_no_registry_has_is_named() {
    let servers = Containers::new("no-image");
    let mut command = up(&servers);
    // Nobody listens on the port that is named for discarding.
    command.env("MYSQL_IMAGE", "127.0.0.1:9/none:1");
    check(
        command,
        "the image 127.0.0.1:9/none:1 is not here and cannot be pulled",
    );
    assert!(!servers.state.join("state").exists());
}

#[test]
fn a_busy_port_and_its_holder_are_named() {
    let servers = Containers::new("busy");
    let listener = listener();
    let port = port_of(&listener);
    let mut command = up(&servers);
    command.env("POSTGRES_PORT", port.to_string());
    let holder = format!("(process {})", std::process::id());
    check(command, &holder);

    let first = Containers::up("holder");
    let held = first.published("ALKEMIO_POSTGRES_URL");
    let held = held.rsplit_once(':').unwrap().1.split('/').next().unwrap();
    let mut command = up(&servers);
    command.env("POSTGRES_PORT", held);
    let project = first.project();
    check(
        command,
        &format!("port {held} is held by the container {project}"),
    );
}

#[test]
fn a_container_that_fails_shows_the_end_of_its_log() {
    let servers = Containers::new("failing");
    let mut command = up(&servers);
    // An image whose program is no database server at all.
    command.env("MYSQL_IMAGE", "localhost/converge/postgres:18");
    let said = Said::of(command.output().unwrap()).expect(1);
    assert!(said.stderr.contains("the end of its log"), "{said:?}");
    assert!(!servers.state.join("state").exists());
}

#[test]
fn auto_runs_processes_where_no_engine_answers() {
    let servers = Containers::new("auto");
    let mut command = servers.xtask(&[
        "db",
        "up",
        "--mysql",
        "mysql-9.7",
        "--postgres",
        "postgres-18",
    ]);
    let socket = servers.state.join("no.sock");
    command.env("DOCKER_HOST", format!("unix://{}", socket.display()));
    let said = Said::of(command.output().unwrap()).expect(0);
    let line = "db: servers as processes, not as containers: the Docker engine is not running\n";
    assert!(said.stderr.contains(line), "{said:?}");
    // What is there decides from now on.
    let words = ["db", "--provider", "docker", "up"];
    let said = Said::of(servers.xtask(&words).output().unwrap()).expect(3);
    assert!(said.stderr.contains("of the provider native"), "{said:?}");
    let down = ["db", "down", "--volumes"];
    Said::of(servers.xtask(&down).output().unwrap()).expect(0);
}
