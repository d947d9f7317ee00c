//! Peers that pass for a server: no password and no file reaches them, and what they send ends in
//! an error, in little memory.

use std::fs;
use std::io;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::signature::{ED25519, UnparsedPublicKey};
use testing::Databases;
use testing::hostile::{Hostile, Peer, mysql, postgres};

use crate::support::{Outcome, Workplace};

const PASSWORD: &str = "pass-word-of-the-test";
/// The bound of a run, with what a process takes by itself; none of these servers has a row.
const MEMORY_MAX: u64 = 280 << 20;
/// All of them must be given up long before the patience with a silent server ends.
const TIME_MAX: Duration = Duration::from_secs(60);

/// What a command came to, and the most memory that it had.
fn run(workplace: &Workplace, arguments: &[&str]) -> (Outcome, u64) {
    let mut command = workplace.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let memory = watch(&mut child);
    let output = child.wait_with_output().expect("it ends");
    (Outcome::of(&output), memory)
}

/// The most memory of a process, in bytes, until it ends.
fn watch(child: &mut Child) -> u64 {
    let (status, since) = (format!("/proc/{}/status", child.id()), Instant::now());
    let mut most = 0;
    while child.try_wait().expect("it is ours").is_none() {
        assert!(since.elapsed() < TIME_MAX, "it does not end");
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        most = kilobytes.unwrap_or_default().max(most);
        thread::sleep(Duration::from_millis(20));
    }
    most << 10
}

fn check(outcome: &Outcome, memory: u64, reason: &str) {
    let text = outcome.text();
    assert!(text.contains(reason), "{reason}: {text}");
    for word in ["panicked", "fault of converge", PASSWORD] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    assert!(memory < MEMORY_MAX, "{memory} bytes: {text}");
}

/// A workplace whose source is false; its target lets nobody in.
fn false_source(address: &str) -> Workplace {
    let source = format!("mysql://u:{PASSWORD}@{address}/d");
    Workplace::at(&[("shop", source, postgres::closed_url(), "")])
}

/// A workplace whose target is false; its source lets nobody in.
fn false_target(address: &str) -> Workplace {
    let target = format!("postgres://u:{PASSWORD}@{address}/d");
    Workplace::at(&[("shop", mysql::closed_url(), target, "")])
}

#[test]
fn a_false_target_gets_no_password_without_tls() {
    for (code, rest, method) in [(3, &b""[..], "in clear text"), (5, b"salt", "the MD5")] {
        let server = Hostile::play(move |peer| {
            postgres::greet(peer)?;
            peer.send(&postgres::login(code, rest))?;
            peer.receive().map(drop)
        });
        let workplace = false_target(&server.far_away());
        let (outcome, memory) = run(&workplace, &["doctor"]);
        assert_eq!(outcome.code, 3, "{}", outcome.text());
        check(&outcome, memory, method);
        check(&outcome, memory, "it was not sent");
        assert!(!server.has_received(PASSWORD.as_bytes()));
        assert!(!server.has_received(b"md5"));
    }
    // On this machine it is nobody else's affair.
    let server = Hostile::play(|peer| {
        postgres::greet(peer)?;
        peer.send(&postgres::login(3, b""))?;
        peer.receive().map(drop)
    });
    run(&false_target(&server.nearby()), &["doctor"]);
    assert!(server.has_received(PASSWORD.as_bytes()));
}

#[test]
fn a_false_source_gets_no_password_without_tls() {
    let more = |peer: &mut Peer| -> io::Result<()> {
        peer.send(&mysql::greeting("caching_sha2_password"))?;
        peer.receive()?;
        // "I do not know you yet: prove it in full."
        peer.send(&mysql::packet(2, &[1, 4]))?;
        if peer.receive()?.is_empty() {
            return Ok(());
        }
        // It asked for a key.
        let key = b"\x01-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n";
        peer.send(&mysql::packet(4, key))?;
        peer.receive().map(drop)
    };
    let server = Hostile::play(more);
    let (outcome, memory) = run(&false_source(&server.far_away()), &["doctor"]);
    assert_eq!(outcome.code, 3, "{}", outcome.text());
    check(&outcome, memory, "it was not sent");
    check(&outcome, memory, "server_public_key");
    let asked_for_a_key = mysql::packet(3, &[2]);
    assert!(!server.has_received(&asked_for_a_key));
    // A key that is pinned is used, and no other is asked for.
    let workplace = false_source(&format!(
        "{}/d?server_public_key=key.pem#",
        server.far_away()
    ));
    workplace.write("key.pem", "none");
    let (outcome, memory) = run(&workplace, &["doctor"]);
    check(&outcome, memory, "key.pem: this is no public key in PEM");

    for plugin in ["mysql_clear_password", "mysql_old_password", "dialog"] {
        let server = Hostile::play(move |peer| {
            peer.send(&mysql::greeting("mysql_native_password"))?;
            peer.receive()?;
            peer.send(&mysql::switch(plugin, b"12345678901234567890\0"))?;
            peer.receive().map(drop)
        });
        let (outcome, memory) = run(&false_source(&server.nearby()), &["doctor"]);
        assert_eq!(outcome.code, 3, "{}", outcome.text());
        check(&outcome, memory, "source");
        assert!(!server.has_received(PASSWORD.as_bytes()), "{plugin}");
    }
}

