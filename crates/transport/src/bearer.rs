//! Who asks: the Bearer token of RFC 6750 §2.1, and others that come with a handshake.

use actix_web::{HttpRequest, dev::RequestHead, http::header::AUTHORIZATION};
use chat_domain::{ChatError, Identity, Unauthorized};

use crate::{app::App, socket::HandshakeToken};

/// The token of the `Authorization` header.
pub(crate) fn token(head: &RequestHead) -> Option<&str> {
    let (scheme, token) = head.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// A token beside the CONNECT packet: in the `Authorization` header or, where that is on, in the query.
pub(crate) fn handshake_token(head: &RequestHead, in_query: bool) -> HandshakeToken {
    if let Some(token) = token(head) {
        return Some(token.into());
    }
    if !in_query {
        return None;
    }
    form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
        .find(|(name, _)| name == "token")
        .map(|(_, token)| token.as_ref().into())
}

/// Who asks.
///
/// # Errors
/// `unauthorized`, or `unavailable` where the store can't tell.
pub(crate) async fn identify(request: &HttpRequest, app: &App) -> Result<Identity, ChatError> {
    let token = token(request.head()).ok_or(ChatError::Unauthorized(Unauthorized::NoToken))?;
    app.chat.accounts.authenticate(token).await
}
