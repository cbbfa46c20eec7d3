//! What documents look like: the only place that knows the names of fields.
//!
//! The first six fields of a message, and the first eight of a user, are those of a Node/mongoose
//! application of this kind; the others are ours. What is stored is checked for type only.

mod fields;
mod message;
#[cfg(test)]
mod tests;
mod user;

pub(crate) use fields::{binary_key, date, millis, object_id};
pub(crate) use message::{Dedup, Numbers, Stored, encode_message, long, read_message, receipt_number};
pub(crate) use user::{encode_user, read_user};
