//! JSON by meaning: white space, the order of keys, escapes and the spelling of numbers go.
//!
//! Builds no tree and calls nothing recursively, so that depth costs memory and never the stack.

mod number;
mod string;

use std::fmt;

use crate::canonical::TAG_JSON;

/// What becomes of a key that an object holds more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DuplicateKeys {
    /// The last one stays, as in `jsonb`.
    LastWins,
    /// All stay, in their order, as in `json`.
    KeepAll,
}

/// What becomes of the character U+0000 in strings and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NulCharacters {
    /// It stays.
    Keep,
    /// It is left out.
    Strip,
    /// It becomes this one.
    Replace(char),
}

/// How a document is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonOptions {
    /// For keys.
    pub duplicates: DuplicateKeys,
    /// For strings and keys.
    pub nul: NulCharacters,
}

/// What was met in a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonFacts {
    /// A string or key had U+0000, which `jsonb` cannot hold.
    pub has_nul: bool,
    /// A string or key had half of a surrogate pair, which `jsonb` cannot hold.
    pub has_lone_surrogate: bool,
    /// A number has more digits than `numeric`, which is how `jsonb` keeps numbers.
    pub has_number_beyond_numeric: bool,
}

/// Writes the canonical form of JSON; kept and reused, because it owns the buffers.
#[derive(Clone, Debug, Default)]
pub struct JsonCanonicalizer {
    open: Vec<Open>,
    members: Vec<Member>,
    sorted: Vec<u8>,
}

/// An array or object whose end was not met yet.
#[derive(Clone, Debug)]
struct Open {
    /// `None` for arrays, else how many members the enclosing objects have.
    first_member: Option<usize>,
}

/// A member of an open object; positions in the output.
#[derive(Clone, Copy, Debug)]
struct Member {
    start: usize,
    key_end: usize,
    end: usize,
}

/// Buffers that a rare large document has made longer than this are given back.
const KEPT_LENGTH_MAX: usize = 1024 * 1024;

/// A key stands behind its tag and its length.
const KEY_HEAD: usize = 5;

impl JsonCanonicalizer {
    /// Appends the canonical bytes of a JSON document, tag and length before it.
    ///
    /// Objects are sorted by the length of their keys, then by the keys' bytes, which is the
    /// order that MySQL and `jsonb` keep, so that little is moved.
    ///
    /// # Errors
    /// Where the text is not JSON as RFC 8259 has it, in UTF-8; `out` is then as it was.
    pub fn encode(
        &mut self,
        text: &[u8],
        options: JsonOptions,
        out: &mut Vec<u8>,
    ) -> Result<JsonFacts, JsonError> {
        let start = out.len();
        out.push(TAG_JSON);
        out.extend_from_slice(&[0; 8]);
        let body = out.len();
        self.forget_last_document();
        let result = str::from_utf8(text)
            .map_err(|error| JsonError {
                position: error.valid_up_to(),
                expected: "text in UTF-8",
            })
            .and_then(|_| {
                let mut reader = Reader {
                    text,
                    position: 0,
                    options,
                    facts: JsonFacts::default(),
                    state: self,
                    out,
                };
                reader.document().map(|()| reader.facts)
            });
        match result {
            Ok(_) => {
                let length = (out.len() - body) as u64;
                out[start + 1..body].copy_from_slice(&length.to_le_bytes());
            }
            Err(_) => out.truncate(start),
        }
        result
    }

    fn forget_last_document(&mut self) {
        self.open.clear();
        self.open.shrink_to(KEPT_LENGTH_MAX);
        self.members.clear();
        self.members.shrink_to(KEPT_LENGTH_MAX);
        self.sorted.clear();
        self.sorted.shrink_to(KEPT_LENGTH_MAX);
    }

    /// Sorts the members of the object that ends here and settles its duplicate keys.
    fn sort_members(&mut self, first: usize, duplicates: DuplicateKeys, out: &mut Vec<u8>) {
        let members = &mut self.members[first..];
        let key = |member: &Member| &out[member.start + KEY_HEAD..member.key_end];
        let order = |a: &Member, b: &Member| {
            let (a, b) = (key(a), key(b));
            a.len().cmp(&b.len()).then_with(|| a.cmp(b))
        };
        let sorted = members
            .windows(2)
            .all(|pair| order(&pair[0], &pair[1]).is_lt());
        if !sorted {
            let start = members[0].start;
            members.sort_unstable_by(|a, b| order(a, b).then(a.start.cmp(&b.start)));
            self.sorted.clear();
            for (index, member) in members.iter().enumerate() {
                let repeated = duplicates == DuplicateKeys::LastWins
                    && members
                        .get(index + 1)
                        .is_some_and(|next| order(member, next).is_eq());
                if !repeated {
                    self.sorted
                        .extend_from_slice(&out[member.start..member.end]);
                }
            }
            out.truncate(start);
            out.extend_from_slice(&self.sorted);
        }
        self.members.truncate(first);
    }
}

