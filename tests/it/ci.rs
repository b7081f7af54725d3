//! What a build server does with `ci/`: its steps are shell, and here they are run as GitHub Actions runs them.

use crate::env::{Env, PATIENCE, Ran, outer_path};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A world in which the built program is on the PATH.
fn installed() -> Env {
    let env = Env::new();
    let bin = env.path().join("bin");
    fs::create_dir(&bin).unwrap();
    symlink(env!("CARGO_BIN_EXE_stripegym"), bin.join("stripegym")).unwrap();
    let path = format!("{}:{}", bin.display(), outer_path());
    env.with("PATH", &path).with("STRIPEGYM_SANDBOX_PORT", "0").with("LANG", "en_US.UTF-8")
}

/// Runs a step of the action: a script of `ci/`, in the world's folder.
fn step(env: &Env, script: &str, vars: &[(&str, &str)]) -> Ran {
    let stripegym = env.command::<&str>(&[]);
    let mut command = Command::new(root().join("ci").join(script));
    command.current_dir(env.path()).env_clear();
    command.envs(stripegym.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.envs(vars.iter().copied());
    Env::run_within(command, PATIENCE * 4)
}

fn server(ways: &str) -> String {
    format!("exec python3 '{}' {ways}", root().join("tests/fixtures/own_server.py").display())
}

#[test]
fn the_steps_of_the_action_are_these_scripts() {
    let action = fs::read_to_string(root().join("ci/action.yml")).unwrap();
    let steps: Vec<PathBuf> = action
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- run: '\"$GITHUB_ACTION_PATH/"))
        .map(|rest| root().join("ci").join(rest.trim_end_matches("\"'")))
        .collect();
    assert_eq!(steps.len(), action.matches("run:").count(), "{action}");
    for script in steps.iter().chain(&[root().join("tools/release"), root().join("test")]) {
        let read = Command::new("bash").arg("-n").arg(script).output().unwrap();
        assert!(read.status.success(), "{read:?}");
    }
    // Each input reaches its script under its name in capitals, which the script uses.
    let check = fs::read_to_string(root().join("ci/check.sh")).unwrap();
    for name in ["START", "FLAGS", "FOLDER", "JUNIT"] {
        let input = name.to_lowercase();
        assert!(action.contains(&format!("        {name}: ${{{{ inputs.{input} }}}}")), "{name}");
        assert!(action.contains(&format!("\n  {input}:\n")) && check.contains(name), "{name}");
    }
}

#[test]
fn a_step_ends_as_the_check_does_and_leaves_its_summary_and_its_report() {
    let env = installed();
    let ran = step(&env, "build.sh", &[("GITHUB_PATH", "/dev/null")]);
    assert!(ran.code == 0 && ran.out.starts_with("stripegym "), "{ran:?}");
    let read = |name: &str| fs::read_to_string(env.path().join(name)).unwrap_or_default();
    let summary = env.path().join("summary.md");
    let summary = summary.to_str().unwrap();
    let run = |start: &str, flags: &str| {
        let vars = [("START", start), ("FLAGS", flags), ("GITHUB_STEP_SUMMARY", summary)];
        step(&env, "check.sh", &vars)
    };
    let ran = run(&server(""), "--webhook-path /webhook");
    assert!(ran.code == 0 && !ran.out.contains("::error"), "{ran:?}");
    assert!(read("summary.md").starts_with("## ✅ stripegym"), "{}", read("summary.md"));
    assert!(read("stripegym.xml").contains("<testsuite name=\"day3\""));
    // Another address than the one that is asked: what is found is annotated, and the step fails.
    let ran = run(&server("hook"), "");
    assert!(ran.code == 1 && ran.out.contains("\n::error title=SG3."), "{ran:?}");
    assert!(read("summary.md").contains("\n## ❌ stripegym"), "one summary after the other");
    let ran = run("exit 7", "");
    assert_eq!(ran.code, 3, "{ran:?}");
}
