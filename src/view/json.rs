//! Answers for programs. The schema of each command stands in `view::schema` and in its `--help`.

use crate::domain::card::{self, After, Behaviour, Card, Group};
use crate::domain::currency::Currency;
use crate::domain::doctor::{Doctor, Finding};
use crate::domain::event::EventRow;
use crate::domain::notice::{Delivery, DeliveryOutcome, Notice, Step};
use crate::domain::reconcile::row::{Key, Row};
use crate::domain::reconcile::summary::{Flow, Sum};
use crate::domain::reconcile::{Finding as Compared, Record, Summary, Verdict};
use crate::domain::report::{
    Checkout, Compacted, Explanation, FixState, Home, Ledger, Listened, Place, Reconciled, Report,
};
use crate::domain::time::Timestamp;
use crate::view::items;
use crate::view::objects;
use crate::view::requests;
use crate::view::{check, contract, course_json, sheet};
use serde_json::{Map, Value, json};

/// The answer as one value; `None` where the notices said it all.
pub fn report(report: &Report) -> Option<Value> {
    Some(match report {
        Report::Silent | Report::Streamed(_) | Report::Watched(_) => return None,
        Report::Contract => contract::json(),
        Report::Home(it) => home(it),
        Report::Checkout(it) => checkout(it),
        Report::Listened(it) => listened(it),
        Report::Ledger(it) => ledger(it),
        Report::Sheet(it) => sheet::value(it),
        Report::Reconciled(it) => reconciled(it),
        Report::CaughtUp(it) => {
            json!({"place": place(&it.place), "from": at(it.from), "to": at(it.to),
            "events": it.events, "objects": it.objects, "fresh": it.fresh,
            "unreadable": it.unreadable})
        }
        Report::Compacted(it) => compacted(it),
        Report::Comparison(it) => explanation(it),
        Report::Day0(it) => json!({
            "ok": report.is_well(),
            "took_ms": it.took_ms,
            "event": it.event,
            "checkout": checkout(&it.checkout),
            "reconciliation": reconciled(&it.reconciled),
            "course": course_json::day(&it.course),
        }),
        Report::Day(it) => course_json::day(it),
        Report::Verified(it) => course_json::verified(it),
        Report::Carried(it) => course_json::carried(it),
        Report::Checked(it) => check::checked_json(it),
        Report::Course(days) => course_json::status(days),
        Report::Hint(it) => {
            json!({ "code": it.code, "title": it.title, "hints": it.texts, "all": it.all })
        }
        Report::Explained(it) => {
            json!({ "name": it.name, "title": it.title, "texts": it.texts, "docs": it.docs })
        }
        Report::Topics(list) => {
            let topics = list.iter().map(|(name, title)| json!({ "name": name, "title": title }));
            json!({ "topics": topics.collect::<Vec<_>>() })
        }
        Report::Reset { what, backup } => json!({ "reset": what, "backup": backup }),
        Report::Lessons(it) => course_json::lessons(it),
        Report::Items(rows) => items::json(rows),
        Report::Cards(filter) => {
            let cards = Group::ALL.iter().flat_map(|it| card::matching(*it, filter.as_deref()));
            json!({ "cards": cards.map(test_card).collect::<Vec<_>>() })
        }
        Report::Doctor(it) => doctor(it),
        Report::Scenarios(types) => json!({ "types": types }),
        Report::Triggered { kind, event } => json!({ "type": kind, "event": event }),
        Report::Events(rows) => json!({ "events": rows.iter().map(event).collect::<Vec<_>>() }),
        Report::Told(it) => requests::told_json(it),
        Report::Objects(it) => objects::value(it),
        Report::Control(answer) => answer.clone(),
        Report::Document(text) | Report::Object(text) => {
            serde_json::from_str(text).unwrap_or(Value::Null)
        }
        Report::Delivered(it) => json!({
            "event": it.event, "type": it.kind, "url": it.url, "header": it.header, "bytes": it.bytes,
            "tamper": it.tamper, "status": it.answer.as_ref().ok(), "error": it.answer.as_ref().err(),
            "said": it.said, "took_ms": it.took_ms, "changed": it.changed,
        }),
        Report::Signed(it) => json!({
            "event": it.event, "type": it.kind, "t": it.at.0, "v1": it.mac, "bytes": it.bytes,
            "header": format!("t={},v1={}", it.at.0, it.mac), "secret": it.secret,
        }),
        Report::Resent { event, kind, endpoints } => {
            json!({ "event": event, "type": kind, "endpoints": endpoints })
        }
    })
}