struct Reader<'a> {
    text: &'a [u8],
    position: usize,
    options: JsonOptions,
    facts: JsonFacts,
    state: &'a mut JsonCanonicalizer,
    out: &'a mut Vec<u8>,
}

enum Next {
    Value,
    AfterValue,
    End,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<(), JsonError> {
        let mut next = Next::Value;
        loop {
            next = match next {
                Next::Value => self.value()?,
                Next::AfterValue => self.after_value()?,
                Next::End => break,
            };
        }
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.expected("the end of the document")),
        }
    }

    fn value(&mut self) -> Result<Next, JsonError> {
        match self.peek() {
            Some(b'"') => self.string()?,
            Some(b'{') => return self.open_object(),
            Some(b'[') => return self.open_array(),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word(b"true", b't')?,
            Some(b'f') => self.word(b"false", b'f')?,
            Some(b'n') => self.word(b"null", b'n')?,
            _ => return Err(self.expected("a value")),
        }
        Ok(Next::AfterValue)
    }

    fn open_array(&mut self) -> Result<Next, JsonError> {
        self.position += 1;
        self.out.push(b'[');
        self.state.open.push(Open { first_member: None });
        Ok(match self.peek() {
            Some(b']') => self.close(b']', None),
            _ => Next::Value,
        })
    }

    fn open_object(&mut self) -> Result<Next, JsonError> {
        self.position += 1;
        self.out.push(b'{');
        let first = self.state.members.len();
        self.state.open.push(Open {
            first_member: Some(first),
        });
        match self.peek() {
            Some(b'}') => Ok(self.close(b'}', Some(first))),
            _ => self.key(),
        }
    }

    fn key(&mut self) -> Result<Next, JsonError> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a key"));
        }
        let start = self.out.len();
        self.string()?;
        self.state.members.push(Member {
            start,
            key_end: self.out.len(),
            end: 0,
        });
        match self.peek() {
            Some(b':') => self.position += 1,
            _ => return Err(self.expected("a colon")),
        }
        Ok(Next::Value)
    }

    fn after_value(&mut self) -> Result<Next, JsonError> {
        let Some(open) = self.state.open.last() else {
            return Ok(Next::End);
        };
        let first_member = open.first_member;
        if first_member.is_some() {
            let end = self.out.len();
            let member = self.state.members.last_mut();
            member.expect("a value in an object follows its key").end = end;
        }
        match (self.peek(), first_member) {
            (Some(b','), None) => {
                self.position += 1;
                Ok(Next::Value)
            }
            (Some(b','), Some(_)) => {
                self.position += 1;
                self.key()
            }
            (Some(b']'), None) => Ok(self.close(b']', None)),
            (Some(b'}'), Some(first)) => Ok(self.close(b'}', Some(first))),
            (_, None) => Err(self.expected("a comma or the end of the array")),
            (_, Some(_)) => Err(self.expected("a comma or the end of the object")),
        }
    }

    fn close(&mut self, bracket: u8, first_member: Option<usize>) -> Next {
        self.position += 1;
        self.state.open.pop();
        if let Some(first) = first_member {
            self.state
                .sort_members(first, self.options.duplicates, self.out);
        }
        self.out.push(bracket);
        Next::AfterValue
    }

    fn word(&mut self, word: &'static [u8], tag: u8) -> Result<(), JsonError> {
        if !self.text[self.position..].starts_with(word) {
            return Err(self.expected("a value"));
        }
        self.position += word.len();
        self.out.push(tag);
        Ok(())
    }

    /// The next byte that is no white space; it is not consumed.
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.text.get(self.position) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.position += 1,
                byte => return Some(*byte),
            }
        }
        None
    }

    fn expected(&self, expected: &'static str) -> JsonError {
        JsonError {
            position: self.position,
            expected,
        }
    }
}

/// Why a text is not JSON; carries no part of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    position: usize,
    expected: &'static str,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "not JSON at byte {}: expected {}",
            self.position, self.expected
        )
    }
}

impl std::error::Error for JsonError {}

#[cfg(test)]
mod tests;
