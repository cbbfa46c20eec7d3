//! Values of fields, in every type in which applications write them.

use std::str::FromStr;

use bson::{Binary, DateTime, RawBsonRef, RawDocument, oid, spec::BinarySubtype};
use chat_ports::{
    StoreError,
    model::{ConversationId, ObjectId, Timestamp},
};

use crate::error::corrupt;

/// An id as BSON.
pub(crate) fn object_id(id: ObjectId) -> oid::ObjectId {
    oid::ObjectId::from_bytes(id.bytes())
}

/// A point in time as BSON.
pub(crate) fn date(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.millis())
}

/// A point in time from BSON.
pub(crate) fn millis(at: DateTime) -> Timestamp {
    Timestamp::from_millis(at.timestamp_millis())
}

/// A conversation's key as BSON, for filters.
pub(crate) fn binary_key(conversation: &ConversationId) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes: conversation.key().to_vec() }
}

/// A document that is being read, for its errors.
pub(super) struct Source<'a> {
    pub(super) collection: &'static str,
    pub(super) document: &'a RawDocument,
}

impl<'a> Source<'a> {
    /// Goes through the fields in one pass.
    pub(super) fn each(
        &self,
        mut take: impl FnMut(&'a str, RawBsonRef<'a>) -> Option<&'static str>,
    ) -> Result<(), StoreError> {
        for field in self.document.iter() {
            let (name, value) = field.map_err(|_unreadable| self.corrupt("(its bytes)"))?;
            if let Some(field) = take(name.as_str(), value) {
                return Err(self.corrupt(field));
            }
        }
        Ok(())
    }

    /// What a document must have.
    pub(super) fn need<T>(&self, value: Option<T>, field: &'static str) -> Result<T, StoreError> {
        value.ok_or_else(|| self.corrupt(field))
    }

    /// The error that names this document and a field of it.
    pub(super) fn corrupt(&self, field: &'static str) -> StoreError {
        let id = match self.document.get("_id") {
            Ok(Some(RawBsonRef::ObjectId(id))) => id.to_hex(),
            _ => "(an unusual id)".to_owned(),
        };
        corrupt(self.collection, id, field)
    }
}

/// Reads a value into its place, `None` of an absent (or null) one. The field's name if it can't be.
pub(super) fn put<'a, T>(
    place: &mut Option<T>,
    value: RawBsonRef<'a>,
    read: impl FnOnce(RawBsonRef<'a>) -> Option<T>,
    field: &'static str,
) -> Option<&'static str> {
    if matches!(value, RawBsonRef::Null | RawBsonRef::Undefined) {
        return None;
    }
    *place = read(value);
    place.is_none().then_some(field)
}

/// An id: also as its hex digits.
pub(super) fn as_id(value: RawBsonRef<'_>) -> Option<ObjectId> {
    let id = value.as_object_id().map(|id| ObjectId::from_bytes(id.bytes()));
    id.or_else(|| ObjectId::from_str(value.as_str()?).ok())
}

/// A text.
pub(super) fn as_text(value: RawBsonRef<'_>) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A truth value: also as a number.
pub(super) fn as_bool(value: RawBsonRef<'_>) -> Option<bool> {
    value.as_bool().or_else(|| Some(as_whole(value)? != 0))
}

/// A whole number, in any of the numeric types.
pub(super) fn as_whole(value: RawBsonRef<'_>) -> Option<i64> {
    let number = value.as_i64().or_else(|| value.as_i32().map(i64::from));
    number.or_else(|| whole(value.as_f64()?))
}

/// A point in time: a date, or a number of milliseconds.
pub(super) fn as_time(value: RawBsonRef<'_>) -> Option<Timestamp> {
    let date = value.as_datetime().map(millis);
    date.or_else(|| as_whole(value).map(Timestamp::from_millis))
}

/// When an id was made: its first four bytes are seconds.
pub(super) fn made_at(id: ObjectId) -> Timestamp {
    let [a, b, c, d, ..] = id.bytes();
    Timestamp::from_millis(i64::from(u32::from_be_bytes([a, b, c, d])) * 1000)
}

/// 2⁵³: up to here every whole number is a double.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and exact")]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= MAX_EXACT).then_some(number as i64)
}
