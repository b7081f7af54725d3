//! What each page shows: the templates and what fills them. Everything put in is escaped.

use crate::domain::locale::Locale;
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::SessionPart;
use crate::sandbox::page::choices;
use crate::sandbox::page::entry::{Asks, FieldError, Form, Saved};
use crate::sandbox::page::field::{Choice, Field, Maker, shown};
use crate::sandbox::page::leave::{self, Framed};
use crate::sandbox::page::order::{self, Order};
use crate::words::page::Words;
use askama::Template;
use serde_json::Value;

/// The name of the shop that a session belongs to.
pub fn merchant(session: &Value) -> String {
    let settings = session.get("branding_settings");
    let name = settings.map(|settings| text(settings, "display_name")).unwrap_or_default();
    if name.is_empty() { "stripegym".to_owned() } else { name.to_owned() }
}

/// The same page in the other language; `path` begins with what the world's paths begin with.
pub fn other_language(path: &str, locale: Locale) -> String {
    let other = if locale == Locale::Ja { "en" } else { "ja" };
    format!("{path}?lang={other}")
}

/// One way to pay.
#[derive(Clone, Debug)]
pub struct Method {
    /// As the API calls it; of one that was kept, its id.
    pub name: String,
    /// As people call it.
    pub label: String,
    /// What happens with it.
    pub note: &'static str,
    /// Whether it is the one.
    pub chosen: bool,
    /// What it asks for.
    pub fields: Vec<Field>,
}

/// The page that pays a session.
#[derive(Template, Debug)]
#[template(path = "pay.html", config = "src/sandbox/page/askama.toml")]
#[expect(clippy::struct_excessive_bools, reason = "each shows one part of the page or not")]
pub struct PayPage {
    pub w: &'static Words,
    pub title: String,
    pub other_language: String,
    pub merchant: String,
    pub back_url: Option<String>,
    pub heading: String,
    pub order: Option<Order>,
    pub removable: bool,
    pub due: i64,
    pub note: String,
    pub problem: String,
    pub faults: Vec<FieldError>,
    pub action: String,
    pub token: String,
    pub known_email: Option<String>,
    pub contact: Vec<Field>,
    pub shipping_fields: Vec<Field>,
    pub shipping_message: String,
    pub shipping_options: Vec<Choice>,
    pub methods: Vec<Method>,
    pub billing_fields: Vec<Field>,
    pub names: Vec<Field>,
    pub custom_fields: Vec<Field>,
    pub terms: bool,
    pub terms_message: String,
    pub promotions: bool,
    pub save: bool,
    pub typed: Form,
    pub submit: String,
    pub message: String,
    /// Whether it stands in a frame of the merchant's page.
    pub framed: bool,
}

/// What a payment page starts from besides its session.
#[derive(Debug)]
pub struct Setting<'s> {
    /// The page's language.
    pub locale: Locale,
    /// Its form's token.
    pub token: String,
    /// What was typed before.
    pub form: &'s Form,
    /// What was wrong with it.
    pub faults: Vec<FieldError>,
    /// What was wrong with the payment as a whole; empty where nothing was.
    pub problem: String,
    /// What happened that was not wrong; empty where nothing did.
    pub note: String,
    /// Payment methods that the customer kept.
    pub saved: Vec<Saved>,
    /// What the world's paths begin with.
    pub root: &'s str,
}

