//! Every limit that binds input, in one place.

/// What input may be. Limits bind what comes in; what is stored is served whatever its size.
///
/// Each field's setting is its name in upper case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Fewest characters of a username. Default 3.
    pub min_username_chars: usize,
    /// Most characters of a username. Default 32.
    pub max_username_chars: usize,
    /// Most characters of an address. Default 254 (RFC 5321 §4.5.3.1.3).
    pub max_email_chars: usize,
    /// Fewest bytes of a password. Default 8.
    pub min_password_bytes: usize,
    /// Most bytes of a password. Default 72: bcrypt reads no more.
    pub max_password_bytes: usize,
    /// Most characters (Unicode scalar values) of a message. Default 4,000.
    pub max_message_chars: usize,
    /// Most characters of a `clientId`. Default 64.
    pub max_client_id_chars: usize,
    /// Items of a page when the client names no number. Default 50.
    pub default_page_items: u32,
    /// Most items of a page. Default 100.
    pub max_page_items: u32,
    /// Bytes of message text after which a page ends early. Default 256 KiB.
    pub max_page_bytes: usize,
    /// Where counting unread messages stops. Default 100.
    pub max_unread_count: u32,
    /// Most `message_read` or `message_delivered` events that one receipt causes: the newest ones. Default 100.
    pub max_receipt_events: u32,
    /// Events of a page of `sync` when the client names no number. Default 100.
    pub default_sync_events: u32,
    /// Most events of a page of `sync`. Default 500.
    pub max_sync_events: u32,
    /// Most users whom one may block. Default 1,000.
    pub max_blocked_users: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            min_username_chars: 3,
            max_username_chars: 32,
            max_email_chars: 254,
            min_password_bytes: 8,
            max_password_bytes: 72,
            max_message_chars: 4_000,
            max_client_id_chars: 64,
            default_page_items: 50,
            max_page_items: 100,
            max_page_bytes: 256 * 1024,
            max_unread_count: 100,
            max_receipt_events: 100,
            default_sync_events: 100,
            max_sync_events: 500,
            max_blocked_users: 1_000,
        }
    }
}
