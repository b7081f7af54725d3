//! A failure for its reader: what happened, where, why, and what to type next.

use crate::domain::fault::{Class, Fault, Mishap, Misuse, Problem};
use crate::view::canvas::{Canvas, Format, Tone};
use crate::view::foreign;
use crate::view::words::Msg;
use crate::view::wrap::wrap;
use serde_json::json;

/// The failure as text, or as one line of JSON with its `exit` code.
pub fn render(fault: &Fault, exit: u8, canvas: &Canvas) -> String {
    match canvas.format {
        Format::Json => foreign::json(drawn(fault, exit, canvas)),
        Format::Text | Format::Csv => foreign::printed(drawn(fault, exit, canvas), canvas),
    }
}

fn drawn(fault: &Fault, exit: u8, canvas: &Canvas) -> String {
    let what = what(&fault.problem, canvas);
    if fault.problem.class() == Class::Interrupted && canvas.format == Format::Text {
        // The person knows what they did.
        return canvas.tone(Tone::Quiet, &what);
    }
    let place = place(&fault.problem);
    let next = next(&fault.problem, canvas);
    if canvas.format == Format::Json {
        return json!({ "error": {
            "kind": fault.problem.name(),
            "message": what,
            "where": place,
            "cause": fault.cause,
            "next": next,
            "exit": exit,
        }})
        .to_string();
    }
    let label = canvas.tone(Tone::Bad, &canvas.say(&Msg::FaultLabel));
    let mut lines = vec![wrap(&format!("{label} {what}"), canvas.width, 2)];
    let mut add = |msg: &Msg<'_>, text: &str| {
        let label = canvas.tone(Tone::Quiet, &canvas.say(msg));
        let text = format!("{label}: {text}").replace('\n', "\n    ");
        lines.push(format!("  {}", wrap(&text, canvas.width, 4)));
    };
    if let Some(place) = place {
        add(&Msg::FaultWhere, &place);
    }
    if let Some(cause) = fault.cause.as_deref().filter(|cause| !cause.is_empty()) {
        add(&Msg::FaultCause, cause);
    }
    for step in next {
        add(&Msg::FaultNext, &step);
    }
    lines.join("\n")
}

pub(super) fn what(problem: &Problem, canvas: &Canvas) -> String {
    canvas.say(&match problem {
        Problem::Usage { misuse, .. } => return misused(misuse, canvas),
        Problem::Setting { name, .. } => Msg::FaultSetting { name },
        Problem::LiveKey { name, .. } => Msg::FaultLiveKey { name },
        Problem::KeySlot { name, publishable: true, .. } => Msg::FaultKeyPublishable { name },
        Problem::KeySlot { name, .. } => Msg::FaultKeySecret { name },
        Problem::KeyMissing => Msg::FaultKeyMissing,
        Problem::SandboxOnly { command } => Msg::FaultSandboxOnly { command },
        Problem::PortTaken { address, .. } => Msg::FaultPortTaken { address },
        Problem::NotOurs { expected, .. } => Msg::FaultNotOurs { expected },
        Problem::InTheWay { path } => Msg::FaultInTheWay { path },
        Problem::ProviderDown { base } => Msg::FaultProviderDown { base },
        Problem::ProviderRefused { status, message, .. } => {
            Msg::FaultProviderRefused { status: i64::from(*status), message }
        }
        Problem::ProviderOdd { what } => Msg::FaultProviderOdd { what },
        Problem::Page { what, .. } => Msg::FaultPage { what },
        Problem::Ledger { .. } | Problem::LedgerBroken { .. } => Msg::FaultLedger,
        Problem::LedgerBusy { .. } => Msg::FaultLedgerBusy,
        Problem::LedgerInUse { .. } => Msg::FaultLedgerInUse,
        Problem::Newer { .. } => Msg::FaultNewer,
        Problem::DiskFull { .. } => Msg::FaultDiskFull,
        Problem::ProgressBroken { .. } => Msg::FaultProgress,
        Problem::SandboxBroken { .. } => Msg::FaultSandboxBroken,
        Problem::SandboxStore { .. } => Msg::FaultSandboxStore,
        Problem::File { .. } => Msg::FaultFile,
        Problem::NoScenario { kind, .. } => Msg::FaultNoScenario { kind },
        Problem::NotFound { what } => Msg::FaultNotFound { what },
        Problem::NoSuchCode { code } => Msg::FaultNoSuchCode { code },
        Problem::SandboxNotRunning { home } => Msg::FaultSandboxNotRunning { home },
        Problem::SandboxInUse { base } => Msg::FaultSandboxInUse { base },
        Problem::CourseInUse { home } => Msg::FaultCourseInUse { home },
        Problem::Lesson { what, .. } => Msg::FaultLesson { what },
        Problem::AppDown { url, .. } => Msg::FaultAppDown { url },
        Problem::NoPages { day, url } => Msg::FaultNoPages { day, url },
        Problem::Program { command, address, how } => match how {
            Mishap::NotFound => Msg::FaultProgramNotFound { command },
            Mishap::Exited { how } => Msg::FaultProgramExited { command, how },
            Mishap::Silent { .. } => Msg::FaultProgramSilent { command, address },
            Mishap::Taken => Msg::FaultProgramTaken { address },
            Mishap::NotHere => Msg::FaultProgramNotHere,
        },
        Problem::TimedOut { what, seconds } => {
            Msg::FaultTimedOut { what, seconds: i64::try_from(*seconds).unwrap_or(i64::MAX) }
        }
        Problem::NotOffered { method, .. } => Msg::FaultNotOffered { method },
        Problem::Interrupted => Msg::FaultInterrupted,
        Problem::Gone => Msg::FaultGone,
        Problem::Bug { what } => Msg::FaultBug { what },
    })
}

