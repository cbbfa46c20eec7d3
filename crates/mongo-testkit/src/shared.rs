//! The server that all tests of a process share, and the runtime that the harness talks to servers on.

use std::{
    env,
    future::Future,
    sync::{LazyLock, OnceLock, mpsc},
};

use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};

use crate::{
    keeper::{Kept, free_port},
    program::{Kind, program},
};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread().worker_threads(1).thread_name("mongo-testkit").enable_all().build().unwrap()
});

/// What `TEST_MONGODB_URI` says, if anything.
pub(crate) fn given() -> Option<String> {
    env::var("TEST_MONGODB_URI").ok().filter(|uri| !uri.is_empty())
}

/// What kind of server the tests run against.
#[must_use]
pub fn kind() -> Kind {
    if given().is_some() { Kind::Given } else { program().kind }
}

/// The connection string of the shared server, which is started when it is first asked for.
#[must_use]
pub fn server_uri() -> &'static str {
    static URI: OnceLock<String> = OnceLock::new();
    static SERVER: Mutex<Option<Kept>> = Mutex::new(None);
    URI.get_or_init(|| {
        given().unwrap_or_else(|| {
            let port = free_port();
            // The keeper removes it: what is static is never dropped.
            let folder = tempfile::Builder::new().prefix("chat-mongo-").tempdir().unwrap().keep();
            *SERVER.lock() = Some(Kept::start(port, &folder, true));
            format!("mongodb://127.0.0.1:{port}/")
        })
    })
}

/// `host:port` of the shared server (of a replica set: of the member that is named first), for a [`Proxy`](crate::Proxy).
#[must_use]
pub fn server_address() -> &'static str {
    let (_, rest) = server_uri().split_once("://").expect("a connection string has a scheme");
    let hosts = rest.split(['/', '?']).next().unwrap_or(rest);
    let named = hosts.rsplit('@').next().unwrap_or(hosts);
    named.split(',').next().unwrap_or(named)
}

/// Drives a future on the harness's own runtime and blocks until it is done: from any thread, one of another runtime as well.
pub fn block_on<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let (done, outcome) = mpsc::channel();
    RUNTIME.spawn(async move {
        let _ = done.send(future.await);
    });
    outcome.recv().expect("the future did not panic")
}