/// The lines of commands that answer line by line; `None` for what only a watcher wants.
pub fn notice(notice: &Notice) -> Option<Value> {
    match notice {
        Notice::Ready { base } => Some(json!({ "ready": base })),
        Notice::Listening { url, endpoint } => {
            Some(json!({ "listening": url, "endpoint": endpoint }))
        }
        Notice::Encoding { path, encoding } => Some(json!({ "file": path, "encoding": encoding })),
        Notice::LeftOut { count } => Some(json!({ "left_out": count })),
        Notice::Polling { base } => Some(json!({ "polling": base })),
        Notice::Secret { secret } => Some(json!({ "secret": secret })),
        Notice::Surroundings { variables, whole: true } => {
            let pairs = variables.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
            Some(json!({ "env": pairs.collect::<Map<_, _>>() }))
        }
        Notice::Tried(it) => Some(course_json::tried(it)),
        Notice::Request(it) => Some(requests::request_json(it)),
        Notice::Delivered(it) => Some(delivery(it)),
        Notice::Step(it) => Some(step(it)),
        Notice::Lesson(it) => {
            Some(json!({ "lesson": it.id, "title": it.title, "goal": it.goal, "text": it.prose }))
        }
        Notice::LessonStep { name, by_hand, short, .. } => {
            Some(json!({ "did": name, "by_hand": by_hand, "short": short }))
        }
        Notice::EnvMade { path } => Some(json!({ "env_made": path })),
        Notice::Proposed { folder, names } => Some(json!({ "proposed": names, "folder": folder })),
        Notice::WillRun { folder, commands } => {
            let commands =
                commands.iter().map(|(line, command)| json!({ "line": line, "command": command }));
            Some(json!({ "will_run": commands.collect::<Vec<_>>(), "folder": folder }))
        }
        Notice::Look(it) => Some(course_json::look(it)),
        Notice::Shown { text } => Some(json!({ "shown": text })),
        Notice::Asked { text } => Some(json!({ "asked": text })),
        Notice::AskedWord { id, title } => Some(json!({ "asked": title, "attests": id })),
        Notice::Answered { given, wrong } => Some(json!({ "answered": given, "wrong": wrong })),
        Notice::Checked(it) => Some(course_json::check(it)),
        Notice::Watching { folder, means, why } => {
            Some(json!({ "watching": folder, "means": means.name(), "why": why }))
        }
        // Days and rounds are several lines: `view::notice` has them.
        Notice::Graded(_)
        | Notice::Round(_)
        | Notice::RoundFailed { .. }
        | Notice::SolutionOf { .. }
        | Notice::OtherPort { .. }
        | Notice::Exposed { .. }
        | Notice::Hosting { .. }
        | Notice::Following { .. }
        | Notice::PollFailed { .. }
        | Notice::LedgerState { .. }
        | Notice::LedgerBack { .. }
        | Notice::ForwardsDropped { .. }
        | Notice::Started { .. }
        | Notice::Surroundings { .. }
        | Notice::WebhookOnly { .. }
        | Notice::Open { .. }
        | Notice::NoBrowser { .. }
        | Notice::Imported { .. }
        | Notice::CatchingUp { .. }
        | Notice::Compacting { .. }
        | Notice::Comparing { .. }
        | Notice::FixQuestion { .. }
        | Notice::Waiting { .. }
        | Notice::Called { .. } => None,
    }
}

fn compacted(it: &Compacted) -> Value {
    json!({"place": place(&it.place), "lines": it.lines, "payload": it.payload,
        "before": it.before, "after": it.after})
}

pub(super) fn place(it: &Place) -> Value {
    json!({ "mode": it.mode.name(), "base": it.base, "home": it.home })
}

fn at(it: Timestamp) -> Value {
    json!(it.rfc3339())
}

fn home(it: &Home) -> Value {
    let key = it.key.as_ref().map(|(masked, origin)| json!({ "masked": masked, "from": origin }));
    json!({ "place": place(&it.place), "key": key, "ledger_rows": it.rows })
}

fn checkout(it: &Checkout) -> Value {
    json!({
        "place": place(&it.place),
        "session": it.session,
        "url": it.url,
        "amount": it.total.minor,
        "currency": it.total.currency.code(),
        "status": it.status,
        "payment_status": it.payment_status,
        "payment_intent": it.payment_intent,
        "ending": it.ending.name(),
        "message": it.message,
    })
}

fn listened(it: &Listened) -> Value {
    json!({ "summary": {
        "deliveries": it.deliveries,
        "recorded": it.recorded,
        "duplicates": it.duplicates,
        "rejected": it.rejected,
    }})
}

