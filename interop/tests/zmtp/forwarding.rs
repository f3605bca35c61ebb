//! XPUB, XSUB, PAIR and proxies, with libzmq on the other side of each and either side listening.

use interop::{Failure, Peer, TestResult};
use serde_json::{Value, json};
use zmtp::{
    DealerSocket, Message, PairSocket, Proxy, PubSocket, RouterSocket, Socket, SocketEvent,
    SubSocket, XPubEvent, XPubSocket, XSubSocket,
};

use crate::support::{
    Binder, assert_same, disconnected, join, libzmq, message, parts, python, soon,
};

/// Part sizes of the messages: around the long frame format and the inline capacity, empty parts,
/// and a large one.
const SHAPES: [&[usize]; 6] = [
    &[0],
    &[38, 39],
    &[255],
    &[256],
    &[1, 0, 65_536, 0],
    &[1 << 20],
];

const BINDERS: [Binder; 2] = [Binder::We, Binder::Libzmq];

fn binary(bytes: &[u8]) -> Value {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"$bytes": hex})
}

/// Joins the two and lets libzmq take note: a bound socket looks for new peers only while it is
/// used.
async fn meet(ours: &impl Socket, peer: &mut Peer, binder: Binder) -> TestResult {
    peer.request(json!({"op": "monitor", "name": "z"})).await?;
    join(ours, peer, binder).await?;
    let event = "HANDSHAKE_SUCCEEDED";
    peer.request(json!({"op": "await_event", "name": "z", "event": event}))
        .await?;
    peer.request(json!({"op": "drain", "name": "z", "quiet": 0}))
        .await?;
    Ok(())
}

async fn send(peer: &mut Peer, parts: Value) -> TestResult {
    peer.request(json!({"op": "send", "name": "z", "parts": parts}))
        .await?;
    Ok(())
}

async fn expect(peer: &mut Peer, parts: Value) -> TestResult {
    peer.request(json!({"op": "recv", "name": "z", "expect": parts}))
        .await?;
    Ok(())
}

async fn set(peer: &mut Peer, option: &str, value: &str) -> TestResult {
    peer.request(json!({"op": "set", "name": "z", "option": option, "value": value}))
        .await?;
    Ok(())
}

async fn event(publisher: &mut XPubSocket) -> Result<XPubEvent, Failure> {
    Ok(soon(publisher.recv_event()).await??.1)
}

// PUBSUB-022, PUBSUB-024
#[tokio::test]
async fn our_xpub_is_told_what_a_libzmq_sub_wants() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    for binder in BINDERS {
        let mut publisher = XPubSocket::new();
        let mut peer = libzmq(python, "SUB", json!({"SUBSCRIBE": "A"})).await?;
        meet(&publisher, &mut peer, binder).await?;
        assert_eq!(
            event(&mut publisher).await?,
            XPubEvent::Subscribed("A".into())
        );
        soon(publisher.send("B unwanted")).await??;
        for sizes in SHAPES {
            soon(publisher.send(message(&["A"], sizes))).await??;
            expect(&mut peer, parts(&["A"], sizes)).await?;
        }
        set(&mut peer, "SUBSCRIBE", "C").await?;
        assert_eq!(
            event(&mut publisher).await?,
            XPubEvent::Subscribed("C".into())
        );
        set(&mut peer, "UNSUBSCRIBE", "A").await?;
        assert_eq!(
            event(&mut publisher).await?,
            XPubEvent::Cancelled("A".into())
        );
        peer.request(json!({"op": "close", "name": "z"})).await?;
        assert_eq!(
            event(&mut publisher).await?,
            XPubEvent::Cancelled("C".into())
        );
    }
    Ok(())
}

