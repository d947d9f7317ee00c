//! Refusals of the target before any work: logins, databases, TLS, connections, privileges.
//!
//! Keeps the server's reason and adds what to check; lost connections are in `lost.rs`.

use catalog::quote;

use crate::call::next;
use crate::config::Database;
use crate::exit::Failure;

/// Makes a blocker of a refusal of the target; other errors stay as they are.
pub(crate) fn explain(database: &Database, error: anyhow::Error) -> anyhow::Error {
    let found = error.downcast_ref::<target::Error>();
    match found.and_then(|found| hint(found, database)) {
        Some(hint) => Failure::blocked(format!("{error:#}")).hint(hint).into(),
        None => error,
    }
}

fn hint(error: &target::Error, database: &Database) -> Option<String> {
    let (name, target) = (&database.name, &database.target);
    let place = format!("databases.{name}.target");
    let role = quote::postgres(target.user());
    let database = quote::postgres(target.database().unwrap_or(target.user()));
    if error.is_about_tls() {
        return Some(format!(
            "check sslmode and sslrootcert in {place}: the mode `prefer` does without TLS where \
             the server has none, `verify-ca` and `verify-full` need the certificate that signed \
             the server's"
        ));
    }
    if error.is_about_the_login() {
        return Some(format!(
            "nothing was sent; use TLS with sslmode=verify-full in {place}, or let the server's \
             administrator ask for `scram-sha-256` in pg_hba.conf"
        ));
    }
    if let Some(is_other_version) = error.is_about_trust() {
        return Some(match is_other_version {
            true => {
                "nothing was changed; use the version of this tool that started the run, or name \
                     another schema with ledger_schema"
                    .to_owned()
            }
            false => format!(
                "nothing was changed; log in as the role that loaded the target; if another role \
                 made the schema, tell the administrator, and use another one with \
                 databases.{name}.ledger_schema"
            ),
        });
    }
    if error.is_about_others_code() {
        return Some("let that role drop it, or drop it as the owner of the schema".to_owned());
    }
    let Some(state) = error.sqlstate() else {
        // The client itself has nothing to answer the server with.
        let is_missing = error.is_connecting() && error.cause().contains("password missing");
        return is_missing.then(|| format!("name the password of role {role}: see {place}"));
    };
    Some(match state {
        "28P01" => format!("check user and password in {place}"),
        "28000" => format!(
            "let the server's administrator allow this login: `alter role {role} login`, and in \
             pg_hba.conf a line for this host, database and role, with TLS or without (sslmode in \
             {place})"
        ),
        "3D000" => format!(
            "check the database's name in {place}, or let an administrator run: create database \
             {database} encoding 'UTF8' template template0"
        ),
        "53300" => format!(
            "run with fewer --jobs, end other sessions, or raise the limit that is named: `alter \
             role {role} connection limit -1`, `alter database {database} connection limit -1`, \
             max_connections"
        ),
        "42501" if error.is_connecting() => {
            format!("let the database's owner run: grant connect on database {database} to {role}")
        }
        "42501" => format!(
            "grant what is missing; `{}` lists all of it",
            next("doctor")
        ),
        "55000" if error.is_connecting() => {
            format!("let an administrator run: alter database {database} allow_connections true")
        }
        _ => return None,
    })
}
