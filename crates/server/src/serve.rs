//! `serve`: everything joined and running.

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use actix_web::{
    dev::Server,
    rt::{self, time::sleep},
};
use chat_domain::ports::RateLimiter;
use chat_limiter::{Limiter, Rates};
use chat_transport::{Hub, ServeOptions, Transport};
use tokio_rustls::rustls::ServerConfig;

use crate::{
    compose::{self, Built},
    control::ControlServer,
    failure::Failure,
    lifecycle::{self, Running},
    listen, logging, page,
    settings::Settings,
    storage::Storage,
    tls::{Certificate, LOOK},
};

/// How long an idle connection is kept: longer than a proxy before us does, so that it never reuses one
/// that is just being closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// The pause between two tries of what a start does to the store.
const FIRST_STEPS_PAUSE: Duration = Duration::from_millis(500);

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
    let certificate = settings.tls.as_ref().map(Certificate::load).transpose()?;
    // Before the store is touched: the commonest mistake is a server that runs already.
    let listener = listen::bind(&settings.listen)?;
    let built = compose::chat(&settings)?;
    rt::System::new().block_on(serve(settings, listener, certificate, built))
}

async fn serve(
    settings: Settings,
    listener: TcpListener,
    certificate: Option<Arc<Certificate>>,
    built: Built,
) -> Result<(), Failure> {
    let signals = lifecycle::Signals::catch().map_err(|error| Failure::run("signals", error))?;
    let hub = Hub::new(&settings.transport, Arc::clone(&built.clock));
    built.bus.attach(hub.clone());
    let limiter = settings.rates.as_ref().map(|rates| limiter(rates, &built));
    let transport = Transport::new(
        Arc::clone(&built.chat),
        hub,
        built.store.ports().health,
        Arc::clone(&built.clock),
        limiter,
        settings.transport.clone(),
    );
    let broken = |error| Failure::run("the listener", error);
    let control = control(&settings, &built);
    let twin = listener.try_clone().map_err(broken)?;
    let tls = certificate.as_ref().map(Certificate::config).transpose()?;
    let _renewing = certificate.map(|certificate| certificate.renew(LOOK)).transpose()?;
    let server = http(&settings, listener, tls, &transport).map_err(broken)?;
    let running = Running {
        handle: server.handle(),
        listener: twin,
        background: rt::spawn({
            let transport = transport.clone();
            async move { transport.background().await }
        }),
        control,
        transport,
        starting: rt::spawn(first_steps(built.store.clone())),
        store: built.store,
    };
    announce(&settings, &running.listener);
    lifecycle::run(running, rt::spawn(server), signals, settings.drain).await
}

fn limiter(rates: &Rates, built: &Built) -> Arc<dyn RateLimiter> {
    Arc::new(Limiter::new(rates, Arc::clone(&built.clock)))
}

fn http(
    settings: &Settings,
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    transport: &Transport,
) -> io::Result<Server> {
    let listen = &settings.listen;
    let options = ServeOptions {
        workers: listen.workers,
        tls,
        header_timeout: listen.header_timeout,
        keep_alive: KEEP_ALIVE,
        max_connections: listen.max_connections.div_ceil(listen.workers),
        shutdown_timeout: LAST_REQUESTS,
    };
    chat_transport::serve(transport, vec![listener], &options, page::configure)
}

/// What the store is asked to do before all else, as soon as it works.
///
/// # Errors
/// It never will: the settings are wrong.
async fn first_steps(store: Storage) -> Result<(), Failure> {
    store.ready().await?;
    // What a crash left behind is nobody's presence.
    while let Err(error) = store.ports().users.clear_presence().await {
        tracing::debug!(%error, "presence is not cleared yet");
        sleep(FIRST_STEPS_PAUSE).await;
    }
    Ok(())
}

/// The control socket; without one the server serves all the same. On MongoDB commands need no server.
fn control(settings: &Settings, built: &Built) -> Option<ControlServer> {
    if settings.mongodb.is_some() {
        return None;
    }
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
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let url = listener.local_addr().map(|address| listen::url(scheme, address)).unwrap_or_default();
    let (store, place) = match &settings.mongodb {
        Some(uri) => ("mongodb", uri.masked()),
        None => {
            let folder = settings.data_dir.canonicalize().unwrap_or_else(|_| settings.data_dir.clone());
            ("embedded", folder.display().to_string())
        }
    };
    tracing::info!(
        store,
        place,
        environment = %settings.environment,
        "chat-server {} listens on {url}",
        env!("CARGO_PKG_VERSION"),
    );
}
