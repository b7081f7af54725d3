//! Follows the project's README as a stranger would: in a clean folder with a clean environment, block after
//! block; what comes up is graded.

use crate::app::course::act_error::ActError;
use crate::app::course::application::{self, Application};
use crate::app::course::log::Log;
use crate::app::course::program::{Group, Program, Start};
use crate::app::course::stage::Stage;
use crate::app::course::surroundings;
use crate::app::course::{self, tree};
use crate::domain::course::outcome::{CheckResult, State};
use crate::domain::course::readme::{Block, Mark, Readme};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::notice::Notice;
use crate::domain::secret::SigningSecret;
use crate::net::tasks::blocking;
use crate::os::private;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

/// How long one block may take: it may build something.
const BLOCK_TIME: Duration = Duration::from_mins(10);
/// How many lines of output a failure shows.
const LAST_LINES: usize = 5;

/// Where a README is followed.
struct Room {
    /// Everything of this rehearsal; it goes at the end.
    root: PathBuf,
    /// The copy of the project.
    work: PathBuf,
    /// What each block finds in its environment.
    variables: Vec<(&'static str, String)>,
}

/// What became of a block.
struct Done {
    line: usize,
    exit: i32,
    output: String,
}

/// Follows the README; what its blocks came to, and what the course says of the server that one of them started.
pub async fn run_readme(stage: &Stage<'_>) -> Result<Value, ActError> {
    if stage.is_foreign() {
        return Err(ActError::mismatch("--allow-exec", "lessons/…/lesson.toml"));
    }
    let path = stage.project.join("README.md");
    let readme = fs::read_to_string(&path)
        .map_err(|error| ActError::mismatch("README.md", error.to_string()))?;
    let readme = Readme::read(&readme);
    announce(stage, &readme);
    let port = application::free_port()?;
    let url = format!("http://127.0.0.1:{port}");
    let secret = surroundings::secret(stage.context)?;
    let room = blocking(|| Room::open(stage, &url, &secret))?;
    let outcome = follow(stage, &room, &readme, &url, &secret).await;
    room.close();
    outcome
}

/// Says what is going to be run, before it is.
fn announce(stage: &Stage<'_>, readme: &Readme) {
    let commands = readme.runnable().filter(|block| block.needs_outside().is_none());
    let commands = commands.flat_map(Block::commands).collect();
    let folder = stage.project.display().to_string();
    stage.context.notices.say(Notice::WillRun { folder, commands });
}

async fn follow(
    stage: &Stage<'_>,
    room: &Room,
    readme: &Readme,
    url: &str,
    secret: &SigningSecret,
) -> Result<Value, ActError> {
    let mut report = Report::default();
    let mut server = None;
    for block in readme.runnable() {
        if let Some(needs) = block.needs_outside() {
            report.skip(block, &needs);
        } else if block.mark == Mark::Serve {
            if server.is_some() {
                report.skip(block, "a second server");
                continue;
            }
            match serve(stage, room, block, url).await? {
                Ok(program) => {
                    let log = program.log();
                    server = Some(Application::started(program, url, secret.clone(), log));
                    report.served(block, url);
                }
                Err(said) => report.ran(block, &Done { line: block.line, exit: -1, output: said }),
            }
        } else {
            let done = room.run(block).await?;
            report.ran(block, &done);
        }
        if !report.failed.is_empty() {
            break;
        }
    }
    if server.is_none() && stage.own_project().is_some() {
        report.lacks = "server";
    }
    if let Some(mut server) = server {
        if report.failed.is_empty() {
            report.graded = Some(graded(stage, &mut server).await?);
        }
        server.close().await;
    }
    Ok(report.json())
}

/// What the checklists of the days say that the README's server does not do.
async fn graded(stage: &Stage<'_>, server: &mut Application) -> Result<Vec<String>, Fault> {
    let mut open = Vec::new();
    let all = course::library().manifest().map_err(|it| course::of_lesson(&it))?.lessons;
    for entry in all.iter().filter(|it| it.rehearsed) {
        let mut lesson = course::lesson(stage.context, &entry.id)?;
        lesson.day.checks.retain(|check| check.id.starts_with('D'));
        lesson.day.notes.clear();
        let apart = course::grade_apart(stage.context, stage.provider, server, &lesson);
        let result = Box::pin(apart).await?;
        open.extend(result.checks.iter().filter(|check| check.blocks()).map(named));
    }
    Ok(open)
}

/// A check that does not hold, as the failure of the rehearsal names it.
fn named(check: &CheckResult) -> String {
    let code = check.failure.as_ref().map_or(&check.code, |failure| &failure.code);
    match (check.state, &check.failure) {
        (State::Fail, Some(failure)) => {
            format!("{} {code} {} ≠ {}", check.id, failure.got, failure.expected)
        }
        _ => format!("{} {code}", check.id),
    }
}

/// Starts a block's server and waits until it answers; its last words where it does not.
async fn serve(
    stage: &Stage<'_>,
    room: &Room,
    block: &Block,
    url: &str,
) -> Result<Result<Program, String>, ActError> {
    let script = room.root.join("serve.sh");
    write(&script, &format!("set -e\n{}{}", room.resume(), block.server()))?;
    let command = room.command(&script);
    let address = url.trim_start_matches("http://").to_owned();
    let start = Start {
        command,
        variables: Vec::new(),
        address: address.clone(),
        output: room.root.join("server.txt"),
    };
    match Program::start(start, Log::default(), stage.context.stop.clone()).await {
        Ok(program) => Ok(Ok(program)),
        Err(fault) => match &*fault.kind {
            FaultKind::Program { how, .. } => {
                let said = fault.cause.as_deref().unwrap_or_default();
                Ok(Err(format!("{address} {how:?} {}", said.replace('\n', " ⏎ "))))
            }
            _ => Err(fault.into()),
        },
    }
}

/// A text for a shell, as one word.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn broken(path: &Path, error: &std::io::Error) -> Fault {
    Fault::because(FaultKind::File { path: path.display().to_string() }, error)
}

