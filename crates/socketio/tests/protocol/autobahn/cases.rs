//! The cases of the Autobahn test suite, groups 1 to 7, 9 and 10, as a table: what a client sends, and the one strict
//! outcome. The suite's "non-strict" ones, such as an echo lost before a failure, are none here.
//!
//! Each case is for a server that echoes. `prefix` stands before every text, so that the same table runs against an
//! Engine.IO server, whose messages begin with their type; with an empty one the texts are the suite's own.

// Named, because two test programs take this file in, each at another place.
#[path = "cases/utf8.rs"]
mod utf8;

/// A client's mask.
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const KIB: usize = 1024;
/// The longest message of the table.
pub(crate) const LONGEST: usize = 16 * KIB * KIB;

const MORE: u8 = 0x00;
const FIN: u8 = 0x80;
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A frame: its first byte, and its payload before masking.
type Frame = (u8, Vec<u8>);

/// What a client sends and what must come back.
pub(crate) struct Case {
    /// The suite's number.
    pub(crate) id: String,
    /// What is written, one write after the other.
    pub(crate) writes: Vec<Vec<u8>>,
    /// Opcode and payload of the frames that answer, up to the close frame.
    pub(crate) replies: Vec<Frame>,
    /// The close frame's code.
    pub(crate) close: u16,
}

/// How frames are cut into writes.
#[derive(Clone, Copy)]
enum Chop {
    /// All in one.
    Once,
    /// Frame by frame.
    Frames,
    /// In pieces of so many bytes.
    Octets(usize),
}

/// Collects cases.
pub(crate) struct Cases {
    prefix: &'static str,
    all: Vec<Case>,
}

/// The whole table.
pub(crate) fn cases(prefix: &'static str) -> Vec<Case> {
    let mut cases = Cases { prefix, all: Vec::new() };
    cases.framing();
    cases.pings_and_pongs();
    cases.reserved_bits();
    cases.opcodes();
    cases.fragmentation();
    cases.utf8_handling();
    cases.close_handling();
    cases.limits();
    cases.auto_fragmentation();
    cases.all
}

impl Cases {
    /// A case that ends cleanly: a close with 1000 follows the frames.
    fn clean(&mut self, id: impl Into<String>, frames: Vec<Frame>, chop: Chop, replies: Vec<Frame>) {
        let bye = (FIN | CLOSE, 1000_u16.to_be_bytes().to_vec());
        self.add(id, [frames, vec![bye]].concat(), chop, replies, 1000);
    }

    /// A case that ends with this code.
    fn add(
        &mut self,
        id: impl Into<String>,
        frames: Vec<Frame>,
        chop: Chop,
        replies: Vec<Frame>,
        close: u16,
    ) {
        let frames: Vec<Vec<u8>> = frames.iter().map(|(first, payload)| encode(*first, payload)).collect();
        let writes = match chop {
            Chop::Once => vec![frames.concat()],
            Chop::Frames => frames,
            Chop::Octets(size) => frames.concat().chunks(size).map(<[u8]>::to_vec).collect(),
        };
        self.all.push(Case { id: id.into(), writes, replies, close });
    }

    /// The text with what has to stand before it.
    fn text(&self, text: impl AsRef<[u8]>) -> Vec<u8> {
        [self.prefix.as_bytes(), text.as_ref()].concat()
    }

    /// A text of so many bytes.
    fn stars(&self, len: usize) -> Vec<u8> {
        self.text(vec![b'*'; len.saturating_sub(self.prefix.len())])
    }

    /// 1: messages of every length's form.
    fn framing(&mut self) {
        for (number, len) in [0, 125, 126, 127, 128, 65_535, 65_536, 65_536].into_iter().enumerate() {
            let chop = if number == 7 { Chop::Octets(997) } else { Chop::Once };
            let (text, bytes) = (self.stars(len), vec![0xfe; len]);
            let number = number + 1;
            self.clean(format!("1.1.{number}"), vec![(FIN | TEXT, text.clone())], chop, vec![(TEXT, text)]);
            self.clean(
                format!("1.2.{number}"),
                vec![(FIN | BINARY, bytes.clone())],
                chop,
                vec![(BINARY, bytes)],
            );
        }
    }

