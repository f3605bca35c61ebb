//! A socket that closes while its peers keep it waiting.

use std::time::Duration;

use tests::bytes::greeting;
use tests::raw_peer::{RawPeer, within};
use tests::reserved_port::ReservedPort;
use tokio::net::TcpListener;
use zmtp::{Message, Monitor, PushSocket, Socket, SocketEvent};

use crate::suite::address;

/// Longer than anything is waited for here.
const FOREVER: Duration = Duration::from_secs(3600);

async fn wait_for(monitor: &mut Monitor, is_it: impl Fn(&SocketEvent) -> bool) {
    let came = async {
        while !monitor.recv().await.as_ref().is_some_and(&is_it) {}
        Ok(())
    };
    within(came).await.unwrap();
}

/// Sends until nothing more is taken.
fn fill(push: &mut PushSocket) {
    let message = Message::from(vec![0; 64 * 1024]);
    while push.try_send(message.clone()).is_ok() {}
}

/// Lets the tasks of the sockets, which are on this thread, take note of what was just done: what they
/// wait for after that is not this.
async fn have_noted() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

async fn close(push: PushSocket) {
    let closed = async {
        push.close().await;
        Ok(())
    };
    within(closed).await.unwrap();
}

#[tokio::test]
async fn a_socket_that_queues_for_nobody_closes_during_a_handshake() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let push = PushSocket::builder()
        .immediate()
        .handshake_timeout(Duration::ZERO)
        .build();
    let mut monitor = push.monitor();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    push.connect(endpoint).await.unwrap();
    let mut peer = RawPeer::accept(&listener).await.unwrap();
    peer.send(&greeting(3, 1)).await.unwrap();
    // What it has to say has been said, and it waits for the READY of the peer.
    peer.recv_greeting().await.unwrap();
    peer.recv_frame().await.unwrap();
    wait_for(&mut monitor, |it| {
        matches!(it, SocketEvent::Connected { .. })
    })
    .await;
    close(push).await;
}

#[tokio::test]
async fn a_socket_that_lingers_no_longer_does_not_wait_for_a_peer_it_parted_from() {
    let mut push = PushSocket::builder().send_buffer(4096).build();
    let mut monitor = push.monitor();
    let endpoint = push.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peer = RawPeer::connect_with_buffer(address(&endpoint), 4096)
        .await
        .unwrap();
    peer.handshake("PULL").await.unwrap();
    wait_for(&mut monitor, |it| {
        matches!(it, SocketEvent::HandshakeSucceeded { .. })
    })
    .await;
    fill(&mut push);
    push.disconnect_peer(push.peers()[0]).unwrap();
    // Until the kernel takes no more, its connection is woken by that.
    let (mut sent, mut unchanged) = (push.counters().sent.octets, 0);
    while unchanged < 5 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let before = std::mem::replace(&mut sent, push.counters().sent.octets);
        unchanged = if sent == before { unchanged + 1 } else { 0 };
    }
    push.set_linger(Duration::ZERO);
    close(push).await;
}

#[tokio::test]
async fn a_socket_that_lingers_no_longer_does_not_wait_to_connect_again() {
    let port = ReservedPort::new().unwrap();
    let mut push = PushSocket::builder().reconnect_interval(FOREVER).build();
    let mut monitor = push.monitor();
    push.connect(port.endpoint()).await.unwrap();
    push.try_send("for nobody").unwrap();
    wait_for(&mut monitor, |it| {
        matches!(it, SocketEvent::ConnectRetried { .. })
    })
    .await;
    push.disconnect(port.endpoint()).unwrap();
    have_noted().await;
    push.set_linger(Duration::ZERO);
    close(push).await;
}
