//! Which origins may ask, and the headers that tell browsers so.
//!
//! One rule for REST and both Socket.IO transports: CORS itself does not cover WebSockets.

use actix_web::{
    Error, HttpResponse,
    body::MessageBody,
    dev::{RequestHead, ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use chat_domain::ChatError;

use crate::{Origins, app::App, reply};

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS");
const HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type");
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const TRUE: HeaderValue = HeaderValue::from_static("true");
const FOREIGN_ORIGIN: &str = "This origin may not use this server.";

/// Whether the request's origin may ask.
pub(crate) fn allowed(head: &RequestHead, origins: &Origins) -> bool {
    origins.allow(text(head, &header::ORIGIN), text(head, &header::HOST))
}

fn text<'a>(head: &'a RequestHead, name: &HeaderName) -> Option<&'a str> {
    // A header that is no text matches nothing, so it is not taken for a missing one.
    head.headers().get(name).map(|value| value.to_str().unwrap_or("?"))
}

/// Adds the headers with which a browser lets its page see the response.
pub(crate) fn mark(head: &RequestHead, mut response: HttpResponse) -> HttpResponse {
    mark_headers(head.headers().get(header::ORIGIN).cloned(), response.headers_mut());
    response
}

fn mark_headers(origin: Option<HeaderValue>, headers: &mut HeaderMap) {
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
    }
}

/// The answer to a preflight of an origin that may ask.
pub(crate) fn preflight(head: &RequestHead) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    let asked = head.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.unwrap_or(HEADERS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    mark(head, response)
}

/// Middleware for REST: refuses foreign origins, answers preflights, marks responses.
pub(crate) async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let app = request.app_data::<Data<App>>().cloned().map(Data::into_inner);
    let allowed = app.as_ref().is_some_and(|app| allowed(request.head(), &app.settings.origins));
    let _busy = app.as_ref().map(App::enter);
    if !allowed {
        let refusal = mark(request.head(), reply::error(&ChatError::Forbidden(FOREIGN_ORIGIN)));
        return Ok(request.into_response(refusal).map_into_boxed_body());
    }
    if request.method() == Method::OPTIONS {
        let response = preflight(request.head());
        return Ok(request.into_response(response).map_into_boxed_body());
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = next.call(request).await?.map_into_boxed_body();
    mark_headers(origin, response.headers_mut());
    Ok(response)
}
