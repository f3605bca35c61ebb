//! What the handles and the connections of one socket share (L3).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::counters::{DropReason, PeerCounters, Queued, SocketCounters};
use super::endpoints::Endpoints;
use super::half_open::HalfOpen;
use super::monitor::{DisconnectReason, MonitorSender};
use super::options::{SocketOptions, WhenFull};
use super::outbox::Room;
use super::peer::{Peer, PeerId, Retention};
use super::pipe::Pipe;
use super::queue_limits::QueueOptions;
use super::read_pool::ReadPool;
use super::ready_set::ReadySet;
use super::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use super::sync::{Mutex, lock};
use super::tally::Tally;
use super::unreceived::Unreceived;
use super::wakes::Wakes;
use super::warnings::Warnings;
use crate::message::Part;
use crate::pattern::SocketType;
use crate::session::PeerInfo;

/// What a socket type does when its peers come, go and subscribe.
///
/// Called on the connection's task, which within the process is that of the connecting socket, so
/// implementations are short and never wait.
pub(crate) trait Pattern: fmt::Debug + Send + Sync {
    /// `peer` has finished its handshake. The topics returned are announced to it.
    ///
    /// # Errors
    ///
    /// The reason for which the peer cannot be part of the socket; its connection is closed.
    fn attach(&self, peer: &Arc<Peer>, info: &PeerInfo) -> Result<Vec<Part>, DisconnectReason> {
        let _ = (peer, info);
        Ok(Vec::new())
    }

    /// The connection of `peer`, which was attached, has ended.
    fn detach(&self, peer: &Arc<Peer>) -> Notice {
        let _ = peer;
        Notice::None
    }

    /// The socket will not connect to `peer` again, of which it has been told that it would. Called
    /// after the last [`detach`](Self::detach).
    fn forget(&self, peer: &Arc<Peer>) {
        let _ = peer;
    }

    /// The socket is about to connect to `peer`.
    ///
    /// # Errors
    ///
    /// [`NoVacancy`] if the socket has as many peers as it may.
    fn connecting(&self, peer: &Arc<Peer>) -> Result<(), NoVacancy> {
        let _ = peer;
        Ok(())
    }

    /// How many topics the socket has, of its own or of all its peers.
    fn subscription_count(&self) -> usize {
        0
    }

    /// How many topics `peer` has at this socket.
    fn subscription_count_of(&self, peer: &Arc<Peer>) -> usize {
        let _ = peer;
        0
    }

    /// `peer` wants the messages that begin with `topic`.
    ///
    /// # Errors
    ///
    /// The reason for which its connection is closed.
    fn subscribe(&self, peer: &Arc<Peer>, topic: &[u8]) -> Result<Notice, DisconnectReason> {
        let _ = (peer, topic);
        Ok(Notice::None)
    }

    /// `peer` no longer wants the messages that begin with `topic`.
    ///
    /// # Errors
    ///
    /// The reason for which its connection is closed.
    fn cancel(&self, peer: &Arc<Peer>, topic: &[u8]) -> Result<Notice, DisconnectReason> {
        let _ = (peer, topic);
        Ok(Notice::None)
    }
}

/// Whether the receiver of the socket is to be told of what a peer did.
#[must_use = "a receiver may have to be woken"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// No.
    None,
    /// A notice of this size waits for it, beside the messages of the peer.
    Queued { bytes: usize },
}

/// The socket has as many peers as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoVacancy;

/// For socket types that keep no account of their peers.
#[derive(Debug)]
pub(crate) struct NoPattern;

impl Pattern for NoPattern {}

/// The shared state of one socket.
pub(crate) struct Hub {
    pub(crate) socket_type: SocketType,
    /// As the socket was made; see [`Self::queue_options`] for what may have changed.
    pub(crate) options: SocketOptions,
    queue_options: Mutex<QueueOptions>,
    pub(crate) pattern: Arc<dyn Pattern>,
    pub(crate) monitor: MonitorSender,
    pub(crate) tally: Arc<Tally>,
    /// How many warnings of peers the log still gets.
    pub(crate) warnings: Warnings,
    /// How many warnings of this host, which no peer can use up.
    pub(crate) host_warnings: Warnings,
    /// The peers whose inboxes hold messages.
    pub(crate) ready: ReadySet,
    /// Notified when a queue that was found full has room, and when a peer comes.
    pub(crate) writable: Arc<Notify>,
    /// Spare buffers of the connections.
    pub(crate) read_pool: ReadPool,
    /// Handshakes in progress with peers that connected to us.
    pub(crate) half_open: HalfOpen,
    /// What the socket is bound and connected to.
    pub(crate) endpoints: Endpoints,
    /// Stops listeners and connectors.
    pub(crate) closing: CancellationToken,
    /// All tasks of the socket.
    pub(crate) tasks: TaskTracker,
    peers: Mutex<Peers>,
    /// Changes with the peers that are present, so that senders notice without the lock.
    generation: AtomicUsize,
    next_peer: AtomicU64,
    next_start: AtomicUsize,
    accepted: AtomicUsize,
    /// Accepted connections that have ended, and whose messages wait.
    pub(crate) unreceived: Unreceived,
    /// Notified when an accepted connection has ended.
    pub(crate) vacated: Notify,
    /// Until when what is queued may still go out, once the socket closes.
    linger: OnceLock<Option<Instant>>,
}

