//! Reads an archive line by line, and what must hold from line to line.

use std::{
    io::{self, BufRead, Read},
    path::{Path, PathBuf},
};

use chat_ports::{MessagePlace, model::UserId};

use crate::{
    error::FileError,
    line::{Line, VERSION},
    tally::Tally,
};

/// Most bytes of a line: a document of MongoDB is 16 MiB at most, and a byte of text six in JSON.
const MAX_LINE: u64 = 128 << 20;

/// Where a reader of an archive stands: behind a line.
#[derive(Clone, Default)]
pub(crate) struct Position {
    /// In bytes.
    pub(crate) offset: u64,
    /// How many lines lie before it.
    pub(crate) lines: u64,
    pub(crate) last_user: Option<UserId>,
    pub(crate) last_message: Option<MessagePlace>,
    pub(crate) last_block: Option<(UserId, UserId)>,
    pub(crate) tally: Tally,
    is_closed: bool,
}

impl Position {
    /// Takes in the next line, given also as its bytes.
    ///
    /// # Errors
    /// What is wrong with its place.
    pub(crate) fn pass(&mut self, line: &Line, bytes: &[u8]) -> Result<(), &'static str> {
        if (self.lines == 0) != matches!(line, Line::Header(_)) {
            return Err("it does not begin with its one header");
        }
        if self.is_closed {
            return Err("it goes on behind its end");
        }
        match line {
            Line::Header(_) => {}
            Line::User(user) => {
                if self.last_message.is_some()
                    || self.last_block.is_some()
                    || self.last_user.is_some_and(|last| last >= user.id)
                {
                    return Err("a user is out of order");
                }
                self.last_user = Some(user.id);
            }
            Line::Message(message) => {
                let place = MessagePlace::of(message);
                if self.last_block.is_some() || !follows(self.last_message, place) {
                    return Err("a message is out of order");
                }
                self.last_message = Some(place);
            }
            Line::Block(block) => {
                let pair = (block.blocker, block.blocked);
                if self.last_block.is_some_and(|last| last >= pair) {
                    return Err("a block is out of order");
                }
                self.last_block = Some(pair);
            }
            Line::End(end) => {
                if *end != self.tally.end() {
                    return Err("its content is not that of its checksum");
                }
                self.is_closed = true;
            }
        }
        self.tally.add(line, bytes);
        self.offset += bytes.len() as u64;
        self.lines += 1;
        Ok(())
    }
}

/// Whether a message may stand just behind this one: the next of its conversation, or the first of a later one.
fn follows(last: Option<MessagePlace>, next: MessagePlace) -> bool {
    match last {
        Some(last) if last.conversation == next.conversation => last.seq.checked_add(1) == Some(next.seq),
        Some(last) if last.conversation > next.conversation => false,
        _ => next.seq == 1,
    }
}

/// Reads an archive.
pub(crate) struct Scanner<R> {
    input: R,
    path: PathBuf,
    bytes: Vec<u8>,
    pub(crate) position: Position,
}

impl<R: BufRead> Scanner<R> {
    /// Reads on from a position at which `input` stands.
    pub(crate) fn new(input: R, path: &Path, position: Position) -> Self {
        Self { input, path: path.to_owned(), bytes: Vec::new(), position }
    }

    /// The next line; `None` at the end of the file.
    ///
    /// # Errors
    /// It can't be read, or should not stand there.
    pub(crate) fn next(&mut self) -> Result<Option<Line>, FileError> {
        self.bytes.clear();
        let read = (&mut self.input).take(MAX_LINE).read_until(b'\n', &mut self.bytes);
        if read.map_err(|source| self.failed(source))? == 0 {
            return Ok(None);
        }
        if self.bytes.last() != Some(&b'\n') {
            return Err(self.damaged("it breaks off"));
        }
        let line = Line::decode(&self.bytes).ok_or_else(|| self.damaged("a line can't be read"))?;
        if let Line::Header(header) = &line
            && !(1..=VERSION).contains(&header.version)
        {
            let (path, version) = (self.path.clone(), header.version);
            return Err(FileError::Newer { path, version, known: VERSION });
        }
        match self.position.pass(&line, &self.bytes) {
            Ok(()) => Ok(Some(line)),
            Err(what) => Err(self.damaged(what)),
        }
    }

    /// Goes through the rest, to its end.
    ///
    /// # Errors
    /// As for [`next`](Self::next); or the end is missing.
    pub(crate) fn finish(mut self, mut each: impl FnMut(&Line, &Position)) -> Result<Position, FileError> {
        while let Some(line) = self.next()? {
            each(&line, &self.position);
        }
        if !self.position.is_closed {
            return Err(self.damaged("it breaks off"));
        }
        Ok(self.position)
    }

    /// The file is not what an export writes; at the line that comes next.
    pub(crate) fn damaged(&self, what: &'static str) -> FileError {
        FileError::Damaged { path: self.path.clone(), what, line: self.position.lines + 1 }
    }

    fn failed(&self, source: io::Error) -> FileError {
        FileError::Io { path: self.path.clone(), source }
    }
}
