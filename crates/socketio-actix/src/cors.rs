//! Which origins may ask, and the headers that tell browsers so.
//!
//! One rule for REST and both Socket.IO transports: CORS itself does not cover WebSockets.

use actix_web::{
    HttpResponse,
    dev::RequestHead,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
};

use crate::Origins;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS");
const HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type");
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const TRUE: HeaderValue = HeaderValue::from_static("true");

/// Whether the request's origin may ask.
#[must_use]
pub fn allowed(head: &RequestHead, origins: &Origins) -> bool {
    // HTTP/2 has the host in the request's target.
    let host = text(head, &header::HOST).or_else(|| head.uri.authority().map(|authority| authority.as_str()));
    origins.allow(text(head, &header::ORIGIN), host)
}

fn text<'a>(head: &'a RequestHead, name: &HeaderName) -> Option<&'a str> {
    // A header that is no text matches nothing, so it is not taken for a missing one.
    head.headers().get(name).map(|value| value.to_str().unwrap_or("?"))
}

/// The response, with the headers with which a browser lets its page see it.
pub fn mark(head: &RequestHead, mut response: HttpResponse) -> HttpResponse {
    mark_headers(head.headers().get(header::ORIGIN).cloned(), response.headers_mut());
    response
}

/// Adds these headers.
pub fn mark_headers(origin: Option<HeaderValue>, headers: &mut HeaderMap) {
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
    }
}

/// The answer to a preflight of an origin that may ask.
pub fn preflight(head: &RequestHead) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    let asked = head.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.unwrap_or(HEADERS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    mark(head, response)
}