fn record(it: &Record) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("session".into(), json!(it.session_id));
    out.insert("amount".into(), json!(it.amount.minor));
    out.insert("currency".into(), json!(it.amount.currency.code()));
    out.insert("status".into(), json!(it.status.name()));
    out.insert("created".into(), at(it.created));
    out.insert("payment_intent".into(), json!(it.payment_intent));
    out
}

fn ledger(it: &Ledger) -> Value {
    let row = |row: &crate::domain::report::LedgerRow| {
        let mut out = record(&row.record);
        out.insert("refunded".into(), json!(row.refunded));
        out.insert("updated".into(), at(row.updated));
        out.insert("event".into(), json!(row.event_id));
        let intent = row.record.payment_intent.as_deref();
        let held = intent.and_then(|intent| it.disputes.get(intent)).copied().unwrap_or_default();
        out.insert("disputed".into(), json!(held.amount));
        out.insert("dispute_fee".into(), json!(held.fee));
        out.insert("goods".into(), json!(row.goods(held)));
        Value::Object(out)
    };
    let total = |total: &crate::domain::report::Total| {
        json!({
            "currency": total.paid.currency.code(),
            "rows": total.rows,
            "paid": total.paid.minor,
            "refunded": total.refunded.minor,
            "net": total.paid.minor.saturating_sub(total.refunded.minor),
        })
    };
    json!({
        "place": place(&it.place),
        "rows": it.rows.iter().map(row).collect::<Vec<_>>(),
        "totals": it.totals.iter().map(total).collect::<Vec<_>>(),
        "all": it.all,
    })
}

fn reconciled(it: &Reconciled) -> Value {
    let fixed = it.fixed.as_ref().map(|all| {
        let one = |fix: &crate::domain::report::Fixed| {
            let changed = fix.state == FixState::Done;
            json!({ "session": fix.session, "before": fix.before.name(), "changed": changed,
                "state": fix.state.name() })
        };
        all.iter().map(one).collect::<Vec<_>>()
    });
    json!({
        "place": place(&it.place),
        "ok": it.result.is_clean(),
        "rows": it.result.rows.iter().map(finding).collect::<Vec<_>>(),
        "counts": counts(&it.result.summary),
        "sums": sums(&it.result.summary),
        "money": flows(&it.result.summary),
        "fixed": fixed,
    })
}

fn explanation(it: &Explanation) -> Value {
    let line = |(id, kind, received): &(String, String, Timestamp)| json!({"id": id, "type": kind, "received": at(*received)});
    json!({
        "place": place(&it.place),
        "id": it.id,
        "rows": it.findings.iter().map(finding).collect::<Vec<_>>(),
        "lines": it.lines.iter().map(line).collect::<Vec<_>>(),
    })
}

/// One row of a comparison.
pub(super) fn finding(it: &Compared) -> Value {
    json!({
        "verdict": it.verdict.name(),
        "session": it.id,
        "key": it.key.name(),
        "difference": it.difference,
        "ledger": it.ours.as_ref().map(side),
        "provider": it.theirs.as_ref().map(side),
    })
}

/// What one side of a comparison says.
fn side(it: &Row) -> Value {
    json!({
        "session": it.id,
        "amount": it.amount,
        "currency": it.currency.code(),
        "status": it.word(),
        "created": at(it.created),
        "payment_intent": it.key(Key::Intent),
        "refunded": it.refunded,
        "fee": it.fee,
    })
}

/// How many rows have each verdict.
pub(super) fn counts(it: &Summary) -> Map<String, Value> {
    let one = |verdict: Verdict| (verdict.name().to_owned(), json!(it.count(verdict)));
    Verdict::ALL.into_iter().map(one).collect()
}

/// What was paid by currency.
pub(super) fn sums(it: &Summary) -> Vec<Value> {
    let one = |(currency, sum): (&Currency, &Sum)| {
        json!({
            "currency": currency.code(),
            "ledger": sum.ours,
            "provider": sum.theirs,
            "difference": sum.ours.saturating_sub(sum.theirs),
        })
    };
    it.sums.iter().map(one).collect()
}

/// The money by currency and category.
pub(super) fn flows(it: &Summary) -> Vec<Value> {
    let flow =
        |it: &Flow| json!({"rows": it.rows, "gross": it.gross, "fee": it.fee, "net": it.net});
    let one = |((currency, category), [ours, theirs]): (&(Currency, String), &[Flow; 2])| {
        json!({"currency": currency.code(), "category": category, "ledger": flow(ours),
            "provider": flow(theirs)})
    };
    it.money.iter().map(one).collect()
}

fn event(it: &EventRow) -> Value {
    json!({
        "id": it.id,
        "type": it.kind,
        "created": at(it.created),
        "object": it.object,
        "pending_webhooks": it.pending,
    })
}