fn misused(misuse: &Misuse, canvas: &Canvas) -> String {
    let meant = |what: String, meant: &Option<String>| match meant {
        Some(meant) => format!("{what} {}", canvas.say(&Msg::FaultMeant { meant })),
        None => what,
    };
    match misuse {
        Misuse::UnknownFlag { flag, meant: near } => {
            meant(canvas.say(&Msg::FaultUnknownFlag { flag }), near)
        }
        Misuse::UnknownCommand { command, meant: near } => {
            meant(canvas.say(&Msg::FaultUnknownCommand { command }), near)
        }
        Misuse::BadValue { flag, value, expected } => {
            let what = canvas.say(&Msg::FaultBadValue { flag, value });
            if expected.is_empty() {
                return what;
            }
            format!("{what} {}", canvas.say(&Msg::FaultExpected { expected }))
        }
        Misuse::Missing { what } => canvas.say(&Msg::FaultMissing { what }),
        Misuse::Conflict { flag, other } => canvas.say(&Msg::FaultConflict { flag, other }),
        Misuse::Other { message } => canvas.say(&Msg::FaultUsageOther { message }),
    }
}

/// Where it happened: facts without words.
fn place(problem: &Problem) -> Option<String> {
    match problem {
        Problem::Setting { name, origin, .. }
        | Problem::LiveKey { name, origin }
        | Problem::KeySlot { name, origin, .. } => Some(format!("{name} ({origin})")),
        Problem::ProviderRefused { code, param, .. } => {
            let parts: Vec<String> = [("code", code), ("param", param)]
                .into_iter()
                .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}={value}")))
                .collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        }
        Problem::Page { url, .. } => Some(url.clone()),
        Problem::Lesson { file, key, .. } => Some(format!("{file}: {key}")),
        Problem::Ledger { path }
        | Problem::LedgerBroken { path }
        | Problem::LedgerBusy { path }
        | Problem::LedgerInUse { path }
        | Problem::Newer { path }
        | Problem::DiskFull { path }
        | Problem::ProgressBroken { path }
        | Problem::SandboxBroken { path }
        | Problem::SandboxStore { path }
        | Problem::NotOurs { path, .. }
        | Problem::File { path } => Some(path.clone()),
        Problem::Usage { .. }
        | Problem::KeyMissing
        | Problem::SandboxOnly { .. }
        | Problem::PortTaken { .. }
        | Problem::InTheWay { .. }
        | Problem::ProviderDown { .. }
        | Problem::ProviderOdd { .. }
        | Problem::NoScenario { .. }
        | Problem::NotFound { .. }
        | Problem::NoSuchCode { .. }
        | Problem::SandboxNotRunning { .. }
        | Problem::SandboxInUse { .. }
        | Problem::CourseInUse { .. }
        | Problem::AppDown { .. }
        | Problem::NoPages { .. }
        | Problem::Program { .. }
        | Problem::TimedOut { .. }
        | Problem::NotOffered { .. }
        | Problem::Interrupted
        | Problem::Gone
        | Problem::Bug { .. } => None,
    }
}

