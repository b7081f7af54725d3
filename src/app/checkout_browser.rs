//! Goes through a hosted payment page as a person with a browser would: reads the form, fills it in, sends
//! it, follows where it leads. It knows the names of the fields and nothing of the sandbox's inside.

use crate::app::form::{self, Form, Page};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::locale::Locale;
use crate::net::outbound::{self, Patience, Reach};
use std::time::Duration;

/// How many pages a payment may lead through.
const PAGES_MAX: usize = 12;

/// How the hosted page is to be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Means {
    /// With a card of this number; a challenge is passed.
    Card(String),
    /// At a convenience store.
    Konbini,
    /// Not at all: back to the shop.
    Cancel,
}

impl Means {
    /// Reads what is typed after `--pay`: `decline`, `3ds`, `konbini`, `cancel`, or a card number.
    pub fn read(text: &str) -> Option<Self> {
        match text {
            "decline" => Some(Self::Card("4000000000000002".to_owned())),
            "3ds" => Some(Self::Card("4000002760003184".to_owned())),
            "konbini" => Some(Self::Konbini),
            "cancel" => Some(Self::Cancel),
            _ => {
                let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
                let number = (12..=19).contains(&digits.len());
                (number && digits.bytes().all(|b| b.is_ascii_digit())).then_some(Self::Card(digits))
            }
        }
    }
}

/// What is typed besides the number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// The address.
    pub email: String,
    /// The expiry, `12 / 34`.
    pub expiry: String,
    /// The check number; `None` is what fits the card.
    pub cvc: Option<String>,
}

impl Typed {
    /// What a card that is good needs, with this address.
    pub fn with_email(email: &str) -> Self {
        Self { email: email.to_owned(), expiry: "12 / 34".to_owned(), cvc: None }
    }
}

/// Where the page led.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landing {
    /// To an address of the shop.
    Shop(String),
    /// To a page that asks for nothing more (a voucher, an end).
    Stayed,
    /// Back to the form, with this to read.
    Refused(String),
}

/// Pays (or leaves) the hosted page at `url`.
pub async fn visit(
    url: &str,
    means: &Means,
    typed: &Typed,
    locale: Locale,
) -> Result<Landing, Fault> {
    let patience = Patience { connect: Duration::from_secs(5), total: Duration::from_secs(30) };
    let client =
        outbound::client(Reach::of(url), patience).map_err(|e| odd(url, &e.to_string()))?;
    let browser = Browser { client, origin: origin(url), language: locale.code() };
    let mut answer = browser.get(url).await?;
    let mut sent = false;
    for _ in 0..PAGES_MAX {
        let page = match answer {
            Answer::Elsewhere(to) => return Ok(Landing::Shop(to)),
            Answer::Page(page) => page,
        };
        if *means == Means::Cancel {
            let back = page.links.iter().find(|(mark, _)| mark == "back");
            let back = back.ok_or_else(|| odd(url, "no link back to the shop"))?;
            return Ok(Landing::Shop(back.1.clone()));
        }
        let Some(form) = page.forms.first() else { return Ok(Landing::Stayed) };
        if form.offers("outcome", "succeeded") {
            return Ok(Landing::Stayed);
        }
        if sent && let Some(alert) = page.alert {
            return Ok(Landing::Refused(alert));
        }
        if *means == Means::Konbini && !form.offers("method", "konbini") {
            let (method, fits) = ("konbini".to_owned(), "JPY, 120-300000".to_owned());
            return Err(FaultKind::NotOffered { method, fits }.into());
        }
        let challenge = form.offers("result", "pass");
        sent = sent || !challenge;
        let pairs =
            if challenge { press(form, "result", "pass") } else { fill(form, means, typed) };
        answer = browser.post(&form.action, &pairs).await?;
    }
    Err(odd(url, "it leads in circles"))
}

enum Answer {
    Page(Page),
    Elsewhere(String),
}

struct Browser {
    client: outbound::Client,
    origin: String,
    language: &'static str,
}

impl Browser {
    async fn get(&self, url: &str) -> Result<Answer, Fault> {
        let mut url = url.to_owned();
        for _ in 0..PAGES_MAX {
            let response = self
                .client
                .get(&url)
                .header("Accept-Language", self.language)
                .send()
                .await
                .map_err(|e| self.down(e))?;
            match self.read(response).await? {
                Answer::Elsewhere(to) if to.starts_with(&self.origin) => url = to,
                other => return Ok(other),
            }
        }
        Err(odd(&url, "it redirects in circles"))
    }

    async fn post(&self, action: &str, pairs: &[(String, String)]) -> Result<Answer, Fault> {
        let url = self.absolute(action);
        let request = self
            .client
            .post(&url)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Origin", &self.origin)
            .header("Accept-Language", self.language)
            .body(form::encode(pairs));
        let response = request.send().await.map_err(|e| self.down(e))?;
        match self.read(response).await? {
            Answer::Elsewhere(to) if to.starts_with(&self.origin) => self.get(&to).await,
            other => Ok(other),
        }
    }

