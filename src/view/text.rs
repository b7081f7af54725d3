//! Reports for people: a heading that says where, a table, a sentence, and what to type next.

use crate::domain::event::EventRow;
use crate::domain::mode::Mode;
use crate::domain::money::Money;
use crate::domain::reconcile::{Line, Reconciliation, Record, Verdict};
use crate::domain::report::{
    Checkout, Day0, Ending, Home, Ledger, Listened, Place, Reconciled, Report,
};
use crate::view::canvas::{Canvas, Tone};
use crate::view::items;
use crate::view::report as handed;
use crate::view::requests;
use crate::view::table::{Side, draw, short};
use crate::view::words::Msg;
use crate::view::{
    cards, check, contract, control, course, doctor, money, sheet, signed_delivery, time,
};

/// How many matching sessions a table shows; those that differ it shows all.
const MATCHES_MAX: usize = 51;

/// The report as text; empty where the notices said it all.
pub fn render(report: &Report, canvas: &Canvas) -> String {
    match report {
        Report::Silent | Report::Watched(_) => String::new(),
        Report::Contract => contract::render(canvas),
        Report::Home(it) => home(it, canvas),
        Report::Checkout(it) => checkout(it, canvas),
        Report::Listened(it) => listened(*it, canvas),
        Report::Ledger(it) => ledger(it, canvas),
        Report::Sheet(it) => sheet::text(it, canvas),
        Report::Reconciled(it) => reconciled(it, canvas),
        Report::Day0(it) => day0(it, canvas),
        Report::Day(it) => course::day(it, canvas),
        Report::Verified(it) => handed::verified(it, canvas),
        Report::Carried(it) => course::carried(it, canvas),
        Report::Checked(it) => check::checked(it, canvas),
        Report::Course(days) => course::status(days, canvas),
        Report::Hint(it) => course::hint(it, canvas),
        Report::Explained(it) => course::explained(it, canvas),
        Report::Topics(list) => course::topics(list, canvas),
        Report::Reset { what, backup } => course::reset(what, backup, canvas),
        Report::Lessons(it) => course::lessons(it, canvas),
        Report::Items(rows) => items::markdown(rows, canvas),
        Report::Cards(filter) => cards::render(filter.as_deref(), canvas),
        Report::Doctor(it) => doctor::render(it, canvas),
        Report::Scenarios(types) => {
            let mut lines = vec![canvas.say(&Msg::TriggerList)];
            lines.extend(
                types.iter().map(|kind| canvas.typed(&format!("  stripegym trigger {kind}"))),
            );
            lines.join("\n")
        }
        Report::Triggered { kind, event: Some(event) } => {
            canvas.say(&Msg::TriggerDone { kind, event })
        }
        Report::Triggered { kind, event: None } => canvas.say(&Msg::TriggerNothing { kind }),
        Report::Events(rows) => events(rows, canvas),
        Report::Told(it) => requests::told(it, canvas),
        Report::Document(text) | Report::Object(text) => text.clone(),
        Report::Control(answer) => control::render(answer, canvas),
        Report::Delivered(it) => signed_delivery::delivered(it, canvas),
        Report::Signed(it) => signed_delivery::signed(it, canvas),
        Report::Resent { event, endpoints: 0, .. } => canvas.say(&Msg::EventForNobody { event }),
        Report::Resent { event, kind, .. } => canvas.say(&Msg::EventResent { kind, event }),
    }
}

/// `Ledger · sandbox · .stripegym`: what is shown, and of which world.
pub(super) fn heading(title: &Msg<'_>, place: &Place, canvas: &Canvas) -> String {
    let mode = canvas.say(match place.mode {
        Mode::Sandbox => &Msg::PlaceSandbox,
        Mode::Stripe => &Msg::PlaceStripe,
    });
    let world = match &place.base {
        Some(base) => format!("{mode} {base}"),
        None => mode,
    };
    let title = canvas.tone(Tone::Strong, &canvas.say(title));
    format!("{title} · {world} · {}\n", place.home)
}

