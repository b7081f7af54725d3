//! Pages: HTML that works without JavaScript, at 360 pixels and by keyboard. What comes from elsewhere is escaped by
//! the templates.

use crate::domain::locale::Locale;
use crate::merchant::failure::Said;
use crate::merchant::web::route::page_above;
use crate::merchant::web::visit::Visit;
use crate::shop::answer::{self, Answer};
use crate::words::merchant::Words;
use askama::Template;
use hyper::StatusCode;
use url::form_urlencoded;

const STYLE: &str = include_str!("style.css");

/// What leads to the pages: path, name, and whether only for whoever is signed in.
const NAVIGATION: [(&str, Said, bool); 6] = [
    ("/pricing", |words| words.nav_pricing, false),
    ("/upgrade", |words| words.nav_api, true),
    ("/pay", |words| words.nav_pay, true),
    ("/cards", |words| words.nav_cards, true),
    ("/mypage", |words| words.nav_my_page, true),
    ("/account", |words| words.nav_account, true),
];

struct Link {
    path: &'static str,
    name: &'static str,
    here: bool,
}

struct Language {
    code: &'static str,
    name: &'static str,
    here: bool,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<!doctype html>
<html lang="{{ lang }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }} · {{ words.shop }}</title>
<style>{{ style|safe }}</style>
</head>
<body>
<a class="skip" href="#main">{{ words.skip }}</a>
<header><div class="bar">
<a class="brand" href="/">{{ words.shop }}</a>
<nav aria-label="{{ words.navigation }}">{% for link in links %}<a href="{{ link.path }}"{% if link.here %} aria-current="page"{% endif %}>{{ link.name }}</a>{% endfor %}</nav>
{% if let Some(email) = email %}<form method="post" action="/logout" class="sign"><input type="hidden" name="csrf" value="{{ proof }}"><span class="who" title="{{ email }}">{{ email }}</span><button class="plain">{{ words.sign_out }}</button></form>
{% else %}<div class="sign"><a href="/login">{{ words.sign_in }}</a><a href="/signup">{{ words.sign_up }}</a></div>
{% endif %}</div></header>
<main id="main" tabindex="-1">
{{ inner|safe }}
</main>
<footer><div class="bar"><nav aria-label="{{ words.language }}">{% for it in languages %}<a href="/language?to={{ it.code }}&amp;back={{ back }}" lang="{{ it.code }}" hreflang="{{ it.code }}"{% if it.here %} aria-current="true"{% endif %}>{{ it.name }}</a>{% endfor %}</nav>{% if !live %}<p>{{ words.test_only }}</p>{% endif %}</div></footer>
</body>
</html>
"##
)]
struct Layout<'p> {
    lang: &'static str,
    title: &'p str,
    words: &'static Words,
    style: &'static str,
    links: Vec<Link>,
    languages: Vec<Language>,
    email: Option<&'p str>,
    proof: String,
    back: String,
    live: bool,
    inner: String,
}

/// Shows a page of this title; `inner` stands between what every page has.
pub fn show(visit: &Visit, status: StatusCode, title: &str, inner: &impl Template) -> Answer {
    let (words, signed_in) = (visit.words(), visit.user.is_some());
    let links = NAVIGATION.iter().filter(|(_, _, closed)| signed_in || !closed);
    let links =
        links.map(|(path, name, _)| Link { path, name: name(words), here: *path == visit.path });
    let languages = Locale::ALL.map(|locale| Language {
        code: locale.code(),
        name: Words::of(locale).own_name,
        here: locale == visit.locale,
    });
    let layout = Layout {
        lang: visit.locale.code(),
        title,
        words,
        style: STYLE,
        links: links.collect(),
        languages: languages.into(),
        email: visit.user.as_ref().map(|it| it.email.as_str()),
        proof: visit.proof(),
        back: form_urlencoded::byte_serialize(back(visit).as_bytes()).collect(),
        live: false,
        // A template of ours that fails to render leaves the page empty.
        inner: inner.render().unwrap_or_default(),
    };
    answer::html(status, layout.render().unwrap_or_default())
}

/// Where somebody is led back to who changes the language: a page that only a form leads to is not there to be opened.
fn back(visit: &Visit) -> String {
    page_above(&visit.path).map_or_else(|| visit.here(), str::to_owned)
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<section class="card narrow"><h1>{{ said }}</h1>
{% if let Some(detail) = detail %}<p class="soft">{{ detail }}</p>{% endif %}
<p><a href="/pricing">{{ words.to_pricing }}</a></p></section>"#
)]
struct Message<'p> {
    said: &'p str,
    detail: Option<&'p str>,
    words: &'static Words,
}

/// A page that says one thing.
pub fn message(visit: &Visit, status: StatusCode, said: &str, detail: Option<&str>) -> Answer {
    show(visit, status, said, &Message { said, detail, words: visit.words() })
}

/// What the form for signing in or up shows.
#[derive(Clone, Copy, Debug)]
pub struct SignForm<'f> {
    /// Whether an account is made.
    pub is_new: bool,
    /// The address that was typed.
    pub email: &'f str,
    /// Where its sender goes afterwards.
    pub next: &'f str,
    /// Why it was not done.
    pub said: Option<&'f str>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<section class="card narrow"><h1>{% if form.is_new %}{{ words.sign_up_title }}{% else %}{{ words.sign_in_title }}{% endif %}</h1>
{% if let Some(said) = form.said %}<p class="alert" role="alert" id="said">{{ said }}</p>{% endif %}
<form method="post" action="{{ action }}">
<input type="hidden" name="csrf" value="{{ proof }}"><input type="hidden" name="next" value="{{ form.next }}">
<label for="email">{{ words.email }}</label>
<input id="email" name="email" type="email" autocomplete="username" required maxlength="254" value="{{ form.email }}"{% if form.said.is_some() %} aria-describedby="said"{% endif %}>
<label for="password">{{ words.password }}</label>
<input id="password" name="password" type="password" autocomplete="{% if form.is_new %}new-password{% else %}current-password{% endif %}" required maxlength="256"{% if form.is_new %} minlength="10" aria-describedby="rule"{% endif %}>
{% if form.is_new %}<p class="soft" id="rule">{{ words.password_rule }}</p>{% endif %}
<button>{% if form.is_new %}{{ words.sign_up }}{% else %}{{ words.sign_in }}{% endif %}</button>
</form>
<p class="soft">{% if form.is_new %}{{ words.have_account }} <a href="/login?next={{ next }}">{{ words.sign_in }}</a>{% else %}{{ words.no_account }} <a href="/signup?next={{ next }}">{{ words.sign_up }}</a>{% endif %}</p></section>"#
)]
struct Sign<'p> {
    form: &'p SignForm<'p>,
    action: &'static str,
    proof: String,
    next: String,
    words: &'static Words,
}

/// The page for signing in or up.
pub fn sign(visit: &Visit, status: StatusCode, form: &SignForm<'_>) -> Answer {
    let words = visit.words();
    let (title, action) = if form.is_new {
        (words.sign_up_title, "/signup")
    } else {
        (words.sign_in_title, "/login")
    };
    let next = form_urlencoded::byte_serialize(form.next.as_bytes()).collect();
    show(visit, status, title, &Sign { form, action, proof: visit.proof(), next, words })
}
