//! The chat itself: use cases over ports, policies as pure functions.
