//! Engine.IO over HTTP: handshake, long-polling, and the WebSocket's upgrade, at `/socket.io/`.

use std::{sync::Arc, time::Duration};

use actix_http::{ResponseBuilder, ws::handshake};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    dev::RequestHead,
    http::{StatusCode, header},
    web::{Data, Payload},
};
use bytes::Bytes;
use chat_domain::{ChatError, Missing};
use chat_socketio::{Input, LinkId, Refusal, Reply, Request};

use crate::{
    app::App,
    bearer,
    body::read_body,
    connection::{Answer, Connection, HandshakeToken, MountedWebSocket},
    cors, reply,
};

/// Where Socket.IO is served.
pub(crate) const PATHS: [&str; 2] = ["/socket.io/", "/socket.io"];

/// Serves every method at `/socket.io/`.
pub(crate) async fn serve(request: HttpRequest, payload: Payload, app: Data<App>) -> HttpResponse {
    let app = app.into_inner();
    if !cors::allowed(request.head(), &app.settings.origins) {
        return refusal(request.head(), Refusal::Forbidden);
    }
    match Request::parse(request.method().as_str(), request.query_string()) {
        Err(error) => refusal(request.head(), error),
        Ok(Request::Options) => cors::preflight(request.head()),
        Ok(Request::Open | Request::WebSocket { sid: None }) if app.is_draining() => draining(request.head()),
        Ok(Request::Open) => {
            let connection = Connection::open_polling(&app, handshake_token(request.head(), &app));
            get(&request, &connection).await
        }
        Ok(Request::Get { sid }) => match app.sessions.get(&sid) {
            Some(connection) => get(&request, &connection).await,
            None => refusal(request.head(), Refusal::UnknownSid),
        },
        Ok(Request::Post { sid }) => match app.sessions.get(&sid) {
            Some(connection) => post(&request, payload, &app, &connection).await,
            None => refusal(request.head(), Refusal::UnknownSid),
        },
        Ok(Request::WebSocket { sid }) => websocket(&request, payload, &app, sid.as_deref()),
        Ok(_) => refusal(request.head(), Refusal::BadRequest),
    }
}

async fn get(request: &HttpRequest, connection: &Arc<Connection>) -> HttpResponse {
    finish(request, connection.request(|request| Input::Get { request })).await
}

async fn finish(request: &HttpRequest, answer: Answer) -> HttpResponse {
    match answer.await {
        Some(reply) => http_reply(request.head(), reply),
        // The session ended while the request waited.
        None => refusal(request.head(), Refusal::UnknownSid),
    }
}

async fn post(
    request: &HttpRequest,
    payload: Payload,
    app: &App,
    connection: &Arc<Connection>,
) -> HttpResponse {
    let arrived = app.clock.instant();
    let answer = connection.request(|request| Input::PostBegun { request });
    let limit = app.settings.engine.max_payload;
    match read_body(request, payload, limit, app.settings.body_timeout).await {
        Ok(body) => {
            if !wait_for_room(app, connection).await {
                connection.close_as_slow();
            }
            answer.feed(arrived, |request| Input::Post { request, body });
        }
        Err(error @ ChatError::PayloadTooLarge { .. }) => {
            answer.feed(arrived, |request| Input::PostTooLarge { request });
            return cors::mark(request.head(), reply::error(&error));
        }
        // The answer is dropped, which tells the session that the request was cut.
        Err(error) => return cors::mark(request.head(), reply::error(&error)),
    }
    finish(request, answer).await
}

/// A body's events are taken in when those before it are done, or were given up at their deadline. False when
/// they are not even then: the client does not take its answers.
async fn wait_for_room(app: &App, connection: &Connection) -> bool {
    const LOOK_AGAIN: Duration = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    while !connection.has_room() {
        if waited > app.settings.send_timeout + LOOK_AGAIN {
            return false;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        waited += LOOK_AGAIN;
    }
    true
}

fn websocket(request: &HttpRequest, payload: Payload, app: &Arc<App>, sid: Option<&str>) -> HttpResponse {
    match open_websocket(request.head(), app, sid) {
        Ok(Opened { mut head, connection, link }) => {
            let body = MountedWebSocket::new(connection, link, payload);
            HttpResponse::from(head.body(body).map_into_boxed_body())
        }
        Err(response) => *response,
    }
}

/// A WebSocket that may begin: the head of its response, and the session that it carries or upgrades.
pub(crate) struct Opened {
    pub(crate) head: ResponseBuilder,
    pub(crate) connection: Arc<Connection>,
    pub(crate) link: LinkId,
}

/// Serves a WebSocket's handshake that came past the router.
///
/// # Errors
/// The response that refuses it.
pub(crate) fn upgrade(head: &RequestHead, app: &Arc<App>) -> Result<Opened, Box<HttpResponse>> {
    if !PATHS.contains(&head.uri.path()) {
        return Err(Box::new(reply::error(&ChatError::NotFound(Missing::Path))));
    }
    if !cors::allowed(head, &app.settings.origins) {
        return Err(refuse(head, Refusal::Forbidden));
    }
    let query = head.uri.query().unwrap_or_default();
    match Request::parse(head.method.as_str(), query).map_err(|error| refuse(head, error))? {
        Request::WebSocket { sid: None } if app.is_draining() => Err(Box::new(draining(head))),
        Request::WebSocket { sid } => open_websocket(head, app, sid.as_deref()),
        Request::Open | Request::Get { .. } | Request::Post { .. } | Request::Options | _ => {
            Err(refuse(head, Refusal::BadRequest))
        }
    }
}

fn open_websocket(
    head: &RequestHead,
    app: &Arc<App>,
    sid: Option<&str>,
) -> Result<Opened, Box<HttpResponse>> {
    let known = sid.map(|sid| app.sessions.get(sid).ok_or(Refusal::UnknownSid)).transpose();
    let known = known.map_err(|error| refuse(head, error))?;
    let response = handshake(head).map_err(|_no_websocket| refuse(head, Refusal::BadRequest))?;
    let (connection, link) = match known {
        None => Connection::open_websocket(app, handshake_token(head, app)),
        Some(connection) => {
            let link = connection.upgrade();
            (connection, link)
        }
    };
    Ok(Opened { head: response, connection, link })
}

/// A token beside the CONNECT packet: in the `Authorization` header or, where that is on, in the query.
fn handshake_token(head: &RequestHead, app: &App) -> HandshakeToken {
    if let Some(token) = bearer::token(head) {
        return Some(token.into());
    }
    if !app.settings.query_token {
        return None;
    }
    form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
        .find(|(name, _)| name == "token")
        .map(|(_, token)| token.as_ref().into())
}

fn http_reply(head: &RequestHead, reply: Reply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    respond(head, status, reply.content_type, reply.body)
}

fn refuse(head: &RequestHead, error: Refusal) -> Box<HttpResponse> {
    Box::new(refusal(head, error))
}

/// Engine.IO's own refusal: `{code: 0…5, message}`.
fn refusal(head: &RequestHead, refusal: Refusal) -> HttpResponse {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    respond(head, status, "application/json", Bytes::from_static(refusal.body().as_bytes()))
}

fn respond(head: &RequestHead, status: StatusCode, content_type: &'static str, body: Bytes) -> HttpResponse {
    let response = HttpResponseBuilder::new(status)
        .insert_header((header::CONTENT_TYPE, content_type))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body);
    cors::mark(head, response)
}

fn draining(head: &RequestHead) -> HttpResponse {
    cors::mark(head, reply::error(&ChatError::unavailable("draining")))
}
