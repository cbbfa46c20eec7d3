//! The repositories on SQLite in one folder, log first, and the in-process bus.
