//! What of a page leads to a route: a form, a link, or a script that names it. Pure.

use crate::app::course::exchanges::Answer;
use crate::app::form;
use serde_json::{Value, json};

/// The first thing on a page that leads to `route`: its tag, method, address, and what its fields send.
pub fn find(html: &str, route: &str) -> Option<Value> {
    let page = form::read(html);
    let leads = |address: &str| path(address) == route;
    if let Some(found) = page.forms.iter().find(|form| leads(&form.action)) {
        let method = if found.method.is_empty() { "get" } else { &found.method };
        let sent = found.controls.iter().filter(|it| {
            it.kind != "submit" && (it.checked || !matches!(it.kind.as_str(), "radio" | "checkbox"))
        });
        let pairs: Vec<_> = sent.map(|it| (it.name.clone(), it.value.clone())).collect();
        let body = form::encode(&pairs);
        return Some(json!({ "tag": "form", "method": method, "to": found.action, "body": body }));
    }
    if let Some(to) = page.addresses.iter().find(|address| leads(address)) {
        return Some(json!({ "tag": "a", "method": "get", "to": to, "body": "" }));
    }
    let quoted = [format!("\"{route}\""), format!("'{route}'"), format!("`{route}`")];
    let scripted = html.contains("<script") && quoted.iter().any(|text| html.contains(text));
    scripted.then(|| json!({ "tag": "script", "method": "post", "to": route, "body": "" }))
}

/// The path of an address, whatever stands around it.
fn path(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| {
        rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default()
    });
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    if path.len() > 1 { path.trim_end_matches('/') } else { path }
}

/// The id that an answer leads to.
pub fn led_to(answer: &Answer, prefix: &str) -> Option<String> {
    let (_, to) = answer.headers.iter().find(|(name, _)| name == "location")?;
    let at = to.rfind(prefix)?;
    let id: String =
        to.get(at..)?.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    (300..400).contains(&answer.status).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_comes_with_what_it_sends() {
        let html = "<form method=POST action='http://h:1/checkout'><input type=hidden name=order \
                    value='a b'><input name=quantity value=1><button>Buy</button></form>";
        let found = find(html, "/checkout").unwrap();
        assert_eq!(found["method"], "post");
        assert_eq!(found["body"], "order=a+b&quantity=1");
    }

    #[test]
    fn a_link_is_a_get_and_a_script_is_seen() {
        assert_eq!(find("<a href='/checkout'>Buy</a>", "/checkout").unwrap()["tag"], "a");
        assert_eq!(find("<form action=/checkout></form>", "/checkout").unwrap()["method"], "get");
        let script = "<button id=b></button><script>fetch('/checkout')</script>";
        assert_eq!(find(script, "/checkout").unwrap()["tag"], "script");
        assert_eq!(find("<p>/checkout</p><a href=/checkouts>", "/checkout"), None);
    }
}
