//! One Socket.IO connection over websocket: opened, authenticated, then driven by a task that reads and
//! writes in batches.

use std::cell::{Cell, RefCell};
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use std::{io, str};

use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};
use tokio::sync::Notify;

use crate::clock;
use crate::frames::{self, Frame, Opcode};
use crate::packets::{self, Incoming, Packet};
use crate::wire::{self, Reader, Writer};
use crate::{ClientError, Endpoint};

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(60);
/// The key and the answer to it that RFC 6455 §1.3 works out.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const READ_BUFFER: usize = 256 << 10;

thread_local! {
    /// One read buffer for all connections of the thread, borrowed within one poll only: ten thousand idle
    /// connections would need gigabytes otherwise.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BUFFER].into_boxed_slice());
}

/// The writing side of a connection. Packets are queued as frames and leave in one write.
pub struct Link {
    write: Writer,
    out: RefCell<Vec<u8>>,
    scratch: RefCell<Vec<u8>>,
    mask: Cell<u32>,
    queued: Notify,
}

impl Link {
    fn new(write: Writer) -> Link {
        let mask = Cell::new(0x9E37_79B9);
        Link { write, out: RefCell::default(), scratch: RefCell::default(), mask, queued: Notify::new() }
    }

    /// Queues the text packet that `write` writes; [`Link::flush`] sends it, or the connection's own task
    /// does at the end of the batch it is reading.
    pub fn queue(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut scratch = self.scratch.borrow_mut();
        scratch.clear();
        write(&mut scratch);
        frames::encode(Opcode::Text, &scratch, self.next_mask(), &mut self.out.borrow_mut());
    }

    /// Writes what is queued, as far as the system takes it; the connection's task sends the rest.
    ///
    /// # Errors
    /// The write error, when the connection is gone.
    pub fn flush(&self) -> Result<(), ClientError> {
        let mut out = self.out.borrow_mut();
        while !out.is_empty() || self.write.holds_back() {
            match self.write.try_write(&out) {
                Ok(written) => drop(out.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.queued.notify_one();
                    return Ok(());
                }
                Err(error) => return Err(ClientError::io("write to the server")(error)),
            }
        }
        Ok(())
    }

    fn next_mask(&self) -> [u8; 4] {
        // xorshift32: the mask must vary, it need not be secret here.
        let mut x = self.mask.get();
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.mask.set(x);
        x.to_ne_bytes()
    }

    /// Ready when there is something queued and the system takes bytes again.
    async fn writable(&self) -> io::Result<()> {
        while self.out.borrow().is_empty() && !self.write.holds_back() {
            self.queued.notified().await;
        }
        self.write.writable().await
    }
}

/// An open, authenticated connection that is not driven yet.
pub struct Session {
    link: Rc<Link>,
    read: Reader,
    pending: Vec<u8>,
}

impl Session {
    /// Connects to `server` (from `source`, if given), upgrades, and joins the namespace `/` with `token`.
    ///
    /// # Errors
    /// What failed or was refused on the way, or [`ClientError::Timeout`] after a minute.
    pub async fn open(
        server: &Endpoint,
        token: &str,
        source: Option<Ipv4Addr>,
    ) -> Result<Session, ClientError> {
        tokio::time::timeout(HANDSHAKE_TIMEOUT, Session::open_untimed(server, token, source))
            .await
            .map_err(|_elapsed| ClientError::Timeout("a connection was not opened in 60 s".into()))?
    }

    async fn open_untimed(
        server: &Endpoint,
        token: &str,
        source: Option<Ipv4Addr>,
    ) -> Result<Session, ClientError> {
        let (read, write) = wire::connect(server, source).await?;
        write.write_all(upgrade(server).as_bytes()).await.map_err(ClientError::io("write the upgrade"))?;
        let mut session = Session { link: Rc::new(Link::new(write)), read, pending: Vec::new() };
        session.upgraded().await?;
        session.joined(token).await?;
        Ok(session)
    }

    /// The writing side, to be shared with whoever sends.
    pub fn link(&self) -> Rc<Link> {
        Rc::clone(&self.link)
    }

    async fn more(&mut self) -> Result<(), ClientError> {
        match self.read.read_buf(&mut self.pending).await.map_err(ClientError::io("read from the server"))? {
            0 => Err(ClientError::Closed),
            _ => Ok(()),
        }
    }

    async fn upgraded(&mut self) -> Result<(), ClientError> {
        loop {
            if let Some(end) = self.pending.windows(4).position(|window| window == b"\r\n\r\n") {
                let head: Vec<u8> = self.pending.drain(..end + 4).collect();
                let head = String::from_utf8_lossy(&head);
                let accepted = head.starts_with("HTTP/1.1 101") && head.contains(ACCEPT);
                return if accepted { Ok(()) } else { Err(ClientError::protocol("upgrade", &head)) };
            }
            self.more().await?;
        }
    }

