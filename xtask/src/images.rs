//! `cargo xtask images`: images of servers from Debian's packages, where no registry is reached.
//!
//! They honour the variables of the well-known images, so that compose.yml runs either.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::ExitCode,
    time::Instant,
};

use anyhow::{Context, Result, bail};

use crate::{
    db::{engine::Engine, place, state::remove_if_there},
    flags::{Images, ImagesCommand},
    servers::{self, Family, RELEASES, Release},
};

/// What an entrypoint needs besides the server: a shell, its tools, and `setpriv`.
const BASE_PACKAGES: [&str; 8] = [
    "base-files",
    "coreutils",
    "dash",
    "grep",
    "libc-bin",
    "sed",
    "tzdata",
    "util-linux",
];

/// Links that the packages' own scripts would make, which are not run.
const LINKS: [(&str, &str); 2] = [("usr/bin/sh", "dash"), ("var/run", "../run")];

/// Folders that servers and users of an image expect.
const FOLDERS: [&str; 2] = ["var/lib/mysql-files", "docker-entrypoint-initdb.d"];

/// The label by which an image is known to be made from the present recipe.
const LABEL: &str = "converge.recipe";

pub(crate) fn run(flags: Images) -> Result<ExitCode> {
    let engine = Engine::find().map_err(|absence| absence.failure("images need an engine"))?;
    match flags.command {
        ImagesCommand::Build { names, fresh } => {
            for release in chosen(&names)? {
                build(engine, release, fresh)?;
                println!("{}={}", variable(release), tag(release));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Begins the names of images that are made here: a host's name, under which no registry on the
/// net can offer another one.
const NAMESPACE: &str = "localhost/converge/";

/// The image of a release, such as `localhost/converge/mysql:9.7`.
pub(crate) fn tag(release: &Release) -> String {
    format!("{NAMESPACE}{}:{}", release.family.name(), release.series())
}

/// Whether an image of that name can only come from here.
pub(crate) fn is_made_here(image: &str) -> bool {
    image.starts_with(NAMESPACE)
}

/// The releases of these names; MySQL and PostgreSQL, where none is named.
fn chosen(names: &[String]) -> Result<Vec<&'static Release>> {
    if names.is_empty() {
        return ["mysql", "postgres"]
            .map(Release::named)
            .into_iter()
            .collect();
    }
    names.iter().map(|name| Release::named(name)).collect()
}

/// The variable of compose.yml that names the image.
fn variable(release: &Release) -> &'static str {
    match release.family {
        Family::Postgres => "POSTGRES_IMAGE",
        _ => "MYSQL_IMAGE",
    }
}

/// Images of a family's server that were made here, the preferred one first.
pub(crate) fn made_here(engine: Engine, is_postgres: bool) -> Option<String> {
    RELEASES
        .iter()
        .filter(|release| (release.family == Family::Postgres) == is_postgres)
        .find(|release| is_current(engine, release))
        .map(tag)
}

/// Makes the image of a release, unless it is there and its recipe has not changed.
pub(crate) fn build(engine: Engine, release: &'static Release, fresh: bool) -> Result<()> {
    let tag = tag(release);
    let recipe = Recipe::of(release);
    if !fresh && is_current(engine, release) {
        eprintln!("images: {tag} is there");
        return Ok(());
    }
    let former = engine.image(&tag);
    let start = Instant::now();
    let folder = servers::folder()?;
    let context = folder.join(format!("image-{}.{}", release.name, std::process::id()));
    let built = recipe
        .lay_out(&folder, &context, release)
        .and_then(|()| build_from(engine, &context, &tag));
    remove_if_there(&context)?;
    built?;
    if let Some(former) = former.filter(|former| engine.image(&tag).as_ref() != Some(former)) {
        // Without a name it would only take room; a container that still uses it keeps it.
        engine.ask(&["image", "rm", &former]);
    }
    eprintln!(
        "images: {tag} built in {:.0} s",
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Whether the image is here and made by the present recipe.
fn is_current(engine: Engine, release: &Release) -> bool {
    let format = format!("{{{{index .Config.Labels \"{LABEL}\"}}}}");
    let made_by = engine.ask(&["image", "inspect", "--format", &format, &tag(release)]);
    made_by.as_deref() == Some(&*Recipe::of(release).id())
}

fn build_from(engine: Engine, context: &Path, tag: &str) -> Result<()> {
    let mut command = engine.docker(&["build", "--quiet", "--tag", tag]);
    command.arg(context);
    engine.run(command, "docker build")
}

/// What an image is made from.
struct Recipe {
    packages: Vec<&'static str>,
    dockerfile: String,
    entrypoint: &'static str,
    user: &'static str,
}

impl Recipe {
    fn of(release: &Release) -> Recipe {
        let (user, entrypoint, path, volume, port, signal, program) = match release.family {
            Family::Postgres => (
                "postgres",
                include_str!("images/postgres_entrypoint.sh"),
                format!("/usr/lib/postgresql/{}/bin:", release.series()),
                "/var/lib/postgresql",
                5432,
                "SIGINT",
                "postgres",
            ),
            _ => (
                "mysql",
                include_str!("images/mysql_entrypoint.sh"),
                String::new(),
                "/var/lib/mysql",
                3306,
                "SIGTERM",
                "mysqld",
            ),
        };
        let dockerfile = format!(
            "FROM scratch\n\
             COPY tree/ /\n\
             COPY entrypoint.sh /usr/local/bin/docker-entrypoint.sh\n\
             ENV PATH={path}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin LANG=C.UTF-8\n\
             VOLUME {volume}\n\
             EXPOSE {port}\n\
             STOPSIGNAL {signal}\n\
             ENTRYPOINT [\"docker-entrypoint.sh\"]\n\
             CMD [\"{program}\"]\n"
        );
        Recipe {
            packages: [&BASE_PACKAGES, release.packages].concat(),
            dockerfile,
            entrypoint,
            user,
        }
    }

    /// `/etc/passwd` and `/etc/group`.
    fn accounts(&self) -> [String; 2] {
        let user = self.user;
        [
            format!("root:x:0:0:root:/root:/bin/sh\n{user}:x:999:999::/var/lib/{user}:/bin/sh\n"),
            format!("root:x:0:\n{user}:x:999:\n"),
        ]
    }

    /// Changes with everything that goes into the image, apart from the packages' versions.
    fn id(&self) -> String {
        let layout = format!("{LINKS:?} {FOLDERS:?} {}", self.accounts().concat());
        let packages = self.packages.join(" ");
        let all = [&*packages, &self.dockerfile, self.entrypoint, &layout].join("\n");
        place::short_name(Path::new(&all))
    }

    /// Fills the folder that `docker build` reads.
    fn lay_out(&self, folder: &Path, context: &Path, release: &Release) -> Result<()> {
        eprintln!("images: fetching and unpacking {}", release.name);
        let tree = context.join("tree");
        servers::unpack(folder, release.suite, &self.packages, &tree)?;
        let write = |path: &Path, text: &str| {
            fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        let [passwd, group] = self.accounts();
        write(&tree.join("etc/passwd"), &passwd)?;
        write(&tree.join("etc/group"), &group)?;
        for (link, target) in LINKS {
            let link = tree.join(link);
            remove_if_there(&link)?;
            symlink(target, &link).with_context(|| format!("cannot make {}", link.display()))?;
        }
        for folder in FOLDERS {
            let folder = tree.join(folder);
            fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let entrypoint = context.join("entrypoint.sh");
        write(&entrypoint, self.entrypoint)?;
        fs::set_permissions(&entrypoint, fs::Permissions::from_mode(0o755))?;
        let label = format!("LABEL {LABEL}={}\n", self.id());
        write(
            &context.join("Dockerfile"),
            &format!("{}{label}", self.dockerfile),
        )?;
        if !tree.join("usr/bin/setpriv").exists() {
            bail!("the packages of {} lack setpriv", release.name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_changes_with_the_release() {
        let id = |name: &str| Recipe::of(Release::named(name).unwrap()).id();
        assert_eq!(id("postgres-18"), id("postgres-18"));
        assert_ne!(id("postgres-18"), id("postgres-17"));
        assert_ne!(id("mysql"), id("mariadb"));
        assert_eq!(
            tag(Release::named("mysql").unwrap()),
            "localhost/converge/mysql:9.7"
        );
    }
}
