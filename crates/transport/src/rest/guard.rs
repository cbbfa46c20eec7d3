//! What stands before every REST handler: the origin's rule, and the request's id.

use actix_http::ConnectionType;
use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use chat_domain::ChatError;
use chat_socketio_actix::{cors, random_id};
use tracing::Instrument;

use crate::{app::App, reply};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FOREIGN_ORIGIN: &str = "This origin may not use this server.";

/// Refuses foreign origins, answers preflights, and gives every request an id: the log has it in its span, the
/// client in `X-Request-Id`.
pub(super) async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let app = request.app_data::<Data<App>>().cloned().map(Data::into_inner);
    let draining = app.as_ref().is_some_and(|app| app.is_draining());
    let allowed = app.is_some_and(|app| cors::allowed(request.head(), &app.settings.origins));
    let origin = request.headers().get(header::ORIGIN).cloned();
    let id = random_id();
    let mut response = if !allowed {
        request.into_response(reply::error(&ChatError::Forbidden(FOREIGN_ORIGIN)))
    } else if request.method() == Method::OPTIONS {
        let answer = cors::preflight(request.head());
        request.into_response(answer)
    } else {
        let span = tracing::info_span!("request", %id, method = %request.method(), path = request.path());
        next.call(request).instrument(span).await?.map_into_boxed_body()
    };
    cors::mark_headers(origin, response.headers_mut());
    if draining {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    Ok(response)
}
