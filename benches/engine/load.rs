//! The load: kept connections on one thread of its own, as cheap in processor time as it can be, because
//! it shares the cores with what it measures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::http;

/// How long a load may go on after its time: answers that are under way, and what is behind schedule.
const GRACE: Duration = Duration::from_secs(3);
/// How many failed requests end a connection's work.
const ERRORS_MAX: u64 = 20;

/// Writes the request of a number.
pub(crate) type Make = Arc<dyn Fn(u64, &mut Vec<u8>) + Send + Sync>;
/// Sees each answer's body and when it came.
pub(crate) type See = Arc<dyn Fn(Instant, &[u8]) + Send + Sync>;

/// What is sent, over how many connections, how fast and for how long.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) port: u16,
    pub(crate) connections: usize,
    /// Requests a second, sent when they are due whatever is answered; `None`: each connection sends when
    /// its last answer came.
    pub(crate) rate: Option<u64>,
    pub(crate) time: Duration,
    /// The most requests.
    pub(crate) count: u64,
    pub(crate) make: Make,
    pub(crate) see: Option<See>,
}

/// What a load came to.
#[derive(Clone, Default)]
pub(crate) struct Outcome {
    pub(crate) done: u64,
    pub(crate) errors: u64,
    pub(crate) first_error: Option<String>,
    pub(crate) elapsed: Duration,
    /// Sorted.
    latencies_us: Vec<u32>,
}

impl Outcome {
    /// Successful answers a second.
    pub(crate) fn rate(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// The latency in milliseconds that a part of the answers did not exceed; from the moment a request
    /// was due where there was a rate.
    pub(crate) fn quantile_ms(&self, part: f64) -> f64 {
        let last = self.latencies_us.len().saturating_sub(1);
        let at = (self.latencies_us.len() as f64 * part) as usize;
        self.latencies_us.get(at.min(last)).map_or(0.0, |us| f64::from(*us) / 1000.0)
    }

    fn add(&mut self, other: Self) {
        self.done += other.done;
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
        self.latencies_us.extend(other.latencies_us);
    }

    fn fail(&mut self, what: String) {
        self.errors += 1;
        self.first_error.get_or_insert(what);
    }
}

struct Shared {
    load: Load,
    started: Instant,
    next: AtomicU64,
    /// A permit a request that is due.
    due: Semaphore,
}

impl Shared {
    /// The next request's number and the moment its latency counts from.
    async fn next(&self) -> Option<(u64, Instant)> {
        let Some(rate) = self.load.rate else {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let now = Instant::now();
            let over = number >= self.load.count || now >= self.started + self.load.time;
            return (!over).then_some((number, now));
        };
        self.due.acquire().await.ok()?.forget();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Some((number, due_at(self.started, rate, number)))
    }
}

fn due_at(started: Instant, rate: u64, number: u64) -> Instant {
    started + Duration::from_nanos(number * 1_000_000_000 / rate)
}

/// Runs a load to its end.
pub(crate) fn run(load: &Load) -> Outcome {
    let load = load.clone();
    thread::spawn(move || drive(load)).join().unwrap()
}

fn drive(load: Load) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (connections, time, rate) = (load.connections, load.time, load.rate);
    let shared = Arc::new(Shared {
        load,
        started: Instant::now(),
        next: AtomicU64::new(0),
        due: Semaphore::new(0),
    });
    let clock = rate.map(|rate| {
        let shared = Arc::clone(&shared);
        thread::spawn(move || dispatch(&shared, rate))
    });
    let mut outcome = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..connections {
            tasks.spawn(connection(Arc::clone(&shared)));
        }
        let mut sum = Outcome::default();
        let ends = tokio::time::Instant::now() + time + GRACE * 10;
        while let Ok(Some(tally)) = tokio::time::timeout_at(ends, tasks.join_next()).await {
            sum.add(tally.unwrap());
        }
        sum
    });
    outcome.elapsed = shared.started.elapsed();
    if let Some(clock) = clock {
        let released = clock.join().unwrap();
        // What was due and could not even be sent waited until now.
        let sent = shared.next.load(Ordering::Relaxed);
        for number in sent..released {
            let waited = due_at(shared.started, rate.unwrap_or(1), number).elapsed();
            outcome.latencies_us.push(us(waited));
            outcome.errors += 1;
        }
    }
    outcome.latencies_us.sort_unstable();
    outcome
}

/// Releases each request when it is due; how many there were. A thread of its own, because timers of the
/// runtime are a millisecond coarse.
fn dispatch(shared: &Shared, rate: u64) -> u64 {
    let total = shared.load.count.min(rate * shared.load.time.as_secs());
    for number in 0..total {
        let wait = due_at(shared.started, rate, number).saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            thread::sleep(wait);
        }
        shared.due.add_permits(1);
    }
    let ends = Instant::now() + GRACE;
    // Closing takes a permit away from a connection that has it and was not woken yet.
    while shared.next.load(Ordering::Relaxed) < total && Instant::now() < ends {
        thread::sleep(Duration::from_millis(1));
    }
    shared.due.close();
    total
}

async fn connection(shared: Arc<Shared>) -> Outcome {
    let mut tally = Outcome::default();
    let (mut request, mut answer) = (Vec::with_capacity(1024), Vec::with_capacity(64 * 1024));
    'connect: while tally.errors < ERRORS_MAX {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", shared.load.port)).await else {
            tally.fail("could not connect".to_owned());
            continue;
        };
        stream.set_nodelay(true).unwrap();
        while tally.errors < ERRORS_MAX {
            let Some((number, from)) = shared.next().await else { break 'connect };
            request.clear();
            (shared.load.make)(number, &mut request);
            let read = match stream.write_all(&request).await {
                Ok(()) => http::read(&mut stream, &mut answer).await,
                Err(error) => Err(error),
            };
            let Ok(Some(head)) = read else {
                tally.fail(format!("the connection broke: {read:?}"));
                continue 'connect;
            };
            let now = Instant::now();
            let status = http::status(&answer);
            if status != 200 {
                let end = answer.len().min(head + 300);
                let text = String::from_utf8_lossy(&answer[head..end]).into_owned();
                tally.fail(format!("{status}: {text}"));
                continue;
            }
            tally.done += 1;
            tally.latencies_us.push(us(now.duration_since(from)));
            if let Some(see) = &shared.load.see {
                see(now, &answer[head..]);
            }
        }
    }
    tally
}

fn us(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}
