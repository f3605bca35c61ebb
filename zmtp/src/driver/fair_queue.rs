//! Receives from all peers of a socket in turn (L3).

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::task::coop;

use super::busy_wait::BusyWait;
use super::hub::Hub;
use super::peer::{Peer, PeerId};
use super::ready_set::{KEPT_PEERS, ReadySetClosed};
use crate::message::{Frame, Message, More, Part};
use crate::session::PeerInfo;

/// The receiving end of a socket: one message from each peer in turn (`PIPE`, `REQREP`).
///
/// It works on private batches that it swaps out of the peers' inboxes, so that most messages cost
/// no lock at all.
#[derive(Debug)]
pub(crate) struct FairQueue {
    hub: Arc<Hub>,
    /// The peers of this round; it is the turn of the first.
    active: VecDeque<ActivePeer>,
    /// Messages that were received and that the runtime was not yet asked for time for.
    unpaid: usize,
    /// Messages that were taken since the connections were last told of progress.
    unreported: usize,
    busy_wait: BusyWait,
}

/// A peer that has messages, or had some a moment ago.
struct ActivePeer {
    peer: Arc<Peer>,
    routing_id: Part,
    frames: VecDeque<Frame>,
    /// Once so few frames are left, the connection may already bring the next ones.
    credit_at: usize,
    /// Who sent `frames`, once somebody has asked.
    info: Option<Arc<PeerInfo>>,
}

impl fmt::Debug for ActivePeer {
    /// Leaves out the messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActivePeer")
            .field("peer", &self.peer.id)
            .field("frames", &self.frames.len())
            .finish_non_exhaustive()
    }
}

/// A message and where it came from.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) peer: PeerId,
    pub(crate) message: Message,
}

/// What a receiver wants to see in front of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Envelope {
    /// The message as it came.
    Plain,
    /// The routing id of its peer first.
    RoutingId,
}

/// So many frames, at least, are left for after the turn that the connection gets between them.
const WORTH_A_TURN: usize = 8;

/// A task has 128 ticks until it lets others run: so it receives about a thousand messages in a turn,
/// of one peer or of many. With a tick for each message, a receiver that a thousand peers send to would
/// get through a few of them in a turn, while all of them bring more.
const MESSAGES_PER_TICK: usize = 8;

/// After so many messages the connections are told that the receiver works on.
const MESSAGES_PER_REPORT: usize = 8;

