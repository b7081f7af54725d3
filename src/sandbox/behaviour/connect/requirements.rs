//! What an account is asked for, and what it may do by how much of that is known: pure.
//!
//! The lists of custom accounts in the United States, Canada, Korea, Singapore, Mexico and the Emirates and of
//! standard accounts are as recorded; those of other countries, and that express accounts are asked for the same
//! as custom ones, are believed. Who owns a company is not asked for here.

use std::collections::{BTreeMap, BTreeSet};

/// Where an account's money goes.
pub const BANK: &str = "external_account";

/// What a company's requirements say in place of a person that is not there yet.
const REPRESENTATIVE: &str = "representative";

/// What the owner of a standard account is asked for.
const STANDARD: [&str; 6] = [
    "business_profile.product_description",
    "business_profile.support_phone",
    "business_profile.url",
    BANK,
    "tos_acceptance.date",
    "tos_acceptance.ip",
];

/// What every account without a Stripe dashboard is asked for.
const COMMON: [&str; 5] =
    ["business_profile.url", "business_type", BANK, "tos_acceptance.date", "tos_acceptance.ip"];

/// What is asked of a company about itself.
const COMPANY: [&str; 6] = [
    "company.address.city",
    "company.address.line1",
    "company.address.postal_code",
    "company.name",
    "company.phone",
    "company.tax_id",
];

/// What is asked of every person who stands for an account.
const PERSON: [&str; 8] = [
    "address.line1",
    "dob.day",
    "dob.month",
    "dob.year",
    "email",
    "first_name",
    "last_name",
    "phone",
];

/// What else is asked of a person, by country. `*` stands for the countries that are not listed.
const BY_COUNTRY: [(&str, &[&str]); 8] = [
    ("*", &["address.city", "address.postal_code"]),
    ("AE", &["address.state", "id_number", "nationality"]),
    ("AU", &["address.city", "address.postal_code", "address.state"]),
    ("CA", &["address.city", "address.postal_code", "address.state"]),
    (
        "JP",
        &[
            "address_kana.line1",
            "address_kanji.line1",
            "first_name_kana",
            "first_name_kanji",
            "last_name_kana",
            "last_name_kanji",
        ],
    ),
    ("KR", &["address.city", "address.postal_code"]),
    ("SG", &["address.postal_code", "full_name_aliases", "id_number", "nationality"]),
    ("US", &["address.city", "address.postal_code", "address.state", "ssn_last_4"]),
];

/// What is asked for only later, by country and whether of a company.
const LATER: [(&str, bool, &str); 2] =
    [("KR", false, "person.verification.document"), ("US", true, "person.id_number")];

/// What says nothing of who somebody is.
const BESIDE: [&str; 1] = ["full_name_aliases"];

/// By what somebody is known to be who they say.
const IDENTITY: [&str; 7] =
    ["address", "dob", "first_name", "id_number", "last_name", "ssn_last_4", "verification"];

/// What is looked into once it was given, in the United States: of a person, once everything was.
const VERIFIED: [&str; 12] = [
    "business_profile.url",
    "company.address.city",
    "company.address.line1",
    "company.address.postal_code",
    "company.address.state",
    "company.tax_id",
    "person.address.city",
    "person.address.line1",
    "person.address.postal_code",
    "person.address.state",
    "person.id_number",
    "person.verification.document",
];

/// What of the names above another name stands for as well.
const STANDS_FOR: [(&str, &str); 4] = [
    ("business_profile.url", "business_profile.product_description"),
    ("address.line1", "address_kana.line1"),
    ("ssn_last_4", "id_number"),
    ("full_name_aliases", "full_name_aliases"),
];

