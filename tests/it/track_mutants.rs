//! The broken handlers of the course: each is caught by the item that says so, and by no unrelated one.

use crate::shop::{completed, signature};
use crate::track::{Program, Tea, deliver, good_after_bad};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// What an item of the course asks of a shop, seen from outside; each about sessions of its own.
type Probe = fn(&mut Tea) -> bool;

/// The items in an order in which what one breaks for good stands last.
const PROBES: [(&str, Probe); 19] = [
    ("D1.1", posts_alone_buy),
    ("D1.5", costs_what_it_says),
    ("X19", sets_its_own_price),
    ("D3.3", answers_at_once),
    ("D3.7", refuses_what_is_not_genuine),
    ("X1", verifies_bytes),
    ("X16", takes_every_type),
    ("X14", leaves_the_other_mode_alone),
    ("X18", believes_no_visitor),
    ("D4.1", has_written_when_it_answers),
    ("D4.3", writes_what_was_paid),
    ("X6", waits_for_the_money),
    ("X7", sees_it_arrive),
    ("X8", sees_it_fail),
    ("X11", needs_no_order),
    ("X10", knows_a_twin),
    ("D3.4", keeps_secrets),
    ("D4.5", counts_a_repeated_event_once),
    ("X22", stands_a_rush),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons/mutants")
}

/// A signed event about a session; `paid` unless the status says otherwise.
fn event(id: &str, session: &str, kind: &str, status: &str) -> Value {
    let mut event: Value = serde_json::from_slice(&completed(id, session, 500)).unwrap();
    event["type"] = format!("checkout.session.{kind}").into();
    event["data"]["object"]["payment_status"] = status.into();
    event
}

fn rows(tea: &Tea, session: &str) -> Vec<Value> {
    tea.rows().into_iter().filter(|row| row["session_id"] == session).collect()
}

fn is(tea: &Tea, session: &str, status: &str) -> bool {
    matches!(rows(tea, session).as_slice(), [row] if row["status"] == status)
}

fn takes(tea: &Tea, event: &Value) -> bool {
    tea.deliver(event) == 200
}

fn posts_alone_buy(tea: &mut Tea) -> bool {
    let session = tea.buy();
    tea.session(&session)["amount_total"] == 500 && tea.get("/checkout").status >= 400
}

fn costs_what_it_says(tea: &mut Tea) -> bool {
    let session = tea.buy();
    tea.get("/").text().contains("¥500<") && tea.session(&session)["amount_total"] == 500
}

fn sets_its_own_price(tea: &mut Tea) -> bool {
    let usual = tea.buy();
    let cheap = crate::track::session_of(&tea.post("/checkout?amount=60", &[("amount", "60")]));
    tea.session(&usual)["amount_total"] == tea.session(&cheap)["amount_total"]
}

fn answers_at_once(tea: &mut Tea) -> bool {
    let begun = Instant::now();
    let event = event("evt_d33", "cs_test_d33", "completed", "paid");
    takes(tea, &event) && begun.elapsed() < Duration::from_secs(1)
}

fn refuses_what_is_not_genuine(tea: &mut Tea) -> bool {
    let body = completed("evt_forged", "cs_test_forged", 500);
    let good = signature(&tea.secret, 0, &body);
    let flipped = String::from_utf8(body.clone()).unwrap().replacen("500", "501", 1).into_bytes();
    let (other, old) = (signature("whsec_wrong", 0, &body), signature(&tea.secret, 600, &body));
    let v0 = good.replace("v1=", "v0=");
    let bad: [(Option<&str>, &[u8]); 6] = [
        (Some(&other), &body),
        (Some(&good), &flipped),
        (Some(&v0), &body),
        (None, &body),
        (Some(""), &body),
        (Some(&old), &body),
    ];
    let refused =
        bad.iter().all(|(header, body)| (400..500).contains(&tea.send(body, *header).status));
    let rolled = completed("evt_rolled", "cs_test_rolled", 500);
    let rolled = tea.send(&rolled, Some(&good_after_bad(&tea.secret, &rolled))).status < 400;
    refused && rolled && rows(tea, "cs_test_forged").is_empty()
}

fn verifies_bytes(tea: &mut Tea) -> bool {
    let event = event("evt_x1", "cs_test_x1", "completed", "paid");
    let odd = format!(" {}\n", serde_json::to_string(&event).unwrap().replace("\":", "\"  :\t"));
    let odd = odd.replace("jpy", "\\u006apy");
    tea.send(odd.as_bytes(), Some(&signature(&tea.secret, 0, odd.as_bytes()))).status == 200
}

