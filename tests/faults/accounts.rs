//! What was sent and what was received, and what the network may have lost between the two.

use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tests::ledger::{self, Account, Book};
use tests::network::plan::Direction;
use tests::network::proxy::Proxy;
use tokio::time::timeout;
use zmtp::{
    DropReason, Message, MessageReceiver, MessageSender, Part, SocketCounters, SocketHandle,
    TrySendError,
};

use crate::support::{BUFFER, STRIKES, eventually, in_time};

/// As many octets may wait in the four kernel buffers on the way: Linux makes each twice as large as it
/// is asked to.
pub(crate) const BUFFERED: u64 = 4 * 2 * BUFFER as u64;

/// As many octets may a receiver have read behind one that was changed: they count as received.
const READ: u64 = 128 * 1024;

/// As many messages wait for a peer: less than the high-water mark, at which a publisher would drop
/// them for no cut.
pub(crate) const WAITING: usize = 100;

/// What arrives does so within this, mostly.
const SOON: Duration = Duration::from_millis(200);

/// What has been received so far of one sender.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// Every number, once.
    pub(crate) numbers: HashSet<u64>,
    pub(crate) wrong: u64,
    doubled: u64,
    /// By the connection that they came on, where that is known.
    books: HashMap<Option<Bytes>, Book>,
}

impl Received {
    pub(crate) fn enter(&mut self, connection: Option<Bytes>, parts: &[Part]) {
        let Some((_, number)) = ledger::read(parts) else {
            self.wrong += 1;
            return;
        };
        if !self.numbers.insert(number) {
            self.doubled += 1;
        }
        self.books.entry(connection).or_default().enter(number);
    }

    fn has(&self, number: u64) -> bool {
        self.numbers.contains(&number)
    }

    pub(crate) fn count(&self) -> u64 {
        u64::try_from(self.numbers.len()).unwrap()
    }

    /// Returns how many messages came in all.
    pub(crate) fn arrivals(&self) -> u64 {
        self.count() + self.doubled + self.wrong
    }

    /// Returns what the receiver has to say.
    pub(crate) fn account(&self) -> Account {
        Account {
            delivered: self.count(),
            doubled: self.doubled,
            overtaken: self.books.values().map(|book| book.overtaken).sum(),
            wrong: self.wrong,
            ..Account::default()
        }
    }

    /// Returns which of the messages `sent` did not come, and how many runs of them that is.
    pub(crate) fn missing(&self, sent: &[u64]) -> (Vec<u64>, u64) {
        let (mut missing, mut gaps, mut was_missing) = (Vec::new(), 0, false);
        for number in sent {
            let is_missing = !self.numbers.contains(number);
            gaps += u64::from(is_missing && !was_missing);
            was_missing = is_missing;
            if is_missing {
                missing.push(*number);
            }
        }
        (missing, gaps)
    }
}

/// The lengths of messages.
pub(crate) fn lengths(source: u64, numbers: Vec<u64>) -> Vec<u64> {
    let len = |number| u64::try_from(ledger::len(source, number)).unwrap();
    numbers.into_iter().map(len).collect()
}

/// What limits the losses of messages in one direction of one or more networks.
#[derive(Debug)]
pub(crate) struct Losses<'a> {
    pub(crate) account: &'a Account,
    pub(crate) networks: &'a [&'a Proxy],
    pub(crate) direction: Direction,
    /// Octets that senders have sent and receivers have not received.
    pub(crate) swallowed: u64,
    /// The lengths of all messages that did not come.
    pub(crate) missing: Vec<u64>,
}

