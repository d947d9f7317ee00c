//! Checks the messages of a server before the driver sees them: how it asks for a password, how
//! long a message is, and how much there is of them.
//!
//! Source: PostgreSQL manual, chapter "Frontend/Backend Protocol", "Message Formats".

use std::fmt;

use postgres::types::Type;

use crate::wire::auth::{AuthPolicy, Method};

/// A message of the login: the longest of an honest server is an error with its context.
const LOGIN_FRAME_MAX: u64 = 64 << 10;
/// All of a login together.
const LOGIN_BYTES_MAX: u64 = 1 << 20;
/// A row: a value has 1 GB at most.
const ROW_FRAME_MAX: u64 = (1 << 30) + (1 << 20);
/// Any other message; the longest of an honest server describes the columns of a result.
const FRAME_MAX: u64 = 16 << 20;
/// What the rows of one answer may take in memory, but for those of a COPY, which are not kept.
const ANSWER_MAX: u64 = 192 << 20;
/// What a row takes in memory besides its bytes, and each of its columns.
const OF_A_ROW: u64 = 96;
const OF_A_COLUMN: u64 = 32;
/// All other messages of one answer: notices, and what begins and ends results.
const OTHERS_MAX: u64 = 64 << 20;
/// A description of columns or parameters: a table has 1,600 columns, with names of 63 bytes.
const DESCRIPTION_MAX: u64 = 1 << 20;

/// The bytes of a body that say how a message is to be judged, but for descriptions.
const LOOKED_AT: usize = 4;
const HEADER: usize = 5;

/// Why a connection is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// How it asks for a password.
    Login(String),
    /// Messages that no server sends.
    Protocol(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Login(why) => f.write_str(why),
            Self::Protocol(what) => {
                write!(f, "{what}; is this a PostgreSQL server?")
            }
        }
    }
}

impl std::error::Error for Refused {}

/// Where in the stream of frames a connection is.
#[derive(Debug)]
pub(crate) struct Frames {
    policy: AuthPolicy,
    /// Header and first bytes of the frame that is arriving.
    start: Vec<u8>,
    /// Bytes of its body that have not arrived.
    rest: u64,
    /// Whether the server has said that it waits for a statement.
    logged_in: bool,
    /// Whether the server has asked for a proof of who logs in.
    asked: bool,
    login_bytes: u64,
    /// Whether the parameters of a statement were described, so that the driver looks up the types
    /// of its columns.
    is_prepared: bool,
    /// Whether the rows of a COPY are coming.
    is_copying: bool,
    /// What this answer takes so far, until the server waits for the next statement.
    rows: u64,
    others: u64,
}

impl Frames {
    pub(crate) fn new(policy: AuthPolicy) -> Self {
        Self {
            policy,
            start: Vec::with_capacity(HEADER + LOOKED_AT),
            rest: 0,
            logged_in: false,
            asked: false,
            login_bytes: 0,
            is_prepared: false,
            is_copying: false,
            rows: 0,
            others: 0,
        }
    }

    /// Looks at the next bytes; what is refused must not reach the driver.
    pub(crate) fn arrive(&mut self, mut bytes: &[u8]) -> Result<(), Refused> {
        if !self.logged_in {
            self.login_bytes += bytes.len() as u64;
            if self.login_bytes > LOGIN_BYTES_MAX {
                return Err(protocol("the server does not end the login"));
            }
        }
        while !bytes.is_empty() {
            if self.start.is_empty() && self.rest > 0 {
                let body = usize::try_from(self.rest).unwrap_or(usize::MAX);
                let taken = body.min(bytes.len());
                self.rest -= taken as u64;
                bytes = &bytes[taken..];
                continue;
            }
            let wanted = self.wanted();
            let taken = (wanted - self.start.len()).min(bytes.len());
            self.start.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if self.start.len() == HEADER && wanted == HEADER {
                self.check_length()?;
            }
            if self.start.len() == self.wanted() {
                self.judge()?;
                self.rest = self.length() - (self.start.len() - HEADER) as u64;
                self.start.clear();
            }
        }
        Ok(())
    }

    /// How much of a frame is looked at.
    fn wanted(&self) -> usize {
        if self.start.len() < HEADER {
            return HEADER;
        }
        let body = usize::try_from(self.length()).unwrap_or(usize::MAX);
        HEADER
            + match self.start[0] {
                b'R' | b'D' => body.min(LOOKED_AT),
                b'T' | b't' => body,
                _ => 0,
            }
    }

    /// Bytes of the body; the length on the wire counts itself.
    fn length(&self) -> u64 {
        let length = [self.start[1], self.start[2], self.start[3], self.start[4]];
        u64::from(u32::from_be_bytes(length)).saturating_sub(4)
    }

