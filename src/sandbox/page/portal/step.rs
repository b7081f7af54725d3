//! One thing to do in the portal: what it is about, what is asked, and the buttons that do it.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::{scheduled, subscription};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::portal::offer;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::page::answer::page;
use crate::sandbox::page::entry::{FieldError, Form};
use crate::sandbox::page::field::{Choice, Field, Maker, shown};
use crate::sandbox::page::pay::Told;
use crate::sandbox::page::portal::place::Place;
use crate::sandbox::page::portal::{Guest, Shown, plan};
use crate::sandbox::page::view::other_language;
use crate::sandbox::paper::bill;
use crate::words::billing;
use crate::words::page::Words;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

/// Choices of which one is taken.
#[derive(Clone, Debug)]
pub struct Group {
    /// What is asked.
    pub legend: &'static str,
    /// The field.
    pub name: &'static str,
    /// The answers.
    pub choices: Vec<Choice>,
}

/// A button: the value of `act` that it sends, what it says, and how it looks.
pub type Button = (&'static str, String, &'static str);

/// One thing to do.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// What it is.
    pub heading: String,
    /// Sentences about it.
    pub text: Vec<String>,
    /// What it comes to.
    pub rows: Vec<(String, String)>,
    /// What is chosen.
    pub groups: Vec<Group>,
    /// What is typed.
    pub fields: Vec<Field>,
    /// What goes along.
    pub hidden: Vec<(&'static str, String)>,
    /// What is pressed.
    pub buttons: Vec<Button>,
    /// Whether test cards are spoken of.
    pub tests: bool,
}

/// The page of a step.
#[derive(Template, Debug)]
#[template(path = "portal_step.html", config = "src/sandbox/page/askama.toml")]
struct StepPage {
    w: &'static Words,
    title: String,
    other_language: String,
    merchant: &'static str,
    back: Option<(String, String)>,
    step: Step,
    problem: String,
    faults: Vec<FieldError>,
    action: String,
    token: String,
    sandbox: Option<(&'static str, Option<String>)>,
    open: &'static str,
}

/// What a page that has no session yet knows of itself.
pub struct Frame {
    /// The words.
    pub w: &'static Words,
    /// The path of the page, for the other language.
    pub path: String,
    /// Where its form is sent.
    pub action: String,
    /// The form's token.
    pub token: String,
    /// A way back: its address and what it says.
    pub back: Option<(String, String)>,
    /// What would be sent by e-mail: what is said of it, and where it leads.
    pub sandbox: Option<(&'static str, Option<String>)>,
}

impl Step {
    /// The page of a step, at a place.
    pub fn page(
        self,
        guest: &Guest,
        place: &Place,
        (status, told): (StatusCode, Told),
    ) -> Response {
        let home = (guest.url(&Place::Home), guest.b().go_back.to_owned());
        let out = guest.return_url().map(|url| (url, guest.b().back_to(MERCHANT)));
        let frame = Frame {
            w: guest.w(),
            path: guest.path(place),
            action: guest.url(place),
            token: guest.form_token(),
            back: if guest.flow().is_some() { out } else { Some(home) },
            sandbox: None,
        };
        self.framed(frame, (status, told))
    }