impl Losses<'_> {
    /// Fails unless the network can have lost what did not come.
    pub(crate) fn assert_possible(mut self) {
        let account = self.account;
        // What did not come was lost in flight, or dropped by who was to send it.
        let missing = u64::try_from(self.missing.len()).unwrap();
        assert!(
            missing <= account.in_flight + account.reported,
            "{missing} missing: {account}"
        );
        let cuts: u64 = self
            .networks
            .iter()
            .map(|network| network.cut_count())
            .sum();
        let changes = self
            .networks
            .iter()
            .map(|network| network.corrupted_count());
        let read_in_vain = changes.sum::<u64>() * READ;
        // Those that were lost in flight fit into the octets that were; of each connection that was
        // cut, one may have arrived in part.
        self.missing.sort_unstable();
        let whole = account.in_flight.saturating_sub(cuts);
        let octets = self.missing.iter().take(usize::try_from(whole).unwrap());
        let at_least = octets.sum::<u64>();
        assert!(
            at_least <= self.swallowed + read_in_vain,
            "{at_least} octets missing, {} lost: {account}",
            self.swallowed
        );
        // Octets are lost in the network, or in the buffers before and behind it.
        let lost = self
            .networks
            .iter()
            .map(|network| network.lost_octets(self.direction));
        let most = lost.sum::<u64>() + cuts * BUFFERED;
        assert!(
            self.swallowed <= most,
            "{} octets lost, at most {most}: {account}",
            self.swallowed
        );
    }
}

/// Receives until it is aborted, and enters messages by their sources.
pub(crate) async fn receive<R>(mut socket: R, received: Vec<Arc<Mutex<Received>>>)
where
    R: MessageReceiver,
{
    while let Ok(message) = poll_fn(|context| socket.poll_recv_with_peer(context)).await {
        let parts: Vec<_> = message.message.iter().cloned().collect();
        if is_notice(&parts) {
            continue;
        }
        let source = ledger::read(&parts).map_or(0, |(source, _)| source);
        let received = usize::try_from(source).ok().and_then(|at| received.get(at));
        let received = received.expect("a source that sends");
        let connection = format!("{:?}", message.peer);
        received
            .lock()
            .unwrap()
            .enter(Some(connection.into()), &parts);
    }
}

/// Whether an XPUB says that somebody subscribes or cancels.
fn is_notice(parts: &[Part]) -> bool {
    matches!(parts, [only] if matches!(only.first(), Some(0 | 1)))
}

/// Where messages go while a bound socket has the connection that was cut and the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overlap {
    /// To one or the other, so that runs of messages may be missing between others.
    InTurn,
    /// To both, or there is no such time: what was sent after the first that came is there.
    No,
}

/// What a socket does with a message while there is nobody to send it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenAlone {
    /// It does not take the message: PUSH, DEALER and PAIR. One that was taken is to arrive.
    Waits,
    /// It takes the message for nobody: PUB, XPUB and XSUB.
    Drops,
}

/// What is known of a pattern.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pattern {
    pub(crate) name: &'static str,
    pub(crate) overlap: Overlap,
    pub(crate) when_alone: WhenAlone,
}

/// How many messages a socket has dropped that it was to send.
pub(crate) fn dropped_outgoing(counters: &SocketCounters) -> u64 {
    counters.dropped.total() - counters.dropped.count(DropReason::Incomplete)
}

/// Fails if a receiver has dropped other messages than those of which a part had come when their
/// connection ended, which are one of each at most.
pub(crate) fn assert_torn_at_cuts(receiver: &SocketCounters, account: &Account) {
    let torn = receiver.dropped.count(DropReason::Incomplete);
    assert!(torn <= account.cuts, "{torn} incomplete: {account}");
    // Its sender may have written all of it, or know that it has not.
    let lost = account.in_flight + account.reported;
    assert!(torn <= lost, "{torn} incomplete: {account}");
}

/// How many messages a socket has taken for others: those that it has dropped are known to be.
fn taken_count(counters: &SocketCounters) -> u64 {
    let queued = u64::try_from(counters.queued.outgoing).unwrap();
    counters.sent.messages + dropped_outgoing(counters) + queued
}

