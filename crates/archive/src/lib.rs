//! Moves a store into a file and back: JSON Lines, checked, resumable.
//!
//! **What it is.** [`export`] walks a store through the port [`Archive`](chat_ports::Archive) into one file;
//! [`import`] checks such a file and puts it into an empty store, of whichever kind. Both go on where an
//! earlier try was interrupted, and both take the same memory for any number of messages (an import into a
//! store that tells names apart ignoring case: 16 bytes an account besides).
//!
//! **The file.** One JSON object a line, in one canonical form, so that the same content is the same bytes
//! from whichever store it comes:
//!
//! ```text
//! {"archive":{"version":2,"exportedAt":1795341600000,"source":"embedded"}}
//! {"user":{"id":"…","username":"…","email":"…","password":"$2b$…","isOnline":false,"lastSeen":null,"createdAt":…,"updatedAt":…}}
//! {"message":{"id":"…","seq":1,"sender":"…","receiver":"…","text":"…","timestamp":…,"deliveredAt":…,"readAt":…,"editedAt":…,"deletedAt":…,"clientId":"…","firstText":"…"}}
//! {"block":{"blocker":"…","blocked":"…","since":…}}
//! {"end":{"users":1,"messages":1,"blocks":1,"content":"<SHA-256 of the lines of users, messages and blocks>","sha256":"<of all lines before>"}}
//! ```
//!
//! Users stand by id; messages by conversation (the smaller user's id, then the larger one's), then `seq`;
//! blocks last, by who blocks, then whom. Times are milliseconds since 1970. Of a message, what stands behind `timestamp`
//! is left out where there is none, and `deliveredAt` also where it is the same as `readAt`; so is the count of no blocks.
//! `firstText` is the digest of an edited message's first text, by which a repeated send is known. It holds password
//! hashes and everything that anybody wrote: it is made for its owner only (mode 0600).
//!
//! **Versions.** Version 2 is written; 1, which knew neither blocks nor deliveries, edits and deletions, is read as well.
//! A newer one is refused by name.
//!
//! **What it may touch.** `chat-ports` and files. No runtime: its futures run anywhere, and block for the
//! file's sake.
//!
//! **Where to begin.** `export.rs` and `import.rs` are the two ways; `line` is what a line looks like,
//! `scan` what must hold from line to line.

mod error;
mod export;
mod import;
mod line;
mod page;
mod partial;
mod progress;
mod scan;
mod tally;
#[cfg(test)]
mod tests;
mod twins;

pub use error::{ExportError, FileError, ImportError, Twin};
pub use export::export;
pub use import::import;
pub use progress::{Progress, Step, Summary};
