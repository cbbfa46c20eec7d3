//! Engine.IO over HTTP: handshake, long-polling, and the WebSocket's upgrade, at `/socket.io/`.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header},
    web::{Data, Payload},
};
use bytes::Bytes;
use chat_domain::ChatError;
use chat_socketio::{Input, Refusal, Reply, Request};

use crate::{
    app::App,
    body::read_body,
    connection::{Answer, Connection, HandshakeToken, WebSocketBody},
    cors, reply,
};

/// Serves every method at `/socket.io/`.
pub(crate) async fn serve(request: HttpRequest, payload: Payload, app: Data<App>) -> HttpResponse {
    let app = app.into_inner();
    if !cors::allowed(&request, &app.settings.origins) {
        return refusal(&request, Refusal::Forbidden);
    }
    match Request::parse(request.method().as_str(), request.query_string()) {
        Err(error) => refusal(&request, error),
        Ok(Request::Options) => cors::preflight(&request),
        Ok(Request::Open | Request::WebSocket { sid: None }) if app.is_draining() => {
            reply::error(&ChatError::unavailable("draining"))
        }
        Ok(Request::Open) => {
            let connection = Connection::open_polling(&app, handshake_token(&request, &app));
            get(&request, &connection).await
        }
        Ok(Request::Get { sid }) => match app.sessions.get(&sid) {
            Some(connection) => get(&request, &connection).await,
            None => refusal(&request, Refusal::UnknownSid),
        },
        Ok(Request::Post { sid }) => match app.sessions.get(&sid) {
            Some(connection) => post(&request, payload, &app, &connection).await,
            None => refusal(&request, Refusal::UnknownSid),
        },
        Ok(Request::WebSocket { sid }) => websocket(&request, payload, &app, sid.as_deref()),
        Ok(_) => refusal(&request, Refusal::BadRequest),
    }
}

async fn get(request: &HttpRequest, connection: &Arc<Connection>) -> HttpResponse {
    finish(request, connection.request(|request| Input::Get { request })).await
}

async fn finish(request: &HttpRequest, answer: Answer) -> HttpResponse {
    match answer.await {
        Some(reply) => http_reply(request, reply),
        // The session ended while the request waited.
        None => refusal(request, Refusal::UnknownSid),
    }
}

async fn post(
    request: &HttpRequest,
    payload: Payload,
    app: &App,
    connection: &Arc<Connection>,
) -> HttpResponse {
    let answer = connection.request(|request| Input::PostBegun { request });
    let limit = app.settings.engine.max_payload;
    match read_body(request, payload, limit, app.settings.body_timeout).await {
        Ok(body) => {
            wait_for_room(app, connection).await;
            answer.feed(|request| Input::Post { request, body });
        }
        Err(ChatError::PayloadTooLarge { .. }) => answer.feed(|request| Input::PostTooLarge { request }),
        // The answer is dropped, which tells the session that the request was cut.
        Err(error) => return cors::mark(request, reply::error(&error)),
    }
    finish(request, answer).await
}

/// A body's events are taken in when those before it are done, or were given up at their deadline.
async fn wait_for_room(app: &App, connection: &Connection) {
    const LOOK_AGAIN: Duration = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    while !connection.has_room() && waited < app.settings.send_timeout {
        tokio::time::sleep(LOOK_AGAIN).await;
        waited += LOOK_AGAIN;
    }
}

fn websocket(request: &HttpRequest, payload: Payload, app: &Arc<App>, sid: Option<&str>) -> HttpResponse {
    let mut response = match actix_http::ws::handshake(request.head()) {
        Ok(response) => response,
        Err(_) => return refusal(request, Refusal::BadRequest),
    };
    let (connection, link) = match sid {
        None => Connection::open_websocket(app, handshake_token(request, app)),
        Some(sid) => match app.sessions.get(sid) {
            Some(connection) => {
                let link = connection.upgrade();
                (connection, link)
            }
            None => return refusal(request, Refusal::UnknownSid),
        },
    };
    let body = WebSocketBody::new(connection, link, payload);
    HttpResponse::from(
        response.message_body(body).map_or_else(|error| error.into(), |r| r.map_into_boxed_body()),
    )
}

/// A token beside the CONNECT packet: in the `Authorization` header or, where that is on, in the query.
fn handshake_token(request: &HttpRequest, app: &App) -> HandshakeToken {
    if let Some(token) = crate::bearer::token(request) {
        return Some(token.into());
    }
    if !app.settings.query_token {
        return None;
    }
    form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(name, _)| name == "token")
        .map(|(_, token)| token.as_ref().into())
}

fn http_reply(request: &HttpRequest, reply: Reply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    respond(request, status, reply.content_type, reply.body)
}

/// Engine.IO's own refusal: `{code: 0…5, message}`.
fn refusal(request: &HttpRequest, refusal: Refusal) -> HttpResponse {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    respond(request, status, "application/json", Bytes::from_static(refusal.body().as_bytes()))
}

fn respond(
    request: &HttpRequest,
    status: StatusCode,
    content_type: &'static str,
    body: Bytes,
) -> HttpResponse {
    let response = HttpResponseBuilder::new(status)
        .insert_header((header::CONTENT_TYPE, content_type))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body);
    cors::mark(request, response)
}