fn takes_every_type(tea: &mut Tea) -> bool {
    let mut event = event("evt_n33", "cs_test_n33", "completed", "paid");
    let before = tea.rows();
    let types = ["customer.created", "price.updated", "payout.paid", "something.new"];
    let taken = types.into_iter().all(|kind| {
        event["id"] = format!("evt_n33_{kind}").into();
        event["type"] = kind.into();
        takes(tea, &event)
    });
    taken && tea.rows() == before
}

fn leaves_the_other_mode_alone(tea: &mut Tea) -> bool {
    let mut event = event("evt_x14", "cs_test_x14", "completed", "paid");
    event["livemode"] = true.into();
    tea.deliver(&event);
    rows(tea, "cs_test_x14").is_empty()
}

fn believes_no_visitor(tea: &mut Tea) -> bool {
    let open = tea.buy();
    tea.get(&format!("/success?session_id={open}"));
    tea.get("/success?session_id=cs_test_invented");
    rows(tea, &open).is_empty() && rows(tea, "cs_test_invented").is_empty()
}

fn has_written_when_it_answers(tea: &mut Tea) -> bool {
    tea.deliver(&event("evt_d41", "cs_test_d41", "completed", "paid"));
    is(tea, "cs_test_d41", "paid")
}

fn writes_what_was_paid(tea: &mut Tea) -> bool {
    [("jpy", 50), ("usd", 500), ("kwd", 5000)].into_iter().all(|(currency, amount)| {
        let id = format!("cs_test_d43_{currency}");
        let mut event = event(&format!("evt_d43_{currency}"), &id, "completed", "paid");
        event["data"]["object"]["amount_total"] = amount.into();
        event["data"]["object"]["currency"] = currency.into();
        tea.deliver(&event);
        let told = |row: &Value| row["amount"] == json!(amount) && row["currency"] == currency;
        rows(tea, &id).iter().any(told)
    })
}

fn waits_for_the_money(tea: &mut Tea) -> bool {
    tea.deliver(&event("evt_x6", "cs_test_x6", "completed", "unpaid"));
    is(tea, "cs_test_x6", "unpaid")
}

fn sees_it_arrive(tea: &mut Tea) -> bool {
    tea.deliver(&event("evt_x7", "cs_test_x7", "completed", "unpaid"));
    tea.deliver(&event("evt_x7_later", "cs_test_x7", "async_payment_succeeded", "paid"));
    is(tea, "cs_test_x7", "paid")
}

fn sees_it_fail(tea: &mut Tea) -> bool {
    tea.deliver(&event("evt_x8", "cs_test_x8", "completed", "unpaid"));
    tea.deliver(&event("evt_x8_later", "cs_test_x8", "async_payment_failed", "unpaid"));
    is(tea, "cs_test_x8", "failed")
}

fn needs_no_order(tea: &mut Tea) -> bool {
    tea.deliver(&event("evt_x11_later", "cs_test_x11", "async_payment_succeeded", "paid"));
    tea.deliver(&event("evt_x11", "cs_test_x11", "completed", "unpaid"));
    is(tea, "cs_test_x11", "paid")
}

fn knows_a_twin(tea: &mut Tea) -> bool {
    let mut event = event("evt_x10", "cs_test_x10", "completed", "paid");
    tea.deliver(&event);
    let before = rows(tea, "cs_test_x10");
    event["id"] = "evt_x10_twin".into();
    takes(tea, &event) && rows(tea, "cs_test_x10") == before
}

fn keeps_secrets(tea: &mut Tea) -> bool {
    let secret = tea.secret.clone();
    let said = tea.shop.said();
    !said.contains(&secret) && !said.contains("payment_status")
}

fn counts_a_repeated_event_once(tea: &mut Tea) -> bool {
    let event = event("evt_d45", "cs_test_d45", "completed", "paid");
    let taken = (0..4).all(|_| takes(tea, &event));
    taken && rows(tea, "cs_test_d45").len() == 1
}

fn stands_a_rush(tea: &mut Tea) -> bool {
    let start = Barrier::new(20);
    let (port, secret) = (tea.port, tea.secret.as_str());
    let taken = thread::scope(|scope| {
        let turns: Vec<_> = (0..20)
            .map(|turn| {
                let start = &start;
                scope.spawn(move || {
                    let other = if turn % 2 == 0 { 0 } else { turn };
                    let (id, session) =
                        (format!("evt_x22_{other}"), format!("cs_test_x22_{other}"));
                    start.wait();
                    deliver(port, secret, &event(&id, &session, "completed", "paid")) == 200
                })
            })
            .collect();
        turns.into_iter().all(|turn| turn.join().unwrap())
    });
    let mine = |row: &&Value| row["session_id"].as_str().unwrap().starts_with("cs_test_x22_");
    taken && tea.rows().iter().filter(mine).count() == 11
}

