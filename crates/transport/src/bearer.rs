//! Who asks: the Bearer token of RFC 6750 §2.1, and others that come with a handshake.

use actix_web::{
    HttpRequest,
    dev::RequestHead,
    http::header::{AUTHORIZATION, HeaderValue, USER_AGENT},
};
use chat_domain::{ChatError, Identity, Unauthorized};

use crate::{app::App, socket::Opening};

/// The token of the `Authorization` header.
pub(crate) fn token(head: &RequestHead) -> Option<&str> {
    let (scheme, token) = head.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// What a handshake says of its client.
pub(crate) fn opening(head: &RequestHead, token_in_query: bool) -> Opening {
    Opening { token: handshake_token(head, token_in_query), recovers: may_recover(head) }
}

/// Whether the client may be one that knows connection state recovery, as socket.io-client does since 4.6. Others that are
/// known would hand the events' additional argument to handlers that take one: clients in Python, by the decimal point in
/// the time that they put on each request, and those that name themselves.
fn may_recover(head: &RequestHead) -> bool {
    const OTHERS: [&[u8]; 4] = [b"dart", b"okhttp", b"python", b"java"];
    let agent = head.headers().get(USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default();
    let names_itself = OTHERS
        .iter()
        .any(|name| agent.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name)));
    let query = head.uri.query().unwrap_or_default().as_bytes();
    let mut fields = form_urlencoded::parse(query);
    !names_itself && !fields.any(|(name, value)| name == "t" && value.contains('.'))
}

/// A token beside the CONNECT packet: in the `Authorization` header or, where that is on, in the query.
fn handshake_token(head: &RequestHead, in_query: bool) -> Option<Box<str>> {
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
