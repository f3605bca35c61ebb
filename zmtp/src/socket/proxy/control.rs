//! Steers a proxy and tells what it has done.

use std::sync::Arc;
use std::task::{Context, Waker};

use crate::driver::sync::{Mutex, lock};

/// Pauses, resumes and ends a [`Proxy`](super::Proxy), and tells what it has passed on.
///
/// Clones steer the same proxy, from any task or thread.
#[derive(Clone, Debug)]
pub struct ProxyControl {
    shared: Arc<Shared>,
}

/// What a proxy has passed on so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ProxyStatistics {
    /// What was received from the frontend.
    pub from_frontend: ProxyTraffic,
    /// What was sent to the frontend.
    pub to_frontend: ProxyTraffic,
    /// What was received from the backend.
    pub from_backend: ProxyTraffic,
    /// What was sent to the backend.
    pub to_backend: ProxyTraffic,
    /// Messages that nobody could be given: they named no peer, or one that is not there.
    pub undeliverable: u64,
}

/// How much has gone one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ProxyTraffic {
    /// Messages.
    pub messages: u64,
    /// Octets in all their parts.
    pub bytes: u64,
}

/// What a proxy has been told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// To pass messages on.
    #[default]
    Run,
    /// To leave them where they are.
    Pause,
    /// To end.
    Terminate,
}

#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    order: Order,
    statistics: ProxyStatistics,
    proxy: Option<Waker>,
}

impl ProxyControl {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
        }
    }

    /// Lets the proxy receive nothing until it is resumed. Messages wait in the queues of its
    /// sockets, and then with those who send them.
    pub fn pause(&self) {
        self.shared.order(Order::Pause);
    }

    /// Lets the proxy go on.
    pub fn resume(&self) {
        self.shared.order(Order::Run);
    }

    /// Ends [`Proxy::run`](super::Proxy::run), for good: a proxy that has ended is neither paused nor
    /// resumed.
    ///
    /// A message that was received and found no room goes with the proxy: one in each direction, at
    /// most. [`ProxyStatistics::held`] counts them. Where none may be lost, the senders stop first, and
    /// the proxy ends once everything has passed.
    pub fn terminate(&self) {
        self.shared.order(Order::Terminate);
    }

    /// What the proxy has passed on so far.
    #[must_use]
    pub fn statistics(&self) -> ProxyStatistics {
        lock(&self.shared.state).statistics
    }
}

impl ProxyStatistics {
    /// Messages that were received and not passed on: those that find no room now, or that a proxy had
    /// when it ended. One in each direction, at most.
    #[must_use]
    pub fn held(&self) -> u64 {
        let received = self.from_frontend.messages + self.from_backend.messages;
        let done = self.to_frontend.messages + self.to_backend.messages + self.undeliverable;
        received.saturating_sub(done)
    }
}

impl ProxyTraffic {
    pub(super) fn count(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }
}

impl Shared {
    /// What to do; another order wakes the task of `context`.
    pub(super) fn poll_order(&self, context: &Context<'_>) -> Order {
        let mut state = lock(&self.state);
        match &mut state.proxy {
            Some(proxy) => proxy.clone_from(context.waker()),
            None => state.proxy = Some(context.waker().clone()),
        }
        state.order
    }

    pub(super) fn publish(&self, statistics: ProxyStatistics) {
        lock(&self.state).statistics = statistics;
    }

    fn order(&self, order: Order) {
        let mut state = lock(&self.state);
        if state.order == Order::Terminate {
            return;
        }
        state.order = order;
        let proxy = state.proxy.take();
        drop(state);
        if let Some(proxy) = proxy {
            proxy.wake();
        }
    }
}
