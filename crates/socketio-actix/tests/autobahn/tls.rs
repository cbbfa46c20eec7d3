//! TLS for tests: a certificate made on the spot, a server's settings with it, and a client that trusts nothing else.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    sync::{Arc, LazyLock, Mutex},
};

use rcgen::CertifiedKey;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{PrivateKeyDer, ServerName},
};

/// Bytes that one read takes from the connection.
const READ: usize = 64 * 1024;

struct Both {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

static BOTH: LazyLock<Both> = LazyLock::new(|| {
    let CertifiedKey { cert, key_pair } =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let provider = || -> Arc<CryptoProvider> { Arc::new(aws_lc_rs::default_provider()) };
    let key = PrivateKeyDer::try_from(key_pair.serialize_der()).unwrap();
    let server = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let server = server.unwrap().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key);
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let client = client.unwrap().with_root_certificates(roots).with_no_client_auth();
    Both { server: Arc::new(server.unwrap()), client: Arc::new(client) }
});

/// What a server of these tests is given.
pub(crate) fn server() -> Arc<ServerConfig> {
    Arc::clone(&BOTH.server)
}

/// A client's connection; its clones read and write beside each other.
pub(crate) struct Tls {
    session: Arc<Mutex<ClientConnection>>,
    tcp: TcpStream,
    /// What the session has not taken yet.
    unread: VecDeque<u8>,
}

impl Tls {
    /// Shakes hands.
    pub(crate) fn connect(mut tcp: TcpStream) -> Self {
        let name = ServerName::try_from("localhost").unwrap();
        let mut session = ClientConnection::new(Arc::clone(&BOTH.client), name).unwrap();
        while session.is_handshaking() {
            session.complete_io(&mut tcp).unwrap();
        }
        Self { session: Arc::new(Mutex::new(session)), tcp, unread: VecDeque::new() }
    }

    /// Ends the writing side, as both layers do it.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.session.lock().unwrap().send_close_notify();
        self.flush()?;
        self.tcp.shutdown(Shutdown::Write)
    }
}

impl Clone for Tls {
    fn clone(&self) -> Self {
        Self {
            session: Arc::clone(&self.session),
            tcp: self.tcp.try_clone().unwrap(),
            unread: VecDeque::new(),
        }
    }
}

impl Read for Tls {
    /// Reads plain bytes. A stream that ends without a word of TLS is an error other than the end.
    fn read(&mut self, plain: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.lock().unwrap().reader().read(plain) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(io::Error::new(io::ErrorKind::ConnectionAborted, error));
                }
                read => return read,
            }
            // Unlocked: a writer goes on meanwhile.
            if self.unread.is_empty() {
                let mut bytes = vec![0; READ];
                let read = self.tcp.read(&mut bytes)?;
                self.unread.extend(&bytes[..read]);
            }
            let mut session = self.session.lock().unwrap();
            session.read_tls(&mut self.unread)?;
            session.process_new_packets().map_err(io::Error::other)?;
        }
    }
}

impl Write for Tls {
    fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        let written = self.session.lock().unwrap().writer().write(plain)?;
        self.flush()?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut session = self.session.lock().unwrap();
        while session.wants_write() {
            session.write_tls(&mut bytes)?;
        }
        drop(session);
        self.tcp.write_all(&bytes)
    }
}