#[test]
fn a_login_by_ed25519_is_proven_without_the_password() {
    const SEED: [u8; 32] = [7; 32];
    let server = Hostile::play(|peer| {
        peer.send(&mysql::greeting("mysql_native_password"))?;
        peer.receive()?;
        peer.send(&mysql::switch("client_ed25519", &SEED))?;
        peer.receive().map(drop)
    });
    let source = format!("mysql://u:secret@{}/d", server.nearby());
    let workplace = Workplace::at(&[("shop", source, postgres::closed_url(), "")]);
    run(&workplace, &["doctor"]);
    // What MariaDB keeps of the password `secret` (MariaDB documentation, "Authentication Plugin -
    // ed25519").
    let public = "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY";
    let public = STANDARD_NO_PAD.decode(public).unwrap();
    let public = UnparsedPublicKey::new(&ED25519, public);
    let received = server.received();
    // The answer to the switch is the third packet of the exchange.
    let head = mysql::packet(3, &[0; 64])[..4].to_vec();
    let at = received.windows(4).position(|bytes| bytes == head).unwrap();
    assert!(public.verify(&SEED, &received[at + 4..at + 68]).is_ok());
    assert!(!server.has_received(b"secret"));
}

#[test]
fn a_false_source_gets_no_file() {
    let server = Hostile::play(|peer| {
        mysql::let_in(peer)?;
        // "Send me this file", in answer to the first statement.
        peer.send(&mysql::packet(1, b"\xfb/etc/passwd"))?;
        peer.receive()?;
        peer.receive().map(drop)
    });
    let (outcome, memory) = run(&false_source(&server.nearby()), &["doctor"]);
    check(&outcome, memory, "source");
    assert!(!server.has_received(b"root:"));
}

