//! What waits for the receiver, and whom it is told of.

use std::future::Future as _;
use std::pin::pin;
use std::task::Wake;

use super::*;
use crate::driver::hub::NoPattern;
use crate::driver::options::SocketOptions;
use crate::driver::peer::{PeerId, Retention};
use crate::driver::queue_limits::PeerLimits;
use crate::pattern::SocketType;
use crate::session::{SessionConfig, Side};
use crate::wire::metadata::Resource;

fn peer(high_water_mark: usize) -> Arc<Peer> {
    let limits = QueueLimits {
        messages: high_water_mark,
        bytes: 1000 * size_of::<Frame>(),
    };
    let limits = PeerLimits {
        send: limits,
        receive: limits,
    };
    let id = PeerId::new(1);
    Arc::new(Peer::new(id, Retention::Connection, limits, Arc::default()))
}

fn batch(bodies: &[&str]) -> FrameBatch {
    let mut batch = FrameBatch::default();
    for body in bodies {
        batch.push(Frame::last(*body));
    }
    batch
}

fn room(peer: &Peer) -> usize {
    peer.inbox
        .room(&Context::from_waker(Waker::noop()))
        .messages
}

#[test]
fn what_the_receiver_has_taken_still_counts_towards_the_mark() {
    let (peer, ready) = (peer(3), ReadySet::default());
    peer.inbox.publish(&mut batch(&["a", "b"]), &peer, &ready);
    assert_eq!(room(&peer), 1);
    let mut frames = VecDeque::new();
    assert!(peer.inbox.take(&mut frames).is_some());
    assert_eq!(room(&peer), 1);
    peer.inbox.credit();
    assert_eq!(room(&peer), 3);
}

#[test]
fn a_peer_is_listed_once_until_its_inbox_was_found_empty() {
    let (peer, ready) = (peer(10), ReadySet::default());
    let listed = |ready: &ReadySet| {
        let mut count = 0;
        ready.drain(|_peer| count += 1);
        count
    };
    peer.inbox.publish(&mut batch(&["a"]), &peer, &ready);
    peer.inbox.publish(&mut batch(&["b"]), &peer, &ready);
    assert_eq!(listed(&ready), 1);
    let mut frames = VecDeque::new();
    assert!(peer.inbox.take(&mut frames).is_some());
    peer.inbox.publish(&mut batch(&["c"]), &peer, &ready);
    assert_eq!(listed(&ready), 0);
    frames.clear();
    assert!(peer.inbox.take(&mut frames).is_some());
    frames.clear();
    assert!(peer.inbox.take(&mut frames).is_none());
    peer.inbox.publish(&mut batch(&["d"]), &peer, &ready);
    assert_eq!(listed(&ready), 1);
}

#[test]
fn empty_parts_are_charged_the_memory_they_take() {
    let (peer, ready) = (peer(usize::MAX), ReadySet::default());
    peer.inbox.publish(&mut batch(&[""; 1000]), &peer, &ready);
    let room = peer.inbox.room(&Context::from_waker(Waker::noop()));
    assert!(room.is_none());
}

#[test]
fn parts_are_handed_over_only_with_the_last_one() {
    let (peer, ready) = (peer(10), ReadySet::default());
    let mut batch = FrameBatch::default();
    batch.push(Frame::last("whole"));
    batch.push(Frame::more("half"));
    peer.inbox.publish(&mut batch, &peer, &ready);
    let mut frames = VecDeque::new();
    peer.inbox.take(&mut frames);
    assert_eq!(frames, [Frame::last("whole")]);
    batch.push(Frame::last("done"));
    peer.inbox.publish(&mut batch, &peer, &ready);
    frames.clear();
    peer.inbox.take(&mut frames);
    assert_eq!(frames, [Frame::more("half"), Frame::last("done")]);
}

#[test]
fn what_is_dropped_leaves_the_parts_of_a_message_that_is_still_coming() {
    let mut batch = FrameBatch::default();
    batch.push(Frame::last("whole"));
    batch.push(Frame::more("half"));
    batch.discard();
    assert_eq!(batch.message_count(), 0);
    batch.push(Frame::last("done"));
    assert_eq!(batch.message_count(), 1);
    let frames: Vec<_> = batch.into_frames().collect();
    assert_eq!(frames, [Frame::more("half"), Frame::last("done")]);
}

#[test]
fn a_message_that_never_ends_leaves_those_before_it() {
    let mut batch = FrameBatch::default();
    batch.push(Frame::last("whole"));
    batch.push(Frame::more("half"));
    assert_eq!(batch.drop_unfinished_message(), 1);
    assert_eq!(batch.drop_unfinished_message(), 0);
    let frames: Vec<_> = batch.into_frames().collect();
    assert_eq!(frames, [Frame::last("whole")]);
}

fn info(resource: &str) -> Arc<PeerInfo> {
    let mut theirs = SessionConfig::new(SocketType::Push, Side::Connector);
    theirs.resource = Some(Resource::new(resource.as_bytes()).unwrap());
    Arc::new(PeerInfo::in_process(SocketType::Pull, &theirs).unwrap())
}

