//! 6: text must be UTF-8, across fragments, and fails at the first byte that can't be right.

use super::{CONTINUATION, Cases, Chop, FIN, Frame, MORE, TEXT, encode};

/// "κόσμε", in eleven bytes.
const KOSME: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
const HELLO: &str = "Hello-µ@ßöäüàá-UTF-8!!";
/// Begins with a sequence past U+10FFFF, and is wrong from its second byte on.
const PAST_THE_END: &[u8] = b"\xf4\x90\x80\x80";
/// A surrogate among valid sequences.
const INVALID: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited";

impl Cases {
    pub(super) fn utf8_handling(&mut self) {
        self.empty_texts();
        self.texts_in_fragments();
        self.fails_fast();
        self.valid_sequences();
        self.invalid_sequences();
        self.broken_off_sequences();
        self.noncharacters();
    }

    /// A whole text that must come back.
    fn valid(&mut self, id: String, text: &[u8]) {
        let text = self.text(text);
        self.clean(id, vec![(FIN | TEXT, text.clone())], Chop::Once, vec![(TEXT, text)]);
    }

    /// A whole text that must fail.
    fn invalid(&mut self, id: String, text: &[u8]) {
        let text = self.text(text);
        self.add(id, vec![(FIN | TEXT, text)], Chop::Once, vec![], 1007);
    }

    fn all_valid(&mut self, group: &str, texts: &[&[u8]]) {
        for (at, text) in texts.iter().enumerate() {
            self.valid(format!("{group}.{}", at + 1), text);
        }
    }

    fn all_invalid(&mut self, group: &str, texts: &[&[u8]]) {
        for (at, text) in texts.iter().enumerate() {
            self.invalid(format!("{group}.{}", at + 1), text);
        }
    }

    /// The text's fragments, the prefix with the first.
    fn parts<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<Frame> {
        let mut frames: Vec<Frame> = parts.into_iter().map(|part| (MORE, part.to_vec())).collect();
        if let Some((first, payload)) = frames.first_mut() {
            (*first, *payload) = (MORE | TEXT, self.text(&*payload));
        }
        if let Some((last, _)) = frames.last_mut() {
            *last |= FIN;
        }
        frames
    }

    fn empty_texts(&mut self) {
        self.valid("6.1.1".into(), b"");
        let (frames, text) = (self.parts([&b""[..], b"", b""]), self.text(""));
        self.clean("6.1.2", frames, Chop::Once, vec![(TEXT, text)]);
        let (frames, text) = (self.parts([&b""[..], b"middle frame payload", b""]), "middle frame payload");
        let text = self.text(text);
        self.clean("6.1.3", frames, Chop::Once, vec![(TEXT, text)]);
    }

    fn texts_in_fragments(&mut self) {
        let hello = HELLO.as_bytes();
        self.valid("6.2.1".into(), hello);
        let echo = vec![(TEXT, self.text(HELLO))];
        // Behind "Hello-µ@ß": between two characters.
        let (head, tail) = hello.split_at(11);
        self.clean("6.2.2", self.parts([head, tail]), Chop::Once, echo.clone());
        self.clean("6.2.3", self.parts(hello.chunks(1)), Chop::Once, echo);
        let echo = vec![(TEXT, self.text(KOSME))];
        self.clean("6.2.4", self.parts(KOSME.chunks(1)), Chop::Once, echo);
        self.invalid("6.3.1".into(), INVALID);
        self.add("6.3.2", self.parts(INVALID.chunks(1)), Chop::Once, vec![], 1007);
    }

    /// Nothing is sent behind the wrong byte: neither the message nor, in the latter two, its frame is whole.
    fn fails_fast(&mut self) {
        for (id, wrong) in [("6.4.1", PAST_THE_END), ("6.4.2", &PAST_THE_END[..2])] {
            let frames = vec![(MORE | TEXT, self.text(KOSME)), (MORE | CONTINUATION, wrong.to_vec())];
            self.add(id, frames, Chop::Frames, vec![], 1007);
        }
        let valid = self.text(KOSME);
        let frame = encode(FIN | TEXT, &[&valid, PAST_THE_END, b"edited"].concat());
        for (id, sent) in [("6.4.3", 4), ("6.4.4", 2)] {
            let (head, rest) = frame.split_at(6 + valid.len());
            let writes = vec![head.to_vec(), rest[..sent].to_vec()];
            self.all.push(super::Case { id: id.to_owned(), writes, replies: vec![], close: 1007 });
        }
    }