fn write(path: &Path, text: &str) -> Result<(), Fault> {
    private::write(path, text.as_bytes()).map_err(|error| broken(path, &error))
}

/// What was run, skipped and found.
#[derive(Default)]
struct Report {
    blocks: Vec<Value>,
    count: usize,
    skipped: Vec<String>,
    failed: String,
    served: String,
    /// `server` where the learner's own project should have started one and did not.
    lacks: &'static str,
    graded: Option<Vec<String>>,
}

impl Report {
    fn skip(&mut self, block: &Block, why: &str) {
        self.skipped.push(format!("{}: {why}", block.line));
        self.blocks.push(json!({ "block": block.number, "line": block.line, "skipped": why }));
    }

    fn served(&mut self, block: &Block, url: &str) {
        self.count += 1;
        url.clone_into(&mut self.served);
        self.blocks.push(json!({ "block": block.number, "line": block.line, "served": url }));
    }

    fn ran(&mut self, block: &Block, done: &Done) {
        self.count += 1;
        let Done { line, exit, output } = done;
        let commands = block.commands();
        let command = commands.iter().rev().find(|(at, _)| at <= line).or(commands.first());
        let command = command.map_or("", |(_, command)| command.as_str());
        if *exit != 0 {
            self.failed = format!("#{} README.md:{line} {command} → {exit} {output}", block.number);
        }
        self.blocks.push(json!({
            "block": block.number, "line": line, "command": command, "exit": exit, "output": output,
        }));
    }

    fn json(self) -> Value {
        let graded = self.graded.as_ref();
        json!({
            "blocks": self.blocks,
            "count": self.count,
            "skipped": self.skipped.join(" · "),
            "failed": self.failed,
            "served": self.served,
            "lacks": self.lacks,
            "open": graded.map_or_else(String::new, |open| open.join(" · ")),
        })
    }
}

impl Room {
    /// Copies the project into a clean folder: what git tracks, elsewhere what rules would read.
    fn open(stage: &Stage<'_>, url: &str, secret: &SigningSecret) -> Result<Self, Fault> {
        let nonce = stage.kept.fill("$run.nonce").unwrap_or_default();
        let root = std::env::temp_dir().join(format!("stripegym-{}-{nonce}", std::process::id()));
        let (work, bin) = (root.join("project"), root.join("bin"));
        for folder in [&work, &root.join("home"), &bin] {
            private::folder(folder).map_err(|error| broken(folder, &error))?;
        }
        copy(&stage.project, &tree::published(&stage.project), &work)?;
        let variables = if stage.own_project().is_some() {
            {
                let base = stage.provider.base();
                let mut all = surroundings::variables(stage.context, base, url, secret);
                all.push(("PYTHONUNBUFFERED", "1".to_owned()));
                all
            }
        } else {
            vec![("PORT", "0".to_owned()), ("STRIPEGYM_SANDBOX_PORT", "0".to_owned())]
        };
        lend(&bin)?;
        fill(&work, &variables)?;
        Ok(Self { root, work, variables })
    }

    fn close(self) {
        if let Err(error) = fs::remove_dir_all(&self.root) {
            tracing::warn!(%error, "the clean folder could not be removed");
        }
    }

    /// The command that runs a script in the clean folder with a clean environment. bash where there is one: it
    /// knows which line fails. pip installs into virtual environments only: this machine stays as it is.
    fn command(&self, script: &Path) -> String {
        let name = |path: &Path| quoted(&path.display().to_string());
        let set = self.variables.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
        format!(
            "cd {} && exec env -i PATH={}:\"$PATH\" HOME={} LANG=C.UTF-8 PIP_REQUIRE_VIRTUALENV=1 {} \"$(command -v bash || command -v sh)\" {}",
            name(&self.work),
            name(&self.root.join("bin")),
            name(&self.root.join("home")),
            set.collect::<Vec<_>>().join(" "),
            name(script),
        )
    }

    /// Goes on where the block before has stopped: its folder, what it exported.
    fn resume(&self) -> String {
        let state = quoted(&self.root.join("state.sh").display().to_string());
        format!("if [ -f {state} ]; then . {state}; fi\n")
    }

