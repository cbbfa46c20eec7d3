//! A client's connection, plain or in TLS, and how it is accepted.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_web::rt::net::TcpStream;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};

use super::head::Head;
use crate::Budget;

/// Bytes that one turn of the HTTP dispatcher reads. Left alone it fills a buffer of 128 KiB before it looks at it, and
/// keeps that for the connection's life.
const TURN: usize = 16 * 1024;
/// How long a client that is sent away may take to take its answer.
const LAST_WORDS: Duration = Duration::from_secs(2);

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
                // Boxed: a plain connection has no room for it.
                let handshake = Box::pin(tokio::time::timeout(self.handshake_timeout, tls.accept(tcp)));
                Wire::Tls(Box::new(handshake.await.map_err(io::Error::from)??))
            }
        };
        let http = Http { again: Bytes::new(), turn: 0, head: Head::new(self.incoming.share()) };
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
    /// What was read before the dispatcher had the connection, and comes first.
    again: Bytes,
    /// Bytes read in this turn.
    turn: usize,
    head: Head,
}

impl Http {
    /// Reads of what comes first, if anything is left of it.
    fn read_again(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let bytes = self.again.len().min(buf.remaining());
        if bytes == 0 {
            return false;
        }
        buf.put_slice(&self.again.split_to(bytes));
        self.turn += bytes;
        if self.again.is_empty() {
            self.again = Bytes::new();
        }
        true
    }
}

enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Has these bytes read first: they were read and are counted already.
    pub(super) fn read_again(&mut self, bytes: Bytes) {
        if let Some(http) = &mut self.http {
            (http.again, http.turn) = (bytes, 0);
        }
    }

    /// Whether a request's head has come in whole; until then it is held in so much memory.
    pub(super) fn has_head(&mut self, held: usize) -> bool {
        self.http.as_mut().is_none_or(|http| http.head.is_whole(held))
    }

    /// The same connection for a reader that bounds by itself what it reads, and what the dispatcher has not read again.
    pub(super) fn unbounded(self) -> (Self, Bytes) {
        let again = self.http.map(|http| http.again).unwrap_or_default();
        (Self { http: None, wire: self.wire }, again)
    }
}

/// Writes a last answer and closes. A client that does not take it is dropped.
pub(super) async fn say(stream: &mut Stream, answer: &[u8]) {
    let writing = async {
        stream.write_all(answer).await?;
        stream.shutdown().await
    };
    let _unheard = tokio::time::timeout(LAST_WORDS, writing).await;
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
            if http.read_again(buf) {
                if http.again.is_empty() {
                    // Looked at before more is read: actix keeps the buffers of heads long after their requests.
                    http.turn = TURN;
                }
                return Poll::Ready(Ok(()));
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
