//! What `--json` promises, command by command, as `--help` shows it. A test holds the answers to it.

use crate::domain::merchant_command;
use crate::view::wrap::wrap;
use std::borrow::Cow;

/// Columns of a line that is made here; the help indents it.
const WIDTH: u16 = 76;

/// The schema of a command (`ledger show`); `None` for a command that prints no data.
pub fn of(command: &str) -> Option<Cow<'static, str>> {
    match merchant_command::find(command) {
        Some(found) => Some(Cow::Owned(wrap(&found.schema(), WIDTH, 1))),
        None => written(command).map(Cow::Borrowed),
    }
}

#[expect(clippy::too_many_lines, reason = "a table with a row a command")]
fn written(command: &str) -> Option<&'static str> {
    Some(match command {
        "" => {
            "{place, key: {masked, from}|null, ledger_rows: int|null}\nplace is {mode: \"sandbox\"|\"stripe\", base: URL|null, home: folder}"
        }
        "checkout" => {
            "{place, session, url|null, amount, currency, status, payment_status,\n payment_intent|null, ending: \"created\"|\"paid\"|\"processing\"|\"declined\"|\n \"canceled\"|\"expired\", message|null}"
        }
        "listen" => {
            "One object a line:\n{listening: URL, endpoint|null} or {polling: URL}, {secret} with --print-secret,\n{at, outcome: \"recorded\"|\"stored\"|\"not_booked\"|\"duplicate\"|\"rejected\", status, reason|null,\n event|null, type|null, took_ms, forwarded: int|text|null} for each delivery,\n{summary: {deliveries, recorded, duplicates, rejected}} at the end"
        }
        "ledger show" => {
            "{place, rows: [{session, amount, currency, status, created, payment_intent,\n refunded, updated, event, disputed, dispute_fee,\n goods: \"send\"|\"hold\"}], totals: [{currency, rows, paid, refunded, net}], all}"
        }
        "ledger accounts" => "{place, rows: [{account, postings: int}]}",
        "ledger balance" => "{place, rows: [{account, currency, amount, postings: int}]}",
        "ledger journal" => {
            "{place, rows: [{number, created, line, reason, object, takes_back, account, currency,\n amount}]}"
        }
        "ledger import" | "ledger problems" => "{place, rows: [{name, about, text}]}",
        "ledger verify" | "ledger rebuild" | "ledger migrate" => {
            "{place, ok, lines: int, writers: int, checkpoints: int,\n rows: [{table, row, deviation}]}"
        }
        "reconcile" => {
            "{place, ok, rows: [{verdict, session, key, difference: int|null, ledger: record|null,\n provider: record|null}], counts: {MATCH, …}, sums: [{currency, ledger, provider,\n difference}], money: [{currency, category, ledger: flow, provider: flow}],\n fixed: [{session, before, changed,\n state: \"planned\"|\"done\"|\"unchanged\"|\"left\"}]|null}\nrecord is {session, amount, currency, status, created, payment_intent|null,\n refunded: int|null, fee: int|null}, flow is {rows, gross, fee, net}"
        }
        "ledger compact" => "{place, lines: int, payload: int, before: int, after: int}",
        "catch-up" => "{place, from, to, events: int, objects: int, fresh: int, unreadable: int}",
        "reconcile explain" => {
            "{place, id, rows: [{verdict, session, key, difference: int|null, ledger: record|null,\n provider: record|null}], lines: [{id, type, received}]}\nrecord is {session, amount, currency, status, created, payment_intent|null,\n refunded: int|null, fee: int|null}"
        }
        "sandbox" => "{ready: URL}",
        "shop" => {
            "One object a line:\n{listening: URL, endpoint|null}, before it {polling: URL} with a Stripe key,\n{at, outcome: \"recorded\"|\"stored\"|\"not_booked\"|\"duplicate\"|\"rejected\", status, reason|null,\n event|null, type|null, took_ms, forwarded: null} for each delivery"
        }
        "shop migrate" => "{place, rows: [{table, rows: int}]}",
        "sandbox fault add" => "{on, answer, times: int, used: int}",
        "sandbox fault list" => "{faults: [{on, answer, times: int, used: int}]}",
        "sandbox fault clear" => "{cleared: int}",
        "logs" => {
            "{requests: [request]}, or one request a line with `tail`; a request is\n{id, created, method, path, status: int|null, error|null, fault|null}"
        }
        "day" => {
            "One object a line: {lesson, title, goal, text}, {did, by_hand, short|null} for a step,\n{look: {sessions, events}}, for a check {check, code, kind, state: \"pass\"|\"fail\"|\"warn\"|\n \"partial\"|\"attest\"|\"skip\"|\"blocked\", title, checked, expected, got, why, next,\n findings: [{holds, expected, got}], duration_ms}, and at the end\n{day, ok, lesson_version, api_version, track, checks: {id: state},\n notes: [{id, state, title, because}], gates: as notes, took_ms}. One that opens with the\nwhole loop says {step: 1-7, name, facts}, and at the end {ok, took_ms, event, checkout,\nreconciliation, course}, the last three as of `checkout`, `reconcile` and the above"
        }
        "contract" => {
            "{routes: [{route, required: bool, flags}], environment: [name], environment_of:\n [{lesson, variables: [name]}], ledger: [{column, form, required: bool}]}"
        }
        "check" => {
            "One object a line: for a check {id, code, day, kind, state: as `day`,\n severity: \"wrong\"|\"risky\"|\"habit\", root|null, request|null, answer|null, log|null, said|null, title, checked, expected,\n got, why, next, hint_tier: 0-3, evidence: {sessions: [cs], events: [{id, type,\n attempts: [status]}], ledger_rows: [{session, amount, currency, status}]}, duration_ms,\n lesson_version, api_version, mode, track}, and at the end {summary: {ok, days: [day], checks,\n passed, failed, warned, open, skipped, strict, next, took_ms}}.\nWith --watch {watching: folder, means: \"events\"|\"polling\", why|null} at first, and a round's summary has\n{round: {number, cause: \"began\"|\"files\"|\"delivery\"|\"back\", files: {first, count}|null,\n event|null, changes: [{id, before, after}]}}, or {round: {number, failed: {kind, message, cause}}}"
        }
        "status" => {
            "{days: [{day, title, passed, required, checks: {id: state|null}, hints: int,\n shown: int, done: int, proved: int, optional,\n solution: \"shown\"|\"gave_up\"|null}]}"
        }
        "solution" => "{day, language, path, text, gave_up}, or {held, next} before the pass",
        "starter" => "{folder, files: int, install: text|null, start}",
        "report" => {
            "{head: {format, version, program, api_version, language}, days: [{id, title, gone:\n [shown, done, proved]|absent, solution: {at, gave_up}|null}], rows: [{id, day, title, required, lesson_version, state|null, track|null,\n first_passed|null, attested|null, attempts, failed, hints, evidence: as `check`,\n evidence_sha256, findings_sha256, seal}], seal}, or {written, sha256} with --out"
        }
        "verify-report" => {
            "{ok, file, rows, seal, flaws: [{flaw, what}], against|null, other_program|null}"
        }
        "progress export" => {
            "{format, version, progress: {checks: [{id, version, updated, state, attempts, passed}],\n attested: [{id, at}], hints: [{code, tier, at}], solutions: [{day, at, gave_up}], attempts:\n [{at, id, version, state, code, track, api_version, evidence, findings}]}}, or {written, sha256}"
        }
        "progress import" => "{checks: int, attempts: int, backup|null}",
        "hint" => "{code, title, hints: [text], all}",
        "explain" => "{name, title, texts: [text], docs: [URL]}, or {topics: [{name, title}]}",
        "reset" => "{reset: [name], backup: folder}",
        "dev check" => {
            "{ok, items: {letter: count}, commands, beyond_loopback: int, problems: [text],\n tried: [{tried, ok, wrong|null, failed: [id], duration_ms}]}"
        }
        "dev items" => "[{id, title, kind, proved_by: [id], catches: [name]}]",
        "cards" => {
            "{cards: [{number, group, brand, country, funding, payment_method|null, behaviour}]}"
        }
        "doctor" => "{place, findings: [{name, weight: \"ok\"|\"caution\"|\"problem\", facts}]}",
        "trigger" => "{type, event|null}, or {types: […]} without a type",
        "events list" => "{events: [{id, type, created, object, pending_webhooks}]}",
        "deliver" => {
            "{event, type, url, header|null, bytes: int, tamper: \"body\"|\"secret\"|\"time\"|\"header\"|null,\n status: int|null, error|null, said, took_ms, changed}"
        }
        "sign" => "{event, type, t: int, v1, header, bytes: int, secret: masked}",
        "setup" => "{session, mode, status, customer, setup_intent, url|null, message|null}",
        "events show" => "The event as the API has it.",
        "events resend" => "{event, type, endpoints}",
        _ => return of_sandbox(command),
    })
}

