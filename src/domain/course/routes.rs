//! What of a lesson can be asked of an application that lacks some of the usual routes. Pure.

use crate::domain::course::Day;
use crate::domain::course::act::{Act, AtCreem, Verb, Via};
use crate::domain::course::claim::Claim;

/// What an application has beside its webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Routes {
    /// `/`, `/checkout`, `/success`, `/cancel`.
    pub pages: bool,
    /// `/ledger`.
    pub ledger: bool,
    /// A ledger at all, wherever it is.
    pub books: bool,
}

impl Routes {
    /// Everything.
    pub const ALL: Self = Self { pages: true, ledger: true, books: true };

    /// Whether an item is about pages that the application has not.
    pub fn lacks(self, day: &Day, arrange: &[String], acts: &[Act], claims: &[Claim]) -> bool {
        if self.pages {
            return false;
        }
        let mut steps = Vec::new();
        for name in arrange {
            gather(day, name, &mut steps);
        }
        let all: Vec<&Act> = steps.into_iter().chain(acts).collect();
        let asks = all.iter().any(|act| match &act.verb {
            Verb::Http(it) => is_page(&it.url),
            Verb::Form { .. } | Verb::Creem(AtCreem::Checkout(_)) => true,
            Verb::Checkout(it) => it.via == Via::App && !day.lesson.stands_in,
            _ => false,
        });
        let shown = |act: &&&Act| matches!(act.verb, Verb::Pay(_) | Verb::Checkout(_));
        let shown: Vec<&str> =
            all.iter().filter(shown).filter_map(|act| act.save.as_deref()).collect();
        let of_page = |name: &str| shown.contains(&name.strip_suffix("_answer").unwrap_or(name));
        // What was made in the application's place says nothing of it.
        let made = |act: &&&Act| matches!(&act.verb, Verb::Checkout(it) if it.via == Via::App);
        let made: Vec<&str> =
            all.iter().filter(made).filter_map(|act| act.save.as_deref()).collect();
        let of_made = |claim: &Claim| members(claim).into_iter().any(|name| made.contains(&name));
        asks || claims.iter().any(of_made)
            || claims.iter().any(|claim| answers(claim).into_iter().any(of_page))
    }

    /// Whether an act asks for the page of a ledger that is read from elsewhere.
    pub fn leaves_out(self, act: &Act) -> bool {
        match &act.verb {
            Verb::Http(it) => !self.ledger && it.url.starts_with(LEDGER),
            _ => false,
        }
    }

    /// Whether a claim is about the outcome of an act that is left out, or about a ledger that there is not.
    pub fn leaves_out_claim(self, acts: &[Act], claim: &Claim) -> bool {
        if !self.books && claim.needs_books() {
            return true;
        }
        let names = answers(claim);
        let out = acts.iter().filter(|act| self.leaves_out(act));
        out.filter_map(|act| act.save.as_deref()).any(|name| names.contains(&name))
    }
}

/// Whether an item is about the documents of a project.
pub fn documents(day: &Day, arrange: &[String], acts: &[Act]) -> bool {
    let mut all = Vec::new();
    for name in arrange {
        gather(day, name, &mut all);
    }
    all.extend(acts);
    all.iter().any(|act| matches!(act.verb, Verb::Document {} | Verb::RunReadme {}))
}

/// The acts of a step and of those that it needs.
fn gather<'d>(day: &'d Day, name: &str, found: &mut Vec<&'d Act>) {
    let Some(step) = day.step(name) else { return };
    for before in &step.needs {
        gather(day, before, found);
    }
    found.extend(&step.act);
}

/// The page of the ledger, as lessons refer to it.
const LEDGER: &str = "$app.ledger";

/// Whether an address is that of a page of the application.
fn is_page(url: &str) -> bool {
    url.strip_prefix("$app.url").is_some_and(|path| !path.starts_with("/webhook"))
        || url.starts_with("$app.checkout")
}

