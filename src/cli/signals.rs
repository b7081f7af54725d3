//! Ctrl-C and its kin, heard for as long as the process lives: the first asks the command to end, the second ends
//! the process, whatever it waits for.

use crate::cli::{exit, pager};
use crate::net::shutdown::{Stop, Stopper, pair};
use std::sync::mpsc::sync_channel;
use std::time::Duration;
use tokio::runtime::Builder;

/// What a second signal leaves for ending the programs that were started, and for a last line.
const LAST_MOMENT: Duration = Duration::from_millis(300);

/// Begins to hear; what resolves at the first signal, and what resolves at the second.
pub(crate) fn watch() -> (Stop, Stop) {
    let (stopper, stop) = pair();
    let (hurrier, hurry) = pair();
    let (ready, heard) = sync_channel(1);
    std::thread::spawn(move || {
        listen(&stopper, &hurrier, || {
            let _told = ready.try_send(());
        });
        // Without signals only the command's own end is left; a stopper that is dropped would ask for it.
        loop {
            std::thread::park();
        }
    });
    // A signal that comes before they are heard would end the process by itself: an error means no signals.
    let _ready = heard.recv();
    (stop, hurry)
}

fn listen(stopper: &Stopper, hurrier: &Stopper, ready: impl FnOnce()) {
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else {
        return ready();
    };
    runtime.block_on(async {
        let ears = Ears::open();
        ready();
        let Some(mut ears) = ears else { return };
        ears.next().await;
        stopper.stop();
        ears.next().await;
        hurrier.stop();
        tokio::time::sleep(LAST_MOMENT).await;
        leave();
    });
}

/// Ends the process although something is still waiting, such as a write to a terminal that stands still.
#[expect(clippy::exit, clippy::disallowed_methods, reason = "a blocked thread cannot be asked")]
fn leave() {
    std::process::exit(i32::from(exit::INTERRUPTED));
}

/// What asks for the end: Ctrl-C, a service manager, a terminal that is closed.
#[cfg(unix)]
struct Ears([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Ears {
    fn open() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hear = |kind| signal(kind).ok();
        Some(Self([
            hear(SignalKind::interrupt())?,
            hear(SignalKind::terminate())?,
            hear(SignalKind::hangup())?,
        ]))
    }

    async fn next(&mut self) {
        let Self([interrupt, terminate, hangup]) = self;
        loop {
            tokio::select! {
                _ = interrupt.recv() => {
                    if !pager::is_open() {
                        return;
                    }
                }
                _ = terminate.recv() => return,
                _ = hangup.recv() => return,
            }
        }
    }
}

#[cfg(not(unix))]
struct Ears;

#[cfg(not(unix))]
impl Ears {
    fn open() -> Option<Self> {
        Some(Self)
    }

    async fn next(&mut self) {
        while tokio::signal::ctrl_c().await.is_ok() {
            if !pager::is_open() {
                return;
            }
        }
        std::future::pending::<()>().await;
    }
}
