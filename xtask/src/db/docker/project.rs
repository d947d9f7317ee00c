//! The Compose project of a set of servers: its containers, volumes and clients.
//!
//! When it is started and removed is decided in `docker`.

use std::{
    io::{self, IsTerminal, Write},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::engine::Engine;
use crate::{
    db::{mysql, native::Set, place, postgres},
    workspace,
};

/// A server of compose.yml.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Mysql,
    Postgres,
}

impl Service {
    pub(crate) const BOTH: [Service; 2] = [Service::Mysql, Service::Postgres];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Service::Mysql => mysql::NAME,
            Service::Postgres => postgres::NAME,
        }
    }

    pub(crate) fn named(name: &str) -> Service {
        if name == mysql::NAME {
            Service::Mysql
        } else {
            Service::Postgres
        }
    }
}

/// A set's project.
#[derive(Debug)]
pub(crate) struct Project<'s> {
    engine: Engine,
    set: &'s Set,
    name: &'s str,
}

/// The name of the project of a state directory's servers.
pub(crate) fn name_for(state: &Path) -> String {
    let workspace = workspace::root().file_name().unwrap_or_default();
    let readable: String = workspace
        .to_string_lossy()
        .to_lowercase()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    format!("converge-{readable}-{}", place::short_name(state))
}

