//! The real systems: how their owners' targets differ from their sources, and the baselines that
//! are committed here.

use std::fs;

use catalog::ServerKind;
use testing::{Databases, workspace_root};

use crate::check::{compare_with_snapshot, lines};
use crate::support::{Outcome, Workplace};

/// The real systems with the configuration that is shipped, on databases of their own.
struct Shipped {
    databases: Databases,
    workplace: Workplace,
    system: &'static str,
}

impl Shipped {
    fn new(system: &'static str) -> Self {
        let databases = Databases::create();
        let family = match databases.mysql().server().kind {
            ServerKind::Mysql => "mysql",
            _ => "mariadb",
        };
        let fixtures = workspace_root().join("fixtures").join(system);
        let read = |name: &str| fs::read_to_string(fixtures.join(name)).unwrap();
        let (source, target) = (
            read(&format!("source.{family}.sql")),
            read("target.postgres.sql"),
        );
        databases.load(&source, &target);
        let workplace = Workplace::new(&[]);
        let shipped = fs::read_to_string(workspace_root().join("alkemio.yml")).unwrap();
        let checks = format!("checks: {}/", workspace_root().join("fixtures").display());
        workplace.write("config.yml", &shipped.replace("checks: fixtures/", &checks));
        Self {
            databases,
            workplace,
            system,
        }
    }

    /// The catalogue that was recorded from MySQL lacks two defaults, which are the word `NULL`.
    fn take_the_defaults_of_mariadb(&self) {
        if self.system == "alkemio" {
            for table in ["license_plan", "platform"] {
                let sql = format!(
                    "alter table {table} alter column licensingFrameworkId set default 'NULL'"
                );
                self.databases.mysql().execute(&sql).unwrap();
            }
        }
    }

    /// Makes the committed schema in the place of the owner's, and finds it as the source wants it.
    fn apply_and_read_back(&self, committed: &str) {
        let config = self.workplace.path().join("config.yml");
        let text = fs::read_to_string(config).unwrap();
        let owned = ["schema_owner: typeorm", "schema_owner: kratos"];
        let ours = owned.iter().fold(text, |text, owner| {
            text.replace(owner, "schema_owner: converge")
        });
        self.workplace.write("config.yml", &ours);
        let mut target = self.databases.postgres();
        target
            .batch_execute("drop schema public cascade; create schema public")
            .unwrap();
        self.run(&["baseline", "apply", "--from", committed])
            .expect(0);
        for more in [&["--names"][..], &["--names", "--from", committed]] {
            self.run(&[&["baseline", "check"], more].concat()).expect(0);
        }
        let tables = "select count(*)::text from pg_tables where schemaname = 'public'";
        let count = target
            .query_text(tables)
            .unwrap()
            .remove(0)
            .remove(0)
            .unwrap();
        let made = fs::read_to_string(format!("{committed}/{}/pre_data.sql", self.system)).unwrap();
        assert_eq!(count, made.matches("\ncreate table ").count().to_string());
    }

    fn run(&self, words: &[&str]) -> Outcome {
        let prefix = self.system.to_uppercase();
        let output = self
            .workplace
            .command(&[words, &["--database", self.system]].concat())
            .env(format!("{prefix}_MYSQL_URL"), self.databases.mysql_url())
            .env(
                format!("{prefix}_POSTGRES_URL"),
                self.databases.postgres_url(),
            )
            .output()
            .unwrap();
        Outcome::of(&output)
    }
}

const SYSTEMS: [&str; 2] = ["alkemio", "kratos"];

/// Every line is explained in the page for operators.
#[test]
fn the_owners_targets_differ_as_documented() {
    for system in SYSTEMS {
        let found = Shipped::new(system).run(&["baseline", "check"]).expect(5);
        compare_with_snapshot(&format!("{system}_target"), &found.stdout);
        explained(system, &lines(&found));
    }
}

/// As a project commits them; the same bytes from either family of servers.
#[test]
fn the_committed_baselines_are_what_the_sources_give() {
    let committed = workspace_root().join("fixtures/generated");
    let out = committed.to_str().unwrap();
    for system in SYSTEMS {
        let shipped = Shipped::new(system);
        shipped.take_the_defaults_of_mariadb();
        let check = shipped.run(&["baseline", "generate", "--out", out, "--check"]);
        assert_eq!(
            check.code,
            0,
            "{}\nrefresh: cargo xtask db up && cargo xtask fixtures load && cargo xtask baseline \
             generate --out fixtures/generated",
            check.text()
        );
        let edited = shipped.workplace.path().join("edited").join(system);
        fs::create_dir_all(&edited).unwrap();
        for file in ["pre_data.sql", "post_data.sql"] {
            let text = fs::read_to_string(committed.join(system).join(file)).unwrap();
            fs::write(edited.join(file), text.replacen("not null", "null", 1)).unwrap();
        }
        let stale = shipped.run(&["baseline", "generate", "--out", "edited", "--check"]);
        assert!(
            stale.expect(5).stderr.contains("edited/"),
            "a comparison that cannot fail proves nothing"
        );
        shipped.apply_and_read_back(out);
    }
}

/// Every line belongs to one row of the page's table, and each row counts its lines.
fn explained(system: &str, lines: &[&str]) {
    let page = fs::read_to_string(workspace_root().join("docs/DataManagement.md")).unwrap();
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let is_of = cells.next()? == system;
        let (count, pattern) = (cells.next()?, cells.next()?);
        is_of.then(|| {
            (
                count.parse::<usize>().unwrap(),
                pattern.trim_matches('`').to_owned(),
            )
        })
    });
    let rows: Vec<(usize, String)> = rows.collect();
    let mut left: Vec<&str> = lines
        .iter()
        .map(|line| line.split("; mend").next().unwrap())
        .collect();
    for (count, pattern) in rows {
        let before = left.len();
        left.retain(|line| !matches(&pattern, line));
        assert_eq!(before - left.len(), count, "{system}: lines of `{pattern}`");
    }
    assert_eq!(left, Vec::<&str>::new(), "{system}: not explained");
}

/// Whether a line is as the pattern, in which `…` stands for anything.
fn matches(pattern: &str, line: &str) -> bool {
    let mut rest = line;
    for (at, part) in pattern.split('…').enumerate() {
        let Some(found) = rest.find(part) else {
            return false;
        };
        if at == 0 && found > 0 {
            return false;
        }
        rest = &rest[found + part.len()..];
    }
    rest.is_empty() || pattern.ends_with('…')
}
