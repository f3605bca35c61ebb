//! What XPUB and XSUB make of raw subscribers and publishers.

use std::time::Duration;

use tests::bytes::{command, frame, greeting, message, ping, pong, ready};
use tests::raw_peer::{RawPeer, within};
use tests::recorder::Recorder;
use zmtp::pattern::SubscriptionLimits;
use zmtp::{Message, PubSocket, Socket, XPubEvent, XPubSocket, XSubSocket};

use crate::suite::address;

const WINDOW: Duration = Duration::from_millis(30);

async fn raw_peer(socket: &impl Socket, socket_type: &str, minor: u8) -> RawPeer {
    let endpoint = socket.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    let greeting = greeting(3, minor);
    let ready = ready(socket_type);
    peer.handshake_with(&greeting, &ready).await.unwrap();
    peer
}

async fn event(publisher: &mut XPubSocket) -> XPubEvent {
    let event = within(async { Ok(publisher.recv_event().await.unwrap().1) });
    event.await.unwrap()
}

fn subscribe(topic: &[u8]) -> Vec<u8> {
    command("SUBSCRIBE", topic)
}

fn cancel(topic: &[u8]) -> Vec<u8> {
    command("CANCEL", topic)
}

async fn expect(peer: &mut RawPeer, octets: &[u8]) {
    assert_eq!(peer.recv(octets.len()).await.unwrap(), octets);
}

/// PUBSUB-022, PUBSUB-026, PUBSUB-029, ZMTP31-109.
#[tokio::test]
async fn both_forms_are_told_in_the_same_way() {
    for minor in [0, 1] {
        for (on, off) in [
            (subscribe(b"A"), cancel(b"A")),
            (frame(0, b"\x01A"), frame(0, b"\0A")),
        ] {
            let mut publisher = XPubSocket::new();
            let mut peer = raw_peer(&publisher, "SUB", minor).await;
            peer.send(&on).await.unwrap();
            let told = within(async { Ok(publisher.recv().await.unwrap()) });
            assert_eq!(told.await.unwrap(), Message::from("\x01A"));
            publisher.send("A1").await.unwrap();
            expect(&mut peer, &message(&[b"A1"])).await;
            peer.send(&off).await.unwrap();
            let told = within(async { Ok(publisher.recv().await.unwrap()) });
            assert_eq!(told.await.unwrap(), Message::from("\0A"));
        }
    }
}

/// PUBSUB-025, PUBSUB-027, ZMTP30-011.
#[tokio::test]
async fn what_is_no_subscription_is_delivered() {
    let mut publisher = XPubSocket::new();
    let mut peer = raw_peer(&publisher, "XSUB", 1).await;
    peer.send(&frame(0, b"\x02junk")).await.unwrap();
    let junk = XPubEvent::Message("\x02junk".into());
    assert_eq!(event(&mut publisher).await, junk);
    peer.send(&message(&[b"\x01A", b"\x01B", b"text", b"\x01C"]))
        .await
        .unwrap();
    for topic in ["A", "B"] {
        let told = event(&mut publisher).await;
        assert_eq!(told, XPubEvent::Subscribed(topic.into()));
    }
    let rest = XPubEvent::Message(Message::from(["text", "\x01C"]));
    assert_eq!(event(&mut publisher).await, rest);
}

/// PUBSUB-022: a peer cannot take from others what it never had.
#[tokio::test]
async fn cancelling_what_another_holds_changes_and_tells_nothing() {
    let mut publisher = XPubSocket::new();
    let mut holder = raw_peer(&publisher, "SUB", 1).await;
    let mut other = raw_peer(&publisher, "SUB", 1).await;
    holder.send(&subscribe(b"A")).await.unwrap();
    assert_eq!(
        event(&mut publisher).await,
        XPubEvent::Subscribed("A".into())
    );
    other
        .send(&[cancel(b"A"), subscribe(b"mark")].concat())
        .await
        .unwrap();
    assert_eq!(
        event(&mut publisher).await,
        XPubEvent::Subscribed("mark".into())
    );
    publisher.send("A").await.unwrap();
    expect(&mut holder, &message(&[b"A"])).await;
}

/// PUBSUB-015, PUBSUB-016, ZMTP31-116, INT-025.
#[tokio::test]
async fn a_flood_of_subscriptions_waits_until_it_is_received() {
    let mut publisher = XPubSocket::builder().receive_high_water_mark(10).build();
    let mut peer = raw_peer(&publisher, "SUB", 1).await;
    let mut flood = Vec::new();
    for _ in 0..100 {
        flood.extend([subscribe(b"A"), cancel(b"A")].concat());
    }
    flood.extend(ping(0, b"fence"));
    peer.send(&flood).await.unwrap();
    // Ten are told and wait; the rest, and the PING behind it, is not read yet.
    assert_eq!(peer.recv_for(WINDOW).await.unwrap(), b"");
    for _ in 0..100 {
        let told = event(&mut publisher).await;
        assert_eq!(told, XPubEvent::Subscribed("A".into()));
        let told = event(&mut publisher).await;
        assert_eq!(told, XPubEvent::Cancelled("A".into()));
    }
    expect(&mut peer, &pong(b"fence")).await;
}

