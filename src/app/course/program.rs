//! The learner's server as a child of this process: started, waited for, heard, and stopped with everything
//! that it has started itself.

use crate::app::course::log::Log;
use crate::app::course::port_probe;
use crate::domain::course::launch::announced;
use crate::domain::fault::{Fault, FaultKind, StartError};
use crate::net::outbound;
use crate::net::shutdown::Stop;
use crate::net::tasks::Tasks;
use crate::os::private;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, Command};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// How long a server may take until it answers.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long one attempt to connect may take.
const CONNECT: Duration = Duration::from_millis(500);
/// How long it may take to end when it is asked to.
const END_PATIENCE: Duration = Duration::from_secs(2);
/// How long its keeper may take to end it.
const KEEPER_PATIENCE: Duration = Duration::from_secs(5);
/// What its keeper is told, where it is to be killed without being asked.
const KILL: u8 = b'k';
/// How long it may take until its port is free once it was killed.
const PORT_PATIENCE: Duration = Duration::from_millis(500);
/// How long its last words are waited for.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// How many of its last lines a failure shows.
const TAIL: usize = 5;
/// The longest line that is kept, in bytes.
const LINE_MAX: usize = 16 * 1024;
/// How much of a stream the file takes, in bytes.
const OUTPUT_MAX: usize = 8 * 1024 * 1024;

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Start {
    /// What `sh` is given.
    pub command: String,
    /// What it finds in its environment beside what this process has.
    pub variables: Vec<(&'static str, String)>,
    /// Where it answers, `127.0.0.1:5000`.
    pub address: String,
    /// The file that its output goes to as well, for whoever wants to read on.
    pub output: PathBuf,
}

/// A server that was started.
#[derive(Debug)]
pub struct Program {
    start: Start,
    log: Log,
    stop: Stop,
    child: Child,
}

/// Its process, and what was heard of it.
#[derive(Debug)]
struct Child {
    group: Group,
    /// What the keeper waits for the end of, where there is one.
    leash: Option<ChildStdin>,
    over: watch::Receiver<Option<ExitStatus>>,
    ears: Tasks,
    /// How many lines the log had before it.
    said_before: usize,
}

impl Program {
    /// Starts it and waits until it answers.
    pub async fn start(start: Start, log: Log, stop: Stop) -> Result<Self, Fault> {
        // Of an earlier run.
        if let Err(error) = std::fs::remove_file(&start.output) {
            tracing::debug!(%error, "there was no earlier output");
        }
        let child = launch(&start, &log, stop.clone()).await?;
        Ok(Self { start, log, stop, child })
    }

    /// What it says.
    pub fn log(&self) -> Log {
        self.log.clone()
    }

    /// How it ended, with its last lines, where it did.
    pub fn over(&self) -> Option<String> {
        let status = (*self.child.over.borrow())?;
        let mut said = vec![ending(status)];
        said.extend(self.log.tail(self.child.said_before, TAIL));
        Some(said.join(" ⏎ "))
    }

    /// Changes what it finds in its environment when it is started again.
    pub fn set(&mut self, name: &'static str, value: &str) {
        self.start.variables.retain(|(known, _)| *known != name);
        self.start.variables.push((name, value.to_owned()));
    }

    /// Stops it and starts it again; where it is killed, it hears nothing of that before.
    pub async fn restart(&mut self, kill: bool) -> Result<(), Fault> {
        self.child.end(&self.start.address, kill).await;
        self.child = launch(&self.start, &self.log, self.stop.clone()).await?;
        Ok(())
    }

    /// Stops it.
    pub async fn stop(mut self) {
        self.child.end(&self.start.address, false).await;
    }
}

impl Child {
    /// Asks the whole group to end, and makes it; where it is to be killed, it is not asked. Afterwards nobody of it
    /// answers at `address`.
    async fn end(&mut self, address: &str, kill: bool) {
        if let Some(mut leash) = self.leash.take() {
            let word: &[u8] = if kill { &[KILL] } else { &[] };
            // The keeper ends the program when the pipe ends, and is over when nobody of it is left.
            if let Err(error) = leash.write_all(word).await {
                tracing::debug!(%error, "the keeper has ended");
            }
            drop(leash);
            drop(timeout(KEEPER_PATIENCE, self.over.wait_for(Option::is_some)).await);
        } else if !kill {
            let until = Instant::now() + END_PATIENCE;
            self.group.ask();
            // An error says that nobody waits for it any more: then it is over.
            drop(timeout(END_PATIENCE, self.over.wait_for(Option::is_some)).await);
            // A shell ends at once where the server that it started still answers what it was asked.
            while self.group.lives() && connects(address).await && Instant::now() < until {
                sleep(LOOK_EVERY).await;
            }
        }
        self.group.kill();
        let until = Instant::now() + PORT_PATIENCE;
        while connects(address).await && Instant::now() < until {
            sleep(LOOK_EVERY).await;
        }
        // Whoever left the group still holds the pipes; nobody is there to read them any more.
        drop(timeout(LAST_WORDS, self.ears.finish()).await);
    }
}

async fn launch(start: &Start, log: &Log, mut stop: Stop) -> Result<Child, Fault> {
    if connects(&start.address).await {
        let whose = port_probe::look(&start.address).await;
        return Err(start_error(start, StartError::Taken, &[whose.show()]));
    }
    let mut child = spawn(start, log)?;
    let until = Instant::now() + START_PATIENCE;
    let mut over = child.over.clone();
    loop {
        let what = tokio::select! {
            biased;
            status = over.wait_for(Option::is_some) => match status.ok().and_then(|it| *it) {
                Some(status) if status.code() == Some(127) => StartError::NotFound,
                Some(status) => StartError::Exited { how: ending(status) },
                None => StartError::Exited { how: String::new() },
            },
            () = stop.wait() => {
                child.end(&start.address, false).await;
                return Err(FaultKind::Interrupted.into());
            }
            there = connects(&start.address) => {
                if there {
                    return Ok(child);
                }
                if Instant::now() < until {
                    sleep(LOOK_EVERY).await;
                    continue;
                }
                StartError::Silent { elsewhere: elsewhere(log, child.said_before, &start.address).await }
            }
        };
        let said_before = child.said_before;
        child.end(&start.address, false).await;
        return Err(start_error(start, what, &log.tail(said_before, TAIL)));
    }
}

/// Where it answers instead of at `address`: where it says so, or by IPv6.
async fn elsewhere(log: &Log, said_before: usize, address: &str) -> Option<String> {
    for port in announced(&log.tail(said_before, usize::MAX)) {
        for host in ["127.0.0.1", "[::1]"] {
            let address = format!("{host}:{port}");
            if connects(&address).await {
                return Some(address);
            }
        }
    }
    // Whoever names no port may still have taken `localhost` for IPv6.
    let port = address.rsplit(':').next().unwrap_or_default();
    let other = format!("[::1]:{port}");
    connects(&other).await.then_some(other)
}

/// The failure, with the server's last lines as its cause.
fn start_error(start: &Start, how: StartError, said: &[String]) -> Fault {
    let (command, address) = (start.command.clone(), start.address.clone());
    let cause = (!said.is_empty()).then(|| said.join("\n"));
    Fault { cause, ..FaultKind::Program { command, address, how }.into() }
}

/// Whether somebody takes connections there.
pub async fn connects(address: &str) -> bool {
    timeout(CONNECT, outbound::answers(address)).await.unwrap_or(false)
}

/// How a process ended, without words.
fn ending(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    match status.code() {
        // As shells and the keeper say it.
        Some(code @ 129..=159) => format!("signal {}", code - 128),
        code => format!("exit {}", code.unwrap_or(-1)),
    }
}

/// Keeps every line of a stream, without its end, and writes it to the file, as far as both have room.
async fn hear(mut stream: impl AsyncRead + Unpin, log: Log, mut output: File) {
    let (mut chunk, mut line, mut written) = (vec![0; 8 * 1024], Vec::new(), 0);
    while let Ok(read @ 1..) = stream.read(&mut chunk).await {
        let heard = chunk.get(..read).unwrap_or_default();
        if written < OUTPUT_MAX {
            written += read;
            if let Err(error) = output.write_all(heard) {
                tracing::debug!(%error, "the output could not be written down");
            }
        }
        for part in heard.split_inclusive(|byte| *byte == b'\n') {
            line.extend(part.iter().take(LINE_MAX.saturating_sub(line.len())));
            if part.ends_with(b"\n") {
                keep(&mut line, &log);
            }
        }
    }
    keep(&mut line, &log);
}

/// Adds a line that has ended; one at the end of a stream may be none.
fn keep(line: &mut Vec<u8>, log: &Log) {
    if !line.is_empty() {
        let text = String::from_utf8_lossy(line);
        log.add(text.trim_end_matches(['\n', '\r']).to_owned());
        line.clear();
    }
}

#[cfg(unix)]
fn spawn(start: &Start, log: &Log) -> Result<Child, Fault> {
    let (mut command, kept) = shell(&start.command);
    command.envs(start.variables.iter().map(|(name, value)| (name, value)));
    command
        .stdin(if kept { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // A group of its own: Ctrl-C reaches this program alone, and what the server starts can be ended with it.
    command.process_group(0);
    let failed = |cause: String| {
        let fault = start_error(start, StartError::NotFound, &[]);
        Fault { cause: Some(cause), ..fault }
    };
    let output = output_of(start)?;
    let other_output = output.try_clone().map_err(|error| failed(error.to_string()))?;
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let group = Group::of(&child).ok_or_else(|| failed(String::new()))?;
    let leash = child.stdin.take();
    let ears = Tasks::default();
    let said_before = log.len();
    if let Some(out) = child.stdout.take() {
        ears.spawn(hear(out, log.clone(), output));
    }
    if let Some(err) = child.stderr.take() {
        ears.spawn(hear(err, log.clone(), other_output));
    }
    let (tell, over) = watch::channel(None);
    ears.spawn(async move {
        let status = child.wait().await.ok();
        tell.send_replace(status);
    });
    Ok(Child { group, leash, over, ears, said_before })
}

/// What starts a command: a process of our own that keeps it, where the system lets that be; else `sh` itself.
#[cfg(unix)]
fn shell(command: &str) -> (Command, bool) {
    if cfg!(target_os = "linux") && !cfg!(test) {
        // Not by its path: a build that puts a new program there takes nothing from a run that is under way.
        let mut keeper = Command::new("/proc/self/exe");
        keeper.arg("keep").arg("--").arg(command);
        (keeper, true)
    } else {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(command);
        (shell, false)
    }
}

/// Opens the file of the output; only its owner may read what a server says.
#[cfg(unix)]
fn output_of(start: &Start) -> Result<File, Fault> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = &start.output;
    let folder = path.parent().map_or(Ok(()), private::folder);
    let open = || File::options().append(true).create(true).mode(0o600).open(path);
    folder.and_then(|()| open()).map_err(|error| Fault::file(path, error))
}

#[cfg(not(unix))]
fn spawn(start: &Start, _: &Log) -> Result<Child, Fault> {
    Err(start_error(start, StartError::NotHere, &[]))
}

/// A group of processes; dropping it ends them.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct Group(Option<rustix::process::Pid>);

#[cfg(unix)]
impl Group {
    pub(super) fn of(child: &tokio::process::Child) -> Option<Self> {
        let pid = i32::try_from(child.id()?).ok().and_then(rustix::process::Pid::from_raw)?;
        Some(Self(Some(pid)))
    }

    fn send(&self, signal: rustix::process::Signal) {
        if let Some(pid) = self.0
            && let Err(error) = rustix::process::kill_process_group(pid, signal)
        {
            // It has ended by itself.
            tracing::debug!(%error, "no process left in the group");
        }
    }

    fn ask(&self) {
        self.send(rustix::process::Signal::TERM);
    }

    /// Whether anybody of it is left, be it one that has ended and that nobody has asked for.
    fn lives(&self) -> bool {
        self.0.is_some_and(|pid| rustix::process::test_kill_process_group(pid).is_ok())
    }

    /// Ends what is left; afterwards the group's number may belong to somebody else.
    fn kill(&mut self) {
        self.send(rustix::process::Signal::KILL);
        self.0 = None;
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(not(unix))]
#[derive(Debug)]
pub(super) struct Group;

#[cfg(not(unix))]
impl Group {
    pub(super) fn of(_: &tokio::process::Child) -> Option<Self> {
        None
    }

    fn ask(&self) {}
    fn lives(&self) -> bool {
        false
    }
    fn kill(&mut self) {}
}