fn delivery(it: &Delivery) -> Value {
    let (outcome, status, reason) = match &it.outcome {
        DeliveryOutcome::Recorded { booked: true } => ("recorded", 200, None),
        DeliveryOutcome::Recorded { booked: false } => ("stored", 200, None),
        DeliveryOutcome::NotBooked { problem } => ("not_booked", 200, Some(problem)),
        DeliveryOutcome::Duplicate => ("duplicate", 200, None),
        DeliveryOutcome::Rejected { status, reason } => ("rejected", *status, Some(reason)),
    };
    json!({
        "at": at(it.at),
        "outcome": outcome,
        "status": status,
        "reason": reason,
        "event": it.event,
        "type": it.kind,
        "took_ms": it.took_ms,
        "forwarded": it.forwarded.as_ref().map(|answer| match answer {
            Ok(status) => json!(status),
            Err(cause) => json!(cause),
        }),
    })
}

fn step(it: &Step) -> Value {
    let facts = match it {
        Step::SandboxUp { base } => json!({ "base": base }),
        Step::ListenerUp { url } => json!({ "url": url }),
        Step::Created { session, total, url } => json!({
            "session": session, "amount": total.minor,
            "currency": total.currency.code(), "url": url,
        }),
        Step::Paid { last4, payment_intent, landed } => {
            json!({ "last4": last4, "payment_intent": payment_intent, "landed": landed })
        }
        Step::Heard { event, kind, took_ms } => {
            json!({ "event": event, "type": kind, "took_ms": took_ms })
        }
        Step::Booked { session, status, total } => json!({
            "session": session, "status": status, "amount": total.minor,
            "currency": total.currency.code(),
        }),
        Step::Reconciled { matching, differing } => {
            json!({ "matching": matching, "differing": differing })
        }
    };
    json!({ "step": it.number(), "name": it.name(), "facts": facts })
}

fn test_card(it: &Card) -> Value {
    let behaviour = match it.behaviour {
        Behaviour::Succeeds => "succeeds".to_owned(),
        Behaviour::Declines { code, decline_code } => {
            format!("declines:{}", decline_code.unwrap_or(code))
        }
        Behaviour::DeclinesAfterAttaching => "declines_after_attaching".to_owned(),
        Behaviour::BadNumber => "declines:incorrect_number".to_owned(),
        Behaviour::Authenticates { then: After::Succeeds, .. } => "authenticates".to_owned(),
        Behaviour::Authenticates { then: After::Declines(code), .. } => {
            format!("authenticates_then_declines:{code}")
        }
        Behaviour::Authenticates { then: After::ProcessingError, .. } => {
            "authentication_error".to_owned()
        }
        Behaviour::Flagged(what) => format!("flagged:{what}"),
        Behaviour::Disputed(reason) => format!("disputed:{reason}"),
        Behaviour::RefundPends => "refund_pending".to_owned(),
        Behaviour::RefundFails => "refund_fails".to_owned(),
        Behaviour::AvailableAtOnce => "available_at_once".to_owned(),
    };
    json!({
        "number": it.number,
        "group": it.group().name(),
        "brand": it.brand,
        "country": it.country,
        "funding": it.funding,
        "payment_method": it.method.map(|name| format!("pm_card_{name}")),
        "behaviour": behaviour,
    })
}

fn doctor(it: &Doctor) -> Value {
    let finding = |finding: &Finding| {
        let facts = match finding {
            Finding::Home { path, broken } => json!({ "path": path, "cause": broken }),
            Finding::Port { setting, port, taken } => {
                json!({ "setting": setting, "port": port, "cause": taken })
            }
            Finding::Host { base } | Finding::Silent { base } => json!({ "base": base }),
            Finding::Clock { ahead_s, fixed } => json!({ "ahead_s": ahead_s, "fixed": fixed }),
            Finding::Key { key } => json!({ "masked": key.as_ref().map(|(masked, _)| masked) }),
            Finding::Rights { page, lacking } => json!({ "page": page, "lacking": lacking }),
            Finding::WebhookSecrets { count, odd, .. } => {
                json!({ "count": count, "odd": odd })
            }
            Finding::Display { present } => json!({ "present": present }),
            Finding::Ledger { path, broken, busy, .. }
            | Finding::Store { path, broken, busy, .. } => {
                json!({ "path": path, "cause": broken, "busy": busy })
            }
            Finding::EnvFile { tracked, present } => {
                json!({ "tracked": tracked, "present": present })
            }
        };
        json!({ "name": finding.name(), "weight": finding.weight().name(), "facts": facts })
    };
    json!({
        "place": place(&it.place),
        "findings": it.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}
