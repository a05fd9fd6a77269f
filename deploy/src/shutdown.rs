//! The end of the process: the first Ctrl-C or SIGTERM asks for a clean one, the second does not wait.

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// What every part looks at to know that it should end. Clones see the same.
#[derive(Clone, Debug)]
pub struct Stop {
    sender: watch::Sender<bool>,
}

impl Default for Stop {
    fn default() -> Stop {
        Stop { sender: watch::Sender::new(false) }
    }
}

impl Stop {
    /// Listens to the signals from now on.
    pub fn on_signals() -> std::io::Result<Stop> {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let stop = Stop::default();
        let asked = stop.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if *asked.sender.borrow() {
                    tracing::warn!("asked twice; ending without waiting");
                    std::process::exit(130);
                }
                tracing::info!("stopping; ask again to end without waiting");
                asked.request();
            }
        });
        Ok(stop)
    }

    /// Asks everybody to end.
    pub fn request(&self) {
        self.sender.send_replace(true);
    }

    pub fn is_requested(&self) -> bool {
        *self.sender.borrow()
    }

    /// For parts that take a receiver.
    pub fn receiver(&self) -> watch::Receiver<bool> {
        self.sender.subscribe()
    }

    /// Resolves when the end is asked for.
    pub async fn requested(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.sender.subscribe().wait_for(|stop| *stop).await;
    }
}
