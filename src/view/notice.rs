//! One line for each thing that a command says while it runs.

use crate::domain::notice::{Delivery, DeliveryOutcome, LedgerState, Notice, Step, UNTRUSTED};
use crate::view::canvas::{Canvas, Format, Tone};
use crate::view::words::{Msg, int};
use crate::view::wrap::{columns, typed, wrap};
use crate::view::{check, course, foreign, json, look, money, requests, time};

/// Where a line belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// It is what the command was run for: stdout.
    Data(String),
    /// It helps whoever watches: stderr.
    Aside(String),
    /// Waiting goes on: a spinner on a terminal, nothing elsewhere.
    Progress(String),
    /// Nothing to show in this form.
    Nothing,
}

/// The line of a notice.
pub fn render(notice: &Notice, canvas: &Canvas) -> Line {
    let shown = |text| match canvas.format {
        Format::Json => foreign::json(text),
        Format::Text | Format::Csv => foreign::printed(text, canvas),
    };
    match drawn(notice, canvas) {
        Line::Data(text) => Line::Data(shown(text)),
        Line::Aside(text) => Line::Aside(foreign::printed(text, canvas)),
        Line::Progress(text) => Line::Progress(foreign::printed(text, canvas)),
        Line::Nothing => Line::Nothing,
    }
}

fn drawn(notice: &Notice, canvas: &Canvas) -> Line {
    if canvas.format == Format::Json
        && let Some(value) = json::notice(notice)
    {
        return Line::Data(value.to_string());
    }
    let say = |msg: &Msg<'_>| canvas.say(msg);
    let caution = |msg: &Msg<'_>| Line::Aside(canvas.tone(Tone::Caution, &say(msg)));
    match notice {
        Notice::Graded(_)
        | Notice::Round(_)
        | Notice::RoundFailed { .. }
        | Notice::Watching { .. }
        | Notice::SolutionOf { .. } => graded(notice, canvas),
        // Programs wait for this line: it has one form in every language.
        Notice::Ready { base } => Line::Data(format!("Ready {base}")),
        Notice::OtherPort { wished, used } => {
            Line::Aside(say(&Msg::NoticeOtherPort { wished: i64::from(*wished), used }))
        }
        Notice::LeftOut { count } => {
            let count = int(*count);
            caution(&Msg::NoticeLeftOut { count })
        }
        Notice::Exposed { address } => caution(&Msg::NoticeExposed { address }),
        Notice::Hosting { base } => Line::Aside(say(&Msg::NoticeHosting { base })),
        Notice::Listening { url, endpoint } => {
            let mut line = say(&Msg::NoticeListening { url });
            if let Some(endpoint) = endpoint {
                line.push('\n');
                line.push_str(&say(&Msg::NoticeRegistered { endpoint }));
            }
            Line::Data(line)
        }
        Notice::Polling { base } => Line::Data(say(&Msg::NoticePolling { base })),
        Notice::PollFailed { cause } => caution(&Msg::NoticePollFailed { cause }),
        Notice::LedgerState { path, trouble } => {
            let text = say(&ledger(path, *trouble));
            Line::Aside(canvas.tone(Tone::Caution, &wrap(&text, canvas.width, 2)))
        }
        Notice::LedgerBack { path } => Line::Aside(say(&Msg::NoticeLedgerBack { path })),
        Notice::ForwardsDropped { count } => {
            caution(&Msg::NoticeForwardsDropped { count: int(*count) })
        }
        Notice::Secret { secret } => Line::Data(secret.clone()),
        Notice::Started { .. } | Notice::Surroundings { .. } | Notice::WebhookOnly { .. } => {
            own_server(notice, canvas)
        }
        Notice::Following { base } => Line::Aside(say(&Msg::NoticeFollowing { base })),
        Notice::Request(it) => Line::Data(requests::line(it, canvas)),
        Notice::Tried(it) => Line::Aside(course::tried(it, canvas)),
        Notice::Delivered(delivery) => Line::Data(delivered(delivery, canvas)),
        Notice::Open { url, total, .. } => {
            let total = money::show(*total, canvas.locale);
            Line::Aside(say(&Msg::NoticeOpen { total: &total, url }))
        }
        Notice::NoBrowser { cause } => Line::Aside(say(&Msg::NoticeNoBrowser { cause })),
        Notice::Waiting { .. } => Line::Progress(say(&Msg::NoticeWaiting)),
        it @ (Notice::Imported { .. }
        | Notice::CatchingUp { .. }
        | Notice::Compacting { .. }
        | Notice::Comparing { .. }
        | Notice::Encoding { .. }
        | Notice::FixQuestion { .. }) => of_books(it, canvas),
        Notice::Step(step) => Line::Data(stepped(step, canvas)),
        it => of_course(it, canvas),
    }
}

