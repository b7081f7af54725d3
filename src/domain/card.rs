//! The test cards that Stripe documents, with what each of them does.

/// What a test card does when it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// The payment succeeds.
    Succeeds,
    /// The charge is declined with `code` and `decline_code`.
    Declines {
        /// `error.code`.
        code: &'static str,
        /// `error.decline_code`, where there is one.
        decline_code: Option<&'static str>,
    },
    /// It can be attached to a customer, and every charge of it is declined.
    DeclinesAfterAttaching,
    /// The number fails its check digit.
    BadNumber,
    /// 3-D Secure is asked for; then the payment does what `then` says.
    Authenticates {
        /// When the challenge is asked for.
        when: Challenge,
        /// What follows once it was passed.
        then: After,
    },
    /// The charge succeeds with a raised risk or a failed check of the named kind.
    Flagged(&'static str),
    /// The charge succeeds and a dispute of `reason` is opened at once.
    Disputed(&'static str),
    /// The charge succeeds; a refund stays pending, then succeeds.
    RefundPends,
    /// The charge succeeds; a refund succeeds, then fails.
    RefundFails,
    /// The charge succeeds and its funds are available at once.
    AvailableAtOnce,
}

/// When a card asks for 3-D Secure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// At every payment.
    Always,
    /// Unless it was set up for use off session.
    UnlessSetUp,
    /// Only where the customer is present; it counts as set up already.
    OnSessionOnly,
    /// It could, and is not asked for by default.
    Optional,
    /// The issuer waves it through without a challenge.
    Frictionless,
}

/// What follows after 3-D Secure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// The payment succeeds.
    Succeeds,
    /// The charge is declined with this decline code.
    Declines(&'static str),
    /// The authentication itself fails with a processing error.
    ProcessingError,
}

/// One test card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Card {
    /// The digits.
    pub number: &'static str,
    /// `card.brand` of the API.
    pub brand: &'static str,
    /// `card.country`, ISO 3166.
    pub country: &'static str,
    /// `card.funding`.
    pub funding: &'static str,
    /// What follows `pm_card_` in the ready-made PaymentMethod, where there is one.
    pub method: Option<&'static str>,
    /// What it does.
    pub behaviour: Behaviour,
}

/// What belongs together among the ways to pay in a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Succeeds, by brand.
    Succeeds,
    /// Succeeds, by country of issue.
    Countries,
    /// Declined.
    Declines,
    /// Asks for 3-D Secure.
    Secure,
    /// Succeeds with a raised risk or a failed check.
    Checks,
    /// Disputed after the payment.
    Disputes,
    /// A refund does not go as usual.
    Refunds,
    /// When the money is available.
    Balance,
    /// Not a card: pays at a store, and the e-mail address decides what comes of it.
    Konbini,
}

impl Group {
    /// Every group, in the order of the list.
    pub const ALL: [Self; 9] = [
        Self::Succeeds,
        Self::Countries,
        Self::Declines,
        Self::Secure,
        Self::Checks,
        Self::Disputes,
        Self::Refunds,
        Self::Balance,
        Self::Konbini,
    ];

    /// The word that the command line takes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeds => "succeeds",
            Self::Countries => "countries",
            Self::Declines => "declines",
            Self::Secure => "3ds",
            Self::Checks => "checks",
            Self::Disputes => "disputes",
            Self::Refunds => "refunds",
            Self::Balance => "balance",
            Self::Konbini => "konbini",
        }
    }
}

/// E-mail addresses that decide what a konbini payment does, with what it does.
pub const KONBINI: [(&str, &str); 3] = [
    ("succeed_immediately@example.com", "succeeds"),
    ("expire_immediately@example.com", "expires"),
    ("fill_never@example.com", "never"),
];

