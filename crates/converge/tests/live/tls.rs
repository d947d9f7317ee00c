//! Which certificates are accepted, and that a server with a wrong one does not even learn the name
//! of the login; production needs verified servers.

use testing::Databases;
use testing::certificates::Authority;
use testing::hostile::{Hostile, mysql, postgres};

use crate::support::Workplace;

const LOGIN: &str = "login_of_the_test";

/// A server that answers by TLS alone, and whether a client of these options told it who it is.
fn is_taken(
    side: &str,
    options: &str,
    authority: &Authority,
    known: &Authority,
    name: &str,
    is_over: bool,
) -> bool {
    let config = authority.server(name, is_over);
    let is_source = side == "source";
    let server = Hostile::play(move |peer| {
        // The client goes on with TLS at once where it is the source's.
        if is_source {
            peer.send(&mysql::greeting_with_tls("mysql_native_password"))?;
            peer.take(mysql::SSL_REQUEST)?;
        } else {
            peer.receive()?;
            peer.send(b"S")?;
        }
        peer.encrypt(&config)
    });
    let address = server.nearby().replace("127.0.0.1", "localhost");
    let (mut source, mut target) = (mysql::closed_url(), postgres::closed_url());
    match is_source {
        true => source = format!("mysql://{LOGIN}:p@{address}/d?{options}"),
        false => target = format!("postgres://{LOGIN}:p@{address}/d?{options}"),
    }
    let workplace = Workplace::at(&[("shop", source, target, "")]);
    workplace.write("ca.pem", known.pem());
    workplace.run(&["doctor"]).expect(3);
    server.has_received(LOGIN.as_bytes())
}

#[test]
fn a_certificate_is_taken_as_the_mode_says() {
    let (own, other) = (Authority::make(), Authority::make());
    let full = "sslmode=verify-full&sslrootcert=ca.pem";
    let identity = "ssl-mode=verify_identity&ssl-ca=ca.pem";
    for (side, options) in [("target", full), ("source", identity)] {
        let taken =
            |authority, name, is_over| is_taken(side, options, authority, &own, name, is_over);
        assert!(taken(&own, "localhost", false), "{side}: the right one");
        assert!(
            !taken(&other, "localhost", false),
            "{side}: another authority"
        );
        assert!(!taken(&own, "elsewhere", false), "{side}: another name");
        assert!(!taken(&own, "localhost", true), "{side}: one that is over");
    }
    // As libpq has it: an authority that is named is asked, whatever the name of the server.
    for options in [
        "sslmode=verify-ca&sslrootcert=ca.pem",
        "sslmode=require&sslrootcert=ca.pem",
    ] {
        assert!(
            is_taken("target", options, &own, &own, "elsewhere", false),
            "{options}"
        );
        assert!(
            !is_taken("target", options, &other, &own, "localhost", false),
            "{options}"
        );
    }
    for (side, options) in [
        ("target", "sslmode=require"),
        ("source", "ssl-mode=required"),
    ] {
        assert!(
            is_taken(side, options, &other, &own, "elsewhere", true),
            "{options}"
        );
    }
}

#[test]
fn a_ca_file_beside_a_mode_that_does_not_verify_is_a_configuration_error() {
    for (source, target) in [
        ("?ssl-ca=ca.pem", ""),
        ("?ssl-mode=required&ssl-ca=ca.pem", ""),
        ("", "?sslrootcert=ca.pem"),
    ] {
        let source = format!("mysql://u:p@127.0.0.1:1/d{source}");
        let target = format!("postgres://u:p@127.0.0.1:1/d{target}");
        let workplace = Workplace::at(&[("shop", source, target, "")]);
        let text = workplace.run(&["doctor"]).expect(2).text();
        assert!(
            text.contains("verify nothing") || text.contains("verifies nothing"),
            "{text}"
        );
    }
}

#[test]
fn production_needs_verified_servers_on_a_network() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key)",
        "create table t (id int primary key)",
    );
    let far = |url: String| url.replace("127.0.0.1", "127.1");
    let workplace = |source: String, target: String| {
        let workplace = Workplace::at(&[("shop", source, target, "")]);
        let text = std::fs::read_to_string(workplace.path().join("config.yml")).unwrap();
        workplace.write("config.yml", &text.replace("scratch", "production"));
        workplace
    };
    // On this machine nothing crosses a network.
    let near = workplace(databases.mysql_url(), databases.postgres_url());
    near.run(&["doctor"]).expect(0);
    for (source, target, named) in [
        (
            far(databases.mysql_url()),
            databases.postgres_url(),
            "the source of `shop`",
        ),
        (
            databases.mysql_url(),
            far(databases.postgres_url()),
            "the target of `shop`",
        ),
    ] {
        let workplace = workplace(source, target);
        for command in [
            &["migrate"][..],
            &["export"],
            &["assess"],
            &["rollback", "--yes"],
            &["doctor"],
        ] {
            let text = workplace.run(command).expect(3).text();
            for part in [named, "allow_unverified_tls: true"] {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
        let text = std::fs::read_to_string(workplace.path().join("config.yml")).unwrap();
        workplace.write("config.yml", &format!("allow_unverified_tls: true\n{text}"));
        workplace.run(&["doctor"]).expect(0);
        let text = workplace.run(&["migrate"]).expect(0).text();
        assert!(text.contains("which allow_unverified_tls allows"), "{text}");
        workplace.run(&["rollback", "--yes"]).expect(0);
    }
}

#[test]
fn doctor_shows_encryption_roles_and_limits() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key)",
        "create table t (id int primary key)",
    );
    databases
        .postgres()
        .batch_execute("grant create on schema public to public")
        .unwrap();
    let text = Workplace::new(&[("shop", &databases, "")])
        .run(&["doctor"])
        .expect(0)
        .text();
    for part in [
        "security: network",
        "on this machine",
        "is no superuser",
        "schema public: everybody",
        "open files",
        "schema \"converge\" is not there yet",
        "no password file can be read by other accounts",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let admin = Workplace::at(&[(
        "shop",
        databases.mysql_url(),
        databases.postgres_admin_url(),
        "",
    )]);
    let text = admin.run(&["doctor"]).expect(0).text();
    // A superuser has every role, and the others are others all the same.
    for part in ["is a superuser", "schema public: everybody"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn too_few_open_files_are_known_before_anything_is_changed() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key)",
        "create table t (id int primary key)",
    );
    let workplace = Workplace::new(&[("shop", &databases, "")]);
    let limited = |limit: &str| {
        let script = format!(
            "ulimit {limit} && exec {} \"$@\"",
            env!("CARGO_BIN_EXE_converge")
        );
        let mut shell = std::process::Command::new("sh");
        let arguments = [
            "-c",
            &script,
            "sh",
            "migrate",
            "--jobs",
            "16",
            "--config",
            "config.yml",
        ];
        let output = shell
            .current_dir(workplace.path())
            .args(arguments)
            .output()
            .unwrap();
        crate::support::Outcome::of(&output)
    };
    let text = limited("-n 64").expect(3).text();
    for part in ["may open 64 files", "ulimit -n 320"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // The soft limit is raised.
    limited("-Sn 64").expect(0);
}