impl FairQueue {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self {
            busy_wait: BusyWait::new(hub.options.busy_wait),
            hub,
            active: VecDeque::new(),
            unpaid: 0,
            unreported: 0,
        }
    }

    /// Takes the next message; `None` when there is none now. Nothing is asked of the runtime: who
    /// takes messages so ends its turns itself.
    #[inline]
    pub(crate) fn pop(&mut self, envelope: Envelope) -> Option<Received> {
        let Some((active, body)) = pop_in_batch(&mut self.active, &self.hub) else {
            return self.pop_next_batch(envelope);
        };
        Some(Received {
            peer: active.peer.id,
            message: match envelope {
                Envelope::Plain => Message::from(body),
                Envelope::RoutingId => Message::of_two(active.routing_id.clone(), body),
            },
        })
    }

    /// Takes the next message of a single part from a single busy peer, if it is at hand: the common
    /// case, and the one that counts. It needs no task context, and is for who then waits with
    /// [`Self::poll_pop`]: that is where the turn ends.
    ///
    /// The body comes as it is: put into a message here, all of the message would be moved again.
    // Not inlined, it would hand the body over in memory, and it is moved on at once.
    #[inline(always)]
    pub(crate) fn pop_body_in_turn(&mut self) -> Option<(PeerId, Part)> {
        let (active, body) = pop_in_batch(&mut self.active, &self.hub)?;
        self.unpaid += 1;
        Some((active.peer.id, body))
    }

    /// As [`Self::pop_body_in_turn`], with the routing id of the peer in front of the body.
    #[inline(always)]
    pub(crate) fn pop_routed_in_turn(&mut self) -> Option<(Part, Part)> {
        let (active, body) = pop_in_batch(&mut self.active, &self.hub)?;
        self.unpaid += 1;
        Some((active.routing_id.clone(), body))
    }

    #[inline(never)]
    fn pop_next_batch(&mut self, envelope: Envelope) -> Option<Received> {
        loop {
            if self.hub.ready.has_peers() {
                self.admit_ready_peers();
            }
            let active = self.active.front_mut()?;
            if active.frames.len() <= active.credit_at {
                if active.frames.is_empty() {
                    self.refill();
                    continue;
                }
                active.credit_at = 0;
                active.peer.inbox.credit();
            }
            let peer = active.peer.id;
            let message = match envelope {
                Envelope::Plain => pop_message(None, &mut active.frames),
                Envelope::RoutingId => {
                    pop_message(Some(active.routing_id.clone()), &mut active.frames)
                }
            };
            if self.active.len() > 1 {
                self.active.rotate_left(1);
            }
            self.unreported += 1;
            if self.unreported >= MESSAGES_PER_REPORT {
                self.unreported = 0;
                self.hub.ready.proceed();
            }
            return Some(Received { peer, message });
        }
    }

    /// Waits for the next message.
    pub(crate) fn poll_pop(
        &mut self,
        context: &mut Context<'_>,
        envelope: Envelope,
    ) -> Poll<Result<Received, ReadySetClosed>> {
        // A receiver that always finds something still lets others have their turn.
        while self.unpaid >= MESSAGES_PER_TICK {
            ready!(coop::poll_proceed(context)).made_progress();
            self.unpaid -= MESSAGES_PER_TICK;
        }
        if self.gives_way() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            if let Some(received) = self.pop(envelope) {
                self.unpaid += 1;
                return Poll::Ready(Ok(received));
            }
            let ready = self.hub.ready.poll_ready(context);
            if ready.is_pending() {
                self.busy_wait.look_again(context);
            }
            ready!(ready)?;
        }
    }

    /// Whether the connection should be let in: half of what it brought is worked through, and what
    /// was sent for that lies there. The other side may work on it while this one does the rest;
    /// otherwise the two would take turns, and only one of them work at any time.
    fn gives_way(&mut self) -> bool {
        match self.active.front_mut() {
            Some(active) if active.frames.len() <= active.credit_at => {
                let left = active.frames.len();
                active.credit_at = 0;
                if left > 0 {
                    active.peer.inbox.credit();
                }
                left >= WORTH_A_TURN && !active.peer.outbox.is_empty()
            }
            _ => false,
        }
    }

    /// Who sent the message that was popped last.
    ///
    /// A peer gets no message into its inbox before it is known who it is.
    pub(crate) fn info_of_last(&mut self) -> Option<Arc<PeerInfo>> {
        // Its peer is the only one, or had its turn and is the last.
        let active = self.active.back_mut()?;
        if active.info.is_none() {
            active.info = active.peer.inbox.taken_info();
        }
        active.info.clone()
    }

    /// Swaps in the next batch of the peer whose turn it is; a peer without one leaves the round.
    fn refill(&mut self) {
        let Some(active) = self.active.front_mut() else {
            return;
        };
        if let Some(routing_id) = active.peer.inbox.take(&mut active.frames) {
            active.routing_id = routing_id;
            active.credit_at = active.frames.len() / 2;
            active.info = None;
            self.busy_wait.found();
        } else {
            self.active.pop_front();
            self.hub.ready.finish(1);
            if self.active.is_empty() && self.active.capacity() > KEPT_PEERS {
                self.active = VecDeque::new();
            }
        }
    }

    #[cold]
    fn admit_ready_peers(&mut self) {
        let active = &mut self.active;
        self.hub.ready.drain(|peer| {
            active.push_back(ActivePeer {
                peer,
                routing_id: Part::default(),
                frames: VecDeque::new(),
                credit_at: 0,
                info: None,
            });
        });
    }
}

impl Drop for FairQueue {
    /// Nobody is to wait for a receiver that is gone.
    fn drop(&mut self) {
        self.hub.ready.finish(self.active.len());
    }
}

/// Takes the next message of a single part from a single busy peer, if it is at hand.
#[inline(always)]
fn pop_in_batch<'a>(
    active: &'a mut VecDeque<ActivePeer>,
    hub: &Hub,
) -> Option<(&'a ActivePeer, Part)> {
    if active.len() != 1 {
        return None;
    }
    let active = active.front_mut()?;
    if active.frames.len() <= active.credit_at
        || active.frames.front()?.more == More::More
        || hub.ready.has_peers()
    {
        return None;
    }
    let body = active.frames.pop_front()?.body;
    Some((active, body))
}