    async fn joined(&mut self, token: &str) -> Result<(), ClientError> {
        loop {
            while let Some((frame, used)) = frames::parse(&self.pending)? {
                let joined = match packets::parse(text(frame)?) {
                    Incoming::Open => {
                        self.link.queue(|out| out.extend_from_slice(&packets::connect(token)));
                        false
                    }
                    Incoming::Ping => {
                        self.link.queue(|out| out.extend_from_slice(packets::PONG));
                        false
                    }
                    Incoming::Connected => true,
                    Incoming::Refused(why) => return Err(ClientError::Refused(why.to_owned())),
                    Incoming::Bye => return Err(ClientError::Closed),
                    Incoming::Packet(_) | Incoming::Other(_) => {
                        return Err(ClientError::protocol("before the connect", text(frame)?));
                    }
                };
                self.pending.drain(..used);
                if joined {
                    return Ok(());
                }
            }
            self.link.flush()?;
            self.more().await?;
        }
    }

    /// Drives the connection until it ends: each event and acknowledgement goes to `handler` with the time of
    /// its batch; pings are answered; what handlers queue leaves after the batch.
    ///
    /// # Errors
    /// Always ends with one: why the connection ended. A handler's error ends it too.
    pub async fn run(
        self,
        mut handler: impl FnMut(Packet<'_>, u64) -> Result<(), ClientError>,
    ) -> ClientError {
        let Session { link, mut read, mut pending } = self;
        let end = async {
            consume(&link, &mut pending, &mut handler)?;
            loop {
                link.flush()?;
                tokio::select! {
                    biased;
                    batch = std::future::poll_fn(|cx| poll_batch(cx, &mut read, &link, &mut pending, &mut handler)) => batch?,
                    ready = link.writable() => ready.map_err(ClientError::io("wait to write"))?,
                }
            }
        };
        let ended: Result<std::convert::Infallible, ClientError> = end.await;
        match ended {
            Err(error) => error,
        }
    }
}

type HandlerResult = Result<(), ClientError>;

/// Reads what is there and handles it, in one poll.
fn poll_batch(
    cx: &mut Context<'_>,
    read: &mut Reader,
    link: &Link,
    pending: &mut Vec<u8>,
    handler: &mut impl FnMut(Packet<'_>, u64) -> HandlerResult,
) -> Poll<HandlerResult> {
    BUFFER.with_borrow_mut(|buffer| {
        let mut batch = ReadBuf::new(buffer);
        ready!(Pin::new(read).poll_read(cx, &mut batch)).map_err(ClientError::io("read from the server"))?;
        let input = batch.filled();
        if input.is_empty() {
            return Poll::Ready(Err(ClientError::Closed));
        }
        Poll::Ready(if pending.is_empty() {
            handle(link, input, handler)
                .map(|used| pending.extend_from_slice(input.get(used..).unwrap_or(&[])))
        } else {
            pending.extend_from_slice(input);
            consume(link, pending, handler)
        })
    })
}

fn consume(
    link: &Link,
    pending: &mut Vec<u8>,
    handler: &mut impl FnMut(Packet<'_>, u64) -> HandlerResult,
) -> HandlerResult {
    let used = handle(link, pending, handler)?;
    pending.drain(..used);
    if pending.is_empty() {
        // One long frame must not leave its memory with every connection.
        *pending = Vec::new();
    }
    Ok(())
}

/// Handles the whole frames in `input` and says how many bytes they took.
fn handle(
    link: &Link,
    input: &[u8],
    handler: &mut impl FnMut(Packet<'_>, u64) -> HandlerResult,
) -> Result<usize, ClientError> {
    let now = clock::nanos();
    let mut used = 0;
    while let Some((frame, length)) = frames::parse(input.get(used..).unwrap_or(&[]))? {
        used += length;
        match frame.opcode {
            Opcode::Text => match packets::parse(text(frame)?) {
                Incoming::Ping => link.queue(|out| out.extend_from_slice(packets::PONG)),
                Incoming::Bye => return Err(ClientError::Closed),
                Incoming::Packet(packet) => handler(packet, now)?,
                Incoming::Open | Incoming::Connected | Incoming::Refused(_) | Incoming::Other(_) => {
                    return Err(ClientError::protocol("on an open connection", text(frame)?));
                }
            },
            Opcode::Ping => {
                frames::encode(Opcode::Pong, frame.payload, link.next_mask(), &mut link.out.borrow_mut());
            }
            Opcode::Pong => {}
            Opcode::Close => return Err(ClientError::Closed),
        }
    }
    Ok(used)
}

fn text(frame: Frame<'_>) -> Result<&str, ClientError> {
    str::from_utf8(frame.payload).map_err(|error| ClientError::Protocol(format!("not UTF-8: {error}")))
}

fn upgrade(server: &Endpoint) -> String {
    format!(
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n",
        server.host
    )
}
