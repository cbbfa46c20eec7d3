//! The claims of an access token: what we write, and what we accept from older applications.

use chat_ports::{
    Claims, TokenError,
    model::{Timestamp, UserId},
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// How far clocks of issuer and verifier may be apart, in milliseconds.
const LEEWAY_MS: i64 = 10_000;

/// The claims that we sign. `userId` repeats `sub` under the name that older clients decode.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Issued<'a> {
    pub(crate) sub: UserId,
    pub(crate) user_id: UserId,
    pub(crate) username: &'a str,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
    pub(crate) jti: String,
}

/// The claims of a token whose signature is right. NumericDates may have fractions (RFC 7519, section 2).
#[derive(Deserialize)]
pub(crate) struct Presented {
    exp: f64,
    #[serde(default, deserialize_with = "number")]
    nbf: Option<f64>,
    #[serde(default, deserialize_with = "number")]
    iat: Option<f64>,
    #[serde(default)]
    jti: Value,
    #[serde(default, deserialize_with = "present")]
    sub: Option<Value>,
    #[serde(default, rename = "userId", deserialize_with = "present")]
    user_id: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    id: Option<Value>,
    #[serde(default, rename = "_id", deserialize_with = "present")]
    mongo_id: Option<Value>,
}

impl Presented {
    /// Checks the claims against the time and reads them.
    pub(crate) fn check(self, now: Timestamp) -> Result<Claims, TokenError> {
        let expires_at = timestamp(self.exp);
        if now.millis() >= expires_at.millis().saturating_add(LEEWAY_MS) {
            return Err(TokenError::Expired);
        }
        let earliest = self.nbf.map_or(i64::MIN, |nbf| timestamp(nbf).millis());
        if earliest > now.millis().saturating_add(LEEWAY_MS) {
            return Err(TokenError::Invalid);
        }
        let mut claims = Claims::new(self.user()?, expires_at);
        claims.issued_at = self.iat.map(timestamp);
        claims.token_id = match self.jti {
            Value::String(name) => Some(name),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        };
        Ok(claims)
    }

    /// The user whom the first claim that is *present* names. One that is present and wrong is not
    /// passed over: two readers of the same token must never see two users.
    fn user(&self) -> Result<UserId, TokenError> {
        let claim = [&self.sub, &self.user_id, &self.id, &self.mongo_id].into_iter().flatten().next();
        claim.and_then(Value::as_str).and_then(|text| text.parse().ok()).ok_or(TokenError::Invalid)
    }
}

/// Seconds with a fraction as a timestamp; what is beyond its range is its end.
fn timestamp(seconds: f64) -> Timestamp {
    Timestamp::from_millis((seconds * 1000.0) as i64)
}

/// A claim that may be absent, but not of another type, `null` included.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    f64::deserialize(deserializer).map(Some)
}

/// Tells a claim that is `null` from one that is absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