/// The peers of a socket, oldest first.
#[derive(Default)]
struct Peers {
    /// Those that senders may use.
    present: BTreeMap<PeerId, Arc<Peer>>,
    /// Those that the socket parts from, as long as their tasks may have something to send.
    parting: BTreeMap<PeerId, Arc<Peer>>,
}

impl Hub {
    pub(crate) fn new(
        socket_type: SocketType,
        options: SocketOptions,
        pattern: Arc<dyn Pattern>,
    ) -> Self {
        Self {
            socket_type,
            half_open: HalfOpen::new(options.half_open_limit()),
            queue_options: Mutex::new(options.queue_options(socket_type)),
            options,
            pattern,
            monitor: MonitorSender::default(),
            tally: Arc::default(),
            warnings: Warnings::default(),
            host_warnings: Warnings::default(),
            ready: ReadySet::default(),
            writable: Arc::new(Notify::new()),
            read_pool: ReadPool::default(),
            endpoints: Endpoints::default(),
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
            peers: Mutex::new(Peers::default()),
            generation: AtomicUsize::new(0),
            next_peer: AtomicU64::new(1),
            next_start: AtomicUsize::new(0),
            accepted: AtomicUsize::new(0),
            unreceived: Unreceived::default(),
            vacated: Notify::new(),
            linger: OnceLock::new(),
        }
    }

    /// Makes a peer, which is not yet part of the socket.
    pub(crate) fn new_peer(&self, retention: Retention) -> Arc<Peer> {
        let id = PeerId::new(self.next_peer.fetch_add(1, Ordering::Relaxed));
        let tally = Tally::of_peer(&self.tally);
        let limits = self.queue_options().limits;
        Arc::new(Peer::new(id, retention, limits, tally))
    }

    /// Makes a peer that is in this process, which is not yet part of the socket.
    pub(crate) fn new_peer_in_process(&self, retention: Retention) -> Arc<Peer> {
        let id = PeerId::new(self.next_peer.fetch_add(1, Ordering::Relaxed));
        let tally = Tally::of_peer(&self.tally);
        let pipe = Arc::new(Pipe::new(self, Arc::clone(&tally)));
        let limits = self.queue_options().limits;
        Arc::new(Peer::in_process(id, retention, limits, pipe, tally))
    }

    /// How much may wait, and for how long once the socket closes.
    pub(crate) fn queue_options(&self) -> QueueOptions {
        *lock(&self.queue_options)
    }

    /// Changes how many messages wait for each peer; what waits already stays.
    pub(crate) fn set_send_high_water_mark(&self, messages: usize) {
        self.change_limits(|options| {
            options.limits.send = options.limits.send.with_high_water_mark(messages);
        });
    }

    /// Changes how many messages of each peer wait; what waits already stays.
    pub(crate) fn set_receive_high_water_mark(&self, messages: usize) {
        self.change_limits(|options| {
            options.limits.receive = options.limits.receive.with_high_water_mark(messages);
        });
    }

    /// Changes for how long what is queued may go out, where that has not begun.
    pub(crate) fn set_linger(&self, linger: Duration) {
        lock(&self.queue_options).linger = Some(linger);
    }

    fn change_limits(&self, change: impl FnOnce(&mut QueueOptions)) {
        // Under the lock of the peers, so that one that comes now has the new ones as well.
        let peers = lock(&self.peers);
        let limits = {
            let mut options = lock(&self.queue_options);
            change(&mut options);
            options.limits
        };
        let mut room = Room::Unneeded;
        let mut wakes = Wakes::default();
        for peer in peers.present.values() {
            if peer.set_limits(limits, &mut wakes) == Room::Awaited {
                room = Room::Awaited;
            }
        }
        drop(peers);
        wakes.wake();
        if room == Room::Awaited {
            self.writable.notify_waiters();
        }
    }

    /// What the socket has done so far.
    pub(crate) fn counters(&self) -> SocketCounters {
        let peers = self.peers();
        let mut queued = Queued::default();
        for peer in &peers {
            let of_peer = peer.queued();
            queued.outgoing += of_peer.outgoing;
            queued.incoming += of_peer.incoming;
        }
        let mut counters = self
            .tally
            .socket(&self.monitor.occurrences, queued, peers.len());
        counters.subscriptions = self.pattern.subscription_count();
        counters
    }