/// Adds a line.
pub fn add_line(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

/// A right-hand and a left-hand column's titles.
fn right(canvas: &Canvas, title: &Msg<'_>) -> (String, Side) {
    (canvas.say(title), Side::Right)
}

fn left(canvas: &Canvas, title: &Msg<'_>) -> (String, Side) {
    (canvas.say(title), Side::Left)
}

fn home(it: &Home, canvas: &Canvas) -> String {
    let mut lines = vec![heading(&Msg::HeaderHome, &it.place, canvas)];
    lines.push(format!("  {}", canvas.say(&Msg::HomeFolder { path: &it.place.home })));
    let key = match &it.key {
        Some((key, origin)) => canvas.say(&Msg::HomeKey { key, origin }),
        None => canvas.say(&Msg::HomeNoKey),
    };
    lines.push(format!("  {key}"));
    if it.place.mode == Mode::Sandbox {
        let running = it.place.base.as_deref();
        let line = running.map_or(Msg::HomeIdle, |base| Msg::HomeRunning { base });
        lines.push(format!("  {}", canvas.say(&line)));
    }
    let rows = match it.rows {
        Some(rows) => canvas.say(&Msg::HomeRows { rows: i64::try_from(rows).unwrap_or(i64::MAX) }),
        None => canvas.say(&Msg::HomeNoLedger),
    };
    lines.push(format!("  {rows}\n"));
    lines.push(canvas.say(&Msg::HomeNext));
    let first = it.first.iter().map(|id| (format!("stripegym {id}"), Msg::HomeNextFirst));
    for (command, why) in first.chain(
        [
            ("stripegym listen", Msg::HomeNextListen),
            ("stripegym checkout", Msg::HomeNextCheckout),
            ("stripegym ledger show", Msg::HomeNextLedger),
            ("stripegym reconcile", Msg::HomeNextReconcile),
        ]
        .map(|(command, why)| (command.to_owned(), why)),
    ) {
        let why = canvas.tone(Tone::Quiet, &canvas.say(&why));
        lines.push(format!("  {:<22}  {why}", canvas.typed(&command)));
    }
    lines.join("\n")
}

fn checkout(it: &Checkout, canvas: &Canvas) -> String {
    let mut out = heading(&Msg::HeaderCheckout, &it.place, canvas);
    let (tone, ending) = match it.ending {
        Ending::Created if it.page_stays => (Tone::Strong, Msg::CheckoutCreated),
        Ending::Created => (Tone::Caution, Msg::CheckoutNoPage),
        Ending::Paid => (Tone::Good, Msg::CheckoutPaid),
        Ending::Processing => (Tone::Caution, Msg::CheckoutProcessing),
        Ending::Declined => (Tone::Bad, Msg::CheckoutDeclined),
        Ending::Canceled => (Tone::Caution, Msg::CheckoutCanceled),
        Ending::Expired => (Tone::Bad, Msg::CheckoutExpired),
    };
    out.push_str(&canvas.tone(tone, &canvas.prose(&ending)));
    out.push('\n');
    if let Some(message) = &it.message {
        add_line(&mut out, &canvas.say(&Msg::CheckoutSaid { message }));
    }
    let mut facts = vec![
        (Msg::ColSession, it.session.clone()),
        (Msg::ColAmount, money::show(it.total, canvas.locale)),
        (Msg::ColStatus, format!("{} / {}", it.status, it.payment_status)),
    ];
    facts.extend(it.payment_intent.clone().map(|id| (Msg::ColObject, id)));
    for (label, value) in facts {
        let label = canvas.tone(Tone::Quiet, &canvas.say(&label));
        add_line(&mut out, &format!("  {label}: {value}"));
    }
    if let Some(url) = it.url.as_deref().filter(|_| it.page_stays) {
        add_line(&mut out, &format!("  {url}"));
    }
    let next: &[&str] = match (it.ending, it.page_stays) {
        (Ending::Created, true) => &[],
        (Ending::Created, false) => &["sandbox", "checkout --no-wait"],
        (ending, _) if ending.is_well() => &["ledger show", "reconcile"],
        _ => &[],
    };
    for command in next {
        let line = format!("  {} {command}", canvas.program);
        add_line(&mut out, &canvas.tone(Tone::Quiet, &line));
    }
    out
}

fn listened(it: Listened, canvas: &Canvas) -> String {
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    canvas.say(&Msg::ListenSummary {
        deliveries: count(it.deliveries),
        recorded: count(it.recorded),
        duplicates: count(it.duplicates),
        rejected: count(it.rejected),
    })
}

fn ledger(it: &Ledger, canvas: &Canvas) -> String {
    let mut out = heading(&Msg::HeaderLedger, &it.place, canvas);
    if it.rows.is_empty() {
        out.push_str(&canvas.say(&Msg::LedgerEmpty));
        if it.all == 0 {
            out.push('\n');
            out.push_str(&canvas.say(&Msg::LedgerHint));
        }
        return out;
    }
    let head = [
        left(canvas, &Msg::ColTime),
        left(canvas, &Msg::ColSession),
        right(canvas, &Msg::ColAmount),
        left(canvas, &Msg::ColStatus),
    ];
    let rows: Vec<Vec<String>> = it
        .rows
        .iter()
        .map(|row| {
            vec![
                time::show(row.record.created, &canvas.zone),
                short(&row.record.session_id, 24),
                money::show(row.record.amount, canvas.locale),
                row.record.status.name().to_owned(),
            ]
        })
        .collect();
    out.push_str(&draw(canvas, &head, &rows));
    out.push('\n');
    let head = [
        left(canvas, &Msg::ColCurrency),
        right(canvas, &Msg::ColRows),
        right(canvas, &Msg::ColPaid),
        right(canvas, &Msg::ColRefunded),
        right(canvas, &Msg::ColNet),
    ];
    let totals: Vec<Vec<String>> = it
        .totals
        .iter()
        .map(|total| {
            let show = |it| money::show(it, canvas.locale);
            let kept = total.paid.minor.saturating_sub(total.refunded.minor);
            vec![
                total.paid.currency.code().to_owned(),
                total.rows.to_string(),
                show(total.paid),
                show(total.refunded),
                show(Money::new(kept, total.paid.currency)),
            ]
        })
        .collect();
    out.push_str(&draw(canvas, &head, &totals));
    let shown = i64::try_from(it.rows.len()).unwrap_or(i64::MAX);
    let all = i64::try_from(it.all).unwrap_or(i64::MAX);
    out.push_str(&canvas.tone(Tone::Quiet, &canvas.say(&Msg::LedgerCount { shown, all })));
    out
}

fn reconciled(it: &Reconciled, canvas: &Canvas) -> String {
    let mut out = heading(&Msg::HeaderReconcile, &it.place, canvas);
    for fix in it.fixed.iter().flatten() {
        let (session, before) = (fix.session.as_str(), fix.before.as_str());
        let msg = if fix.changed {
            Msg::ReconcileFixed { session, before }
        } else {
            Msg::ReconcileNotFixed { session, before }
        };
        add_line(&mut out, &canvas.say(&msg));
    }
    if it.result.rows.is_empty() {
        out.push_str(&canvas.say(&Msg::ReconcileEmpty));
        return out;
    }
    out.push_str(&comparison(&it.result, canvas));
    if it.result.count(Verdict::MissingInLedger) > 0 && it.fixed.is_none() {
        out.push('\n');
        out.push_str(&canvas.say(&Msg::ReconcileFixHint));
    }
    out
}

fn comparison(result: &Reconciliation, canvas: &Canvas) -> String {
    let head = [
        left(canvas, &Msg::ColVerdict),
        left(canvas, &Msg::ColSession),
        right(canvas, &Msg::ColLedger),
        right(canvas, &Msg::ColProvider),
    ];
    let side = |record: Option<&Record>| {
        record.map_or_else(
            || "–".to_owned(),
            |it| format!("{} {}", money::show(it.amount, canvas.locale), it.status.name()),
        )
    };
    let row = |line: &Line| {
        vec![
            line.verdict.name().to_owned(),
            short(&line.session_id, 24),
            side(line.ours.as_ref()),
            side(line.theirs.as_ref()),
        ]
    };
    let mut room = MATCHES_MAX;
    let shown = result.rows.iter().filter(|line| {
        let matches = line.verdict == Verdict::Match;
        room = if matches { room.saturating_sub(1) } else { room };
        !matches || room > 0
    });
    let rows: Vec<Vec<String>> = shown.map(row).collect();
    let mut out = draw(canvas, &head, &rows);
    let left_out = result.rows.len() - rows.len();
    if left_out > 0 {
        let count = i64::try_from(left_out).unwrap_or(i64::MAX);
        add_line(&mut out, &canvas.say(&Msg::ReconcileMore { count }));
    }
    out.push('\n');
    let head = [
        left(canvas, &Msg::ColCurrency),
        right(canvas, &Msg::ColLedger),
        right(canvas, &Msg::ColProvider),
        right(canvas, &Msg::ColDifference),
    ];
    let sums: Vec<Vec<String>> = result
        .sums
        .iter()
        .map(|(currency, sum)| {
            let show = |minor| money::show(Money::new(minor, *currency), canvas.locale);
            let difference = sum.ours.saturating_sub(sum.theirs);
            vec![currency.code().to_owned(), show(sum.ours), show(sum.theirs), show(difference)]
        })
        .collect();
    if !sums.is_empty() {
        out.push_str(&draw(canvas, &head, &sums));
        out.push('\n');
    }
    let counts: Vec<String> = Verdict::ALL
        .into_iter()
        .filter(|verdict| result.count(*verdict) > 0)
        .map(|verdict| format!("{} {}", verdict.name(), result.count(verdict)))
        .collect();
    add_line(&mut out, &counts.join(" · "));
    let rows = i64::try_from(result.rows.len()).unwrap_or(i64::MAX);
    let differing = i64::try_from(result.differences().count()).unwrap_or(i64::MAX);
    let (tone, verdict) = if differing == 0 {
        (Tone::Good, Msg::ReconcileClean { rows })
    } else {
        (Tone::Bad, Msg::ReconcileDiffers { rows, differing })
    };
    out.push_str(&canvas.tone(tone, &canvas.say(&verdict)));
    out
}

fn day0(it: &Day0, canvas: &Canvas) -> String {
    let mut out = format!("\n{}\n\n", reconciled(&it.reconciled, canvas));
    let tenths = it.took_ms / 100;
    let seconds = format!("{}.{}", tenths / 10, tenths % 10);
    add_line(&mut out, &canvas.say(&Msg::Day0Done { seconds: &seconds }));
    add_line(&mut out, &canvas.say(&Msg::Day0Next));
    for command in ["listen", "checkout --amount 500 --currency jpy", "ledger show", "reconcile"] {
        add_line(&mut out, &format!("  {} {command}", canvas.program));
    }
    out.push('\n');
    out.push_str(&course::whole(&it.course, canvas));
    out
}

fn events(rows: &[EventRow], canvas: &Canvas) -> String {
    if rows.is_empty() {
        return canvas.say(&Msg::EventsEmpty);
    }
    let head = [
        (canvas.say(&Msg::ColTime), Side::Whole),
        left(canvas, &Msg::ColKind),
        (canvas.say(&Msg::ColEvent), Side::Whole),
    ];
    let row = |row: &EventRow| {
        vec![time::show_clock(row.created, &canvas.zone), row.kind.clone(), row.id.clone()]
    };
    draw(canvas, &head, &rows.iter().map(row).collect::<Vec<_>>())
}
