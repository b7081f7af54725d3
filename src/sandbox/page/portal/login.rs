//! `/p/login/{link}`: customers sign in by a link that their e-mail address gets. The sandbox shows it in place of
//! sending it.

use crate::domain::locale::Locale;
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::portal::{CONFIGURATION, visit};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::{Origin, Txn};
use crate::sandbox::engine::worlds::World;
use crate::sandbox::page::answer::{page, query};
use crate::sandbox::page::entry::{FieldError, Form};
use crate::sandbox::page::field::{Field, Maker};
use crate::sandbox::page::pay::Told;
use crate::sandbox::page::portal::act;
use crate::sandbox::page::portal::step::{Frame, Step};
use crate::sandbox::page::view::NoticePage;
use crate::sandbox::page::visit::Visit;
use crate::words::billing;
use crate::words::page::Words;
use axum::extract;
use axum::http::StatusCode;
use axum::response::Response;
use percent_encoding::percent_decode_str;
use std::sync::Arc;

/// `GET /p/login/{link}`.
pub async fn show(asked: Visit) -> Response {
    let locale = asked.language(None);
    if let Err(answer) = find(&asked, locale) {
        return answer;
    }
    let mut form = Form::new();
    if let Some(email) = query(&asked.uri, "prefilled_email") {
        let email = percent_decode_str(email).decode_utf8_lossy().into_owned();
        form.insert("email".to_owned(), email);
    }
    ask(&asked, locale, &form, (StatusCode::OK, Told::default()))
}

/// `POST /p/login/{link}`.
pub async fn submit(asked: Visit, extract::Form(sent): extract::Form<Form>) -> Response {
    let locale = asked.language(None);
    let (world, configuration) = match find(&asked, locale) {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let (b, w) = (billing::Words::of(locale), Words::of(locale));
    let token = sent.get("token").map_or("", String::as_str);
    if !asked.pages.key.fits(&subject(&asked.id), token) {
        return ask(&asked, locale, &sent, (StatusCode::FORBIDDEN, Told::problem(w.stale_form)));
    }
    let email = sent.get("email").map_or("", |it| it.trim());
    if email.is_empty() {
        let fault = FieldError { field: "email".to_owned(), text: w.need_email.to_owned() };
        let told = Told { faults: vec![fault], ..Told::problem(w.need_email) };
        return ask(&asked, locale, &sent, (StatusCode::PAYMENT_REQUIRED, told));
    }
    let open = |txn: &mut Txn<'_>| Ok(act::sign_in(txn, &configuration, email));
    let Ok(session) = world.change(Origin::default(), open).await else { return asked.nothing() };
    // Whether the address is known is said in the sandbox's own box alone: Stripe's page never tells it.
    let said = match &session {
        Some(session) => {
            let url = format!("{}?lang={}", text(session, "url"), locale.code());
            (b.login_sandbox, Some(url))
        }
        None => (b.login_nobody, None),
    };
    let step = Step {
        heading: b.login_sent.to_owned(),
        text: vec![b.login_sent_text(email)],
        ..Step::default()
    };
    let frame = Frame { sandbox: Some(said), ..frame(&asked, w) };
    step.framed(frame, (StatusCode::OK, Told::default()))
}

/// The form that asks for the address.
fn ask(asked: &Visit, locale: Locale, form: &Form, (status, told): (StatusCode, Told)) -> Response {
    let (b, w) = (billing::Words::of(locale), Words::of(locale));
    let maker = Maker { form, faults: &told.faults, locale };
    let email = maker.field("email", w.email, "email");
    let step = Step {
        heading: b.login_title.to_owned(),
        text: vec![b.login_text.to_owned()],
        fields: vec![Field { kind: "email", inputmode: "email", ..email }],
        buttons: vec![("", b.login_submit.to_owned(), "")],
        ..Step::default()
    };
    step.framed(frame(asked, w), (status, told))
}

fn frame(asked: &Visit, w: &'static Words) -> Frame {
    let path = asked.pages.path(&format!("/p/login/{}", asked.id));
    Frame {
        w,
        action: format!("{path}?lang={}", w.locale.code()),
        path,
        token: asked.pages.key.token(&subject(&asked.id)),
        back: None,
        sandbox: None,
    }
}

/// The configuration that the link is of; an answer where there is none, or it lets nobody in.
#[expect(clippy::result_large_err, reason = "the answer is what is sent")]
fn find(asked: &Visit, locale: Locale) -> Result<(Arc<World>, Arc<Object>), Response> {
    let Some((world, id)) = visit::at(&asked.pages.world, &asked.id) else {
        return Err(asked.nothing());
    };
    let Some(configuration) = world.read(|view| view.get(CONFIGURATION, &id)) else {
        return Err(asked.nothing());
    };
    if act::lets_in(&configuration) {
        return Ok((world, configuration));
    }
    let b = billing::Words::of(locale);
    Err(page(StatusCode::GONE, &NoticePage::new(locale, "wait", b.login_title, b.login_off)))
}

fn subject(link: &str) -> String {
    format!("login:{link}")
}
