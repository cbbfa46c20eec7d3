//! Why a request is not served, where Engine.IO has no code for it.

use actix_web::{HttpResponse, HttpResponseBuilder, error::PayloadError, http::StatusCode};

/// Why a request is not served, where Engine.IO has no code for it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// A WebSocket's handshake at another path.
    #[error("nothing is here")]
    NotFound,
    /// The server is going down, and opens no sessions any more.
    #[error("the server is going down")]
    Draining,
    /// The body is over its limit.
    #[error("the body is over {max_bytes} bytes")]
    TooLarge {
        /// The limit.
        max_bytes: usize,
    },
    /// The body did not come in time.
    #[error("the body did not come in time")]
    LateBody,
    /// All clients together have sent more of what is not whole yet than may be, and this one most of it.
    #[error("too much is coming in at once")]
    Overload,
    /// The body broke off.
    #[error("the body broke off")]
    BrokenBody(#[source] PayloadError),
}

impl HttpError {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Draining | Self::Overload => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::LateBody => StatusCode::REQUEST_TIMEOUT,
            Self::BrokenBody(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// An answer with the reason as plain text.
    #[must_use]
    pub fn response(&self) -> HttpResponse {
        HttpResponseBuilder::new(self.status())
            .content_type("text/plain; charset=utf-8")
            .body(self.to_string())
    }
}