/// The names of the answers that a claim looks at; a part of what a page came to is none.
fn answers(claim: &Claim) -> Vec<&str> {
    claim.each(|it| {
        let of: &[String] = match it {
            Claim::Status(it) => &it.of,
            Claim::Header(it) => &it.of,
            Claim::Body(it) => &it.of,
            Claim::Json(it) if it.at.starts_with("/answer") || it.of.ends_with("_answer") => {
                std::slice::from_ref(&it.of)
            }
            _ => &[],
        };
        of.iter().map(String::as_str)
    })
}

/// The names of the objects whose members a claim looks at.
pub fn members(claim: &Claim) -> Vec<&str> {
    claim.each(|it| match it {
        Claim::Json(it) => Some(it.of.as_str()),
        Claim::Fields(it) => Some(it.of.as_str()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn day(order: u8) -> Day {
        let step =
            json!({ "id": "home", "act": [{ "http": { "url": "$app.url/" }, "save": "home" }] });
        let bought = json!({ "id": "paid", "act": [
            { "checkout": { "via": "app" }, "save": "paid" },
            { "pay": { "session": "$paid", "with": "3ds" }, "save": "landed" },
        ] });
        let head = json!({
            "id": "day9", "order": order, "schema_version": 1, "version": 1, "api_version": "x",
            "est_minutes": 1, "verified_on": "2026-11-21", "stands_in": (3..=5).contains(&order),
        });
        let deeper = json!({ "id": "deeper", "needs": ["home"], "act": [] });
        serde_json::from_value(json!({ "lesson": head, "do": [step, bought, deeper] })).unwrap()
    }

    fn lacks(order: u8, arrange: &str, claim: Value) -> bool {
        let webhook_only = Routes { pages: false, ..Routes::ALL };
        let claims = [serde_json::from_value(claim).unwrap()];
        let arrange = [arrange.to_owned()];
        assert!(!Routes::ALL.lacks(&day(order), &arrange, &[], &claims));
        webhook_only.lacks(&day(order), &arrange, &[], &claims)
    }

    #[test]
    fn what_asks_for_a_page_is_left_to_applications_that_have_one() {
        let row = json!({ "ledger_row": { "session": "$paid" } });
        assert!(lacks(0, "home", row.clone()));
        assert!(lacks(4, "deeper", row.clone()));
        assert!(lacks(1, "paid", row.clone()));
        assert!(!lacks(3, "paid", row.clone()));
        assert!(!lacks(3, "nowhere", row));
        assert!(lacks(
            4,
            "paid",
            json!({ "json": { "of": "paid", "at": "/metadata", "op": "present" } })
        ));
        let refused = json!({ "json": { "of": "landed", "at": "/refused", "value": "" } });
        assert!(!lacks(5, "paid", refused));
        let status = json!({ "status": { "of": ["landed"], "is": "200" } });
        assert!(lacks(5, "paid", json!({ "any": [status] })));
        assert!(lacks(5, "paid", json!({ "status": { "of": ["paid_answer"], "is": "303" } })));
    }

    #[test]
    fn documents_are_asked_for_by_whatever_follows_or_writes_them() {
        let follows: Act = serde_json::from_value(json!({ "run_readme": {} })).unwrap();
        assert!(documents(&day(6), &[], &[follows]));
        assert!(!documents(&day(6), &["paid".to_owned(), "home".to_owned()], &[]));
    }

    #[test]
    fn the_page_of_a_ledger_that_is_elsewhere_is_not_asked_for() {
        let elsewhere = Routes { ledger: false, ..Routes::ALL };
        let act: Act =
            serde_json::from_value(json!({ "http": { "url": "$app.ledger" }, "save": "page" }))
                .unwrap();
        let claim = |of: &str| {
            serde_json::from_value(json!({ "status": { "of": [of], "is": "2xx" } })).unwrap()
        };
        assert!(elsewhere.leaves_out(&act) && !Routes::ALL.leaves_out(&act));
        let acts = [act];
        assert!(elsewhere.leaves_out_claim(&acts, &claim("page")));
        assert!(!elsewhere.leaves_out_claim(&acts, &claim("other")));
        assert!(!Routes::ALL.leaves_out_claim(&acts, &claim("page")));
    }
}
