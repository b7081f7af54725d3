//! Broken shops, each of which must be caught by the check that says it kills it.

use crate::env::{Env, Running, outer_path};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const SECRET: &str = "whsec_mutantsBelieveThisOne";

/// A breakage, the day and the check that must notice it.
const BROKEN: [(&str, &str, &str); 20] = [
    ("jpy_x100", "day1", "D1.1"),
    ("fulfil_on_success_page", "day1", "X18"),
    ("trusts_query_amount", "day1", "X19"),
    ("redirect_302", "day3", "D3.3"),
    ("no_sig", "day3", "D3.7"),
    ("accepts_v0", "day3", "D3.7"),
    ("no_tolerance", "day3", "D3.7"),
    ("first_v1_only", "day3", "D3.7"),
    ("crash_on_bad_sig", "day3", "D3.7"),
    ("eq_reserialised_json", "day3", "D3.3"),
    ("500_on_unknown", "day3", "X16"),
    ("usd_div_wrong", "day4", "D4.3"),
    ("no_dedupe", "day4", "D4.5"),
    ("dup_returns_500", "day4", "D4.5"),
    ("paid_always", "day4", "X6"),
    ("insert_only", "day4", "X7"),
    ("ignores_async_failed", "day4", "X8"),
    ("accepts_livemode", "day4", "X14"),
    ("order_dependent", "day4", "X11"),
    ("insert_only", "day5", "D5.1"),
];

/// What the checks of a day came to for a shop that is broken in this way.
fn graded(days: &[&str], broken: &str) -> Vec<Value> {
    let env = Env::new()
        .with("STRIPE_WEBHOOK_SECRET", SECRET)
        .with("STRIPEGYM_MODE", "sandbox")
        .with("PORT", "0");
    let sandbox = env.sandbox(&[]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons/mutants/shop.py");
    let mut command = Command::new("python3");
    command.arg(script).args(["0", broken]).current_dir(env.path()).env_clear();
    command.env("PATH", outer_path());
    command.env("STRIPE_API_BASE", &sandbox.url).env("STRIPE_WEBHOOK_SECRET", SECRET);
    let mut shop = Running::new(command, env.path());
    let ready = shop.line_with("Ready http://127.0.0.1:");
    let url = ready.trim_start_matches("Ready ").trim().to_owned();
    let run = |day: &&str| {
        let ran = env.run(&[day, "--app", &url, "--only", "check", "--json"]);
        let last = ran.out.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    };
    days.iter().map(run).collect()
}

#[test]
#[ignore = "needs Python: ./test"]
fn an_own_shop_that_is_well_passes_every_day() {
    for result in graded(&["day0", "day1", "day2", "day3", "day4", "day5"], "") {
        assert_eq!(result["ok"], true, "{result}");
        assert_eq!(result["track"], "app");
    }
}

#[test]
#[ignore = "needs Python: ./test"]
fn every_broken_shop_is_caught_by_the_check_that_names_it() {
    for (broken, day, check) in BROKEN {
        let result = graded(&[day], broken).remove(0);
        assert_eq!(result["checks"][check], "fail", "{broken}: {result}");
    }
}