    fn valid_sequences(&mut self) {
        self.all_valid(
            "6.5",
            &[
                b"hello$world",
                "hello¢world".as_bytes(),
                "hello€world".as_bytes(),
                "hello𤭢world".as_bytes(),
                KOSME,
            ],
        );
        // Every prefix: valid where it ends between two characters.
        for len in 1..=KOSME.len() {
            let (id, prefix) = (format!("6.6.{len}"), &KOSME[..len]);
            if std::str::from_utf8(prefix).is_ok() {
                self.valid(id, prefix)
            } else {
                self.invalid(id, prefix)
            }
        }
        self.all_valid("6.7", &[b"\0", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"]);
        self.all_valid("6.9", &[b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"]);
        self.all_valid("6.11", &[b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf"]);
        self.invalid("6.11.5".into(), PAST_THE_END);
    }

    fn invalid_sequences(&mut self) {
        self.all_invalid("6.8", &[b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"]);
        self.all_invalid(
            "6.10",
            &[b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"],
        );
        self.all_invalid("6.16", &[b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"]);
        self.all_invalid(
            "6.17",
            &[
                b"\xc0\xaf",
                b"\xe0\x80\xaf",
                b"\xf0\x80\x80\xaf",
                b"\xf8\x80\x80\x80\xaf",
                b"\xfc\x80\x80\x80\x80\xaf",
            ],
        );
        self.all_invalid(
            "6.18",
            &[
                b"\xc1\xbf",
                b"\xe0\x9f\xbf",
                b"\xf0\x8f\xbf\xbf",
                b"\xf8\x87\xbf\xbf\xbf",
                b"\xfc\x83\xbf\xbf\xbf\xbf",
            ],
        );
        self.all_invalid(
            "6.19",
            &[
                b"\xc0\x80",
                b"\xe0\x80\x80",
                b"\xf0\x80\x80\x80",
                b"\xf8\x80\x80\x80\x80",
                b"\xfc\x80\x80\x80\x80\x80",
            ],
        );
        self.all_invalid(
            "6.20",
            &[
                b"\xed\xa0\x80",
                b"\xed\xad\xbf",
                b"\xed\xae\x80",
                b"\xed\xaf\xbf",
                b"\xed\xb0\x80",
                b"\xed\xbe\x80",
                b"\xed\xbf\xbf",
            ],
        );
        self.all_invalid(
            "6.21",
            &[
                b"\xed\xa0\x80\xed\xb0\x80",
                b"\xed\xa0\x80\xed\xbf\xbf",
                b"\xed\xad\xbf\xed\xb0\x80",
                b"\xed\xad\xbf\xed\xbf\xbf",
                b"\xed\xae\x80\xed\xb0\x80",
                b"\xed\xae\x80\xed\xbf\xbf",
                b"\xed\xaf\xbf\xed\xb0\x80",
                b"\xed\xaf\xbf\xed\xbf\xbf",
            ],
        );
    }

    /// Continuations without a beginning, beginnings without all continuations.
    fn broken_off_sequences(&mut self) {
        let every: Vec<u8> = (0x80..=0xbe).collect();
        self.all_invalid(
            "6.12",
            &[
                b"\x80",
                b"\xbf",
                b"\x80\xbf",
                b"\x80\xbf\x80",
                b"\x80\xbf\x80\xbf",
                b"\x80\xbf\x80\xbf\x80",
                b"\x80\xbf\x80\xbf\x80\xbf",
                &every,
            ],
        );
        for (at, starts) in
            [0xc0..=0xdf, 0xe0..=0xef, 0xf0..=0xf7, 0xf8..=0xfb, 0xfc..=0xfd].into_iter().enumerate()
        {
            let lonely: Vec<u8> = starts.flat_map(|start: u8| [start, b' ']).collect();
            self.invalid(format!("6.13.{}", at + 1), &lonely);
        }
        let cut: [&[u8]; 10] = [
            b"\xc0",
            b"\xe0\x80",
            b"\xf0\x80\x80",
            b"\xf8\x80\x80\x80",
            b"\xfc\x80\x80\x80\x80",
            b"\xdf",
            b"\xef\xbf",
            b"\xf7\xbf\xbf",
            b"\xfb\xbf\xbf\xbf",
            b"\xfd\xbf\xbf\xbf\xbf",
        ];
        self.all_invalid("6.14", &cut);
        self.invalid("6.15.1".into(), &cut.concat());
    }

    /// Code points that are no characters, and those beside them, are valid all the same.
    fn noncharacters(&mut self) {
        let ends = (0..=16_u32).flat_map(|plane| [plane << 16 | 0xfffe, plane << 16 | 0xffff]);
        for (group, points) in [(22, ends.collect::<Vec<_>>()), (23, (0xfff9..=0xffff).collect())] {
            for (at, point) in points.into_iter().enumerate() {
                let text = char::from_u32(point).map(String::from).unwrap_or_default();
                self.valid(format!("6.{group}.{}", at + 1), text.as_bytes());
            }
        }
    }
}
