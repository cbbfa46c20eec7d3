//! From the running server to its end: signals, drain, deadline.

use std::{future::pending, io, net::TcpListener, process::exit, thread, time::Duration};

use actix_web::dev::ServerHandle;
use chat_transport::Transport;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::{JoinHandle, spawn_blocking},
    time::sleep,
};

use crate::{control::ControlServer, failure::Failure, settings::Drain, storage::Storage};

/// The order to pause is answered before the thread that accepts has it; that one would log an error on a socket that is
/// shut down under it.
const PAUSE_ARRIVES: Duration = Duration::from_millis(20);

/// Everything that runs and has to end.
pub(crate) struct Running {
    pub(crate) handle: ServerHandle,
    /// A second handle on the listening socket, to close it while the server still serves.
    pub(crate) listener: TcpListener,
    pub(crate) background: JoinHandle<()>,
    pub(crate) control: Option<ControlServer>,
    pub(crate) transport: Transport,
    pub(crate) store: Storage,
    /// Ends when the store works for the first time; with a failure where it never will.
    pub(crate) starting: JoinHandle<Result<(), Failure>>,
}

/// Serves until a signal, then drains. From that signal on the process is gone by the deadline, whatever
/// hangs; a second signal ends it at once, with the code that a shell gives that signal's death.
///
/// # Errors
/// The server ended by itself, or the store can't be used as it is set.
pub(crate) async fn run(
    mut running: Running,
    server: JoinHandle<io::Result<()>>,
    mut signals: Signals,
    drain: Drain,
) -> Result<(), Failure> {
    tokio::select! {
        name = signals.next() => tracing::info!(signal = name.0, "ending: connections are drained"),
        failure = never_ready(&mut running.starting) => return Err(failure),
        ended = server => {
            let why = ended.map_or_else(|error| error.to_string(), |result| format!("{result:?}"));
            return Err(Failure::run("the listener ended by itself", why));
        }
    }
    end_within(drain.deadline);
    tokio::spawn(async move {
        let (name, number) = signals.next().await;
        tracing::warn!(signal = name, "a second signal: ending at once");
        exit(128 + number);
    });
    running.end(drain.grace).await;
    tracing::info!("ended");
    Ok(())
}

/// Waits for the failure of a store that can't be used; for ever, where it works.
async fn never_ready(starting: &mut JoinHandle<Result<(), Failure>>) -> Failure {
    match starting.await {
        Ok(Ok(())) => pending().await,
        Ok(Err(failure)) => failure,
        Err(error) => Failure::run("the store", error),
    }
}

impl Running {
    /// Ends everything, each in its turn.
    async fn end(self, grace: Duration) {
        self.transport.start_drain();
        sleep(grace).await;
        self.handle.pause().await;
        sleep(PAUSE_ARRIVES).await;
        // Paused, the socket would still collect connections that nobody accepts; now they are refused, and
        // clients go elsewhere. Systems that can't do this to a listening socket close it a moment later.
        let _collected = rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Both);
        self.transport.drain().await;
        self.handle.stop(true).await;
        self.background.abort();
        self.starting.abort();
        drop(self.control);
        let store = self.store;
        if let Err(error) = spawn_blocking(move || store.close()).await {
            tracing::error!(%error, "the store was not closed in order");
        }
    }
}

/// Ends the process before a time is over, from a thread of its own, so that nothing that hangs can hold it. What
/// was acknowledged is on disk by then; so this is a success.
fn end_within(time: Duration) {
    let watch = move || {
        // What is left is for the end itself: whoever kills the process at the deadline finds it gone.
        thread::sleep(time - time / 50);
        tracing::warn!("the drain's deadline has come: ending with what still hangs");
        exit(0);
    };
    if let Err(error) = thread::Builder::new().name("deadline".into()).spawn(watch) {
        tracing::error!(%error, "no thread for the deadline: the drain takes as long as it takes");
    }
}

/// The signals that end the process: SIGTERM and SIGINT (Ctrl-C).
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Catches them from now on.
    pub(crate) fn catch() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next one: its name and number.
    async fn next(&mut self) -> (&'static str, i32) {
        tokio::select! {
            _ = self.terminate.recv() => ("SIGTERM", SignalKind::terminate().as_raw_value()),
            _ = self.interrupt.recv() => ("SIGINT", SignalKind::interrupt().as_raw_value()),
        }
    }
}
