//! Several senders, each behind a network of its own that breaks.

use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::future::join_all;
use tests::ledger::Account;
use tests::network::plan::Direction;
use tests::network::proxy::Proxy;
use tests::random::Random;
use zmtp::{
    DropReason, MessageReceiver, MessageSender, PubSocket, PullSocket, PushSocket, Socket,
    SocketCounters, SocketHandle, SubSocket,
};

use crate::accounts::{
    Accepted, Losses, Overlap, Pattern, Received, Sending, WhenAlone, all_received,
    assert_torn_at_cuts, dropped_outgoing, lengths, receive, sent_or_dropped,
};
use crate::support::{Bound, Secured, Traffic, network, network_before, random};

/// So many send at the same time.
const SENDERS: usize = 3;

/// Puts a network between each of the senders and the receiver.
async fn networks<S: Socket, R: Socket>(
    (senders, receiver): (&[S], &R),
    bound: Bound,
    secured: Secured,
    random: &mut Random,
) -> Vec<Proxy> {
    let mut networks = Vec::new();
    match bound {
        Bound::Receiver => {
            let at = receiver
                .bind("tcp://127.0.0.1:*")
                .await
                .unwrap()
                .to_string();
            for sender in senders {
                let (forwards, faults) = (Traffic::Forwards, secured.faults());
                let network = network_before(&at, forwards, random.fork(), faults);
                sender.connect(network.endpoint()).await.unwrap();
                networks.push(network);
            }
        }
        Bound::Sender => {
            for sender in senders {
                let (backwards, faults) = (Traffic::Backwards, secured.faults());
                let network = network(sender, backwards, random.fork(), faults).await;
                receiver.connect(network.endpoint()).await.unwrap();
                networks.push(network);
            }
        }
    }
    networks
}

/// Sends from all of them at once, and does the accounts of all and of each.
async fn run<S, R>(
    pattern: Pattern,
    secured: Secured,
    (mut senders, receiver): (Vec<S>, R),
    bound: Bound,
    networks: Vec<Proxy>,
) where
    S: Socket + MessageSender,
    R: Socket + MessageReceiver + 'static,
{
    let handle = receiver.handle().clone();
    let received: Vec<_> = (0..SENDERS)
        .map(|_| Arc::<Mutex<Received>>::default())
        .collect();
    let receiving = tokio::spawn(receive(receiver, received.clone()));
    let handles: Vec<_> = senders
        .iter()
        .map(|sender| sender.handle().clone())
        .collect();
    let sending = senders.iter_mut().enumerate().map(|(source, sender)| {
        let sending = Sending {
            source: u64::try_from(source).unwrap(),
            at: &handles[source],
            network: &networks[source],
            received: &received[source],
            when_alone: pattern.when_alone,
        };
        async move { sending.send_all(sender).await }
    });
    let accepted = join_all(sending).await;
    for (at, accepted) in handles.iter().zip(&accepted) {
        sent_or_dropped(at, accepted.copies).await;
    }
    let books: Vec<_> = received.iter().map(Arc::as_ref).collect();
    all_received(&handle, &books).await;
    receiving.abort();

    let lanes = accepted.iter().enumerate().map(|(source, accepted)| Lane {
        name: format!("{} {source}", secured.name(pattern.name)),
        source: u64::try_from(source).unwrap(),
        accepted,
        sender: handles[source].counters(),
        received: received[source].lock().unwrap(),
        network: &networks[source],
    });
    let lanes: Vec<_> = lanes.collect();
    let account = Account {
        pattern: secured.name(pattern.name),
        ..Account::default()
    };
    settle(account, (bound, pattern.overlap), &lanes, &handle);
}

