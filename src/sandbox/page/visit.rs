//! What every page is asked with: which object it is about, and in which language.

use crate::domain::locale::Locale;
use crate::sandbox::api::browser;
use crate::sandbox::page::Pages;
use crate::sandbox::page::answer::{language, page};
use crate::sandbox::page::token::TokenKey;
use crate::sandbox::page::view::NoticePage;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// One visit of a page.
pub struct Visit {
    /// The pages.
    pub pages: Pages,
    /// The object of the address: a session or an intent.
    pub id: String,
    /// The address.
    pub uri: Uri,
    headers: HeaderMap,
}

impl Visit {
    /// The language of the answer; `locale` is the session's.
    pub fn language(&self, locale: Option<&str>) -> Locale {
        language(&self.uri, &self.headers, locale)
    }

    /// Whether a page of neither this machine nor the sandbox asks.
    pub fn is_foreign(&self) -> bool {
        browser::is_foreign(&self.headers)
    }

    /// There is nothing at this address.
    pub fn nothing(&self) -> Response {
        page(StatusCode::NOT_FOUND, &NoticePage::missing(self.language(None)))
    }
}

impl FromRequestParts<Arc<TokenKey>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, key: &Arc<TokenKey>) -> Result<Self, Response> {
        let pages = Pages::from_request_parts(parts, key).await;
        let pages = pages.map_err(IntoResponse::into_response)?;
        let id = Path::<String>::from_request_parts(parts, key).await;
        let Path(id) = id.map_err(IntoResponse::into_response)?;
        let (uri, headers) = (parts.uri.clone(), parts.headers.clone());
        Ok(Self { pages, id, uri, headers })
    }
}
