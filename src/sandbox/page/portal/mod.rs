//! `/p/session/{session}`: the customer portal. Each place in it is a page of its own, which a session that was opened
//! for one thing shows alone.

pub mod act;
pub mod details;
pub mod home;
pub mod login;
pub mod place;
pub mod plan;
pub mod step;

use crate::domain::locale::Locale;
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::portal::features;
use crate::sandbox::behaviour::portal::visit::{self, Visited};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::PortalPart;
use crate::sandbox::engine::txn::{Origin, Txn};
use crate::sandbox::engine::worlds::World;
use crate::sandbox::page::answer::{page, query, see_other};
use crate::sandbox::page::entry::{self, Form};
use crate::sandbox::page::invoice;
use crate::sandbox::page::pay::{self, Told};
use crate::sandbox::page::portal::act::{Change, Done};
use crate::sandbox::page::portal::details::Described;
use crate::sandbox::page::portal::place::Place;
use crate::sandbox::page::portal::step::Step;
use crate::sandbox::page::refusal;
use crate::sandbox::page::view::NoticePage;
use crate::sandbox::page::visit::Visit;
use crate::wire::failure::Failure;
use crate::words::billing;
use crate::words::page::Words;
use axum::extract;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;

/// Who visits, and with which session.
pub struct Guest {
    /// The request.
    pub asked: Visit,
    /// The account's world.
    pub world: Arc<World>,
    /// The session's name in its address.
    pub token: String,
    /// The session, what it allows, and whose it is.
    pub visited: Visited,
    /// The language of the answer.
    pub locale: Locale,
}

impl Guest {
    /// The address of a place.
    pub fn url(&self, place: &Place) -> String {
        format!("{}?lang={}", self.path(place), self.locale.code())
    }

    /// The path of a place.
    pub fn path(&self, place: &Place) -> String {
        self.asked.pages.path(&format!("/p/session/{}{}", self.token, place.path()))
    }

    /// The words of billing.
    pub fn b(&self) -> &'static billing::Words {
        billing::Words::of(self.locale)
    }

    /// The words of every page.
    pub fn w(&self) -> &'static Words {
        Words::of(self.locale)
    }

    /// What the session's forms are sent with.
    pub fn form_token(&self) -> String {
        self.asked.pages.key.token(&subject(&self.token))
    }

    /// The customer's id.
    pub fn customer(&self) -> &str {
        text(&self.visited.customer, "id")
    }

    /// Where the session leads back to.
    pub fn return_url(&self) -> Option<String> {
        self.visited.session.get("return_url").and_then(Value::as_str).map(str::to_owned)
    }

    /// What the session is still to be used for.
    pub fn flow(&self) -> Option<&Value> {
        visit::flow(&self.visited.session)
    }

    /// Whether the session was opened for one thing, which is done, and leads nowhere else in the portal.
    pub fn is_closed(&self) -> bool {
        let session = &self.visited.session;
        let after = session.pointer("/flow/after_completion").map(|it| text(it, "type"));
        session.part::<PortalPart>().done && after.is_some_and(|after| after != "portal_homepage")
    }

    /// A subscription of the customer that is not over.
    pub fn subscription(&self, id: &str) -> Option<Arc<Object>> {
        let found = self.world.read(|view| view.get("subscription", id))?;
        let running = !matches!(text(&found, "status"), "canceled" | "incomplete_expired");
        (running && text(&found, "customer") == self.customer()).then_some(found)
    }
}

/// `GET /p/session/{session}` and what lies below.
pub async fn show(asked: Visit) -> Response {
    let (guest, place) = match arrive(asked) {
        Ok(arrived) => arrived,
        Err(answer) => return answer,
    };
    let (session, now) = (&guest.visited.session, guest.world.now().0);
    if visit::is_news(session, now) {
        let id = text(session, "id").to_owned();
        let note = |txn: &mut Txn<'_>| {
            visit::note(txn, &id);
            Ok(())
        };
        if guest.world.change(Origin::default(), note).await.is_err() {
            tracing::debug!("a look at the portal was not noted");
        }
    }
    if let Some(flow) = guest.flow() {
        if !place.belongs_to(flow) {
            return Place::of_flow(flow)
                .map_or_else(|| guest.asked.nothing(), |place| see_other(&guest.url(&place)));
        }
    } else if guest.is_closed() && place != Place::Home {
        return see_other(&guest.url(&Place::Home));
    }
    if let Place::Kept(of) = &place {
        return keep_confirmed(guest, of.clone()).await;
    }
    form(&guest, &place, &Form::new(), (StatusCode::OK, Told::default())).await
}

