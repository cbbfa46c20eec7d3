//! Errors on the wire: one shape for REST, acknowledgements, `error` events and CONNECT_ERROR.

use std::io::Write;

use chat_domain::ChatError;

use super::json::write_string;

/// Writes `{code, message, details?, retryAfterMs?}`.
pub(crate) fn write_error(out: &mut Vec<u8>, error: &ChatError) {
    out.extend_from_slice(b"{\"code\":");
    write_string(out, error.code().as_str());
    out.extend_from_slice(b",\"message\":");
    write_string(out, error.message());
    if let Some(details) = error.details() {
        out.extend_from_slice(b",\"details\":");
        write_string(out, &details);
    }
    if let Some(wait) = error.retry_after() {
        // Writing to memory does not fail.
        let _infallible = write!(out, ",\"retryAfterMs\":{}", wait.as_millis());
    }
    out.push(b'}');
}

/// The error as a body of its own.
pub(crate) fn error_body(error: &ChatError) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    write_error(&mut out, error);
    out
}
