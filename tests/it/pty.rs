//! A pseudo-terminal of 80 columns and 24 lines with the program in its foreground, and the screen as a person sees
//! it. The program is its session's leader (`setsid --ctty` of util-linux), so that keys reach it as signals.

use crate::env::{Env, PATIENCE, outer_path};
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use vt100::Parser;

const ROWS: u16 = 24;
pub(crate) const COLUMNS: u16 = 80;
/// Lines that have left the screen and can be scrolled back to.
const SCROLLBACK: usize = 2000;

/// How long a screen must stand still until it is taken as it is.
const STILL: Duration = Duration::from_millis(120);

/// What Ctrl-C and Ctrl-D send.
pub(crate) const CTRL_C: &str = "\u{3}";
pub(crate) const CTRL_D: &str = "\u{4}";
/// Stops the terminal: what is written waits.
pub(crate) const CTRL_S: &str = "\u{13}";

/// A program before a person.
pub(crate) struct Terminal {
    child: Child,
    keys: File,
    seen: Arc<Mutex<Seen>>,
    reader: JoinHandle<()>,
}

struct Seen {
    screen: Parser,
    bytes: Vec<u8>,
}

impl Terminal {
    /// Starts `stripegym` with arguments, found through `PATH` as an installed program is.
    pub(crate) fn start(env: &Env, args: &[&str]) -> Self {
        Self::start_among(env, args, &outer_path())
    }

    /// The same with the programs of `path` beside it, and no others.
    pub(crate) fn start_among(env: &Env, args: &[&str], path: &str) -> Self {
        let (keys, theirs) = open();
        let program = Path::new(env!("CARGO_BIN_EXE_stripegym"));
        let mut command = Command::new("setsid");
        let plain = env.command(args);
        command.args(["--ctty", "stripegym"]).args(args).env_clear().current_dir(env.path());
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let path = format!("{}:{path}", program.parent().unwrap().display());
        command.env("PATH", path).env("TERM", "xterm-256color");
        let (out, err) = (theirs.try_clone().unwrap(), theirs.try_clone().unwrap());
        let child = command.stdin(theirs).stdout(out).stderr(err).spawn().unwrap();
        // The command holds the program's end of the terminal; it would never close.
        drop(command);
        let screen = Parser::new(ROWS, COLUMNS, SCROLLBACK);
        let seen = Arc::new(Mutex::new(Seen { screen, bytes: Vec::new() }));
        let (mut from, to) = (keys.try_clone().unwrap(), Arc::clone(&seen));
        let reader = thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Linux answers with an error once the program's end is closed.
            while let Ok(count @ 1..) = from.read(&mut bytes) {
                let mut seen = to.lock().unwrap();
                seen.screen.process(&bytes[..count]);
                seen.bytes.extend_from_slice(&bytes[..count]);
            }
        });
        Self { child, keys, seen, reader }
    }

    /// What the screen shows now, one text a line.
    pub(crate) fn screen(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.screen.screen().rows(0, COLUMNS).collect()
    }

    /// Everything that was written so far.
    pub(crate) fn written(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap().bytes).into_owned()
    }

    /// Waits until a line of the screen has `part`; the line.
    pub(crate) fn shows(&mut self, part: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(line) = self.screen().into_iter().find(|line| line.contains(part)) {
                return line;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(
                Instant::now() < until && ended.is_none(),
                "no `{part}` on the screen ({ended:?}):\n{}",
                self.screen().join("\n")
            );
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until `part` was written so many times.
    pub(crate) fn writes(&mut self, part: &str, times: usize) {
        let until = Instant::now() + PATIENCE;
        loop {
            let seen = self.written().matches(part).count();
            if seen >= times {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(
                Instant::now() < until && ended.is_none(),
                "`{part}` was written {seen} times, not {times} ({ended:?}):\n{}",
                self.screen().join("\n")
            );
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until the screen is as wished and stays so for a moment; the screen.
    pub(crate) fn settles(&mut self, is_ready: impl Fn(&[String]) -> bool) -> Vec<String> {
        let until = Instant::now() + PATIENCE;
        let mut last = (self.screen(), Instant::now());
        loop {
            let screen = self.screen();
            if screen != last.0 {
                last = (screen, Instant::now());
            } else if is_ready(&last.0) && last.1.elapsed() > STILL {
                return last.0;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(
                Instant::now() < until && ended.is_none(),
                "not ready ({ended:?}):\n{}",
                last.0.join("\n")
            );
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Gives the window another size.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.keys, size).unwrap();
        self.seen.lock().unwrap().screen.screen_mut().set_size(rows, columns);
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the end and for all that was written; the exit code.
    pub(crate) fn end(&mut self) -> i32 {
        let until = Instant::now() + PATIENCE;
        loop {
            // What it wrote last is still on its way when it has ended.
            if let Some(status) =
                self.child.try_wait().unwrap().filter(|_| self.reader.is_finished())
            {
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < until, "did not end:\n{}", self.screen().join("\n"));
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already: then there is nothing to kill.
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

/// Both ends of a new terminal.
fn open() -> (File, File) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let size = Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&ours, size).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let flags = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
    let mut how = OpenOptions::new();
    let theirs =
        how.read(true).write(true).custom_flags(flags).open(name.to_str().unwrap()).unwrap();
    (File::from(ours), theirs)
}
