//! A world of its own for each test: an empty home, a cleared environment, free ports, the real binary.

use crate::http::Api;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, pipe};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that any program is waited for; slow machines need it, quick ones never notice.
pub(crate) const PATIENCE: Duration = Duration::from_mins(3);

/// The key that tests use; any test key opens the sandbox.
pub(crate) const KEY: &str = "sk_test_stripegymIntegration1234";

/// A temporary home with the settings that every program started in it shares.
pub(crate) struct Env {
    home: tempfile::TempDir,
    vars: Vec<(String, String)>,
}

/// What a program said, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A program that is still running; dropping it kills it.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    err: Option<PathBuf>,
}

/// A running sandbox with a client for it.
pub(crate) struct Sandbox {
    pub(crate) program: Running,
    pub(crate) api: Api,
    pub(crate) url: String,
}

impl Env {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), vars: Vec::new() }
    }

    /// The same world with one more variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The working folder of everything started here.
    pub(crate) fn path(&self) -> &Path {
        self.home.path()
    }

    /// The program with these arguments, not yet started; of the outer environment only `PATH` stays.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stripegym"));
        command.args(args).current_dir(self.path()).env_clear().stdin(Stdio::null());
        // As a shell calls what it finds through `PATH`.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::arg0(&mut command, "stripegym");
        command.env("PATH", outer_path());
        command.env("HOME", self.path());
        command.env("STRIPEGYM_HOME", self.path().join(".stripegym"));
        command.envs(self.vars.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a program to its end.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Ran {
        Self::run_within(self.command(args), PATIENCE)
    }

    /// Runs a command of this world to its end, which must come in time.
    pub(crate) fn run_within(mut command: Command, patience: Duration) -> Ran {
        let started = Instant::now();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = drain(child.stdout.take().unwrap());
        let err = drain(child.stderr.take().unwrap());
        let status = wait(&mut child, started + patience).unwrap_or_else(|| {
            child.kill().unwrap();
            panic!("{command:?} did not end within {patience:?}")
        });
        Ran {
            code: status.code().unwrap_or(-1),
            out: out.join().unwrap(),
            err: err.join().unwrap(),
        }
    }

    /// Runs a program that must succeed.
    pub(crate) fn ok<S: AsRef<OsStr> + std::fmt::Debug>(&self, args: &[S]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "stripegym {args:?}\n{}\n{}", ran.out, ran.err);
        ran.out
    }

    /// Starts a program and leaves it running.
    pub(crate) fn start<S: AsRef<OsStr>>(&self, args: &[S]) -> Running {
        Running::new(self.command(args), self.path())
    }

    /// Starts `sandbox --port 0` with further arguments and waits until it is ready.
    pub(crate) fn sandbox(&self, more: &[&str]) -> Sandbox {
        let mut args = vec!["sandbox", "--port", "0"];
        args.extend_from_slice(more);
        let mut program = self.start(&args);
        let ready = program.line_with("Ready http://127.0.0.1:");
        let url = ready.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
        let url = url.trim_end_matches('/').to_owned();
        let port = url.rsplit(':').next().unwrap().parse().unwrap();
        Sandbox { program, api: Api::new(port, KEY), url }
    }
}

impl Running {
    /// Starts the program: stdout is read line by line, stderr goes to a file in `folder`.
    pub(crate) fn new(mut command: Command, folder: &Path) -> Self {
        let err = tempfile::Builder::new().prefix("stderr-").tempfile_in(folder).unwrap();
        let (err_file, err) = err.keep().unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(err_file).spawn().unwrap();
        let (sender, lines) = channel();
        let out = child.stdout.take().unwrap();
        thread::spawn(move || send_lines(out, &sender));
        Self { child, lines, seen: Vec::new(), err: Some(err) }
    }

    /// Starts the program with both streams in one, as a terminal shows them.
    pub(crate) fn merged(mut command: Command) -> Self {
        let (both, writer) = pipe().unwrap();
        let child = command.stdout(writer.try_clone().unwrap()).stderr(writer).spawn().unwrap();
        // The command holds the writing ends; the reader would wait for them forever.
        drop(command);
        let (sender, lines) = channel();
        thread::spawn(move || send_lines(both, &sender));
        Self { child, lines, seen: Vec::new(), err: None }
    }