    /// What one peer and the socket have done so far.
    pub(crate) fn peer_counters(&self, peer: PeerId) -> Option<PeerCounters> {
        let peer = self.peer(peer)?;
        let mut counters = peer.tally.peer(peer.queued());
        counters.subscriptions = self.pattern.subscription_count_of(&peer);
        Some(counters)
    }

    /// Counts a message of `peer`, or for it, that came to nothing.
    #[cold]
    pub(crate) fn count_dropped(&self, peer: PeerId, reason: DropReason) {
        match self.peer(peer) {
            Some(peer) => peer.tally.count_dropped(reason, 1),
            None => self.tally.count_dropped(reason, 1),
        }
    }

    /// Where the next sender begins its round, so that many short-lived ones are fair together.
    pub(crate) fn next_start(&self) -> usize {
        self.next_start.fetch_add(1, Ordering::Relaxed)
    }

    /// Lets the senders use `peer`.
    pub(crate) fn insert_peer(&self, peer: &Arc<Peer>) {
        let mut peers = lock(&self.peers);
        peers.present.insert(peer.id, Arc::clone(peer));
        // They may have changed since it was made. Senders are told below in any case.
        let mut wakes = Wakes::default();
        let _ = peer.set_limits(self.queue_options().limits, &mut wakes);
        drop(peers);
        wakes.wake();
        if self.linger() != Linger::Open {
            // The socket began to close, and may have told its peers, before this one was there.
            peer.outbox.drain();
        }
        self.refresh_senders();
    }

    /// Takes `peer` from the senders.
    pub(crate) fn remove_peer(&self, peer: &Peer) {
        if lock(&self.peers).present.remove(&peer.id).is_some() {
            // One may wait for room in a queue that is gone now.
            self.refresh_senders();
        }
    }

    /// Takes `peer` from the socket: no connection of it will send anything more.
    pub(crate) fn forget_peer(&self, peer: &Peer) {
        let was_present = {
            // At once: one that parts meanwhile would be put back.
            let peers = &mut *lock(&self.peers);
            peers.parting.remove(&peer.id);
            peers.present.remove(&peer.id).is_some()
        };
        if was_present {
            self.refresh_senders();
        }
    }

    /// Lets the senders look again: what the pattern makes of the peers has changed.
    pub(crate) fn refresh_senders(&self) {
        self.generation.fetch_add(1, Ordering::Release);
        self.writable.notify_waiters();
    }

    /// Goes on from a change in who wants what: wakes the receiver if there is a notice for it, and
    /// the publishers that wait for a peer, which may not want their message any more.
    pub(crate) fn tell(&self, notice: Notice) {
        if notice != Notice::None {
            self.ready.wake_receiver();
        }
        if self.options.publishing.when_full == WhenFull::Wait {
            self.writable.notify_waiters();
        }
    }

    /// The peers of the socket, oldest first.
    pub(crate) fn peers(&self) -> Vec<Arc<Peer>> {
        lock(&self.peers).present.values().cloned().collect()
    }

    /// One peer of the socket.
    pub(crate) fn peer(&self, id: PeerId) -> Option<Arc<Peer>> {
        lock(&self.peers).present.get(&id).cloned()
    }

    /// Runs `visit` on every peer while none can come or go.
    pub(crate) fn for_each_peer(&self, visit: impl FnMut(&Arc<Peer>)) {
        lock(&self.peers).present.values().for_each(visit);
    }

    /// Changes whenever a peer comes or goes.
    #[inline]
    pub(crate) fn generation(&self) -> usize {
        self.generation.load(Ordering::Acquire)
    }

