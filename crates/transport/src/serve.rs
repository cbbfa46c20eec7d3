//! The chat on a server of its own, which takes WebSockets over from HTTP.

use std::{io, net::TcpListener};

use actix_server::Server;
use actix_web::web::{self, ServiceConfig};
use chat_socketio_actix::ServeOptions;

use crate::Transport;

/// Serves a transport, and what `more` adds to the app, on bound listeners. Signals are left to the caller.
///
/// # Errors
/// A listener can't be used.
pub fn serve(
    transport: &Transport,
    listeners: Vec<TcpListener>,
    options: &ServeOptions,
    more: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> io::Result<Server> {
    let rest = transport.clone();
    let beside = move |config: &mut ServiceConfig| {
        rest.configure_rest(config);
        more(config);
        config.default_service(web::to(Transport::not_found));
    };
    chat_socketio_actix::serve(transport.socket_io(), listeners, options, beside)
}