/// The cards of a group that `filter` names: by group, number, token, brand, country or decline code, whole or in
/// part; all of them where there is no filter.
pub fn matching(group: Group, filter: Option<&str>) -> Vec<&'static Card> {
    let of_group = ALL.iter().filter(|card| card.group() == group);
    of_group.filter(|card| filter.is_none_or(|filter| card.is_named(filter))).collect()
}

/// Whether a filter names a group.
pub fn names_group(group: Group, filter: Option<&str>) -> bool {
    let wanted = filter.map(str::to_lowercase);
    wanted.is_none_or(|wanted| group.name().contains(wanted.trim()))
}

impl Card {
    /// The group that it belongs to.
    pub fn group(&self) -> Group {
        let national = |method: &str| method.get(..2) == Some(&self.country.to_lowercase());
        match self.behaviour {
            Behaviour::Succeeds if self.method.is_some_and(national) => Group::Countries,
            Behaviour::Succeeds => Group::Succeeds,
            Behaviour::Declines { .. }
            | Behaviour::DeclinesAfterAttaching
            | Behaviour::BadNumber => Group::Declines,
            Behaviour::Authenticates { .. } => Group::Secure,
            Behaviour::Flagged(_) => Group::Checks,
            Behaviour::Disputed(_) => Group::Disputes,
            Behaviour::RefundPends | Behaviour::RefundFails => Group::Refunds,
            Behaviour::AvailableAtOnce => Group::Balance,
        }
    }

    fn is_named(&self, filter: &str) -> bool {
        let wanted = filter.trim().to_lowercase();
        let digits: String = wanted.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let token = wanted.strip_prefix("pm_card_").or_else(|| wanted.strip_prefix("tok_"));
        let method = self.method.unwrap_or_default().to_lowercase();
        if let Some(token) = token {
            return method.contains(token);
        }
        let code = match self.behaviour {
            Behaviour::Declines { code, decline_code } => decline_code.unwrap_or(code),
            Behaviour::Authenticates { then: After::Declines(code), .. } => code,
            Behaviour::Disputed(reason) => reason,
            Behaviour::BadNumber => "incorrect_number",
            _ => "",
        };
        (number && self.number.contains(&digits))
            || names_group(self.group(), Some(filter))
            || method.contains(&wanted)
            || code.contains(&wanted)
            || self.brand == wanted
            || self.country.to_lowercase() == wanted
    }

    /// Whether its issuer takes part in 3-D Secure at all.
    pub fn supports_3ds(&self) -> bool {
        self.brand != "diners" && self.method != Some("amex_threeDSecureNotSupported")
    }

    /// The last four digits.
    pub fn last4(&self) -> &'static str {
        self.number.get(self.number.len().saturating_sub(4)..).unwrap_or(self.number)
    }
}

/// The card of a number; blanks and hyphens between the digits are ignored.
pub fn by_number(number: &str) -> Option<&'static Card> {
    let digits: String = number.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    ALL.iter().find(|card| card.number == digits)
}

/// The card of a ready-made PaymentMethod (`pm_card_visa`) or token (`tok_visa`).
pub fn by_token(token: &str) -> Option<&'static Card> {
    let name = token.strip_prefix("pm_card_").or_else(|| token.strip_prefix("tok_"))?;
    let canonical = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, to)| to);
    ALL.iter().find(|card| card.method == Some(canonical))
}

/// Whether a ready-made PaymentMethod or token is one that Stripe has and that is no card of the table.
pub fn is_unmodelled(token: &str) -> bool {
    let name = token.strip_prefix("pm_card_").or_else(|| token.strip_prefix("tok_"));
    name.is_some_and(|name| UNMODELLED.contains(&name))
}

/// Declined with a reason of their own once attached, or with an effect on payouts and transfers.
const UNMODELLED: &[&str] = &[
    "visa_chargeCustomerFailLostCard",
    "visa_chargeCustomerFailStolenCard",
    "visa_triggerTransferBlock",
    "visa_triggerPayoutBlock",
];

