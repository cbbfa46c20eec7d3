//! `serve`: everything joined and running.

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use actix_web::{
    App, HttpServer,
    dev::{Server, Service},
    http::KeepAlive,
    rt, web,
};
use chat_domain::ports::{StoreHealth, Users};
use chat_transport::{Hub, Transport};

use crate::{
    compose::{self, Built},
    control::ControlServer,
    failure::Failure,
    lifecycle::{self, InFlight, Running},
    listen, logging, page,
    settings::Settings,
};

/// How long an idle connection is kept: longer than a proxy before us does, so that it never reuses one
/// that is just being closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

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
        settings.transport.clone(),
    );
    let broken = |error| Failure::run("the listener", error);
    let twin = listener.try_clone().map_err(broken)?;
    let in_flight = InFlight::default();
    let server = http(&settings, listener, &transport, &in_flight).map_err(broken)?;
    let running = Running {
        handle: server.handle(),
        listener: twin,
        background: rt::spawn({
            let transport = transport.clone();
            async move { transport.background().await }
        }),
        control: control(&settings, &built),
        in_flight,
        transport,
        store: Arc::clone(&built.store),
    };
    announce(&settings, &running.listener);
    lifecycle::run(running, rt::spawn(server), signals, settings.drain).await
}

/// The HTTP server, bound and not yet running.
fn http(
    settings: &Settings,
    listener: TcpListener,
    transport: &Transport,
    in_flight: &InFlight,
) -> io::Result<Server> {
    let (transport, in_flight) = (transport.clone(), in_flight.clone());
    let workers = settings.listen.workers;
    let server = HttpServer::new(move || {
        let (transport, in_flight) = (transport.clone(), in_flight.clone());
        App::new()
            .wrap_fn(move |request, service| {
                let counted = in_flight.enter();
                let answer = service.call(request);
                async move {
                    let answer = answer.await;
                    drop(counted);
                    answer
                }
            })
            .configure(|config| transport.configure(config))
            .configure(page::configure)
            .default_service(web::to(Transport::not_found))
    });
    let server = server
        .workers(workers)
        .max_connections(settings.listen.max_connections.div_ceil(workers))
        .client_request_timeout(settings.listen.header_timeout)
        .keep_alive(KeepAlive::Timeout(KEEP_ALIVE))
        .h1_allow_half_closed(false)
        .shutdown_timeout(lifecycle::LAST_BYTES_SECONDS)
        .disable_signals();
    Ok(server.listen(listener)?.run())
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
        version = env!("CARGO_PKG_VERSION"),
        environment = %settings.environment,
        store = "embedded",
        folder = %folder.display(),
        "chat-server listens on {url}"
    );
}
