//! Nothing leaves this machine: the whole week runs where there is no network but loopback, past proxies that
//! would notice, and an address elsewhere is refused before it is asked.

use crate::env::{Env, outer_path};
use crate::transcript::DAYS;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A proxy that counts who asks it.
fn trap() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    thread::spawn(move || {
        for _ in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (url, asked)
}

fn env(proxy: &str) -> Env {
    let env = Env::new().with("STRIPEGYM_SANDBOX_PORT", "0").with("PORT", "0");
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]
        .iter()
        .fold(env, |env, name| env.with(name, proxy))
        .with("RUST_LOG", "stripegym::net=warn")
}

/// A shell that sees loopback and no other network; `None` where whoever runs the tests has said that the
/// system permits none (`STRIPEGYM_TEST_UNSECLUDED=1`).
#[expect(clippy::disallowed_methods, reason = "one switch for whoever runs the tests")]
fn secluded() -> Option<Command> {
    let mut command = Command::new("unshare");
    command.args([
        "--map-root-user",
        "--net",
        "sh",
        "-c",
        "ip link set lo up && exec \"$@\"",
        "sh",
    ]);
    command.env("PATH", outer_path());
    let mut tried = Command::new(command.get_program());
    tried.args(command.get_args()).arg("true").env("PATH", outer_path());
    let tried = tried.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if tried.is_ok_and(|status| status.success()) {
        return Some(command);
    }
    let allowed = std::env::var_os("STRIPEGYM_TEST_UNSECLUDED").is_some_and(|set| set == "1");
    assert!(
        allowed,
        "`unshare --map-root-user --net` gives no network of its own here, so that this proves nothing; \
         STRIPEGYM_TEST_UNSECLUDED=1 has the week run beside traps for proxies alone"
    );
    None
}

#[test]
fn the_week_needs_no_network_but_loopback() {
    let (proxy, asked) = trap();
    let env = env(&proxy);
    for day in DAYS {
        let plain = env.command(&[day, "--yes"]);
        let mut command = match secluded() {
            None => plain,
            Some(mut command) => {
                command.arg(plain.get_program()).args(plain.get_args());
                command.current_dir(env.path()).stdin(Stdio::null()).env_clear();
                for (name, value) in plain.get_envs() {
                    command.env(name, value.unwrap());
                }
                command
            }
        };
        let ran = command.output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{day}: {said}");
        assert!(!said.contains("beyond loopback"), "{day}: {said}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0, "a proxy of the environment was asked");
}

#[test]
fn proxies_of_the_environment_are_not_asked() {
    let (proxy, asked) = trap();
    let env = env(&proxy);
    env.ok(&["day0", "--yes"]);
    env.ok(&["checkout", "--pay", "4242424242424242"]);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[test]
fn an_address_elsewhere_is_refused_before_it_is_asked() {
    for base in ["http://192.0.2.1:12111", "https://stripe.example.com"] {
        let env = env("http://192.0.2.1:1").with("STRIPE_API_BASE", base);
        let ran = env.run(&["day1", "--yes"]);
        assert_ne!(ran.code, 0);
        assert!(ran.err.contains("STRIPE_API_BASE"), "{}", ran.err);
    }
    let ran = env("http://192.0.2.1:1").run(&["day1", "--app", "http://192.0.2.1:5000"]);
    assert_ne!(ran.code, 0);
    assert!(ran.err.contains("--app"), "{}", ran.err);
}

/// Held by other processes: one alone may not be allowed so many open files.
#[cfg(target_os = "linux")]
#[test]
fn a_good_call_gets_in_beside_eleven_hundred_connections_that_never_finish_theirs() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};
    let env = Env::new();
    let sandbox = env.sandbox(&["--ephemeral"]);
    let holds = format!(
        "for n in $(seq 275); do exec {{fd}}<>/dev/tcp/127.0.0.1/{}; \
         printf 'POST /v1/customers HTTP/1.1\\r\\nHost: 127' >&$fd; done; echo held; read",
        sandbox.api.port
    );
    let mut holders: Vec<_> = (0..4)
        .map(|_| {
            let mut bash = Command::new("bash");
            bash.args(["-c", &holds]).stdin(Stdio::piped()).stdout(Stdio::piped());
            bash.spawn().unwrap()
        })
        .collect();
    for holder in &mut holders {
        let mut line = String::new();
        BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
    }
    for n in 0..5 {
        let made = sandbox.api.make("/v1/customers", &[("name", &format!("c{n}"))]);
        assert_eq!(made["object"], "customer");
    }
    for mut holder in holders {
        holder.kill().unwrap();
        holder.wait().unwrap();
    }
}
