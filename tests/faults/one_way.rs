//! Messages in one direction, of every pattern that has one.

use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tests::ledger::{self, Account, Book};
use tests::network::plan::{Direction, Fault};
use tests::network::proxy::Proxy;
use tests::random::Random;
use zmtp::{
    DealerSocket, MessageReceiver, MessageSender, PairSocket, Part, PubSocket, PullSocket,
    PushSocket, Socket, SubSocket, XPubSocket, XSubSocket,
};

use crate::support::{
    Bound, STRIKES, Secured, Traffic, eventually, in_time, network, random, send,
};

/// What has been received so far.
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

    /// Fails unless the network can have lost what did not come of the messages `sent`.
    pub(crate) fn assert_losses(&self, sent: impl Iterator<Item = u64>, losses: &Losses<'_>) {
        let (network, account) = (losses.network, losses.account);
        let cuts = network.struck_count();
        let (mut missing, mut gaps, mut was_missing) = (Vec::new(), 0, false);
        for number in sent {
            let is_missing = !self.numbers.contains(&number);
            gaps += u64::from(is_missing && !was_missing);
            was_missing = is_missing;
            if is_missing {
                missing.push(ledger::len(0, number));
            }
        }
        // Those that were lost in flight fit into the octets that were; of each connection that was
        // cut, one may have arrived in part.
        missing.sort_unstable();
        let whole = account.in_flight.saturating_sub(cuts);
        let octets = missing.iter().take(usize::try_from(whole).unwrap());
        let at_least = u64::try_from(octets.sum::<usize>()).unwrap();
        assert!(
            at_least <= losses.swallowed,
            "{at_least} octets missing, {} lost: {account}",
            losses.swallowed
        );
        // Octets are lost in the network, or in the buffers before and behind it.
        let most = network.lost_octets(losses.direction) + cuts * BUFFERED;
        assert!(
            losses.swallowed <= most,
            "{} octets lost, at most {most}: {account}",
            losses.swallowed
        );
        if let Some(others) = losses.gaps_beside_cuts {
            assert!(gaps <= cuts + others, "{gaps} gaps: {account}");
        }
    }
}

/// What limits the losses of messages in one direction.
#[derive(Debug)]
pub(crate) struct Losses<'a> {
    pub(crate) account: &'a Account,
    pub(crate) network: &'a Proxy,
    pub(crate) direction: Direction,
    /// Octets that one socket has sent and the other has not received.
    pub(crate) swallowed: u64,
    /// As many runs of messages may be missing that no cut explains. Nothing if messages are not
    /// sent over one connection after the other.
    pub(crate) gaps_beside_cuts: Option<u64>,
}

/// As many octets may wait in the four kernel buffers on the way: Linux makes each twice as large as it
/// is asked to.
const BUFFERED: u64 = 4 * 2 * 4096;

/// As many messages of a publisher may wait: less than its high-water mark, at which it would drop
/// them for no cut.
const WAITING: usize = 100;

/// Receives until it is aborted.
pub(crate) async fn receive<R>(mut socket: R, received: Arc<Mutex<Received>>)
where
    R: Socket + MessageReceiver,
{
    while let Ok(message) = poll_fn(|context| socket.poll_recv_with_peer(context)).await {
        let parts: Vec<_> = message.message.iter().cloned().collect();
        let connection = format!("{:?}", message.peer);
        received
            .lock()
            .unwrap()
            .enter(Some(connection.into()), &parts);
    }
}

/// Whether a message that nobody is there for is sent when somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Absent {
    Waits,
    Misses,
}

/// Sends through a network that breaks, until it has done so often enough, and does the accounts.
async fn run<S, R>(
    pattern: &'static str,
    (mut sender, receiver): (S, R),
    bound: Bound,
    absent: Absent,
    random: Random,
) where
    S: Socket + MessageSender,
    R: Socket + MessageReceiver + 'static,
{
    let network = match bound {
        Bound::Receiver => network(&receiver, Traffic::Forwards, random, &Fault::LOSSES).await,
        Bound::Sender => network(&sender, Traffic::Backwards, random, &Fault::LOSSES).await,
    };
    match bound {
        Bound::Receiver => drop(sender.connect(network.endpoint()).await.unwrap()),
        Bound::Sender => drop(receiver.connect(network.endpoint()).await.unwrap()),
    }
    let handle = receiver.handle().clone();
    let received = Arc::<Mutex<Received>>::default();
    let receiving = tokio::spawn(receive(receiver, Arc::clone(&received)));
    let sending = sender.handle().clone();
    let has_room = || sending.counters().queued.outgoing < WAITING;
    let end = send_all(&mut sender, &network, &received, has_room).await;

    eventually("everything is sent or dropped", || {
        let counters = sender.counters();
        let known = counters.sent.messages + counters.dropped.total();
        counters.queued.outgoing == 0 && (absent == Absent::Misses || known == end)
    })
    .await;
    eventually("everything that came is received", || {
        received.lock().unwrap().arrivals() == handle.counters().received.messages
    })
    .await;
    receiving.abort();

    let (sent, received) = (sender.counters(), received.lock().unwrap());
    let account = Account {
        pattern,
        sent: match absent {
            Absent::Waits => end,
            // What nobody was there for was not sent to anybody.
            Absent::Misses => sent.sent.messages + sent.dropped.total(),
        },
        reported: sent.dropped.total(),
        in_flight: sent.sent.messages - handle.counters().received.messages,
        cuts: network.struck_count(),
        ..received.account()
    };
    account.show();
    account.assert_settled();
    let swallowed = sent.sent.octets - handle.counters().received.octets;
    let losses = Losses {
        account: &account,
        network: &network,
        direction: match bound {
            Bound::Receiver => Direction::Forwards,
            Bound::Sender => Direction::Backwards,
        },
        swallowed,
        gaps_beside_cuts: match (bound, absent) {
            (Bound::Receiver, Absent::Waits) => Some(0),
            // And before the first subscription.
            (_, Absent::Misses) => Some(1),
            // It may take turns between the connection that was cut and the next one.
            (Bound::Sender, Absent::Waits) => None,
        },
    };
    received.assert_losses(0..end, &losses);
}