/// What is known of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// `type`: `standard`, `express` or `custom`.
    pub kind: String,
    /// Two capital letters.
    pub country: String,
    /// `business_type`.
    pub business_type: String,
    /// Whether it agreed to no more than being paid (`tos_acceptance.service_agreement`).
    pub recipient: bool,
    /// The capabilities that were asked for.
    pub requested: BTreeSet<String>,
    /// The names of everything that was given: `business_profile.url`, `person.dob.day`.
    pub given: BTreeSet<String>,
    /// The person who stands for a company, once there is one.
    pub representative: Option<String>,
    /// What was looked into and found right.
    pub verified: BTreeSet<String>,
    /// What was looked into and found wrong.
    pub failed: BTreeSet<String>,
    /// Why the platform rejected it.
    pub rejected: Option<String>,
    /// Whether its person was looked into, as every person is.
    pub looked: bool,
}

/// Where an account stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// `requirements.currently_due`, and what is past due.
    pub due: Vec<String>,
    /// `requirements.eventually_due`.
    pub later: Vec<String>,
    /// `requirements.pending_verification`.
    pub pending: Vec<String>,
    /// `verification.status` of its person.
    pub person: &'static str,
    /// `requirements.disabled_reason`.
    pub disabled_reason: Option<String>,
    /// Every capability that was asked for, and its status.
    pub capabilities: BTreeMap<String, &'static str>,
    /// `charges_enabled`.
    pub charges: bool,
    /// `payouts_enabled`.
    pub payouts: bool,
    /// `details_submitted`.
    pub submitted: bool,
}

impl Facts {
    fn has(&self, name: &str) -> bool {
        if self.failed.contains(name) {
            return false;
        }
        let plain = name.strip_prefix("person.").unwrap_or(name);
        let other = STANDS_FOR.iter().find(|(known, _)| *known == plain);
        let other = other.map(|(_, other)| name.replace(plain, other));
        self.given.contains(name)
            || other.is_some_and(|it| self.given.contains(&it) && !self.failed.contains(&it))
    }

    /// What requirements call the person who stands for the account.
    fn person(&self) -> &str {
        match (self.business_type.as_str(), &self.representative) {
            ("individual", _) => "individual",
            (_, Some(id)) => id,
            _ => REPRESENTATIVE,
        }
    }

    /// The name of a requirement as it is shown.
    fn shown(&self, name: &str) -> String {
        match name.strip_prefix("person.") {
            Some(rest) => format!("{}.{rest}", self.person()),
            None => name.to_owned(),
        }
    }

    /// Everything that is asked for; what concerns its person begins with `person.`.
    pub fn asked(&self) -> Vec<String> {
        if self.kind == "standard" {
            return STANDARD.iter().map(|name| (*name).to_owned()).collect();
        }
        let mut asked: Vec<String> = COMMON.iter().map(|name| (*name).to_owned()).collect();
        if self.is_company() {
            asked.extend(COMPANY.iter().map(|name| (*name).to_owned()));
            // Of a company that is only paid nobody is asked who stands for it: as recorded.
            if self.recipient {
                asked.sort_unstable();
                return asked;
            }
            asked.push("person.relationship.title".to_owned());
        }
        let own = BY_COUNTRY.iter().find(|(country, _)| *country == self.country);
        let more = own.or_else(|| BY_COUNTRY.first()).map_or(&[][..], |(_, more)| *more);
        asked.extend(PERSON.iter().chain(more).map(|name| format!("person.{name}")));
        asked.sort_unstable();
        asked
    }

    fn is_company(&self) -> bool {
        !matches!(self.business_type.as_str(), "" | "individual")
    }

    /// What is looked into, where this is missing: a site and a company where they were told of, a person once
    /// everything is there that it takes.
    fn looked_into(&self, missing: &[String]) -> Vec<String> {
        if self.country != "US" || self.kind == "standard" {
            return Vec::new();
        }
        let is_known = |name: &str| self.verified.contains(name) || self.failed.contains(name);
        let is_whole = self.representative.is_some()
            && !missing.iter().any(|name| name.starts_with("person."));
        let is_there = |name: &str| match name.split_once('.') {
            Some(("person", _)) => is_whole,
            Some(("company", _)) => self.is_company() && self.given.contains(name),
            _ => self.given.contains(name),
        };
        let own = VERIFIED.iter().filter(|name| is_there(name) && !is_known(name));
        own.map(|name| (*name).to_owned()).collect()
    }