impl PayPage {
    /// The page of a session; `rates` are the names of its shipping options.
    pub fn of(session: &Object, rates: &[(String, Value)], setting: Setting<'_>) -> Self {
        let Setting { locale, token, form, faults, problem, note, saved, root } = setting;
        let w = Words::of(locale);
        let asks = Asks { saved, ..Asks::of(session) };
        let maker = Maker { form, faults: &faults, locale };
        let order = (!asks.setup).then(|| Order::of(session, &asks, &faults, w));
        let merchant = merchant(session);
        let path = format!("{root}{}", leave::pay_path(session));
        let heading = if asks.setup { w.setup_to(&merchant) } else { w.pay_to(&merchant) };
        let prefix =
            if problem.is_empty() { String::new() } else { format!("{}: ", w.error_prefix) };
        let total = order.as_ref().map(|order| order.total.clone()).unwrap_or_default();
        let about = if asks.setup { String::new() } else { format!(" · {total}") };
        let custom_text = |name: &str| {
            let said = session.pointer(&format!("/custom_text/{name}/message"));
            said.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        Self {
            w,
            title: format!("{prefix}{heading}{about}"),
            other_language: other_language(&path, locale),
            back_url: session.get("cancel_url").and_then(Value::as_str).map(str::to_owned),
            removable: asks.code && order.as_ref().is_some_and(|it| it.discount.is_some()),
            due: choices::due(session),
            contact: contact(&maker, &asks),
            shipping_fields: if asks.ships_to.is_empty() {
                Vec::new()
            } else {
                let name = maker.field("shipping_name", w.full_name, "shipping name");
                [name].into_iter().chain(maker.address("shipping", &asks.ships_to)).collect()
            },
            shipping_message: custom_text("shipping_address"),
            shipping_options: shipping_options(session, rates, form, w),
            methods: if asks.free { Vec::new() } else { methods(&maker, &asks) },
            billing_fields: if asks.billing { maker.address("billing", &[]) } else { Vec::new() },
            names: maker.names(&asks),
            custom_fields: maker.custom(&asks.custom),
            terms: asks.terms,
            terms_message: custom_text("terms_of_service_acceptance"),
            promotions: asks.promotions,
            save: asks.save,
            typed: form.clone(),
            submit: submit(session, w, &total),
            message: custom_text("submit"),
            framed: leave::is_framed(session),
            action: format!("{path}?lang={}", locale.code()),
            known_email: asks.email,
            order,
            heading,
            merchant,
            note,
            problem,
            token,
            faults,
        }
    }

    /// What did not succeed, as the head of what there is to mend.
    fn alert(&self) -> &'static str {
        match self.faults.as_slice() {
            [fault] if fault.field == "code" => self.w.code_refused,
            _ if self.order.is_none() => self.w.setup_refused,
            _ => self.w.problem,
        }
    }

    /// What was typed into a field before.
    fn typed(&self, name: &str) -> &str {
        self.typed.get(name).map_or("", String::as_str)
    }

    /// Whether a box was ticked before.
    fn is_ticked(&self, name: &str) -> bool {
        self.typed.contains_key(name)
    }
}

fn contact(maker: &Maker<'_>, asks: &Asks) -> Vec<Field> {
    let w = maker.words();
    let email = asks.email.is_none().then(|| {
        let field = maker.field("email", w.email, "email");
        Field { kind: "email", inputmode: "email", placeholder: "you@example.com", ..field }
    });
    let phone = asks.phone.then(|| {
        let field = maker.field("phone", w.phone, "tel");
        Field { kind: "tel", inputmode: "tel", ..field }
    });
    email.into_iter().chain(phone).collect()
}

fn methods(maker: &Maker<'_>, asks: &Asks) -> Vec<Method> {
    let w = maker.words();
    let sent = maker.form.get("method").map_or("", String::as_str);
    let names = asks.saved.iter().map(|saved| &saved.id).chain(&asks.methods);
    let names: Vec<&String> = names.collect();
    let chosen = names.iter().find(|name| **name == sent).or(names.first()).copied().cloned();
    let kept = asks.saved.iter().map(|saved| Method {
        name: saved.id.clone(),
        label: w.saved_card(&saved.brand, &saved.last4),
        note: "",
        chosen: Some(&saved.id) == chosen.as_ref(),
        fields: Vec::new(),
    });
    let known = asks.methods.iter().filter_map(|name| {
        let (label, note, fields) = match name.as_str() {
            "card" => (w.card, "", maker.card()),
            "konbini" => (w.konbini, w.konbini_note, maker.konbini()),
            "sepa_debit" => (w.sepa_debit, "", maker.sepa_debit()),
            _ => return None,
        };
        let chosen = Some(name) == chosen.as_ref();
        Some(Method { name: name.clone(), label: label.to_owned(), note, chosen, fields })
    });
    kept.chain(known).collect()
}