/// Whether the digits pass the check of Luhn, as card numbers do.
pub fn passes_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .filter(u8::is_ascii_digit)
        .enumerate()
        .map(|(at, byte)| {
            let digit = u32::from(byte - b'0');
            let doubled = if at % 2 == 1 { digit * 2 } else { digit };
            if doubled > 9 { doubled - 9 } else { doubled }
        })
        .sum();
    sum.is_multiple_of(10)
}

const ALIASES: &[(&str, &str)] = &[
    ("us", "visa"),
    ("chargeDeclined", "visa_chargeDeclined"),
    ("chargeDeclinedInsufficientFunds", "visa_chargeDeclinedInsufficientFunds"),
    ("visa_chargeDeclinedExpiredCard", "chargeDeclinedExpiredCard"),
    ("visa_chargeDeclinedIncorrectCvc", "chargeDeclinedIncorrectCvc"),
    ("visa_chargeDeclinedProcessingError", "chargeDeclinedProcessingError"),
    ("chargeDeclinedFraudulent", "radarBlock"),
    ("visa_chargeDeclinedFraudulent", "radarBlock"),
    ("visa_chargeCustomerFail", "chargeCustomerFail"),
    ("visa_createDispute", "createDispute"),
    ("visa_createDisputeInquiry", "createDisputeInquiry"),
    ("visa_createDisputeProductNotReceived", "createDisputeProductNotReceived"),
];

const fn card(
    number: &'static str,
    brand: &'static str,
    method: Option<&'static str>,
    behaviour: Behaviour,
) -> Card {
    Card { number, brand, country: "US", funding: "credit", method, behaviour }
}

const fn kind(base: Card, country: &'static str, funding: &'static str) -> Card {
    Card { country, funding, ..base }
}

const fn good(number: &'static str, brand: &'static str, method: Option<&'static str>) -> Card {
    card(number, brand, method, Behaviour::Succeeds)
}

const fn declined(
    number: &'static str,
    method: &'static str,
    code: &'static str,
    decline_code: Option<&'static str>,
) -> Card {
    card(number, "visa", Some(method), Behaviour::Declines { code, decline_code })
}

const fn secure(
    number: &'static str,
    method: Option<&'static str>,
    when: Challenge,
    then: After,
) -> Card {
    let base = card(number, "visa", method, Behaviour::Authenticates { when, then });
    Card { country: issuer(number), ..base }
}

/// The country that a number names: digits 7 to 9 are its number in ISO 3166. One was recorded without.
const fn issuer(number: &str) -> &'static str {
    match number.as_bytes() {
        b"4000000000003220" => "IE",
        [_, _, _, _, _, _, b'2', b'5', b'0', ..] => "FR",
        [_, _, _, _, _, _, b'2', b'7', b'6', ..] => "DE",
        [_, _, _, _, _, _, b'3', b'8', b'0', ..] => "IT",
        [_, _, _, _, _, _, b'8', b'2', b'6', ..] => "GB",
        _ => "US",
    }
}

const fn national(number: &'static str, method: &'static str, country: &'static str) -> Card {
    kind(good(number, "visa", Some(method)), country, "credit")
}

const fn flagged(number: &'static str, method: &'static str) -> Card {
    card(number, "visa", Some(method), Behaviour::Flagged(method))
}

const fn disputed(number: &'static str, method: &'static str, reason: &'static str) -> Card {
    card(number, "visa", Some(method), Behaviour::Disputed(reason))
}