    /// Waits for the end of the program and of what it says.
    pub(crate) fn finish(&mut self) -> (i32, String) {
        let code = self.end();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.seen.push(line);
        }
        (code, self.seen.join("\n"))
    }

    /// Waits for a line of stdout that contains `part`.
    pub(crate) fn line_with(&mut self, part: &str) -> String {
        self.line_or_end(part)
            .unwrap_or_else(|| panic!("ended without a line with `{part}`: {}", self.said()))
    }

    /// Waits for a line of stdout that contains `part`; `None` where the program ends without one.
    pub(crate) fn line_or_end(&mut self, part: &str) -> Option<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(part) {
                        return Some(line);
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("no line with `{part}`: {}", self.said()),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// Everything said so far on both streams.
    pub(crate) fn said(&mut self) -> String {
        self.seen.extend(self.lines.try_iter());
        format!("stdout:\n{}\nstderr:\n{}", self.seen.join("\n"), self.stderr())
    }

    /// What stdout has had so far.
    pub(crate) fn stdout(&mut self) -> String {
        self.seen.extend(self.lines.try_iter());
        self.seen.join("\n")
    }

    /// What stderr has had so far.
    pub(crate) fn stderr(&self) -> String {
        self.err
            .as_ref()
            .map(|path| fs::read_to_string(path).unwrap_or_default())
            .unwrap_or_default()
    }

    /// Its number among the system's processes.
    #[cfg(target_os = "linux")]
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends what Ctrl-C sends, and waits for the end.
    pub(crate) fn interrupt(&mut self) -> i32 {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        self.end()
    }

    /// Waits for the program to end by itself; its exit code.
    pub(crate) fn end(&mut self) -> i32 {
        match wait(&mut self.child, Instant::now() + PATIENCE) {
            Some(status) => status.code().unwrap_or(-1),
            None => panic!("did not end: {}", self.said()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already: then there is nothing to kill.
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

/// The most memory in kB that a program took while it ran; what it says goes nowhere.
#[cfg(target_os = "linux")]
pub(crate) fn memory(mut command: Command) -> u64 {
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        // What was read of the program's own file is not counted: the tests' build has a large one.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("RssAnon:"));
        let kb = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        most = most.max(kb.unwrap_or(0));
        thread::sleep(Duration::from_millis(2));
    }
    most
}

/// Polls `probe` until it gives something; for what happens in another process without a line to read.
pub(crate) fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < until, "never happened: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A stopwatch that leaves out what the machine did not give us: other programs may be busy on it.
///
/// A thread beside it asks for short naps; what it oversleeps is time in which nobody's work was ready to run. A call
/// goes through several threads, each of which may have to wait so long for its turn.
#[derive(Debug)]
pub(crate) struct Watch {
    began: Instant,
    overslept: Duration,
}

impl Watch {
    const NAP: Duration = Duration::from_millis(5);
    /// The client's, the server's and the writer's.
    const THREADS: u32 = 3;

    pub(crate) fn start() -> Self {
        Self { overslept: Self::overslept(), began: Instant::now() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        let lost = Self::overslept().saturating_sub(self.overslept) * Self::THREADS;
        self.began.elapsed().saturating_sub(lost)
    }

    /// What the naps of all tests were overslept so far. A nap that is under way is not among them.
    fn overslept() -> Duration {
        static OVERSLEPT: OnceLock<Arc<AtomicU64>> = OnceLock::new();
        let overslept = OVERSLEPT.get_or_init(|| {
            let sum = Arc::new(AtomicU64::new(0));
            let added = Arc::clone(&sum);
            thread::spawn(move || {
                loop {
                    let began = Instant::now();
                    thread::sleep(Self::NAP);
                    // A millisecond is what every timer takes.
                    let late = began.elapsed().saturating_sub(Self::NAP + Duration::from_millis(1));
                    added.fetch_add(u64::try_from(late.as_micros()).unwrap(), Ordering::Relaxed);
                }
            });
            sum
        });
        Duration::from_micros(overslept.load(Ordering::Relaxed))
    }
}

/// The outer search path: the tests' own programs (a browser, an interpreter) are found through it.
#[expect(clippy::disallowed_methods, reason = "a test's world keeps one variable of the outer one")]
pub(crate) fn outer_path() -> String {
    std::env::var("PATH").unwrap_or_default()
}

/// How many rounds a story goes: `short` in every run, `long` where `./test long` asks for it (`STRIPEGYM_LONG=1`).
#[expect(clippy::disallowed_methods, reason = "one switch for whoever runs the tests")]
pub(crate) fn rounds(short: usize, long: usize) -> usize {
    if std::env::var_os("STRIPEGYM_LONG").is_some_and(|set| set == "1") { long } else { short }
}

fn wait(child: &mut Child, until: Instant) -> Option<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if Instant::now() >= until {
            return None;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn drain(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn send_lines(out: impl Read, to: &Sender<String>) {
    for line in BufReader::new(out).lines() {
        let Ok(line) = line else { return };
        if to.send(line).is_err() {
            return;
        }
    }
}