fn shipping_options(
    session: &Value,
    rates: &[(String, Value)],
    form: &Form,
    w: &Words,
) -> Vec<Choice> {
    let currency = text(session, "currency");
    let options = session.get("shipping_options").and_then(Value::as_array);
    let current = session.get("shipping_cost").map(|cost| text(cost, "shipping_rate"));
    let asked = form.get("shipping_option");
    let choice = |(at, option): (usize, &Value)| Choice {
        value: at.to_string(),
        label: rates
            .get(at)
            .map(|(name, estimate)| order::shipped_by(name, estimate, w))
            .unwrap_or_default(),
        amount: shown(int(option, "shipping_amount"), currency),
        chosen: asked.map_or_else(
            || current == Some(text(option, "shipping_rate")),
            |asked| *asked == at.to_string(),
        ),
    };
    options.into_iter().flatten().enumerate().map(choice).collect()
}

fn submit(session: &Value, w: &Words, total: &str) -> String {
    if text(session, "mode") == "setup" {
        return w.setup_submit.to_owned();
    }
    if int(session, "amount_total") == 0 {
        return w.confirm_free.to_owned();
    }
    // With several shipping options the total follows from the choice in the same form.
    let options = session.get("shipping_options").and_then(Value::as_array).map_or(0, Vec::len);
    if options > 1 {
        return w.place_order.to_owned();
    }
    match text(session, "submit_type") {
        "book" => w.book(total),
        "donate" => w.donate(total),
        _ => w.pay(total),
    }
}

/// A page that only tells something.
#[derive(Template, Debug)]
#[template(path = "notice.html", config = "src/sandbox/page/askama.toml")]
pub struct NoticePage {
    pub w: &'static Words,
    pub title: String,
    pub other_language: String,
    pub merchant: String,
    pub mark: &'static str,
    pub heading: &'static str,
    pub text: String,
    pub link: Option<String>,
    /// What the merchant's page around it is told, where there is one.
    pub framed: Option<Framed>,
}

impl NoticePage {
    /// A page with one heading and one sentence. `mark` is `good`, `wait` or `bad`.
    pub fn new(locale: Locale, mark: &'static str, heading: &'static str, text: &str) -> Self {
        Self {
            w: Words::of(locale),
            title: heading.to_owned(),
            other_language: String::new(),
            merchant: "stripegym".to_owned(),
            mark,
            heading,
            text: text.to_owned(),
            link: None,
            framed: None,
        }
    }

    /// The page of a session that cannot be paid any more.
    pub fn ended(session: &Object, root: &str, locale: Locale) -> Self {
        let w = Words::of(locale);
        let lapsed = session.part::<SessionPart>().lapsed;
        let complete = text(session, "status") == "complete" && !lapsed;
        let mut page = if lapsed {
            Self::new(locale, "bad", w.failed_title, w.voucher_lapsed)
        } else if complete {
            Self::new(locale, "good", w.done_title, w.done_text)
        } else {
            Self::new(locale, "wait", w.expired_title, w.expired_text)
        };
        let back = session.get("cancel_url").and_then(Value::as_str).map(str::to_owned);
        let said = |name: &str| session.pointer(name).and_then(Value::as_str).map(str::to_owned);
        if complete && text(session, "mode") == "setup" {
            w.setup_done.clone_into(&mut page.text);
        }
        if let Some(own) = said("/custom_text/after_submit/message").filter(|_| complete) {
            page.text = own;
        }
        page.link = if complete { leave::success(session) } else { back };
        page.framed = leave::is_framed(session).then_some(Framed { complete, leave: None });
        page.merchant = merchant(session);
        let path = format!("{root}{}", leave::pay_path(session));
        page.other_language = other_language(&path, locale);
        page
    }

    /// The page of an address that leads nowhere.
    pub fn missing(locale: Locale) -> Self {
        let w = Words::of(locale);
        Self::new(locale, "bad", w.missing_title, w.missing_text)
    }
}

/// The page on which a card's owner approves a payment.
#[derive(Template, Debug)]
#[template(path = "challenge.html", config = "src/sandbox/page/askama.toml")]
pub struct ChallengePage {
    pub w: &'static Words,
    pub title: String,
    pub other_language: String,
    pub text: String,
    pub asker: &'static str,
    pub card: String,
    pub action: String,
    pub token: String,
}

