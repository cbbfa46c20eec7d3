//! A small WebSocket client that can also misbehave.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use crate::{
    host::{Driver, Host},
    tls::Tls,
};

pub(crate) struct Client {
    io: Box<dyn Io>,
    /// The same connection, for its settings.
    tcp: TcpStream,
}

trait Io: Read + Write {
    /// Ends the writing side.
    fn finish(&mut self) -> io::Result<()>;
}

impl Io for TcpStream {
    fn finish(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Io for Tls {
    fn finish(&mut self) -> io::Result<()> {
        Tls::finish(self)
    }
}

impl Client {
    /// A connected socket of the host's user with this number.
    pub(crate) fn connect(host: &Host, user: usize) -> Self {
        Self::connect_with(host, user, "")
    }

    /// One with a header in its handshake.
    pub(crate) fn connect_with(host: &Host, user: usize, header: &str) -> Self {
        let mut client = Self::dial(host);
        client.ask("/socket.io/?EIO=4&transport=websocket", header, b"");
        client.accepted();
        client.send(&join(host, user));
        client.joined();
        client
    }

    /// One that does not wait for the answer to its handshake: a CONNECT goes out in the same write, with so many
    /// bytes that mean nothing in it, and so many in the handshake's head.
    pub(crate) fn hasty(host: &Host, user: usize, padding: usize, in_head: usize) -> Self {
        let mut client = Self::dial(host);
        let join = join(host, user).replace('}', &format!(",\"x\":\"{}\"}}", "x".repeat(padding)));
        let header = format!("X: {}\r\n", "x".repeat(in_head));
        client.ask("/socket.io/?EIO=4&transport=websocket", &header, &frame(&join));
        client.accepted();
        client.joined();
        client
    }

    /// All that is answered to these bytes, which are written in pieces. Who is refused may find the connection reset behind
    /// the answer.
    pub(crate) fn answers(host: &Host, bytes: &[u8], piece: usize) -> String {
        let mut client = Self::dial(host);
        let _refused_meanwhile = bytes.chunks(piece).all(|piece| client.try_send_raw(piece));
        let mut answers = String::new();
        let _reset = client.io.read_to_string(&mut answers);
        answers
    }

    /// The whole answer to a handshake that is refused.
    pub(crate) fn refused(host: &Host, path: &str, header: &str) -> String {
        let mut client = Self::dial(host);
        client.ask(path, header, b"");
        let head = client.head();
        assert!(head.starts_with("HTTP/1.1 4"), "{head}");
        let length =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        client.io.read_exact(&mut body).unwrap();
        head + &String::from_utf8(body).unwrap()
    }

    fn dial(host: &Host) -> Self {
        let tcp = TcpStream::connect(host.address()).unwrap();
        tcp.set_nodelay(true).unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let below = tcp.try_clone().unwrap();
        let io: Box<dyn Io> = match host.driver() {
            Driver::Mounted | Driver::Owned => Box::new(below),
            Driver::Tls => Box::new(Tls::connect(below)),
        };
        Self { io, tcp }
    }

    pub(crate) fn set_timeout(&mut self, timeout: Duration) {
        self.tcp.set_read_timeout(Some(timeout)).unwrap();
    }

    pub(crate) fn set_write_timeout(&mut self, timeout: Duration) {
        self.tcp.set_write_timeout(Some(timeout)).unwrap();
    }

    /// False when the server does not take it in time.
    pub(crate) fn try_send_raw(&mut self, bytes: &[u8]) -> bool {
        self.io.write_all(bytes).is_ok()
    }

    /// Ends its writing side, and reads on.
    pub(crate) fn finish(&mut self) {
        self.io.finish().unwrap();
    }

    /// Writes a handshake, with what comes behind it in the same write.
    fn ask(&mut self, path: &str, header: &str, behind: &[u8]) {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{header}\r\n"
        );
        self.io.write_all(&[request.as_bytes(), behind].concat()).unwrap();
    }

    fn accepted(&mut self) {
        let head = self.head();
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        self.expect("0{");
    }

    fn joined(&mut self) {
        self.expect("40{\"sid\"");
        self.expect("42[\"online_users\"");
    }

    /// The head of the answer to a handshake.
    fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.io.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        String::from_utf8(head).unwrap()
    }

    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.io.write_all(bytes).unwrap();
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.send_raw(&frame(text));
    }

    pub(crate) fn send_in_pieces(&mut self, text: &str, size: usize) {
        for piece in frame(text).chunks(size) {
            self.send_raw(piece);
        }
    }

    /// The next message, passing over those that do not begin so; a ping is answered.
    pub(crate) fn expect(&mut self, prefix: &str) -> String {
        loop {
            let (opcode, payload) =
                self.frame().unwrap_or_else(|| panic!("closed while waiting for {prefix}"));
            let text = String::from_utf8(payload).unwrap();
            assert_eq!(opcode, 1, "waiting for {prefix}, got a frame of kind {opcode}");
            if text == "2" {
                self.send("3");
            } else if text.starts_with(prefix) {
                return text;
            }
        }
    }

    /// The code of the close frame, reading to the end of the stream; `None` where there was none.
    pub(crate) fn closed(&mut self) -> Option<u16> {
        let mut code = None;
        while let Some((opcode, payload)) = self.frame() {
            if opcode == 8 {
                code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
            }
        }
        code
    }

    fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.io.read_exact(&mut head).ok()?;
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                self.io.read_exact(&mut length).ok()?;
                u64::from(u16::from_be_bytes(length))
            }
            127 => {
                let mut length = [0; 8];
                self.io.read_exact(&mut length).ok()?;
                u64::from_be_bytes(length)
            }
            length => u64::from(length),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.io.read_exact(&mut payload).ok()?;
        Some((head[0] & 15, payload))
    }
}

/// The CONNECT of the host's user with this number.
fn join(host: &Host, user: usize) -> String {
    format!("40{{\"token\":\"{}\"}}", host.token(user))
}

/// Ping frames of 125 bytes.
pub(crate) fn pings(count: usize) -> Vec<u8> {
    let mut ping = vec![0x89, 0x80 | 125, 0, 0, 0, 0];
    ping.extend([b'p'; 125]);
    ping.repeat(count)
}

/// A whole text frame, masked with zeros.
pub(crate) fn frame(text: &str) -> Vec<u8> {
    let mut bytes = vec![0x81];
    match text.len() {
        length @ 0..=125 => bytes.push(0x80 | u8::try_from(length).unwrap()),
        length => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(text.as_bytes());
    bytes
}
