//! Which images a set of containers is made from, and the settings of `.env.docker`.
//!
//! It builds none; `cargo xtask images` does.

use std::{env, fs, process::Stdio};

use anyhow::{Context, Result};

use super::engine::Engine;
use crate::{
    db::{
        native::Set,
        origin::{self, INSTALLED, Wanted},
        state::Record,
    },
    failure::{BLOCKED, Failure, USAGE},
    images,
    servers::{Family, Release},
    ticker::Ticker,
    workspace,
};

impl Engine {
    /// The id of an image that is on this machine.
    pub(crate) fn image(self, name: &str) -> Option<String> {
        self.ask(&["image", "inspect", "--format", "{{.Id}}", name])
    }

    /// Whether the image is on this machine.
    pub(crate) fn has_image(self, image: &str) -> bool {
        self.image(image).is_some()
    }

    /// Fetches an image from its registry, and says whether that worked.
    fn pull(self, image: &str) -> bool {
        let pulling = format!("db: pulling the image {image}");
        eprintln!("{pulling}");
        let _ticker = Ticker::start(pulling);
        let mut pull = self.docker(&["pull", "--quiet", image]);
        pull.stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        pull.status().is_ok_and(|status| status.success())
    }
}

/// The images of MySQL and PostgreSQL: what was asked for, else those of `former`, else
/// those of the settings, else those that were made here.
pub(crate) fn choose(
    engine: Engine,
    wanted: &Wanted,
    former: Option<&Record>,
) -> Result<[String; 2]> {
    let former = |get: fn(&Record) -> &String| former.map(get).cloned();
    Ok([
        choose_one(
            engine,
            "MYSQL_IMAGE",
            wanted.mysql.as_deref(),
            former(|record| &record.mysql_from),
        )?,
        choose_one(
            engine,
            "POSTGRES_IMAGE",
            wanted.postgres.as_deref(),
            former(|record| &record.postgres_from),
        )?,
    ])
}

fn choose_one(
    engine: Engine,
    variable: &str,
    wanted: Option<&str>,
    former: Option<String>,
) -> Result<String> {
    let is_postgres = variable == "POSTGRES_IMAGE";
    if let Some(Ok(release)) = wanted.map(Release::named)
        && (release.family == Family::Postgres) != is_postgres
    {
        return Err(Failure::new(USAGE, origin::FAMILIES).into());
    }
    let named = wanted
        .map(image_of)
        .or_else(|| setting_of_user(variable))
        .or(former);
    let image = match named {
        Some(image) => image,
        None => {
            let usual = setting_of_file(variable)?;
            match engine.has_image(&usual) {
                true => usual,
                // What was built here is there for want of the usual one.
                false => images::made_here(engine, is_postgres).unwrap_or(usual),
            }
        }
    };
    if image == INSTALLED {
        let message = "installed servers are processes, not containers";
        return Err(Failure::new(USAGE, message)
            .hint("--provider native")
            .into());
    }
    // No registry has what is made here, and whatever had its name would not be ours.
    if engine.has_image(&image) || (!images::is_made_here(&image) && engine.pull(&image)) {
        return Ok(image);
    }
    let message = format!("the image {image} is not here and cannot be pulled");
    Err(Failure::new(BLOCKED, message)
        .hint("`cargo xtask images build` makes images from Debian's packages")
        .into())
}

/// A release stands for the image that `images build` makes of it.
fn image_of(wanted: &str) -> String {
    Release::named(wanted).map_or_else(|_| wanted.to_owned(), images::tag)
}

/// Fails where the containers are of other images than what is asked for.
pub(crate) fn check_same(wanted: &Wanted, set: &Set) -> Result<()> {
    let pairs = [
        (&wanted.mysql, "MYSQL_IMAGE", &set.record.mysql_from),
        (
            &wanted.postgres,
            "POSTGRES_IMAGE",
            &set.record.postgres_from,
        ),
    ];
    for (wanted, variable, recorded) in pairs {
        let wanted = wanted
            .as_deref()
            .map(image_of)
            .or_else(|| setting_of_user(variable));
        if let Some(wanted) = wanted.filter(|wanted| wanted != recorded) {
            let message = format!(
                "the servers of {} are made from {recorded}, not {wanted}",
                set.state.path().display()
            );
            return Err(Failure::new(BLOCKED, message)
                .hint("`cargo xtask db reset` with the same options replaces them, and their data")
                .into());
        }
    }
    Ok(())
}

/// A setting of compose.yml in the environment.
pub(crate) fn setting_of_user(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.is_empty())
}

/// A setting of compose.yml in `.env.docker`.
pub(crate) fn setting_of_file(variable: &str) -> Result<String> {
    let path = workspace::root().join(".env.docker");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut settings = text.lines().filter_map(|line| line.split_once('='));
    let found = settings.find(|(name, _)| *name == variable);
    let (_, value) =
        found.with_context(|| format!("{} has no line {variable}=…", path.display()))?;
    Ok(value.trim().to_owned())
}
