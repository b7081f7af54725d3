//! Reports for people: a heading that says where, a table, a sentence, and what to type next.

use crate::domain::entry::EntryStatus;
use crate::domain::event::EventRow;
use crate::domain::mode::Mode;
use crate::domain::money::Money;
use crate::domain::reconcile::row::Row;
use crate::domain::reconcile::{Finding, Reconciliation, Verdict};
use crate::domain::report::{
    CaughtUp, Checkout, Compacted, Day0, Ending, Explanation, FixState, Fixed, Home, Ledger,
    Listened, Place, Reconciled, Report,
};
use crate::view::canvas::{Canvas, Tone};
use crate::view::foreign::plain;
use crate::view::items;
use crate::view::report as handed;
use crate::view::requests;
use crate::view::table::{Side, draw, short};
use crate::view::words::{Msg, int};
use crate::view::wrap::wrap;
use crate::view::{
    cards, check, contract, control, course, doctor, money, objects, sheet, signed_delivery, time,
};
use unicode_width::UnicodeWidthStr as _;

/// How many matching sessions a table shows; those that differ it shows all.
const MATCHES_MAX: usize = 51;

/// The report as text; empty where the notices said it all.
pub fn render(report: &Report, canvas: &Canvas) -> String {
    match report {
        Report::Silent | Report::Streamed(_) | Report::Watched(_) => String::new(),
        Report::Contract => contract::render(canvas),
        Report::Home(it) => home(it, canvas),
        Report::Checkout(it) => checkout(it, canvas),
        Report::Listened(it) => listened(*it, canvas),
        Report::Ledger(it) => ledger(it, canvas),
        Report::Sheet(it) => sheet::text(it, canvas),
        Report::Reconciled(it) => reconciled(it, canvas),
        Report::CaughtUp(it) => caught_up(it, canvas),
        Report::Compacted(it) => compacted(it, canvas),
        Report::Comparison(it) => explanation(it, canvas),
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
        Report::Objects(it) => objects::text(it, canvas),
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
        Some(rows) => canvas.say(&Msg::HomeRows { rows: int(rows) }),
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
    canvas.say(&Msg::ListenSummary {
        deliveries: int(it.deliveries),
        recorded: int(it.recorded),
        duplicates: int(it.duplicates),
        rejected: int(it.rejected),
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
    let shown = int(it.rows.len());
    let all = int(it.all);
    out.push_str(&canvas.tone(Tone::Quiet, &canvas.say(&Msg::LedgerCount { shown, all })));
    out
}

fn reconciled(it: &Reconciled, canvas: &Canvas) -> String {
    let mut out = heading(&Msg::HeaderReconcile, &it.place, canvas);
    fixes(it.fixed.as_deref().unwrap_or_default(), canvas, &mut out);
    if it.result.summary.rows() == 0 {
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

fn caught_up(it: &CaughtUp, canvas: &Canvas) -> String {
    let from = time::show(it.from, &canvas.zone);
    let (events, objects, fresh) = (int(it.events), int(it.objects), int(it.fresh));
    canvas.prose(&Msg::CaughtUp { from: &from, events, objects, fresh })
}

fn compacted(it: &Compacted, canvas: &Canvas) -> String {
    if it.payload == 0 {
        return canvas.prose(&Msg::CompactedNone);
    }
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let lines = count(it.lines);
    let (before, after) = (megabytes(it.before), megabytes(it.after));
    // Of what came, in whole percent; upwards, so that it is never said to be less than it is.
    let part = it.after.saturating_mul(100).div_ceil(it.payload);
    canvas.prose(&Msg::Compacted { lines, before: &before, after: &after, part: count(part) })
}

/// Bytes as megabytes with one decimal.
fn megabytes(bytes: u64) -> String {
    let tenths = bytes.saturating_add(50_000) / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// What was done about each difference, or would be, or why not.
fn fixes(fixed: &[Fixed], canvas: &Canvas, out: &mut String) {
    for fix in fixed {
        let (session, before) = (fix.session.as_str(), fix.before.name());
        let msg = match fix.state {
            FixState::Planned => Msg::ReconcilePlanned { session, before },
            FixState::Done => Msg::ReconcileFixed { session, before },
            FixState::Unchanged | FixState::Left => Msg::ReconcileNotFixed { session, before },
        };
        add_line(out, &canvas.say(&msg));
        if fix.state == FixState::Left {
            let why = canvas.say(&Msg::ReconcileWhy { verdict: before });
            add_line(out, &wrap(&format!("           {why}"), canvas.width, 11));
        }
    }
    if fixed.iter().any(|fix| fix.state == FixState::Planned) {
        add_line(out, &canvas.say(&Msg::ReconcileYes));
    }
}

/// What is known of one thing: both records, the rule that decided, the lines of the journal, what to do.
fn explanation(it: &Explanation, canvas: &Canvas) -> String {
    let mut out = heading(&Msg::HeaderReconcile, &it.place, canvas);
    for finding in &it.findings {
        let verdict = finding.verdict.name();
        let tone = if finding.verdict.is_well() { Tone::Good } else { Tone::Bad };
        add_line(&mut out, &format!("{}  {}", canvas.tone(tone, verdict), plain(&finding.id)));
        let sides = [(Msg::ColLedger, &finding.ours), (Msg::ColProvider, &finding.theirs)];
        for (name, row) in sides {
            let said = row.as_ref().map_or_else(|| "–".to_owned(), |row| record(row, canvas));
            add_line(&mut out, &wrap(&format!("  {}: {said}", canvas.say(&name)), canvas.width, 4));
        }
        let key = finding.key.name();
        add_line(
            &mut out,
            &wrap(&canvas.say(&Msg::ReconcileRule { key, verdict }), canvas.width, 2),
        );
        if let Some(by) = finding.difference {
            let row = finding.theirs.as_ref().or(finding.ours.as_ref());
            let by = row.map(|row| money::show(Money::new(by, row.currency), canvas.locale));
            let difference = canvas.say(&Msg::ColDifference);
            add_line(&mut out, &format!("  {difference}: {}", by.unwrap_or_default()));
        }
        add_line(&mut out, &wrap(&canvas.say(&Msg::ReconcileWhy { verdict }), canvas.width, 2));
    }
    for (id, kind, received) in &it.lines {
        let received = time::show(*received, &canvas.zone);
        add_line(&mut out, &format!("  {received}  {}  {}", plain(kind), plain(id)));
    }
    out
}

/// A record with everything that it says.
fn record(row: &Row, canvas: &Canvas) -> String {
    let show = |minor| money::show(Money::new(minor, row.currency), canvas.locale);
    let mut said = vec![row.id.clone(), show(row.amount), row.word().to_owned()];
    let amounts = [(Msg::ColRefunded, row.refunded), (Msg::ColFee, row.fee)];
    for (name, amount) in amounts {
        said.extend(amount.map(|amount| format!("{} {}", canvas.say(&name), show(amount))));
    }
    said.extend(row.names().skip(1).filter(|name| *name != row.id).map(str::to_owned));
    said.retain(|part| !part.is_empty());
    said.join(", ")
}

/// A side in a narrow column: what went back in part is said by its amount.
fn side(row: &Row, canvas: &Canvas) -> String {
    let show = |minor| money::show(Money::new(minor, row.currency), canvas.locale);
    match row.refunded {
        Some(back) if row.standing() == Some(EntryStatus::PartiallyRefunded) => {
            format!("{} −{}", show(row.amount), show(back))
        }
        _ => format!("{} {}", show(row.amount), row.word()),
    }
}

/// The rows that differ, and of those that agree as many as are read.
fn pairs(result: &Reconciliation, canvas: &Canvas) -> String {
    let head = [
        (canvas.say(&Msg::ColVerdict), Side::Whole),
        (canvas.say(&Msg::ColSession), Side::Whole),
        right(canvas, &Msg::ColLedger),
        right(canvas, &Msg::ColProvider),
    ];
    // On a terminal four differences among fifty rows that agree are not found.
    let brief = canvas.terminal && result.rows.len() > MATCHES_MAX;
    let mut room = if brief { 0 } else { MATCHES_MAX };
    let shown = result.rows.iter().filter(|line| {
        let matches = line.verdict == Verdict::Match;
        room = if matches { room.saturating_sub(1) } else { room };
        !matches || room > 0
    });
    let said = |row: Option<&Row>| row.map_or_else(|| "–".to_owned(), |it| side(it, canvas));
    let row = |line: &Finding| {
        let (own, other) = (said(line.ours.as_ref()), said(line.theirs.as_ref()));
        vec![line.verdict.name().to_owned(), line.id.clone(), own, other]
    };
    let mut rows: Vec<Vec<String>> = shown.map(row).collect();
    // The ids give way, so that no verdict is broken in two.
    let widest = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|it| it.width()).max();
    let taken: usize = [0, 2, 3].into_iter().filter_map(widest).map(|width| width.max(8) + 2).sum();
    let room = usize::from(canvas.width).saturating_sub(taken + 2).clamp(13, 24);
    for id in rows.iter_mut().filter_map(|row| row.get_mut(1)) {
        *id = short(id, room);
    }
    let mut out = draw(canvas, &head, &rows);
    let left_out = result.summary.rows().saturating_sub(rows.len());
    if left_out > 0 {
        let count = int(left_out);
        add_line(&mut out, &canvas.say(&Msg::ReconcileMore { count }));
    }
    out
}

fn comparison(result: &Reconciliation, canvas: &Canvas) -> String {
    let mut out = pairs(result, canvas);
    out.push('\n');
    let head = [
        left(canvas, &Msg::ColCurrency),
        right(canvas, &Msg::ColLedger),
        right(canvas, &Msg::ColProvider),
        right(canvas, &Msg::ColDifference),
    ];
    let sums: Vec<Vec<String>> = result
        .summary
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
    let rows = int(result.summary.rows());
    let differing = int(result.summary.differing());
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
