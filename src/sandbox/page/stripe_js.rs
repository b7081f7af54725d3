//! Stripe.js for pages that are tried offline: the script under the addresses that Stripe's has, and the frames of its
//! elements, in which card numbers are typed so that the merchant's page never sees one.
//!
//! Names of inputs and titles of frames are believed to be those that tests of browsers look for at Stripe's.

use crate::domain::locale::Locale;
use crate::sandbox::page::answer::{Framing, asset, language, page_in};
use crate::sandbox::page::{Pages, countries};
use crate::words::element::Words;
use askama::Template;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use std::sync::LazyLock;

/// The parts of the script, each a module; what a part needs stands before it.
const SCRIPT: [&str; 8] = [
    include_str!("stripe_js/client.js"),
    include_str!("stripe_js/element.js"),
    include_str!("stripe_js/elements.js"),
    include_str!("stripe_js/action.js"),
    include_str!("stripe_js/embedded.js"),
    include_str!("stripe_js/checkout_view.js"),
    include_str!("stripe_js/checkout.js"),
    include_str!("stripe_js/stripe.js"),
];

/// The parts of the script inside a frame.
const FRAME: [&str; 2] = [include_str!("stripe_js/client.js"), include_str!("stripe_js/frame.js")];

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// One input of a frame.
#[derive(Debug)]
struct Input {
    /// What the script calls it: `number`, `postal`.
    field: &'static str,
    /// Its `name`, by which tests of browsers find it.
    name: &'static str,
    label: &'static str,
    /// The HTML `type`.
    kind: &'static str,
    inputmode: &'static str,
    autocomplete: &'static str,
    placeholder: &'static str,
    /// `half` or `wide`, or nothing.
    class: &'static str,
    /// The method of payment that alone asks for it; empty for all.
    method: &'static str,
    optional: bool,
}

#[derive(Template, Debug)]
#[template(path = "stripe_js/frame.html", config = "src/sandbox/page/askama.toml")]
struct Frame {
    w: &'static Words,
    kind: &'static str,
    title: &'static str,
    single: bool,
    fields: Vec<Input>,
    methods: [(&'static str, &'static str); 3],
    countries: Vec<(String, String)>,
    home: &'static str,
    errors: [(&'static str, &'static str); 13],
}

/// `GET /v3/`, `/v3/stripe.js` and the address of each release: the script.
pub async fn show_script() -> Response {
    static WHOLE: LazyLock<String> = LazyLock::new(|| joined(&SCRIPT));
    asset(JAVASCRIPT, &WHOLE)
}

/// `GET /v3/frame.js`.
pub async fn show_frame_script() -> Response {
    static WHOLE: LazyLock<String> = LazyLock::new(|| joined(&FRAME));
    asset(JAVASCRIPT, &WHOLE)
}

/// `GET /v3/frame.css`.
pub async fn show_frame_style() -> Response {
    asset("text/css; charset=utf-8", include_str!("stripe_js/frame.css"))
}

