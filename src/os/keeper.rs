//! Keeps a program that was started for a run: a process of our own between the run and the program, which ends the
//! program and whatever that has started as soon as the run closes the pipe between them. The pipe is closed by the
//! system too, where the run is killed.

use rustix::process::{
    Pid, Signal, WaitOptions, kill_process, kill_process_group, set_child_subreaper,
    test_kill_process_group, wait,
};
use std::io::Read as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// How long a program may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// What is written into the pipe to have the program killed without being asked.
pub const KILL: u8 = b'k';
/// What a status is that says a signal, as shells have it.
const OF_SIGNAL: i32 = 128;

/// Starts `command` through `sh` in a group of its own and waits until it ends or standard input does; how it ended.
pub fn run(command: &str) -> u8 {
    // Whoever leaves the group comes to this process once its parent has ended.
    if let Err(error) = set_child_subreaper(Some(rustix::process::getpid())) {
        tracing::debug!(%error, "what leaves the group is not kept");
    }
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).stdin(Stdio::null()).process_group(0);
    let Ok(mut child) = shell.spawn() else { return 127 };
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let asked = watch();
    let status = loop {
        if let Ok(Some(status)) = child.try_wait() {
            break Some(status);
        }
        match asked.recv_timeout(LOOK_EVERY) {
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Ok(true) => break None,
            Ok(false) | Err(mpsc::RecvTimeoutError::Disconnected) => {
                ask(pid);
                break None;
            }
        }
    };
    sweep(pid);
    let status = status.or_else(|| child.try_wait().ok().flatten());
    status.map_or(0, code)
}

/// Tells when standard input ends, and whether the program is to be killed.
fn watch() -> Receiver<bool> {
    let (tell, asked) = mpsc::channel();
    std::thread::spawn(move || {
        let mut said = Vec::new();
        let ended = std::io::stdin().read_to_end(&mut said);
        if tell.send(ended.is_ok() && said.contains(&KILL)).is_err() {
            tracing::debug!("the program has ended before");
        }
    });
    asked
}

/// Asks the group to end, and waits for that.
fn ask(group: Option<Pid>) {
    let Some(group) = group else { return };
    let until = Instant::now() + PATIENCE;
    signal(kill_process_group(group, Signal::TERM));
    while test_kill_process_group(group).is_ok() && Instant::now() < until {
        reap();
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Kills the group, and whoever has left it, until nobody is there.
fn sweep(group: Option<Pid>) {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(group) = group {
            signal(kill_process_group(group, Signal::KILL));
        }
        let left = children();
        for pid in &left {
            signal(kill_process(*pid, Signal::KILL));
        }
        reap();
        if left.is_empty() || Instant::now() >= until {
            return;
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// A process that is no more needs no signal.
fn signal(sent: rustix::io::Result<()>) {
    if let Err(error) = sent {
        tracing::debug!(%error, "no process left");
    }
}

/// Takes note of those that have ended.
fn reap() {
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
}

/// The processes whose parent this one is. Where the system does not list them there are none.
fn children() -> Vec<Pid> {
    let own = std::process::id().to_string();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pid = |entry: std::fs::DirEntry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name before it may have any character in it.
        let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?;
        (parent == own).then(|| Pid::from_raw(pid)).flatten()
    };
    entries.filter_map(pid).collect()
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().or(status.signal().map(|signal| OF_SIGNAL + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
