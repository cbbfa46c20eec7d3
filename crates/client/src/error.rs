//! What can go wrong in a run, told so that one line names the cause.

use std::io;

use crate::frames::FrameError;

/// A failure that ends a connection or a run.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A system call failed while doing `what`.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
    /// The server broke the WebSocket framing.
    #[error("bad frame from the server: {0}")]
    Frame(#[from] FrameError),
    /// The server's answer does not follow the contract.
    #[error("the server's answer breaks the protocol: {0}")]
    Protocol(String),
    /// A REST call was answered with another status than expected.
    #[error("{path} was answered with {status}: {body}")]
    Status {
        /// The path that was asked.
        path: String,
        /// The HTTP status.
        status: u16,
        /// The answer's body.
        body: String,
    },
    /// The server refused the namespace.
    #[error("connect refused: {0}")]
    Refused(String),
    /// The server closed a connection that should have stayed.
    #[error("the server closed the connection")]
    Closed,
    /// Something did not happen in time.
    #[error("gave up waiting: {0}")]
    Timeout(String),
    /// The run was asked for something it cannot do.
    #[error("{0}")]
    Usage(String),
}

impl ClientError {
    /// A closure for `map_err` that keeps what was tried.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> ClientError {
        let what = what.into();
        move |source| ClientError::Io { what, source }
    }

    /// A protocol error with the offending text, cut to a readable length.
    pub fn protocol(what: &str, text: &str) -> ClientError {
        let shown: String = text.chars().take(200).collect();
        ClientError::Protocol(format!("{what}: {shown}"))
    }
}