#[test]
fn what_was_left_by_an_earlier_connection_is_taken_first_and_is_still_its_own() {
    let (peer, ready) = (peer(10), ReadySet::default());
    let (alice, bob) = (info("alice"), info("bob"));
    peer.inbox.introduce(&alice);
    peer.inbox.publish(&mut batch(&["a"]), &peer, &ready);
    let mut frames = VecDeque::new();
    assert!(peer.inbox.take(&mut frames).is_some());
    peer.inbox.publish(&mut batch(&["b"]), &peer, &ready);
    peer.inbox.introduce(&bob);
    peer.inbox.publish(&mut batch(&["c"]), &peer, &ready);
    assert_eq!(peer.inbox.queued(), 3);
    assert_eq!(room(&peer), 7);
    assert_eq!(peer.inbox.taken_info(), Some(Arc::clone(&alice)));
    for (body, sender) in [("b", &alice), ("c", &bob)] {
        frames.clear();
        assert!(peer.inbox.take(&mut frames).is_some());
        assert_eq!(frames, [Frame::last(body)]);
        assert_eq!(peer.inbox.taken_info().as_ref(), Some(sender));
    }
    frames.clear();
    assert!(peer.inbox.take(&mut frames).is_none());
    assert_eq!(room(&peer), 10);
    assert_eq!(peer.inbox.taken_info(), Some(bob));
}

#[test]
fn an_inbox_that_keeps_the_last_message_drops_what_earlier_connections_have_left() {
    let limits = PeerLimits {
        send: QueueLimits::LAST_MESSAGE,
        receive: QueueLimits::LAST_MESSAGE,
    };
    let tally = Arc::default();
    let id = PeerId::new(1);
    let peer = Peer::new(id, Retention::Queue, limits, Arc::clone(&tally));
    let (peer, ready) = (Arc::new(peer), ReadySet::default());
    let bob = info("bob");
    peer.inbox.introduce(&info("alice"));
    peer.inbox.publish(&mut batch(&["a"]), &peer, &ready);
    peer.inbox.introduce(&bob);
    assert_eq!(peer.inbox.queued(), 1);
    peer.inbox.publish(&mut batch(&["b"]), &peer, &ready);
    assert_eq!(tally.dropped(DropReason::Conflated), 1);
    let mut frames = VecDeque::new();
    assert!(peer.inbox.take(&mut frames).is_some());
    assert_eq!(frames, [Frame::last("b")]);
    assert_eq!(peer.inbox.taken_info(), Some(bob));
    frames.clear();
    assert!(peer.inbox.take(&mut frames).is_none());
}

#[test]
fn a_connection_that_has_ended_keeps_its_place_until_all_is_received_and_told() {
    // So many places are left beside those of the inbox.
    const OTHERS: usize = 63;
    let unreceived = Unreceived::default();
    let _others: Vec<_> = (0..OTHERS).map(|_| unreceived.take_place()).collect();
    let is_full = || unreceived.is_full(0);
    let ready = ReadySet::default();

    let silent = peer(10);
    silent.inbox.outlive_connection(&unreceived);
    assert!(!is_full());

    let peer = peer(10);
    peer.inbox.charge_notice(1);
    peer.inbox.charge_departure();
    peer.inbox.publish(&mut batch(&["a"]), &peer, &ready);
    peer.inbox.outlive_connection(&unreceived);
    let mut frames = VecDeque::new();
    assert!(peer.inbox.take(&mut frames).is_some());
    frames.clear();
    assert!(peer.inbox.take(&mut frames).is_none());
    assert!(is_full());
    peer.inbox.credit_notice(1);
    assert!(is_full());
    peer.inbox.credit_departure();
    assert!(!is_full());
}

/// Looks into an inbox when it is woken, and remembers whether it could.
struct Looker {
    peer: Arc<Peer>,
    has_looked: AtomicBool,
}

impl Wake for Looker {
    fn wake(self: Arc<Self>) {
        let could_look = self.peer.inbox.state.try_lock().is_ok();
        self.has_looked.store(could_look, Ordering::Relaxed);
    }
}

#[test]
fn senders_of_this_process_that_are_woken_find_no_lock_held() {
    let hub = |socket_type| {
        let options = SocketOptions {
            send_high_water_mark: 1,
            receive_high_water_mark: 1,
            ..SocketOptions::default()
        };
        Arc::new(Hub::new(socket_type, options, Arc::new(NoPattern)))
    };
    let (sender, receiver) = (hub(SocketType::Push), hub(SocketType::Pull));
    let peer = receiver.new_peer_in_process(Retention::Connection);
    let sending = sender.new_peer_in_process(Retention::Queue);
    let pipe = sending.outbox.pipe().unwrap();
    pipe.connect(&receiver, &peer);
    let could_look = |make_room: &dyn Fn()| {
        while pipe.push(&[], &[Part::from("fills it")]).is_ok() {}
        let looker = Arc::new(Looker {
            peer: Arc::clone(&peer),
            has_looked: AtomicBool::new(false),
        });
        let waker = Waker::from(Arc::clone(&looker));
        let mut waiting = pin!(sender.writable.notified());
        let mut context = Context::from_waker(&waker);
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        make_room();
        looker.has_looked.load(Ordering::Relaxed)
    };
    assert!(could_look(&|| {
        for _ in 0..2 {
            let _ = peer.inbox.take(&mut VecDeque::new());
        }
    }));
    assert!(could_look(&|| peer.inbox.disconnect(&peer, &receiver)));
}
