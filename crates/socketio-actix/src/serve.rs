//! A server of our own: actix's HTTP, and WebSockets that are taken over from it.
//!
//! A connection is given to HTTP once a request's head has come in. HTTP requests go to an actix-web app as ever. A
//! WebSocket's handshake goes to an upgrade service instead, which answers it, moves the TCP connection into a task of its
//! own and returns; the HTTP dispatcher and its buffers are then gone.

mod opening;
mod requests;
mod stream;

use std::{
    convert::Infallible,
    future::{Ready, ready},
    io,
    net::{SocketAddr, TcpListener},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use actix_codec::{Encoder, Framed};
use actix_http::error::DispatchError;
use actix_http::{
    HttpService, KeepAlive, Protocol, Request, ServiceConfig,
    body::{BodySize, MessageBody},
    h1::{Codec, Message},
};
use actix_server::{Server, ServerBuilder};
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, apply_fn_factory, boxed, fn_factory,
    fn_service, map_config,
};
use actix_web::{App, HttpRequest, HttpResponse, dev::AppConfig, rt::net::TcpStream, web};
use bytes::BytesMut;
use tokio_rustls::rustls::ServerConfig;

pub(crate) use self::stream::Stream;
use self::{
    requests::Begun,
    stream::{Acceptor, Patience, say},
};
use crate::{Application, SocketIo, connection::OwnedWebSocket, engine, server::Shared};

/// How the server listens.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Threads that serve connections. Default: one a core.
    pub workers: usize,
    /// TLS, with HTTP/1.1 as its only protocol (ALPN). Default none: connections are plain.
    pub tls: Option<Arc<ServerConfig>>,
    /// How long a request's head may take, and before it the TLS handshake. Default 10 s.
    pub header_timeout: Duration,
    /// How long an idle HTTP connection is kept. Default 75 s.
    pub keep_alive: Duration,
    /// Connections of one worker; more wait in the backlog. Default 1,000,000.
    pub max_connections: usize,
    /// How long requests may take to finish when the server is stopped. Default 5 s.
    pub shutdown_timeout: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            tls: None,
            header_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            max_connections: 1_000_000,
            shutdown_timeout: Duration::from_secs(5),
        }
    }
}

/// Serves Socket.IO, and what `more` adds to the app, on bound listeners. Signals are left to the caller.
///
/// # Errors
/// A listener can't be used.
pub fn serve<A: Application>(
    socket_io: &SocketIo<A>,
    listeners: Vec<TcpListener>,
    options: &ServeOptions,
    more: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
) -> io::Result<Server> {
    let builder = ServerBuilder::new()
        .workers(options.workers)
        .max_concurrent_connections(options.max_connections)
        .shutdown_timeout(options.shutdown_timeout.as_secs())
        .disable_signals();
    let server = listeners.into_iter().enumerate().try_fold(builder, |builder, (number, listener)| {
        let (socket_io, options, more) = (socket_io.clone(), options.clone(), more.clone());
        let address = listener.local_addr()?;
        builder.listen(format!("socketio-{number}"), listener, move || {
            http_service(socket_io.clone(), &options, address, more.clone())
        })
    })?;
    Ok(server.run())
}

/// Whether a request came by a server of our own, where HTTP hands every real handshake of a WebSocket over.
pub(crate) fn is_own(request: &HttpRequest) -> bool {
    request.conn_data::<Rc<Begun>>().is_some()
}

