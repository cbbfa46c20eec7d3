//! Reads request bodies, bounded in size and time.

use std::{future::poll_fn, pin::Pin, task::Poll, time::Duration};

use actix_web::{
    HttpRequest,
    http::header::{CONTENT_LENGTH, EXPECT},
    web::Payload,
};
use bytes::{Bytes, BytesMut};
use futures_util::Stream;

use crate::{HttpError, Share};

/// How much of a body that is too large is read and dropped, at most for how long, before it is refused: a connection that is
/// closed while its client still writes may lose the answer (RFC 9112, section 9.6).
const DROPPED_BYTES: usize = 4 * 1024 * 1024;
const DROPPING: Duration = Duration::from_millis(500);

/// Reads a whole body. The share holds what has come of it, and goes on holding it when it is whole.
///
/// # Errors
/// [`HttpError::TooLarge`] past the limit, by `Content-Length` already where there is one; [`HttpError::BrokenBody`]
/// and [`HttpError::LateBody`] for one that breaks off or does not come in time; [`HttpError::Overload`] where the share
/// was lost.
pub async fn read_body(
    request: &HttpRequest,
    mut payload: Payload,
    limit: usize,
    timeout: Duration,
    share: &mut Share,
) -> Result<Bytes, HttpError> {
    let declared =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let result = if declared.is_some_and(|length: u64| length > limit as u64) {
        Err(HttpError::TooLarge { max_bytes: limit })
    } else {
        tokio::time::timeout(timeout, collect(&mut payload, limit, share))
            .await
            .unwrap_or_else(|_elapsed| Err(HttpError::LateBody))
    };
    // Who waits for leave to send has not begun.
    if matches!(result, Err(HttpError::TooLarge { .. })) && !request.headers().contains_key(EXPECT) {
        // What is not dropped in time meets a closed connection.
        let _late = tokio::time::timeout(DROPPING, drop_rest(payload)).await;
    }
    result
}

async fn drop_rest(mut payload: Payload) {
    let mut dropped = 0;
    while dropped < DROPPED_BYTES
        && let Some(Ok(chunk)) = poll_fn(|cx| Pin::new(&mut payload).poll_next(cx)).await
    {
        dropped += chunk.len();
    }
}

async fn collect(payload: &mut Payload, limit: usize, share: &mut Share) -> Result<Bytes, HttpError> {
    let mut body = BytesMut::new();
    loop {
        let next = poll_fn(|cx| match share.poll_revoked(cx) {
            Poll::Ready(()) => Poll::Ready(Err(HttpError::Overload)),
            Poll::Pending => Pin::new(&mut *payload).poll_next(cx).map(Ok),
        });
        let Some(chunk) = next.await? else { break };
        let chunk = chunk.map_err(HttpError::BrokenBody)?;
        if body.len() + chunk.len() > limit {
            return Err(HttpError::TooLarge { max_bytes: limit });
        }
        body.extend_from_slice(&chunk);
        share.set(body.capacity());
    }
    Ok(body.freeze())
}