/// ZMTP31-116, INT-025: what peers leave behind is bounded for all of them together.
#[tokio::test]
async fn what_nobody_receives_does_not_grow_with_each_new_connection() {
    let limits = SubscriptionLimits::new(100, 1000).with_socket_limits(50, 1000);
    let builder = XPubSocket::builder().xpub_verboser();
    let mut publisher = builder.subscription_limits(limits).build();
    let endpoint = publisher.bind("tcp://127.0.0.1:*").await.unwrap();
    let recorder = Recorder::start();
    let mut kept = 0;
    for _ in 0..20 {
        let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
        peer.handshake("SUB").await.unwrap();
        let many: Vec<u8> = (0..10_u8).flat_map(|topic| subscribe(&[topic])).collect();
        // The socket may have refused and closed before all was sent.
        let _ = peer.send(&many).await;
        let _ = peer.finish().await;
        peer.recv_until_closed().await.unwrap();
    }
    while publisher.try_recv().is_ok() {
        kept += 1;
    }
    assert!(kept <= 50 + 10, "{kept} notices were kept");
    assert!(!recorder.take_warnings().is_empty());
    // Once they are received, there is room for new ones.
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    peer.handshake("SUB").await.unwrap();
    peer.send(&subscribe(b"A")).await.unwrap();
    assert_eq!(
        event(&mut publisher).await,
        XPubEvent::Subscribed("A".into())
    );
}

/// ZMTP31-116, INT-025, INT-028.
#[tokio::test]
async fn peers_together_are_held_to_a_limit() {
    let limits = SubscriptionLimits::new(100, 1000).with_socket_limits(3, 1000);
    let publisher = PubSocket::builder().subscription_limits(limits).build();
    let mut good = raw_peer(&publisher, "SUB", 1).await;
    let fence = ping(0, b"fence");
    good.send(&[subscribe(b"A"), subscribe(b"B"), fence].concat())
        .await
        .unwrap();
    expect(&mut good, &pong(b"fence")).await;
    let recorder = Recorder::start();
    let mut greedy = raw_peer(&publisher, "SUB", 1).await;
    greedy
        .send(&[subscribe(b"A"), subscribe(b"B")].concat())
        .await
        .unwrap();
    greedy.recv_until_closed().await.unwrap();
    recorder.wait_for_warning().await.unwrap();
    assert_eq!(publisher.topic_count(), 2);
    publisher.send("A").await.unwrap();
    expect(&mut good, &message(&[b"A"])).await;
}

/// PUBSUB-043, PUBSUB-050, ZMTP31-108, ZMTP30-012.
#[tokio::test]
async fn xsub_speaks_to_each_publisher_in_the_form_of_its_version() {
    let subscriber = XSubSocket::new();
    let mut old = raw_peer(&subscriber, "XPUB", 0).await;
    let mut new = raw_peer(&subscriber, "XPUB", 1).await;
    subscriber.try_send("\x01A").unwrap();
    expect(&mut old, &frame(0, b"\x01A")).await;
    expect(&mut new, &subscribe(b"A")).await;
    subscriber.try_send("\0A").unwrap();
    expect(&mut old, &frame(0, b"\0A")).await;
    expect(&mut new, &cancel(b"A")).await;
    subscriber.try_send(["text", "\x01"]).unwrap();
    for peer in [&mut old, &mut new] {
        expect(peer, &message(&[b"text", b"\x01"])).await;
    }
}

/// PUBSUB-039, PUBSUB-040, PUBSUB-054.
#[tokio::test]
async fn xsub_sends_every_subscription_and_the_last_cancellation() {
    let subscriber = XSubSocket::new();
    let mut peer = raw_peer(&subscriber, "PUB", 1).await;
    for _ in 0..2 {
        subscriber.subscribe("A");
        expect(&mut peer, &subscribe(b"A")).await;
    }
    subscriber.unsubscribe("A");
    subscriber.unsubscribe("unknown");
    assert_eq!(peer.recv_for(WINDOW).await.unwrap(), b"");
    subscriber.unsubscribe("A");
    expect(&mut peer, &cancel(b"A")).await;
    for topic in ["B", "B", "C"] {
        subscriber.subscribe(topic);
    }
    let mut later = raw_peer(&subscriber, "PUB", 1).await;
    let octets = later.recv(2 * subscribe(b"B").len()).await.unwrap();
    let mut halves: Vec<_> = octets.chunks(subscribe(b"B").len()).collect();
    halves.sort_unstable();
    assert_eq!(halves, [subscribe(b"B"), subscribe(b"C")]);
    assert_eq!(later.recv_for(WINDOW).await.unwrap(), b"");
}
