//! Engine.IO over HTTP: handshake, long-polling, and the WebSocket's upgrade.

use std::{pin::pin, sync::Arc, time::Duration};

use actix_http::{
    ResponseBuilder,
    ws::{HandshakeError, handshake},
};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    dev::RequestHead,
    http::{
        StatusCode, Version,
        header::{self, HeaderValue},
    },
    web::{Data, Payload},
};
use bytes::Bytes;
use chat_socketio::{Input, LinkId, Refusal, Reply, Request};
use futures_util::future::{Either, select};

use crate::{
    Application, HttpError, Share,
    body::read_body,
    connection::{Connection, MountedWebSocket},
    cors,
    server::Shared,
};

const GZIP: HeaderValue = HeaderValue::from_static("gzip");
const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("Accept-Encoding");

/// Serves every method at the server's path.
pub(crate) async fn serve<A: Application>(
    request: HttpRequest,
    payload: Payload,
    app: Data<Shared<A>>,
) -> HttpResponse {
    let app = app.into_inner();
    if !cors::allowed(request.head(), &app.options.origins) {
        return refusal(request.head(), Refusal::Forbidden);
    }
    match Request::parse(request.method().as_str(), request.query_string()) {
        Err(error) => refusal(request.head(), error),
        Ok(Request::Options) => cors::preflight(request.head()),
        // As on a server of our own: its body would be no body, and its answer no WebSocket.
        Ok(Request::Open | Request::Get { .. } | Request::Post { .. }) if is_upgrade(request.head()) => {
            refusal(request.head(), Refusal::BadRequest)
        }
        Ok(Request::Open | Request::WebSocket { sid: None }) if app.is_draining() => {
            error(request.head(), &app, HttpError::Draining)
        }
        Ok(Request::Open) => match Connection::open_polling(&app, request.head()) {
            Ok(connection) => get(&request, &app, &connection).await,
            Err(refused) => cors::mark(request.head(), *refused),
        },
        Ok(Request::Get { sid }) => match app.sessions.get(&sid) {
            Some(connection) => get(&request, &app, &connection).await,
            None => refusal(request.head(), Refusal::UnknownSid),
        },
        Ok(Request::Post { sid }) => match app.sessions.get(&sid) {
            Some(connection) => post(&request, payload, &app, &connection).await,
            None => refusal(request.head(), Refusal::UnknownSid),
        },
        // A handshake that HTTP takes for none: on a server of our own such connections never get here.
        Ok(Request::WebSocket { sid }) if crate::serve::is_own(&request) || !is_upgrade(request.head()) => {
            let is_known = sid.is_none_or(|sid| app.sessions.get(&sid).is_some());
            refusal(request.head(), if is_known { Refusal::BadRequest } else { Refusal::UnknownSid })
        }
        Ok(Request::WebSocket { sid }) => websocket(&request, payload, &app, sid.as_deref()),
        Ok(_) => refusal(request.head(), Refusal::BadRequest),
    }
}

/// Whether HTTP takes the rest of the connection for a WebSocket.
fn is_upgrade(head: &RequestHead) -> bool {
    let protocol = head.headers().get(header::UPGRADE).and_then(|value| value.to_str().ok());
    protocol.is_some_and(|protocol| protocol.trim().eq_ignore_ascii_case("websocket"))
        && !head.headers().contains_key(header::TRANSFER_ENCODING)
}

async fn get<A: Application>(
    request: &HttpRequest,
    app: &Shared<A>,
    connection: &Arc<Connection<A>>,
) -> HttpResponse {
    let Some(mut reply) = connection.request(|request| Input::Get { request }).await else {
        return finish(request, None);
    };
    let compressed = app.compressor.compress(request, &reply.body).await;
    let is_compressed = compressed.is_some();
    reply.body = compressed.unwrap_or(reply.body);
    let mut response = http_reply(request.head(), reply);
    if is_compressed {
        response.headers_mut().insert(header::CONTENT_ENCODING, GZIP);
    }
    if app.compressor.is_on() {
        response.headers_mut().append(header::VARY, ACCEPT_ENCODING);
    }
    response
}

/// Nothing to answer with: the session ended while the request waited.
fn finish(request: &HttpRequest, reply: Option<Reply>) -> HttpResponse {
    match reply {
        Some(reply) => http_reply(request.head(), reply),
        None => refusal(request.head(), Refusal::UnknownSid),
    }
}