/// What is said while rows and lines are read.
fn of_books(notice: &Notice, canvas: &Canvas) -> Line {
    let say = |msg: &Msg<'_>| canvas.say(msg);
    match notice {
        Notice::Imported { read, fresh } => {
            let (read, fresh) = (int(*read), int(*fresh));
            Line::Aside(say(&Msg::LedgerImported { read, fresh }))
        }
        Notice::CatchingUp { until, read, fresh } => {
            let until = time::show(*until, &canvas.zone);
            let (read, fresh) = (int(*read), int(*fresh));
            Line::Progress(say(&Msg::NoticeCatchingUp { until: &until, read, fresh }))
        }
        Notice::Compacting { done, all } => {
            let (done, all) = (int(*done), int(*all));
            Line::Progress(say(&Msg::NoticeCompacting { done, all }))
        }
        Notice::Comparing { rows, per_second, left_s, merging } => {
            let (rows, rate) = (int(*rows), int(*per_second));
            let left = left_s.map_or(-1, int);
            Line::Progress(if *merging {
                say(&Msg::NoticeMerging { rows, left })
            } else {
                say(&Msg::NoticeComparing { rows, rate, left })
            })
        }
        Notice::Encoding { path, encoding } => {
            Line::Aside(say(&Msg::NoticeEncoding { path, encoding }))
        }
        Notice::FixQuestion { count } => {
            let count = int(*count);
            Line::Data(format!("? {}", say(&Msg::ReconcileAsk { count })))
        }
        _ => Line::Nothing,
    }
}

const fn ledger(path: &str, trouble: LedgerState) -> Msg<'_> {
    match trouble {
        LedgerState::Busy => Msg::NoticeLedgerBusy { path },
        LedgerState::Full => Msg::NoticeLedgerFull { path },
        LedgerState::Removed => Msg::NoticeLedgerRemoved { path },
        LedgerState::Rebuilt => Msg::NoticeLedgerRebuilt { path },
        LedgerState::Replaced => Msg::NoticeLedgerReplaced { path },
        LedgerState::Adopted => Msg::NoticeLedgerAdopted { path },
        LedgerState::Away => Msg::NoticeLedgerAway { path },
        LedgerState::Failed => Msg::NoticeLedgerFailed { path },
    }
}

/// What days say on their way.
fn of_course(notice: &Notice, canvas: &Canvas) -> Line {
    match notice {
        Notice::Lesson(it) => Line::Data(course::opening(it, canvas)),
        Notice::LessonStep { what, by_hand, short, .. } => {
            Line::Data(course::step(what, by_hand, short.as_ref(), canvas))
        }
        Notice::Proposed { folder, names } => {
            let names = names.join(" ");
            let text = canvas.say(&Msg::CourseProposed { folder, names: &names });
            Line::Aside(wrap(&text, canvas.width, 2))
        }
        Notice::EnvMade { path } => {
            Line::Aside(wrap(&canvas.say(&Msg::CourseEnvMade { path }), canvas.width, 2))
        }
        Notice::WillRun { folder, commands } => {
            Line::Aside(course::will_run(folder, commands, canvas))
        }
        Notice::Look(it) => Line::Data(look::look(it, canvas)),
        Notice::Shown { text } => Line::Data(text.trim_end().to_owned()),
        Notice::Asked { text } => {
            Line::Data(format!("? {}", wrap(text, canvas.width.saturating_sub(2), 2)))
        }
        Notice::AskedWord { id, title } => {
            let text = canvas.say(&Msg::AskWord { id, title });
            Line::Data(format!("? {}", wrap(&text, canvas.width.saturating_sub(2), 2)))
        }
        Notice::Answered { given, wrong: None } => {
            Line::Data(format!("  {} {given}", canvas.tone(Tone::Good, "✓")))
        }
        Notice::Answered { wrong: Some(why), .. } => Line::Data(format!(
            "  {} {}",
            canvas.tone(Tone::Bad, "✗"),
            wrap(why, canvas.width.saturating_sub(4), 4)
        )),
        Notice::Checked(it) => Line::Data(course::checked(it, canvas)),
        Notice::Called { method, path, answer } => {
            let room =
                usize::from(canvas.width).saturating_sub(method.len().max(6) + path.len() + 6);
            let answer = crate::view::table::short(answer, room.max(12));
            // What only the sandbox has stands beside the API.
            let root = if path.starts_with("/_stripegym/") { "" } else { "/v1" };
            Line::Aside(format!("{method:<6} {root}{path}  {}", canvas.tone(Tone::Quiet, &answer)))
        }
        _ => Line::Nothing,
    }
}

