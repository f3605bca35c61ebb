//! Wakes callers from the thread of the I/O task.

use std::future::poll_fn;
use std::ptr;
use std::sync::{Arc, OnceLock};
use std::task::{Poll, RawWakerVTable, Waker};

use tokio::sync::mpsc;

use crate::io::{QueueReceiver, queue};
use crate::sync::{Handle, Mutex, RuntimeId, lock, try_task_id};

/// A caller that waits, and how it is woken.
#[derive(Debug)]
pub(super) struct Waiter {
    waker: Waker,
    relay: Option<Arc<Relay>>,
}

/// Wakes tasks of one runtime from within.
///
/// To wake a task of another runtime's thread is a system call each time. A relay is a task of that
/// runtime: it is woken once, and wakes all others whose replies came together.
#[derive(Debug)]
pub(super) struct Relay {
    runtime: RuntimeId,
    wakers: mpsc::UnboundedSender<Waker>,
    /// What the wakers of tasks have in common, once the relay has run.
    kind: Arc<OnceLock<&'static RawWakerVTable>>,
}

/// The relays of a client, whose calls may be made on several runtimes. They end with it.
#[derive(Debug)]
pub(super) enum Relays {
    /// The I/O task has no thread of its own: waking is cheap.
    None,
    ByRuntime(Mutex<Vec<Arc<Relay>>>),
}

/// Callers that wait to be woken: once for all that a turn of the I/O task brought, and at the
/// latest when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Wakers(Vec<Waiter>);

impl Waiter {
    /// Makes the caller that `waker` wakes.
    pub(super) fn new(waker: &Waker, relays: &Relays) -> Self {
        Self {
            waker: waker.clone(),
            relay: relays.here(),
        }
    }

    /// Takes another waker for the same caller.
    pub(super) fn update(&mut self, waker: &Waker, relays: &Relays) {
        if !self.waker.will_wake(waker) {
            *self = Self::new(waker, relays);
        }
    }

    /// Wakes the caller without a detour.
    pub(super) fn wake(self) {
        self.waker.wake();
    }

    fn wake_by_relay(self) {
        match self.relay {
            Some(relay) if relay.suits(&self.waker) => relay.wake(self.waker),
            _ => self.waker.wake(),
        }
    }
}

impl Relay {
    fn spawn(handle: &Handle) -> Self {
        let (wakers, receiver) = queue();
        let kind = Arc::default();
        handle.spawn(relay_all(Unwoken(receiver), Arc::clone(&kind)));
        Self {
            runtime: handle.id(),
            wakers,
            kind,
        }
    }

    /// Whether the waker is that of a task, as the relay itself is one. A thread that waits for a
    /// future may be the one that the relay needs, and whoever polls several futures has a waker of
    /// its own.
    fn suits(&self, waker: &Waker) -> bool {
        let kind = self.kind.get();
        kind.is_some_and(|kind| ptr::eq(*kind, waker.vtable()))
    }

    fn wake(&self, waker: Waker) {
        // The runtime of the relay may be gone.
        if let Err(unsent) = self.wakers.send(waker) {
            unsent.0.wake();
        }
    }
}

impl Relays {
    /// Returns the relays of a client whose I/O task has a thread of its own.
    pub(super) fn by_runtime() -> Self {
        Self::ByRuntime(Mutex::default())
    }

    /// Returns the relay of the runtime that runs the current task.
    ///
    /// There is none for what is polled outside of a task: nothing says that the runtime whose
    /// context it happens to have runs at all.
    fn here(&self) -> Option<Arc<Relay>> {
        let Self::ByRuntime(relays) = self else {
            return None;
        };
        try_task_id()?;
        let handle = Handle::try_current().ok()?;
        let runtime = handle.id();
        let mut relays = lock(relays);
        if let Some(relay) = relays.iter().find(|relay| relay.runtime == runtime) {
            return Some(Arc::clone(relay));
        }
        // Those of runtimes that are gone.
        relays.retain(|relay| !relay.wakers.is_closed());
        let relay = Arc::new(Relay::spawn(&handle));
        relays.push(Arc::clone(&relay));
        Some(relay)
    }
}

