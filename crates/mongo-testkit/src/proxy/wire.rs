//! MongoDB's wire messages, as far as a proxy must know them: whole messages, their numbers, the name of a command.

use std::io::{self, Read};

use bson::Document;

const HEADER: usize = 16;
const OP_MSG: i32 = 2013;
/// The flag of a message that no answer is expected to.
const MORE_TO_COME: u32 = 2;

/// One message, as it came.
pub(super) struct Message(pub(super) Vec<u8>);

impl Message {
    /// Reads the next one; `None` at the end of the connection.
    pub(super) fn read(from: &mut impl Read) -> Option<Self> {
        let mut bytes = vec![0; HEADER];
        from.read_exact(&mut bytes).ok()?;
        let length = usize::try_from(number(&bytes, 0)).ok()?;
        bytes.resize(length.max(HEADER), 0);
        from.read_exact(bytes.get_mut(HEADER..)?).ok()?;
        Some(Self(bytes))
    }

    /// The number that an answer names.
    pub(super) fn id(&self) -> i32 {
        number(&self.0, 4)
    }

    /// The number of the request that this answers.
    pub(super) fn answers(&self) -> i32 {
        number(&self.0, 8)
    }

    /// The name of the command; `hello` for the older messages that only a handshake still uses.
    pub(super) fn command(&self) -> &str {
        let mut name = "hello";
        if number(&self.0, 12) == OP_MSG {
            // Header, flags, kind of section, length of the document, type of its first element, its name.
            let rest = self.0.get(HEADER + 4 + 1 + 4 + 1..).unwrap_or_default();
            let end = rest.iter().position(|byte| *byte == 0).unwrap_or(0);
            name = std::str::from_utf8(rest.get(..end).unwrap_or_default()).unwrap_or("");
        }
        name
    }

    /// The collection that a command is for; nothing where it is for none.
    pub(super) fn collection(&self) -> &str {
        // Its name is a string, the value of the command's first element.
        const STRING: u8 = 2;
        let element = self.0.get(HEADER + 4 + 1 + 4..).unwrap_or_default();
        if number(&self.0, 12) != OP_MSG || element.first() != Some(&STRING) {
            return "";
        }
        let value = element.get(1 + self.command().len() + 1 + 4..).unwrap_or_default();
        let end = value.iter().position(|byte| *byte == 0).unwrap_or(0);
        std::str::from_utf8(value.get(..end).unwrap_or_default()).unwrap_or("")
    }

    /// The command's own document, in the messages that have one.
    pub(super) fn document(&self) -> Option<Document> {
        let body = self.0.get(HEADER + 4 + 1..).filter(|_| number(&self.0, 12) == OP_MSG)?;
        let length = usize::try_from(number(body, 0)).ok()?;
        Document::from_reader(body.get(..length)?).ok()
    }

    /// Whether the client waits for an answer.
    pub(super) fn wants_answer(&self) -> bool {
        number(&self.0, 12) != OP_MSG || number(&self.0, HEADER).cast_unsigned() & MORE_TO_COME == 0
    }

    /// An answer to the request with this number.
    pub(super) fn answer(to: i32, document: &Document) -> io::Result<Self> {
        let body = document.to_vec().map_err(io::Error::other)?;
        let length = i32::try_from(HEADER + 5 + body.len()).map_err(io::Error::other)?;
        let mut bytes = Vec::new();
        for word in [length, 1, to, OP_MSG, 0] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.push(0);
        bytes.extend_from_slice(&body);
        Ok(Self(bytes))
    }
}

fn number(bytes: &[u8], at: usize) -> i32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, i32::from_le_bytes)
}
