//! Peers that are no servers: they take a connection and send what a test wants, frame by frame.
//!
//! They hold no data and answer no question; what they are for is to lie.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How long a peer waits for its client: long enough for a busy machine.
const SILENCE: Duration = Duration::from_secs(20);

/// A listener on this machine that plays a script to everybody who connects.
pub struct Hostile {
    port: u16,
    received: Arc<Mutex<Vec<u8>>>,
}

impl Hostile {
    /// Begins to listen.
    ///
    /// # Panics
    /// Where this machine has no free port.
    pub fn play(script: impl Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it listens").port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (script, all) = (Arc::new(script), Arc::clone(&received));
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, all) = (Arc::clone(&script), Arc::clone(&all));
                thread::spawn(move || {
                    let _ = stream.set_read_timeout(Some(SILENCE));
                    // A client that hangs up has had enough.
                    let _ = script(&mut Peer { stream, all });
                });
            }
        });
        Self { port, received }
    }

    /// Its address as one on another machine, as far as a URL tells: `127.1` is resolved like a
    /// name.
    pub fn far_away(&self) -> String {
        format!("127.1:{}", self.port)
    }

    /// Its address as one on this machine.
    pub fn nearby(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Everything that clients have sent.
    pub fn received(&self) -> Vec<u8> {
        let received = self.received.lock();
        received.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether clients have sent these bytes somewhere.
    pub fn has_received(&self, bytes: &[u8]) -> bool {
        self.received()
            .windows(bytes.len())
            .any(|window| window == bytes)
    }
}

/// A client's connection.
pub struct Peer {
    stream: TcpStream,
    all: Arc<Mutex<Vec<u8>>>,
}

impl Peer {
    /// Sends bytes.
    ///
    /// # Errors
    /// Where the client has hung up.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends the same bytes until the client hangs up.
    ///
    /// # Errors
    /// Always, in the end.
    pub fn send_forever(&mut self, bytes: &[u8]) -> io::Result<()> {
        let many = bytes.repeat((64 << 10) / bytes.len().max(1) + 1);
        loop {
            self.stream.write_all(&many)?;
        }
    }

    /// What the client sends next; nothing where it waits.
    ///
    /// # Errors
    /// Where the client has hung up.
    pub fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; 64 << 10];
        let length = match self.stream.read(&mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        buffer.truncate(length);
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(&buffer);
        Ok(buffer)
    }
}

impl Peer {
    /// Takes so many bytes, and leaves what the client sent behind them.
    ///
    /// # Errors
    /// Where the client hangs up before.
    pub fn take(&mut self, bytes: usize) -> io::Result<()> {
        self.stream.read_exact(&mut vec![0; bytes])
    }

    /// Speaks TLS with the certificate of a configuration, and hears the client's first words in
    /// it, which say that it took the certificate.
    ///
    /// # Errors
    /// Where the client did not, or hangs up.
    pub fn encrypt(&mut self, config: &Arc<ServerConfig>) -> io::Result<()> {
        let connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, &self.stream);
        let mut buffer = [0; 1024];
        let length = stream.read(&mut buffer)?;
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(&buffer[..length]);
        Ok(())
    }
}

/// Messages as PostgreSQL has them.
pub mod postgres {
    use std::io;

    use super::{Hostile, Peer};