/// The items that a shop fails, of those asked for.
fn failing(file: &str, asked: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let mut tea = Tea::program(Program::File(folder().join(file)));
    let probes = PROBES.into_iter().filter(|(item, _)| asked(item));
    probes.filter(|(_, probe)| !probe(&mut tea)).map(|(item, _)| item).collect()
}

/// The rows of `mutants.toml`.
fn mutants() -> Vec<toml::Table> {
    let text = fs::read_to_string(folder().join("mutants.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let rows = table["mutant"].as_array().unwrap();
    rows.iter().map(|row| row.as_table().unwrap().clone()).collect()
}

#[test]
#[ignore = "needs Flask: ./test"]
fn track_nothing_catches_the_healthy_shop() {
    assert_eq!(failing("healthy.py", |_| true), [""; 0]);
}

#[test]
#[ignore = "needs Flask: ./test"]
fn track_each_broken_handler_is_caught_by_its_item_alone() {
    let caught = |row: &toml::Table| {
        let text = |name: &str| row[name].as_str().unwrap();
        // Half a minute of waiting for each item would prove nothing more.
        let all = text("id") != "slow_12s";
        let failing = failing(text("file"), |item| all || item == text("caught_by"));
        let allowed = |item: &str| {
            let also = row["also"].as_array().unwrap();
            item == text("caught_by") || also.iter().any(|it| it.as_str() == Some(item))
        };
        let holds = failing.contains(&text("caught_by")) && failing.iter().all(|it| allowed(it));
        (!holds).then(|| format!("{}: caught by {failing:?}", text("id")))
    };
    let rows = mutants();
    assert_eq!(rows.len(), 27);
    // Most of the time is waiting for Python to start.
    let wrong: Vec<String> = thread::scope(|scope| {
        let halves: Vec<_> = rows
            .chunks(rows.len().div_ceil(3))
            .map(|part| scope.spawn(move || part.iter().filter_map(caught).collect::<Vec<_>>()))
            .collect();
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The day of the course that has an item.
fn day_of(item: &str) -> usize {
    let lessons = Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons");
    let has = |day: &usize| {
        let text = fs::read_to_string(lessons.join(format!("day{day}/lesson.toml"))).unwrap();
        text.contains(&format!("\nid = \"{item}\"\n"))
    };
    (0..7).find(has).unwrap_or_else(|| panic!("no lesson has {item}"))
}

/// What is wrong with how the course grades a broken handler on the day that should catch it.
fn misgraded(row: &toml::Table) -> Option<String> {
    let text = |name: &str| row[name].as_str().unwrap();
    let tea = Tea::program_for_course(Program::File(folder().join(text("file"))));
    let result = tea.grade(day_of(text("caught_by")));
    let failed: Vec<&str> = result["checks"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, outcome)| *outcome == "fail")
        .map(|(item, _)| item.as_str())
        .collect();
    let also = row["also"].as_array().unwrap();
    let allowed = |it: &str| it == text("caught_by") || also.iter().any(|a| a.as_str() == Some(it));
    let holds = failed.contains(&text("caught_by")) && failed.iter().all(|it| allowed(it));
    (!holds).then(|| format!("{}: {failed:?} instead of {}", text("id"), text("caught_by")))
}

#[test]
#[ignore = "needs Flask: ./test"]
fn track_the_course_catches_each_broken_handler() {
    let rows = mutants();
    // A server that the course has not started keeps its log to itself.
    let seen = rows.iter().filter(|row| !row.contains_key("log"));
    let wrong: Vec<String> = seen.filter_map(misgraded).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn track_each_broken_handler_has_its_file() {
    let mut named: Vec<String> =
        mutants().iter().map(|row| row["file"].as_str().unwrap().to_owned()).collect();
    named.extend(["healthy.py".to_owned(), "shop.py".to_owned()]);
    named.sort();
    let there = fs::read_dir(folder()).unwrap().map(|it| it.unwrap().file_name());
    let mut there: Vec<String> = there
        .map(|name| name.into_string().unwrap())
        .filter(|name| Path::new(name).extension().is_some_and(|it| it == "py"))
        .collect();
    there.sort();
    assert_eq!(named, there);
}
