//! Names that nobody can guess.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

/// An unguessable name of 20 characters: 120 random bits. Without the system's random source nothing may go on:
/// a name that can be guessed is somebody else's session. So the process ends then.
#[must_use]
pub fn random_id() -> String {
    let mut bytes = [0; 15];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::error!(%error, "the system gives no random bytes");
        std::process::abort();
    }
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