/// Every test card, by behaviour: successes by brand and by country, declines, 3-D Secure, checks,
/// disputes, refunds, balance.
pub const ALL: &[Card] = &[
    good("4242424242424242", "visa", Some("visa")),
    kind(good("4000056655665556", "visa", Some("visa_debit")), "US", "debit"),
    good("5555555555554444", "mastercard", Some("mastercard")),
    good("2223003122003222", "mastercard", None),
    kind(good("5200828282828210", "mastercard", Some("mastercard_debit")), "US", "debit"),
    kind(good("5105105105105100", "mastercard", Some("mastercard_prepaid")), "US", "prepaid"),
    good("378282246310005", "amex", Some("amex_threeDSecureNotSupported")),
    good("371449635398431", "amex", Some("amex")),
    good("6011111111111117", "discover", None),
    good("6011000990139424", "discover", Some("discover")),
    kind(good("6011981111111113", "discover", None), "US", "debit"),
    good("3056930009020004", "diners", Some("diners")),
    good("36227206271667", "diners", None),
    good("6555900000604105", "discover", None),
    kind(good("3566002020360505", "jcb", Some("jcb")), "JP", "credit"),
    kind(good("3530111333300000", "jcb", None), "JP", "credit"),
    kind(good("6200000000000005", "unionpay", Some("unionpay")), "CN", "credit"),
    kind(good("6200000000000047", "unionpay", None), "CN", "debit"),
    kind(good("6205500000000000004", "unionpay", None), "CN", "credit"),
    kind(good("4000002500001001", "visa", Some("visa_cartesBancaires")), "FR", "debit"),
    kind(good("5555552500001001", "mastercard", Some("mastercard_cartesBancaires")), "FR", "debit"),
    kind(good("4000050360000001", "visa", Some("visa_debit_eftposAuCoBranded")), "AU", "debit"),
    kind(
        good("5555050360000080", "mastercard", Some("mastercard_debit_eftposAuCoBranded")),
        "AU",
        "debit",
    ),
    national("4000003920000003", "jp", "JP"),
    national("4000008260000000", "gb", "GB"),
    national("4000002760000016", "de", "DE"),
    national("4000002500000003", "fr", "FR"),
    national("4000000360000006", "au", "AU"),
    national("4000001240000000", "ca", "CA"),
    national("4000000760000002", "br", "BR"),
    national("4000004840008001", "mx", "MX"),
    national("4000003560000008", "in", "IN"),
    national("4000001560000002", "cn", "CN"),
    national("4000003440000004", "hk", "HK"),
    national("4000007020000003", "sg", "SG"),
    national("4000001580000008", "tw", "TW"),
    national("4000007640000003", "th_credit", "TH"),
    national("4000003720000005", "ie", "IE"),
    national("4000003800000008", "it", "IT"),
    national("4000007240000007", "es", "ES"),
    national("4000005280000002", "nl", "NL"),
    national("4000000400000008", "at", "AT"),
    national("4000000560000004", "be", "BE"),
    national("4000002080000001", "dk", "DK"),
    national("4000002460000001", "fi", "FI"),
    national("4000004420000006", "lu", "LU"),
    national("4000005780000007", "no", "NO"),
    national("4000006160000005", "pl", "PL"),
    national("4000006200000007", "pt", "PT"),
    national("4000007520000008", "se", "SE"),
    national("4000007560000009", "ch", "CH"),
    national("4000005540000008", "nz", "NZ"),
    national("4000004580000002", "my", "MY"),
    declined("4000000000000002", "visa_chargeDeclined", "card_declined", Some("generic_decline")),
    declined(
        "4000000000009995",
        "visa_chargeDeclinedInsufficientFunds",
        "card_declined",
        Some("insufficient_funds"),
    ),
    declined("4000000000009987", "visa_chargeDeclinedLostCard", "card_declined", Some("lost_card")),
    declined(
        "4000000000009979",
        "visa_chargeDeclinedStolenCard",
        "card_declined",
        Some("stolen_card"),
    ),
    declined("4000000000000069", "chargeDeclinedExpiredCard", "expired_card", None),
    declined("4000000000000127", "chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
    declined("4000000000000119", "chargeDeclinedProcessingError", "processing_error", None),
    declined(
        "4000000000006975",
        "visa_chargeDeclinedVelocityLimitExceeded",
        "card_declined",
        Some("card_velocity_exceeded"),
    ),
    declined("4100000000000019", "radarBlock", "card_declined", Some("fraudulent")),
    card("4000000000000341", "visa", Some("chargeCustomerFail"), Behaviour::DeclinesAfterAttaching),
    card("4242424242424241", "visa", None, Behaviour::BadNumber),
    secure(
        "4000002500003155",
        Some("authenticationRequiredOnSetup"),
        Challenge::UnlessSetUp,
        After::Succeeds,
    ),
    secure("4000002760003184", Some("authenticationRequired"), Challenge::Always, After::Succeeds),
    secure(
        "4000003800000446",
        Some("authenticationRequiredSetupForOffSession"),
        Challenge::OnSessionOnly,
        After::Succeeds,
    ),
    secure(
        "4000008260003178",
        Some("authenticationRequiredChargeDeclinedInsufficientFunds"),
        Challenge::Always,
        After::Declines("insufficient_funds"),
    ),
    secure("4000000000003220", Some("threeDSecure2Required"), Challenge::Always, After::Succeeds),
    secure("4000000000003063", Some("threeDSecureRequired"), Challenge::Always, After::Succeeds),
    secure("4000008400000027", None, Challenge::Always, After::Succeeds),
    secure(
        "4000008400001629",
        Some("threeDSecureRequiredChargeDeclined"),
        Challenge::Always,
        After::Declines("generic_decline"),
    ),
    secure(
        "4000008400001280",
        Some("threeDSecureRequiredProcessingError"),
        Challenge::Always,
        After::ProcessingError,
    ),
    secure("4000000000003055", Some("threeDSecureOptional"), Challenge::Optional, After::Succeeds),
    secure(
        "4000000000003097",
        Some("threeDSecureOptionalProcessingError"),
        Challenge::Optional,
        After::ProcessingError,
    ),
    secure("4000000032200000", None, Challenge::Frictionless, After::Succeeds),
    secure("4000582600000094", None, Challenge::Always, After::Succeeds),
    secure("4000582600000045", None, Challenge::Always, After::Succeeds),
    secure("4000582600000102", None, Challenge::Always, After::Succeeds),
    secure("4000582600000110", None, Challenge::Always, After::Succeeds),
    flagged("4000000000004954", "riskLevelHighest"),
    flagged("4000000000009235", "riskLevelElevated"),
    flagged("4000000000000101", "cvcCheckFail"),
    flagged("4000000000000036", "avsZipFail"),
    flagged("4000000000000028", "avsLine1Fail"),
    flagged("4000000000000010", "avsFail"),
    flagged("4000000000000044", "avsUnchecked"),
    flagged("4000008400000407", "highFraudDisputeScore"),
    flagged("4000008400000159", "highEfwScore"),
    flagged("4000058400307872", "cvcCheckFailElevatedRisk"),
    flagged("4000058400306072", "avsZipFailElevatedRisk"),
    flagged("4001858821843804", "freeTrialAbuseBlock"),
    disputed("4000000000000259", "createDispute", "fraudulent"),
    disputed("4000000000002685", "createDisputeProductNotReceived", "product_not_received"),
    disputed("4000000000001976", "createDisputeInquiry", "inquiry"),
    disputed("4000000000005423", "createIssuerFraudRecord", "early_fraud_warning"),
    disputed("4000000404000079", "createMultipleDisputes", "several"),
    disputed("4000000404000038", "createCe3EligibleDispute", "fraudulent"),
    disputed("4000008400000779", "createComplianceDispute", "noncompliant"),
    disputed("4000000001000043", "createAutoRepresentmentEligibleDispute", "fraudulent"),
    Card {
        brand: "mastercard",
        ..disputed("5105008400000002", "createMastercardComplianceDispute", "noncompliant")
    },
    card("4000000000007726", "visa", Some("pendingRefund"), Behaviour::RefundPends),
    card("4000000000005126", "visa", Some("refundFail"), Behaviour::RefundFails),
    card("4000000000000077", "visa", Some("bypassPending"), Behaviour::AvailableAtOnce),
    kind(
        card(
            "4000003720000278",
            "visa",
            Some("bypassPendingInternational"),
            Behaviour::AvailableAtOnce,
        ),
        "IE",
        "credit",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_card_is_in_one_group_and_found_by_group_number_token_and_code() {
        let all: usize = Group::ALL.iter().map(|group| matching(*group, None).len()).sum();
        assert_eq!(all, ALL.len());
        let found = |filter: &str| -> Vec<&str> {
            let found = Group::ALL.iter().flat_map(|group| matching(*group, Some(filter)));
            found.map(|card| card.number).collect()
        };
        assert!(found("declin").len() > found("declines").len());
        assert!(found("declines").contains(&"4000000000009995"));
        assert_eq!(found("4000 0000 0000 9995"), ["4000000000009995"]);
        assert_eq!(found("pm_card_visa_chargeDeclinedLostCard"), ["4000000000009987"]);
        assert_eq!(found("tok_jp"), ["4000003920000003"]);
        assert!(found("insufficient_funds").contains(&"4000008260003178"));
        assert!(matching(Group::Countries, None).len() > 18);
        assert!(found("no such card").is_empty());
    }

    #[test]
    fn every_card_passes_the_check_digit_except_the_one_that_is_there_to_fail() {
        for card in ALL {
            let wrong = card.behaviour == Behaviour::BadNumber;
            assert_eq!(passes_luhn(card.number), !wrong, "{}", card.number);
        }
    }

    #[test]
    fn no_number_and_no_ready_made_method_stands_twice() {
        let mut numbers: Vec<_> = ALL.iter().map(|c| c.number).collect();
        let mut methods: Vec<_> = ALL.iter().filter_map(|c| c.method).collect();
        let counts = (numbers.len(), methods.len());
        numbers.sort_unstable();
        numbers.dedup();
        methods.sort_unstable();
        methods.dedup();
        assert_eq!((numbers.len(), methods.len()), counts);
    }

    #[test]
    fn a_number_names_the_country_of_its_issuer() {
        // Digits 7 to 9 are the country's number in ISO 3166; nothing there says nothing.
        const COUNTRIES: [(&str, &str); 8] = [
            ("250", "FR"),
            ("276", "DE"),
            ("356", "IN"),
            ("380", "IT"),
            ("392", "JP"),
            ("620", "PT"),
            ("826", "GB"),
            ("840", "US"),
        ];
        let national = ALL.iter().filter(|card| card.number.starts_with("400000"));
        for card in national {
            let digits = card.number.get(6..9).unwrap();
            if let Some((_, country)) = COUNTRIES.iter().find(|(number, _)| *number == digits) {
                assert_eq!(card.country, *country, "{}", card.number);
            }
        }
        assert_eq!(by_token("pm_card_threeDSecure2Required").unwrap().country, "IE");
    }

    #[test]
    fn ready_made_methods_are_the_cards_that_stripe_shows() {
        for (token, last4, secure) in [
            ("pm_card_amex", "8431", true),
            ("pm_card_amex_threeDSecureNotSupported", "0005", false),
            ("pm_card_discover", "9424", true),
            ("pm_card_diners", "0004", false),
            ("pm_card_unionpay", "0005", true),
        ] {
            let card = by_token(token).unwrap();
            assert_eq!((card.last4(), card.supports_3ds()), (last4, secure), "{token}");
        }
    }

    #[test]
    fn cards_are_found_by_number_token_and_alias() {
        assert_eq!(by_number("4242 4242-4242 4242").unwrap().method, Some("visa"));
        assert_eq!(by_token("tok_chargeDeclined").unwrap().last4(), "0002");
        assert_eq!(by_token("pm_card_jp").unwrap().country, "JP");
        assert!(by_token("card_visa").is_none());
    }
}
