//! What goes wrong around an export: logins, disks and rows that are very large.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use dataset::Manifest;
use testing::Databases;

use crate::own_servers::{OwnServers, password};
use crate::support::{Outcome, Workplace};

/// What a process may hold besides its rows: the bound of the design.
const MEMORY_BYTES: u64 = 256 << 20;

#[test]
fn a_login_that_opens_no_door_is_told_what_to_look_at() {
    let databases = Databases::create();
    databases.load(
        "create table t (id int primary key)",
        "create table t (id int primary key)",
    );
    let name = databases.name();
    let known = databases.mysql_admin_url();
    let server = known.trim_end_matches(name);
    let poor = format!("poor_{name}");
    let mut mysql = databases.mysql();
    mysql
        .execute(&format!("create user {poor} identified by 'pass-word'"))
        .unwrap();
    let login = |user: &str| databases.mysql_url_as(user, "pass-word");
    let cases = [
        (
            login("root"),
            "hint: check user and password in databases.shop.source",
        ),
        (
            format!("{server}missing"),
            "hint: check the database's name in databases.shop.source",
        ),
        (
            login(&poor),
            "hint: let the source's administrator run: grant select on `",
        ),
        (
            "mysql://root:pass-word@nowhere.invalid:3306/x".to_owned(),
            "hint: the source was only read, the target was not touched; once the server answers",
        ),
    ];
    for (source, hint) in cases {
        let code = if source.contains("nowhere") { 1 } else { 3 };
        let workplace = Workplace::at(&[("shop", source, databases.postgres_url(), "")]);
        let outcome = workplace.run(&["export"]).expect(code);
        assert!(outcome.stderr.contains(hint), "{}", outcome.text());
        assert!(!outcome.text().contains("pass-word"), "{}", outcome.text());
        assert!(
            !outcome.text().contains(password(&known)),
            "{}",
            outcome.text()
        );
    }
    mysql.execute(&format!("drop user {poor}")).unwrap();
}

fn big(rows: u32, bytes: u32) -> (String, &'static str) {
    const BATCH_ROWS: u32 = 500;
    let mut source = "create table big (id int primary key, body longtext);\n\
         set sql_log_bin = 0;\n"
        .to_owned();
    for first in (1..=rows).step_by(BATCH_ROWS as usize) {
        let last = rows.min(first + BATCH_ROWS - 1);
        source += &format!(
            "insert into big with recursive n (id) as \
                 (select {first} union all select id + 1 from n where id < {last}) \
                 select id, repeat(char(65 + id % 26), {bytes}) from n;\n"
        );
    }
    (source, "create table big (id int primary key, body text)")
}

#[test]
fn a_disk_that_takes_no_more_ends_the_export_and_it_goes_on_with_more_room() {
    let databases = Databases::create();
    let (source, target) = big(40, 1_000_000);
    databases.load(&source, target);
    let workplace = Workplace::new(&[("shop", &databases, "")]);
    // A file may have 4 MB: what the kernel says of a disk that is full comes the same way.
    let script = format!(
        "trap '' XFSZ; ulimit -f 8000; exec {} export --run run --config config.yml",
        env!("CARGO_BIN_EXE_converge")
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(workplace.path());
    let outcome = Outcome::of(&shell.output().unwrap()).expect(1);
    assert!(
        outcome
            .stderr
            .contains("error: writing run/shop/export/big.000"),
        "{}",
        outcome.text()
    );
    assert!(
        outcome.stderr.contains("File too large"),
        "{}",
        outcome.text()
    );
    let directory = workplace.path().join("run/shop/export");
    let names = fs::read_dir(&directory).unwrap().flatten();
    let mut names = names.map(|entry| entry.file_name().into_string().unwrap());
    assert!(
        !names.any(|name| name.contains(".csv")),
        "nothing half is left"
    );
    // Others write to this server, so its binary log moves.
    workplace
        .run(&["export", "--run", "run", "--restart"])
        .expect(0);
    assert_eq!(Manifest::read(&directory).unwrap().tables[0].row_count, 40);
}

/// A file system of a few megabytes, unmounted at the end; `None` where this process may not
/// mount one.
pub(crate) struct SmallDisk<'d>(&'d Path);

impl<'d> SmallDisk<'d> {
    pub(crate) fn mount(at: &'d Path, size: &str) -> Option<Self> {
        // What a killed test left behind.
        if at.exists() {
            run("umount", &["--lazy"], at);
            fs::remove_dir(at).unwrap();
        }
        fs::create_dir(at).unwrap();
        let options = format!("size={size}");
        run("mount", &["-t", "tmpfs", "-o", &options, "none"], at).then_some(Self(at))
    }