    /// The page of a step.
    pub fn framed(self, frame: Frame, (status, told): (StatusCode, Told)) -> Response {
        let w = frame.w;
        let prefix =
            if told.problem.is_empty() { String::new() } else { format!("{}: ", w.error_prefix) };
        let filled = StepPage {
            w,
            title: format!("{prefix}{}", self.heading),
            other_language: other_language(&frame.path, w.locale),
            merchant: MERCHANT,
            back: frame.back,
            step: self,
            problem: told.problem,
            faults: told.faults,
            action: frame.action,
            token: frame.token,
            sandbox: frame.sandbox,
            open: billing::Words::of(w.locale).login_open,
        };
        page(status, &filled)
    }
}

/// The name of who has the portal.
pub const MERCHANT: &str = "stripegym";

fn button(says: &str) -> Vec<Button> {
    vec![("", says.to_owned(), "")]
}

/// A day as the guest writes it.
pub fn day(guest: &Guest, at: i64) -> String {
    // The account's settings say where its days begin.
    let is_japanese = guest.world.read(|view| Settings::of(view).get("country") == "JP");
    bill::day(at, is_japanese, guest.b())
}

/// Another card.
#[expect(clippy::unnecessary_wraps, reason = "as every page of the portal")]
pub fn card(guest: &Guest, sent: &Form, told: &Told) -> Shown {
    let b = guest.b();
    let maker = Maker { form: sent, faults: &told.faults, locale: guest.locale };
    Some(Step {
        heading: b.card_title.to_owned(),
        text: vec![b.card_text.to_owned()],
        fields: maker.card(),
        buttons: button(b.card_submit),
        tests: true,
        ..Step::default()
    })
}

/// The coupon that the flow offers to those who want to leave.
pub fn coupon(guest: &Guest) -> Option<String> {
    let coupon = guest.flow()?.pointer("/subscription_cancel/retention/coupon_offer/coupon")?;
    coupon.as_str().map(str::to_owned)
}

/// The end of a subscription: when, and why.
pub fn cancel(guest: &Guest, id: &str, sent: &Form) -> Shown {
    let (b, known) = (guest.b(), guest.subscription(id)?);
    let feature = guest.visited.configuration.pointer("/features/subscription_cancel")?;
    let at_once = text(feature, "mode") == "immediately";
    let when = if at_once {
        b.cancel_now_text.to_owned()
    } else {
        b.cancel_text(&day(guest, subscription::period_end(&known)?))
    };
    let mut step = Step {
        heading: b.cancel_title.to_owned(),
        text: vec![names(guest, &known), when],
        groups: reasons(guest, feature),
        fields: comment(guest, feature, sent),
        buttons: button(b.cancel_submit),
        ..Step::default()
    };
    let offered = coupon(guest).and_then(|id| guest.world.read(|view| view.get("coupon", &id)));
    if let Some(coupon) = offered {
        let off = match coupon.get("percent_off").filter(|it| !it.is_null()) {
            Some(_) => b.percent(&bill::number(&coupon, "percent_off")),
            None => shown(int(&coupon, "amount_off"), text(&coupon, "currency")),
        };
        b.offer_title.clone_into(&mut step.heading);
        step.text.insert(0, b.offer_text(&off));
        step.buttons = vec![
            ("accept", b.offer_accept.to_owned(), ""),
            ("cancel", b.cancel_submit.to_owned(), "quiet"),
        ];
    }
    Some(step)
}

/// What a subscription is of.
pub fn names(guest: &Guest, known: &Object) -> String {
    let name = |item: &Value| {
        let product = item.get("price").map_or("", |price| text(price, "product"));
        let found = guest.world.read(|view| view.get("product", product));
        let name = found.map(|it| text(&it, "name").to_owned()).unwrap_or_default();
        match int(item, "quantity") {
            0 | 1 => name,
            many => guest.b().times(&name, &many.to_string()),
        }
    };
    subscription::items(known).iter().map(name).collect::<Vec<_>>().join(", ")
}

fn asks_why(feature: &Value) -> bool {
    feature.pointer("/cancellation_reason/enabled") == Some(&Value::Bool(true))
}

fn reasons(guest: &Guest, feature: &Value) -> Vec<Group> {
    let b = guest.b();
    let known = [
        ("customer_service", b.customer_service),
        ("low_quality", b.low_quality),
        ("missing_features", b.missing_features),
        ("other", b.other),
        ("switched_service", b.switched_service),
        ("too_complex", b.too_complex),
        ("too_expensive", b.too_expensive),
        ("unused", b.unused),
    ];
    let asked = feature.pointer("/cancellation_reason/options").and_then(Value::as_array);
    let choice = |name: &Value| {
        let (value, label) = known.iter().find(|(known, _)| name == known)?;
        Some(Choice {
            value: (*value).to_owned(),
            label: (*label).to_owned(),
            amount: String::new(),
            chosen: false,
        })
    };
    let choices: Vec<Choice> =
        asked.into_iter().flatten().filter(|_| asks_why(feature)).filter_map(choice).collect();
    if choices.is_empty() {
        return Vec::new();
    }
    vec![Group { legend: b.cancel_reason, name: "feedback", choices }]
}

fn comment(guest: &Guest, feature: &Value, sent: &Form) -> Vec<Field> {
    if !asks_why(feature) {
        return Vec::new();
    }
    vec![Field {
        id: "comment".to_owned(),
        label: guest.b().cancel_comment.to_owned(),
        value: sent.get("comment").cloned().unwrap_or_default(),
        kind: "text",
        autocomplete: "off",
        optional: true,
        ..Field::default()
    }]
}

/// The end is taken back.
pub fn keep(guest: &Guest, id: &str) -> Shown {
    let (b, known) = (guest.b(), guest.subscription(id)?);
    let ends = known.get("cancel_at").and_then(Value::as_i64)?;
    Some(Step {
        heading: b.keep_title.to_owned(),
        text: vec![names(guest, &known), b.keep_text(&day(guest, ends))],
        buttons: button(b.keep_submit),
        ..Step::default()
    })
}

/// The change that waits for the end of the period, as it is told: what the subscription is then, and when.
pub fn coming(guest: &Guest, known: &Object) -> Option<(String, String)> {
    guest
        .world
        .read(|view| {
            let phase = scheduled::next_phase(view, known)?;
            let item = phase.pointer("/items/0")?;
            let price = view.get("price", text(item, "price"))?;
            let product = view.get("product", text(&price, "product"))?;
            let name = match int(item, "quantity") {
                0 | 1 => text(&product, "name").to_owned(),
                many => guest.b().times(text(&product, "name"), &many.to_string()),
            };
            let cost = offer::cost(view, &price, int(item, "quantity").max(1));
            let cost = plan::per(guest.b(), &price, &shown(cost, text(&price, "currency")));
            Some((format!("{name} — {cost}"), int(&phase, "start_date")))
        })
        .map(|(name, at)| (name, day(guest, at)))
}

/// A change that waits is taken back.
pub fn stay(guest: &Guest, id: &str) -> Shown {
    let (b, known) = (guest.b(), guest.subscription(id)?);
    let (_, day) = coming(guest, &known)?;
    Some(Step {
        heading: b.stay_title.to_owned(),
        text: vec![names(guest, &known), b.stay_text(&day)],
        buttons: button(b.stay_submit),
        ..Step::default()
    })
}

/// A pause.
pub fn pause(guest: &Guest, id: &str) -> Shown {
    let (b, known) = (guest.b(), guest.subscription(id)?);
    let choices: Vec<Choice> = spans(guest)
        .iter()
        .enumerate()
        .map(|(at, (unit, count))| Choice {
            value: at.to_string(),
            label: span(b, unit, *count),
            amount: String::new(),
            chosen: at == 0,
        })
        .collect();
    let groups = if choices.is_empty() {
        Vec::new()
    } else {
        vec![Group { legend: b.months_of_pause, name: "months", choices }]
    };
    Some(Step {
        heading: b.pause_title.to_owned(),
        text: vec![names(guest, &known), b.pause_text.to_owned()],
        groups,
        buttons: button(b.pause_submit),
        ..Step::default()
    })
}

/// How long a customer may pause, where the configuration says it.
fn spans(guest: &Guest) -> Vec<(String, i64)> {
    let duration = guest.visited.configuration.pointer("/features/subscription_pause/duration");
    let duration = duration.filter(|it| text(it, "type") == "interval_options");
    let options = duration.and_then(|it| it.get("interval_options")?.as_array());
    options
        .into_iter()
        .flatten()
        .map(|it| (text(it, "interval").to_owned(), int(it, "interval_count").max(1)))
        .collect()
}

fn span(b: &billing::Words, unit: &str, count: i64) -> String {
    let count = count.to_string();
    match unit {
        "day" => b.span_days(&count),
        "week" => b.span_weeks(&count),
        "year" => b.span_years(&count),
        _ => b.span_months(&count),
    }
}

/// When a pause of the chosen length ends; `None` for one without an end.
pub fn pauses_until(guest: &Guest, chosen: &str, now: Timestamp) -> Option<i64> {
    let spans = spans(guest);
    let (unit, count) = spans.get(chosen.parse::<usize>().unwrap_or(0))?;
    Some(match &**unit {
        "day" => now.plus(count * 86_400).0,
        "week" => now.plus(count * 7 * 86_400).0,
        "year" => now.plus_months(count * 12).0,
        _ => now.plus_months(*count).0,
    })
}

/// The end of a pause.
pub fn resume(guest: &Guest, id: &str) -> Shown {
    let (b, known) = (guest.b(), guest.subscription(id)?);
    Some(Step {
        heading: b.resume_title.to_owned(),
        text: vec![names(guest, &known), b.resume_text.to_owned()],
        buttons: button(b.resume_submit),
        ..Step::default()
    })
}