    fn check_length(&self) -> Result<(), Refused> {
        let length = [self.start[1], self.start[2], self.start[3], self.start[4]];
        if u32::from_be_bytes(length) < 4 {
            return Err(protocol("the server sends a message of a negative length"));
        }
        let limit = match self.start[0] {
            _ if !self.logged_in => LOGIN_FRAME_MAX,
            b'D' | b'd' => ROW_FRAME_MAX,
            b'T' | b't' => DESCRIPTION_MAX,
            _ => FRAME_MAX,
        };
        if self.length() > limit {
            let what = format!("the server announces a message of {} bytes", self.length());
            return Err(protocol(&what));
        }
        Ok(())
    }

    fn judge(&mut self) -> Result<(), Refused> {
        let length = self.length();
        let tag = self.start[0];
        match tag {
            b'R' if self.logged_in => {
                return Err(protocol("the server asks for a password once more"));
            }
            b'R' => return self.judge_login(),
            b'Z' => {
                self.logged_in = true;
                (self.is_prepared, self.is_copying) = (false, false);
                (self.rows, self.others) = (0, 0);
                return Ok(());
            }
            b'D' => {
                let columns = self.start.get(HEADER..HEADER + 2);
                let columns = columns.map_or(0, |bytes| u16::from_be_bytes([bytes[0], bytes[1]]));
                self.rows += length + OF_A_ROW + OF_A_COLUMN * u64::from(columns);
                return within(self.rows, ANSWER_MAX, "far more rows than requested");
            }
            // They are not kept, and are as many as a table has.
            b'd' if self.is_copying => return Ok(()),
            b'H' => self.is_copying = true,
            b'c' => self.is_copying = false,
            b't' => {
                self.is_prepared = true;
                self.check_types(2, 4)?;
            }
            b'T' if self.is_prepared => self.check_columns()?,
            _ => {}
        }
        self.others += length + OF_A_ROW;
        within(self.others, OTHERS_MAX, "endless messages")
    }

    /// The types of the columns of a prepared statement, behind their names.
    fn check_columns(&self) -> Result<(), Refused> {
        let mut at = 2;
        while let Some(name) = self.body().get(at..)
            && !name.is_empty()
        {
            let Some(end) = name.iter().position(|byte| *byte == 0) else {
                return Err(protocol("the server sends half a description"));
            };
            // The table and the number of the column; length, modifier and format.
            at += end + 1 + 6;
            self.check_type(at)?;
            at += 4 + 2 + 4 + 2;
        }
        Ok(())
    }

    /// The types of parameters, one behind the other.
    fn check_types(&self, first: usize, step: usize) -> Result<(), Refused> {
        let mut places = (first..self.body().len()).step_by(step);
        places.try_for_each(|at| self.check_type(at))
    }

    /// Fails for a type that is not one of PostgreSQL's own. Our statements have no other, and the
    /// driver would ask the server what it is, and what the answer is made of, without end.
    fn check_type(&self, at: usize) -> Result<(), Refused> {
        let oid = self.body().get(at..at + 4);
        let oid = oid.and_then(|bytes| bytes.try_into().ok());
        let oid = oid.map(u32::from_be_bytes);
        match oid.and_then(Type::from_oid) {
            Some(_) => Ok(()),
            None => Err(protocol("the server describes columns of an unknown type")),
        }
    }

    fn body(&self) -> &[u8] {
        &self.start[HEADER..]
    }

    fn judge_login(&mut self) -> Result<(), Refused> {
        let code = self.start.get(HEADER..HEADER + 4);
        let Some(&[a, b, c, d]) = code else {
            return Err(protocol("the server sends half a request for a password"));
        };
        let method = match u32::from_be_bytes([a, b, c, d]) {
            // Accepted.
            0 if self.asked => return Ok(()),
            0 => Method::None,
            3 => Method::Password,
            5 => Method::Md5,
            10 => Method::ScramSha256,
            // The rest of a SCRAM exchange.
            11 | 12 => return Ok(()),
            // The driver has none of the others.
            _ => return Ok(()),
        };
        self.asked = true;
        self.policy.check(method).map_err(Refused::Login)
    }
}

fn within(sum: u64, limit: u64, what: &str) -> Result<(), Refused> {
    match sum <= limit {
        true => Ok(()),
        false => Err(protocol(&format!("the server sends {what}"))),
    }
}

