//! A WebSocket client that writes bytes as they are.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use crate::{
    host::{Driver, Host},
    tls::Tls,
};

/// What bytes go over.
enum Wire {
    Plain(TcpStream),
    Tls(Tls),
}

impl Clone for Wire {
    fn clone(&self) -> Self {
        match self {
            Self::Plain(tcp) => Self::Plain(tcp.try_clone().unwrap()),
            Self::Tls(tls) => Self::Tls(tls.clone()),
        }
    }
}

impl Wire {
    /// Ends the writing side.
    fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.shutdown(Shutdown::Write),
            Self::Tls(tls) => tls.finish(),
        }
    }
}

impl Read for Wire {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(bytes),
            Self::Tls(tls) => tls.read(bytes),
        }
    }
}

/// A connected WebSocket whose Engine.IO handshake was read.
pub(crate) struct Client {
    io: BufReader<Wire>,
}

/// Its sending half.
pub(crate) struct Writer(Wire);

impl Writer {
    /// False when the server is gone.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> bool {
        match &mut self.0 {
            Wire::Plain(tcp) => tcp.write_all(bytes).is_ok(),
            Wire::Tls(tls) => tls.write_all(bytes).is_ok(),
        }
    }
}

impl Client {
    pub(crate) fn connect(host: &Host) -> Self {
        let tcp = TcpStream::connect(host.address()).unwrap();
        tcp.set_nodelay(true).unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let wire = match host.driver() {
            Driver::Mounted | Driver::Owned => Wire::Plain(tcp),
            Driver::Tls => Wire::Tls(Tls::connect(tcp)),
        };
        let head = "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
                    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let mut io = BufReader::new(wire);
        assert!(Writer(io.get_ref().clone()).write(head.as_bytes()));
        let mut lines = Vec::new();
        while !matches!(lines.last().map(String::as_str), Some("\r\n")) {
            let mut line = String::new();
            assert!(io.read_line(&mut line).unwrap() > 0, "{lines:?}");
            lines.push(line);
        }
        assert!(lines[0].starts_with("HTTP/1.1 101"), "{lines:?}");
        assert!(!lines.iter().any(|line| line.to_lowercase().starts_with("sec-websocket-extensions")));
        let mut client = Self { io };
        let (opcode, open) = client.frame().unwrap();
        assert!(opcode == 1 && open.starts_with(b"0{"), "the first message is Engine.IO's OPEN");
        client
    }

    pub(crate) fn writer(&self) -> Writer {
        Writer(self.io.get_ref().clone())
    }

    /// The frames up to the close frame, and its code. The close frame is the last one, and the connection's end
    /// follows.
    pub(crate) fn read_to_the_end(&mut self) -> (Vec<(u8, Vec<u8>)>, Option<u16>) {
        let mut frames = Vec::new();
        let mut code = None;
        while let Some((opcode, payload)) = self.frame() {
            assert_eq!(code, None, "a frame came behind the close frame");
            match opcode {
                8 => {
                    code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                    let _gone_already = self.io.get_mut().finish();
                }
                _ => frames.push((opcode, payload)),
            }
        }
        (frames, code)
    }

    /// The next frame: whole, never masked, in the shortest form.
    fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        if let Err(error) = self.io.read_exact(&mut head) {
            let cut = error.kind() == io::ErrorKind::ConnectionAborted;
            assert!(!cut, "TLS says that it ends: {error}");
            return None;
        }
        assert_eq!(head[0] & 0xf0, 0x80, "FIN alone is set");
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                self.io.read_exact(&mut length).unwrap();
                u64::from(u16::from_be_bytes(length))
            }
            127 => {
                let mut length = [0; 8];
                self.io.read_exact(&mut length).unwrap();
                u64::from_be_bytes(length)
            }
            length => u64::from(length),
        };
        let short = if length < 126 { length as u8 } else { 126 + u8::from(length > 0xffff) };
        assert_eq!(head[1], short, "no mask, and the shortest form for {length} bytes");
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.io.read_exact(&mut payload).unwrap();
        Some((head[0] & 15, payload))
    }
}