/// Those of what is done to a running sandbox.
fn of_sandbox(command: &str) -> Option<&'static str> {
    Some(match command {
        "sandbox worlds list" => "{data: [world]}, each as of `sandbox worlds create`",
        "sandbox worlds create" | "sandbox worlds reset" | "sandbox worlds restore" => {
            "{name, base_url, key, account, seed|null, now, clock: \"stands\"|\"runs\", objects: int,\n commit: int}"
        }
        "sandbox worlds delete" => "{name, deleted: true}",
        "sandbox worlds snapshot" => "{world, label, objects: int, file|null}",
        "sandbox account show" | "sandbox account set" => {
            "{id, country, currency, api_version, payment_methods, raw_cards, webhook_retries, dunning_retries}"
        }
        "sandbox keys list" => "{data: [{key, masked, allow: [text], created}]}",
        "sandbox keys create" => "{key, masked, allow: [text], created}",
        "sandbox keys delete" => "{key, deleted: true}",
        "clock show" | "clock advance" | "clock set" => {
            "{world, now, at, clock: \"stands\"|\"runs\"}"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::course::carried::Carried;
    use crate::domain::course::evidence::{EventSeen, Evidence, RowSeen};
    use crate::domain::course::graded::{Checked, Graded};
    use crate::domain::course::item::ItemProof;
    use crate::domain::course::outcome::{CheckResult, DayResult, ItemResult, State};
    use crate::domain::course::progress_report::{
        DayLine, Flaw, Head, ProgressReport, Row, Shown, Verified,
    };
    use crate::domain::course::standing::{DayStatus, Explained, Hint};
    use crate::domain::course::{Kind, Level};
    use crate::domain::currency::Currency;
    use crate::domain::doctor::{Doctor, Finding};
    use crate::domain::entry::EntryStatus;
    use crate::domain::event::EventRow;
    use crate::domain::merchant_command::noun::{CUSTOMER, Noun, SUBSCRIPTION};
    use crate::domain::mode::Mode;
    use crate::domain::money::Money;
    use crate::domain::reconcile::{Record, Verdict, reconcile};
    use crate::domain::report::{
        CaughtUp, Checkout, Compacted, Day0, Ending, Explanation, FixState, Fixed, Home, Ledger,
        LedgerRow, LessonsChecked, Listened, Objects, Place, Reconciled, Report, Total, Tried,
    };
    use crate::domain::request::{FaultRow, RequestRow, Told};
    use crate::domain::sheet::{Cell, Looked, Sheet, SheetKind};
    use crate::domain::signed_delivery::{Delivered, Signed};
    use crate::domain::time::Timestamp;
    use crate::view::json;
    use serde_json::{Value, json};
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Arc;

    #[expect(clippy::too_many_lines, reason = "a sample of each report")]
    fn samples() -> Vec<(&'static str, Report)> {
        let place = Place { mode: Mode::Sandbox, base: None, home: ".stripegym".into() };
        let record = Record {
            session_id: "cs_1".into(),
            amount: Money::new(500, Currency::JPY),
            status: EntryStatus::Paid,
            created: Timestamp(0),
            payment_intent: None,
        };
        let checkout = Checkout {
            place: place.clone(),
            session: "cs_1".into(),
            page_stays: true,
            url: None,
            total: record.amount,
            status: "complete".into(),
            payment_status: "paid".into(),
            payment_intent: None,
            ending: Ending::Paid,
            message: None,
        };
        let reconciled = Reconciled {
            place: place.clone(),
            result: reconcile(std::slice::from_ref(&record), std::slice::from_ref(&record)),
            fixed: Some(vec![Fixed {
                session: "cs_1".into(),
                before: Verdict::Match,
                state: FixState::Left,
            }]),
        };
        let caught_up = CaughtUp {
            place: place.clone(),
            from: Timestamp(0),
            to: Timestamp(9),
            events: 1,
            objects: 0,
            fresh: 1,
            unreadable: 0,
        };
        let compacted =
            Compacted { place: place.clone(), lines: 1, payload: 3_000, before: 9, after: 5 };
        let explanation = Explanation {
            place: place.clone(),
            id: "cs_1".into(),
            findings: reconciled.result.rows.clone(),
            lines: vec![("evt_1".into(), "x".into(), Timestamp(0))],
        };
        let total = Total { rows: 1, paid: record.amount, refunded: Money::new(0, Currency::JPY) };
        let row = LedgerRow { record, refunded: 0, updated: Timestamp(0), event_id: None };
        let (rows, totals) = (vec![row], vec![total]);
        let disputes = Arc::default();
        let ledger = Ledger { place: place.clone(), rows, disputes, totals, all: 1 };
        let sheet = Sheet {
            place: place.clone(),
            kind: SheetKind::Findings,
            rows: vec![["events", "evt_1", "changed"].map(|it| Cell::Word(it.into())).into()],
            looked: Some(Looked { lines: 1, writers: 1, checkpoints: 1 }),
            all: None,
        };
        let tables = Sheet {
            place: place.clone(),
            kind: SheetKind::Tables,
            rows: vec![vec![Cell::Word("users".into()), Cell::Number(1)]],
            looked: None,
            all: None,
        };
        let event = EventRow {
            id: "evt_1".into(),
            kind: "x".into(),
            created: Timestamp(0),
            object: None,
            pending: 0,
        };
        let day0 = Day0 {
            checkout: checkout.clone(),
            event: "evt_1".into(),
            reconciled: reconciled.clone(),
            course: day(),
            took_ms: 1,
        };
        let key = Some(("sk_test_***".to_owned(), ".env".to_owned()));
        let finding = Finding::Display { present: true };
        vec![
            ("contract", Report::Contract),
            ("", Report::Home(Home { place: place.clone(), key, rows: None, first: None })),
            ("checkout", Report::Checkout(checkout)),
            ("listen", Report::Listened(Listened::default())),
            ("ledger show", Report::Ledger(ledger)),
            ("ledger verify", Report::Sheet(sheet)),
            ("shop migrate", Report::Sheet(tables)),
            ("reconcile", Report::Reconciled(reconciled)),
            ("catch-up", Report::CaughtUp(caught_up)),
            ("ledger compact", Report::Compacted(compacted)),
            ("reconcile explain", Report::Comparison(Box::new(explanation))),
            ("day", Report::Day0(Box::new(day0))),
            ("day", Report::Day(Box::new(day()))),
            ("reset", Report::Reset { what: vec!["ledger".into()], backup: String::new() }),
            ("explain", Report::Topics(vec![("a".into(), "b".into())])),
            ("cards", Report::Cards(None)),
            ("doctor", Report::Doctor(Doctor { place, findings: vec![finding] })),
            ("trigger", Report::Triggered { kind: "x".into(), event: None }),
            ("trigger", Report::Scenarios(vec!["x"])),
            ("events list", Report::Events(vec![event])),
            (
                "events resend",
                Report::Resent { event: "evt_1".into(), kind: "x".into(), endpoints: 1 },
            ),
        ]
    }

    /// What the course comes to.
    fn course() -> Vec<(&'static str, Report)> {
        let text = || "x".to_owned();
        let status = DayStatus {
            id: "day1".into(),
            optional: false,
            title: text(),
            checks: vec![("D1.1".into(), Some(State::Pass))],
            required: 1,
            passed: 1,
            gone: (1, 2),
            proved: 0,
            hints: 0,
            solution: Some(true),
        };
        let graded =
            Graded { day: day(), hints: BTreeMap::new(), mode: Mode::Sandbox, every: true };
        let verified = Verified {
            file: text(),
            rows: 1,
            seal: text(),
            flaws: vec![Flaw::Row(text())],
            against: None,
            other: None,
        };
        let hint = Hint { code: text(), title: text(), texts: vec![text()], all: 1 };
        let topic =
            Explained { name: text(), title: text(), texts: vec![text()], docs: vec![text()] };
        let tried = Tried { name: text(), took_ms: 1, failed: vec![text()], wrong: None };
        let lessons = LessonsChecked {
            items: vec![('D', 1)],
            commands: 1,
            problems: vec![text()],
            beyond: 0,
            tried: vec![tried],
        };
        let proof = ItemProof {
            id: "D1.1".into(),
            title: text(),
            kind: "auto",
            proved_by: vec![text()],
            catches: vec![text()],
        };
        let checked = Checked { days: vec![graded], strict: false, took_ms: 1 };
        let solution = Carried::Solution {
            day: text(),
            language: "rust",
            path: text(),
            text: text(),
            gave_up: false,
        };
        let imported = Carried::Imported { checks: 1, attempts: 1, backup: None };
        let started = Carried::Starter { folder: text(), files: 1, install: None, start: text() };
        vec![
            ("status", Report::Course(vec![status])),
            ("check", Report::Checked(Box::new(checked))),
            ("report", Report::Document(json!(report()).to_string())),
            ("report", Report::Carried(Carried::Written { path: text(), seal: text() })),
            ("verify-report", Report::Verified(Box::new(verified))),
            ("progress import", Report::Carried(imported)),
            ("solution", Report::Carried(solution)),
            ("solution", Report::Carried(Carried::SolutionHeld { name: text(), next: text() })),
            ("starter", Report::Carried(started)),
            ("hint", Report::Hint(hint)),
            ("explain", Report::Explained(topic)),
            ("dev check", Report::Lessons(lessons)),
            ("dev items", Report::Items(vec![proof])),
        ]
    }

    fn report() -> ProgressReport {
        let text = || "x".to_owned();
        let evidence = Evidence {
            sessions: vec![text()],
            events: vec![EventSeen { id: text(), kind: text(), attempts: vec![200] }],
            ledger_rows: vec![RowSeen {
                session: text(),
                amount: None,
                currency: None,
                status: None,
            }],
        };
        let row = Row {
            id: text(),
            day: text(),
            title: text(),
            required: true,
            lesson_version: 1,
            state: None,
            track: None,
            first_passed: None,
            attested: None,
            attempts: 1,
            failed: 0,
            hints: 0,
            evidence,
            evidence_sha256: text(),
            findings_sha256: text(),
            seal: text(),
        };
        let head = Head {
            format: text(),
            version: 1,
            program: text(),
            api_version: text(),
            language: text(),
        };
        let solution = Some(Shown { at: text(), gave_up: false });
        let day = DayLine { id: text(), title: text(), solution, gone: Some([1, 0, 0]) };
        ProgressReport { head, days: vec![day], rows: vec![row], seal: text(), demo: None }
    }

    /// What a running sandbox tells.
    fn told() -> Vec<(&'static str, Report)> {
        let request = RequestRow {
            id: "req_1".into(),
            at: Timestamp(0),
            method: "GET".into(),
            path: "/v1/x".into(),
            status: None,
            error: None,
            fault: None,
        };
        let rule = FaultRow { on: "x".into(), answer: "cut".into(), times: 1, used: 0 };
        let delivered = Delivered {
            event: "evt_1".into(),
            kind: "x".into(),
            url: "http://127.0.0.1/".into(),
            header: None,
            bytes: 1,
            tamper: None,
            answer: Ok(200),
            said: "x".into(),
            took_ms: 1,
            changed: false,
        };
        let signed = Signed {
            event: "evt_1".into(),
            kind: "x".into(),
            at: Timestamp(0),
            start: "{".into(),
            bytes: 1,
            secret: "whsec_…".into(),
            mac: "0".into(),
            explain: false,
        };
        vec![
            ("deliver", Report::Delivered(Box::new(delivered))),
            ("sign", Report::Signed(Box::new(signed))),
            ("logs", Report::Told(Told::Requests(vec![request]))),
            ("sandbox fault add", Report::Told(Told::FaultAdded(rule.clone()))),
            ("sandbox fault list", Report::Told(Told::Faults(vec![rule]))),
            ("sandbox fault clear", Report::Told(Told::FaultsCleared(1))),
            // An object of the API and what a control answers are passed on: nothing here makes them.
            ("events show", Report::Object("{}".into())),
            ("clock show", Report::Control(json!({}))),
            ("customer show", Report::Objects(objects(&CUSTOMER))),
            ("subscribe", Report::Objects(objects(&SUBSCRIPTION))),
        ]
    }

    fn objects(noun: &'static Noun) -> Objects {
        Objects { noun, rows: vec![json!({"id": "x_1"})], is_list: false, has_more: false }
    }

    fn day() -> DayResult {
        let item = ItemResult {
            id: "N1.1".into(),
            title: String::new(),
            state: State::Pass,
            because: vec!["D1.1".into()],
        };
        let check = CheckResult {
            id: "D1.1".into(),
            code: "SG1.1".into(),
            title: String::new(),
            kind: Kind::Auto,
            level: Level::Required,
            severity: crate::domain::course::Severity::Wrong,
            root: None,
            state: State::Pass,
            findings: Vec::new(),
            failure: None,
            evidence: Evidence::default(),
            took_ms: 1,
        };
        DayResult {
            id: "day1".into(),
            title: String::new(),
            next: None,
            version: 1,
            api_version: String::new(),
            track: "shop",
            checks: vec![check],
            notes: vec![item.clone()],
            gates: vec![item],
            cut: false,
            took_ms: 1,
        }
    }

    fn names(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (name, inner) in map {
                    out.push(name.clone());
                    // Verdicts and the parts that have a schema of their own elsewhere.
                    if !matches!(
                        name.as_str(),
                        "counts"
                            | "facts"
                            | "place"
                            | "checkout"
                            | "reconciliation"
                            | "course"
                            | "checks"
                            | "items"
                            | "evidence"
                    ) {
                        names(inner, out);
                    }
                }
            }
            Value::Array(items) => {
                assert!(!items.is_empty(), "a list of a sample is empty, after {out:?}");
                for item in items {
                    names(item, out);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_member_of_every_answer_stands_in_the_schema_of_its_command() {
        for (command, report) in samples().into_iter().chain(course()).chain(told()) {
            let schema = of(command).unwrap_or_else(|| panic!("`{command}` has no schema"));
            let mut found = Vec::new();
            names(&json::report(&report).unwrap(), &mut found);
            let words: Vec<&str> =
                schema.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
            for name in found {
                assert!(words.contains(&name.as_str()), "`{command}` does not document `{name}`");
            }
        }
    }

    #[test]
    fn evidence_stands_in_the_schema_of_check() {
        let mut found = Vec::new();
        names(&report().rows[0].evidence.json(), &mut found);
        let schema = of("check").unwrap();
        for name in found {
            assert!(schema.contains(&name), "`check` does not document `{name}`");
        }
    }

    #[test]
    fn every_kind_of_report_has_a_sample() {
        let kinds = |source: &str, name: &str| -> BTreeSet<String> {
            let file = syn::parse_file(source).unwrap();
            let found = file.items.into_iter().find_map(|item| match item {
                syn::Item::Enum(item) if item.ident == name => Some(item.variants),
                _ => None,
            });
            found.unwrap().into_iter().map(|variant| variant.ident.to_string()).collect()
        };
        let carried = kinds(include_str!("../domain/course/carried.rs"), "Carried");
        let told = kinds(include_str!("../domain/request.rs"), "Told");
        let mut missing = kinds(include_str!("../domain/report.rs"), "Report");
        missing.extend(carried);
        missing.extend(told);
        for (_, report) in samples().into_iter().chain(course()).chain(self::told()) {
            let shown = format!("{report:?}");
            let mut words = shown.split(|c: char| !c.is_ascii_alphanumeric());
            let outer = words.next().unwrap();
            missing.remove(outer);
            if matches!(outer, "Carried" | "Told") {
                missing.remove(words.next().unwrap());
            }
        }
        let silent = ["Silent", "Streamed", "Watched"].map(str::to_owned);
        assert_eq!(missing, BTreeSet::from(silent), "a sample is missing");
    }
}
