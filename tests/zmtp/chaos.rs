//! Connections that are cut anywhere, subscriptions that change while messages flow, and runtimes
//! that go away.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tests::bytes::{MORE, command, greeting, message, ping, ready};
use tests::raw_peer::{RawPeer, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use zmtp::{Message, PubSocket, PullSocket, PushSocket, Socket, SubSocket};

use crate::suite::address;

const INTERVAL: Duration = Duration::from_millis(2);

async fn bound(socket: &impl Socket) -> SocketAddr {
    address(&socket.bind("tcp://127.0.0.1:*").await.unwrap())
}

/// Passes connections on to `target`, and cuts each after fewer or more octets.
async fn cutting_proxy(listener: TcpListener, target: SocketAddr) {
    // A sequence without pattern, the same in each run.
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    loop {
        let Ok((mut client, _)) = listener.accept().await else {
            return;
        };
        let Ok(mut server) = TcpStream::connect(target).await else {
            return;
        };
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let mut left = usize::try_from(state % 8000).unwrap();
        let (mut from_server, mut to_server) = server.split();
        let (mut from_client, mut to_client) = client.split();
        let forwards = async {
            let mut chunk = [0; 512];
            while left > 0 {
                let most = left.min(chunk.len());
                let Ok(count @ 1..) = from_client.read(&mut chunk[..most]).await else {
                    return;
                };
                if to_server.write_all(&chunk[..count]).await.is_err() {
                    return;
                }
                left -= count;
            }
        };
        let backwards = tokio::io::copy(&mut from_server, &mut to_client);
        tokio::select! {
            () = forwards => {}
            _ = backwards => {}
        }
    }
}

/// ZMTP31-050, ZMTP31-051, ZMTP31-102, REQREP-035: messages may be lost with a connection, but
/// none is torn, repeated or overtaken.
#[tokio::test]
async fn cut_connections_tear_and_repeat_nothing() {
    let mut pull = PullSocket::new();
    let target = bound(&pull).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    let proxy = tokio::spawn(cutting_proxy(listener, target));
    let mut push = PushSocket::builder()
        .reconnect_interval(INTERVAL)
        .reconnect_interval_max(INTERVAL)
        .linger(Duration::ZERO)
        .build();
    push.connect(endpoint).await.unwrap();
    let sender = tokio::spawn(async move {
        for number in 0_u32.. {
            let number = number.to_string();
            let padding = "x".repeat(number.len() * 7);
            let parts = [number.as_str(), padding.as_str()];
            if push.send(Message::from(parts)).await.is_err() {
                break;
            }
        }
    });
    let mut last = None;
    for _ in 0..2000 {
        let received = within(async { Ok(pull.recv().await) }).await.unwrap();
        let parts: Vec<_> = received.unwrap().iter().cloned().collect();
        let [number, padding] = &parts[..] else {
            panic!("{parts:?}");
        };
        let text = std::str::from_utf8(number).unwrap();
        assert_eq!(padding.len(), text.len() * 7);
        let number: u32 = text.parse().unwrap();
        assert!(
            last.is_none_or(|last| last < number),
            "{number} after {last:?}"
        );
        last = Some(number);
    }
    sender.abort();
    proxy.abort();
}

/// ZMTP31-027, ZMTP31-028, ZMTP31-041.
#[tokio::test]
async fn reserved_flags_are_never_sent() {
    let mut push = PushSocket::new();
    let mut peer = RawPeer::connect(bound(&push).await).await.unwrap();
    peer.handshake("PULL").await.unwrap();
    for size in [0, 1, 255, 256, 70_000] {
        let body = "x".repeat(size);
        push.send(Message::from([body.as_str(), "", body.as_str()]))
            .await
            .unwrap();
        for part in 0..3 {
            let frame = peer.recv_frame().await.unwrap();
            let more = if part < 2 { MORE } else { 0 };
            let long = if frame.body.len() > 255 { 2 } else { 0 };
            assert_eq!(frame.flags, more | long, "{size}, {part}");
        }
    }
}

/// PUBSUB-057: also while messages are published all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_hold_from_when_they_were_processed() {
    let publisher = Arc::new(PubSocket::new());
    let mut peer = RawPeer::connect(bound(&*publisher).await).await.unwrap();
    peer.handshake("SUB").await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let published = Arc::new(AtomicU64::new(0));
    let publishing = tokio::task::spawn_blocking({
        let (publisher, stop) = (Arc::clone(&publisher), Arc::clone(&stop));
        let published = Arc::clone(&published);
        move || {
            while !stop.load(Ordering::Relaxed) {
                publisher.try_send("topic").unwrap();
                published.fetch_add(1, Ordering::Relaxed);
                std::thread::yield_now();
            }
        }
    });
    for _ in 0..20 {
        let octets = [command("SUBSCRIBE", b"to"), ping(0, b"on")].concat();
        peer.send(&octets).await.unwrap();
        // Some messages, before or after the answer.
        for _ in 0..3 {
            peer.recv_frame().await.unwrap();
        }
        let octets = [command("CANCEL", b"to"), ping(0, b"off")].concat();
        peer.send(&octets).await.unwrap();
        while !peer.recv_frame().await.unwrap().body.ends_with(b"off") {}
        // What was queued when the cancellation came may still follow; then nothing does, though
        // the publisher goes on.
        let quiet = async {
            loop {
                let before = published.load(Ordering::Relaxed);
                let came = peer.recv_for(Duration::from_millis(5)).await?;
                if came.is_empty() && published.load(Ordering::Relaxed) > before + 10 {
                    return Ok(());
                }
            }
        };
        within(quiet).await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    publishing.await.unwrap();
}

/// PUBSUB-060.
#[tokio::test]
async fn between_the_first_and_the_last_message_nothing_is_lost() {
    let publisher = PubSocket::builder().send_high_water_mark(0).build();
    let mut sub = SubSocket::new();
    sub.subscribe("");
    sub.connect(format!("tcp://{}", bound(&publisher).await))
        .await
        .unwrap();
    let sending = tokio::spawn(async move {
        for number in 0_u32.. {
            publisher.try_send(number.to_be_bytes().to_vec()).unwrap();
            if number % 64 == 0 {
                tokio::task::yield_now().await;
            }
        }
    });
    let mut next = None;
    for _ in 0..5000 {
        let received = within(async { Ok(sub.recv().await) }).await.unwrap();
        let received = received.unwrap();
        let octets = received.iter().next().unwrap().as_slice();
        let number = u32::from_be_bytes(octets.try_into().unwrap());
        assert!(next.is_none_or(|next| next == number), "{next:?}, {number}");
        next = Some(number + 1);
    }
    sending.abort();
}

/// INT-045.
#[test]
fn sockets_and_runtimes_go_away_in_any_order() {
    for first in ["socket", "runtime"] {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (push, pull) = runtime.block_on(async {
            let pull = PullSocket::new();
            let mut push = PushSocket::new();
            push.connect(format!("tcp://{}", bound(&pull).await))
                .await
                .unwrap();
            push.connect("tcp://127.0.0.1:1").await.unwrap();
            push.send("hello").await.unwrap();
            (push, pull)
        });
        if first == "socket" {
            drop((push, pull));
            drop(runtime);
        } else {
            runtime.shutdown_background();
            drop((push, pull));
        }
    }
}

/// ZMTP30-007, ZMTP30-013, ZMTP30-016.
#[tokio::test]
async fn a_peer_of_3_0_is_judged_by_its_ready_and_gets_messages_alone() {
    let mut push = PushSocket::new();
    let at = bound(&push).await;
    let mut unfit = RawPeer::connect(at).await.unwrap();
    unfit
        .send(&[greeting(3, 0), ready("SUB")].concat())
        .await
        .unwrap();
    unfit.recv_until_closed().await.unwrap();

    let mut peer = RawPeer::connect(at).await.unwrap();
    peer.handshake_with(&greeting(3, 0), &ready("PULL"))
        .await
        .unwrap();
    push.send("hello").await.unwrap();
    let expected = message(&[b"hello"]);
    assert_eq!(peer.recv(expected.len()).await.unwrap(), expected);
    let more = peer.recv_for(Duration::from_millis(50)).await.unwrap();
    assert_eq!(more, b"");
}
