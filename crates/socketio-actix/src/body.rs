//! Reads request bodies, bounded in size and time.

use std::time::Duration;

use actix_web::{HttpRequest, http::header::CONTENT_LENGTH, web::Payload};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use crate::HttpError;

/// Reads a whole body.
///
/// # Errors
/// [`HttpError::TooLarge`] past the limit, by `Content-Length` already where there is one; [`HttpError::BrokenBody`]
/// and [`HttpError::LateBody`] for one that breaks off or does not come in time.
pub async fn read_body(
    request: &HttpRequest,
    payload: Payload,
    limit: usize,
    timeout: Duration,
) -> Result<Bytes, HttpError> {
    let declared =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: u64| length > limit as u64) {
        return Err(HttpError::TooLarge { max_bytes: limit });
    }
    tokio::time::timeout(timeout, collect(payload, limit))
        .await
        .unwrap_or_else(|_elapsed| Err(HttpError::LateBody))
}

async fn collect(mut payload: Payload, limit: usize) -> Result<Bytes, HttpError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(HttpError::BrokenBody)?;
        if body.len() + chunk.len() > limit {
            return Err(HttpError::TooLarge { max_bytes: limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
