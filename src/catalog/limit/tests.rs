use super::*;
use crate::catalog::Catalog;
use crate::catalog::validate::Strictness;
use crate::wire::form;

/// Every row of both files, as shape, field and limits.
fn rows() -> Vec<(&'static str, &'static str, &'static str)> {
    let texts = [
        include_str!("../../../fixtures/api/limits.tsv"),
        include_str!("../../../fixtures/api/extra_limits.tsv"),
    ];
    let lines = texts.into_iter().flat_map(str::lines).filter(|line| !line.starts_with('#'));
    let rows = lines.map(|line| line.split_once('\t').unwrap());
    rows.flat_map(|(shape, columns)| {
        columns.split('\t').map(move |column| {
            let (field, limits) = column.split_once('=').unwrap();
            (shape, field, limits)
        })
    })
    .collect()
}

fn refused(limit: Limit, text: &str) -> Option<Failure> {
    limit.refusal(text, "x")
}

#[test]
fn every_row_names_fields_and_each_limit_holds_at_its_bound_and_not_beyond() {
    let catalog = Catalog::get();
    for (shape, field, limits) in rows() {
        for text in limits.split(',').filter(|text| *text != "-") {
            let limit = Limit::read(text).unwrap_or_else(|| panic!("{shape}.{field}: {text}"));
            if shape != "*" {
                let shape = catalog.params(shape).unwrap_or_else(|| panic!("{shape}"));
                let found = shape.fields.iter().find(|it| it.name == field);
                let found = found.unwrap_or_else(|| panic!("{}.{field}", shape.name));
                let by_hand = column(&catalog.limits.by_hand, shape.name, field);
                if by_hand.is_none_or(|by_hand| by_hand == limits) {
                    assert!(found.limits.contains(&limit), "{}.{field}", shape.name);
                }
            }
            let (within, beyond, words) = samples(limit);
            let at = |value: &Value| refusal(&[limit], value, Path::Name(&Path::Root, field));
            assert_eq!(at(&within), None, "{shape}.{field}");
            let failure = at(&beyond).unwrap_or_else(|| panic!("{shape}.{field}"));
            assert!(failure.message.contains(&words), "{}", failure.message);
            assert_eq!((failure.status, failure.param.as_deref()), (400, Some(field)));
        }
    }
}

/// What is just within a limit, what is just beyond it, and words of the refusal.
fn samples(limit: Limit) -> (Value, Value, String) {
    let text = |n: usize| Value::from("あ".repeat(n));
    match limit {
        Limit::Characters(n) => (text(n), text(n + 1), format!("; must be at most {n} characters")),
        Limit::Items(n) => (
            Value::from(vec![0; n]),
            Value::from(vec![0; n + 1]),
            format!("exceeded maximum {n} allowed elements."),
        ),
        Limit::Places(n) => (
            Value::from(format!("0.{}", "1".repeat(n))),
            Value::from(format!("0.{}", "1".repeat(n + 1))),
            format!("; must contain at most {n} decimal places."),
        ),
        Limit::Url => {
            let start = "https://shop.example/";
            let long = |n: usize| Value::from(format!("{start}{}", "a".repeat(n - start.len())));
            (
                long(5_000),
                long(5_001),
                "Invalid URL: URL must be 5000 characters or less.".to_owned(),
            )
        }
        Limit::Email => {
            (Value::from("a@b.jp"), Value::from("foo"), "Invalid email address: foo".to_owned())
        }
        Limit::Descriptor => (text(22), text(23), "must be at most 22 characters.".to_owned()),
    }
}

#[test]
fn a_request_is_refused_with_the_ends_of_its_text() {
    let catalog = Catalog::get();
    let sent = |path: &str, body: &str| {
        let crate::catalog::route::Routed::Found(route) = catalog.route("POST", path) else {
            panic!("{path}")
        };
        let tree = form::decode(body.as_bytes()).unwrap().tree;
        catalog.validate(route.endpoint, &tree, Strictness::Endive)
    };
    let long = format!("0123456789{}abcdefghij", "x".repeat(300));
    let failure = sent("/v1/customers", &format!("name={long}")).unwrap_err();
    assert_eq!(
        failure.message,
        "Invalid string: 0123456789...abcdefghij; must be at most 256 characters"
    );
    assert_eq!((failure.code, failure.param.as_deref()), (None, Some("name")));
    for (path, body, param) in [
        ("/v1/payment_intents", "amount=100&currency=usd&receipt_email=foo", "receipt_email"),
        (
            "/v1/payment_intents",
            "amount=100&currency=usd&statement_descriptor_suffix=%3Cx%3E",
            "statement_descriptor_suffix",
        ),
        ("/v1/products", "name=a&url=foo", "url"),
        ("/v1/products", "name=a&images[]=foo", "images[0]"),
        (
            "/v1/prices",
            "currency=usd&product=p&unit_amount_decimal=0.1234567890123",
            "unit_amount_decimal",
        ),
        ("/v1/customers", "shipping[name]=a&shipping[address][line1]=b&email=a", "email"),
        ("/v1/tokens", "pii[id_number]=", "pii[id_number]"),
    ] {
        let failure = sent(path, body).unwrap_err();
        assert_eq!((failure.status, failure.param.as_deref()), (400, Some(param)), "{body}");
    }
    let any = format!("description={}", "x".repeat(5_001));
    assert!(sent("/v1/customers", &any).is_err());
    assert!(sent("/v1/products", &format!("name=a&{any}")).is_ok());
}

#[test]
fn addresses_need_a_scheme_and_are_not_only_of_the_web() {
    for good in
        ["http://localhost:4242/ok?id={CHECKOUT_SESSION_ID}", "app://done", "HTTPS://例え.jp"]
    {
        assert_eq!(refused(Limit::Url, good), None, "{good}");
    }
    let scheme = "Invalid URL: An explicit scheme (such as https) must be provided.";
    for (bad, message) in [
        ("shop.example", scheme),
        ("/done", scheme),
        ("https:///x", "Not a valid URL"),
        ("https://a b", "Not a valid URL"),
        ("1x://a", "Not a valid URL"),
        ("app://", "Not a valid URL"),
    ] {
        let failure = refused(Limit::Url, bad).unwrap();
        assert_eq!((&*failure.message, failure.code.as_deref()), (message, Some("url_invalid")));
    }
}

#[test]
fn a_statement_shows_letters_and_few_other_characters() {
    for good in ["TEA SHOP", "a", "1 tea-shop."] {
        assert_eq!(refused(Limit::Descriptor, good), None, "{good}");
    }
    for bad in ["1234567", "a<b", "a*b", "a'b", "-"] {
        assert!(refused(Limit::Descriptor, bad).is_some(), "{bad}");
    }
}
