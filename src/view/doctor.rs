//! What the doctor saw, each with its cure.

use crate::domain::doctor::{Doctor, Finding, Weight};
use crate::view::canvas::{Canvas, Tone};
use crate::view::text::{add_line, heading};
use crate::view::words::{Msg, int};
use crate::view::wrap::wrap;

/// The findings, one a line, with the cure below where there is one.
pub fn render(it: &Doctor, canvas: &Canvas) -> String {
    let mut out = heading(&Msg::HeaderDoctor, &it.place, canvas);
    for finding in &it.findings {
        let (mark, tone) = match finding.weight() {
            Weight::Good => ("ok", Tone::Good),
            Weight::Caution => ("!", Tone::Caution),
            Weight::Bad => ("x", Tone::Bad),
            Weight::Unknown => ("-", Tone::Quiet),
        };
        let (what, cure) = words(finding, canvas);
        let what = wrap(&what, canvas.width.saturating_sub(5), 5);
        add_line(&mut out, &format!("  {} {what}", canvas.tone(tone, &format!("{mark:<2}"))));
        if let Some(cure) = cure {
            add_line(
                &mut out,
                &format!(
                    "       {}",
                    canvas.tone(Tone::Quiet, &wrap(&cure, canvas.width.saturating_sub(7), 7))
                ),
            );
        }
    }
    let bad = it.findings.iter().filter(|finding| finding.weight() == Weight::Bad).count();
    out.push_str(&match int(bad) {
        0 => canvas.say(&Msg::DoctorWell),
        count => canvas.say(&Msg::DoctorBad { count }),
    });
    out
}

/// What helps a file that cannot be read.
fn cure(what: &str) -> Msg<'static> {
    match what {
        "progress" => Msg::DoctorProgressFix,
        "shop" => Msg::NextShopDatabase,
        _ => Msg::DoctorSandboxFix,
    }
}

fn words(finding: &Finding, canvas: &Canvas) -> (String, Option<String>) {
    let (what, cure) = match finding {
        Finding::Home { path, broken: None } => (Msg::DoctorHome { path }, None),
        Finding::Home { path, broken: Some(cause) } => {
            (Msg::DoctorHomeBroken { path, cause }, Some(Msg::DoctorHomeFix))
        }
        Finding::Port { setting, port, taken } => {
            let port = i64::from(*port);
            match taken {
                None => (Msg::DoctorPort { port, setting }, None),
                Some(_) => {
                    (Msg::DoctorPortTaken { port, setting }, Some(Msg::DoctorPortFix { setting }))
                }
            }
        }
        Finding::Host { base } => (Msg::DoctorHost { base }, None),
        Finding::Clock { fixed: true, .. } => {
            (Msg::DoctorClockFixed, Some(Msg::DoctorClockFixedFix))
        }
        Finding::Clock { ahead_s: None, .. } => (Msg::DoctorClockUnknown, None),
        Finding::Clock { ahead_s: Some(ahead), .. } => match finding.weight() {
            Weight::Good => (Msg::DoctorClock { ahead: *ahead }, None),
            Weight::Caution | Weight::Bad | Weight::Unknown => {
                (Msg::DoctorClockOff { ahead: *ahead }, Some(Msg::DoctorClockFix))
            }
        },
        Finding::Silent { base } => (Msg::FaultProviderDown { base }, Some(Msg::DoctorSilentFix)),
        Finding::Key { key: Some((key, origin)) } => (Msg::DoctorKey { key, origin }, None),
        Finding::Key { key: None } => (Msg::DoctorNoKey, None),
        Finding::Rights { page, lacking } if lacking.is_empty() => {
            (Msg::DoctorRights { page }, None)
        }
        Finding::Rights { page, lacking } => {
            let rights = lacking.join(", ");
            let said = Msg::DoctorRightsLacking { page, rights: &rights };
            return (canvas.say(&said), Some(canvas.say(&Msg::DoctorRightsFix)));
        }
        Finding::WebhookSecrets { count: 0, sandbox: true, .. } => {
            (Msg::DoctorSecretsSandbox, None)
        }
        Finding::WebhookSecrets { count: 0, sandbox: false, .. } => {
            (Msg::DoctorNoSecrets, Some(Msg::DoctorSecretsFix))
        }
        Finding::WebhookSecrets { odd, .. } if *odd > 0 => {
            (Msg::DoctorSecretsOdd, Some(Msg::DoctorSecretsOddFix))
        }
        Finding::WebhookSecrets { count, .. } => (Msg::DoctorSecrets { count: int(*count) }, None),
        Finding::Display { present: true } => (Msg::DoctorDisplay, None),
        Finding::Display { present: false } => (Msg::DoctorNoDisplay, Some(Msg::DoctorDisplayFix)),
        Finding::Ledger { path, absent: true, .. } => (Msg::DoctorNoLedger { path }, None),
        Finding::Ledger { path, broken: Some(cause), .. } => {
            (Msg::DoctorLedgerBroken { path, cause }, Some(Msg::DoctorLedgerFix))
        }
        Finding::Ledger { path, busy: true, .. } => {
            (Msg::DoctorLedgerBusy { path }, Some(Msg::DoctorLedgerBusyFix))
        }
        Finding::Ledger { path, .. } => (Msg::DoctorLedger { path }, None),
        Finding::Store { what, path, broken: Some(cause), .. } => {
            (Msg::DoctorStoreBroken { path, cause }, Some(cure(what)))
        }
        Finding::Store { path, busy: true, .. } => (Msg::DoctorStoreBusy { path }, None),
        Finding::Store { path, .. } => (Msg::DoctorStore { path }, None),
        Finding::EnvFile { tracked: true, .. } => (Msg::DoctorEnvTracked, Some(Msg::DoctorEnvFix)),
        Finding::EnvFile { present: true, .. } => (Msg::DoctorEnvSafe, None),
        Finding::EnvFile { .. } => (Msg::DoctorEnvAbsent, None),
    };
    (canvas.say(&what), cure.map(|cure| canvas.say(&cure)))
}
