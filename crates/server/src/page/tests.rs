//! The page's headers, and that it stands in nobody's way.

use actix_web::{
    App,
    http::{Method, StatusCode},
    test::{TestRequest, call_service, init_service, read_body},
};

use super::*;

#[actix_web::test]
async fn the_index_is_never_cached_and_tells_browsers_what_it_may_load() {
    let app = init_service(App::new().configure(configure)).await;
    let answer = call_service(&app, TestRequest::get().uri("/").to_request()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert_eq!(header(CONTENT_TYPE), "text/html; charset=utf-8");
    assert_eq!(header(CACHE_CONTROL), "no-cache");
    assert_eq!(header(X_CONTENT_TYPE_OPTIONS), "nosniff");
    assert!(header(CONTENT_SECURITY_POLICY).starts_with("default-src 'self';"));
    assert!(read_body(answer).await.starts_with(b"<!doctype html>"));
}

#[actix_web::test]
async fn every_embedded_file_is_served_under_its_name_and_assets_for_good() {
    let app = init_service(App::new().configure(configure)).await;
    for file in FILES {
        let request = TestRequest::get().uri(&format!("/{}", file.name)).to_request();
        let answer = call_service(&app, request).await;
        assert_eq!(answer.status(), StatusCode::OK, "{}", file.name);
        let cache = answer.headers().get(CACHE_CONTROL).unwrap().to_str().unwrap();
        assert_eq!(cache.contains("immutable"), file.name.starts_with("assets/"), "{}", file.name);
        assert_eq!(read_body(answer).await, file.bytes, "{}", file.name);
    }
}

#[actix_web::test]
async fn other_paths_and_methods_are_left_to_others() {
    let app = init_service(App::new().configure(configure)).await;
    for path in ["/api/users", "/health", "/ready", "/socket.io/", "/assets/", "/assets/../Cargo.toml", "/x"]
    {
        let answer = call_service(&app, TestRequest::get().uri(path).to_request()).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let head = call_service(&app, TestRequest::default().method(Method::HEAD).uri("/").to_request()).await;
    assert_eq!(head.status(), StatusCode::OK);
    let post = call_service(&app, TestRequest::post().uri("/").to_request()).await;
    assert_eq!(post.status(), StatusCode::NOT_FOUND);
    assert!(read_body(post).await.starts_with(br#"{"code":"not_found""#));
}
