//! How the echo server is run: PORT (3000), PING_INTERVAL_MS (300), PING_TIMEOUT_MS (200), CONNECT_TIMEOUT_MS (1000) and
//! MAX_PAYLOAD_BYTES (1000000) are heeded. `ENGINE_ONLY=1`: at `/engine.io/` instead of `/socket.io/`.
//! `DRIVER=mounted`: inside an ordinary actix-web app.

use std::{env, io, net::TcpListener, str::FromStr, sync::Arc, time::Duration};

use actix_web::{App, HttpServer, rt};
use chat_socketio_actix::protocol::{Config, Protocol};
use chat_socketio_actix::{Application, Options, Origins, ServeOptions, SocketIo, serve};

/// Serves until the process is killed.
pub(crate) async fn run<A: Application>(application: Arc<A>) -> io::Result<()> {
    let socket_io = SocketIo::new(application, options());
    let background = socket_io.clone();
    rt::spawn(async move { background.background().await });
    let listener = TcpListener::bind(("127.0.0.1", setting("PORT", 3_000)))?;
    eprintln!("listens on http://{}", listener.local_addr()?);
    // The suites send requests side by side and count on their order.
    let options = ServeOptions { workers: 1, ..ServeOptions::default() };
    if env::var("DRIVER").is_ok_and(|driver| driver == "mounted") {
        let app = move || App::new().configure(|config| socket_io.configure(config));
        let server = HttpServer::new(app).workers(1).h1_allow_half_closed(false).tcp_nodelay(true);
        return server.listen(listener)?.run().await;
    }
    serve(&socket_io, vec![listener], &options, |_| {})?.await
}

fn options() -> Options {
    let bare = setting("ENGINE_ONLY", 0) == 1;
    let connect_timeout = millis("CONNECT_TIMEOUT_MS", 1_000);
    let engine = Config {
        protocol: if bare { Protocol::EngineIo } else { Protocol::SocketIo },
        ping_interval: millis("PING_INTERVAL_MS", 300),
        ping_timeout: millis("PING_TIMEOUT_MS", 200),
        connect_timeout,
        upgrade_timeout: connect_timeout,
        attachments_timeout: connect_timeout,
        max_payload: setting("MAX_PAYLOAD_BYTES", 1_000_000),
        ..Config::default()
    };
    let path = if bare { "/engine.io" } else { "/socket.io" }.to_owned();
    Options { path, engine, origins: Origins::Any, ..Options::default() }
}

fn setting<T: FromStr>(name: &str, default: T) -> T {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn millis(name: &str, default: u64) -> Duration {
    Duration::from_millis(setting(name, default))
}