/// Sends while there is room until the network has broken often enough, and then until messages
/// arrive again; returns how many were accepted.
pub(crate) async fn send_all<S>(
    sender: &mut S,
    network: &Proxy,
    received: &Mutex<Received>,
    has_room: impl Fn() -> bool,
) -> u64
where
    S: MessageSender,
{
    let mut number = 0;
    let mut next = async || {
        if !has_room() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        } else if send(sender, ledger::message(0, number)).await.is_ok() {
            number += 1;
        }
        // The connections and the receiver live on the same thread.
        tokio::task::yield_now().await;
        number
    };
    in_time("the network breaks", async {
        while network.struck_count() < STRIKES {
            next().await;
        }
    })
    .await;
    in_time("the network calms down", network.calm_down()).await;
    let before = received.lock().unwrap().count();
    in_time("messages arrive again", async {
        while received.lock().unwrap().count() < before + 50 {
            next().await;
        }
    })
    .await;
    let end = next().await;
    eventually("the last message arrives", || {
        received.lock().unwrap().numbers.contains(&(end - 1))
    })
    .await;
    end
}

/// Runs a pattern both ways.
macro_rules! both_ways {
    ($name:literal, $absent:expr, $secured:expr, $sender:ty, $receiver:ty, $ready:expr) => {{
        let mut random = random();
        let ready: fn(&$receiver) = $ready;
        let (sender, receiver) = (
            $secured.connecting::<$sender>().build(),
            $secured.bound::<$receiver>().build(),
        );
        ready(&receiver);
        let pair = (sender, receiver);
        run($name, pair, Bound::Receiver, $absent, random.fork()).await;
        let (sender, receiver) = (
            $secured.bound::<$sender>().build(),
            $secured.connecting::<$receiver>().build(),
        );
        ready(&receiver);
        let pair = (sender, receiver);
        run($name, pair, Bound::Sender, $absent, random.fork()).await;
    }};
}

/// ZMTP31-050, ZMTP31-051, ZMTP31-102, REQREP-035.
#[tokio::test]
async fn pushed_messages_are_pulled_once_or_known_to_be_lost() {
    both_ways!(
        "PUSH, PULL",
        Absent::Waits,
        Secured::Not,
        PushSocket,
        PullSocket,
        |_| {}
    );
}

#[tokio::test]
async fn encrypted_messages_are_pulled_once_or_known_to_be_lost() {
    both_ways!(
        "PUSH, PULL with CURVE",
        Absent::Waits,
        Secured::WithCurve,
        PushSocket,
        PullSocket,
        |_| {}
    );
}

#[tokio::test]
async fn dealt_messages_arrive_once_or_are_known_to_be_lost() {
    both_ways!(
        "DEALER, DEALER",
        Absent::Waits,
        Secured::Not,
        DealerSocket,
        DealerSocket,
        |_| {}
    );
}

#[tokio::test]
async fn messages_of_a_pair_arrive_once_or_are_known_to_be_lost() {
    both_ways!(
        "PAIR, PAIR",
        Absent::Waits,
        Secured::Not,
        PairSocket,
        PairSocket,
        |_| {}
    );
}

#[tokio::test]
async fn published_messages_arrive_once_in_order_with_gaps_at_cuts_alone() {
    both_ways!(
        "PUB, SUB",
        Absent::Misses,
        Secured::Not,
        PubSocket,
        SubSocket,
        |subscriber| subscriber.subscribe("")
    );
}

#[tokio::test]
async fn messages_of_extended_publishers_arrive_once_with_gaps_at_cuts_alone() {
    both_ways!(
        "XPUB, XSUB",
        Absent::Misses,
        Secured::Not,
        XPubSocket,
        XSubSocket,
        |subscriber| subscriber.subscribe("")
    );
}
