//! A client's connection, plain or in TLS, and how it is accepted.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};

use super::head::Head;
use crate::Budget;

/// Bytes that one turn of the HTTP dispatcher reads. Left alone it fills a buffer of 128 KiB before it looks at it, and
/// keeps that for the connection's life.
const TURN: usize = 16 * 1024;

/// How connections are accepted.
#[derive(Clone)]
pub(super) struct Acceptor {
    tls: Option<TlsAcceptor>,
    handshake_timeout: Duration,
    /// What heads that are not whole yet are charged to.
    incoming: Arc<Budget>,
}

impl Acceptor {
    pub(super) fn new(
        tls: Option<Arc<ServerConfig>>,
        handshake_timeout: Duration,
        incoming: Arc<Budget>,
    ) -> Self {
        Self { tls: tls.map(TlsAcceptor::from), handshake_timeout, incoming }
    }

    /// Makes a stream of an accepted connection.
    ///
    /// # Errors
    /// The TLS handshake failed or was not done in time.
    pub(super) async fn accept(&self, tcp: TcpStream) -> io::Result<Stream> {
        // Nagle's algorithm would hold a message back until the one before it is acknowledged.
        tcp.set_nodelay(true)?;
        let wire = match &self.tls {
            None => Wire::Plain(tcp),
            Some(tls) => {
                let handshake = tokio::time::timeout(self.handshake_timeout, tls.accept(tcp));
                Wire::Tls(Box::new(handshake.await.map_err(io::Error::from)??))
            }
        };
        let http = Http { turn: 0, head: Head::new(self.incoming.share()) };
        Ok(Stream { wire, http: Some(Box::new(http)) })
    }
}

/// A client's connection.
pub(crate) struct Stream {
    wire: Wire,
    /// As long as the HTTP dispatcher has it.
    http: Option<Box<Http>>,
}

/// What is counted for the HTTP dispatcher.
struct Http {
    /// Bytes read in this turn.
    turn: usize,
    head: Head,
}

enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// The same connection for a reader that bounds by itself what it reads.
    pub(super) fn unbounded(self) -> Self {
        Self { http: None, ..self }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(http) = &mut this.http {
            http.head.check(cx)?;
            if http.turn >= TURN {
                http.turn = 0;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        let before = buf.filled().len();
        let read = match &mut this.wire {
            Wire::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Wire::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        };
        if let Some(http) = &mut this.http {
            let fresh = buf.filled().get(before..).unwrap_or_default();
            http.turn = if read.is_ready() { http.turn + fresh.len() } else { 0 };
            http.head.read(fresh);
        }
        Poll::Ready(ready!(read))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(http) = &mut self.http {
            http.head.answered();
        }
        match &mut self.wire {
            Wire::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Wire::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Wire::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Wire::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
