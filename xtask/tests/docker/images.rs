//! The entrypoints of images made here: what they must never remove, and what they begin anew.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::support::{IMAGES, docker, wait_for};

/// Where each image keeps its data, and what it wants to know.
const SERVERS: [(&str, &str, &str); 2] = [
    (
        IMAGES[0].1,
        "/var/lib/mysql",
        "MYSQL_ROOT_PASSWORD=it's \\na secret",
    ),
    (
        IMAGES[1].1,
        "/var/lib/postgresql/data",
        "POSTGRES_PASSWORD=it's \\na secret",
    ),
];

/// Asks the server over TCP, with the password of the environment.
const QUESTION: &str = "if command -v psql >/dev/null; \
    then PGPASSWORD=$POSTGRES_PASSWORD psql -h 127.0.0.1 -U postgres -c 'select 1'; \
    else MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysql -h 127.0.0.1 -u root -e 'select 1'; fi";

#[test]
fn a_folder_that_holds_something_else_is_left_alone() {
    let folder: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docker-not-empty");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("deep")).unwrap();
    fs::write(folder.join("thesis.txt"), "kept").unwrap();
    for (image, data, setting) in SERVERS {
        let mount = format!("{}:{data}", folder.display());
        let Output { status, stderr, .. } = Command::new("docker")
            .args(["run", "--rm", "--env", setting, "--volume", &mount, image])
            .output()
            .unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(1), "{image}: {stderr}");
        assert!(stderr.contains("nothing was changed"), "{image}: {stderr}");
        assert_eq!(
            fs::read_to_string(folder.join("thesis.txt")).unwrap(),
            "kept"
        );
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "{image}");
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_setup_that_was_cut_short_begins_anew_and_whole_data_is_kept() {
    for (index, (image, data, setting)) in SERVERS.into_iter().enumerate() {
        let name = format!("converge-test-setup-{index}-{}", std::process::id());
        let _container = Container(name.clone());
        let mount = format!("{name}:{data}");
        docker(&[
            "run", "--detach", "--name", &name, "--env", setting, "--volume", &mount, image,
        ]);
        // The folder in which the server is made.
        let begun = format!("test -e {data}/.setup/new");
        wait_for("the setup", || ask(&name, &begun).then_some(()));
        docker(&["kill", &name]);
        docker(&["start", &name]);
        wait_for("the server", || ask(&name, QUESTION).then_some(()));
        let mark = format!("test -e {data}/mark || touch {data}/mark");
        assert!(ask(&name, &mark), "{image}");
        docker(&["stop", &name]);
        let code = docker(&["inspect", "--format", "{{.State.ExitCode}}", &name]);
        assert_eq!(code, "0", "{image} stops in order");
        docker(&["start", &name]);
        wait_for("the server", || ask(&name, QUESTION).then_some(()));
        assert!(
            ask(
                &name,
                &format!("test -e {data}/mark && ! test -e {data}/.setup")
            ),
            "{image}"
        );
    }
}

/// Whether a command of the shell succeeds in the container.
fn ask(container: &str, script: &str) -> bool {
    let output = Command::new("docker")
        .args(["exec", container, "sh", "-c", script])
        .output();
    output.expect("docker starts").status.success()
}

/// A container and its volume of the same name, removed at the end.
struct Container(String);

impl Drop for Container {
    fn drop(&mut self) {
        for words in [&["rm", "--force", "--volumes"][..], &["volume", "rm"]] {
            let _ = Command::new("docker").args(words).arg(&self.0).output();
        }
    }
}
