//! By which methods a password is proven to a server, and where none is.

use catalog::UrlError;

/// How a server asks who logs in; the names are those of libpq's `require_auth`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// The password itself.
    Password,
    /// A digest that serves as well as the password.
    Md5,
    ScramSha256,
    /// Nothing is asked.
    None,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Md5 => "md5",
            Self::ScramSha256 => "scram-sha-256",
            Self::None => "none",
        }
    }
}

/// The methods of `require_auth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequireAuth {
    methods: Vec<Method>,
    /// Whether these are the ones that are refused.
    refused: bool,
}

impl RequireAuth {
    /// Parses a list with commas; a `!` before each method refuses it.
    ///
    /// Source: PostgreSQL manual, section "Parameter Key Words".
    pub(crate) fn parse(text: &str) -> Result<Self, UrlError> {
        let unknown = || {
            UrlError::new(
                "unknown method in require_auth; known: password, md5, scram-sha-256, none, all with or all without `!`",
            )
        };
        let refused = text.starts_with('!');
        let methods = text.split(',').map(|word| {
            let word = match (refused, word.strip_prefix('!')) {
                (true, Some(word)) => word,
                (false, None) => word,
                _ => return Err(unknown()),
            };
            let all = [
                Method::Password,
                Method::Md5,
                Method::ScramSha256,
                Method::None,
            ];
            all.into_iter()
                .find(|method| method.name() == word)
                .ok_or_else(unknown)
        });
        Ok(Self {
            methods: methods.collect::<Result<_, _>>()?,
            refused,
        })
    }

    fn takes(&self, method: Method) -> bool {
        self.methods.contains(&method) != self.refused
    }

    fn names(&self, method: Method) -> bool {
        self.takes(method) && !self.refused
    }
}

/// What a connection lets a server ask for.
#[derive(Clone, Debug)]
pub(crate) struct AuthPolicy {
    encrypted: bool,
    loopback: bool,
    required: Option<RequireAuth>,
}

impl AuthPolicy {
    pub(crate) fn new(encrypted: bool, loopback: bool, required: Option<RequireAuth>) -> Self {
        Self {
            encrypted,
            loopback,
            required,
        }
    }

    /// Why a method is refused.
    pub(crate) fn check(&self, method: Method) -> Result<(), String> {
        if let Some(required) = &self.required
            && !required.takes(method)
        {
            return Err(format!(
                "the server asks for the method `{}`, which require_auth rules out",
                method.name()
            ));
        }
        if self.encrypted || self.loopback {
            return Ok(());
        }
        let is_named = self.required.as_ref().is_some_and(|r| r.names(method));
        match method {
            Method::Password => Err("the server asks for the password in clear text over a \
                 connection without TLS; it was not sent"
                .to_owned()),
            Method::Md5 if !is_named => Err(
                "the server asks for the MD5 of the password over a connection without TLS; \
                 it was not sent (use TLS, or accept it with `require_auth=md5`)"
                    .to_owned(),
            ),
            Method::Md5 | Method::ScramSha256 | Method::None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_required_or_ruled_out() {
        let takes = |text: &str| {
            let policy = AuthPolicy::new(true, false, Some(RequireAuth::parse(text).unwrap()));
            [
                Method::Password,
                Method::Md5,
                Method::ScramSha256,
                Method::None,
            ]
            .map(|method| policy.check(method).is_ok())
        };
        assert_eq!(takes("scram-sha-256"), [false, false, true, false]);
        assert_eq!(takes("scram-sha-256,none"), [false, false, true, true]);
        assert_eq!(takes("!password,!md5"), [false, false, true, true]);
        for text in ["", "scram", "!password,md5", "md5,!none"] {
            assert!(RequireAuth::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn md5_over_an_open_network_is_a_choice_and_clear_text_is_none() {
        let policy =
            |text: &str| AuthPolicy::new(false, false, Some(RequireAuth::parse(text).unwrap()));
        assert!(policy("md5").check(Method::Md5).is_ok());
        assert!(policy("!password").check(Method::Md5).is_err());
        assert!(policy("password").check(Method::Password).is_err());
    }
}
