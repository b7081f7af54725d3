//! What each page shows: the templates and what fills them. Everything put in is escaped.

use crate::domain::locale::Locale;
use crate::sandbox::behaviour::object::{int, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::SessionPart;
use crate::sandbox::page::entry::{Asks, Fault, Form};
use crate::sandbox::page::field::{Choice, Field, Line, Maker, lines, shown};
use crate::sandbox::page::leave;
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
    /// As the API calls it.
    pub name: &'static str,
    /// As people call it.
    pub label: &'static str,
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
pub struct PayPage {
    pub w: &'static Words,
    pub title: String,
    pub other_language: String,
    pub merchant: String,
    pub back_url: Option<String>,
    pub heading: String,
    pub lines: Vec<Line>,
    pub subtotal: String,
    pub shipping: Option<String>,
    pub total: String,
    pub problem: String,
    pub faults: Vec<Fault>,
    pub action: String,
    pub token: String,
    pub known_email: Option<String>,
    pub contact: Vec<Field>,
    pub shipping_fields: Vec<Field>,
    pub shipping_options: Vec<Choice>,
    pub methods: Vec<Method>,
    pub billing_fields: Vec<Field>,
    pub custom_fields: Vec<Field>,
    pub terms: bool,
    pub submit: String,
    pub message: String,
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
    pub faults: Vec<Fault>,
    /// What was wrong with the payment as a whole; empty where nothing was.
    pub problem: String,
    /// What the world's paths begin with.
    pub root: &'s str,
}

impl PayPage {
    /// The page of a session; `rates` are the names of its shipping options.
    pub fn of(session: &Object, rates: &[String], setting: Setting<'_>) -> Self {
        let Setting { locale, token, form, faults, problem, root } = setting;
        let w = Words::of(locale);
        let asks = Asks::of(session);
        let maker = Maker { form, faults: &faults, locale };
        let currency = text(session, "currency");
        let total = shown(int(session, "amount_total"), currency);
        let merchant = merchant(session);
        let path = format!("{root}/c/pay/{}", text(session, "id"));
        let failed = !problem.is_empty();
        let heading = w.pay_to(&merchant);
        let prefix = if failed { format!("{}: ", w.error_prefix) } else { String::new() };
        let part = session.part::<SessionPart>();
        let message =
            session.get("custom_text").and_then(|t| t.get("submit")?.get("message")?.as_str());
        let shipping = session.get("shipping_cost").filter(|cost| cost.is_object());
        Self {
            w,
            title: format!("{prefix}{heading} · {total}"),
            other_language: other_language(&path, locale),
            back_url: session.get("cancel_url").and_then(Value::as_str).map(str::to_owned),
            lines: lines(&part.line_items, &part.line_looks, w),
            subtotal: shown(int(session, "amount_subtotal"), currency),
            shipping: shipping.map(|cost| shown(int(cost, "amount_total"), currency)),
            contact: contact(&maker, &asks),
            shipping_fields: if asks.ships_to.is_empty() {
                Vec::new()
            } else {
                let name = maker.field("shipping_name", w.full_name, "shipping name");
                [name].into_iter().chain(maker.address("shipping", &asks.ships_to)).collect()
            },
            shipping_options: shipping_options(session, rates, form),
            methods: if asks.free { Vec::new() } else { methods(&maker, &asks) },
            billing_fields: if asks.billing { maker.address("billing", &[]) } else { Vec::new() },
            custom_fields: maker.custom(&asks.custom),
            terms: asks.terms,
            submit: submit(session, w, &total),
            message: message.unwrap_or_default().to_owned(),
            action: format!("{path}?lang={}", locale.code()),
            known_email: asks.email,
            heading,
            merchant,
            total,
            problem,
            token,
            faults,
        }
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
    let asked = maker.form.get("method").filter(|method| asks.methods.contains(method));
    let chosen = asked.or(asks.methods.first());
    let known = asks.methods.iter().filter_map(|name| {
        let (name, label, note, fields) = match name.as_str() {
            "card" => ("card", w.card, "", maker.card()),
            "konbini" => ("konbini", w.konbini, w.konbini_note, maker.konbini()),
            "sepa_debit" => ("sepa_debit", w.sepa_debit, "", maker.sepa_debit()),
            _ => return None,
        };
        let chosen = chosen.is_some_and(|chosen| chosen == name);
        Some(Method { name, label, note, chosen, fields })
    });
    known.collect()
}

fn shipping_options(session: &Value, rates: &[String], form: &Form) -> Vec<Choice> {
    let currency = text(session, "currency");
    let options = session.get("shipping_options").and_then(Value::as_array);
    let current = session.get("shipping_cost").map(|cost| text(cost, "shipping_rate"));
    let asked = form.get("shipping_option");
    let choice = |(at, option): (usize, &Value)| Choice {
        value: at.to_string(),
        label: rates.get(at).cloned().unwrap_or_default(),
        amount: shown(int(option, "shipping_amount"), currency),
        chosen: asked.map_or_else(
            || current == Some(text(option, "shipping_rate")),
            |asked| *asked == at.to_string(),
        ),
    };
    options.into_iter().flatten().enumerate().map(choice).collect()
}

fn submit(session: &Value, w: &Words, total: &str) -> String {
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
        page.link = if complete { leave::success(session) } else { back };
        page.merchant = merchant(session);
        let path = format!("{root}/c/pay/{}", text(session, "id"));
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
#[expect(missing_docs, reason = "each member is named after where it stands in the template")]
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
            ("familymart", ["FamilyMart", "ファミリーマート"]),
            ("lawson", ["Lawson", "ローソン"]),
            ("ministop", ["Ministop", "ミニストップ"]),
            ("seicomart", ["Seicomart", "セイコーマート"]),
        ];
        let store = |(key, [en, ja]): (&str, [&'static str; 2])| {
            let numbers = stores.get(key)?;
            Some(Store {
                name: if locale == Locale::Ja { ja } else { en },
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
            link: session.and_then(|session| leave::success(session)),
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
