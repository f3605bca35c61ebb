//! Queues between tasks that leave nothing behind when their receiver goes away.

use std::thread;

use futures_util::FutureExt;
use tokio::sync::mpsc::{self, error::TryRecvError};
use tokio::task::coop::unconstrained;

/// Makes an unbounded queue.
pub(crate) fn queue<T>() -> (mpsc::UnboundedSender<T>, QueueReceiver<T>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (sender, QueueReceiver(receiver))
}

/// The end of a queue that takes. Dropping it drops all that was sent, whatever the senders do.
///
/// That of tokio drops what it finds. What is sent at the same moment may come behind that, is
/// reported as sent, and lives as long as the last sender: a call, which holds one, would wait for
/// ever for an end that is told by dropping its ticket.
#[derive(Debug)]
pub(crate) struct QueueReceiver<T>(mpsc::UnboundedReceiver<T>);

impl<T> QueueReceiver<T> {
    /// Waits for the next value; `None` when nobody is left who could send one.
    pub(crate) async fn recv(&mut self) -> Option<T> {
        self.0.recv().await
    }

    /// Waits for values, and adds up to `limit` of them to `batch`. Returns how many they are; none
    /// when nobody is left who could send one.
    pub(crate) async fn recv_many(&mut self, batch: &mut Vec<T>, limit: usize) -> usize {
        self.0.recv_many(batch, limit).await
    }

    /// Takes the next value, if there is one.
    pub(crate) fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.0.try_recv()
    }

    /// Lets nobody send any more, and gives `take` what was sent until then.
    pub(crate) fn take_rest(&mut self, mut take: impl FnMut(T)) {
        self.0.close();
        // Whoever is allowed to send has been counted: the end comes behind all of them. How much
        // the current task has done already must not come between.
        loop {
            match unconstrained(self.0.recv()).now_or_never() {
                Some(Some(value)) => take(value),
                Some(None) => return,
                // Somebody is a few instructions from the end of sending.
                None => thread::yield_now(),
            }
        }
    }
}

impl<T> Drop for QueueReceiver<T> {
    fn drop(&mut self) {
        self.take_rest(drop);
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    /// How often a receiver goes away while others send.
    const ROUNDS: usize = if cfg!(miri) { 4 } else { 20 };

    /// More than there are processors, so that some of them are stopped in the middle of sending.
    const SENDERS: usize = if cfg!(miri) { 2 } else { 16 };

    /// What each of them sends at most.
    const BURST: usize = if cfg!(miri) { 20 } else { 50_000 };

    // A sender that is kept, as callers do, keeps alive what is left in its queue.
    #[test]
    fn what_is_sent_while_the_receiver_goes_away_is_dropped() {
        for _ in 0..ROUNDS {
            let item = Arc::new(());
            let (sender, receiver) = queue();
            let send_all = || {
                let mut sent = (0..BURST).map(|_| sender.send(Arc::clone(&item)));
                while let Some(Ok(())) = sent.next() {}
            };
            thread::scope(|scope| {
                for _ in 0..SENDERS {
                    scope.spawn(send_all);
                }
                while receiver.0.len() < SENDERS {
                    thread::yield_now();
                }
                drop(receiver);
            });
            assert_eq!(Arc::strong_count(&item), 1);
        }
    }

    #[test]
    fn what_waits_is_taken_with_the_last_look_or_dropped() {
        const COUNT: usize = 100;
        let item = Arc::new(());
        let (sender, mut receiver) = queue();
        for _ in 0..COUNT {
            sender.send(Arc::clone(&item)).unwrap();
        }
        let mut taken = Vec::new();
        receiver.take_rest(|value| taken.push(value));
        assert_eq!(taken.len(), COUNT);
        assert!(sender.send(Arc::clone(&item)).is_err());
        drop(taken);

        let (sender, receiver) = queue();
        sender.send(Arc::clone(&item)).unwrap();
        drop(receiver);
        assert_eq!(Arc::strong_count(&item), 1);
        assert!(sender.send(item).is_err());
    }

    // A task that has done much would otherwise be told that there is nothing.
    #[tokio::test]
    async fn a_task_that_has_used_up_its_turn_drops_its_queue_all_the_same() {
        let (sender, receiver) = queue();
        sender.send(()).unwrap();
        while tokio::task::coop::has_budget_remaining() {
            tokio::task::coop::consume_budget().await;
        }
        drop(receiver);
        assert!(sender.is_closed());
    }
}
