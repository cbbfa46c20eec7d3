//! Identifiers: 12 bytes in MongoDB's ObjectId layout, written as 24 lower-case hex digits.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

/// A text that is no id: ids are 24 hex digits, in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 24 hex digits")]
pub struct IdError;

/// 12 bytes in ObjectId layout: seconds since 1970 (4, big endian), process random (5), counter (3).
///
/// Ordered by bytes. Printed as 24 lower-case hex digits, parsed from either case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ObjectId([u8; 12]);

const HEX: &[u8; 16] = b"0123456789abcdef";

impl ObjectId {
    /// Makes an id of its bytes.
    pub const fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }

    /// The 12 bytes.
    pub const fn bytes(&self) -> [u8; 12] {
        self.0
    }

    /// The 24 lower-case hex digits, without an allocation.
    pub fn hex(&self) -> [u8; 24] {
        let mut out = [0; 24];
        for (pair, byte) in out.chunks_exact_mut(2).zip(self.0) {
            if let [high, low] = pair {
                *high = HEX.get(usize::from(byte >> 4)).copied().unwrap_or(b'0');
                *low = HEX.get(usize::from(byte & 15)).copied().unwrap_or(b'0');
            }
        }
        out
    }
}

impl FromStr for ObjectId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits: &[u8; 24] = text.as_bytes().try_into().map_err(|_wrong_length| IdError)?;
        let mut bytes = [0; 12];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            for digit in pair {
                let value = char::from(*digit).to_digit(16).ok_or(IdError)?;
                *byte = *byte << 4 | u8::try_from(value).unwrap_or(0);
            }
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.hex()).unwrap_or_default())
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<ObjectId> for String {
    fn from(id: ObjectId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for ObjectId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub ObjectId);

        impl $name {
            /// Makes an id of its 12 bytes.
            pub const fn from_bytes(bytes: [u8; 12]) -> Self {
                Self(ObjectId::from_bytes(bytes))
            }

            /// The 12 bytes.
            pub const fn bytes(&self) -> [u8; 12] {
                self.0.bytes()
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

id! {
    /// Names a user.
    UserId
}
id! {
    /// Names a message.
    MessageId
}

/// Names a connected socket: the public Socket.IO id, never the Engine.IO session's key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SocketId(Arc<str>);

impl SocketId {
    /// Wraps an id that the transport made.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_parsed_in_either_case_and_printed_in_lower() {
        let id: UserId = "65A1b2C3d4E5f60718293a4B".parse().unwrap();
        assert_eq!(id.to_string(), "65a1b2c3d4e5f60718293a4b");
        assert_eq!(id, id.to_string().parse().unwrap());
    }

    #[test]
    fn what_is_not_24_hex_digits_is_refused() {
        for text in
            ["", "65a1", "65a1b2c3d4e5f60718293a4g", "65a1b2c3d4e5f60718293a4bb", "65a1b2c3d4e5f6071829é"]
        {
            assert_eq!(text.parse::<ObjectId>(), Err(IdError), "{text}");
        }
    }
}