// PUBSUB-023, PUBSUB-025, PUBSUB-027
#[tokio::test]
async fn our_xpub_hears_all_of_a_libzmq_xsub() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    for binder in BINDERS {
        let mut publisher = XPubSocket::builder().xpub_verboser().build();
        let mut peer = libzmq(python, "XSUB", json!({})).await?;
        meet(&publisher, &mut peer, binder).await?;
        for part in [&b"\x01A"[..], b"\x01A"] {
            send(&mut peer, json!([binary(part)])).await?;
            assert_eq!(
                event(&mut publisher).await?,
                XPubEvent::Subscribed("A".into())
            );
        }
        send(&mut peer, json!(["hello", "publisher"])).await?;
        let hello = Message::from(["hello", "publisher"]);
        assert_eq!(event(&mut publisher).await?, XPubEvent::Message(hello));
        for _ in 0..2 {
            send(&mut peer, json!([binary(b"\0A")])).await?;
        }
        assert_eq!(
            event(&mut publisher).await?,
            XPubEvent::Cancelled("A".into())
        );
    }
    Ok(())
}

// PUBSUB-043, PUBSUB-050, PUBSUB-054
#[tokio::test]
async fn a_libzmq_xpub_hears_all_of_our_xsub() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    for binder in BINDERS {
        let mut subscriber = XSubSocket::new();
        let mut peer = libzmq(python, "XPUB", json!({"XPUB_VERBOSE": 1})).await?;
        join(&subscriber, &mut peer, binder).await?;
        subscriber.subscribe("A");
        expect(&mut peer, json!([binary(b"\x01A")])).await?;
        soon(subscriber.send("\u{1}A")).await??;
        expect(&mut peer, json!([binary(b"\x01A")])).await?;
        for sizes in SHAPES {
            send(&mut peer, parts(&["A"], sizes)).await?;
            assert_same(&soon(subscriber.recv()).await??, &message(&["A"], sizes));
        }
        soon(subscriber.send(["hello", "publisher"])).await??;
        expect(&mut peer, json!([binary(b"hello"), binary(b"publisher")])).await?;
        subscriber.unsubscribe("A");
        subscriber.unsubscribe("A");
        expect(&mut peer, json!([binary(b"\0A")])).await?;
    }
    Ok(())
}

// PUBSUB-028
#[tokio::test]
async fn both_welcome_the_subscribers_of_the_other() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    for binder in BINDERS {
        let publisher = XPubSocket::builder().xpub_welcome_message("Welcome");
        let publisher = publisher.build();
        let mut peer = libzmq(python, "SUB", json!({"SUBSCRIBE": "W"})).await?;
        join(&publisher, &mut peer, binder).await?;
        expect(&mut peer, json!([binary(b"Welcome")])).await?;

        let mut subscriber = SubSocket::new();
        subscriber.subscribe("W");
        let mut peer = libzmq(python, "XPUB", json!({"XPUB_WELCOME_MSG": "Welcome"})).await?;
        join(&subscriber, &mut peer, binder).await?;
        expect(&mut peer, json!([binary(b"\x01W")])).await?;
        assert_eq!(soon(subscriber.recv()).await??, Message::from("Welcome"));
    }
    Ok(())
}

// PUBSUB-058
#[tokio::test]
async fn both_invert_in_the_same_way() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let options = json!({"INVERT_MATCHING": 1, "SUBSCRIBE": "A"});
    for binder in BINDERS {
        let publisher = PubSocket::builder().invert_matching().build();
        let mut peer = libzmq(python, "SUB", options.clone()).await?;
        meet(&publisher, &mut peer, binder).await?;
        soon(async {
            while publisher.topic_count() == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await?;
        for body in ["A1", "B", "A2", "C"] {
            soon(publisher.send(body)).await??;
        }
        for body in [b"B", b"C"] {
            expect(&mut peer, json!([binary(body)])).await?;
        }

        let mut subscriber = SubSocket::builder().invert_matching().build();
        subscriber.subscribe("A");
        let mut peer = libzmq(python, "XPUB", json!({"INVERT_MATCHING": 1})).await?;
        join(&subscriber, &mut peer, binder).await?;
        expect(&mut peer, json!([binary(b"\x01A")])).await?;
        for body in ["A1", "B", "A2", "C"] {
            send(&mut peer, json!([body])).await?;
        }
        for body in ["B", "C"] {
            assert_eq!(soon(subscriber.recv()).await??, Message::from(body));
        }
    }
    Ok(())
}

// PAIR-002, PAIR-003, PAIR-010
#[tokio::test]
async fn pairs_exchange_messages_of_every_shape() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    for binder in BINDERS {
        let mut ours = PairSocket::new();
        let mut peer = libzmq(python, "PAIR", json!({})).await?;
        join(&ours, &mut peer, binder).await?;
        for sizes in SHAPES {
            soon(ours.send(message(&[], sizes))).await??;
            expect(&mut peer, parts(&[], sizes)).await?;
            send(&mut peer, parts(&[], sizes)).await?;
            assert_same(&soon(ours.recv()).await??, &message(&[], sizes));
        }
    }
    Ok(())
}