/// Waits until `count` messages, or more, are sent or dropped.
pub(crate) async fn sent_or_dropped(sender: &SocketHandle, count: u64) {
    eventually("everything is sent or dropped", || {
        let counters = sender.counters();
        let known = counters.sent.messages + dropped_outgoing(&counters);
        counters.queued.outgoing == 0 && known >= count
    })
    .await;
}

/// Waits until everything that has come to a socket is entered.
pub(crate) async fn all_received(receiver: &SocketHandle, received: &[&Mutex<Received>]) {
    eventually("everything that came is received", || {
        let arrivals = received.iter().map(|one| one.lock().unwrap().arrivals());
        arrivals.sum::<u64>() == receiver.counters().received.messages
    })
    .await;
}

/// What a socket has taken of what it was to send.
#[derive(Debug, Default)]
pub(crate) struct Accepted {
    /// The messages that somebody is to get.
    pub(crate) numbers: Vec<u64>,
    /// As many are to be sent: a publisher sends a message once to each that is there.
    pub(crate) copies: u64,
}

/// Who sends to whom, through what.
pub(crate) struct Sending<'a> {
    /// Its number in messages.
    pub(crate) source: u64,
    pub(crate) at: &'a SocketHandle,
    pub(crate) network: &'a Proxy,
    pub(crate) received: &'a Mutex<Received>,
    pub(crate) when_alone: WhenAlone,
}

impl Sending<'_> {
    /// Sends while there is room until the network has broken often enough, and then until messages
    /// arrive again; returns what somebody was there for.
    ///
    /// Nobody else may have a turn between looking at the counters of a socket and sending: all of
    /// this lives on one thread.
    pub(crate) async fn send_all(self, sender: &mut impl MessageSender) -> Accepted {
        let mut accepted = Accepted::default();
        let mut number = 0;
        // Returns the number that is next, and that of the last message that was taken.
        let mut next = async || {
            if self.at.counters().queued.outgoing >= WAITING {
                tokio::time::sleep(Duration::from_millis(1)).await;
            } else {
                let message = ledger::message(self.source, number);
                let copies = self.offer(sender, message).await;
                if copies > 0 {
                    accepted.numbers.push(number);
                    accepted.copies += copies;
                }
                number += 1;
            }
            // The connections and the receiver live on the same thread.
            tokio::task::yield_now().await;
            (number, accepted.numbers.last().copied())
        };
        in_time("the network breaks", async {
            while self.network.cut_count() < STRIKES {
                next().await;
            }
        })
        .await;
        in_time("the network calms down", self.network.calm_down()).await;
        let (calm, _) = next().await;
        in_time("messages arrive again, and the last one too", async {
            let mut last = None;
            // What comes first may have been on its way for long, and the last one may be sent over a
            // connection that is about to end.
            while last.is_none_or(|last| last < calm + 50) || !self.arrives(last).await {
                (_, last) = next().await;
            }
        })
        .await;
        accepted
    }

    /// Whether message `number` has arrived, or does so soon.
    async fn arrives(&self, number: Option<u64>) -> bool {
        let arrival = async {
            while number.is_some_and(|number| !self.received.lock().unwrap().has(number)) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(SOON, arrival).await.is_ok()
    }

    /// Sends a message, and returns to how many; waits for a moment if there is no room.
    async fn offer(&self, sender: &mut impl MessageSender, message: Message) -> u64 {
        let writable = sender.writable();
        let before = taken_count(&self.at.counters());
        match sender.try_send_message(message) {
            Ok(()) => {
                let counters = self.at.counters();
                let copies = taken_count(&counters) - before;
                // REQREP-035
                assert!(
                    self.when_alone == WhenAlone::Drops || copies == 1,
                    "a message that was taken is to be sent {copies} times: {counters:?}"
                );
                return copies;
            }
            Err(TrySendError::Full(_)) => {}
            Err(error) => panic!("{error}"),
        }
        let _ = timeout(Duration::from_millis(5), writable).await;
        0
    }
}
