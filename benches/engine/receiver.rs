//! A webhook endpoint that takes everything and notes when each event came.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::http;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// When the event about each customer came first.
pub(crate) type Arrivals = Arc<Mutex<HashMap<String, Instant>>>;

/// Its port and what has arrived. It serves as long as the program runs.
pub(crate) fn start() -> (u16, Arrivals) {
    let arrivals = Arrivals::default();
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    let into = Arc::clone(&arrivals);
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(receive(stream, Arc::clone(&into)));
            }
        });
    });
    (port, arrivals)
}

async fn receive(mut stream: TcpStream, arrivals: Arrivals) {
    stream.set_nodelay(true).unwrap();
    let mut buffer = Vec::with_capacity(16 * 1024);
    while let Ok(Some(head)) = http::read(&mut stream, &mut buffer).await {
        let now = Instant::now();
        if let Some(id) = http::quoted(&buffer[head..], b"\"cus_") {
            arrivals.lock().unwrap().entry(id).or_insert(now);
        }
        if stream.write_all(ANSWER).await.is_err() {
            break;
        }
    }
}

/// Waits until that many events came, or nothing more has for a while.
pub(crate) fn wait(arrivals: &Arrivals, count: usize, most: Duration) -> usize {
    let until = Instant::now() + most;
    loop {
        let now = arrivals.lock().unwrap().len();
        if now >= count || Instant::now() >= until {
            return now;
        }
        thread::sleep(Duration::from_millis(5));
    }
}
