//! What the pure code on the way of a request costs, in microseconds: `cargo bench --bench pure`.
//! With a name only that part runs, many times: for a profiler.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a bench prints what it measured and stops at the unexpected"
)]

use std::hint::black_box;
use std::time::Instant;

use serde_json::{Value, json};
use stripegym::parts::{Catalog, Failure, Routed, Version, form, json as wire_json, render};

const CUSTOMER: &[u8] = b"name=Aki+Sato&email=aki%40example.com&metadata[order]=1001";
const SESSION: &[u8] = b"mode=payment&success_url=https%3A%2F%2Fexample.com%2Fok\
    &cancel_url=https%3A%2F%2Fexample.com%2Fno&customer=cus_123456789&metadata[order]=1001\
    &line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=500\
    &line_items[0][price_data][product_data][name]=Tea&line_items[0][quantity]=2\
    &line_items[1][price]=price_1234567890&line_items[1][quantity]=1";
const ROUNDS: usize = 9;

fn main() {
    let wanted: Option<String> = std::env::args().skip(1).find(|arg| arg != "--bench");
    let customer = customer();
    let compact = render::compact(&customer);
    println!("{:<28} {:>9}", "", "µs");
    let part = |name: &str, goal: &str, work: &mut dyn FnMut()| {
        if wanted.as_ref().is_none_or(|it| it == name) {
            println!("{name:<28} {:>9.3}   {goal}", microseconds(work));
        }
    };
    part("customer: whole", "goal 8", &mut || request("/v1/customers", CUSTOMER));
    part("customer: decode", "", &mut || drop(black_box(form::decode(CUSTOMER))));
    part("customer: route", "", &mut || route("/v1/customers"));
    part("customer: validate", "", &mut validate("/v1/customers", CUSTOMER));
    part("session: whole", "goal 20", &mut || request("/v1/checkout/sessions", SESSION));
    part("session: decode", "", &mut || drop(black_box(form::decode(SESSION))));
    part("session: validate", "", &mut validate("/v1/checkout/sessions", SESSION));
    part("route with an id", "", &mut || route("/v1/customers/cus_123456789"));
    part("blank: customer", "", &mut || drop(black_box(Catalog::get().blank("customer"))));
    part("blank: checkout.session", "", &mut || {
        drop(black_box(Catalog::get().blank("checkout.session")));
    });
    part("failure: body", "", &mut || {
        drop(black_box(Failure::missing("customer", "cus_x", "id").body()));
    });
    part("json: pretty", "", &mut || drop(black_box(wire_json::pretty(&customer))));
    part("serde: to_string", "", &mut || drop(black_box(customer.to_string())));
    part("render: compact", "", &mut || drop(black_box(render::compact(&customer))));
    let mut out = Vec::with_capacity(2048);
    part("render: pretty_into", "goal 1", &mut || {
        out.clear();
        render::pretty_into(&mut out, black_box(&compact), 0);
    });
}

/// The fastest round's time for one turn.
fn microseconds(work: &mut dyn FnMut()) -> f64 {
    const TURNS: u32 = 20_000;
    let round = |work: &mut dyn FnMut()| {
        let started = Instant::now();
        for _ in 0..TURNS {
            work();
        }
        started.elapsed().as_secs_f64() * 1e6 / f64::from(TURNS)
    };
    (0..ROUNDS).map(|_| round(work)).fold(f64::INFINITY, f64::min)
}

fn today() -> Version {
    Version { text: Catalog::get().api_version().to_owned(), named: true }
}

fn request(path: &str, body: &[u8]) {
    let decoded = form::decode(black_box(body)).unwrap();
    let Routed::Found(found) = Catalog::get().route("POST", path) else { panic!("{path}") };
    drop(black_box(Catalog::get().validate(found.endpoint, &decoded.tree, &today()).unwrap()));
}

fn route(path: &str) {
    drop(black_box(Catalog::get().route("POST", black_box(path))));
}

fn validate(path: &str, body: &[u8]) -> impl FnMut() {
    let tree = form::decode(body).unwrap().tree;
    let Routed::Found(found) = Catalog::get().route("POST", path) else { panic!("{path}") };
    let version = today();
    move || {
        let typed = Catalog::get().validate(found.endpoint, black_box(&tree), &version);
        drop(black_box(typed.unwrap()));
    }
}

/// A customer as the sandbox shows it.
fn customer() -> Value {
    json!({
        "id": "cus_NffrFeUfNV2Hib", "object": "customer", "address": null, "balance": 0,
        "created": 1_680_893_993, "currency": null, "customer_account": null,
        "default_source": null, "delinquent": false, "description": "A customer of the bench",
        "discount": null, "email": "aki@example.com", "invoice_prefix": "0759376C",
        "invoice_settings": {
            "custom_fields": null, "default_payment_method": null, "footer": null,
            "rendering_options": null
        },
        "livemode": false, "metadata": {"order": "1001"}, "name": "Aki Sato",
        "next_invoice_sequence": 1, "phone": null, "preferred_locales": [], "shipping": null,
        "tax_exempt": "none", "test_clock": null
    })
}