    /// Counts an accepted connection, unless as many as are allowed are open.
    pub(crate) fn try_accept(self: &Arc<Self>) -> Option<AcceptedSlot> {
        let max = self.options.max_connections;
        self.accepted
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| {
                (count < max).then_some(count + 1)
            })
            .ok()
            .map(|_| AcceptedSlot {
                hub: Arc::clone(self),
            })
    }

    /// Begins to close: nothing new is accepted, connected or sent; what is queued goes out until
    /// the linger period is over.
    pub(crate) fn close(&self) {
        if self.linger.set(self.linger_deadline()).is_err() {
            return;
        }
        self.closing.cancel();
        self.tasks.close();
        // One that comes now finds that the socket closes, and so does one that is parted from now.
        for peer in self.driven_peers() {
            peer.outbox.drain();
        }
        self.half_open.evict_all();
        self.ready.close();
        self.writable.notify_waiters();
    }

    /// Whether [`Self::close`] was called, and until when the queues may drain.
    pub(crate) fn linger(&self) -> Linger {
        Linger::from(self.linger.get())
    }

    /// Why a connection ends when it is this socket that wants it.
    pub(crate) fn own_end(&self) -> DisconnectReason {
        match self.linger() {
            Linger::Open => DisconnectReason::Disconnected,
            Linger::Unlimited | Linger::Until(_) => DisconnectReason::SocketClosed,
        }
    }

    /// Begins to part from one peer: what is queued for it goes out until the linger period is over.
    pub(crate) fn part(&self, peer: &Peer) {
        let is_present = {
            let peers = &mut *lock(&self.peers);
            let present = peers.present.remove(&peer.id);
            let is_present = present.is_some();
            // One that is not there has nothing to send, or is gone for good.
            peers.parting.extend(present.map(|it| (peer.id, it)));
            is_present
        };
        if is_present {
            self.refresh_senders();
        }
        peer.part(self.linger_deadline());
    }

    /// The peers whose tasks may wait for something other than this socket; those that were accepted
    /// and shake hands are among the [`HalfOpen`].
    fn driven_peers(&self) -> Vec<Arc<Peer>> {
        // One that nothing is queued for is not present before its handshake is done.
        let mut driven = self.endpoints.linked_peers();
        let peers = lock(&self.peers);
        driven.extend(peers.present.values().cloned());
        driven.extend(peers.parting.values().cloned());
        driven
    }

    /// Until when a queue that begins to drain now may do so.
    fn linger_deadline(&self) -> Option<Instant> {
        let now = tokio::time::Instant::now().into_std();
        // A period beyond all time is none.
        self.queue_options()
            .linger
            .and_then(|linger| now.checked_add(linger))
    }
}

impl fmt::Debug for Hub {
    /// Sockets have one: what they hold, and with whom, is too much for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("socket_type", &self.socket_type)
            .field("peers", &lock(&self.peers).present.len())
            .field("linger", &self.linger())
            .finish_non_exhaustive()
    }
}

/// How long a socket still sends, to all of its peers or to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Linger {
    /// There is no end in sight.
    Open,
    /// Until all is sent.
    Unlimited,
    /// Until all is sent, and no longer than this.
    Until(Instant),
}

impl Linger {
    /// Whichever ends first.
    pub(crate) fn or_sooner(self, other: Self) -> Self {
        match (self, other) {
            (Self::Open, other) | (other, Self::Open) => other,
            (Self::Unlimited, other) | (other, Self::Unlimited) => other,
            (Self::Until(one), Self::Until(other)) => Self::Until(one.min(other)),
        }
    }
}

impl From<Option<&Option<Instant>>> for Linger {
    /// The outer option is whether there is an end, the inner one whether it has a deadline.
    fn from(end: Option<&Option<Instant>>) -> Self {
        match end {
            None => Self::Open,
            Some(None) => Self::Unlimited,
            Some(Some(deadline)) => Self::Until(*deadline),
        }
    }
}

/// The place of one accepted connection; given back on drop.
#[derive(Debug)]
pub(crate) struct AcceptedSlot {
    hub: Arc<Hub>,
}

impl Drop for AcceptedSlot {
    fn drop(&mut self) {
        self.hub.accepted.fetch_sub(1, Ordering::AcqRel);
        self.hub.vacated.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::task::{Context, Wake, Waker};

    use super::*;
    use crate::driver::inbox::FrameBatch;
    use crate::message::Frame;

    /// Looks at the peers of a socket when it is woken, and remembers whether it could.
    struct Looker {
        hub: Arc<Hub>,
        has_looked: AtomicBool,
    }

    impl Wake for Looker {
        fn wake(self: Arc<Self>) {
            let could_look = self.hub.peers.try_lock().is_ok();
            self.has_looked.store(could_look, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_is_woken_by_a_new_mark_finds_no_lock_held() {
        let options = SocketOptions {
            receive_high_water_mark: 1,
            ..SocketOptions::default()
        };
        let hub = Arc::new(Hub::new(SocketType::Pull, options, Arc::new(NoPattern)));
        let peer = hub.new_peer(Retention::Connection);
        hub.insert_peer(&peer);
        let mut batch = FrameBatch::default();
        batch.push(Frame::last("fills it"));
        peer.inbox.publish(&mut batch, &peer, &hub.ready);
        let looker = Arc::new(Looker {
            hub: Arc::clone(&hub),
            has_looked: AtomicBool::new(false),
        });
        let waker = Waker::from(Arc::clone(&looker));
        assert!(peer.inbox.room(&Context::from_waker(&waker)).is_none());
        hub.set_receive_high_water_mark(2);
        assert!(looker.has_looked.load(Ordering::Relaxed));
    }
}
