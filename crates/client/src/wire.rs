//! A connection to a server, plain or in TLS, in two halves for one thread.

use std::{
    cell::RefCell,
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, ReadBuf},
    net::{
        TcpSocket, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};
use tokio_rustls::rustls::ClientConnection;

use crate::{ClientError, Endpoint};

/// What TLS knows of a connection; plain ones have none.
type Secrecy = Option<Rc<RefCell<ClientConnection>>>;

/// The reading half.
pub(crate) struct Reader {
    tcp: OwnedReadHalf,
    tls: Secrecy,
}

/// The writing half. Dropped, it ends the connection as it is, without a word of TLS.
pub(crate) struct Writer {
    tcp: OwnedWriteHalf,
    tls: Secrecy,
}

/// Connects (from `source`, if given), and shakes hands where the endpoint speaks TLS.
///
/// # Errors
/// The server can't be reached, or its certificate is not to be trusted.
pub(crate) async fn connect(
    server: &Endpoint,
    source: Option<Ipv4Addr>,
) -> Result<(Reader, Writer), ClientError> {
    let tcp = dial(server, source).await?;
    tcp.set_nodelay(true).map_err(ClientError::io("set TCP_NODELAY"))?;
    let (tcp, tls) = match server.tls() {
        None => (tcp, None),
        Some(tls) => {
            let shaken = tls.connector.connect(tls.name.clone(), tcp).await;
            let shaken = shaken.map_err(ClientError::io(format!("TLS with {}", server.host)))?;
            let (tcp, session) = shaken.into_inner();
            (tcp, Some(Rc::new(RefCell::new(session))))
        }
    };
    let (read, write) = tcp.into_split();
    Ok((Reader { tcp: read, tls: tls.clone() }, Writer { tcp: write, tls }))
}

async fn dial(server: &Endpoint, source: Option<Ipv4Addr>) -> Result<TcpStream, ClientError> {
    let socket = match server.address.ip() {
        IpAddr::V4(_) => TcpSocket::new_v4(),
        IpAddr::V6(_) => TcpSocket::new_v6(),
    };
    let socket = socket.map_err(ClientError::io("open a socket"))?;
    if let Some(source) = source {
        let bound = socket.bind(SocketAddr::from((source, 0)));
        bound.map_err(ClientError::io(format!("bind to {source}")))?;
    }
    let connected = socket.connect(server.address).await;
    connected.map_err(ClientError::io(format!("connect to {}", server.host)))
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { tcp, tls } = &mut *self;
        let Some(tls) = tls else { return Pin::new(tcp).poll_read(cx, buf) };
        let mut tls = tls.borrow_mut();
        loop {
            match tls.reader().read(buf.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read.map(|bytes| buf.advance(bytes))),
            }
            match tls.read_tls(&mut Raw { tcp, cx }) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                read => read.map(drop)?,
            }
            tls.process_new_packets().map_err(io::Error::other)?;
        }
    }
}

/// What TLS reads from: the connection, in the terms of blocking I/O.
struct Raw<'a, 'b> {
    tcp: &'a mut OwnedReadHalf,
    cx: &'a mut Context<'b>,
}

impl Read for Raw<'_, '_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut buf = ReadBuf::new(bytes);
        match Pin::new(&mut *self.tcp).poll_read(self.cx, &mut buf) {
            Poll::Ready(read) => read.map(|()| buf.filled().len()),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Writer {
    /// Takes what fits, without waiting. TLS may hold back some of it: then it is to be called again, with nothing
    /// if need be, once the connection is [`writable`](Self::writable).
    ///
    /// # Errors
    /// `WouldBlock` where nothing fits or is let go, else what became of the connection.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &self.tls else { return self.tcp.try_write(bytes) };
        let mut tls = tls.borrow_mut();
        let taken = tls.writer().write(bytes)?;
        while tls.wants_write() {
            match tls.write_tls(&mut Now(&self.tcp)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && taken > 0 => break,
                written => written.map(drop)?,
            }
        }
        Ok(taken)
    }

    /// Whether TLS has something to write yet.
    pub(crate) fn holds_back(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.borrow().wants_write())
    }

    /// Ready when the connection takes bytes again.
    ///
    /// # Errors
    /// The connection is gone.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.tcp.writable().await
    }

    /// Writes everything, and waits where it must.
    ///
    /// # Errors
    /// The connection is gone.
    pub(crate) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() || self.holds_back() {
            match self.try_write(bytes) {
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable().await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// What TLS writes to: as much as the connection takes at once.
struct Now<'a>(&'a OwnedWriteHalf);

impl Write for Now<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