    async fn read(&self, response: reqwest::Response) -> Result<Answer, Fault> {
        let status = response.status();
        if status.is_redirection() {
            let to = response.headers().get("location").and_then(|value| value.to_str().ok());
            let to = to.ok_or_else(|| odd(&self.origin, "a redirect without an address"))?;
            return Ok(Answer::Elsewhere(self.absolute(to)));
        }
        let url = response.url().to_string();
        let html = response.text().await.map_err(|e| self.down(e))?;
        let page = form::read(&html);
        if status.is_client_error() || status.is_server_error() {
            // A refused card may come with an error status and still be the form again.
            if page.forms.is_empty() {
                let what = page.heading.unwrap_or_else(|| status.to_string());
                return Err(odd(&url, &what));
            }
        }
        Ok(Answer::Page(page))
    }

    fn absolute(&self, to: &str) -> String {
        if to.starts_with('/') { format!("{}{to}", self.origin) } else { to.to_owned() }
    }

    fn down(&self, error: reqwest::Error) -> Fault {
        Fault::because(FaultKind::ProviderDown { base: self.origin.clone() }, error.without_url())
    }
}

fn odd(url: &str, what: &str) -> Fault {
    FaultKind::Page { url: url.to_owned(), what: what.to_owned() }.into()
}

/// Scheme and authority of a URL.
fn origin(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    format!("{scheme}://{}", rest.split(['/', '?', '#']).next().unwrap_or_default())
}

/// What pressing a button sends.
fn press(form: &Form, name: &str, value: &str) -> Vec<(String, String)> {
    let hidden = form.controls.iter().filter(|control| control.kind == "hidden");
    let mut pairs: Vec<_> = hidden.map(|c| (c.name.clone(), c.value.clone())).collect();
    pairs.push((name.to_owned(), value.to_owned()));
    pairs
}

/// What a person would type.
fn fill(form: &Form, means: &Means, words: &Typed) -> Vec<(String, String)> {
    let wanted = match means {
        Means::Card(_) | Means::Cancel => "card",
        Means::Konbini => "konbini",
    };
    let mut pairs: Vec<(String, String)> = Vec::new();
    for control in &form.controls {
        let name = control.name.as_str();
        let value = match control.kind.as_str() {
            "submit" | "button" | "reset" => continue,
            "radio" if name == "method" => {
                if control.value != wanted {
                    continue;
                }
                control.value.clone()
            }
            "radio" if !control.checked && pairs.iter().any(|(given, _)| given == name) => continue,
            "hidden" | "radio" | "checkbox" => control.value.clone(),
            "select" => chosen(control.value.as_str(), &control.choices),
            _ if !control.value.is_empty() => control.value.clone(),
            _ => typed(name, means, words),
        };
        pairs.push((name.to_owned(), value));
    }
    pairs
}

fn chosen(value: &str, choices: &[String]) -> String {
    let wanted = ["JP".to_owned(), "US".to_owned()];
    let known = || wanted.iter().find(|code| choices.contains(code)).cloned();
    let first = || choices.iter().find(|choice| !choice.is_empty()).cloned();
    if value.is_empty() { known().or_else(first).unwrap_or_default() } else { value.to_owned() }
}

fn typed(name: &str, means: &Means, words: &Typed) -> String {
    let number = match means {
        Means::Card(number) => number.as_str(),
        Means::Konbini | Means::Cancel => "",
    };
    let amex = number.starts_with("34") || number.starts_with("37");
    match name {
        "email" => &words.email,
        "number" => number,
        "expiry" => &words.expiry,
        "cvc" if words.cvc.is_some() => words.cvc.as_deref().unwrap_or_default(),
        "cvc" if amex => "1234",
        "cvc" => "123",
        "phone" | "konbini_phone" => "11111111110",
        "iban" => "AT611904300235473201",
        _ if name.ends_with("name") => "Test Customer",
        _ if name.ends_with("postal_code") => "1500001",
        _ if name.ends_with("state") => "Tokyo",
        _ if name.ends_with("city") => "Shibuya",
        _ if name.ends_with("line1") => "1-2-3",
        _ if name.ends_with("line2") => "",
        _ => "1",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_after_pay_is_understood() {
        assert_eq!(
            Means::read("4242 4242 4242 4242"),
            Some(Means::Card("4242424242424242".into()))
        );
        assert_eq!(Means::read("konbini"), Some(Means::Konbini));
        assert_eq!(Means::read("cash"), None);
        assert_eq!(Means::read("42"), None);
    }

    #[test]
    fn a_form_is_filled_in_for_the_chosen_method() {
        let html = "<form action=/c/pay/x><input type=hidden name=token value=t><input name=email>\
            <input type=radio name=method value=card checked><input name=number><input name=expiry>\
            <input name=cvc><input name=name><input type=radio name=method value=konbini>\
            <input name=konbini_name><button type=submit>Pay</button></form>";
        let form = &form::read(html).forms[0];
        let pairs = fill(form, &Means::Konbini, &Typed::with_email("a@example.com"));
        let get = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert_eq!((get("method"), get("email")), (Some("konbini"), Some("a@example.com")));
        assert_eq!((get("token"), get("number")), (Some("t"), Some("")));
        assert_eq!(pairs.iter().filter(|(name, _)| name == "method").count(), 1);
    }

    #[test]
    fn an_origin_ends_where_the_path_begins() {
        assert_eq!(origin("http://127.0.0.1:12111/c/pay/cs_1#x"), "http://127.0.0.1:12111");
    }
}
