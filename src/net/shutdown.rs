//! One signal to stop, many listeners.

use tokio::sync::watch;

/// Asks everything that holds a [`Stop`] to end; dropping it asks too.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Tells when to end. Clones hear the same signal.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// A connected pair.
pub fn pair() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    /// Asks every listener to end; asking twice is the same as once.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Resolves when the end was asked for.
    pub async fn wait(&mut self) {
        // An error means that the stopper is gone, which asks for the same.
        drop(self.0.wait_for(|stopped| *stopped).await);
    }

    /// Whether the end was asked for already.
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}
