//! A signature taken apart, and a delivery that was sent by hand with what came of it.

use crate::domain::signed_delivery::{Delivered, Signed};
use crate::view::canvas::{Canvas, Tone};
use crate::view::table::short;
use crate::view::words::{Msg, int};
use crate::view::wrap::wrap;

/// Characters of a signature that are enough to know it by.
const DIGITS: usize = 12;

fn head(mac: &str) -> String {
    format!("{}…", mac.get(..DIGITS).unwrap_or(mac))
}

/// How an event is signed: the header, and where it is wished how it is made.
pub fn signed(it: &Signed, canvas: &Canvas) -> String {
    let label = |text: &str| canvas.tone(Tone::Strong, text);
    let header = format!("Stripe-Signature: t={},v1={}", it.at.0, it.mac);
    if !it.explain {
        return header;
    }
    let quiet = |msg: &Msg<'_>| canvas.tone(Tone::Quiet, &canvas.say(msg));
    let step = |number: &str, msg: &Msg<'_>| {
        wrap(&format!("{}   {}", label(number), quiet(msg)), canvas.width, 4)
    };
    let bytes = int(it.bytes);
    let text = format!("{}.{}…", it.at.0, it.start);
    [
        step("1", &Msg::SignText { bytes }),
        format!("    {}", short(&text, usize::from(canvas.width).saturating_sub(6))),
        step("2", &Msg::SignKey { secret: &it.secret }),
        step("3", &Msg::SignMac),
        format!("    {}", canvas.tone(Tone::Good, &it.mac)),
        step("4", &Msg::SignHeader),
        format!("    Stripe-Signature: t={},v1={}", it.at.0, head(&it.mac)),
    ]
    .join("\n")
}

/// What was sent, and what came of it.
pub fn delivered(it: &Delivered, canvas: &Canvas) -> String {
    let header = match it.header.as_deref().and_then(|text| text.split_once(",v1=")) {
        Some((time, mac)) => format!("Stripe-Signature: {time},v1={}", head(mac)),
        None => canvas.say(&Msg::DeliverUnsigned),
    };
    let bytes = int(it.bytes);
    let event = canvas.say(&Msg::DeliverEvent { kind: &it.kind, bytes });
    let good = it.is_well();
    let tone = if good { Tone::Good } else { Tone::Bad };
    let answer = match &it.answer {
        Ok(status) => status.to_string(),
        Err(why) => why.clone(),
    };
    let ms = int(it.took_ms);
    let after = format!("{}  {}", it.said, canvas.say(&Msg::DeliverTook { ms }));
    let ledger = if it.changed { Msg::DeliverChanged } else { Msg::DeliverSame };
    [
        format!("POST {}", it.url),
        format!("  {header}"),
        format!("  {event}"),
        format!("{} {}", canvas.tone(tone, &format!("→ {answer}")), after.trim_start()),
        format!("  {}", canvas.say(&ledger)),
    ]
    .join("\n")
}
