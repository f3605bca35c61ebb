//! The clock of the I/O task.

use std::pin::Pin;
use std::time::Instant;

use tokio::time::{Sleep, sleep_until};

/// A timer that is only touched when it would fire too late.
#[derive(Default)]
pub(super) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    pub(super) fn arm(&mut self, deadline: Option<Instant>) {
        let Some(deadline) = deadline.map(tokio::time::Instant::from_std) else {
            return;
        };
        match &mut self.sleep {
            Some(sleep) if sleep.deadline() <= deadline && !sleep.is_elapsed() => {}
            Some(sleep) => sleep.as_mut().reset(deadline),
            vacant @ None => *vacant = Some(Box::pin(sleep_until(deadline))),
        }
    }

    /// Waits for the deadline; an early one only costs a look at the time.
    pub(super) async fn fired(&mut self) {
        match &mut self.sleep {
            Some(sleep) => {
                sleep.as_mut().await;
                self.sleep = None;
            }
            None => std::future::pending().await,
        }
    }
}
