//! Where requests begin and end in what a connection reads: so what is held of them is bounded, counted, and in time.
//!
//! The HTTP dispatcher reads ahead and tells nobody: heads that are not whole, and requests behind one that is not answered. At 128 KiB
//! of them it turns in circles. So requests are followed on their way in, by RFC 9112, sections 2.1, 6.3 and 7.1. That is no second parser: the
//! dispatcher's own one judges. Whoever has the two disagree is not read any further, or is closed.

use std::{
    cell::Cell,
    collections::VecDeque,
    io, mem,
    task::{Context, Waker},
};

use crate::Share;

/// Most bytes that are read behind a request that is not answered, or whose answer is not taken.
const BEHIND: usize = 16 * 1024;
/// Most bytes of requests that wait, else; with what one read adds less than what the dispatcher turns in circles at.
const WAITING: usize = 96 * 1024;
/// As much of a line as tells how long a body is.
const LINE: usize = 64;

/// How many requests the application has begun with.
#[derive(Default)]
pub(super) struct Begun {
    count: Cell<u64>,
    reader: Cell<Option<Waker>>,
}

impl Begun {
    /// It begins with the next one: there is room for what stands behind it.
    pub(super) fn begin(&self) {
        self.count.set(self.count.get() + 1);
        self.resume();
    }

    /// There may be room again for what waits.
    pub(super) fn resume(&self) {
        self.reader.take().into_iter().for_each(Waker::wake);
    }

    /// Leaves the waker for when there may be room again.
    pub(super) fn wait(&self, cx: &Context<'_>) {
        self.reader.set(Some(cx.waker().clone()));
    }

    /// How many there were.
    pub(super) fn count(&self) -> u64 {
        self.count.get()
    }
}

/// What a connection is read for, beyond whole requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaited {
    /// The rest of the head of this request.
    Head(u64),
    /// The rest of the body of this request, which is answered already.
    AnsweredBody(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Head,
    Body(u64),
    ChunkSize,
    /// The chunk, and the end of its line.
    Chunk(u64),
    Trailers,
}

/// The beginning of a line.
#[derive(Clone, Copy)]
struct Line {
    bytes: [u8; LINE],
    len: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self { bytes: [0; LINE], len: 0 }
    }
}