/// Does the accounts of each sender and of all.
fn settle(
    mut account: Account,
    (bound, overlap): (Bound, Overlap),
    lanes: &[Lane<'_>],
    receiver: &SocketHandle,
) {
    for lane in lanes {
        let of_lane = lane.settle(bound, overlap);
        account.add(&of_lane);
        account.sent += of_lane.sent;
        account.reported += of_lane.reported;
        account.in_flight += of_lane.in_flight;
        account.cuts += of_lane.cuts;
    }
    account.show();
    account.assert_settled();
    let arrived = receiver.counters();
    assert_torn_at_cuts(&arrived, &account);
    assert_eq!(dropped_outgoing(&arrived), 0, "{}", arrived.dropped);
    let octets: u64 = lanes.iter().map(|lane| lane.sender.sent.octets).sum();
    let losses = Losses {
        account: &account,
        networks: &lanes.iter().map(|lane| lane.network).collect::<Vec<_>>(),
        direction: match bound {
            Bound::Receiver => Direction::Forwards,
            Bound::Sender => Direction::Backwards,
        },
        swallowed: octets - arrived.received.octets,
        missing: lanes.iter().flat_map(Lane::missing).collect(),
    };
    losses.assert_possible();
}

/// What came of the messages of one sender.
struct Lane<'a> {
    name: String,
    source: u64,
    accepted: &'a Accepted,
    sender: SocketCounters,
    received: MutexGuard<'a, Received>,
    network: &'a Proxy,
}

impl Lane<'_> {
    /// Does the accounts of this sender alone.
    fn settle(&self, bound: Bound, overlap: Overlap) -> Account {
        let account = Account {
            pattern: self.name.clone(),
            sent: self.accepted.copies,
            reported: self.sender.dropped.total(),
            in_flight: self.sender.sent.messages - self.received.arrivals(),
            cuts: self.network.cut_count(),
            ..self.received.account()
        };
        account.assert_settled();
        let (missing, gaps) = self.received.missing(&self.accepted.numbers);
        let lost = account.in_flight + account.reported;
        let missing = u64::try_from(missing.len()).unwrap();
        assert!(missing <= lost, "{missing} missing: {account}");
        let at_marks = self.sender.dropped.count(DropReason::HighWaterMark);
        if (bound, overlap) != (Bound::Sender, Overlap::InTurn) {
            assert!(gaps <= account.cuts + at_marks, "{gaps} gaps: {account}");
        }
        account
    }

    /// Returns the lengths of its messages that did not come.
    fn missing(&self) -> Vec<u64> {
        let (missing, _) = self.received.missing(&self.accepted.numbers);
        lengths(self.source, missing)
    }
}

/// Runs a pattern both ways, in clear and encrypted.
macro_rules! both_ways {
    ($pattern:expr, $sender:ty, $receiver:ty, $ready:expr) => {{
        let mut random = random();
        let ready: fn(&$receiver) = $ready;
        for secured in [Secured::Not, Secured::WithCurve] {
            for bound in [Bound::Receiver, Bound::Sender] {
                let senders = (0..SENDERS).map(|_| match bound {
                    Bound::Receiver => secured.connecting::<$sender>().build(),
                    Bound::Sender => secured.bound::<$sender>().build(),
                });
                let senders: Vec<_> = senders.collect();
                let receiver = match bound {
                    Bound::Receiver => secured.bound::<$receiver>().build(),
                    Bound::Sender => secured.connecting::<$receiver>().build(),
                };
                ready(&receiver);
                let both = (&senders[..], &receiver);
                let networks = networks(both, bound, secured, &mut random).await;
                let sockets = (senders, receiver);
                run($pattern, secured, sockets, bound, networks).await;
            }
        }
    }};
}

#[tokio::test]
async fn messages_of_several_publishers_arrive_once_each_with_gaps_at_its_cuts_alone() {
    let pattern = Pattern {
        name: "3 PUB, SUB",
        overlap: Overlap::No,
        when_alone: WhenAlone::Drops,
    };
    both_ways!(pattern, PubSocket, SubSocket, |subscriber| subscriber
        .subscribe(""));
}

#[tokio::test]
async fn messages_of_several_pushers_are_pulled_once_or_known_to_be_lost() {
    let pattern = Pattern {
        name: "3 PUSH, PULL",
        overlap: Overlap::InTurn,
        when_alone: WhenAlone::Waits,
    };
    both_ways!(pattern, PushSocket, PullSocket, |_| {});
}