    /// What is asked for only later.
    fn later(&self) -> impl Iterator<Item = &'static str> {
        let is_asked = move |(country, of_company, name): &&(&str, bool, &str)| {
            self.kind != "standard"
                && *country == self.country
                && *of_company == self.is_company()
                && !self.business_type.is_empty()
                && !self.given.contains(*name)
        };
        LATER.iter().filter(is_asked).map(|(_, _, name)| *name)
    }

    /// `verification.status` of the account's person, where this is due, asked for later and looked into.
    fn person_status(&self, due: &[String], pending: &[String]) -> &'static str {
        let mut own = due.iter().filter_map(|name| name.strip_prefix("person."));
        let is_due = own.any(|name| !BESIDE.contains(&name));
        let takes_document = self.later().any(|name| name == "person.verification.document");
        match () {
            () if self.representative.is_none() || is_due || takes_document => "unverified",
            () if !self.looked || pending.iter().any(|name| name.starts_with("person.")) => {
                "pending"
            }
            () => "verified",
        }
    }

    /// What is missing or was found wrong, by the names of [`Self::asked`].
    fn due(&self) -> (Vec<String>, Vec<String>) {
        let missing: Vec<String> =
            self.asked().into_iter().filter(|name| !self.has(name)).collect();
        let failed = self.failed.iter().filter(|name| !missing.contains(name));
        let due = missing.iter().chain(failed).cloned().collect();
        (missing, due)
    }

    /// Where the account stands.
    pub fn standing(&self) -> Standing {
        let (missing, due) = self.due();
        let pending = self.looked_into(&missing);
        let person = self.person_status(&due, &pending);
        let shown = |names: &[String]| -> Vec<String> {
            let mut shown: Vec<String> = names.iter().map(|name| self.shown(name)).collect();
            shown.sort_unstable();
            shown
        };
        let later: Vec<String> = self.later().map(str::to_owned).collect();
        let later = shown(&[due.clone(), later].concat());
        let due = shown(&due);
        let lacks_only_bank = due.iter().all(|name| name == BANK);
        let rejected = self.rejected.is_some();
        let status = match () {
            () if rejected || !lacks_only_bank => "inactive",
            () if !pending.is_empty() => "pending",
            () => "active",
        };
        let capabilities: BTreeMap<String, &'static str> =
            self.requested.iter().map(|name| (name.clone(), status)).collect();
        let open = !rejected && lacks_only_bank && pending.is_empty();
        // A standard account takes payments without asking for anything by name.
        let charges =
            open && if self.kind == "standard" { due.is_empty() } else { !capabilities.is_empty() };
        let disabled_reason = match () {
            () if rejected => self.rejected.clone(),
            () if !due.is_empty() => Some("requirements.past_due".to_owned()),
            () if !pending.is_empty() => Some("requirements.pending_verification".to_owned()),
            () => None,
        };
        Standing {
            submitted: due.is_empty(),
            payouts: charges && due.is_empty(),
            pending: pending.iter().map(|name| self.shown(name)).collect(),
            later,
            person,
            due,
            disabled_reason,
            capabilities,
            charges,
        }
    }

    /// Ends the verification of what is pending: what was given wrongly is due again.
    #[must_use]
    pub fn verified(mut self, wrong: &BTreeSet<String>) -> Self {
        for name in self.looked_into(&self.due().0) {
            if wrong.contains(&name) {
                self.failed.insert(name);
            } else {
                self.verified.insert(name);
            }
        }
        self.looked = true;
        self
    }

    /// Notes that something was given, or given anew.
    #[cfg(test)]
    #[must_use]
    pub fn with(mut self, name: &str) -> Self {
        self.failed.remove(name);
        self.verified.remove(name);
        self.given.insert(name.to_owned());
        self
    }
}