fn next(problem: &Problem, canvas: &Canvas) -> Vec<String> {
    let msgs = match problem {
        Problem::Usage { command, .. } => vec![Msg::NextHelp { command }],
        Problem::Setting { expected, .. } => {
            vec![Msg::FaultExpected { expected }, Msg::NextSetting]
        }
        Problem::LiveKey { .. } => vec![Msg::NextLiveKey],
        Problem::KeySlot { .. } => vec![Msg::NextKeySlot],
        Problem::KeyMissing => vec![Msg::NextKeyMissing],
        Problem::SandboxOnly { .. } => vec![Msg::NextSandboxMode],
        Problem::PortTaken { command, .. } => vec![Msg::NextOtherPort { command }, Msg::NextDoctor],
        Problem::NotOurs { .. } => vec![Msg::NextNotOurs],
        Problem::InTheWay { .. } => vec![Msg::NextInTheWay],
        Problem::SandboxNotRunning { .. } => vec![Msg::NextSandbox],
        Problem::ProviderDown { .. } => vec![Msg::NextSandbox, Msg::NextDoctor],
        Problem::ProviderRefused { status: 401, .. } => vec![Msg::NextKeyUnknown, Msg::NextDoctor],
        Problem::ProviderRefused { request: Some(request), .. } => vec![Msg::NextLogs { request }],
        Problem::ProviderRefused { .. }
        | Problem::ProviderOdd { .. }
        | Problem::Page { .. }
        | Problem::TimedOut { .. } => vec![Msg::NextDoctor],
        Problem::Ledger { .. } | Problem::SandboxStore { .. } => {
            vec![Msg::NextHome, Msg::NextDoctor]
        }
        Problem::File { .. } => vec![Msg::NextFile],
        Problem::NotOffered { fits, .. } => vec![Msg::FaultExpected { expected: fits }],
        Problem::Newer { .. } => vec![Msg::NextNewer],
        Problem::DiskFull { .. } => vec![Msg::NextDiskFull, Msg::NextDoctor],
        Problem::ProgressBroken { .. } => vec![Msg::DoctorProgressFix, Msg::NextDoctor],
        Problem::SandboxBroken { .. } => vec![Msg::DoctorSandboxFix, Msg::NextDoctor],
        Problem::LedgerBroken { .. } => vec![Msg::DoctorLedgerFix, Msg::NextDoctor],
        Problem::LedgerBusy { .. } => vec![Msg::NextLedgerBusy],
        Problem::NoScenario { .. } => vec![Msg::NextScenarios],
        Problem::NotFound { .. } => vec![Msg::NextEventsList],
        Problem::Lesson { .. } => vec![Msg::NextDevCheck],
        Problem::NoSuchCode { .. } => vec![Msg::NextExplain],
        Problem::SandboxInUse { .. } | Problem::LedgerInUse { .. } => vec![Msg::NextStopSandbox],
        Problem::CourseInUse { .. } => vec![Msg::NextOtherCourse],
        Problem::AppDown { elsewhere: Some(address), .. } => vec![Msg::NextAnswersAt { address }],
        Problem::AppDown { url, .. } => {
            vec![Msg::NextListen, Msg::NextPrintEnv { url }, Msg::NextAppExec]
        }
        Problem::NoPages { .. } => vec![Msg::NextNoPages],
        Problem::Program { command, how, .. } => match how {
            Mishap::NotFound | Mishap::Exited { .. } => {
                vec![Msg::NextProgramAlone { command }]
            }
            Mishap::Silent { elsewhere: Some(address) } => vec![Msg::NextProgramAt { address }],
            Mishap::Silent { elsewhere: None } | Mishap::Taken => vec![Msg::NextProgramPort],
            Mishap::NotHere => vec![Msg::NextPrintEnv { url: "http://127.0.0.1:5000" }],
        },
        Problem::Interrupted | Problem::Gone => vec![Msg::NextAgain],
        Problem::Bug { .. } => vec![Msg::NextBug],
    };
    msgs.iter().map(|msg| canvas.say(msg)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::locale::Locale;

    #[test]
    fn a_failure_says_what_where_why_and_what_to_type() {
        let problem = Problem::PortTaken {
            address: "127.0.0.1:4242".into(),
            command: "stripegym listen".into(),
        };
        let text =
            render(&Fault::because(problem, "Address in use"), 3, &Canvas::plain(Locale::En));
        assert_eq!(
            text,
            "error: 127.0.0.1:4242 cannot be listened on.\n  cause: Address in use\n  \
             next: stripegym listen --port 0    (a free port)\n  next: stripegym doctor"
        );
    }

    #[test]
    fn programs_get_one_line_of_json() {
        let canvas = Canvas { format: Format::Json, ..Canvas::plain(Locale::Ja) };
        let text = render(&Problem::KeyMissing.into(), 3, &canvas);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["error"]["kind"], "key_missing");
        assert_eq!(value["error"]["exit"], 3);
        assert_eq!(text.lines().count(), 1);
    }
}
