//! Which errors say that a connection is lost, and which are a word of the server, or of what stands
//! before it.

use std::{error, io};

/// With these the server ends a session, or does not take one yet: shut down by its operator,
/// crashed, starting or stopping, idle for too long (PostgreSQL manual, appendix A). A pooler
/// ends the session of a client for which it found no free connection in time.
pub(super) fn is_goodbye(state: &str, message: &str) -> bool {
    ["57P01", "57P02", "57P03", "57P05", "25P03"].contains(&state)
        || state == PROTOCOL_VIOLATION && message.contains(QUEUED_TOO_LONG)
}

/// Class 08, connection exception: a pooler in front of a server that it does not reach. But
/// `PgBouncer` says nearly everything with one SQLSTATE: that it is full or refuses a login is
/// no word about the server behind it.
pub(super) fn is_from_a_proxy(state: &str, message: &str) -> bool {
    let of_its_own = ["connections", QUEUED_TOO_LONG, "authentication"];
    let is_full_or_refuses =
        state == PROTOCOL_VIOLATION && of_its_own.iter().any(|part| message.contains(part));
    state.starts_with("08") && !is_full_or_refuses
}

const PROTOCOL_VIOLATION: &str = "08P01";
/// What `PgBouncer` calls the time for which a client waits for a server's connection.
const QUEUED_TOO_LONG: &str = "query_wait_timeout";

/// Whether the connection itself failed, somewhere in the chain of causes.
pub(super) fn is_broken(error: &(dyn error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<postgres::Error>()
            && error.is_closed()
        {
            return true;
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            // What wraps another error is judged by that one; data that cannot be right, such
            // as a certificate, have arrived all the same.
            match error.get_ref() {
                Some(inner) if is_ours(inner) => return is_broken(inner),
                _ => return error.kind() != io::ErrorKind::InvalidData,
            }
        }
        cause = error.source();
    }
    false
}

/// Whether nobody listens, or whoever does hangs up at once, as a proxy without a server.
pub(super) fn is_closed_port(error: &postgres::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, UnexpectedEof};
    let mut cause: Option<&(dyn error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return [ConnectionRefused, ConnectionReset, UnexpectedEof].contains(&error.kind());
        }
        cause = error.source();
    }
    error.is_closed()
}

/// Whether an error inside an I/O error is the client's own, which knows more.
fn is_ours(inner: &(dyn error::Error + Send + Sync + 'static)) -> bool {
    inner.is::<postgres::Error>() || inner.is::<io::Error>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_messages_are_answers_but_for_those_of_poolers() {
        // Too many connections, wrong password, a cancelled statement, a violated key.
        for state in ["53300", "28P01", "57014", "23505"] {
            assert!(
                !is_goodbye(state, "no") && !is_from_a_proxy(state, "no"),
                "{state}"
            );
        }
        // Starting up or ended by an operator: there, but without a session for us.
        for state in ["57P01", "57P03"] {
            assert!(
                is_goodbye(state, "no") && !is_from_a_proxy(state, "no"),
                "{state}"
            );
        }
        for state in ["08P01", "08006"] {
            assert!(is_from_a_proxy(state, "no"), "{state}");
        }
    }

    #[test]
    fn a_pooler_that_is_full_is_no_server_that_is_gone() {
        for (message, from_a_proxy, goodbye) in [
            (
                "no more connections allowed (max_client_conn)",
                false,
                false,
            ),
            ("SASL authentication failed", false, false),
            ("query_wait_timeout", false, true),
            ("pgbouncer cannot connect to server", true, false),
            (
                "server login has been failing, try again later",
                true,
                false,
            ),
            ("client_login_timeout (server down)", true, false),
        ] {
            assert_eq!(is_from_a_proxy("08P01", message), from_a_proxy, "{message}");
            assert_eq!(is_goodbye("08P01", message), goodbye, "{message}");
        }
        // Only that one code is used for everything.
        assert!(is_from_a_proxy("08006", "too many connections"));
    }
}
