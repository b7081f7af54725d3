//! A small reader of HTML forms, as much of a browser as the hosted payment pages need. Pure; it never
//! fails: what it does not understand is not there.

use crate::domain::html::{decode, next_tag, plain};

/// One control of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// Its name.
    pub name: String,
    /// `text`, `hidden`, `radio`, `select`, `submit`, …
    pub kind: String,
    /// What would be sent for it, or for a select what is chosen.
    pub value: String,
    /// Whether a radio button or a box is ticked.
    pub checked: bool,
    /// The values of a select.
    pub choices: Vec<String>,
}

/// A form with what a browser would send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// Where it is sent.
    pub action: String,
    /// How it is sent, in lower case; empty where the page does not say, which is `get`.
    pub method: String,
    /// Its controls, in the order of the page.
    pub controls: Vec<Control>,
}

/// What matters of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Its forms.
    pub forms: Vec<Form>,
    /// Links with a class or an id: `(class or id, address)`.
    pub links: Vec<(String, String)>,
    /// The addresses of all links.
    pub addresses: Vec<String>,
    /// The text of the first element whose role is `alert`.
    pub alert: Option<String>,
    /// The text of the first heading.
    pub heading: Option<String>,
}

impl Form {
    /// Whether there is a control of this name and value, such as one of several buttons.
    pub fn offers(&self, name: &str, value: &str) -> bool {
        self.controls
            .iter()
            .any(|c| c.name == name && (c.value == value || c.choices.iter().any(|x| x == value)))
    }
}

/// Reads a page.
pub fn read(html: &str) -> Page {
    let mut page = Page::default();
    let mut rest = html;
    let mut in_form = false;
    while let Some((_, tag, after)) = next_tag(rest) {
        rest = after;
        let (name, attributes) = split_tag(tag);
        let get = |wanted: &str| attribute(attributes, wanted);
        match name.as_str() {
            "form" => {
                in_form = true;
                let method = get("method").unwrap_or_default().to_ascii_lowercase();
                let action = get("action").unwrap_or_default();
                page.forms.push(Form { action, method, ..Form::default() });
            }
            "/form" => in_form = false,
            "input" | "button" | "select" if in_form => {
                let mut control = control(&name, attributes);
                if name == "select" {
                    rest = choose(&mut control, after);
                }
                if let Some(form) = page.forms.last_mut().filter(|_| !control.name.is_empty()) {
                    form.controls.push(control);
                }
            }
            "a" => {
                let address = get("href").unwrap_or_default();
                page.addresses.push(address.clone());
                let marks = [get("class"), get("id")];
                page.links.extend(marks.into_iter().flatten().map(|mark| (mark, address.clone())));
            }
            "h1" if page.heading.is_none() => page.heading = Some(text_until(after, "</h1")),
            _ => {}
        }
        if get("role").as_deref() == Some("alert") && page.alert.is_none() {
            page.alert = Some(paragraphs(after, &format!("</{name}")));
        }
    }
    page
}

fn split_tag(tag: &str) -> (String, &str) {
    let end = tag.find(|c: char| c.is_whitespace()).unwrap_or(tag.len());
    let name = tag.get(..end).unwrap_or_default().trim_end_matches('/').to_ascii_lowercase();
    (name, tag.get(end..).unwrap_or_default())
}

/// The value of an attribute; empty for one without a value; `None` where it is absent.
fn attribute(attributes: &str, wanted: &str) -> Option<String> {
    let mut rest = attributes.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let name = rest.get(..end)?.trim_end_matches('/').to_ascii_lowercase();
        rest = rest.get(end..)?.trim_start();
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
            let (raw, next) = match quote {
                Some(quote) => after.get(1..)?.split_once(quote)?,
                None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
            };
            value = decode(raw);
            rest = next.trim_start();
        }
        if name == wanted {
            return Some(value);
        }
        if end == 0 && name.is_empty() {
            // A stray sign: skip it, so that reading always moves on.
            rest = rest.get(rest.chars().next().map_or(0, char::len_utf8)..)?;
        }
    }
    None
}

