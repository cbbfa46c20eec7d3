//! Reads JSON bodies, bounded in size and time.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, http::header::CONTENT_TYPE, web::Payload};
use bytes::Bytes;
use chat_domain::ChatError;
use chat_socketio_actix::{Budget, read_body};

use crate::reply;

/// Reads a JSON body.
///
/// # Errors
/// `payload_too_large` past the limit, by `Content-Length` already where there is one; `invalid_input` for a
/// body that breaks off or does not come in time; `unavailable` where too much comes in at once;
/// `unsupported_media_type` for another type than JSON.
pub(crate) async fn read_json(
    request: &HttpRequest,
    payload: Payload,
    limit: usize,
    timeout: Duration,
    budget: &Arc<Budget>,
) -> Result<Bytes, ChatError> {
    let essence = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|value| value.split(';').next().unwrap_or_default().trim());
    if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return Err(ChatError::UnsupportedMediaType);
    }
    let mut share = budget.share();
    read_body(request, payload, limit, timeout, &mut share).await.map_err(reply::by_blame)
}