/// Assembles the message at the head of `frames`, which hold whole messages only.
fn pop_message(routing_id: Option<Part>, frames: &mut VecDeque<Frame>) -> Message {
    let Some(first) = frames.pop_front() else {
        return Message::new();
    };
    let mut more = first.more;
    let mut message = match routing_id {
        None => Message::from(first.body),
        Some(routing_id) => Message::of_two(routing_id, first.body),
    };
    while more == More::More {
        let Some(frame) = frames.pop_front() else {
            break;
        };
        more = frame.more;
        message.push_back(frame.body);
    }
    message
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Waker;
    use std::time::Instant;

    use super::*;
    use crate::driver::hub::NoPattern;
    use crate::driver::inbox::FrameBatch;
    use crate::driver::options::SocketOptions;
    use crate::driver::peer::Retention;
    use crate::driver::ready_set::{GivenWay, MAX_WAITING};
    use crate::pattern::SocketType;

    const FRAMES: usize = 4 * WORTH_A_TURN;

    /// Returns after how many messages of a batch the receiver let others have their turn, where
    /// `answer` handles each of them.
    fn turns(answer: impl Fn(&Peer)) -> Vec<usize> {
        let options = SocketOptions::default();
        let hub = Arc::new(Hub::new(SocketType::Router, options, Arc::new(NoPattern)));
        let peer = hub.new_peer(Retention::Connection);
        let mut batch = FrameBatch::default();
        for _ in 0..FRAMES {
            batch.push(Frame::last("request"));
        }
        peer.inbox.publish(&mut batch, &peer, &hub.ready);
        let mut queue = FairQueue::new(Arc::clone(&hub));
        let mut context = Context::from_waker(Waker::noop());
        let (mut turns, mut received) = (Vec::new(), 0);
        while received < FRAMES {
            match queue.poll_pop(&mut context, Envelope::Plain) {
                Poll::Pending => turns.push(received),
                Poll::Ready(Err(_closed)) => panic!("nobody closed it"),
                Poll::Ready(Ok(_)) => {
                    received += 1;
                    answer(&peer);
                }
            }
        }
        turns
    }

    #[test]
    fn answers_to_the_first_half_of_a_batch_leave_before_the_rest_is_worked_through() {
        let answer = |peer: &Peer| {
            assert!(peer.outbox.try_push(&[], &Message::from("reply")).is_ok());
        };
        assert_eq!(turns(answer), [FRAMES / 2]);
    }

    #[test]
    fn who_only_receives_gives_way_to_nobody() {
        assert!(turns(|_peer| {}).is_empty());
    }

    /// The socket of a receiver that so many peers have sent so many messages each.
    fn hub_with(peers: usize, frames: usize) -> Arc<Hub> {
        let options = SocketOptions::default();
        let hub = Arc::new(Hub::new(SocketType::Pull, options, Arc::new(NoPattern)));
        for _ in 0..peers {
            let peer = hub.new_peer(Retention::Connection);
            let mut batch = FrameBatch::default();
            for _ in 0..frames {
                batch.push(Frame::last("message"));
            }
            peer.inbox.publish(&mut batch, &peer, &hub.ready);
        }
        hub
    }

    /// Returns how many messages a receiver takes until its task lets others run.
    async fn taken_in_one_turn(peers: usize, frames: usize) -> usize {
        let mut queue = FairQueue::new(hub_with(peers, frames));
        poll_fn(|context| {
            let mut taken = 0;
            while let Poll::Ready(Ok(_)) = queue.poll_pop(context, Envelope::Plain) {
                taken += 1;
            }
            Poll::Ready(taken)
        })
        .await
    }

    #[tokio::test]
    async fn what_a_hundred_peers_have_sent_is_received_in_one_turn() {
        assert_eq!(taken_in_one_turn(100, 10).await, 1000);
    }

    #[tokio::test]
    async fn a_receiver_that_always_finds_something_lets_others_run() {
        for (peers, frames) in [(100, 1000), (10_000, 10), (1, 100_000)] {
            // The turn before has used its time up.
            tokio::task::yield_now().await;
            let taken = taken_in_one_turn(peers, frames).await;
            assert!((1000..2000).contains(&taken), "{taken} of {peers}");
        }
    }

    #[tokio::test]
    async fn messages_that_need_no_task_context_count_as_well() {
        let hub = hub_with(1, 100_000);
        let mut queue = FairQueue::new(hub);
        poll_fn(|context| {
            let mut taken = 0;
            loop {
                while queue.pop_body_in_turn().is_some() {
                    taken += 1;
                }
                if queue.poll_pop(context, Envelope::Plain).is_pending() {
                    break;
                }
                taken += 1;
            }
            // A batch that is at hand is worked through, and half of it before others are asked.
            assert!((50_000..=50_002).contains(&taken), "{taken}");
            Poll::Ready(())
        })
        .await;
    }

    #[test]
    fn connections_hear_of_progress_however_messages_are_taken() {
        let hub = hub_with(MAX_WAITING, 10);
        let mut queue = FairQueue::new(Arc::clone(&hub));
        let (mut given_way, now) = (GivenWay::default(), Instant::now());
        for _ in 0..4 {
            assert!(hub.ready.goes_first(&mut given_way, now));
            for _ in 0..MESSAGES_PER_REPORT {
                assert!(queue.pop(Envelope::Plain).is_some());
            }
        }
        assert!(hub.ready.goes_first(&mut given_way, now));
        assert!(!hub.ready.goes_first(&mut given_way, now), "no progress");
    }

    #[test]
    fn nobody_waits_for_a_receiver_that_is_gone() {
        let hub = hub_with(MAX_WAITING, 10);
        let mut queue = FairQueue::new(Arc::clone(&hub));
        assert!(queue.pop(Envelope::Plain).is_some());
        drop(queue);
        assert!(
            !hub.ready
                .goes_first(&mut GivenWay::default(), Instant::now())
        );
    }
}