// PAIR-001, PAIR-009
#[tokio::test]
async fn a_second_libzmq_pair_has_its_turn_after_the_first() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut ours = PairSocket::new();
    let mut monitor = ours.monitor();
    let mut first = libzmq(python, "PAIR", json!({})).await?;
    join(&ours, &mut first, Binder::We).await?;
    send(&mut first, json!(["first"])).await?;
    assert_eq!(soon(ours.recv()).await??, Message::from("first"));
    let mut second = libzmq(python, "PAIR", json!({"RECONNECT_IVL": 10})).await?;
    join(&ours, &mut second, Binder::We).await?;
    soon(async {
        while !matches!(
            monitor.recv().await,
            Some(SocketEvent::HandshakeFailed { .. })
        ) {}
    })
    .await?;
    soon(ours.send("to the first")).await??;
    expect(&mut first, json!([binary(b"to the first")])).await?;
    first.request(json!({"op": "close", "name": "z"})).await?;
    disconnected(&mut monitor).await?;
    soon(ours.send("to the second")).await??;
    expect(&mut second, json!([binary(b"to the second")])).await?;
    Ok(())
}

// PUBSUB-055
#[tokio::test]
async fn our_proxy_stands_between_libzmq_publishers_and_subscribers() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    for binder in BINDERS {
        let frontend = XSubSocket::new();
        let mut publisher = libzmq(python, "XPUB", json!({})).await?;
        join(&frontend, &mut publisher, binder).await?;
        let backend = XPubSocket::new();
        let mut subscriber = libzmq(python, "SUB", json!({})).await?;
        meet(&backend, &mut subscriber, binder).await?;
        let mut proxy = Proxy::new(frontend, backend);
        let running = tokio::spawn(async move { proxy.run().await });
        set(&mut subscriber, "SUBSCRIBE", "A").await?;
        expect(&mut publisher, json!([binary(b"\x01A")])).await?;
        send(&mut publisher, json!(["B"])).await?;
        for sizes in SHAPES {
            send(&mut publisher, parts(&["A"], sizes)).await?;
            expect(&mut subscriber, parts(&["A"], sizes)).await?;
        }
        subscriber
            .request(json!({"op": "close", "name": "z"}))
            .await?;
        expect(&mut publisher, json!([binary(b"\0A")])).await?;
        running.abort();
    }
    Ok(())
}

#[tokio::test]
async fn our_proxy_stands_between_libzmq_clients_and_services() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    for binder in BINDERS {
        let frontend = RouterSocket::new();
        let mut client = libzmq(python, "REQ", json!({})).await?;
        join(&frontend, &mut client, binder).await?;
        let backend = DealerSocket::new();
        let mut service = libzmq(python, "REP", json!({})).await?;
        join(&backend, &mut service, binder).await?;
        let mut proxy = Proxy::new(frontend, backend);
        let control = proxy.control();
        let running = tokio::spawn(async move { proxy.run().await });
        for sizes in SHAPES {
            send(&mut client, parts(&[], sizes)).await?;
            expect(&mut service, parts(&[], sizes)).await?;
            send(&mut service, parts(&[], sizes)).await?;
            expect(&mut client, parts(&[], sizes)).await?;
        }
        control.terminate();
        soon(running).await???;
        let count = SHAPES.len() as u64;
        assert_eq!(control.statistics().to_frontend.messages, count);
    }
    Ok(())
}
