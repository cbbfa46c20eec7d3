//! What the fuzz targets check, as far as it is not in `chat-transport` itself.

pub mod seals;
pub mod tokens;
