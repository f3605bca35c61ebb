//! Events that nobody answers.

use std::time::Duration;

use tests::ledger::{Account, Book};
use tests::network::plan::{Direction, Fault};
use tests::network::proxy::Proxy;
use zrpc::{Publisher, Puller, Pusher, SocketOptions, Subscriber};

use crate::accounts::BUFFERED;
use crate::calls::quick;
use crate::support::{BUFFER, STRIKES, Traffic, in_time, network_before, random};

/// As many events wait for a peer.
const MARK: usize = 10;

/// Octets that each event has beside its number.
const PADDING: usize = 200;

/// More than an event has beside them.
const HEAD: usize = 200;

fn buffered() -> SocketOptions {
    quick().send_buffer(BUFFER).receive_buffer(BUFFER)
}

fn args(number: u64) -> (u64, String) {
    (number, "x".repeat(PADDING))
}

/// An event is told of at most once, and after those before it.
fn enter(book: &mut Book, event: &zrpc::Event) {
    let (number, _) = event.args::<(u64, String)>().unwrap();
    book.enter(number);
}

/// What a sender knows of its events.
struct Sent {
    count: u64,
    /// Those that it has dropped at its mark.
    dropped: u64,
    /// Those for which nobody was there.
    alone: u64,
}

/// What became of the events that were sent.
fn settle(pattern: &str, network: &Proxy, direction: Direction, sent: &Sent, mut book: Book) {
    book.close(sent.count);
    let cuts = network.struck_count();
    let reported = book.missing().min(sent.dropped + sent.alone);
    let account = Account {
        pattern: pattern.to_owned(),
        sent: sent.count,
        delivered: book.delivered,
        reported,
        in_flight: book.missing() - reported,
        doubled: book.doubled,
        overtaken: book.overtaken,
        cuts,
        ..Account::default()
    };
    account.show();
    account.assert_settled();
    let gaps = u64::try_from(book.gaps.len()).unwrap();
    assert!(gaps <= cuts + 1 + sent.dropped, "{gaps} gaps: {account}");
    // In the queue of the connection that was cut, in kernel buffers, or in the network.
    let queued = u64::try_from(MARK * (PADDING + HEAD)).unwrap();
    let most = network.lost_octets(direction) + cuts * (BUFFERED + queued);
    let lost = account.in_flight * u64::try_from(PADDING).unwrap();
    assert!(
        lost <= most,
        "{lost} octets lost, at most {most}: {account}"
    );
}

#[tokio::test]
async fn pushed_events_come_once_in_order_with_gaps_at_cuts_alone() {
    let mut puller = Puller::builder()
        .socket(buffered())
        .bind("tcp://127.0.0.1:*")
        .build()
        .await
        .unwrap();
    let endpoint = &puller.endpoints()[0];
    let network = network_before(endpoint, Traffic::Forwards, random(), &Fault::LOSSES);
    let builder = Pusher::builder()
        .socket(buffered())
        .send_high_water_mark(MARK);
    let builder = builder.linger(Duration::ZERO);
    let pusher = builder.connect(network.endpoint()).build().await.unwrap();
    let mut book = Book::default();
    let mut sent = 0_u64;
    in_time("the network breaks", async {
        while network.struck_count() < STRIKES {
            if pusher.try_push("note", args(sent)).is_ok() {
                sent += 1;
            }
            while let Ok(Some(event)) = tokio::time::timeout(Duration::ZERO, puller.recv()).await {
                enter(&mut book, &event);
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    in_time("the network calms down", network.calm_down()).await;
    in_time("events come again", async {
        while book.expected() < sent || book.expected() == 0 {
            let next = puller.recv();
            match tokio::time::timeout(Duration::from_millis(20), next).await {
                Ok(event) => enter(&mut book, &event.unwrap()),
                // The last ones may be those that are lost.
                Err(_) if pusher.try_push("note", args(sent)).is_ok() => sent += 1,
                Err(_) => {}
            }
        }
    })
    .await;
    let sent = Sent {
        count: sent,
        dropped: 0,
        alone: 0,
    };
    let direction = Direction::Forwards;
    settle("Pusher, Puller", &network, direction, &sent, book);
}

#[tokio::test]
async fn published_events_come_once_in_order_with_gaps_at_cuts_alone() {
    let builder = Publisher::builder()
        .socket(buffered())
        .send_high_water_mark(MARK);
    let publisher = builder.bind("tcp://127.0.0.1:*").build().await.unwrap();
    let endpoint = &publisher.endpoints()[0];
    let network = network_before(endpoint, Traffic::Backwards, random(), &Fault::LOSSES);
    let builder = Subscriber::builder().socket(buffered());
    let mut subscriber = builder.connect(network.endpoint()).build().await.unwrap();
    let mut book = Book::default();
    let [mut sent, mut alone] = [0_u64; 2];
    let mut calm_at = None;
    in_time("events come, and again in the end", async {
        loop {
            alone += u64::from(publisher.topic_count() == 0);
            publisher.try_publish("note", args(sent)).unwrap();
            sent += 1;
            let next = subscriber.recv();
            if let Ok(event) = tokio::time::timeout(Duration::from_millis(1), next).await {
                enter(&mut book, &event.unwrap());
            }
            if calm_at.is_none() && network.struck_count() >= STRIKES {
                network.calm_down().await;
                calm_at = Some(sent);
            }
            if calm_at.is_some_and(|calm_at| book.expected() > calm_at) {
                break;
            }
        }
    })
    .await;
    in_time("the last events come", async {
        while book.expected() < sent {
            enter(&mut book, &subscriber.recv().await.unwrap());
        }
    })
    .await;
    let sent = Sent {
        count: sent,
        dropped: publisher.dropped(),
        alone,
    };
    let direction = Direction::Backwards;
    settle("Publisher, Subscriber", &network, direction, &sent, book);
}
