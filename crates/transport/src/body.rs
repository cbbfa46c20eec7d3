//! Reads request bodies, bounded in size and time.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    http::header::{CONTENT_LENGTH, CONTENT_TYPE},
    web::Payload,
};
use bytes::{Bytes, BytesMut};
use chat_domain::ChatError;
use futures_util::StreamExt;

/// Reads a whole body.
///
/// # Errors
/// `payload_too_large` past the limit, by `Content-Length` already where there is one; `invalid_input` for a
/// body that breaks off or does not come in time.
pub(crate) async fn read_body(
    request: &HttpRequest,
    payload: Payload,
    limit: usize,
    timeout: Duration,
) -> Result<Bytes, ChatError> {
    let declared =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: u64| length > limit as u64) {
        return Err(ChatError::PayloadTooLarge { max_bytes: limit });
    }
    tokio::time::timeout(timeout, collect(payload, limit))
        .await
        .unwrap_or_else(|_elapsed| Err(ChatError::invalid("body", "did not come in time")))
}

async fn collect(mut payload: Payload, limit: usize) -> Result<Bytes, ChatError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| ChatError::invalid("body", format!("broke off: {error}")))?;
        if body.len() + chunk.len() > limit {
            return Err(ChatError::PayloadTooLarge { max_bytes: limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Reads a JSON body.
///
/// # Errors
/// As [`read_body`], and `unsupported_media_type` for another type than JSON.
pub(crate) async fn read_json(
    request: &HttpRequest,
    payload: Payload,
    limit: usize,
    timeout: Duration,
) -> Result<Bytes, ChatError> {
    let essence = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|value| value.split(';').next().unwrap_or_default().trim());
    if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return Err(ChatError::UnsupportedMediaType);
    }
    read_body(request, payload, limit, timeout).await
}
