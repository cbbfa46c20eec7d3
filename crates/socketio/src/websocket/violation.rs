//! What a client may do wrong, and the close code that answers it (RFC 6455, section 7.4.1).

/// Why a connection must be failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A reserved bit is set without an extension (5.2).
    #[error("reserved bit set")]
    ReservedBits,
    /// Opcode 3 to 7 or 11 to 15 (5.2).
    #[error("reserved opcode")]
    ReservedOpcode,
    /// A client's frame without a mask (5.1).
    #[error("frame not masked")]
    NotMasked,
    /// A length not in its shortest form, or past 63 bits (5.2).
    #[error("malformed length")]
    Length,
    /// A control frame in fragments, or over 125 bytes (5.5).
    #[error("malformed control frame")]
    ControlFrame,
    /// A continuation of nothing, or a new message inside of one (5.4).
    #[error("fragments out of order")]
    Fragments,
    /// A close payload of one byte, or a code that may not be sent (7.4).
    #[error("malformed close payload")]
    Close,
    /// Text, or a close reason, that is not UTF-8 (8.1).
    #[error("text is not UTF-8")]
    Utf8,
    /// A message over the limit.
    #[error("message too large")]
    TooLarge,
    /// A message in more fragments than its size can justify.
    #[error("too many fragments")]
    TooManyFragments,
}

impl Violation {
    /// The code for the close frame: 1002, 1007 or 1009.
    #[must_use]
    pub fn close_code(self) -> u16 {
        match self {
            Self::Utf8 => 1007,
            Self::TooLarge | Self::TooManyFragments => 1009,
            Self::ReservedBits
            | Self::ReservedOpcode
            | Self::NotMasked
            | Self::Length
            | Self::ControlFrame
            | Self::Fragments
            | Self::Close => 1002,
        }
    }
}