impl<'s> Project<'s> {
    pub(crate) fn new(engine: Engine, set: &'s Set) -> Project<'s> {
        Project {
            engine,
            set,
            name: &set.record.project,
        }
    }

    /// Lets paused containers go on.
    pub(crate) fn unpause(&self) {
        for service in Service::BOTH {
            let Some(container) = self.container(service) else {
                continue;
            };
            if self.state(&container).starts_with("paused") {
                self.engine.ask(&["unpause", &container]);
            }
        }
    }

    /// Makes and starts the containers.
    pub(crate) fn start(&self) -> Result<()> {
        let mut command = self.compose();
        command.args(["up", "--detach", mysql::NAME, postgres::NAME]);
        self.engine.run(command, "docker compose up")
    }

    pub(crate) fn stop(&self) -> Result<()> {
        let mut command = self.compose();
        command.arg("stop");
        self.engine.run(command, "docker compose stop")
    }

    /// Removes containers, network and volumes.
    pub(crate) fn remove(&self) -> Result<()> {
        let mut command = self.compose();
        command.args(["down", "--volumes", "--remove-orphans"]);
        self.engine.run(command, "docker compose down")
    }

    fn compose(&self) -> Command {
        let record = &self.set.record;
        let mut command = self.engine.compose();
        let root = workspace::root();
        command
            .args(["--project-name", self.name, "--env-file"])
            .arg(root.join(".env.docker"))
            .arg("--file")
            .arg(root.join("compose.yml"))
            // The file's folder is where its paths begin; the tool looks at ours too.
            .current_dir(root)
            .env("MYSQL_IMAGE", &record.mysql_from)
            .env("POSTGRES_IMAGE", &record.postgres_from)
            .env("MYSQL_PORT", record.mysql_port.to_string())
            .env("POSTGRES_PORT", record.postgres_port.to_string())
            .env("MYSQL_ROOT_PASSWORD", &record.mysql_password)
            .env("POSTGRES_PASSWORD", &record.postgres_password)
            .env(postgres::OWNER_PASSWORD, &record.owner_password)
            .env("CONVERGE_TOKEN", &record.token);
        command
    }

    /// The container of a service, running or not.
    pub(crate) fn container(&self, service: Service) -> Option<String> {
        let project = format!("label=com.docker.compose.project={}", self.name);
        let service = format!("label=com.docker.compose.service={}", service.name());
        let words = [
            "ps",
            "--all",
            "--quiet",
            "--no-trunc",
            "--filter",
            &project,
            "--filter",
            &service,
        ];
        let ids = self.engine.ask(&words)?;
        ids.lines().next().map(str::to_owned)
    }

    /// State and health of a container, such as `running healthy`.
    pub(crate) fn state(&self, container: &str) -> String {
        let format = "{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}";
        let state = self.engine.ask(&["inspect", "--format", format, container]);
        state.unwrap_or_default()
    }

    /// Whether the container of a service runs.
    pub(crate) fn runs(&self, service: Service) -> bool {
        let container = self.container(service);
        container.is_some_and(|id| self.state(&id).starts_with("running"))
    }

    pub(crate) fn is_healthy(&self) -> bool {
        Service::BOTH.iter().all(|service| {
            let container = self.container(*service);
            container.is_some_and(|id| self.state(&id) == "running healthy")
        })
    }

    /// Whether both servers were once set up.
    pub(crate) fn is_complete(&self) -> bool {
        self.set.record.complete
    }

    pub(crate) fn log(&self, service: Service, lines: usize) -> String {
        let Some(container) = self.container(service) else {
            return "(there is no container)".to_owned();
        };
        let lines = lines.to_string();
        let mut command = self.engine.docker(&["logs", "--tail", &lines, &container]);
        // Servers write to both streams.
        match command.stdin(Stdio::null()).output() {
            Ok(output) => {
                let all = [output.stdout, output.stderr].concat();
                String::from_utf8_lossy(&all).trim_end().to_owned()
            }
            Err(error) => error.to_string(),
        }
    }

    /// The names of the project's volumes.
    pub(crate) fn volumes(&self) -> Result<Vec<String>> {
        let filter = format!("label=com.docker.compose.project={}", self.name);
        let names = self
            .engine
            .ask(&["volume", "ls", "--quiet", "--filter", &filter]);
        let names = names.context("cannot list the volumes of the Docker engine")?;
        Ok(names.lines().map(str::to_owned).collect())
    }

    /// Whether every volume was made with our token.
    pub(crate) fn volumes_have_token(&self) -> Result<bool> {
        let format = "{{index .Labels \"converge.token\"}}";
        let token = self.set.record.token.as_str();
        let has_token = |volume: &String| {
            let label = self
                .engine
                .ask(&["volume", "inspect", "--format", format, volume]);
            !token.is_empty() && label.as_deref() == Some(token)
        };
        Ok(self.volumes()?.iter().all(has_token))
    }

    /// What a person types to remove what has this project's name.
    pub(crate) fn words_to_remove(&self, volumes: &[String]) -> String {
        let ids: Vec<String> = Service::BOTH
            .iter()
            .filter_map(|service| self.container(*service))
            .map(|id| id[..12.min(id.len())].to_owned())
            .collect();
        let volumes = format!("docker volume rm {}", volumes.join(" "));
        match ids.is_empty() {
            true => volumes,
            false => format!("docker rm --force {} && {volumes}", ids.join(" ")),
        }
    }

    /// Why nothing is done to servers without our token.
    pub(crate) fn not_ours(&self) -> String {
        format!(
            "the servers of the project {} do not have the token of {}: they are not those that `db up` made",
            self.name,
            self.set.state.path().display()
        )
    }

    /// Whether the server has the token of its state directory.
    pub(crate) fn has_token(&self, service: Service) -> Result<bool> {
        let token = match service {
            Service::Mysql => self.query(service, None, "select token from converge_local.token"),
            Service::Postgres => {
                self.query(service, Some("converge_local"), "select token from token")
            }
        };
        match token {
            Ok(token) => Ok(token == self.set.record.token),
            // A server that knows no such table or database answered, and is not ours.
            Err(error) if is_missing(&error.to_string()) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The result of a query with one value, as the superuser.
    pub(crate) fn query(
        &self,
        service: Service,
        database: Option<&str>,
        sql: &str,
    ) -> Result<String> {
        let mut command = self.client(service, superuser(service), database, false)?;
        match service {
            Service::Mysql => command.args(["--batch", "--skip-column-names", "--execute", sql]),
            Service::Postgres => command.args(["-X", "--tuples-only", "--no-align", "-c", sql]),
        };
        let output = command
            .stdin(Stdio::null())
            .output()
            .context("cannot start docker")?;
        if !output.status.success() {
            bail!(
                "{} does not answer: {}",
                service.name(),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Runs a script as the superuser.
    pub(crate) fn script(&self, service: Service, sql: &str) -> Result<()> {
        let database = (service == Service::Postgres).then_some("postgres");
        let mut command = self.client(service, superuser(service), database, false)?;
        if service == Service::Postgres {
            command.args(["-X", "--quiet", "-v", "ON_ERROR_STOP=1"]);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start docker")?;
        let mut stdin = child.stdin.take().expect("stdin is piped");
        // A client that refuses says why; that it no longer reads does not matter then.
        let written = stdin.write_all(sql.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().context("cannot wait for docker")?;
        if !output.status.success() {
            bail!(
                "cannot set {} up: {}",
                service.name(),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        written.context("cannot write to docker")
    }

    /// A client inside the container; passwords go through the environment, since arguments
    /// can be read by every user.
    pub(crate) fn client(
        &self,
        service: Service,
        user: &str,
        database: Option<&str>,
        interactive: bool,
    ) -> Result<Command> {
        let container = self
            .container(service)
            .with_context(|| format!("there is no container of {}", service.name()))?;
        let mut command = self.engine.docker(&["exec", "--interactive"]);
        if interactive && io::stdin().is_terminal() && io::stdout().is_terminal() {
            command.arg("--tty");
        }
        match service {
            Service::Mysql => {
                // Newer images of MariaDB have only its own name for the client.
                let script = "exec \"$(command -v mysql || command -v mariadb)\" \"$@\"";
                command
                    .env("MYSQL_PWD", &self.set.record.mysql_password)
                    .args(["--env", "MYSQL_PWD", &container])
                    .args(["sh", "-c", script, "mysql", "--host=127.0.0.1"])
                    .arg(format!("--user={user}"));
            }
            Service::Postgres => {
                command
                    .env("PGPASSWORD", self.set.record.password_of(user))
                    .args(["--env", "PGPASSWORD", &container])
                    .args(["psql", "--host=127.0.0.1"])
                    .arg(format!("--username={user}"));
            }
        }
        if let Some(database) = database {
            let option = match service {
                Service::Mysql => "--database=",
                Service::Postgres => "--dbname=",
            };
            command.arg(format!("{option}{database}"));
        }
        Ok(command)
    }
}

fn superuser(service: Service) -> &'static str {
    match service {
        Service::Mysql => "root",
        Service::Postgres => "postgres",
    }
}

fn is_missing(said: &str) -> bool {
    let said = said.to_lowercase();
    ["doesn't exist", "does not exist", "unknown database"]
        .iter()
        .any(|text| said.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::state::{Record, StateDir};

    #[test]
    fn passwords_go_to_containers_by_the_environment_alone() {
        let dir = xshell::Shell::new().unwrap().create_temp_dir().unwrap();
        let set = Set {
            state: StateDir::locate(Some(dir.path().join("state"))).unwrap(),
            record: Record::of_test(),
        };
        let command = Project::new(Engine::assumed(), &set).compose();
        for (name, password) in [
            ("MYSQL_ROOT_PASSWORD", &set.record.mysql_password),
            ("POSTGRES_PASSWORD", &set.record.postgres_password),
            ("CONVERGE_OWNER_PASSWORD", &set.record.owner_password),
        ] {
            let found = command.get_envs().find(|(key, _)| *key == name);
            assert_eq!(found.unwrap().1.unwrap(), password.as_str(), "{name}");
            let is_shown = |arg: &std::ffi::OsStr| arg.to_string_lossy().contains(password);
            assert!(!command.get_args().any(is_shown), "{name}");
        }
    }
}