async fn post<A: Application>(
    request: &HttpRequest,
    payload: Payload,
    app: &Shared<A>,
    connection: &Arc<Connection<A>>,
) -> HttpResponse {
    let arrived = app.application.now();
    let mut answer = connection.request(|request| Input::PostBegun { request });
    let limit = app.options.engine.max_payload;
    // Held until the last packet is taken in: so long the body stays in memory.
    let mut share = app.options.incoming.share();
    let read = {
        let reading = pin!(read_body(request, payload, limit, app.options.body_timeout, &mut share));
        match select(reading, &mut answer).await {
            Either::Left((read, _)) => read,
            // The session ended meanwhile: nobody waits for the rest of the body.
            Either::Right((reply, _)) => return finish(request, reply),
        }
    };
    match read {
        Ok(body) => {
            if !wait_for_room(app, connection, &share).await {
                connection.close_as_slow();
            }
            answer.feed(arrived, |request| Input::Post { request, body });
        }
        Err(why) => {
            if matches!(why, HttpError::TooLarge { .. }) {
                answer.feed(arrived, |request| Input::PostTooLarge { request });
            }
            // The answer is dropped, which tells the session that another request was cut.
            return error(request.head(), app, why);
        }
    }
    finish(request, answer.await)
}

/// A body's events are taken in when those before it are done, or were given up at their deadline. False when
/// they are not even then (the client does not take its answers), or when the body has no share of the memory left.
async fn wait_for_room<A: Application>(app: &Shared<A>, connection: &Connection<A>, share: &Share) -> bool {
    const LOOK_AGAIN: Duration = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    while !connection.has_room() {
        if waited > app.options.queue_timeout + LOOK_AGAIN || share.is_revoked() {
            return false;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        waited += LOOK_AGAIN;
    }
    true
}

fn websocket<A: Application>(
    request: &HttpRequest,
    payload: Payload,
    app: &Arc<Shared<A>>,
    sid: Option<&str>,
) -> HttpResponse {
    match open_websocket(request.head(), app, sid) {
        Ok(Opened { mut head, connection, link }) => {
            let body = MountedWebSocket::new(connection, link, payload);
            HttpResponse::from(head.body(body).map_into_boxed_body())
        }
        Err(response) => *response,
    }
}

/// A WebSocket that may begin: the head of its response, and the session that it carries or upgrades.
pub(crate) struct Opened<A: Application> {
    pub(crate) head: ResponseBuilder,
    pub(crate) connection: Arc<Connection<A>>,
    pub(crate) link: LinkId,
}

/// Serves a WebSocket's handshake that came past the router.
///
/// # Errors
/// The response that refuses it.
pub(crate) fn upgrade<A: Application>(
    head: &RequestHead,
    app: &Arc<Shared<A>>,
) -> Result<Opened<A>, Box<HttpResponse>> {
    let path = head.uri.path();
    if path.strip_suffix('/').unwrap_or(path) != app.options.path {
        return Err(Box::new(app.application.refuse(HttpError::NotFound)));
    }
    if !cors::allowed(head, &app.options.origins) {
        return Err(refuse(head, Refusal::Forbidden));
    }
    let query = head.uri.query().unwrap_or_default();
    match Request::parse(head.method.as_str(), query).map_err(|error| refuse(head, error))? {
        Request::WebSocket { sid: None } if app.is_draining() => {
            Err(Box::new(error(head, app, HttpError::Draining)))
        }
        Request::WebSocket { sid } => open_websocket(head, app, sid.as_deref()),
        Request::Open | Request::Get { .. } | Request::Post { .. } | Request::Options | _ => {
            Err(refuse(head, Refusal::BadRequest))
        }
    }
}

fn open_websocket<A: Application>(
    head: &RequestHead,
    app: &Arc<Shared<A>>,
    sid: Option<&str>,
) -> Result<Opened<A>, Box<HttpResponse>> {
    let known = sid.map(|sid| app.sessions.get(sid).ok_or(Refusal::UnknownSid)).transpose();
    let known = known.map_err(|error| refuse(head, error))?;
    // RFC 6455, section 4.2.1; a 101 is nothing that HTTP/1.0 knows.
    if head.version < Version::HTTP_11 {
        return Err(refuse(head, Refusal::BadRequest));
    }
    let response = handshake(head).map_err(|error| refuse_websocket(head, &error))?;
    let (connection, link) = match known {
        None => {
            Connection::open_websocket(app, head).map_err(|refused| Box::new(cors::mark(head, *refused)))?
        }
        Some(connection) => {
            let link = connection.upgrade();
            (connection, link)
        }
    };
    Ok(Opened { head: response, connection, link })
}

/// No WebSocket; of another version than ours: RFC 6455, section 4.2.2, has the answer name ours.
fn refuse_websocket(head: &RequestHead, error: &HandshakeError) -> Box<HttpResponse> {
    let mut response = refuse(head, Refusal::BadRequest);
    if matches!(error, HandshakeError::UnsupportedVersion) {
        response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    }
    response
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

/// The application's own words for what Engine.IO has no code for.
fn error<A: Application>(head: &RequestHead, app: &Shared<A>, error: HttpError) -> HttpResponse {
    cors::mark(head, app.application.refuse(error))
}