/// Whether what was given by that name has a person looked into anew.
pub fn is_identity(name: &str) -> bool {
    let own = name.strip_prefix("person.").unwrap_or_default();
    IDENTITY.iter().any(|it| own.starts_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fresh(kind: &str, country: &str, business_type: &str) -> Facts {
        Facts {
            kind: kind.to_owned(),
            country: country.to_owned(),
            business_type: business_type.to_owned(),
            requested: BTreeSet::from(["transfers".to_owned()]),
            ..Facts::default()
        }
    }

    fn whole(mut facts: Facts) -> Facts {
        for name in facts.asked() {
            facts = facts.with(&name);
        }
        facts.representative = Some("person_1".to_owned());
        facts
    }

    #[test]
    fn an_account_in_the_united_states_is_looked_into_before_it_may_do_anything() {
        let facts = whole(fresh("custom", "US", "individual"));
        let standing = facts.standing();
        assert_eq!(standing.disabled_reason.as_deref(), Some("requirements.pending_verification"));
        assert_eq!((standing.charges, standing.submitted), (false, true));
        assert_eq!(standing.capabilities["transfers"], "pending");
        for name in ["business_profile.url", "individual.id_number"] {
            assert!(standing.pending.contains(&name.to_owned()), "{name}");
        }
        let standing = facts.verified(&BTreeSet::new()).standing();
        assert_eq!(
            (standing.charges, standing.payouts, standing.disabled_reason),
            (true, true, None)
        );
    }

    #[test]
    fn without_a_bank_account_it_takes_payments_and_is_not_paid_out() {
        let mut facts = whole(fresh("custom", "CA", "individual"));
        assert!(facts.standing().payouts, "nothing is looked into there");
        facts.given.remove(BANK);
        let standing = facts.standing();
        assert_eq!((standing.charges, standing.payouts, standing.submitted), (true, false, false));
        assert_eq!(
            (standing.due, standing.capabilities["transfers"]),
            (vec![BANK.to_owned()], "active")
        );
    }

    #[test]
    fn what_was_found_wrong_is_due_again_until_it_is_given_anew() {
        let wrong = BTreeSet::from(["person.id_number".to_owned()]);
        let facts = whole(fresh("express", "US", "individual")).verified(&wrong);
        let standing = facts.standing();
        assert_eq!(
            standing.due,
            ["individual.id_number", "individual.ssn_last_4"].get(..1).unwrap()
        );
        assert_eq!(standing.capabilities["transfers"], "inactive");
        let facts = facts.with("person.id_number").verified(&BTreeSet::new());
        assert!(facts.standing().payouts);
    }

    #[test]
    fn a_company_that_is_only_paid_needs_nobody_who_stands_for_it() {
        let recipient = |business_type: &str| {
            let facts = fresh("custom", "MX", business_type);
            Facts { recipient: true, ..facts }.asked()
        };
        assert!(recipient("individual").contains(&"person.last_name".to_owned()));
        assert!(!recipient("company").iter().any(|name| name.starts_with("person.")));
        let facts = Facts { recipient: true, ..fresh("custom", "MX", "company") };
        assert_eq!(whole(facts).standing().capabilities["transfers"], "active");
    }

    #[test]
    fn a_company_names_its_representative_until_there_is_one() {
        let mut facts = fresh("custom", "US", "company");
        let due = facts.standing().due;
        assert!(due.contains(&"representative.ssn_last_4".to_owned()), "{due:?}");
        facts.representative = Some("person_1".to_owned());
        assert!(facts.standing().due.contains(&"person_1.relationship.title".to_owned()));
    }

    #[test]
    fn a_person_is_looked_into_in_every_country_and_of_whom_a_document_is_asked_waits_for_it() {
        let none = BTreeSet::new();
        for country in ["CA", "NO", "SG", "JP", "US", "MX"] {
            let facts = whole(fresh("custom", country, "individual"));
            assert_eq!(facts.standing().person, "pending", "{country}");
            let beside = Facts {
                given: facts.given.iter().filter(|it| !it.contains("aliases")).cloned().collect(),
                ..facts.clone()
            };
            assert_eq!(beside.standing().person, "pending", "{country}");
            assert_eq!(facts.clone().verified(&none).standing().person, "verified", "{country}");
            let mut nameless = facts;
            nameless.given.retain(|it| !it.contains("last_name"));
            assert_eq!(nameless.standing().person, "unverified", "{country}");
        }
        let facts = whole(fresh("custom", "KR", "individual"));
        let standing = facts.standing();
        assert_eq!(
            (standing.person, standing.due.is_empty(), standing.payouts),
            ("unverified", true, true)
        );
        assert_eq!(standing.later, ["individual.verification.document"]);
        let facts = facts.with("person.verification.document");
        assert_eq!((facts.standing().person, facts.standing().later), ("pending", vec![]));
    }

    #[test]
    fn a_company_is_looked_into_before_its_person_is_known() {
        let mut facts = fresh("custom", "US", "company");
        for name in ["business_profile.url", "company.address.line1", "company.tax_id"] {
            facts = facts.with(name);
        }
        let standing = facts.standing();
        assert_eq!(
            standing.pending,
            ["business_profile.url", "company.address.line1", "company.tax_id"]
        );
        assert_eq!(standing.capabilities["transfers"], "inactive");
        assert!(standing.later.contains(&"representative.id_number".to_owned()));
        assert!(!standing.due.contains(&"representative.id_number".to_owned()));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Give(usize),
        Verify(Option<usize>),
        Request(bool),
        Reject(bool),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (0_usize..40).prop_map(Step::Give),
            2 => proptest::option::of(0_usize..6).prop_map(Step::Verify),
            1 => any::<bool>().prop_map(Step::Request),
            1 => any::<bool>().prop_map(Step::Reject),
        ]
    }

    fn take(facts: Facts, step: &Step) -> Facts {
        let mut facts = facts;
        match step {
            Step::Give(at) => {
                let names = facts.asked();
                let name = names[at % names.len()].clone();
                facts.with(&name)
            }
            Step::Verify(wrong) => {
                let wrong = wrong.map(|at| VERIFIED[at].to_owned());
                facts.verified(&wrong.into_iter().collect())
            }
            Step::Request(wish) => {
                let name = "card_payments".to_owned();
                if *wish {
                    facts.requested.insert(name)
                } else {
                    facts.requested.remove(&name)
                };
                facts
            }
            Step::Reject(wish) => {
                facts.rejected = wish.then(|| "rejected.fraud".to_owned());
                facts
            }
        }
    }

    proptest! {
        #[test]
        fn no_story_leads_to_an_impossible_state(
            kind in prop_oneof![Just("standard"), Just("express"), Just("custom")],
            country in prop_oneof![Just("US"), Just("JP"), Just("DE"), Just("SG"), Just("AE")],
            business in prop_oneof![Just("individual"), Just("company"), Just("")],
            steps in proptest::collection::vec(step(), 0..60),
        ) {
            let mut facts = fresh(kind, country, business);
            for step in &steps {
                let before = facts.standing();
                facts = take(facts, step);
                let now = facts.standing();
                prop_assert!(!now.payouts || (now.charges && now.due.is_empty()));
                prop_assert!(!now.charges || (now.pending.is_empty() && facts.rejected.is_none()));
                prop_assert!(now.disabled_reason.is_some() || (now.due.is_empty() && now.pending.is_empty()));
                prop_assert_eq!(now.submitted, now.due.is_empty());
                let all: BTreeSet<&str> = now.capabilities.values().copied().collect();
                prop_assert!(all.len() <= 1 && now.capabilities.len() == facts.requested.len());
                if kind != "standard" && now.charges {
                    prop_assert!(all.contains("active"));
                }
                if matches!(step, Step::Give(_)) {
                    prop_assert!(now.due.iter().all(|name| before.due.contains(name)), "more was asked");
                }
            }
        }
    }
}