#[test]
fn what_a_false_target_sends_ends_in_an_error() {
    let ended = |reason: &str, script: fn(&mut Peer) -> io::Result<()>| {
        let server = Hostile::play(script);
        for command in ["doctor", "status"] {
            let (outcome, memory) = run(&false_target(&server.nearby()), &[command]);
            assert!([0, 3].contains(&outcome.code), "{}", outcome.text());
            check(&outcome, memory, reason);
        }
    };
    let not = "is this a PostgreSQL server?";
    ended(not, |peer| {
        postgres::greet(peer)?;
        peer.send(&[b'R', 0x7f, 0xff, 0xff, 0xff])?;
        peer.send_forever(&[0; 1000])
    });
    ended(not, |peer| {
        postgres::greet(peer)?;
        peer.send(&[b'E', 0, 0, 0, 3])?;
        peer.receive().map(drop)
    });
    ended(not, |peer| {
        postgres::greet(peer)?;
        peer.send(&postgres::login(0, b""))?;
        peer.send_forever(&postgres::message(b'N', b"SNOTICE\0C00000\0Mhear\0\0"))
    });
    ended(not, |peer| {
        postgres::greet(peer)?;
        peer.send(&postgres::login(0, b""))?;
        peer.send_forever(&postgres::message(b'S', b"name\0value\0"))
    });
    ended("unexpected number of rows", |peer| {
        postgres::prepare(peer, &["version"])?;
        peer.send(&postgres::message(b'2', b""))?;
        peer.send_forever(&postgres::row(&[b'x'; 1000]))
    });
    ended(not, |peer| {
        postgres::prepare(peer, &["version"])?;
        peer.send(&postgres::message(b'2', b""))?;
        peer.send_forever(&postgres::message(b'N', b"SNOTICE\0C00000\0Mhear\0\0"))
    });
    // The end of one statement of several is not the end of the answer.
    ended("unexpected number of rows", |peer| {
        postgres::prepare(peer, &["version"])?;
        let (row, end) = (
            postgres::row(&[b'x'; 1000]),
            postgres::message(b'C', b"SELECT 1\0"),
        );
        peer.send(&postgres::message(b'2', b""))?;
        peer.send_forever(&[row, end].concat())
    });
    for tag in [b'C', b'E', b'I', b'd'] {
        let server = Hostile::play(move |peer| {
            postgres::prepare(peer, &["version"])?;
            peer.send(&postgres::message(b'2', b""))?;
            peer.send_forever(&postgres::message(tag, b"SERROR\0C58000\0Mhear\0\0"))
        });
        let (outcome, memory) = run(&false_target(&server.nearby()), &["doctor"]);
        assert_eq!(outcome.code, 3, "{}", outcome.text());
        check(&outcome, memory, "target");
    }
    // The driver would ask what the type is made of, and again.
    ended(not, |peer| {
        postgres::greet(peer)?;
        peer.send(&[postgres::login(0, b""), postgres::ready()].concat())?;
        loop {
            peer.receive()?;
            let parameters = postgres::message(b't', &[0, 0]);
            let column = b"\0\x01c\0\0\0\0\0\0\0\0\x0f\x42\x3f\0\x04\0\0\0\0\0\0";
            let columns = postgres::message(b'T', column);
            let end = [
                postgres::message(b'1', b""),
                parameters,
                columns,
                postgres::ready(),
            ];
            peer.send(&end.concat())?;
        }
    });
    ended("target", |peer| {
        postgres::greet(peer)?;
        peer.send(&postgres::message(b'R', &[0]))?;
        peer.receive().map(drop)
    });
    ended("connecting", |peer| {
        peer.send_forever(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    });
}

#[test]
fn an_answer_with_other_columns_is_no_fault_of_ours() {
    let server = Hostile::play(|peer| {
        postgres::prepare(peer, &[])?;
        let end = [
            postgres::message(b'2', b""),
            postgres::message(b'D', &[0, 0]),
            postgres::message(b'C', b"SELECT 1\0"),
            postgres::ready(),
        ];
        peer.send(&end.concat())?;
        peer.receive().map(drop)
    });
    let (outcome, memory) = run(&false_target(&server.nearby()), &["doctor"]);
    assert!([1, 3].contains(&outcome.code), "{}", outcome.text());
    check(&outcome, memory, "target");
}

#[test]
fn what_a_false_source_sends_ends_in_an_error() {
    let ended = |script: fn(&mut Peer) -> io::Result<()>| {
        let server = Hostile::play(script);
        let (outcome, memory) = run(&false_source(&server.nearby()), &["doctor"]);
        assert_eq!(outcome.code, 3, "{}", outcome.text());
        check(&outcome, memory, "source");
    };
    // A packet of nothing, in each place.
    ended(|peer| peer.send(&mysql::packet(0, b"")));
    ended(|peer| {
        peer.send(&mysql::greeting("mysql_native_password"))?;
        peer.receive()?;
        peer.send(&mysql::packet(2, b""))
    });
    ended(|peer| {
        peer.send(&mysql::greeting("caching_sha2_password"))?;
        peer.receive()?;
        peer.send(&mysql::packet(2, &[1]))
    });
    ended(|peer| {
        mysql::let_in(peer)?;
        peer.send(&mysql::packet(1, b""))
    });
    // More columns than there is memory in the world.
    ended(|peer| {
        mysql::let_in(peer)?;
        peer.send(&mysql::packet(1, &[0xfe, 0, 0, 0, 0, 0, 0, 0, 0x40]))
    });
    // A column, and rows without end.
    ended(|peer| {
        mysql::let_in(peer)?;
        peer.send(&mysql::column())?;
        let mut number = 3_u8;
        let text = [&[0xfc, 0xe8, 0x03][..], &[b'x'; 1000]].concat();
        loop {
            number = number.wrapping_add(1);
            peer.send(&mysql::packet(number, &text))?;
        }
    });
    // Results behind the result, without end.
    ended(|peer| {
        mysql::let_in(peer)?;
        let more = mysql::packet(1, &[0, 0, 0, 0x0a, 0, 0, 0]);
        for number in (0_u8..=255).cycle() {
            let mut packet = more.clone();
            packet[3] = number.wrapping_add(1);
            peer.send(&packet)?;
        }
        Ok(())
    });
    // A greeting of 16 MB, again and again.
    ended(|peer| {
        peer.send(&[0xff, 0xff, 0xff, 0])?;
        peer.send_forever(&[0x0a; 1000])
    });
    ended(|peer| peer.send_forever(b"SSH-2.0-OpenSSH_9.2\r\n"));
}

#[test]
fn require_auth_is_that_of_libpq() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key)",
        "create table t (id int primary key)",
    );
    let url = databases.postgres_url();
    for (option, code) in [
        ("require_auth=scram-sha-256", 0),
        ("require_auth=!password,!md5", 0),
        ("require_auth=none", 3),
        ("require_auth=!scram-sha-256", 3),
        ("require_auth=all", 2),
    ] {
        let target = format!("{url}?{option}");
        let workplace = Workplace::at(&[("shop", databases.mysql_url(), target, "")]);
        let outcome = workplace.run(&["doctor"]);
        assert_eq!(outcome.code, code, "{option}: {}", outcome.text());
    }
}