/// `POST /p/session/{session}` and what lies below: does what the place is for.
pub async fn submit(asked: Visit, extract::Form(sent): extract::Form<Form>) -> Response {
    let (guest, place) = match arrive(asked) {
        Ok(arrived) => arrived,
        Err(answer) => return answer,
    };
    let token = sent.get("token").map_or("", String::as_str);
    if !guest.asked.pages.key.fits(&subject(&guest.token), token) {
        let told = Told::problem(guest.w().stale_form);
        return form(&guest, &place, &sent, (StatusCode::FORBIDDEN, told)).await;
    }
    if guest.is_closed() || guest.flow().is_some_and(|flow| !place.belongs_to(flow)) {
        return see_other(&guest.url(&Place::Home));
    }
    match perform(&guest, &place, &sent).await {
        Ok(next) => follow(&guest, next),
        Err(told) => form(&guest, &place, &sent, (StatusCode::PAYMENT_REQUIRED, told)).await,
    }
}

/// What follows an act.
enum Next {
    /// It is done; what is told of it.
    Done(&'static str),
    /// The intent of that id waits for its owner.
    Asks(String),
    /// Another page of the portal goes on with it.
    Go(String),
}

/// The session at an address and the place in it; an answer where there is none, or it is over.
#[expect(clippy::result_large_err, reason = "the answer is what is sent")]
fn arrive(asked: Visit) -> Result<(Guest, Place), Response> {
    let (token, rest) = asked.id.split_once('/').unwrap_or((&asked.id, ""));
    let (token, place) = (token.to_owned(), Place::read(rest));
    let Some((world, _)) = visit::at(&asked.pages.world, &token) else {
        return Err(asked.nothing());
    };
    let url = format!("{}/p/session/{token}", asked.pages.world.site().base_url);
    let Some(visited) = world.read(|view| visit::find(view, &url)) else {
        return Err(asked.nothing());
    };
    let locale = asked.language(visited.session.get("locale").and_then(Value::as_str));
    if visit::is_over(&visited, world.now().0) {
        return Err(ended(&visited, locale));
    }
    let Some(place) = place else { return Err(asked.nothing()) };
    let guest = Guest { asked, world, token, visited, locale };
    let is_open = place
        .feature()
        .is_none_or(|feature| features::is_on(&guest.visited.configuration, feature));
    let is_own = place.subscription().is_none_or(|id| guest.subscription(id).is_some());
    if is_open && is_own { Ok((guest, place)) } else { Err(guest.asked.nothing()) }
}

/// The page of a session that is over.
fn ended(visited: &Visited, locale: Locale) -> Response {
    let b = billing::Words::of(locale);
    let mut notice = NoticePage::new(locale, "wait", b.ended_title, b.ended_text);
    let member =
        |of: &Value, path: &str| of.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let login = member(&visited.configuration, "/login_page/url");
    notice.link = member(&visited.session, "/return_url").or(login);
    page(StatusCode::GONE, &notice)
}

/// The page of a place.
async fn form(
    guest: &Guest,
    place: &Place,
    sent: &Form,
    (status, told): (StatusCode, Told),
) -> Response {
    let step = match place {
        Place::Home if guest.is_closed() => return confirmed(guest),
        Place::Home | Place::Method(_) | Place::Kept(_) => {
            return home::show(guest, (status, told));
        }
        Place::Card(_) => step::card(guest, sent, &told),
        Place::Details => details::step(guest, sent, &told),
        Place::Change(id) => plan::choose(guest, id, sent, &told),
        Place::Confirm(id) => match plan::confirm(guest, id, sent).await {
            Ok(step) => step,
            Err(problem) => {
                let told = Told::problem(&problem);
                return match plan::choose(guest, id, sent, &told) {
                    Some(step) => step.page(guest, &Place::Change(id.clone()), (status, told)),
                    None => guest.asked.nothing(),
                };
            }
        },
        Place::Cancel(id) => step::cancel(guest, id, sent),
        Place::Keep(id) => step::keep(guest, id),
        Place::Stay(id) => step::stay(guest, id),
        Place::Pause(id) => step::pause(guest, id),
        Place::Resume(id) => step::resume(guest, id),
    };
    match step {
        Some(step) => step.page(guest, place, (status, told)),
        None => guest.asked.nothing(),
    }
}

/// What is shown in place of the portal once the flow that it was opened for is done.
fn confirmed(guest: &Guest) -> Response {
    let (b, session) = (guest.b(), &guest.visited.session);
    let at = |path: &str| session.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let own = at("/flow/after_completion/hosted_confirmation/custom_message");
    let said = query(&guest.asked.uri, "done").and_then(|name| home::note(b, name));
    let said = own.or(said.map(str::to_owned)).unwrap_or_default();
    let mut notice = NoticePage::new(guest.locale, "good", b.confirmed_title, &said);
    let target = at("/flow/after_completion/redirect/return_url");
    notice.link = target.or_else(|| guest.return_url());
    page(StatusCode::OK, &notice)
}

/// What was read of a form before anything is changed.
#[derive(Default)]
struct Read {
    change: Option<Change>,
    described: Option<Described>,
}

/// Does what a place is for, in one change with the end of the flow.
async fn perform(guest: &Guest, place: &Place, sent: &Form) -> Result<Next, Told> {
    let mut read = Read::default();
    match place {
        Place::Card(of) => return keep_card(guest, of.as_deref(), sent).await,
        Place::Change(id) => {
            return match plan::asked(guest, id, sent) {
                Ok(query) => {
                    let page = guest.url(&Place::Confirm(id.clone()));
                    Ok(Next::Go(format!("{page}&{query}")))
                }
                Err(problem) => Err(Told::problem(&problem)),
            };
        }
        Place::Confirm(id) => {
            let change = plan::wanted(guest, id, sent);
            read.change = Some(change.ok_or_else(|| Told::problem(guest.b().no_change))?);
        }
        Place::Details => read.described = Some(details::read(guest, sent)?),
        _ => {}
    }
    let run = |txn: &mut Txn<'_>| {
        let next = run(txn, guest, (place, sent), read)?;
        act::finish(txn, text(&guest.visited.session, "id"));
        Ok(next)
    };
    guest.world.change(Origin::default(), run).await.map_err(|failure| {
        // The API's own sentence says what is wrong; a card's refusal has words of ours.
        Told::problem(&refusal::refusal(guest.w(), &failure))
    })
}