fn protocol(what: &str) -> Refused {
    Refused::Protocol(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[tag][..], &length.to_be_bytes(), body].concat()
    }

    fn login(code: u32) -> Vec<u8> {
        frame(b'R', &code.to_be_bytes())
    }

    /// Hands the bytes over in pieces of every size up to ten.
    fn refused(policy: &AuthPolicy, bytes: &[u8]) -> Option<Refused> {
        let mut answers = (1..=10).map(|size| {
            let mut frames = Frames::new(policy.clone());
            bytes
                .chunks(size)
                .find_map(|piece| frames.arrive(piece).err())
        });
        let first = answers.next().unwrap();
        answers.for_each(|answer| assert_eq!(answer, first));
        first
    }

    fn remote() -> AuthPolicy {
        AuthPolicy::new(false, false, None)
    }

    fn ready() -> Vec<u8> {
        [login(0), frame(b'Z', b"I")].concat()
    }

    #[test]
    fn a_login_and_its_answers_pass() {
        let mut bytes = [login(10), login(11), login(12), login(0)].concat();
        bytes.extend(frame(b'S', b"a\0b\0"));
        bytes.extend(frame(b'Z', b"I"));
        bytes.extend(frame(b'D', &[0, 1, 0, 0, 0, 1, b'x']));
        bytes.extend(frame(b'H', &[0; 3]));
        bytes.extend(frame(b'd', &[7; 3000]));
        bytes.extend(frame(b'c', b""));
        bytes.extend([frame(b'C', b"SELECT 1\0"), frame(b'Z', b"I")].concat());
        assert_eq!(refused(&remote(), &bytes), None);
    }

    #[test]
    fn a_password_in_clear_or_as_md5_is_asked_for_in_vain_over_an_open_network() {
        for code in [3, 5] {
            assert!(matches!(
                refused(&remote(), &login(code)),
                Some(Refused::Login(_))
            ));
            let encrypted = AuthPolicy::new(true, false, None);
            assert_eq!(refused(&encrypted, &login(code)), None);
            let loopback = AuthPolicy::new(false, true, None);
            assert_eq!(refused(&loopback, &login(code)), None);
        }
    }

    #[test]
    fn lengths_that_no_server_sends_are_refused() {
        let announced = |tag: u8, length: u32| {
            let mut bytes = ready();
            bytes.push(tag);
            bytes.extend(length.to_be_bytes());
            refused(&remote(), &bytes)
        };
        for (tag, length) in [
            (b'D', 3),
            (b'D', 0x7fff_ffff),
            (b'd', u32::MAX),
            (b'T', 2 << 20),
            (b'n', 17 << 20),
            (b'E', 1 << 30),
        ] {
            assert!(announced(tag, length).is_some(), "{tag} {length}");
        }
        assert_eq!(announced(b'D', 1 << 30), None);
        assert_eq!(announced(b'T', 1 << 19), None);
        // Before the login is over, nothing is long.
        let early = [&[b'E'][..], &(1u32 << 20).to_be_bytes()].concat();
        assert!(refused(&remote(), &early).is_some());
    }

    #[test]
    fn floods_are_cut_off() {
        let row = frame(b'D', &[0; 1000]);
        let end = frame(b'C', b"SELECT 1\0");
        let mut frames = Frames::new(remote());
        frames.arrive(&ready()).unwrap();
        // The end of one of several statements is not the end of the answer.
        let both = [row, end].concat();
        let rows = (0u64..).find(|_| frames.arrive(&both).is_err()).unwrap();
        assert!(rows < ANSWER_MAX / 1000, "{rows}");
        // The rows of a table are copied, and are as many as there are.
        let mut frames = Frames::new(remote());
        frames.arrive(&ready()).unwrap();
        frames.arrive(&frame(b'H', &[0; 3])).unwrap();
        let copied = frame(b'd', &[0; 60_000]);
        assert!((0..10_000).all(|_| frames.arrive(&copied).is_ok()));
        for tag in [b'N', b'S', b'A', b'C', b'E', b'I', b'd', b'2', b'n'] {
            let mut frames = Frames::new(remote());
            frames.arrive(&ready()).unwrap();
            let message = frame(tag, b"a\0b\0");
            let name = char::from(tag);
            assert!(
                (0..1_000_000).any(|_| frames.arrive(&message).is_err()),
                "{name}"
            );
        }
    }

    #[test]
    fn types_that_the_driver_would_have_to_ask_for_are_refused() {
        let columns = |oids: &[u32]| {
            let mut body = u16::try_from(oids.len()).unwrap().to_be_bytes().to_vec();
            for oid in oids {
                body.extend(b"name\0\0\0\0\0\0\0");
                body.extend(oid.to_be_bytes());
                body.extend([0; 8]);
            }
            frame(b'T', &body)
        };
        let parameters = |oids: &[u32]| {
            let count = u16::try_from(oids.len()).unwrap().to_be_bytes();
            let oids: Vec<u8> = oids.iter().flat_map(|oid| oid.to_be_bytes()).collect();
            frame(b't', &[&count[..], &oids].concat())
        };
        let answer = |parts: &[Vec<u8>]| {
            let bytes = [ready(), parts.concat()].concat();
            refused(&remote(), &bytes)
        };
        assert_eq!(
            answer(&[parameters(&[25, 1009]), columns(&[23, 25, 16])]),
            None
        );
        assert!(answer(&[parameters(&[]), columns(&[25, 999_999])]).is_some());
        assert!(answer(&[parameters(&[25, 999_999])]).is_some());
        // What is not prepared is text, whatever its type.
        assert_eq!(answer(&[columns(&[999_999])]), None);
        // Half a description.
        assert!(answer(&[parameters(&[]), frame(b'T', b"\0\x01name")]).is_some());
        assert!(answer(&[parameters(&[]), frame(b'T', b"\0\x01name\0\0")]).is_some());
    }
}
