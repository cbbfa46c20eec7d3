//! A client's connection, plain or in TLS, and how it is accepted.

use std::{
    io,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::rt::net::TcpStream;
use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};

use super::requests::{Awaited, Begun, Requests};
use crate::Budget;

/// Bytes that one turn of the HTTP dispatcher reads. Left alone it fills a buffer of 128 KiB before it looks at it, and
/// keeps that for the connection's life.
const TURN: usize = 16 * 1024;
/// How long a client that is sent away may take to take its answer.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Bytes of one read for the dispatcher: what it is given must not depend on how large its buffer has become.
const PIECE: usize = 8 * 1024;

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For a TLS handshake, and for a request's head.
    pub(super) head: Duration,
    /// For the rest of a body that is answered already, and for taking anything of an answer.
    pub(super) body: Duration,
}

/// How connections are accepted.
#[derive(Clone)]
pub(super) struct Acceptor {
    tls: Option<TlsAcceptor>,
    /// One for each connection that may be open.
    places: Arc<Semaphore>,
    patience: Patience,
    /// What requests that are not begun are charged to.
    incoming: Arc<Budget>,
}

impl Acceptor {
    pub(super) fn new(
        tls: Option<Arc<ServerConfig>>,
        most: usize,
        patience: Patience,
        incoming: Arc<Budget>,
    ) -> Self {
        Self {
            tls: tls.map(TlsAcceptor::from),
            places: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            patience,
            incoming,
        }
    }

    /// Makes a stream of an accepted connection, once there is a place for it.
    ///
    /// # Errors
    /// The TLS handshake failed or was not done in time.
    pub(super) async fn accept(&self, tcp: TcpStream) -> io::Result<Stream> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(io::Error::other)?;
        // Nagle's algorithm would hold a message back until the one before it is acknowledged.
        tcp.set_nodelay(true)?;
        let wire = match &self.tls {
            None => Wire::Plain(tcp),
            Some(tls) => {
                // Boxed: a plain connection has no room for it.
                let handshake = Box::pin(tokio::time::timeout(self.patience.head, tls.accept(tcp)));
                Wire::Tls(Box::new(handshake.await.map_err(io::Error::from)??))
            }
        };
        let http = Http {
            again: Bytes::new(),
            turn: 0,
            requests: Requests::new(self.incoming.share()),
            begun: Rc::default(),
            patience: self.patience,
            is_dispatched: false,
            awaited: None,
            unsent: None,
        };
        Ok(Stream { wire, http: Some(Box::new(http)), place })
    }
}

/// A client's connection.
pub(crate) struct Stream {
    wire: Wire,
    /// As long as the HTTP dispatcher has it.
    http: Option<Box<Http>>,
    /// Its place among those that may be open, also when it carries a WebSocket.
    place: OwnedSemaphorePermit,
}

/// What is counted for the HTTP dispatcher.
struct Http {
    /// What was read before the dispatcher had the connection, and comes first.
    again: Bytes,
    /// Bytes read in this turn.
    turn: usize,
    requests: Requests,
    /// How many of them the application has begun with.
    begun: Rc<Begun>,
    patience: Patience,
    /// Whether the dispatcher has the connection.
    is_dispatched: bool,
    /// What has to come then, and until when.
    awaited: Option<(Awaited, Pin<Box<Sleep>>)>,
    /// Until when something of an answer has to be taken.
    unsent: Option<Pin<Box<Sleep>>>,
}

impl Http {
    /// Ends a connection whose client is late, or has lost its share of the memory.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        self.requests.check(cx)?;
        self.requests.begun(self.begun.count())?;
        let awaited = self.requests.awaited().filter(|_| self.is_dispatched);
        if self.awaited.as_ref().map(|(awaited, _)| *awaited) != awaited {
            self.awaited = awaited.map(|awaited| {
                let patience = match awaited {
                    Awaited::Head(_) => self.patience.head,
                    Awaited::AnsweredBody(_) => self.patience.body,
                };
                (awaited, Box::pin(sleep(patience)))
            });
        }
        let is_late = self.awaited.as_mut().is_some_and(|(_, late)| late.as_mut().poll(cx).is_ready());
        if is_late { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
    }

    /// Takes note of what became of sending, and ends a connection whose client takes nothing.
    fn sent<T>(&mut self, sending: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if sending.is_ready() {
            self.unsent = None;
            return sending;
        }
        self.requests.blocked();
        let late = self.unsent.get_or_insert_with(|| Box::pin(sleep(self.patience.body)));
        late.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

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

impl Wire {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }
}

impl Stream {
    /// Has these bytes read first: they were read and are counted already.
    pub(super) fn read_again(&mut self, bytes: Bytes) {
        if let Some(http) = &mut self.http {
            (http.again, http.turn, http.is_dispatched) = (bytes, 0, true);
        }
    }

    /// Whether a request's head has come in whole; until then it is held in so much memory.
    pub(super) fn has_head(&mut self, held: usize) -> bool {
        self.http.as_mut().is_none_or(|http| http.requests.has_head(held))
    }

    /// Where it is noted that the application begins with a request.
    pub(super) fn begun(&self) -> Option<Rc<Begun>> {
        self.http.as_ref().map(|http| Rc::clone(&http.begun))
    }

    /// The same connection for a reader that bounds by itself what it reads, and what the dispatcher has not read again.
    pub(super) fn unbounded(self) -> (Self, Bytes) {
        let again = self.http.map(|http| http.again).unwrap_or_default();
        (Self { http: None, wire: self.wire, place: self.place }, again)
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
        let Some(http) = &mut this.http else { return this.wire.poll_read(cx, buf) };
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
        http.check(cx)?;
        if !http.requests.has_room() {
            http.begun.wait(cx);
            return Poll::Pending;
        }
        let mut space = [0; PIECE];
        let room = buf.remaining().min(PIECE);
        let mut piece = ReadBuf::new(space.get_mut(..room).unwrap_or_default());
        let read = this.wire.poll_read(cx, &mut piece);
        let fresh = piece.filled();
        http.turn = if read.is_ready() { http.turn + fresh.len() } else { 0 };
        http.requests.read(fresh);
        buf.put_slice(fresh);
        read
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let sending = match &mut self.wire {
            Wire::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Wire::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        };
        let Some(http) = &mut self.http else { return sending };
        http.requests.begun(http.begun.count())?;
        if sending.is_ready() {
            http.requests.answered();
            http.begun.resume();
        }
        http.sent(sending, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sending = match &mut self.wire {
            Wire::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Wire::Tls(tls) => Pin::new(tls).poll_flush(cx),
        };
        match &mut self.http {
            Some(http) => http.sent(sending, cx),
            None => sending,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Wire::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