fn run(
    txn: &mut Txn<'_>,
    guest: &Guest,
    (place, sent): (&Place, &Form),
    read: Read,
) -> Result<Next, Failure> {
    let (configuration, customer) = (&guest.visited.configuration, guest.customer());
    let field = |name: &str| sent.get(name).map_or("", |it| it.trim());
    let done = match place {
        Place::Method(id) => {
            own_card(txn, customer, id)?;
            if field("act") == "remove" {
                act::remove_card(txn, id).map(|()| "removed")
            } else {
                act::make_default(txn, customer, id, None).map(|()| "card")
            }
        }
        Place::Confirm(id) => {
            let to = read.change.unwrap_or_default();
            match act::change(txn, id, configuration, &to)? {
                Done::Asks(intent) => return Ok(Next::Asks(intent)),
                Done::Fully => Ok("change"),
                Done::Later => Ok("change_later"),
            }
        }
        Place::Cancel(id) => {
            let accepted = step::coupon(guest).filter(|_| field("act") == "accept");
            if let Some(coupon) = accepted {
                act::take_offer(txn, id, &coupon).map(|()| "offer")
            } else {
                let said = (field("feedback"), field("comment"));
                let at_once = act::cancel(txn, id, configuration, said)?;
                Ok(if at_once { "cancel_now" } else { "cancel" })
            }
        }
        Place::Keep(id) => act::keep(txn, id).map(|()| "keep"),
        Place::Stay(id) => act::stay(txn, id).map(|()| "stay"),
        Place::Pause(id) => {
            let until = step::pauses_until(guest, field("months"), txn.now());
            act::pause(txn, id, until).map(|()| "pause")
        }
        Place::Resume(id) => act::resume(txn, id).map(|()| "resume"),
        Place::Details => {
            let (params, tax_id) = read.described.unwrap_or_default();
            act::describe(txn, customer, params)?;
            if let Some((kind, value)) = &tax_id {
                act::add_tax_id(txn, customer, (kind, value))?;
            }
            Ok("details")
        }
        Place::Home | Place::Kept(_) | Place::Card(_) | Place::Change(_) => Ok(""),
    };
    done.map(Next::Done)
}