/// The wakers that a relay has not got to. When it ends, they are woken all the same.
struct Unwoken(QueueReceiver<Waker>);

async fn relay_all(mut unwoken: Unwoken, kind: Arc<OnceLock<&'static RawWakerVTable>>) {
    poll_fn(|context| {
        kind.get_or_init(|| context.waker().vtable());
        Poll::Ready(())
    })
    .await;
    while let Some(waker) = unwoken.0.recv().await {
        waker.wake();
    }
}

impl Drop for Unwoken {
    fn drop(&mut self) {
        self.0.take_rest(Waker::wake);
    }
}

impl Wakers {
    pub(super) fn add(&mut self, waiter: Option<Waiter>) {
        self.0.extend(waiter);
    }

    pub(super) fn wake_all(&mut self) {
        // One is woken faster without a detour.
        match self.0.len() {
            0 => {}
            1 => self.0.drain(..).for_each(Waiter::wake),
            _ => self.0.drain(..).for_each(Waiter::wake_by_relay),
        }
    }
}

impl Drop for Wakers {
    fn drop(&mut self) {
        self.wake_all();
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake};
    use std::time::Duration;

    use tokio::time::timeout;
    use tokio::{runtime, task};

    use super::*;

    /// Waits until it is woken, and leaves its waiter in `wakers`.
    async fn wait(wakers: Arc<Mutex<Wakers>>, relays: Arc<Relays>) {
        let mut polls = 0;
        poll_fn(|context| {
            polls += 1;
            if polls == 2 {
                return Poll::Ready(());
            }
            let waiter = Waiter::new(context.waker(), &relays);
            lock(&wakers).add(Some(waiter));
            Poll::Pending
        })
        .await;
    }

    #[tokio::test]
    async fn all_tasks_are_woken_from_another_thread() {
        let relays = Arc::new(Relays::by_runtime());
        let wakers = Arc::new(Mutex::new(Wakers::default()));
        let tasks: Vec<_> = (0..10)
            .map(|_| tokio::spawn(wait(Arc::clone(&wakers), Arc::clone(&relays))))
            .collect();
        while wakers.lock().unwrap().0.len() < tasks.len() {
            task::yield_now().await;
        }
        let thread = std::thread::spawn(move || wakers.lock().unwrap().wake_all());
        for task in tasks {
            timeout(Duration::from_secs(10), task)
                .await
                .unwrap()
                .unwrap();
        }
        thread.join().unwrap();
        let Relays::ByRuntime(relays) = &*relays else {
            panic!("the relays were replaced");
        };
        assert_eq!(relays.lock().unwrap().len(), 1);
    }

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn who_is_in_the_context_of_a_runtime_that_does_not_run_is_woken_directly() {
        let runtime = runtime::Builder::new_current_thread().build().unwrap();
        let _context = runtime.enter();
        let relays = Relays::by_runtime();
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let mut wakers = Wakers::default();
        wakers.add(Some(Waiter::new(&waker, &relays)));
        wakers.add(Some(Waiter::new(&waker, &relays)));
        wakers.wake_all();
        assert_eq!(count.0.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn whose_runtime_is_gone_is_woken_directly() {
        let runtime = runtime::Builder::new_current_thread().build().unwrap();
        let relays = Arc::new(Relays::by_runtime());
        let count = Arc::new(Count::default());
        let mut wakers = Wakers::default();
        for _ in 0..2 {
            let (relays, waker) = (Arc::clone(&relays), Waker::from(Arc::clone(&count)));
            let waiter = async move {
                let mut polled = pin!(poll_fn(|context: &mut Context<'_>| {
                    Poll::Ready(Waiter::new(context.waker(), &relays))
                }));
                polled.as_mut().poll(&mut Context::from_waker(&waker))
            };
            let Poll::Ready(waiter) = runtime.block_on(runtime.spawn(waiter)).unwrap() else {
                panic!("it is ready at once");
            };
            assert!(waiter.relay.is_some());
            wakers.add(Some(waiter));
        }
        drop(runtime);
        wakers.wake_all();
        assert_eq!(count.0.load(Ordering::SeqCst), 2);
    }
}
