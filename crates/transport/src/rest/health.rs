//! `/health` and `/ready`.

use std::{io::Write, time::Duration};

use actix_web::{HttpResponse, http::StatusCode, web::Data};

use crate::{app::App, reply};

/// How long the store may take to say that it works.
const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /health`: the process lives.
pub(super) async fn health(app: Data<App>) -> HttpResponse {
    let uptime = app.clock.instant().saturating_duration_since(app.started).as_secs();
    let version = app.settings.version;
    let body = format!("{{\"status\":\"ok\",\"version\":\"{version}\",\"uptimeSeconds\":{uptime}}}");
    std::future::ready(reply::json(StatusCode::OK, body.into_bytes())).await
}

/// `GET /ready`: it can serve, and is not about to stop.
pub(super) async fn ready(app: Data<App>) -> HttpResponse {
    let store = match tokio::time::timeout(PATIENCE, app.health.check()).await {
        Ok(Ok(())) => "ok",
        Ok(Err(_)) | Err(_) => "unavailable",
    };
    let (status, word) = if app.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else if store == "ok" {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    };
    let mut body = Vec::with_capacity(80);
    // Writing to memory does not fail. The bus of one node is in the process: it is up when this answers.
    let _infallible =
        write!(body, "{{\"status\":\"{word}\",\"checks\":{{\"store\":\"{store}\",\"bus\":\"ok\"}}}}");
    reply::json(status, body)
}
