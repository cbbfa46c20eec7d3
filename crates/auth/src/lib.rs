//! Tokens and passwords behind the ports.
//!
//! [`Hs256`] issues and verifies JSON Web Tokens signed with HMAC-SHA256; [`BcryptHasher`] hashes
//! passwords on threads of its own; [`HmacSeals`] seals what clients carry. Neither reads a clock: `now` is an argument.

mod claims;
mod passwords;
mod pool;
mod rounds;
mod seals;
mod tokens;

pub use passwords::{BcryptHasher, StartError};
pub use seals::HmacSeals;
pub use tokens::Hs256;
