//! Accounts: register, log in, profile, and the list of users.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use chat_domain::{
    ChatError, ListUsers, UserPage,
    ports::{RateSubject, StoreError},
};
use serde::de::DeserializeOwned;

use crate::{
    app::App,
    bearer::identify,
    body::read_json,
    reply,
    wire::{
        ListUsersQuery, LoginBody, RegisterBody, parse_body, parse_query, parse_user_cursor, user_cursor,
        write_grant, write_profile, write_users,
    },
};

/// `POST /api/auth/register`
pub(super) async fn register(request: HttpRequest, payload: Payload, app: Data<App>) -> HttpResponse {
    let registering = async {
        let address = app.settings.trusted_proxies.client(request.head());
        app.count(&RateSubject::Registrations(address))?;
        let body: RegisterBody = parse_json(&request, payload, &app).await?;
        let grant = within(&app, app.chat.accounts.register(body.into())).await?;
        Ok(render(|out| write_grant(out, &grant)))
    };
    respond(StatusCode::CREATED, registering.await)
}

/// `POST /api/auth/login`
pub(super) async fn login(request: HttpRequest, payload: Payload, app: Data<App>) -> HttpResponse {
    let logging_in = async {
        let address = app.settings.trusted_proxies.client(request.head());
        app.count(&RateSubject::LoginsFrom(address))?;
        let body: LoginBody = parse_json(&request, payload, &app).await?;
        let (login, password) = body.into_parts()?;
        let grant = within(&app, async {
            let account = app.chat.accounts.counted_as(login.clone()).await?;
            app.count(&RateSubject::LoginsTo(account))?;
            app.chat.accounts.login(login, password).await
        });
        let grant = grant.await?;
        Ok(render(|out| write_grant(out, &grant)))
    };
    respond(StatusCode::OK, logging_in.await)
}

/// `GET /api/auth/profile`
pub(super) async fn profile(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let asking = async {
        let me = identify(&request, &app).await?;
        let profile = app.chat.accounts.profile(me.user).await?;
        Ok(render(|out| {
            out.extend_from_slice(b"{\"user\":");
            write_profile(out, &profile);
            out.push(b'}');
        }))
    };
    respond(StatusCode::OK, within(&app, asking).await)
}

/// `GET /api/users`
pub(super) async fn users(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let asking = async {
        let me = identify(&request, &app).await?;
        let ListUsersQuery { q, limit, after } = parse_query(request.query_string())?;
        let after = after.as_deref().map(parse_user_cursor).transpose()?;
        let page = if app.settings.users_list {
            app.chat.directory.list(me.user, ListUsers { prefix: q, after, limit }).await?
        } else {
            UserPage { items: Vec::new(), next: None }
        };
        let next = page.next.as_ref().map(user_cursor);
        Ok(render(|out| write_users(out, &page.items, next.as_deref())))
    };
    respond(StatusCode::OK, within(&app, asking).await)
}

async fn parse_json<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: Payload,
    app: &App,
) -> Result<T, ChatError> {
    let settings = &app.settings;
    let (limit, timeout) = (settings.max_body_bytes, settings.body_timeout);
    let body = read_json(request, payload, limit, timeout, &app.incoming).await?;
    Ok(parse_body(&body)?)
}

/// Bounds a request in time: none hangs because the store does. A drain waits for it; not for one whose body has not come,
/// which would be as long as its client likes.
///
/// # Errors
/// `unavailable` when the time is over; else those of the request.
pub(super) async fn within<T>(
    app: &Arc<App>,
    request: impl Future<Output = Result<T, ChatError>>,
) -> Result<T, ChatError> {
    let _busy = app.enter();
    tokio::time::timeout(app.settings.send_timeout, request)
        .await
        .unwrap_or_else(|_elapsed| Err(StoreError::Timeout.into()))
}

/// Writes a body.
pub(super) fn render(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    write(&mut out);
    out
}

/// The response to a request that may have failed.
pub(super) fn respond(status: StatusCode, result: Result<Vec<u8>, ChatError>) -> HttpResponse {
    match result {
        Ok(body) => reply::json(status, body),
        Err(error) => reply::error(&error),
    }
}
