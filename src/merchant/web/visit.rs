//! A request, read: who asks, in which language, with what.

use crate::domain::locale::Locale;
use crate::domain::time::Timestamp;
use crate::merchant::account::{SIGNED_IN_S, form_proof, is_token};
use crate::merchant::base::account::User;
use crate::merchant::failure::ShopError;
use crate::merchant::password::is_same;
use crate::shop::answer::Answer;
use crate::words::accept;
use crate::words::merchant::Words;
use hyper::HeaderMap;
use hyper::header::{ACCEPT_LANGUAGE, COOKIE, HeaderValue, SET_COOKIE};
use url::form_urlencoded;

/// The cookie that a browser is known again by.
const TOKEN: &str = "stripegym_shop";

/// The cookie of the language that somebody chose.
const LANGUAGE: &str = "stripegym_language";

/// The field that a form proves itself with.
pub const PROOF: &str = "csrf";

/// Names with values: of a form, of a query.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// The fields of an encoded text.
    pub fn read(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// All of them, in their order.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The value of a name; nothing where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }
}

/// A request, read.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The path.
    pub path: String,
    /// The language.
    pub locale: Locale,
    /// Where the shop is, as the browser calls it: `http://127.0.0.1:4242`.
    pub origin: String,
    /// When it was asked.
    pub now: Timestamp,
    /// Who is signed in.
    pub user: Option<User>,
    /// What the browser is known again by.
    pub token: String,
    /// What the query says.
    pub query: Fields,
    /// What the form says.
    pub form: Fields,
    /// The body as it came.
    pub body: Vec<u8>,
    /// The headers as they came.
    pub headers: HeaderMap,
}

impl Visit {
    /// The words of the language.
    pub fn words(&self) -> &'static Words {
        Words::of(self.locale)
    }

    /// What the forms of an answer prove themselves with.
    pub fn proof(&self) -> String {
        form_proof(&self.token)
    }

    /// Whether the form was shown to whoever sends it.
    pub fn has_proof(&self) -> bool {
        is_same(self.proof().as_bytes(), self.form.text(PROOF).as_bytes())
    }

    /// Who is signed in, where somebody has to be.
    pub fn signed_in(&self) -> Result<&User, ShopError> {
        self.user.as_ref().ok_or(ShopError::SignedOut)
    }

    /// The address of this page, for whoever comes back to it.
    pub fn here(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.query.0);
        let query = query.finish();
        if query.is_empty() { self.path.clone() } else { format!("{}?{query}", self.path) }
    }
}

/// A path of this shop that somebody is sent on to; another's address is none.
pub fn own_path(text: &str) -> Option<&str> {
    let own = text.starts_with('/') && !text.starts_with("//");
    let plain = text.bytes().all(|it| it.is_ascii_graphic() && it != b'\\');
    (own && plain).then_some(text)
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|it| it.to_str().ok());
    let mut pairs = all.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find(|(it, _)| *it == name).map(|(_, value)| value)
}

/// The token that a browser brings.
pub fn token(headers: &HeaderMap) -> Option<&str> {
    cookie(headers, TOKEN).filter(|it| is_token(it))
}

/// The language of whoever asks: chosen, or preferred.
pub fn locale(headers: &HeaderMap) -> Locale {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let chosen = cookie(headers, LANGUAGE).and_then(Locale::read);
    chosen.or_else(|| accepted.and_then(accept::preferred)).unwrap_or_default()
}

/// Lets a browser keep a token: no script can read it, and no other site's form brings it.
pub fn keep_token(answer: &mut Answer, token: &str) {
    keep(answer, &format!("{TOKEN}={token}; HttpOnly"));
}

/// Lets a browser keep the language that was chosen.
pub fn keep_language(answer: &mut Answer, locale: Locale) {
    keep(answer, &format!("{LANGUAGE}={}", locale.code()));
}

fn keep(answer: &mut Answer, cookie: &str) {
    let text = format!("{cookie}; Path=/; SameSite=Lax; Max-Age={SIGNED_IN_S}");
    if let Ok(value) = HeaderValue::try_from(text) {
        answer.headers_mut().append(SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_on_to_another_site() {
        for path in ["/", "/pricing?a=1"] {
            assert_eq!(own_path(path), Some(path));
        }
        for path in
            ["", "pricing", "//evil.test", "https://evil.test", "/\\evil.test", "/a b", "/\r\n"]
        {
            assert_eq!(own_path(path), None, "{path:?}");
        }
    }

    #[test]
    fn cookies_are_found_among_others() {
        let token_text = "a".repeat(64);
        let mut headers = HeaderMap::new();
        let text = format!("other=1; {TOKEN}={token_text}; {LANGUAGE}=ja");
        headers.insert(COOKIE, text.parse().unwrap());
        assert_eq!(token(&headers), Some(token_text.as_str()));
        assert_eq!(locale(&headers), Locale::Ja);
        headers.insert(COOKIE, format!("{TOKEN}=short").parse().unwrap());
        headers.insert(ACCEPT_LANGUAGE, "en".parse().unwrap());
        assert_eq!((token(&headers), locale(&headers)), (None, Locale::En));
    }

    #[test]
    fn fields_are_decoded() {
        let fields = Fields::read("a=1+2&b=%E3%81%82&a=3".as_bytes());
        assert_eq!((fields.get("a"), fields.text("c")), (Some("1 2"), ""));
    }
}