    /// A message.
    ///
    /// # Panics
    /// Where it is longer than a message can be.
    pub fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).expect("a body of a test is short");
        [&[tag][..], &length.to_be_bytes(), body].concat()
    }

    /// A request for a password, or that it was right (0).
    pub fn login(code: u32, rest: &[u8]) -> Vec<u8> {
        message(b'R', &[&code.to_be_bytes()[..], rest].concat())
    }

    /// An error with a text.
    pub fn error(text: &str) -> Vec<u8> {
        message(b'E', format!("SERROR\0C28000\0M{text}\0\0").as_bytes())
    }

    /// The address of a server that lets nobody in.
    pub fn closed_url() -> String {
        let server = Hostile::play(|peer| {
            greet(peer)?;
            peer.send(&error("nobody gets in"))
        });
        format!("postgres://u:p@{}/d", server.nearby())
    }

    /// "I wait for a statement."
    pub fn ready() -> Vec<u8> {
        message(b'Z', b"I")
    }

    /// A description of a result of columns of text with these names.
    pub fn columns(names: &[&str]) -> Vec<u8> {
        let mut body = u16::try_from(names.len())
            .unwrap_or(0)
            .to_be_bytes()
            .to_vec();
        for name in names {
            body.extend(name.as_bytes());
            // No table; text (25), of any length, in the binary form.
            body.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 0xff, 0xff]);
            body.extend([0xff, 0xff, 0xff, 0xff, 0, 1]);
        }
        message(b'T', &body)
    }

    /// A row of one value.
    pub fn row(value: &[u8]) -> Vec<u8> {
        let length = u32::try_from(value.len()).unwrap_or(0).to_be_bytes();
        message(b'D', &[&[0, 1][..], &length, value].concat())
    }

    /// Says that there is no TLS, and hears who wants to log in.
    ///
    /// # Errors
    /// Where the client hangs up.
    pub fn greet(peer: &mut Peer) -> io::Result<()> {
        let first = peer.receive()?;
        // "SSLRequest".
        if first.len() == 8 {
            peer.send(b"N")?;
            peer.receive()?;
        }
        Ok(())
    }

    /// Lets anybody in, and answers the preparation of the first statement with these columns.
    ///
    /// # Errors
    /// Where the client hangs up.
    pub fn prepare(peer: &mut Peer, names: &[&str]) -> io::Result<()> {
        greet(peer)?;
        peer.send(&[login(0, b""), ready()].concat())?;
        peer.receive()?;
        let parameters = message(b't', &[0, 0]);
        let prepared = [message(b'1', b""), parameters, columns(names), ready()];
        peer.send(&prepared.concat())?;
        peer.receive().map(drop)
    }
}

/// Packets as MySQL has them.
pub mod mysql {
    use std::io;

    use super::{Hostile, Peer};

    /// The address of a server that lets nobody in.
    pub fn closed_url() -> String {
        let server = Hostile::play(|peer| {
            peer.send(&packet(0, b"\xff\x15\x04nobody gets in"))?;
            peer.receive().map(drop)
        });
        format!("mysql://u:p@{}/d", server.nearby())
    }

    /// A packet with its number in the exchange.
    ///
    /// # Panics
    /// Where it is longer than a packet can be.
    pub fn packet(number: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).expect("a body of a test is short");
        let length = length.to_le_bytes();
        [&length[..3], &[number], body].concat()
    }

    /// A server's first words: no TLS, and a password by this plugin.
    pub fn greeting(plugin: &str) -> Vec<u8> {
        // PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, CONNECT_WITH_DB, PLUGIN_AUTH.
        greeting_with(plugin, 0x0008_a208)
    }

    /// Length of a client's wish for TLS: its head, then flags, size, character set and filler.
    pub const SSL_REQUEST: usize = 4 + 32;

    /// The same of a server that speaks TLS.
    pub fn greeting_with_tls(plugin: &str) -> Vec<u8> {
        greeting_with(plugin, 0x0008_aa08)
    }

    fn greeting_with(plugin: &str, capabilities: u32) -> Vec<u8> {
        let capabilities = capabilities.to_le_bytes();
        let mut body = b"\x0a8.0.36\0\x01\0\0\0".to_vec();
        body.extend(b"12345678\0");
        body.extend(&capabilities[..2]);
        body.extend([45, 2, 0]);
        body.extend(&capabilities[2..]);
        body.push(21);
        body.extend([0; 10]);
        body.extend(b"123456789012\0");
        body.extend(plugin.as_bytes());
        body.push(0);
        packet(0, &body)
    }

    /// "All is well."
    pub fn ok(number: u8) -> Vec<u8> {
        packet(number, &[0, 0, 0, 2, 0, 0, 0])
    }

    /// Wants the password in another way, for which it sends `seed`.
    pub fn switch(plugin: &str, seed: &[u8]) -> Vec<u8> {
        packet(2, &[b"\xfe", plugin.as_bytes(), b"\0", seed].concat())
    }

    /// Lets anybody in, and hears the first statement.
    ///
    /// # Errors
    /// Where the client hangs up.
    pub fn let_in(peer: &mut Peer) -> io::Result<()> {
        peer.send(&greeting("mysql_native_password"))?;
        peer.receive()?;
        peer.send(&ok(2))?;
        peer.receive().map(drop)
    }

    /// The head of a result of one column of text.
    pub fn column() -> Vec<u8> {
        let mut definition = b"\x03def\0\0\0\x01c\0\x0c".to_vec();
        definition.extend([45, 0, 0, 1, 0, 0, 253, 0, 0, 0, 0, 0]);
        let end = packet(3, &[0xfe, 0, 0, 2, 0]);
        [packet(1, &[1]), packet(2, &definition), end].concat()
    }
}
