//! Passwords that stand in a text: in the address of a server, as somebody typed it.

use std::borrow::Cow;

/// What stands for a password that is not repeated: the variable that a shell or a configuration
/// can hold it in, so that the address still works.
const VARIABLE: &str = "${PASSWORD}";

/// A text in which no address has a password.
pub(crate) fn without_passwords(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find("://") {
        let (before, address) = rest.split_at(begin + "://".len());
        shown.push_str(before);
        let own = &address[..address.find("://").unwrap_or(address.len())];
        let word = &own[..own.find(char::is_whitespace).unwrap_or(own.len())];
        // A password may have spaces, and a port has none behind it.
        let found = password(word).or_else(|| match has_port(word) {
            true => None,
            false => password(&own[..own.find('@').map_or(0, |at| at + 1)]),
        });
        rest = match found {
            Some((start, end)) => {
                shown.push_str(&address[..start]);
                shown.push_str(VARIABLE);
                &address[end..]
            }
            None => address,
        };
    }
    shown.push_str(rest);
    shown.into()
}

/// The same of what is known to be one word.
pub(crate) fn in_word(word: &str) -> Cow<'_, str> {
    let begin = word.find("://").map_or(word.len(), |at| at + "://".len());
    match password(&word[begin..]) {
        Some((start, end)) => {
            let (before, after) = (&word[..begin + start], &word[begin + end..]);
            format!("{before}{VARIABLE}{after}").into()
        }
        None => Cow::Borrowed(word),
    }
}

/// Whether an address in a configuration has a password that is in no variable.
pub(crate) fn is_literal(address: &str) -> bool {
    in_word(address) != address
}

/// Where the password is in what stands behind the `://` of an address, unless it is a variable.
fn password(address: &str) -> Option<(usize, usize)> {
    let colon = behind_the_name(address)?;
    // In a password that was not encoded, there may be anything.
    let secret = &address[colon + 1..];
    let end = secret.rfind('@')?;
    let is_secret = end > 0 && !is_variable(&secret[..end]);
    is_secret.then_some((colon + 1, colon + 1 + end))
}

/// Where the colon is behind the first name of an address: that of a user or of a host.
fn behind_the_name(address: &str) -> Option<usize> {
    let end = address.find([':', '@', '/', '?', '#'])?;
    address[end..].starts_with(':').then_some(end)
}

/// Whether there is a number behind the first name, and no more than a path behind it.
fn has_port(word: &str) -> bool {
    let Some(colon) = behind_the_name(word) else {
        return true;
    };
    let behind = word[colon + 1..].trim_start_matches(|c: char| c.is_ascii_digit());
    !behind.starts_with(|c: char| c.is_alphanumeric())
}

/// Whether a text is `${NAME}`, without a default that could be the secret.
fn is_variable(text: &str) -> bool {
    let inside = text
        .strip_prefix("${")
        .and_then(|text| text.strip_suffix('}'));
    inside.is_some_and(is_name)
}

/// Whether a text could be the name of a variable.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().all(plain) && text.starts_with(|c: char| !c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_keeps_its_password() {
        for (text, shown) in [
            (
                "postgres://u:s3cret@h:5432/d?x=1",
                "postgres://u:${PASSWORD}@h:5432/d?x=1",
            ),
            (
                "--scratch=mysql://u:a@b@h",
                "--scratch=mysql://u:${PASSWORD}@h",
            ),
            (
                "see 'mysql://u:p/w#x@h', or",
                "see 'mysql://u:${PASSWORD}@h', or",
            ),
            (
                "a postgres://u:p@h b mysql://v:q@i c",
                "a postgres://u:${PASSWORD}@h b mysql://v:${PASSWORD}@i c",
            ),
            ("postgres://u:${PW:-s3cret}@h", "postgres://u:${PASSWORD}@h"),
            ("postgres://u:12/34x@h", "postgres://u:${PASSWORD}@h"),
        ] {
            assert_eq!(without_passwords(text), shown);
            assert_eq!(without_passwords(shown), shown);
        }
        for text in [
            "plain a:b@c",
            "postgres://u@h:5432/d to postgres://v@k:1/e@f",
            "postgres://h:5432/d",
            "postgres://u:${PW}@h/d",
            "mysql://[::1]:3306/d",
            "https://example.org/a:b@c",
        ] {
            assert_eq!(without_passwords(text), text);
        }
        for (text, shown) in [
            ("`mysql://u:p w@h`, x@y", "`mysql://u:${PASSWORD}@h`, x@y"),
            ("at mysql://h:3306, or x@y", "at mysql://h:3306, or x@y"),
            ("at mysql://h x@y", "at mysql://h x@y"),
        ] {
            assert_eq!(without_passwords(text), shown);
        }
        assert_eq!(in_word("mysql://u:1 w@h"), "mysql://u:${PASSWORD}@h");
    }
}