    /// Runs a block to its end.
    async fn run(&self, block: &Block) -> Result<Done, ActError> {
        let [text, state, failed, said, all] =
            ["block.sh", "state.sh", "failed.txt", "said.txt", "run.sh"]
                .map(|it| self.root.join(it));
        let name = |path: &Path| quoted(&path.display().to_string());
        write(&text, &block.script())?;
        write(&failed, "")?;
        // Only bash can tell the line; another shell tells that the block failed.
        let trap = format!(
            "if [ -n \"$BASH_VERSION\" ]; then trap 'echo $LINENO > '{} ERR; fi\n",
            name(&failed).replace('\'', "\"")
        );
        let leave =
            format!("{{ export -p; printf 'cd \"%s\"\\n' \"$PWD\"; }} > {}\n", name(&state));
        let script = format!(
            "set -e\n{}{trap}. {}\ntrap - ERR 2>/dev/null || true\n{leave}",
            self.resume(),
            name(&text)
        );
        write(&all, &script)?;
        let exit = self.exit_of(&all, &said).await?;
        let at = fs::read_to_string(&failed).unwrap_or_default().trim().parse::<usize>();
        let line = block.line + at.unwrap_or(1).saturating_sub(1).min(block.lines.len());
        let text = fs::read(&said).map_err(|error| broken(&said, &error))?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let last = text.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>();
        let last = last.get(last.len().saturating_sub(LAST_LINES)..).unwrap_or_default();
        Ok(Done { line, exit, output: last.join(" ⏎ ") })
    }

    /// Runs a script with all that it starts; its exit code, or -1 where it took too long.
    async fn exit_of(&self, script: &Path, said: &Path) -> Result<i32, Fault> {
        let out = File::create(said).map_err(|error| broken(said, &error))?;
        let err = out.try_clone().map_err(|error| broken(said, &error))?;
        let shell = Path::new("sh");
        let mut command = Command::new(shell);
        command.arg("-c").arg(self.command(script));
        command.stdin(Stdio::null()).stdout(out).stderr(err).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| broken(shell, &error))?;
        let group = Group::of(&child);
        let status = timeout(BLOCK_TIME, child.wait()).await;
        // Dropping the group ends whatever the block has left behind.
        drop(group);
        match status {
            Ok(Ok(status)) => Ok(status.code().unwrap_or(-1)),
            Ok(Err(error)) => Err(broken(shell, &error)),
            Err(_) => Ok(-1),
        }
    }
}

/// Copies files of a project into a folder. It stands among those of everybody on this machine, so what is copied is
/// its owner's alone, whatever the mode of the original.
fn copy(project: &Path, paths: &[String], work: &Path) -> Result<(), Fault> {
    for path in paths {
        let (from, to) = (project.join(path), work.join(path));
        if let Some(folder) = to.parent() {
            private::folder(folder).map_err(|error| broken(folder, &error))?;
        }
        fs::copy(&from, &to).map_err(|error| broken(&from, &error))?;
        private::close(&to);
    }
    Ok(())
}

/// Puts this very program into a folder under the name that READMEs use.
fn lend(bin: &Path) -> Result<(), Fault> {
    let own = std::env::current_exe().map_err(|error| broken(bin, &error))?;
    #[cfg(unix)]
    let lent = std::os::unix::fs::symlink(&own, bin.join("stripegym"));
    #[cfg(not(unix))]
    let lent = fs::copy(&own, bin.join("stripegym.exe")).map(drop);
    lent.map_err(|error| broken(bin, &error))
}

/// Fills in, in the copy, what a person would fill in: the values of the variables in the example of `.env`.
fn fill(work: &Path, variables: &[(&'static str, String)]) -> Result<(), Fault> {
    let path = work.join(".env.example");
    let Ok(text) = fs::read_to_string(&path) else { return Ok(()) };
    let filled = text.lines().map(|line| {
        let name = line.split_once('=').map(|(name, _)| name.trim());
        let known = variables.iter().find(|(known, _)| Some(*known) == name);
        known.map_or_else(|| line.to_owned(), |(name, value)| format!("{name}={value}"))
    });
    let filled: Vec<String> = filled.collect();
    write(&path, &(filled.join("\n") + "\n"))
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_copy_of_the_project_is_its_owners_alone() {
        let (own, temp) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir(own.path().join("bin")).unwrap();
        for (name, mode) in [("README.md", 0o644), ("bin/serve", 0o755), (".env", 0o666)] {
            fs::write(own.path().join(name), name).unwrap();
            fs::set_permissions(own.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        let work = temp.path().join("run/project");
        private::folder(&work).unwrap();
        let paths = ["README.md", "bin/serve", ".env"].map(str::to_owned);
        copy(own.path(), &paths, &work).unwrap();
        let said = work.join("said.txt");
        write(&said, "said").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let modes = ["..", ".", "bin", "README.md", "bin/serve", ".env", "said.txt"];
        let modes = modes.map(|name| mode(&work.join(name)));
        assert_eq!(modes, [0o700, 0o700, 0o700, 0o600, 0o700, 0o600, 0o600]);
        assert_eq!(fs::read_to_string(work.join("bin/serve")).unwrap(), "bin/serve");
    }
}