    pub(crate) fn grow(&self) {
        assert!(run("mount", &["-o", "remount,size=200m"], self.0));
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        // A server may have files of it open until it ends.
        run("umount", &["--lazy"], self.0);
        let _ = fs::remove_dir(self.0);
    }
}

fn run(program: &str, arguments: &[&str], last: &Path) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).arg(last).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[test]
fn an_export_goes_on_when_a_full_disk_has_room_again() {
    let servers = OwnServers::up("full-disk");
    let (source, schema) = big(40, 1_000_000);
    servers.source().execute_script(&source).unwrap();
    let mut target = servers.target();
    target.batch_execute("set search_path = public").unwrap();
    target.batch_execute(schema).unwrap();
    let workplace = Workplace::at(&[("shop", servers.source_url(), servers.target_url(), "")]);
    let place = workplace.path().join("disk");
    let Some(disk) = SmallDisk::mount(&place, "4m") else {
        eprintln!("this process may not mount a file system: nothing was tried");
        return;
    };
    let full = workplace.run(&["export", "--run", "disk/run"]).expect(1);
    assert!(full.stderr.contains("No space left"), "{}", full.text());
    let directory = place.join("run/shop/export");
    assert!(Manifest::read(&directory).is_err());
    // Other stages have nothing to take from it.
    workplace.run(&["transform", "--run", "disk/run"]).expect(3);
    disk.grow();
    let on = workplace.run(&["export", "--run", "disk/run"]).expect(0);
    assert!(
        on.stderr.contains("goes on where it ended"),
        "{}",
        on.text()
    );
    workplace.run(&["export", "--run", "calm"]).expect(0);
    let calm = workplace.path().join("calm/shop/export");
    let tables = |directory: &Path| Manifest::read(directory).unwrap().tables;
    assert_eq!(tables(&directory), tables(&calm));
}

/// Runs an export and returns the most memory that it had at any time.
fn peak_memory(workplace: &Workplace, arguments: &[&str]) -> u64 {
    let mut command = workplace.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let status = format!("/proc/{}/status", process.id());
    let mut peak = 0;
    while process.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(kilobytes.unwrap_or(0_u64) * 1024);
        thread::sleep(Duration::from_millis(2));
    }
    Outcome::of(&process.wait_with_output().unwrap()).expect(0);
    peak
}

#[test]
fn a_row_of_64_mb_passes_every_stage_within_the_bound() {
    let bytes = 64 << 20;
    let databases = Databases::create();
    let (source, target) = big(1, bytes);
    databases.load(&source, target);
    let workplace = Workplace::new(&[("shop", &databases, "")]);
    for stage in [
        "export",
        "transform",
        "import",
        "verify",
        "rollback",
        "migrate",
    ] {
        let peak = peak_memory(&workplace, &[stage, "--jobs", "1"]);
        let bound = MEMORY_BYTES + 4 * u64::from(bytes);
        assert!(peak < bound, "{stage}: {peak} of {bound}");
    }
    let sql = "select octet_length(body)::text from big";
    let there = databases.postgres().query_text(sql).unwrap();
    assert_eq!(there, [[Some(bytes.to_string())]]);
}

#[test]
fn large_rows_pass_one_at_a_time() {
    let many = env::var("CONVERGE_TEST_LARGE_ROWS").map_or(300, |rows| rows.parse().unwrap());
    for (rows, bytes, jobs) in [(1, 64 << 20, 1), (many, 1 << 20, 2)] {
        let databases = Databases::create();
        let (source, target) = big(rows, bytes);
        databases.load(&source, target);
        let workplace = Workplace::new(&[("shop", &databases, "")]);
        let peak = peak_memory(&workplace, &["export", "--jobs", &jobs.to_string()]);
        assert!(peak > u64::from(bytes), "it was looked at: {peak}");
        let bound = MEMORY_BYTES + jobs * 4 * u64::from(bytes);
        assert!(peak < bound, "{peak} of {bound}");
        let directory = workplace.run_directory().join("shop/export");
        let table = Manifest::read(&directory).unwrap().tables.remove(0);
        assert_eq!(table.row_count, u64::from(rows));
        let sizes = table.files.iter().map(|file| file.bytes);
        // A row more or less for what is between the fields.
        assert!(sizes.max().unwrap() <= (16 << 20).max(u64::from(bytes)) + (1 << 20));
    }
}
