//! The page at the address that `sandbox` prints: what answers there, and where to go on from it.

use crate::sandbox::page::Pages;
use crate::sandbox::page::answer::{language, page};
use crate::sandbox::page::view::other_language;
use crate::words::page::Words;
use askama::Template;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;

/// The page.
#[derive(Template, Debug)]
#[template(path = "home.html", config = "src/sandbox/page/askama.toml")]
struct HomePage {
    w: &'static Words,
    title: &'static str,
    links: [(&'static str, &'static str); 4],
    other_language: String,
    base_url: String,
    api_version: String,
    root: String,
    example: String,
    host: String,
    port: String,
}

/// Shows it to whoever opens the address in a browser; no key is asked for.
pub async fn show(pages: Pages, uri: Uri, headers: HeaderMap) -> Response {
    let locale = language(&uri, &headers, None);
    let w = Words::of(locale);
    let site = pages.world.site();
    // An SDK that takes no path finds the world by its key.
    let bare = pages.world.engine().site().base_url.as_str();
    let place = bare.split_once("://").map_or(bare, |(_, rest)| rest);
    let (host, port) = place.rsplit_once(':').unwrap_or((place, "80"));
    let home = HomePage {
        w,
        title: w.home_title,
        links: [
            ("/_stripegym/status", w.home_status),
            ("/_stripegym/endpoints", w.home_endpoints),
            ("/_stripegym/deliveries", w.home_deliveries),
            ("/_stripegym/requests", w.home_requests),
        ],
        other_language: other_language(&pages.path("/"), locale),
        base_url: site.base_url.clone(),
        api_version: site.api_version.clone(),
        root: pages.world.root(),
        example: pages.world.example_key(),
        host: host.to_owned(),
        port: port.to_owned(),
    };
    page(StatusCode::OK, &home)
}