    /// 2: pings are answered with their payload, pongs with nothing.
    fn pings_and_pongs(&mut self) {
        let ping = |payload: &[u8]| (FIN | PING, payload.to_vec());
        let pong = |payload: &[u8]| (PONG, payload.to_vec());
        let longest = [0xfe; 125];
        let table: [(&str, &[u8], Chop); 5] = [
            ("2.1", b"", Chop::Once),
            ("2.2", b"Hello, world!", Chop::Once),
            ("2.3", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", Chop::Once),
            ("2.4", &longest, Chop::Once),
            ("2.6", &longest, Chop::Octets(1)),
        ];
        for (id, payload, chop) in table {
            self.clean(id, vec![ping(payload)], chop, vec![pong(payload)]);
        }
        self.add("2.5", vec![ping(&[0xfe; 126])], Chop::Once, vec![], 1002);
        let unsolicited = b"unsolicited pong payload".to_vec();
        self.clean("2.7", vec![(FIN | PONG, vec![])], Chop::Once, vec![]);
        self.clean("2.8", vec![(FIN | PONG, unsolicited.clone())], Chop::Once, vec![]);
        self.clean(
            "2.9",
            vec![(FIN | PONG, unsolicited), ping(b"ping payload")],
            Chop::Once,
            vec![pong(b"ping payload")],
        );
        let payloads: Vec<String> = (0..10).map(|number| format!("payload-{number}")).collect();
        for (id, chop) in [("2.10", Chop::Once), ("2.11", Chop::Octets(1))] {
            let pings = payloads.iter().map(|payload| ping(payload.as_bytes())).collect();
            let pongs = payloads.iter().map(|payload| pong(payload.as_bytes())).collect();
            self.clean(id, pings, chop, pongs);
        }
    }

    /// 3: without an extension no reserved bit may be set; what came before is answered.
    fn reserved_bits(&mut self) {
        let hello = self.text("Hello, world!");
        let (greeting, ping) = ((FIN | TEXT, hello.clone()), (FIN | PING, vec![]));
        let reserved = |rsv: u8, opcode: u8| (FIN | rsv << 4 | opcode, hello.clone());
        let echo = vec![(TEXT, hello.clone())];
        let after = |frame: Frame| vec![greeting.clone(), frame, ping.clone()];
        self.add("3.1", vec![reserved(1, TEXT)], Chop::Once, vec![], 1002);
        self.add("3.2", after(reserved(2, TEXT)), Chop::Once, echo.clone(), 1002);
        self.add("3.3", after(reserved(3, TEXT)), Chop::Frames, echo.clone(), 1002);
        self.add("3.4", after(reserved(4, TEXT)), Chop::Octets(1), echo, 1002);
        self.add("3.5", vec![reserved(5, BINARY)], Chop::Once, vec![], 1002);
        self.add("3.6", vec![reserved(6, PING)], Chop::Once, vec![], 1002);
        self.add("3.7", vec![reserved(7, CLOSE)], Chop::Once, vec![], 1002);
    }

    /// 4: opcodes that mean nothing yet; 4.1 of data, 4.2 of control frames.
    fn opcodes(&mut self) {
        let hello = self.text("Hello, world!");
        let ping = (FIN | PING, vec![]);
        for (group, first) in [(1, 3_u8), (2, 11)] {
            for number in 1..=5_u8 {
                let payload = if number % 2 == 0 { b"reserved opcode payload".to_vec() } else { vec![] };
                let frame = (FIN | (first + number - 1), payload);
                let id = format!("4.{group}.{number}");
                if number < 3 {
                    self.add(id, vec![frame], Chop::Once, vec![], 1002);
                } else {
                    let frames = vec![(FIN | TEXT, hello.clone()), frame, ping.clone()];
                    let chop = if number == 5 { Chop::Octets(1) } else { Chop::Once };
                    self.add(id, frames, chop, vec![(TEXT, hello.clone())], 1002);
                }
            }
        }
    }

    /// 5: fragments in order, control frames between them, and everything out of order.
    fn fragmentation(&mut self) {
        let (one, two) = (self.text("fragment1"), b"fragment2".to_vec());
        let whole = [one.clone(), two.clone()].concat();
        let echo = vec![(TEXT, whole.clone())];
        let first = (MORE | TEXT, one.clone());
        let last = (FIN | CONTINUATION, two.clone());
        let ping = |payload: &[u8]| (FIN | PING, payload.to_vec());
        let pong = |payload: &[u8]| (PONG, payload.to_vec());
        let chops = [Chop::Once, Chop::Frames, Chop::Octets(1)];
        for (id, opcode) in [("5.1", PING), ("5.2", PONG)] {
            let frames = vec![(MORE | opcode, b"fragment1".to_vec()), last.clone()];
            self.add(id, frames, Chop::Once, vec![], 1002);
        }
        for (at, chop) in chops.into_iter().enumerate() {
            self.clean(format!("5.{}", 3 + at), vec![first.clone(), last.clone()], chop, echo.clone());
            let with_ping = vec![first.clone(), ping(b"ping payload"), last.clone()];
            let pong_first = [vec![pong(b"ping payload")], echo.clone()].concat();
            self.clean(format!("5.{}", 6 + at), with_ping, chop, pong_first);
            for (number, fin) in [(9, FIN), (12, MORE)] {
                let nothing_to_continue = (fin | CONTINUATION, b"non-continuation payload".to_vec());
                let frames = vec![nothing_to_continue, (FIN | TEXT, self.text("Hello, world!"))];
                self.add(format!("5.{}", number + at), frames, chop, vec![], 1002);
            }
        }
        let hello = (FIN | TEXT, self.text("Hello, world!"));
        let stray = |fin: u8| (fin | CONTINUATION, b"fragment3".to_vec());
        self.add("5.15", vec![first.clone(), last.clone(), stray(MORE), hello], Chop::Once, echo, 1002);
        for (id, fin) in [("5.16", MORE), ("5.17", FIN)] {
            let round = [stray(fin), first.clone(), last.clone()];
            self.add(id, [round.clone(), round].concat(), Chop::Once, vec![], 1002);
        }
        self.add("5.18", vec![first, (FIN | TEXT, two)], Chop::Once, vec![], 1002);
        let five: Vec<Frame> = vec![
            (MORE | TEXT, one),
            (MORE | CONTINUATION, b"fragment2".to_vec()),
            ping(b"pongme 1!"),
            (MORE | CONTINUATION, b"fragment3".to_vec()),
            (MORE | CONTINUATION, b"fragment4".to_vec()),
            ping(b"pongme 2!"),
            (FIN | CONTINUATION, b"fragment5".to_vec()),
        ];
        let text = [whole, b"fragment3fragment4fragment5".to_vec()].concat();
        let replies = vec![pong(b"pongme 1!"), pong(b"pongme 2!"), (TEXT, text)];
        self.clean("5.19", five.clone(), Chop::Frames, replies.clone());
        self.clean("5.20", five, Chop::Once, replies);
    }

    /// 7: the closing handshake and its payload. What follows a close is not answered.
    fn close_handling(&mut self) {
        let close = |code: u16, reason: &[u8]| (FIN | CLOSE, [&code.to_be_bytes()[..], reason].concat());
        let bye = close(1000, b"");
        let hello = (FIN | TEXT, self.text("Hello World!"));
        let echo = vec![(TEXT, hello.1.clone())];
        let ping = (FIN | PING, vec![]);
        self.add("7.1.1", vec![hello.clone(), bye.clone()], Chop::Once, echo, 1000);
        self.add("7.1.2", vec![bye.clone(), bye.clone()], Chop::Once, vec![], 1000);
        self.add("7.1.3", vec![bye.clone(), ping.clone()], Chop::Once, vec![], 1000);
        self.add("7.1.4", vec![bye.clone(), hello], Chop::Once, vec![], 1000);
        let open = (MORE | TEXT, self.text("fragment1"));
        let rest = (FIN | CONTINUATION, b"fragment2".to_vec());
        self.add("7.1.5", vec![open, bye.clone(), rest], Chop::Once, vec![], 1000);
        let long = self.stars(256 * KIB);
        let frames = vec![(FIN | TEXT, long.clone()), bye.clone(), ping];
        self.add("7.1.6", frames, Chop::Once, vec![(TEXT, long)], 1000);

        self.add("7.3.1", vec![(FIN | CLOSE, vec![])], Chop::Once, vec![], 1000);
        self.add("7.3.2", vec![(FIN | CLOSE, b"a".to_vec())], Chop::Once, vec![], 1002);
        self.add("7.3.3", vec![bye], Chop::Once, vec![], 1000);
        self.add("7.3.4", vec![close(1000, b"Hello World!")], Chop::Once, vec![], 1000);
        self.add("7.3.5", vec![close(1000, &[b'*'; 123])], Chop::Once, vec![], 1000);
        self.add("7.3.6", vec![close(1000, &[b'*'; 124])], Chop::Once, vec![], 1002);
        let no_utf8 = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80\x65\x64\x69\x74\x65\x64";
        self.add("7.5.1", vec![close(1000, no_utf8)], Chop::Once, vec![], 1007);

        let valid = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
        for (at, code) in valid.into_iter().enumerate() {
            self.add(format!("7.7.{}", at + 1), vec![close(code, b"")], Chop::Once, vec![], code);
        }
        let invalid = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
        for (at, code) in invalid.into_iter().enumerate() {
            self.add(format!("7.9.{}", at + 1), vec![close(code, b"")], Chop::Once, vec![], 1002);
        }
        for (id, code) in [("7.13.1", 5000), ("7.13.2", 65_535)] {
            self.add(id, vec![close(code, b"")], Chop::Once, vec![], 1002);
        }
    }

    /// 9: large messages whole (9.1, 9.2), in fragments (9.3, 9.4), in small writes (9.5, 9.6), and many small ones
    /// (9.7, 9.8; the suite's thousand, of which each waits for the one before it, is the caller's to time).
    fn limits(&mut self) {
        for (kind, opcode) in [TEXT, BINARY].into_iter().enumerate() {
            let payload = |cases: &Self, len| {
                if opcode == TEXT { cases.stars(len) } else { vec![0xfe; len] }
            };
            for (at, size) in [64, 256, 1024, 4096, 8192, 16_384].into_iter().enumerate() {
                let message = payload(self, size * KIB);
                let frames = vec![(FIN | opcode, message.clone())];
                self.clean(format!("9.{}.{}", 1 + kind, at + 1), frames, Chop::Once, vec![(opcode, message)]);
            }
            let message = payload(self, 4 * KIB * KIB);
            for (at, exponent) in (6..=22).step_by(2).enumerate() {
                let size = 1 << exponent;
                let frames = fragments(opcode, &message, size);
                let replies = vec![(opcode, message.clone())];
                self.clean(format!("9.{}.{}", 3 + kind, at + 1), frames, Chop::Once, replies);
            }
            let message = payload(self, KIB * KIB);
            for (at, size) in [64, 128, 256, 512, 1024, 2048].into_iter().enumerate() {
                let frames = vec![(FIN | opcode, message.clone())];
                let replies = vec![(opcode, message.clone())];
                self.clean(format!("9.{}.{}", 5 + kind, at + 1), frames, Chop::Octets(size), replies);
            }
            for (at, size) in [0, 16, 64, 256, 1024, 4096].into_iter().enumerate() {
                let message = payload(self, size);
                let frames = vec![(FIN | opcode, message.clone()); 1000];
                let replies = vec![(opcode, message); 1000];
                self.clean(format!("9.{}.{}", 7 + kind, at + 1), frames, Chop::Frames, replies);
            }
        }
    }

    /// 10: fragments of the sender's own making.
    fn auto_fragmentation(&mut self) {
        let message = self.stars(65_536);
        let frames = fragments(TEXT, &message, 1300);
        self.clean("10.1.1", frames, Chop::Once, vec![(TEXT, message)]);
    }
}

/// A message in fragments of `size` bytes.
fn fragments(opcode: u8, message: &[u8], size: usize) -> Vec<Frame> {
    let last = message.len().div_ceil(size) - 1;
    let first_byte =
        |at: usize| if at == last { FIN } else { MORE } | if at == 0 { opcode } else { CONTINUATION };
    message.chunks(size).enumerate().map(|(at, piece)| (first_byte(at), piece.to_vec())).collect()
}

/// A client's frame, masked, in the shortest form.
pub(crate) fn encode(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..=125 => bytes.push(0x80 | short as u8),
        medium @ 126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend((medium as u16).to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    bytes.extend(KEY);
    bytes.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}
