//! The line between a program and its database, which is cut at moments of a test's choice.

use crate::cluster::Cluster;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

/// What is done to the next commit that comes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commit {
    /// Its connection is cut before the server sees it.
    Kept,
    /// The server sees it, and its connection is cut before the answer is seen.
    Unanswered,
    /// It is held back for as long as the program lives.
    Held,
}

#[derive(Default)]
struct State {
    next: Option<Commit>,
    met: usize,
    lines: Vec<(TcpStream, UnixStream)>,
}

/// The line, at a port of its own.
pub(crate) struct Wire {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Wire {
    /// A line to the server of a cluster.
    pub(crate) fn to(cluster: &Cluster) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (state, socket): (Arc<Mutex<State>>, PathBuf) = (Arc::default(), cluster.listens());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                // Where no server listens, whoever calls is hung up on.
                let Ok(far) = UnixStream::connect(&socket) else { continue };
                connect(&shared, &near, &far);
            }
        });
        Self { port, state }
    }

    /// The address of a ledger at its other end.
    pub(crate) fn url(&self) -> String {
        format!("postgres://books@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// Says what is done to the next commit.
    pub(crate) fn next(&self, commit: Commit) {
        self.state.lock().unwrap().next = Some(commit);
    }

    /// How many commits something was done to.
    pub(crate) fn met(&self) -> usize {
        self.state.lock().unwrap().met
    }

    /// Cuts every connection that there is; how many.
    pub(crate) fn cut(&self) -> usize {
        let lines = std::mem::take(&mut self.state.lock().unwrap().lines);
        let open = lines.iter().filter(|(near, far)| {
            let cut = near.shutdown(Shutdown::Both);
            far.shutdown(Shutdown::Both).and(cut).is_ok()
        });
        open.count()
    }
}

fn connect(state: &Arc<Mutex<State>>, near: &TcpStream, far: &UnixStream) {
    let pair = || (near.try_clone().unwrap(), far.try_clone().unwrap());
    state.lock().unwrap().lines.push(pair());
    let lost = Arc::new(Mutex::new(false));
    let (up, down) = (pair(), pair());
    let (shared, asked) = (Arc::clone(state), Arc::clone(&lost));
    thread::spawn(move || drop(ask(&shared, up, &asked)));
    thread::spawn(move || drop(answer(down, &lost)));
}

fn hang_up(near: &TcpStream, far: &UnixStream) {
    drop(near.shutdown(Shutdown::Both));
    drop(far.shutdown(Shutdown::Both));
}

/// Hands on what the program says.
fn ask(
    state: &Mutex<State>,
    (mut near, mut far): (TcpStream, UnixStream),
    lost: &Mutex<bool>,
) -> std::io::Result<()> {
    let mut part = vec![0; 64 * 1024];
    loop {
        let count = near.read(&mut part).unwrap_or_default();
        let said = &part[..count];
        let is_commit = said.windows(7).any(|it| it == b"COMMIT\0");
        let done = is_commit.then(|| {
            let mut state = state.lock().unwrap();
            let next = state.next.take();
            state.met += usize::from(next.is_some());
            next
        });
        match done.flatten() {
            _ if count == 0 => break,
            Some(Commit::Kept) => break,
            Some(Commit::Held) => {
                // Until the program ends, or gives the connection up.
                while near.read(&mut part).is_ok_and(|count| count > 0) {}
                break;
            }
            Some(Commit::Unanswered) => *lost.lock().unwrap() = true,
            None => {}
        }
        far.write_all(said)?;
    }
    hang_up(&near, &far);
    Ok(())
}

/// Hands on what the server says.
fn answer((mut near, mut far): (TcpStream, UnixStream), lost: &Mutex<bool>) -> std::io::Result<()> {
    let mut part = vec![0; 64 * 1024];
    loop {
        let count = far.read(&mut part).unwrap_or_default();
        if count == 0 || *lost.lock().unwrap() {
            break;
        }
        near.write_all(&part[..count])?;
    }
    hang_up(&near, &far);
    Ok(())
}
