//! Encryption and identity of both connections, and roles of the target that could interfere: what
//! `doctor` shows of them, and what stops a command in production.

use catalog::quote;
use target::Connection;

use crate::config::{Config, Database, Environment};
use crate::console::{Console, first_of};
use crate::exit::Failure;

/// Enough to recognise them.
const ROLES_SHOWN: usize = 5;

/// One of the two connections of a database.
pub(crate) struct Link<'d> {
    database: &'d Database,
    side: &'static str,
    is_local: bool,
    is_verified: bool,
    is_encrypted: bool,
}

/// Both connections of a database; `source` and `target` say whether they are encrypted.
pub(crate) fn links(database: &Database, source: bool, target: bool) -> [Link<'_>; 2] {
    let (from, to) = (&database.source, &database.target);
    [
        Link {
            database,
            side: "source",
            is_local: from.is_local(),
            is_verified: from.verifies_server(),
            is_encrypted: source,
        },
        Link {
            database,
            side: "target",
            is_local: to.is_local(),
            is_verified: to.verifies_server(),
            is_encrypted: target,
        },
    ]
}

impl Link<'_> {
    /// Describes the connection, with a hint if it is not verified; fails if production needs more.
    pub(crate) fn judge(&self, config: &Config) -> Result<(String, Option<String>), Failure> {
        let side = self.side;
        if self.is_blocked(config) {
            return Err(unverified(&[self]));
        }
        let what = match (self.is_encrypted, self.is_verified) {
            (true, true) => "TLS, and the server is verified",
            (true, false) => "TLS, and the server is not verified",
            (false, _) => "no TLS",
        };
        if self.is_local {
            return Ok((format!("{side}: {what}; on this machine"), None));
        }
        let hint = (!self.is_verified).then(|| {
            format!(
                "a man in the middle can impersonate the {side}: use {} in its URL",
                self.option()
            )
        });
        Ok((format!("{side}: {what}"), hint))
    }

    fn is_blocked(&self, config: &Config) -> bool {
        config.environment == Environment::Production
            && !config.allow_unverified_tls
            && self.is_open()
    }

    /// Whether a man in the middle could impersonate the server.
    fn is_open(&self) -> bool {
        !self.is_local && !self.is_verified
    }

    fn option(&self) -> &'static str {
        match self.side {
            "source" => "ssl-mode=verify_identity",
            _ => "sslmode=verify-full",
        }
    }
}

/// Fails if production data would cross a network to an unverified server; prints a note if the
/// configuration allows it.
pub(crate) fn check_network(config: &Config, console: Console) -> Result<(), Failure> {
    if config.environment != Environment::Production {
        return Ok(());
    }
    // Whether it is encrypted is not known before it is there, and decides nothing.
    let links = config.databases.iter();
    let links: Vec<Link<'_>> = links.flat_map(|database| links_of(database)).collect();
    let open: Vec<&Link<'_>> = links.iter().filter(|link| link.is_open()).collect();
    match open.as_slice() {
        [] => Ok(()),
        open if config.allow_unverified_tls => {
            console.line(&format!(
                "note: {} is not verified, which allow_unverified_tls allows",
                names(open)
            ));
            Ok(())
        }
        open => Err(unverified(open)),
    }
}

fn links_of(database: &Database) -> [Link<'_>; 2] {
    links(database, false, false)
}

fn names(links: &[&Link<'_>]) -> String {
    let names = links.iter();
    let names = names.map(|link| format!("the {} of `{}`", link.side, link.database.name));
    names.collect::<Vec<_>>().join(", ")
}

fn unverified(links: &[&Link<'_>]) -> Failure {
    let mut options: Vec<String> = Vec::new();
    for link in links {
        let option = format!("{} in the {}", link.option(), link.side);
        if !options.contains(&option) {
            options.push(option);
        }
    }
    Failure::blocked(format!(
        "environment `production`: on this network a man in the middle could impersonate {}",
        names(links)
    ))
    .hint(format!(
        "nothing was changed; use {} (with ssl-ca or sslrootcert for a CA of your own), or accept it \
         with `allow_unverified_tls: true` in the configuration",
        options.join(" and ")
    ))
}

/// Whether the role of the target is a superuser.
pub(crate) fn role(target: &mut Connection) -> anyhow::Result<(String, Option<String>)> {
    let role = quote::postgres(&target.role()?);
    if !target.is_superuser()? {
        return Ok((format!("{role} is no superuser"), None));
    }
    let hint =
        "triggers and functions of other roles run with its privileges in these sessions; a \
                role with the documented privileges is enough"
            .to_owned();
    Ok((format!("{role} is a superuser"), Some(hint)))
}

/// Other roles that may create objects in the database, in the schema that is loaded and in the
/// ledger's.
pub(crate) fn who_may_create(
    database: &Database,
    target: &mut Connection,
) -> anyhow::Result<(String, Option<String>)> {
    let schemas = [database.target_schema.as_str(), database.ledger.as_str()];
    let others = target.others_who_may_create(&schemas)?;
    if others.is_empty() {
        return Ok(("no other role may create objects here".to_owned(), None));
    }
    let places = others.iter();
    let places = places.map(|(place, roles)| format!("{place}: {}", first_of(roles, ROLES_SHOWN)));
    let list = places.collect::<Vec<_>>().join("; ");
    let hint = "these roles can create functions and operators that shadow those of PostgreSQL; \
                revoke `create` where it is not needed"
        .to_owned();
    Ok((list, Some(hint)))
}

/// Who owns the ledger; an untrusted one fails the check before this.
pub(crate) fn ledger_owner(database: &Database, target: &mut Connection) -> anyhow::Result<String> {
    let ledger = quote::postgres(&database.ledger);
    Ok(match target.schema_owner(&database.ledger)? {
        Some(owner) => format!("schema {ledger} of role {}", quote::postgres(&owner)),
        None => format!("schema {ledger} is not there yet"),
    })
}
