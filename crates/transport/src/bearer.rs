//! Who asks over REST: the Bearer token of RFC 6750 §2.1.

use actix_web::{HttpRequest, dev::RequestHead, http::header::AUTHORIZATION};
use chat_domain::{ChatError, Identity, Unauthorized};

use crate::app::App;

/// The token of the `Authorization` header.
pub(crate) fn token(head: &RequestHead) -> Option<&str> {
    let (scheme, token) = head.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Who asks.
///
/// # Errors
/// `unauthorized`, or `unavailable` where the store can't tell.
pub(crate) async fn identify(request: &HttpRequest, app: &App) -> Result<Identity, ChatError> {
    let token = token(request.head()).ok_or(ChatError::Unauthorized(Unauthorized::NoToken))?;
    app.chat.accounts.authenticate(token).await
}
