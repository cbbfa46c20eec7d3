//! HTTP responses: JSON, and the one place that maps errors to statuses.

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header},
};
use chat_domain::{ChatError, ErrorCode, Missing};
use chat_socketio_actix::HttpError;

use crate::wire::error_body;

/// A JSON response.
pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> HttpResponse {
    HttpResponseBuilder::new(status)
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(body)
}

/// What an HTTP request failed by, in the chat's terms.
pub(crate) fn by_blame(error: HttpError) -> ChatError {
    match error {
        HttpError::NotFound => ChatError::NotFound(Missing::Path),
        HttpError::Draining => ChatError::unavailable("draining"),
        HttpError::Overload => ChatError::unavailable("too much is coming in at once"),
        HttpError::TooLarge { max_bytes } => ChatError::PayloadTooLarge { max_bytes },
        HttpError::LateBody => ChatError::invalid("body", "did not come in time"),
        HttpError::BrokenBody(_) => ChatError::invalid("body", "broke off"),
        // A newer server may refuse for what this transport has no words for.
        _ => ChatError::invalid("request", error.to_string()),
    }
}

/// An error's response. What is ours is logged here, once, under the request's span.
pub(crate) fn error(error: &ChatError) -> HttpResponse {
    let code = error.code();
    if code == ErrorCode::Internal {
        tracing::error!(error = error as &dyn std::error::Error, "a request failed");
    }
    let status = StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, error_body(error));
    if let Some(wait) = error.retry_after() {
        let seconds = wait.as_millis().div_ceil(1000).max(1);
        if let Ok(value) = header::HeaderValue::from_str(&seconds.to_string()) {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
    }
    if code == ErrorCode::Unauthorized {
        let scheme = header::HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}