impl ChallengePage {
    /// The challenge of an intent that is paid with `method`, at a path.
    pub fn of(
        intent: &Value,
        method: Option<&Object>,
        merchant: &str,
        (locale, path): (Locale, &str),
        token: String,
    ) -> Self {
        let w = Words::of(locale);
        let amount = shown(int(intent, "amount"), text(intent, "currency"));
        let last4 = method.and_then(|m| m.get("card")?.get("last4")?.as_str());
        let of_setup = text(intent, "object") == "setup_intent";
        let wallet = method.is_some_and(|method| text(method, "type") == "paypay");
        Self {
            w,
            title: w.challenge_title.to_owned(),
            other_language: other_language(path, locale),
            text: if of_setup {
                w.challenge_setup(merchant)
            } else if wallet {
                w.challenge_wallet(&amount, merchant)
            } else {
                w.challenge_text(&amount, merchant)
            },
            asker: if wallet { "PayPay" } else { "3-D Secure" },
            card: last4.map(|last4| w.challenge_card(last4)).unwrap_or_default(),
            action: format!("{path}?lang={}", locale.code()),
            token,
        }
    }
}

/// The page on which the text of a sum that was sent to an account is repeated.
#[derive(Template, Debug)]
#[template(path = "microdeposits.html", config = "src/sandbox/page/askama.toml")]
pub struct MicrodepositsPage {
    pub w: &'static Words,
    pub title: String,
    pub other_language: String,
    pub merchant: &'static str,
    pub action: String,
    pub token: String,
    pub wrong: bool,
}

impl MicrodepositsPage {
    /// The page at a path; `wrong` where what was typed does not fit.
    pub fn of((locale, path): (Locale, &str), token: String, wrong: bool) -> Self {
        let w = Words::of(locale);
        Self {
            w,
            title: w.deposits_title.to_owned(),
            other_language: other_language(path, locale),
            merchant: "stripegym",
            action: format!("{path}?lang={}", locale.code()),
            token,
            wrong,
        }
    }
}

/// One store's numbers.
#[derive(Clone, Debug)]
pub struct Store {
    /// Its name.
    pub name: &'static str,
    /// The payment code.
    pub code: String,
    /// The confirmation number.
    pub confirmation: String,
}

/// The page with the numbers to show at the till.
#[derive(Template, Debug)]
#[template(path = "voucher.html", config = "src/sandbox/page/askama.toml")]
pub struct VoucherPage {
    pub w: &'static Words,
    pub title: String,
    pub other_language: String,
    pub merchant: String,
    pub amount: String,
    pub text: String,
    pub deadline: String,
    pub stores: Vec<Store>,
    pub link: Option<String>,
    pub action: String,
    pub token: String,
}

impl VoucherPage {
    /// The voucher of an intent, at a path; `None` where it waits for no store.
    pub fn of(
        intent: &Value,
        session: Option<&Object>,
        (locale, path): (Locale, &str),
        token: String,
    ) -> Option<Self> {
        let w = Words::of(locale);
        let details = intent.get("next_action")?.get("konbini_display_details")?;
        let stores = details.get("stores")?;
        let amount = shown(int(intent, "amount"), text(intent, "currency"));
        let names = [
            ("familymart", w.store_familymart),
            ("lawson", w.store_lawson),
            ("ministop", w.store_ministop),
            ("seicomart", w.store_seicomart),
        ];
        let store = |(key, name): (&str, &'static str)| {
            let numbers = stores.get(key)?;
            Some(Store {
                name,
                code: spaced(text(numbers, "payment_code")),
                confirmation: text(numbers, "confirmation_number").to_owned(),
            })
        };
        Some(Self {
            w,
            title: w.voucher_title.to_owned(),
            other_language: other_language(path, locale),
            merchant: session.map_or_else(|| "stripegym".to_owned(), |session| merchant(session)),
            text: w.voucher_text(&amount),
            deadline: w.voucher_deadline(&japan_time(int(details, "expires_at"))),
            stores: names.into_iter().filter_map(store).collect(),
            link: session.and_then(|session| leave::from_voucher(session)),
            action: format!("{path}?lang={}", locale.code()),
            amount,
            token,
        })
    }
}

/// Digits in groups that can be read aloud.
fn spaced(digits: &str) -> String {
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// An instant as Japan's clocks show it: `2026-11-24 23:59`.
fn japan_time(at: i64) -> String {
    let text = crate::domain::time::Timestamp(at).plus(9 * 3_600).rfc3339();
    let (date, rest) = text.split_once('T').unwrap_or((&text, ""));
    // Non-breaking, so that no line ends within a date.
    let date = date.replace('-', "\u{2011}");
    format!("{date}\u{a0}{}", rest.get(..5).unwrap_or_default())
}
