//! REST: one handler a row of the contract, each parse → use case → render.

mod accounts;
mod blocks;
mod chats;
mod guard;
mod health;

use actix_web::{
    HttpRequest, HttpResponse,
    middleware::from_fn,
    web::{self, ServiceConfig},
};
use chat_domain::{ChatError, Missing};
use chat_socketio_actix::cors;

use crate::reply;

/// Mounts the REST paths.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/health")
                .wrap(from_fn(guard::guard))
                .route(web::get().to(health::health))
                .route(web::head().to(health::health))
                .default_service(web::to(not_found)),
        )
        .service(
            web::resource("/ready")
                .wrap(from_fn(guard::guard))
                .route(web::get().to(health::ready))
                .route(web::head().to(health::ready))
                .default_service(web::to(not_found)),
        )
        .service(
            web::scope("/api")
                .wrap(from_fn(guard::guard))
                .route("/auth/register", web::post().to(accounts::register))
                .route("/auth/login", web::post().to(accounts::login))
                .route("/auth/profile", web::get().to(accounts::profile))
                .route("/users", web::get().to(accounts::users))
                .route("/blocks", web::get().to(blocks::blocks))
                .route("/chat/history/{user}", web::get().to(chats::history))
                .route("/chat/conversations", web::get().to(chats::conversations))
                .default_service(web::to(not_found)),
        );
}

/// Answers for a path, or a method of it, that is not there.
pub(crate) async fn not_found(request: HttpRequest) -> HttpResponse {
    let answer = reply::error(&ChatError::NotFound(Missing::Path));
    std::future::ready(cors::mark(request.head(), answer)).await
}
