//! Several senders, each behind a network of its own that breaks.

use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::future::join_all;
use tests::ledger::Account;
use tests::network::plan::Direction;
use tests::network::proxy::Proxy;
use tests::random::Random;
use zmtp::{
    DropReason, MessageReceiver, MessageSender, PubSocket, PullSocket, PushSocket, Socket,
    SocketCounters, SubSocket,
};

use crate::accounts::{Losses, Received, Sending, lengths, receive};
use crate::support::{Bound, Secured, Traffic, eventually, network, network_before, random};

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
    pattern: String,
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
        };
        async move { sending.send_all(sender).await }
    });
    let sent = join_all(sending).await;
    eventually("everything is sent or dropped", || {
        handles.iter().all(|at| at.counters().queued.outgoing == 0)
    })
    .await;
    eventually("everything that came is received", || {
        let arrivals = received.iter().map(|one| one.lock().unwrap().arrivals());
        arrivals.sum::<u64>() == handle.counters().received.messages
    })
    .await;
    receiving.abort();

    let lanes = sent.iter().enumerate().map(|(source, sent)| Lane {
        sent,
        sender: handles[source].counters(),
        received: received[source].lock().unwrap(),
        network: &networks[source],
    });
    let account = Account {
        pattern,
        ..Account::default()
    };
    settle(
        account,
        bound,
        &lanes.collect::<Vec<_>>(),
        handle.counters(),
    );
}

/// What came of the messages of one sender.
struct Lane<'a> {
    sent: &'a [u64],
    sender: SocketCounters,
    received: MutexGuard<'a, Received>,
    network: &'a Proxy,
}

/// Does the accounts of each sender and of all.
fn settle(mut account: Account, bound: Bound, lanes: &[Lane<'_>], receiver: SocketCounters) {
    let (mut octets, mut missing) = (0, Vec::new());
    for (source, lane) in lanes.iter().enumerate() {
        let (sender, cuts) = (&lane.sender, lane.network.cut_count());
        account.add(&lane.received.account());
        account.sent += sender.sent.messages + sender.dropped.total();
        account.reported += sender.dropped.total();
        account.in_flight += sender.sent.messages;
        account.cuts += cuts;
        octets += sender.sent.octets;
        let (lost, gaps) = lane.received.missing(lane.sent);
        missing.extend(lengths(u64::try_from(source).unwrap(), lost));
        let at_marks = sender.dropped.count(DropReason::HighWaterMark);
        if bound == Bound::Receiver {
            assert!(
                gaps <= cuts + at_marks,
                "{gaps} gaps of {source}: {account}"
            );
        }
    }
    account.in_flight -= receiver.received.messages;
    account.show();
    account.assert_settled();
    let networks: Vec<_> = lanes.iter().map(|lane| lane.network).collect();
    let losses = Losses {
        account: &account,
        networks: &networks,
        direction: match bound {
            Bound::Receiver => Direction::Forwards,
            Bound::Sender => Direction::Backwards,
        },
        swallowed: octets - receiver.received.octets,
        missing,
    };
    losses.assert_possible();
}

/// Runs a pattern both ways, in clear and encrypted.
macro_rules! both_ways {
    ($name:literal, $sender:ty, $receiver:ty, $ready:expr) => {{
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
                let pattern = secured.name($name);
                run(pattern, (senders, receiver), bound, networks).await;
            }
        }
    }};
}

#[tokio::test]
async fn messages_of_several_publishers_arrive_once_each_with_gaps_at_its_cuts_alone() {
    both_ways!("3 PUB, SUB", PubSocket, SubSocket, |subscriber| subscriber
        .subscribe(""));
}

#[tokio::test]
async fn messages_of_several_pushers_are_pulled_once_or_known_to_be_lost() {
    both_ways!("3 PUSH, PULL", PushSocket, PullSocket, |_| {});
}