/// `GET /v3/frame/{kind}`: the inside of an element.
pub async fn show_frame(
    _pages: Pages,
    Path(kind): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let locale = language(&uri, &headers, None);
    match frame(&kind, locale) {
        Some(frame) => page_in(Framing::Element, StatusCode::OK, &frame),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Modules as one script: what they import stands before them, and nothing of them is seen outside.
fn joined(parts: &[&str]) -> String {
    let mut whole = String::from("(() => {\n\"use strict\";\n");
    for line in parts.iter().flat_map(|part| part.lines()) {
        if line.starts_with("import ") {
            continue;
        }
        whole.push_str(line.strip_prefix("export ").unwrap_or(line));
        whole.push('\n');
    }
    whole.push_str("})();\n");
    whole
}

fn frame(kind: &str, locale: Locale) -> Option<Frame> {
    let w = Words::of(locale);
    let (kind, title) = match kind {
        "card" => ("card", w.card),
        "cardNumber" => ("cardNumber", w.number),
        "cardExpiry" => ("cardExpiry", w.expiry),
        "cardCvc" => ("cardCvc", w.cvc),
        "payment" => ("payment", w.payment),
        "address" => ("address", w.address),
        "linkAuthentication" => ("linkAuthentication", w.email),
        _ => return None,
    };
    Some(Frame {
        w,
        kind,
        title,
        single: matches!(kind, "cardNumber" | "cardExpiry" | "cardCvc"),
        fields: fields(kind, w),
        methods: [("card", w.card), ("konbini", w.konbini), ("paypay", "PayPay")],
        countries: countries::choices(&[], locale).collect(),
        home: if locale == Locale::Ja { "JP" } else { "US" },
        errors: errors(w),
    })
}

/// What an input is where nothing else is said.
const PLAIN: Input = Input {
    field: "",
    name: "",
    label: "",
    kind: "text",
    inputmode: "text",
    autocomplete: "off",
    placeholder: "",
    class: "",
    method: "",
    optional: false,
};

/// The inputs of an element, in the order in which they are typed.
fn fields(kind: &str, w: &'static Words) -> Vec<Input> {
    let email = Input {
        field: "email",
        name: "email",
        label: w.email,
        kind: "email",
        inputmode: "email",
        autocomplete: "email",
        ..PLAIN
    };
    match kind {
        "card" => card(false, w).into_iter().chain([postal(true, w)]).collect(),
        "cardNumber" | "cardExpiry" | "cardCvc" => {
            let wanted = kind.trim_start_matches("card").to_lowercase();
            card(false, w).into_iter().filter(|it| it.field == wanted).collect()
        }
        "payment" => {
            let home = [country(w), postal(false, w)].map(|it| Input { method: "card", ..it });
            let konbini = [name(w), email].map(|it| Input { method: "konbini", ..it });
            card(true, w).into_iter().chain(home).chain(konbini).collect()
        }
        "address" => address(w),
        _ => vec![email],
    }
}

/// Number, expiry and security code, each with a label above it where it stands in a form of several lines.
fn card(form: bool, w: &'static Words) -> [Input; 3] {
    let (number, expiry) = if form { ("number", "expiry") } else { ("cardnumber", "exp-date") };
    let method = if form { "card" } else { "" };
    let digits = Input { kind: "tel", inputmode: "numeric", method, class: "half", ..PLAIN };
    [
        Input {
            field: "number",
            name: number,
            label: w.number,
            autocomplete: "cc-number",
            placeholder: if form { "1234 1234 1234 1234" } else { w.number },
            class: if form { "" } else { "wide" },
            ..digits
        },
        Input {
            field: "expiry",
            name: expiry,
            label: w.expiry,
            autocomplete: "cc-exp",
            placeholder: "MM / YY",
            ..digits
        },
        Input {
            field: "cvc",
            name: "cvc",
            label: w.cvc,
            autocomplete: "cc-csc",
            placeholder: "CVC",
            ..digits
        },
    ]
}

fn postal(line: bool, w: &'static Words) -> Input {
    Input {
        field: "postal",
        name: if line { "postal" } else { "postalCode" },
        label: w.postal_code,
        autocomplete: "postal-code",
        placeholder: if line { w.postal_code } else { "" },
        ..PLAIN
    }
}

fn country(w: &'static Words) -> Input {
    Input { field: "country", name: "country", label: w.country, ..PLAIN }
}

fn name(w: &'static Words) -> Input {
    Input { field: "name", name: "name", label: w.name, autocomplete: "name", ..PLAIN }
}

fn address(w: &'static Words) -> Vec<Input> {
    let lines = [
        ("state", "administrativeArea", w.state, "address-level1", true),
        ("city", "locality", w.city, "address-level2", false),
        ("line1", "addressLine1", w.line1, "address-line1", false),
        ("line2", "addressLine2", w.line2, "address-line2", true),
    ];
    let lines = lines.map(|(field, name, label, autocomplete, optional)| Input {
        field,
        name,
        label,
        autocomplete,
        optional,
        ..PLAIN
    });
    let postal = Input { optional: true, ..postal(false, w) };
    [name(w), country(w), postal].into_iter().chain(lines).collect()
}

/// What is said of a field that is not right, by the code that the script has for it.
fn errors(w: &'static Words) -> [(&'static str, &'static str); 13] {
    [
        ("incomplete_number", w.incomplete_number),
        ("invalid_number", w.invalid_number),
        ("incomplete_expiry", w.incomplete_expiry),
        ("invalid_expiry_month", w.invalid_expiry_month),
        ("invalid_expiry_month_past", w.invalid_expiry_month_past),
        ("invalid_expiry_year", w.invalid_expiry_year),
        ("invalid_expiry_year_past", w.invalid_expiry_year_past),
        ("incomplete_cvc", w.incomplete_cvc),
        ("incomplete_zip", w.incomplete_zip),
        ("incomplete_email", w.incomplete_email),
        ("invalid_email", w.invalid_email),
        ("incomplete_name", w.incomplete_name),
        ("incomplete_address", w.incomplete_address),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_become_one_script_with_nothing_left_of_their_seams() {
        for whole in [joined(&SCRIPT), joined(&FRAME)] {
            assert!(!whole.lines().any(|line| line.starts_with("import ")), "{whole}");
            assert!(!whole.lines().any(|line| line.starts_with("export ")), "{whole}");
        }
    }

    #[test]
    fn every_element_has_its_inputs_in_both_languages() {
        for locale in Locale::ALL {
            for (kind, count) in [
                ("card", 4),
                ("cardNumber", 1),
                ("cardExpiry", 1),
                ("cardCvc", 1),
                ("payment", 7),
                ("address", 7),
                ("linkAuthentication", 1),
            ] {
                let frame = frame(kind, locale).unwrap();
                assert_eq!(frame.fields.len(), count, "{kind}");
                let html = frame.render().unwrap();
                assert!(html.contains(&format!("data-kind=\"{kind}\"")), "{html}");
                assert_eq!(html.matches("data-field=").count(), count, "{html}");
            }
            assert!(frame("iban", locale).is_none());
        }
    }
}
