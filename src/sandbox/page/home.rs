//! The page at the address that `sandbox` prints: what answers there, and where to go on from it.

use crate::domain::locale::Locale;
use crate::sandbox::page::Pages;
use crate::sandbox::page::answer::{language, page};
use crate::sandbox::page::view::other_language;
use crate::words::page::Words;
use askama::Template;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;

/// What the page says, in one language.
#[derive(Debug)]
struct Said {
    title: &'static str,
    what: &'static str,
    version: &'static str,
    links: [(&'static str, &'static str); 4],
    sdk: &'static str,
    key: &'static str,
}

const EN: Said = Said {
    title: "The stripegym sandbox is running",
    what: "It answers as the Stripe API does, offline: programs call it at this address, and a browser pays on the \
           pages that Checkout Sessions lead to.",
    version: "API version",
    links: [
        ("/_stripegym/status", "its time, its version, what it is about to do"),
        ("/_stripegym/endpoints", "what of the API it models"),
        ("/_stripegym/deliveries", "each webhook, what was sent and what came back"),
        ("/_stripegym/requests", "the API calls that it has answered"),
    ],
    sdk: "Point an SDK at it",
    key: "Any key that begins with sk_test_ will do.",
};

const JA: Said = Said {
    title: "stripegym のサンドボックスが動いています",
    what: "Stripe API と同じように応答する、オフラインのサンドボックスです。プログラムからはこのアドレスを呼び出し、\
           ブラウザでは Checkout Session の支払いページを開きます。",
    version: "API バージョン",
    links: [
        ("/_stripegym/status", "現在時刻、バージョン、予定されている処理"),
        ("/_stripegym/endpoints", "対応している API の一覧"),
        ("/_stripegym/deliveries", "Webhook ごとの送信内容と応答"),
        ("/_stripegym/requests", "応答した API リクエストの記録"),
    ],
    sdk: "SDK の接続先をここにする",
    key: "キーは sk_test_ で始まるものなら何でも使えます。",
};

/// The page.
#[derive(Template, Debug)]
#[template(path = "home.html", config = "src/sandbox/page/askama.toml")]
struct HomePage {
    w: &'static Words,
    said: &'static Said,
    title: &'static str,
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
    let said = if locale == Locale::Ja { &JA } else { &EN };
    let site = pages.world.site();
    // An SDK that takes no path finds the world by its key.
    let bare = pages.world.engine().site().base_url.as_str();
    let place = bare.split_once("://").map_or(bare, |(_, rest)| rest);
    let (host, port) = place.rsplit_once(':').unwrap_or((place, "80"));
    let home = HomePage {
        w: Words::of(locale),
        said,
        title: said.title,
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
