//! The bytes between this tool and the server: TLS or not, and nothing from the server that was
//! not looked at.
//!
//! The driver is told that TLS begins at once and gets this connector for it, so that the
//! connection is looked at whether it is encrypted or not.

pub(crate) mod auth;
mod frames;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use postgres::Socket;
use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::endpoint::{Endpoint, TlsMode};
use crate::error::Error;
use crate::tls;
use crate::wire::auth::AuthPolicy;
use crate::wire::frames::Frames;

pub(crate) use crate::wire::frames::Refused;

/// "Is TLS spoken here?": the length, and a version that there is not.
///
/// Source: PostgreSQL manual, section "Message Formats", `SSLRequest`.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

type RustlsConnect = <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect;
type RustlsStream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// Makes the connections of one endpoint.
pub(crate) struct Connector {
    endpoint: Endpoint,
    tls: Option<MakeRustlsConnect>,
    encrypted: Arc<AtomicBool>,
}

impl Connector {
    pub(crate) fn new(endpoint: &Endpoint) -> Result<Self, Error> {
        let tls = match endpoint.tls {
            TlsMode::Disable => None,
            _ => Some(tls::connector(endpoint)?),
        };
        Ok(Self {
            endpoint: endpoint.clone(),
            tls,
            encrypted: Arc::default(),
        })
    }

    /// Says, once a connection is made, whether it is encrypted.
    pub(crate) fn encrypted(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.encrypted)
    }
}

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Guarded;
    type TlsConnect = Dial;
    type Error = io::Error;

    fn make_tls_connect(&mut self, domain: &str) -> io::Result<Dial> {
        let tls = self.tls.as_mut().map(|tls| {
            let connect = <MakeRustlsConnect as MakeTlsConnect<Socket>>::make_tls_connect;
            connect(tls, domain).map_err(io::Error::other)
        });
        Ok(Dial {
            tls: tls.transpose()?,
            endpoint: self.endpoint.clone(),
            encrypted: self.encrypted(),
        })
    }
}

/// One connection that is being made.
pub(crate) struct Dial {
    tls: Option<RustlsConnect>,
    endpoint: Endpoint,
    encrypted: Arc<AtomicBool>,
}

impl TlsConnect<Socket> for Dial {
    type Stream = Guarded;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Guarded>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(self.dial(socket))
    }
}

impl Dial {
    async fn dial(self, mut socket: Socket) -> io::Result<Guarded> {
        let refused = |text: &str| io::Error::new(io::ErrorKind::InvalidData, text.to_owned());
        let Some(tls) = self.tls else {
            return Ok(Guarded::new(Wire::Plain(socket), &self.endpoint));
        };
        socket.write_all(&SSL_REQUEST).await?;
        let mut answer = [0];
        socket.read_exact(&mut answer).await?;
        match answer[0] {
            b'S' => {
                let stream = tls.connect(socket).await?;
                self.encrypted.store(true, Ordering::Relaxed);
                Ok(Guarded::new(Wire::Tls(Box::new(stream)), &self.endpoint))
            }
            b'N' if self.endpoint.tls == TlsMode::Prefer => {
                Ok(Guarded::new(Wire::Plain(socket), &self.endpoint))
            }
            b'N' => Err(refused("server does not support TLS")),
            _ => Err(refused("the answer to the question for TLS is none")),
        }
    }
}

enum Wire {
    Plain(Socket),
    Tls(Box<RustlsStream>),
}

/// A connection whose incoming bytes are looked at before the driver has them.
pub(crate) struct Guarded {
    wire: Wire,
    frames: Frames,
}

impl Guarded {
    fn new(wire: Wire, endpoint: &Endpoint) -> Self {
        let encrypted = matches!(wire, Wire::Tls(_));
        let loopback = endpoint.is_local();
        let policy = AuthPolicy::new(encrypted, loopback, endpoint.require_auth.clone());
        Self {
            wire,
            frames: Frames::new(policy),
        }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(match &mut self.wire {
            Wire::Plain(socket) => Pin::new(socket).poll_read(context, buffer),
            Wire::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        })?;
        let looked_at = self.frames.arrive(&buffer.filled()[before..]);
        Poll::Ready(looked_at.map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why)))
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.wire {
            Wire::Plain(socket) => Pin::new(socket).poll_write(context, bytes),
            Wire::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(socket) => Pin::new(socket).poll_flush(context),
            Wire::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(socket) => Pin::new(socket).poll_shutdown(context),
            Wire::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

impl TlsStream for Guarded {
    fn channel_binding(&self) -> ChannelBinding {
        match &self.wire {
            Wire::Plain(_) => ChannelBinding::none(),
            Wire::Tls(stream) => stream.channel_binding(),
        }
    }
}