/// Fails for a card of somebody else.
fn own_card(txn: &Txn<'_>, customer: &str, id: &str) -> Result<(), Failure> {
    let found = txn.find("payment_method", id, "payment_method")?;
    if text(&found, "customer") == customer {
        return Ok(());
    }
    Err(Failure::missing("PaymentMethod", id, "payment_method"))
}

/// Keeps the card that was typed, and has it pay what comes next once its owner has confirmed it.
async fn keep_card(guest: &Guest, of: Option<&str>, sent: &Form) -> Result<Next, Told> {
    let words = guest.w();
    let entry = entry::read(sent, &invoice::asks(&guest.visited.customer), words)
        .map_err(|faults| Told { faults, ..Told::problem(words.problem) })?;
    let Some(card) = invoice::card(&entry) else { return Err(Told::problem(words.problem)) };
    let base = &guest.world.site().base_url;
    let kept = Place::Kept(of.map(str::to_owned)).path();
    let back = format!("{base}/p/session/{}{kept}?lang={}", guest.token, guest.locale.code());
    let (customer, session) = (guest.customer(), text(&guest.visited.session, "id"));
    let keep = |txn: &mut Txn<'_>| {
        let (done, chosen) = act::keep_card(txn, customer, &card, &back)?;
        if done == Done::Fully {
            act::make_default(txn, customer, &chosen, of)?;
            act::finish(txn, session);
        }
        Ok(done)
    };
    let made = guest.world.change(Origin::default(), keep).await;
    match made.map_err(|failure| pay::refused(&failure, words))? {
        Done::Fully | Done::Later => Ok(Next::Done("card")),
        Done::Asks(intent) => Ok(Next::Asks(intent)),
    }
}

/// Has a card pay that its owner has confirmed at the bank.
async fn keep_confirmed(guest: Guest, of: Option<String>) -> Response {
    let intent = query(&guest.asked.uri, "setup_intent").unwrap_or_default().to_owned();
    let (customer, session) = (guest.customer(), text(&guest.visited.session, "id"));
    let keep = |txn: &mut Txn<'_>| {
        let Some(card) = act::confirmed(txn, customer, &intent) else { return Ok(false) };
        act::make_default(txn, customer, &card, of.as_deref())?;
        act::finish(txn, session);
        Ok(true)
    };
    if matches!(guest.world.change(Origin::default(), keep).await, Ok(true)) {
        return follow(&guest, Next::Done("card"));
    }
    let place = Place::Card(of.clone());
    let told = Told::problem(guest.w().setup_refused);
    form(&guest, &place, &Form::new(), (StatusCode::PAYMENT_REQUIRED, told)).await
}

/// Where it goes on: to the bank, to the next page, or where the flow ends.
fn follow(guest: &Guest, next: Next) -> Response {
    let said = match next {
        Next::Asks(intent) => {
            let path = format!("/3ds/{intent}?lang={}", guest.locale.code());
            return see_other(&guest.asked.pages.path(&path));
        }
        Next::Go(url) => return see_other(&url),
        Next::Done(said) => said,
    };
    let after = guest.flow().and_then(|flow| flow.pointer("/after_completion/redirect/return_url"));
    if let Some(url) = after.and_then(Value::as_str) {
        return see_other(url);
    }
    see_other(&format!("{}&done={said}", guest.url(&Place::Home)))
}

fn subject(token: &str) -> String {
    format!("portal:{token}")
}

/// A step, where there is one to take.
pub type Shown = Option<Step>;
