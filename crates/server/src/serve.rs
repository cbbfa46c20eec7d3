//! `serve`: everything joined and running.

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use actix_web::{dev::Server, rt};
use chat_domain::ports::{StoreHealth, Users};
use chat_transport::{Hub, ServeOptions, Transport};

use crate::{
    compose::{self, Built},
    control::ControlServer,
    failure::Failure,
    lifecycle::{self, Running},
    listen, logging, page,
    settings::Settings,
};

/// How long an idle connection is kept: longer than a proxy before us does, so that it never reuses one
/// that is just being closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long requests that are still being answered have when the sockets are closed. Idle connections are
/// kept as long, so it is short.
const LAST_REQUESTS: Duration = Duration::from_secs(2);

/// Runs the server until a signal ends it.
///
/// # Errors
/// It could not start, or its listener failed.
pub(crate) fn run(settings: Settings) -> Result<(), Failure> {
    logging::start(&settings.log);
    for notice in &settings.notices {
        tracing::warn!("{notice}");
    }
    listen::raise_open_files();
    // Before the store is touched: the commonest mistake is a server that runs already.
    let listener = listen::bind(&settings.listen)?;
    let built = compose::chat(&settings)?;
    rt::System::new().block_on(serve(settings, listener, built))
}

async fn serve(settings: Settings, listener: TcpListener, built: Built) -> Result<(), Failure> {
    let signals = lifecycle::Signals::catch().map_err(|error| Failure::run("signals", error))?;
    // What a crash left behind is nobody's presence.
    built.store.clear_presence().await.map_err(|error| Failure::run("the store does not work", error))?;
    let hub = Hub::new(&settings.transport, Arc::clone(&built.clock));
    built.bus.attach(hub.clone());
    let transport = Transport::new(
        Arc::clone(&built.chat),
        hub,
        Arc::clone(&built.store) as Arc<dyn StoreHealth>,
        Arc::clone(&built.clock),
        None,
        settings.transport.clone(),
    );
    let broken = |error| Failure::run("the listener", error);
    let twin = listener.try_clone().map_err(broken)?;
    let server = http(&settings, listener, &transport).map_err(broken)?;
    let running = Running {
        handle: server.handle(),
        listener: twin,
        background: rt::spawn({
            let transport = transport.clone();
            async move { transport.background().await }
        }),
        control: control(&settings, &built),
        transport,
        store: Arc::clone(&built.store),
    };
    announce(&settings, &running.listener);
    lifecycle::run(running, rt::spawn(server), signals, settings.drain).await
}

fn http(settings: &Settings, listener: TcpListener, transport: &Transport) -> io::Result<Server> {
    let listen = &settings.listen;
    let options = ServeOptions {
        workers: listen.workers,
        header_timeout: listen.header_timeout,
        keep_alive: KEEP_ALIVE,
        max_connections: listen.max_connections.div_ceil(listen.workers),
        shutdown_timeout: LAST_REQUESTS,
    };
    chat_transport::serve(transport, vec![listener], &options, page::configure)
}

/// The control socket; without one the server serves all the same.
fn control(settings: &Settings, built: &Built) -> Option<ControlServer> {
    ControlServer::start(&settings.data_dir, built.desk())
        .inspect_err(|error| {
            tracing::warn!(
                "no control socket in {} ({error}): `user add` and `backup` need the server stopped",
                settings.data_dir.display()
            );
        })
        .ok()
}

fn announce(settings: &Settings, listener: &TcpListener) {
    let url = listener.local_addr().map(listen::url).unwrap_or_default();
    let folder = settings.data_dir.canonicalize().unwrap_or_else(|_| settings.data_dir.clone());
    tracing::info!(
        store = "embedded",
        folder = %folder.display(),
        environment = %settings.environment,
        "chat-server {} listens on {url}",
        env!("CARGO_PKG_VERSION"),
    );
}