impl Line {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    /// As text; nothing where it is none.
    fn text(&self) -> &str {
        self.bytes.get(..self.len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

/// A request that the application has not begun with.
#[derive(Debug, Default, Clone, Copy)]
struct Waiting {
    bytes: usize,
    head: usize,
}

/// Follows the requests of a connection.
pub(super) struct Requests {
    place: Place,
    line: Line,
    /// Line feeds with nothing between them; two end a head.
    feeds: u8,
    /// Whether anything has come of a head that is not whole.
    in_head: bool,
    /// Whether that is more than empty lines.
    has_text: bool,
    length: u64,
    chunked: bool,
    /// How many requests have come, in part at least; the last one is being followed.
    come: u64,
    /// How many of them the application has begun with.
    begun: u64,
    /// The others.
    waiting: VecDeque<Waiting>,
    /// What they hold together.
    held: usize,
    /// What the head of the request holds that is being answered.
    current: usize,
    /// Whether there is a request without an answer.
    unanswered: bool,
    /// Whether an answer is not taken.
    blocked: bool,
    share: Share,
}

impl Requests {
    pub(super) fn new(share: Share) -> Self {
        Self {
            place: Place::Head,
            line: Line::default(),
            feeds: 0,
            in_head: false,
            has_text: false,
            length: 0,
            chunked: false,
            come: 0,
            begun: 0,
            waiting: VecDeque::new(),
            held: 0,
            current: 0,
            unanswered: false,
            blocked: false,
            share,
        }
    }

    /// Follows what was read.
    pub(super) fn read(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = match &mut self.place {
                Place::Body(left) | Place::Chunk(left) => {
                    let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= taken as u64;
                    taken
                }
                Place::Head | Place::ChunkSize | Place::Trailers => 1,
            };
            let (now, rest) = bytes.split_at(taken);
            bytes = rest;
            if self.place == Place::Head && !self.in_head {
                self.in_head = true;
                self.come += 1;
                self.waiting.push_back(Waiting::default());
            }
            self.count(taken);
            self.follow(now);
        }
        self.charge();
    }

    fn count(&mut self, bytes: usize) {
        if self.come > self.begun
            && let Some(last) = self.waiting.back_mut()
        {
            last.bytes += bytes;
            if self.place == Place::Head {
                last.head += bytes;
            }
            self.held += bytes;
        }
    }

    fn follow(&mut self, now: &[u8]) {
        let (place, byte) = (self.place, now.first().copied().unwrap_or_default());
        match place {
            Place::Body(0) => self.next(),
            Place::Chunk(0) => self.place = Place::ChunkSize,
            Place::Body(_) | Place::Chunk(_) => {}
            Place::Head => match byte {
                // The parser skips empty lines in front of a request.
                b'\r' | b'\n' if !self.has_text => {}
                b'\n' => {
                    self.feeds += 1;
                    self.header();
                    if self.feeds == 2 {
                        self.body();
                    }
                }
                b'\r' => {}
                _ => {
                    (self.has_text, self.feeds) = (true, 0);
                    self.line.push(byte);
                }
            },
            Place::ChunkSize if byte == b'\n' => {
                let line = mem::take(&mut self.line);
                let size = line.text().split(';').next().unwrap_or_default().trim();
                self.place = match u64::from_str_radix(size, 16) {
                    Ok(0) => Place::Trailers,
                    Ok(size) => Place::Chunk(size.saturating_add(2)),
                    // The dispatcher refuses it.
                    Err(_) => Place::ChunkSize,
                };
            }
            Place::Trailers if byte == b'\n' => {
                if mem::take(&mut self.line).text().is_empty() {
                    self.next();
                }
            }
            Place::ChunkSize | Place::Trailers if byte == b'\r' => {}
            Place::ChunkSize | Place::Trailers => self.line.push(byte),
        }
    }

    fn header(&mut self) {
        let line = mem::take(&mut self.line);
        let Some((name, value)) = line.text().split_once(':') else { return };
        if name.eq_ignore_ascii_case("content-length") {
            self.length = value.trim().parse().unwrap_or_default();
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            self.chunked = value.trim().eq_ignore_ascii_case("chunked");
        }
    }

    fn body(&mut self) {
        self.in_head = false;
        self.place = match self.length {
            _ if self.chunked => Place::ChunkSize,
            0 => return self.next(),
            length => Place::Body(length),
        };
    }

    fn next(&mut self) {
        self.place = Place::Head;
        (self.feeds, self.in_head, self.has_text) = (0, false, false);
        (self.length, self.chunked) = (0, false);
    }

    /// Takes note of how many the application has begun with.
    ///
    /// # Errors
    /// It has begun with one whose head has not come: the dispatcher reads these bytes otherwise.
    pub(super) fn begun(&mut self, begun: u64) -> io::Result<()> {
        while self.begun < begun {
            self.begun += 1;
            let waiting = self.waiting.pop_front().unwrap_or_default();
            self.held -= waiting.bytes;
            (self.current, self.unanswered) = (waiting.head, true);
        }
        if begun > self.come || begun == self.come && self.in_head {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.charge();
        Ok(())
    }

    /// Something of an answer was taken.
    pub(super) fn answered(&mut self) {
        (self.unanswered, self.blocked) = (false, false);
        self.charge();
    }

    /// An answer is not taken.
    pub(super) fn blocked(&mut self) {
        self.blocked = true;
    }

    /// Whether more may be read.
    pub(super) fn has_room(&self) -> bool {
        if self.unanswered || self.blocked {
            return self.held < BEHIND;
        }
        // What is too long for a head the dispatcher refuses by itself.
        self.held < WAITING || self.waiting.len() == 1 && self.place == Place::Head
    }

    /// What has to come in time.
    pub(super) fn awaited(&self) -> Option<Awaited> {
        if self.in_head {
            return Some(Awaited::Head(self.come));
        }
        let is_answered = self.begun == self.come && !self.unanswered;
        (self.place != Place::Head && is_answered).then_some(Awaited::AnsweredBody(self.come))
    }

    /// Whether the first head is whole. Until then it is held in so much memory, which may be more than what has come of it.
    pub(super) fn has_head(&mut self, held: usize) -> bool {
        let is_whole = self.come > 0 && !(self.come == 1 && self.in_head);
        if !is_whole {
            self.share.set(held);
        }
        is_whole
    }

    fn charge(&mut self) {
        self.share.set(self.held + if self.unanswered { self.current } else { 0 });
    }

    /// Leaves the waker for when the share is lost.
    ///
    /// # Errors
    /// It is lost: others need the memory.
    pub(super) fn check(&self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.share.is_revoked() || self.share.poll_revoked(cx).is_ready() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