fn http_service<A: Application, F: Fn(&mut web::ServiceConfig) + 'static>(
    socket_io: SocketIo<A>,
    options: &ServeOptions,
    address: SocketAddr,
    more: F,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<A, F>
{
    let upgrades = Arc::clone(socket_io.shared());
    let patience = Patience { head: options.header_timeout, body: upgrades.options.body_timeout };
    let incoming = Arc::clone(&upgrades.options.incoming);
    let acceptor = Acceptor::new(options.tls.clone(), options.max_connections, patience, incoming);
    let app = App::new().configure(|config| socket_io.configure(config)).configure(more);
    let http = HttpService::build()
        .keep_alive(KeepAlive::Timeout(options.keep_alive))
        .client_request_timeout(options.header_timeout)
        // A long-polling client that goes away is noticed at once.
        .h1_allow_half_closed(false)
        .local_addr(address)
        .on_connect_ext(|stream: &Stream, data| {
            if let Some(begun) = stream.begun() {
                data.insert(begun);
            }
        })
        .upgrade(fn_factory(move || {
            ready(Ok::<_, actix_http::Error>(Upgrades { app: Arc::clone(&upgrades) }))
        }))
        .finish(apply_fn_factory(
            map_config(app.into_factory().map_err(|error: actix_web::Error| error.error_response()), |()| {
                AppConfig::default()
            }),
            |request: Request, app| {
                if let Some(begun) = request.conn_data::<Rc<Begun>>() {
                    begun.begin();
                }
                app.call(request)
            },
        ));
    let header_timeout = options.header_timeout;
    let config = ServiceConfig::default();
    let accepting = fn_service(move |tcp: TcpStream| {
        let (acceptor, config) = (acceptor.clone(), config.clone());
        async move {
            let peer = tcp.peer_addr().ok();
            let accepted = async {
                let stream = acceptor.accept(tcp).await?;
                opening::read_head(stream, header_timeout, &config).await
            };
            let stream = accepted.await.inspect_err(|error| {
                tracing::debug!(%error, "a connection was not accepted");
            })?;
            Ok::<_, DispatchError>((stream, Protocol::Http1, peer))
        }
    });
    // Boxed: what HTTP needs for a connection is not there before it has it.
    accepting.and_then(boxed::factory(http))
}

/// Takes WebSockets over.
struct Upgrades<A: Application> {
    app: Arc<Shared<A>>,
}

impl<A: Application> Service<(Request, Framed<Stream, Codec>)> for Upgrades<A> {
    type Response = ();
    type Error = Infallible;
    type Future = Ready<Result<(), Infallible>>;

    actix_service::always_ready!();

    fn call(&self, (request, framed): (Request, Framed<Stream, Codec>)) -> Self::Future {
        match engine::upgrade(request.head(), &self.app) {
            Ok(opened) => take_over(opened, framed),
            Err(refusal) => {
                actix_web::rt::spawn(refuse(*refusal, framed));
            }
        }
        ready(Ok(()))
    }
}

fn take_over<A: Application>(opened: engine::Opened<A>, framed: Framed<Stream, Codec>) {
    let engine::Opened { mut head, connection, link } = opened;
    let mut parts = framed.into_parts();
    let response = head.finish().drop_body();
    if parts.codec.encode(Message::Item((response, BodySize::None)), &mut parts.write_buf).is_ok() {
        let head = BytesMut::from(&*parts.write_buf).freeze();
        let (io, rest) = parts.io.unbounded();
        parts.read_buf.extend_from_slice(&rest);
        let socket = OwnedWebSocket::new(connection, link, io, head, parts.read_buf);
        actix_web::rt::spawn(socket.run());
    }
}

/// Writes a refusal and closes.
async fn refuse(refusal: HttpResponse, framed: Framed<Stream, Codec>) {
    let mut parts = framed.into_parts();
    let mut response = actix_http::Response::from(refusal);
    response.head_mut().set_connection_type(actix_http::ConnectionType::Close);
    let (head, body) = response.into_parts();
    let body = body.try_into_bytes().unwrap_or_default();
    let size = BodySize::Sized(body.len() as u64);
    let encoded = parts
        .codec
        .encode(Message::Item((head, size)), &mut parts.write_buf)
        .and_then(|()| parts.codec.encode(Message::Chunk(Some(body)), &mut parts.write_buf));
    if encoded.is_ok() {
        say(&mut parts.io, &parts.write_buf).await;
    }
}
