//! A failure for its reader: what happened, where, why, and what to type next.

use crate::domain::data_file::{DataFile, FileState};
use crate::domain::fault::{Class, Fault, FaultKind, StartError, UsageError};
use crate::view::canvas::{Canvas, Format, Tone};
use crate::view::foreign;
use crate::view::words::{Msg, int};
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
    let what = what(&fault.kind, canvas);
    if fault.kind.class() == Class::Interrupted && canvas.format == Format::Text {
        // The person knows what they did.
        return canvas.tone(Tone::Quiet, &what);
    }
    let place = place(&fault.kind);
    let next = next(fault, canvas);
    if canvas.format == Format::Json {
        return json!({ "error": {
            "kind": fault.kind.name(),
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

pub(super) fn what(problem: &FaultKind, canvas: &Canvas) -> String {
    canvas.say(&match problem {
        FaultKind::Usage { usage_error, .. } => return misused(usage_error, canvas),
        FaultKind::Setting { name, .. } => Msg::FaultSetting { name },
        FaultKind::LiveKey { name, .. } => Msg::FaultLiveKey { name },
        FaultKind::KeySlot { name, publishable: true, .. } => Msg::FaultKeyPublishable { name },
        FaultKind::KeySlot { name, .. } => Msg::FaultKeySecret { name },
        FaultKind::KeyMissing => Msg::FaultKeyMissing,
        FaultKind::SandboxOnly { command } => Msg::FaultSandboxOnly { command },
        FaultKind::PortTaken { address, .. } => Msg::FaultPortTaken { address },
        FaultKind::NotOurs { expected, .. } => Msg::FaultNotOurs { expected },
        FaultKind::PlanFile { .. } => Msg::FaultPlanFile,
        FaultKind::Incomparable { what } => Msg::FaultIncomparable { what },
        FaultKind::InTheWay { path } => Msg::FaultInTheWay { path },
        FaultKind::ProviderDown { base } => Msg::FaultProviderDown { base },
        FaultKind::ProviderRefused { status, message, .. } => {
            Msg::FaultProviderRefused { status: i64::from(*status), message }
        }
        FaultKind::ProviderOdd { what } => Msg::FaultProviderOdd { what },
        FaultKind::Page { what, .. } => Msg::FaultPage { what },
        FaultKind::Data { file, trouble, .. } => return of_data(*file, *trouble, canvas),
        FaultKind::LedgerServers { .. } => Msg::FaultLedgerServers,
        FaultKind::LedgerThere { url, .. } | FaultKind::ShopThere { url } => {
            Msg::FaultInTheWay { path: url }
        }
        FaultKind::LedgerInUse { .. } => Msg::FaultLedgerInUse,
        FaultKind::File { .. } => Msg::FaultFile,
        FaultKind::NoScenario { kind, meant, .. } => {
            return with_meant(
                canvas.say(&Msg::FaultNoScenario { kind }),
                meant.as_deref(),
                canvas,
            );
        }
        FaultKind::NotFound { what } => Msg::FaultNotFound { what },
        FaultKind::NoSuchCode { code } => Msg::FaultNoSuchCode { code },
        FaultKind::SandboxNotRunning { home } => Msg::FaultSandboxNotRunning { home },
        FaultKind::SandboxInUse { base } => Msg::FaultSandboxInUse { base },
        FaultKind::CourseInUse { home } => Msg::FaultCourseInUse { home },
        FaultKind::Lesson { what, .. } => Msg::FaultLesson { what },
        FaultKind::AppDown { url, .. } => Msg::FaultAppDown { url },
        FaultKind::NoPages { day, url } => Msg::FaultNoPages { day, url },
        FaultKind::Program { command, address, how } => match how {
            StartError::NotFound => Msg::FaultProgramNotFound { command },
            StartError::Exited { how } => Msg::FaultProgramExited { command, how },
            StartError::Silent { .. } => Msg::FaultProgramSilent { command, address },
            StartError::Taken => Msg::FaultProgramTaken { address },
            StartError::NotHere => Msg::FaultProgramNotHere,
        },
        FaultKind::TimedOut { what, seconds } => {
            Msg::FaultTimedOut { what, seconds: int(*seconds) }
        }
        FaultKind::NotOffered { method, .. } => Msg::FaultNotOffered { method },
        FaultKind::Interrupted => Msg::FaultInterrupted,
        FaultKind::Gone => Msg::FaultGone,
        FaultKind::Bug { what } => Msg::FaultBug { what },
    })
}

/// What is wrong with a file that keeps data.
fn of_data(file: DataFile, trouble: FileState, canvas: &Canvas) -> String {
    let what = canvas.say(&match file {
        DataFile::Ledger => Msg::DataLedger,
        DataFile::Shop => Msg::DataShop,
        DataFile::Sandbox => Msg::DataSandbox,
        DataFile::Progress => Msg::DataProgress,
    });
    let what = what.as_str();
    canvas.say(&match trouble {
        FileState::Broken => Msg::DataBroken { what },
        FileState::Busy => Msg::DataBusy { what },
        FileState::Full => Msg::DataFull { what },
        FileState::Newer => Msg::DataNewer { what },
        FileState::ReadOnly => Msg::DataReadOnly { what },
        FileState::Unusable => Msg::DataUnusable { what },
        FileState::Away => Msg::DataAway { what },
    })
}

/// What helps then.
fn after_data(file: DataFile, path: &str, trouble: FileState) -> Vec<Msg<'_>> {
    let first = match (trouble, file) {
        (FileState::Broken, DataFile::Ledger) => Msg::DoctorLedgerFix,
        (FileState::Broken, DataFile::Shop) => Msg::NextShopDatabase,
        (FileState::Broken, DataFile::Sandbox) => Msg::DoctorSandboxFix,
        (FileState::Broken, DataFile::Progress) => Msg::DoctorProgressFix,
        (FileState::Busy, _) => Msg::NextDataBusy,
        (FileState::Full, _) => Msg::NextDiskFull,
        (FileState::Newer, DataFile::Sandbox) => {
            return vec![Msg::NextNewer, Msg::DoctorSandboxFix];
        }
        (FileState::Newer, _) => return vec![Msg::NextNewer],
        (FileState::ReadOnly, _) => Msg::NextReadOnly { path },
        (FileState::Unusable, _) => Msg::NextHome,
        (FileState::Away, _) => return vec![Msg::NextLedgerServer { url: path }],
    };
    vec![first, Msg::NextDoctor]
}

/// With what was perhaps meant.
fn with_meant(what: String, meant: Option<&str>, canvas: &Canvas) -> String {
    match meant {
        Some(meant) => format!("{what} {}", canvas.say(&Msg::FaultMeant { meant })),
        None => what,
    }
}

fn misused(usage_error: &UsageError, canvas: &Canvas) -> String {
    let meant = |what, meant: &Option<String>| with_meant(what, meant.as_deref(), canvas);
    match usage_error {
        UsageError::UnknownFlag { flag, meant: near } => {
            meant(canvas.say(&Msg::FaultUnknownFlag { flag }), near)
        }
        UsageError::Negative { value } => canvas.say(&Msg::FaultNegative { value }),
        UsageError::UnknownCommand { command, meant: near } => {
            meant(canvas.say(&Msg::FaultUnknownCommand { command }), near)
        }
        UsageError::BadValue { flag, value, expected } => {
            let what = canvas.say(&Msg::FaultBadValue { flag, value });
            if expected.is_empty() {
                return what;
            }
            format!("{what} {}", canvas.say(&Msg::FaultExpected { expected }))
        }
        UsageError::Missing { what } => canvas.say(&Msg::FaultMissing { what }),
        UsageError::Conflict { flag, other } => canvas.say(&Msg::FaultConflict { flag, other }),
        UsageError::Other { message } => canvas.say(&Msg::FaultUsageOther { message }),
    }
}

/// Where it happened: facts without words.
fn place(problem: &FaultKind) -> Option<String> {
    match problem {
        FaultKind::Setting { name, origin, .. }
        | FaultKind::LiveKey { name, origin }
        | FaultKind::KeySlot { name, origin, .. } => Some(format!("{name} ({origin})")),
        FaultKind::ProviderRefused { code, param, .. } => {
            let parts: Vec<String> = [("code", code), ("param", param)]
                .into_iter()
                .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}={value}")))
                .collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        }
        FaultKind::Page { url, .. } | FaultKind::LedgerServers { url, .. } => Some(url.clone()),
        FaultKind::Lesson { file, key, .. } => Some(format!("{file}: {key}")),
        FaultKind::Data { path, .. }
        | FaultKind::LedgerInUse { path }
        | FaultKind::NotOurs { path, .. }
        | FaultKind::PlanFile { path }
        | FaultKind::File { path } => Some(path.clone()),
        FaultKind::Usage { .. }
        | FaultKind::KeyMissing
        | FaultKind::SandboxOnly { .. }
        | FaultKind::PortTaken { .. }
        | FaultKind::Incomparable { .. }
        | FaultKind::InTheWay { .. }
        | FaultKind::LedgerThere { .. }
        | FaultKind::ShopThere { .. }
        | FaultKind::ProviderDown { .. }
        | FaultKind::ProviderOdd { .. }
        | FaultKind::NoScenario { .. }
        | FaultKind::NotFound { .. }
        | FaultKind::NoSuchCode { .. }
        | FaultKind::SandboxNotRunning { .. }
        | FaultKind::SandboxInUse { .. }
        | FaultKind::CourseInUse { .. }
        | FaultKind::AppDown { .. }
        | FaultKind::NoPages { .. }
        | FaultKind::Program { .. }
        | FaultKind::TimedOut { .. }
        | FaultKind::NotOffered { .. }
        | FaultKind::Interrupted
        | FaultKind::Gone
        | FaultKind::Bug { .. } => None,
    }
}

/// What helps a program that does not start.
fn of_program<'a>(command: &'a str, how: &'a StartError) -> Msg<'a> {
    match how {
        StartError::NotFound | StartError::Exited { .. } => Msg::NextProgramAlone { command },
        StartError::Silent { elsewhere: Some(address) } => Msg::NextProgramAt { address },
        StartError::Silent { elsewhere: None } | StartError::Taken => Msg::NextProgramPort,
        StartError::NotHere => Msg::NextPrintEnv { url: "http://127.0.0.1:5000" },
    }
}

fn next(fault: &Fault, canvas: &Canvas) -> Vec<String> {
    let own = fault.next.as_ref().map(|next| canvas.typed(&format!("stripegym {next}")));
    let msgs = match fault.kind.as_ref() {
        FaultKind::Usage { command, .. } => vec![Msg::NextHelp { command }],
        FaultKind::Setting { expected, .. } => {
            vec![Msg::FaultExpected { expected }, Msg::NextSetting]
        }
        FaultKind::LiveKey { .. } => vec![Msg::NextLiveKey],
        FaultKind::KeySlot { .. } => vec![Msg::NextKeySlot],
        FaultKind::KeyMissing => vec![Msg::NextKeyMissing],
        FaultKind::SandboxOnly { .. } => vec![Msg::NextSandboxMode],
        FaultKind::PortTaken { command, .. } => {
            vec![Msg::NextOtherPort { command }, Msg::NextDoctor]
        }
        FaultKind::NotOurs { .. } => vec![Msg::NextNotOurs],
        FaultKind::PlanFile { .. } => Vec::new(),
        FaultKind::Incomparable { .. } => vec![Msg::NextIncomparable],
        FaultKind::InTheWay { .. } => vec![Msg::NextInTheWay],
        FaultKind::SandboxNotRunning { .. } => vec![Msg::NextSandbox],
        FaultKind::ProviderDown { .. } => vec![Msg::NextSandbox, Msg::NextDoctor],
        FaultKind::ProviderRefused { status: 401, .. } => {
            vec![Msg::NextKeyUnknown, Msg::NextDoctor]
        }
        FaultKind::ProviderRefused { request: Some(request), .. } => {
            vec![Msg::NextLogs { request }]
        }
        FaultKind::ProviderRefused { .. }
        | FaultKind::ProviderOdd { .. }
        | FaultKind::Page { .. }
        | FaultKind::TimedOut { .. } => vec![Msg::NextDoctor],
        FaultKind::Data { file, path, trouble } => after_data(*file, path, *trouble),
        FaultKind::File { .. } => vec![Msg::NextFile],
        FaultKind::NotOffered { fits, .. } => vec![Msg::FaultExpected { expected: fits }],
        FaultKind::LedgerServers { next, .. } => vec![Msg::NextLedgerServers { command: next }],
        FaultKind::LedgerThere { url, file } => vec![Msg::NextLedgerImport { file, url }],
        FaultKind::ShopThere { url } => vec![Msg::NextShopThere { url }],
        FaultKind::NoScenario { .. } => vec![Msg::NextScenarios],
        FaultKind::NotFound { .. } if own.is_some() => Vec::new(),
        FaultKind::NotFound { .. } => vec![Msg::NextEventsList],
        FaultKind::Lesson { .. } => vec![Msg::NextDevCheck],
        FaultKind::NoSuchCode { .. } => vec![Msg::NextExplain],
        FaultKind::SandboxInUse { .. } | FaultKind::LedgerInUse { .. } => {
            vec![Msg::NextStopSandbox]
        }
        FaultKind::CourseInUse { .. } => vec![Msg::NextOtherCourse],
        FaultKind::AppDown { elsewhere: Some(address), .. } => vec![Msg::NextAnswersAt { address }],
        FaultKind::AppDown { url, .. } => {
            vec![Msg::NextListen, Msg::NextPrintEnv { url }, Msg::NextAppExec]
        }
        FaultKind::NoPages { .. } => vec![Msg::NextNoPages],
        FaultKind::Program { command, how, .. } => vec![of_program(command, how)],
        FaultKind::Interrupted | FaultKind::Gone => vec![Msg::NextAgain],
        FaultKind::Bug { .. } => vec![Msg::NextBug],
    };
    own.into_iter().chain(msgs.iter().map(|msg| canvas.say(msg))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::locale::Locale;

    #[test]
    fn a_failure_says_what_where_why_and_what_to_type() {
        let problem = FaultKind::PortTaken {
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
        let text = render(&FaultKind::KeyMissing.into(), 3, &canvas);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["error"]["kind"], "key_missing");
        assert_eq!(value["error"]["exit"], 3);
        assert_eq!(text.lines().count(), 1);
    }
}