/// What is said of the learner's own server.
fn own_server(notice: &Notice, canvas: &Canvas) -> Line {
    let say = |msg: &Msg<'_>| canvas.say(msg);
    match notice {
        Notice::Started { command, url, output } => {
            Line::Aside(wrap(&say(&Msg::NoticeStarted { command, url, output }), canvas.width, 2))
        }
        Notice::Surroundings { variables, whole: true } => Line::Data(listed(variables, "")),
        Notice::Surroundings { variables, whole: false } => {
            let lines = canvas.tone(Tone::Quiet, &listed(variables, "  "));
            Line::Aside(format!("{}\n{lines}", say(&Msg::NoticeSurroundings)))
        }
        Notice::WebhookOnly { url } => {
            Line::Aside(wrap(&say(&Msg::NoticeWebhookOnly { url }), canvas.width, 2))
        }
        _ => Line::Nothing,
    }
}

/// Variables as `.env` has them.
fn listed(variables: &[(&'static str, String)], indent: &str) -> String {
    let line = |(name, value): &(&str, String)| format!("{indent}{name}={value}");
    variables.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What is said of grading quietly: for programs several lines at once.
fn graded(notice: &Notice, canvas: &Canvas) -> Line {
    let json = canvas.format == Format::Json;
    match notice {
        Notice::Graded(it) if json => {
            let lines = check::graded_json(it);
            Line::Data(lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        }
        Notice::Graded(it) => Line::Data(check::graded(it, canvas)),
        Notice::Round(it) if json => Line::Data(check::round_json(it)),
        Notice::Round(it) => Line::Data(check::round(it, canvas)),
        Notice::SolutionOf { day, path } => {
            Line::Aside(canvas.tone(Tone::Quiet, &canvas.say(&Msg::SolutionOf { day, path })))
        }
        Notice::RoundFailed { number, fault } if json => {
            Line::Data(check::round_failed_json(*number, fault, canvas).to_string())
        }
        Notice::RoundFailed { number, fault } => {
            Line::Data(check::round_failed(*number, fault, canvas))
        }
        Notice::Watching { folder, means, why } => {
            Line::Data(check::watching(folder, *means, why.as_deref(), canvas))
        }
        _ => Line::Nothing,
    }
}

fn delivered(delivery: &Delivery, canvas: &Canvas) -> String {
    let (tone, outcome) = match &delivery.outcome {
        DeliveryOutcome::Recorded { booked: true } => {
            (Tone::Good, canvas.say(&Msg::DeliveryRecorded))
        }
        DeliveryOutcome::Recorded { booked: false } => {
            (Tone::Quiet, canvas.say(&Msg::DeliveryStored))
        }
        DeliveryOutcome::NotBooked { problem } => {
            (Tone::Caution, canvas.say(&Msg::DeliveryNotBooked { problem }))
        }
        DeliveryOutcome::Duplicate => (Tone::Caution, canvas.say(&Msg::DeliveryDuplicate)),
        DeliveryOutcome::Rejected { status, reason } => {
            let status = i64::from(*status);
            (Tone::Bad, canvas.say(&Msg::DeliveryRejected { status, reason }))
        }
    };
    let mut parts = vec![time::show_clock(delivery.at, &canvas.zone)];
    parts.push(canvas.tone(tone, &outcome));
    let named = delivery.kind.iter().chain(&delivery.event);
    parts.extend(named.map(|text| foreign::plain(text).into_owned()));
    parts.push(canvas.tone(Tone::Quiet, &format!("{} ms", delivery.took_ms)));
    match &delivery.forwarded {
        Some(Ok(status)) => {
            parts.push(canvas.say(&Msg::DeliveryForwarded { status: i64::from(*status) }));
        }
        Some(Err(cause)) if cause == UNTRUSTED => {
            let cause = canvas.say(&Msg::DeliveryUntrusted);
            parts.push(canvas.say(&Msg::DeliveryNotForwarded { cause: &cause }));
        }
        Some(Err(cause)) => parts.push(canvas.say(&Msg::DeliveryNotForwarded { cause })),
        None => {}
    }
    broken(&parts, canvas)
}

/// Parts of a line with two blanks between them; those that a terminal has no room for begin a further line.
fn broken(parts: &[String], canvas: &Canvas) -> String {
    let mut lines = Vec::new();
    let (mut line, mut column) = (String::new(), 0);
    for part in parts {
        let wide = columns(part);
        if canvas.terminal && column > 0 && column + 2 + wide > usize::from(canvas.width) {
            lines.push(std::mem::replace(&mut line, " ".repeat(8)));
            column = 8;
        }
        if !line.is_empty() {
            line.push_str("  ");
            column += 2;
        }
        line.push_str(part);
        column += wide;
    }
    lines.push(line);
    lines.join("\n")
}

fn stepped(step: &Step, canvas: &Canvas) -> String {
    let locale = canvas.locale;
    let (what, by_hand) = match step {
        Step::SandboxUp { base } => {
            (canvas.say(&Msg::Day0SandboxUp { base }), "stripegym sandbox".to_owned())
        }
        Step::ListenerUp { url } => {
            (canvas.say(&Msg::Day0ListenerUp { url }), "stripegym listen".to_owned())
        }
        Step::Created { session, total, .. } => {
            let (shown, id) = (money::show(*total, locale), crate::view::table::short(session, 24));
            let by_hand = format!(
                "stripegym checkout --amount {} --currency {} --no-wait",
                total.minor,
                total.currency.code()
            );
            (canvas.say(&Msg::Day0Created { total: &shown, session: &id }), by_hand)
        }
        Step::Paid { last4, .. } => {
            (canvas.say(&Msg::Day0Paid { last4 }), canvas.say(&Msg::Day0PayByHand))
        }
        Step::Heard { event, kind, took_ms } => {
            let took = int(*took_ms);
            let by_hand = format!("stripegym events show {event}");
            (canvas.say(&Msg::Day0Heard { kind, took }), by_hand)
        }
        Step::Booked { status, total, .. } => {
            let total = money::show(*total, locale);
            let by_hand = "stripegym ledger show".to_owned();
            (canvas.say(&Msg::Day0Booked { total: &total, status }), by_hand)
        }
        Step::Reconciled { matching, differing } => {
            let (matching, differing) = (int(*matching), int(*differing));
            let by_hand = "stripegym reconcile".to_owned();
            (canvas.say(&Msg::Day0Reconciled { matching, differing }), by_hand)
        }
    };
    let mark = canvas.tone(Tone::Good, &format!("[{}/7]", step.number()));
    let head = format!("      {}", canvas.say(&Msg::Day0ByHand));
    let mut lines = vec![format!("{mark} {}", wrap(&what, canvas.width.saturating_sub(6), 6))];
    let hints = if matches!(step, Step::Paid { .. }) {
        vec![wrap(&format!("{head} {by_hand}"), canvas.width, 9)]
    } else {
        typed(&head, &canvas.typed(&by_hand), canvas.width)
    };
    lines.extend(hints.iter().map(|hint| canvas.tone(Tone::Quiet, hint)));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::locale::Locale;
    use crate::domain::time::Timestamp;
    use unicode_width::UnicodeWidthStr as _;

    #[test]
    fn a_delivery_is_broken_between_its_parts_on_a_terminal_and_one_line_elsewhere() {
        let notice = Notice::Delivered(Delivery {
            at: Timestamp(0),
            event: Some("evt_1TzzTzzTzzTzzTzzTzzTzzTz".to_owned()),
            kind: Some("checkout.session.completed".to_owned()),
            outcome: DeliveryOutcome::Recorded { booked: true },
            took_ms: 12,
            forwarded: Some(Ok(200)),
        });
        for locale in Locale::ALL {
            let lines = |terminal| {
                let canvas = Canvas { terminal, ..Canvas::plain(locale) };
                let Line::Data(text) = render(&notice, &canvas) else { panic!("no line") };
                text.lines().map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(lines(false).len(), 1);
            let shown = lines(true);
            assert!(shown.iter().all(|line| line.width() <= 80), "{shown:?}");
            assert!(shown.iter().any(|line| line.contains("12 ms")), "{shown:?}");
        }
    }
}