fn control(tag: &str, attributes: &str) -> Control {
    let kind = match tag {
        "select" => "select".to_owned(),
        "button" => attribute(attributes, "type").unwrap_or_else(|| "submit".to_owned()),
        _ => attribute(attributes, "type").unwrap_or_else(|| "text".to_owned()),
    };
    Control {
        name: attribute(attributes, "name").unwrap_or_default(),
        value: attribute(attributes, "value").unwrap_or_default(),
        checked: attribute(attributes, "checked").is_some(),
        choices: Vec::new(),
        kind,
    }
}

/// Reads the options of a select; what follows it.
fn choose<'h>(control: &mut Control, html: &'h str) -> &'h str {
    let mut rest = html;
    while let Some((_, tag, after)) = next_tag(rest) {
        rest = after;
        let (name, attributes) = split_tag(tag);
        match name.as_str() {
            "option" => {
                let value = attribute(attributes, "value").unwrap_or_default();
                if attribute(attributes, "selected").is_some() {
                    control.value.clone_from(&value);
                }
                control.choices.push(value);
            }
            "/select" => break,
            _ => {}
        }
    }
    rest
}

/// The text up to a closing tag, without tags and with single blanks.
fn text_until(html: &str, end: &str) -> String {
    let mut inner = html.split(end).next().unwrap_or_default();
    let mut out = String::new();
    while let Some((before, _, after)) = next_tag(inner) {
        out.push_str(before);
        out.push(' ');
        inner = after;
    }
    out.push_str(inner);
    plain(&out)
}

/// The paragraphs and list items up to a closing tag; the first, a title, is left out where others follow.
fn paragraphs(html: &str, end: &str) -> String {
    let inner = html.split(end).next().unwrap_or_default();
    let marked =
        ["</p>", "</li>"].iter().fold(inner.to_owned(), |text, mark| text.replace(mark, "\u{1}"));
    let parts: Vec<String> = marked
        .split('\u{1}')
        .map(|part| text_until(part, "\u{1}"))
        .filter(|part| !part.is_empty())
        .collect();
    let skip = usize::from(parts.len() > 1);
    parts.get(skip..).unwrap_or_default().join(" ")
}

/// Pairs as a browser sends a form: `a=1&b=%E7%A7%8B+x`.
pub fn encode(pairs: &[(String, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control<'a>(form: &'a Form, name: &str) -> &'a Control {
        form.controls.iter().find(|control| control.name == name).unwrap()
    }
    use proptest::prelude::*;

    #[test]
    fn a_form_is_read_with_what_a_browser_would_send() {
        let page = read(
            "<h1>Pay <b>now</b></h1><a class=\"back\" href=\"http://x/?a=1&amp;b=2\">back</a>\
             <div role=\"alert\"><p>Not paid</p><p>Your card&#x27;s <i>no</i> good.</p></div>\
             <form method=post action='/c/pay/cs_1'><input type=hidden name=token value=\"t&quot;1\">\
             <input name=number><input type=radio name=method value=card checked>\
             <input type=radio name=method value=konbini>\
             <select name=country><option value=\"\">-</option><option value=JP selected>JP</option></select>\
             <button type=submit name=result value=pass>ok</button></form>",
        );
        assert_eq!(page.heading.as_deref(), Some("Pay now"));
        assert_eq!(page.alert.as_deref(), Some("Your card's no good."));
        assert_eq!(page.links, [("back".to_owned(), "http://x/?a=1&b=2".to_owned())]);
        let form = &page.forms[0];
        assert_eq!(form.action, "/c/pay/cs_1");
        assert_eq!(control(form, "token").value, "t\"1");
        assert_eq!(control(form, "number").kind, "text");
        assert!(control(form, "method").checked);
        assert_eq!(control(form, "country").value, "JP");
        assert!(form.offers("result", "pass") && form.offers("method", "konbini"));
    }

    #[test]
    fn pairs_are_sent_as_a_browser_does() {
        let pairs = [("a b".to_owned(), "秋&=".to_owned()), ("c".to_owned(), String::new())];
        assert_eq!(encode(&pairs), "a+b=%E7%A7%8B%26%3D&c=");
    }

    proptest! {
        #[test]
        fn no_page_makes_it_panic_or_hang(html in "[<>a-z\"'=/ &;#x!\\PC]{0,200}") {
            prop_assert!(read(&html).forms.len() <= html.len());
        }
    }
}
