//! Log lines: for people or as JSON, on standard output.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::settings::LogSettings;

/// Whether text is a list of directives that the filter understands; the reason where not.
pub(crate) fn check(directives: &str) -> Result<(), String> {
    EnvFilter::try_new(directives).map(drop).map_err(|error| error.to_string())
}

/// Starts logging for the whole process. A second call changes nothing.
pub(crate) fn start(settings: &LogSettings) {
    // Unless they are named in it: the HTTP library counts its workers at INFO, and a request that is no HTTP, which anybody may
    // send, is an ERROR to it.
    let filter = EnvFilter::new(format!("actix_server=warn,actix_http=off,{}", settings.filter));
    let lines = tracing_subscriber::fmt().with_env_filter(filter);
    // An error says that logging has started already.
    let _started_before = if settings.json {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    } else {
        let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        lines.with_ansi(colours).with_target(false).try_init()
    };
}
