//! What a build server does with `ci/`: its steps are shell, and here they are run as GitHub Actions runs them.

use crate::env::{Env, PATIENCE, Ran, Running, outer_path};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
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
    script_of(env, &Path::new("ci").join(script), &[], vars)
}

/// Runs a script of the repository in the world's folder.
fn script_of(env: &Env, script: &Path, args: &[&str], vars: &[(&str, &str)]) -> Ran {
    let stripegym = env.command::<&str>(&[]);
    let mut command = Command::new(root().join(script));
    command.args(args);
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
    let action = read("ci/action.yml");
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
    let check = read("ci/check.sh");
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

/// Puts a program into `bin` of the world that stands in for another: a few lines of shell.
fn stand_in(env: &Env, name: &str, lines: &str) {
    let bin = env.path().join("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join(name), format!("#!/bin/sh\n{lines}\n")).unwrap();
    fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
}

/// A world whose stand-ins come before every other program.
fn workshop() -> Env {
    let env = Env::new();
    let path = format!("{}:{}", env.path().join("bin").display(), outer_path());
    env.with("PATH", &path).with("STRIPEGYM_SANDBOX_PORT", "0")
}

#[test]
fn a_machine_without_the_program_builds_it_from_the_checkout() {
    let env = workshop();
    let shown = env.path().display();
    stand_in(&env, "cargo", &format!("echo \"$@\" > '{shown}/asked'"));
    let only = env.path().join("bin");
    for name in ["bash", "sh", "dirname", "env"] {
        let found =
            outer_path().split(':').map(|it| Path::new(it).join(name)).find(|it| it.exists());
        symlink(found.unwrap(), only.join(name)).unwrap();
    }
    let paths = env.path().join("paths");
    let temp = env.path().join("temp");
    let vars = [
        ("PATH", only.to_str().unwrap()),
        ("GITHUB_PATH", paths.to_str().unwrap()),
        ("RUNNER_TEMP", temp.to_str().unwrap()),
    ];
    let ran = step(&env, "build.sh", &vars);
    assert_eq!(ran.code, 0, "{ran:?}");
    let read = |name: &str| fs::read_to_string(env.path().join(name)).unwrap();
    assert_eq!(read("paths"), format!("{}/stripegym/bin\n", temp.display()));
    let asked = read("asked");
    let (flags, path) = asked.trim_end().split_once(" --path ").unwrap();
    assert_eq!(flags, format!("install --locked --root {}/stripegym", temp.display()));
    assert_eq!(fs::canonicalize(path).unwrap(), fs::canonicalize(root()).unwrap());
}

#[test]
fn a_release_is_static_has_its_checksum_and_is_linked_with_musl_where_it_can_be() {
    let env = workshop();
    let at = |name: &str| env.path().join(name);
    fs::write(
        at("main.c"),
        "#include <stdio.h>\nint main(void) { return puts(\"stripegym\") < 0; }\n",
    )
    .unwrap();
    for (program, flags) in [("fixed", &["-static"][..]), ("moving", &[])] {
        let mut cc = Command::new("cc");
        cc.args(flags).arg("-o").arg(at(program)).arg(at("main.c"));
        assert!(cc.status().unwrap().success(), "{program}");
    }
    // In the compiler's place: says what it was asked, and has built what is given.
    let build = "echo \"$* · $RUSTFLAGS · $CC_x\" > asked\n\
                 mkdir -p \"$CARGO_TARGET_DIR/$5/release\"\ncp \"$BUILT\" \"$CARGO_TARGET_DIR/$5/release/stripegym\"";
    let machine = Command::new("uname").arg("-m").output().unwrap();
    let machine = String::from_utf8(machine.stdout).unwrap().trim().to_owned();
    let [musl, glibc] = ["musl", "gnu"].map(|it| format!("{machine}-unknown-linux-{it}"));
    let variable = format!("$CC_{}", musl.replace('-', "_"));
    let build = build
        .replace("$CC_x", &variable)
        .replace("> asked", &format!("> '{}'", at("asked").display()));
    stand_in(&env, "cargo", &build);
    stand_in(&env, "musl-gcc", "exit 1");
    let run = |dist: &str, rustup: &str, built: &str| {
        stand_in(&env, "rustup", rustup);
        let (target, built) = (at("target"), at(built));
        let vars =
            [("CARGO_TARGET_DIR", target.to_str().unwrap()), ("BUILT", built.to_str().unwrap())];
        script_of(&env, Path::new("tools/release"), &[at(dist).to_str().unwrap()], &vars)
    };
    for (dist, rustup, target, compiler) in
        [("one", "exit 0", &musl, "musl-gcc"), ("two", "exit 1", &glibc, "")]
    {
        let ran = run(dist, rustup, "fixed");
        assert_eq!(ran.code, 0, "{ran:?}");
        let asked = fs::read_to_string(at("asked")).unwrap();
        let wanted = format!(
            "build --release --locked --target {target} · -C target-feature=+crt-static · {compiler}"
        );
        assert_eq!(asked.trim_end(), wanted.trim_end());
        let name = format!("stripegym-{}-{target}", env!("CARGO_PKG_VERSION"));
        let mut files: Vec<_> =
            fs::read_dir(at(dist)).unwrap().map(|it| it.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, [name.as_str(), &format!("{name}.sha256")]);
        let sum = fs::read_to_string(at(dist).join(format!("{name}.sha256"))).unwrap();
        assert!(sum.trim_end().ends_with(&format!("  {name}")) && sum.len() > 64, "{sum}");
        assert!(
            ran.out.contains(&format!("{name}: OK")) && ran.out.contains("\nstripegym\n"),
            "{ran:?}"
        );
    }
    let ran = run("three", "exit 1", "moving");
    assert!(ran.code == 1 && ran.err.contains("is not static"), "{ran:?}");
}

/// The image as its file makes it, in a folder: what would be fetched is stood in for.
struct Image<'e> {
    env: &'e Env,
    stages: Vec<&'e str>,
    /// Where the present step works.
    folder: PathBuf,
    start: Vec<String>,
}

impl<'e> Image<'e> {
    fn at(&self, path: &str) -> PathBuf {
        self.env.path().join("root").join(path.trim_start_matches('/'))
    }

    /// A command of the world in the image's present folder.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Command {
        let stripegym = self.env.command::<&str>(&[]);
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.folder).env_clear();
        command.envs(stripegym.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    }

    fn follow(&mut self, word: &str, rest: &'e str) {
        let words: Vec<&str> = rest.split(' ').collect();
        match (word, &*words) {
            ("FROM", [image, more @ ..]) => {
                let (name, tag) = image.split_once(':').expect("an image has a version");
                assert!(tag.starts_with(|c: char| c.is_ascii_digit()), "{image}");
                let needed = format!("rust-version = \"{}\"", tag.split('-').next().unwrap());
                assert!(name != "rust" || read("Cargo.toml").contains(&needed), "{image}");
                self.stages.extend(more.get(1));
            }
            ("WORKDIR", [path]) => {
                self.folder = self.at(path);
                fs::create_dir_all(&self.folder).unwrap();
            }
            // What the build includes is not among what `.dockerignore` leaves out.
            ("COPY", [".", "."]) => {
                for left_out in read(".dockerignore").lines() {
                    let name = left_out.trim_start_matches("**").trim_matches('/');
                    assert!(["target", ".git", "node_modules", ".venv"].contains(&name), "{name}");
                }
            }
            ("COPY", [from, what, to]) => {
                assert!(self.stages.iter().any(|it| *from == format!("--from={it}")), "{from}");
                fs::create_dir_all(self.at(to)).unwrap();
                let to = self.at(to).join(Path::new(what).file_name().unwrap());
                fs::copy(self.at(what), to).unwrap();
            }
            ("RUN", _) => {
                let ran = Env::run_within(self.command("sh", &["-c", rest]), PATIENCE);
                assert_eq!(ran.code, 0, "{rest}: {ran:?}");
            }
            ("ENTRYPOINT" | "CMD", _) => {
                self.start.extend(serde_json::from_str::<Vec<String>>(rest).unwrap());
            }
            _ => panic!("{word} {rest}"),
        }
    }
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

#[test]
fn the_image_is_built_and_started_as_its_file_says() {
    let (file, env) = (read("Dockerfile"), workshop());
    stand_in(&env, "apk", "test \"$*\" = 'add --no-cache build-base'");
    let asked = "test \"$*\" = 'build --release --locked'";
    let built = env!("CARGO_BIN_EXE_stripegym");
    let build = format!("{asked} && mkdir -p target/release && ln -s '{built}' target/release/");
    stand_in(&env, "cargo", &build);
    let folder = env.path().to_owned();
    let mut image = Image { env: &env, stages: Vec::new(), folder, start: Vec::new() };
    let (notes, steps): (Vec<&str>, Vec<&str>) =
        file.lines().partition(|line| line.starts_with('#'));
    for (word, rest) in steps.iter().filter_map(|line| line.split_once(' ')) {
        image.follow(word, rest);
    }
    // The port that the file says to publish, and here any.
    let port = image.start.pop().unwrap();
    assert!(notes[0].contains(&format!("-p {port}:{port} ")), "{port}");
    let args: Vec<&str> = image.start.iter().map(String::as_str).chain(["0"]).collect();
    let program = image.at("/usr/local/bin").join(args[0]);
    let mut started = Running::new(image.command(program, &args[1..]), env.path());
    assert!(started.line_with("Ready ").contains("http://127.0.0.1:"));
    assert_eq!(started.interrupt(), 130);
}
