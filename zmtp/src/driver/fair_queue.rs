//! Receives from all peers of a socket in turn (L3).

use std::collections::VecDeque;
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
    /// Frames that were taken out of inboxes since the runtime was last asked for time.
    taken: usize,
    busy_wait: BusyWait,
}

/// A peer that has messages, or had some a moment ago.
#[derive(Debug)]
struct ActivePeer {
    peer: Arc<Peer>,
    routing_id: Part,
    frames: VecDeque<Frame>,
    /// Once so few frames are left, the connection may already bring the next ones.
    credit_at: usize,
    /// Who sent `frames`, once somebody has asked.
    info: Option<Arc<PeerInfo>>,
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

/// A task has 128 ticks until it lets others run. With one for each message, a receiver that a thousand
/// peers send to would get through a few of them in a turn, while all of them bring more.
const FRAMES_PER_TICK: usize = 64;

impl FairQueue {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self {
            busy_wait: BusyWait::new(hub.options.busy_wait),
            hub,
            active: VecDeque::new(),
            taken: 0,
        }
    }

    /// Takes the next message; `None` when there is none now.
    #[inline]
    pub(crate) fn pop(&mut self, envelope: Envelope) -> Option<Received> {
        match self.pop_in_batch(envelope) {
            Some(received) => Some(received),
            None => self.pop_next_batch(envelope),
        }
    }

    /// Takes the next message of a single part from a single busy peer, if it is at hand: the common
    /// case, and the one that counts. It needs no task context, and no turn ends with it.
    // Not inlined, it would hand the message over in memory, and it is moved on at once.
    #[inline(always)]
    pub(crate) fn pop_in_batch(&mut self, envelope: Envelope) -> Option<Received> {
        if self.active.len() != 1 {
            return None;
        }
        let active = self.active.front_mut()?;
        if active.frames.len() <= active.credit_at
            || active.frames.front()?.more == More::More
            || self.hub.ready.has_peers()
        {
            return None;
        }
        let body = active.frames.pop_front()?.body;
        Some(Received {
            peer: active.peer.id,
            message: match envelope {
                Envelope::Plain => Message::from(body),
                Envelope::RoutingId => Message::from([active.routing_id.clone(), body]),
            },
        })
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
        if self.taken >= FRAMES_PER_TICK {
            let tick = ready!(coop::poll_proceed(context));
            tick.made_progress();
            self.taken = 0;
            self.hub.ready.proceed();
        }
        if self.gives_way() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            if let Some(received) = self.pop(envelope) {
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
            self.taken += active.frames.len();
            active.info = None;
            self.busy_wait.found();
        } else {
            self.active.pop_front();
            self.hub.ready.finish();
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

/// Assembles the message at the head of `frames`, which hold whole messages only.
fn pop_message(routing_id: Option<Part>, frames: &mut VecDeque<Frame>) -> Message {
    let Some(first) = frames.pop_front() else {
        return Message::new();
    };
    let mut more = first.more;
    let mut message = match routing_id {
        None => Message::from(first.body),
        Some(routing_id) => Message::from([routing_id, first.body]),
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

    use super::*;
    use crate::driver::hub::NoPattern;
    use crate::driver::inbox::FrameBatch;
    use crate::driver::options::SocketOptions;
    use crate::driver::peer::Retention;
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

    /// Returns how many messages a receiver takes until its task lets others run, where so many peers
    /// have sent so many each.
    async fn taken_in_one_turn(peers: usize, frames: usize) -> usize {
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
        let mut queue = FairQueue::new(hub);
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
    async fn what_hundreds_of_peers_have_sent_is_received_in_one_turn() {
        assert_eq!(taken_in_one_turn(300, 10).await, 3000);
    }

    #[tokio::test]
    async fn a_receiver_that_always_finds_something_lets_others_run() {
        assert!(taken_in_one_turn(300, 100).await < 30_000);
    }
}
