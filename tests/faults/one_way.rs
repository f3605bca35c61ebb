//! Messages in one direction, of every pattern that has one.

use std::sync::{Arc, Mutex};

use tests::ledger::Account;
use tests::network::plan::Direction;
use tests::random::Random;
use zmtp::{
    DealerSocket, DropReason, MessageReceiver, MessageSender, PairSocket, PubSocket, PullSocket,
    PushSocket, Socket, SubSocket, XPubSocket, XSubSocket,
};

use crate::accounts::{
    Losses, Overlap, Pattern, Received, Sending, WAITING, WhenAlone, all_received,
    assert_torn_at_cuts, dropped_outgoing, lengths, receive, sent_or_dropped,
};
use crate::support::{Bound, Secured, Traffic, network, random};

/// Sends through a network that breaks, until it has done so often enough, and does the accounts.
async fn run<S, R>(
    pattern: Pattern,
    (mut sender, receiver): (S, R),
    bound: Bound,
    secured: Secured,
    random: Random,
) where
    S: Socket + MessageSender,
    R: Socket + MessageReceiver + 'static,
{
    let faults = secured.faults();
    let (network, direction) = match bound {
        Bound::Receiver => {
            let network = network(&receiver, Traffic::Forwards, random, faults).await;
            sender.connect(network.endpoint()).await.unwrap();
            (network, Direction::Forwards)
        }
        Bound::Sender => {
            let network = network(&sender, Traffic::Backwards, random, faults).await;
            receiver.connect(network.endpoint()).await.unwrap();
            (network, Direction::Backwards)
        }
    };
    let handle = receiver.handle().clone();
    let received = Arc::<Mutex<Received>>::default();
    let receiving = tokio::spawn(receive(receiver, vec![Arc::clone(&received)]));
    let at = sender.handle().clone();
    let sending = Sending {
        source: 0,
        at: &at,
        network: &network,
        received: &received,
        when_alone: pattern.when_alone,
    };
    let accepted = sending.send_all(&mut sender).await;

    sent_or_dropped(&at, accepted.copies).await;
    all_received(&handle, &[&received]).await;
    receiving.abort();

    let (sent, received) = (sender.counters(), received.lock().unwrap());
    let arrived = handle.counters();
    let cuts = network.cut_count();
    let account = Account {
        pattern: secured.name(pattern.name),
        sent: accepted.copies,
        reported: sent.dropped.total(),
        in_flight: sent.sent.messages - arrived.received.messages,
        cuts,
        ..received.account()
    };
    account.show();
    account.assert_settled();
    assert_torn_at_cuts(&arrived, &account);
    assert_eq!(dropped_outgoing(&arrived), 0, "{}", arrived.dropped);
    let (missing, gaps) = received.missing(&accepted.numbers);
    let losses = Losses {
        account: &account,
        networks: &[&network],
        direction,
        swallowed: sent.sent.octets - arrived.received.octets,
        missing: lengths(0, missing),
    };
    losses.assert_possible();
    // What waits for a peer that does not come back is dropped, and is no more than may wait.
    let at_marks = sent.dropped.count(DropReason::HighWaterMark);
    let most = cuts * u64::try_from(WAITING).unwrap() + at_marks;
    assert!(account.reported <= most, "at most {most}: {account}");
    if (bound, pattern.overlap) != (Bound::Sender, Overlap::InTurn) {
        assert!(gaps <= cuts + at_marks, "{gaps} gaps: {account}");
    }
}

/// Runs a pattern both ways, in clear and encrypted.
macro_rules! both_ways {
    ($pattern:expr, $sender:ty, $receiver:ty, $ready:expr) => {{
        let mut random = random();
        let ready: fn(&$receiver) = $ready;
        for secured in [Secured::Not, Secured::WithCurve] {
            let (sender, receiver) = (
                secured.connecting::<$sender>().build(),
                secured.bound::<$receiver>().build(),
            );
            ready(&receiver);
            let pair = (sender, receiver);
            run($pattern, pair, Bound::Receiver, secured, random.fork()).await;
            let (sender, receiver) = (
                secured.bound::<$sender>().build(),
                secured.connecting::<$receiver>().build(),
            );
            ready(&receiver);
            let pair = (sender, receiver);
            run($pattern, pair, Bound::Sender, secured, random.fork()).await;
        }
    }};
}

/// ZMTP31-050, ZMTP31-051, ZMTP31-102, REQREP-035.
#[tokio::test]
async fn pushed_messages_are_pulled_once_or_known_to_be_lost() {
    let pattern = Pattern {
        name: "PUSH, PULL",
        overlap: Overlap::InTurn,
        when_alone: WhenAlone::Waits,
    };
    both_ways!(pattern, PushSocket, PullSocket, |_| {});
}

#[tokio::test]
async fn dealt_messages_arrive_once_or_are_known_to_be_lost() {
    let pattern = Pattern {
        name: "DEALER, DEALER",
        overlap: Overlap::InTurn,
        when_alone: WhenAlone::Waits,
    };
    both_ways!(pattern, DealerSocket, DealerSocket, |_| {});
}

#[tokio::test]
async fn messages_of_a_pair_arrive_once_or_are_known_to_be_lost() {
    let pattern = Pattern {
        name: "PAIR, PAIR",
        overlap: Overlap::No,
        when_alone: WhenAlone::Waits,
    };
    both_ways!(pattern, PairSocket, PairSocket, |_| {});
}

#[tokio::test]
async fn published_messages_arrive_once_in_order_with_gaps_at_cuts_alone() {
    let pattern = Pattern {
        name: "PUB, SUB",
        overlap: Overlap::No,
        when_alone: WhenAlone::Drops,
    };
    both_ways!(pattern, PubSocket, SubSocket, |subscriber| subscriber
        .subscribe(""));
}

#[tokio::test]
async fn messages_of_extended_publishers_arrive_once_with_gaps_at_cuts_alone() {
    let pattern = Pattern {
        name: "XPUB, XSUB",
        overlap: Overlap::No,
        when_alone: WhenAlone::Drops,
    };
    both_ways!(pattern, XPubSocket, XSubSocket, |subscriber| subscriber
        .subscribe(""));
}

/// What an XSUB says to its publishers beside subscriptions.
#[tokio::test]
async fn messages_to_extended_publishers_arrive_once_with_gaps_at_cuts_alone() {
    let pattern = Pattern {
        name: "XSUB, XPUB",
        overlap: Overlap::No,
        when_alone: WhenAlone::Drops,
    };
    both_ways!(pattern, XSubSocket, XPubSocket, |_| {});
}
