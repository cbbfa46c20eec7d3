//! The web page at `/`, embedded at build time.

use actix_web::{
    HttpResponse,
    http::header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    },
    web::{self, ServiceConfig},
};
use chat_transport::Transport;

/// A file of the built page.
struct File {
    /// Its path under the page's root, without a slash before.
    name: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
}

/// What `make web` had built when this program was built; empty without it.
static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

const INDEX: &str = "index.html";

/// Shown where no page was built.
static NO_PAGE: File =
    File { name: INDEX, media_type: "text/html; charset=utf-8", bytes: include_bytes!("page/missing.html") };

const POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'";

/// Adds `/` and the page's files, each by its exact path: nothing else is shadowed.
pub(crate) fn configure(config: &mut ServiceConfig) {
    let index = FILES.iter().find(|file| file.name == INDEX).unwrap_or(&NO_PAGE);
    add(config, "/", index);
    for file in FILES {
        add(config, &format!("/{}", file.name), file);
    }
}

fn add(config: &mut ServiceConfig, path: &str, file: &'static File) {
    let handler = move || async move { answer(file) };
    // HEAD has the same answer; the HTTP layer leaves its body out.
    let resource = web::resource(path).route(web::get().to(handler)).route(web::head().to(handler));
    config.service(resource.default_service(web::to(Transport::not_found)));
}

fn answer(file: &'static File) -> HttpResponse {
    // The names under assets/ carry a hash of what is in them.
    let cache =
        if file.name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, file.media_type))
        .insert_header((CACHE_CONTROL, cache))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .body(web::Bytes::from_static(file.bytes))
}

#[cfg(test)]
mod tests;
