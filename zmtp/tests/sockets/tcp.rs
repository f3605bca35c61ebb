//! What tcp endpoints can name, and what the operating system is asked for.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use zmtp::{
    BindError, Endpoint, Message, Monitor, PeerAddress, PullSocket, PushSocket, RefusalReason,
    Socket, SocketEvent, TcpKeepAlive,
};

use crate::reserved_port::ReservedPort;
use crate::{LOOPBACK, soon};

/// Sends one message from a new socket to `pull`.
async fn send_one(pull: &mut PullSocket, endpoint: &str) {
    let mut push = PushSocket::new();
    push.connect(endpoint).await.unwrap();
    push.send(endpoint).await.unwrap();
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from(endpoint));
}

fn port(endpoint: &Endpoint) -> String {
    endpoint.to_string().rsplit(':').next().unwrap().to_owned()
}

/// Where the next accepted connection comes from.
async fn accepted(monitor: &mut Monitor) -> PeerAddress {
    soon(async {
        loop {
            if let Some(SocketEvent::Accepted { address, .. }) = monitor.recv().await {
                return address;
            }
        }
    })
    .await
}

/// Why the next connection is refused.
async fn refused(monitor: &mut Monitor) -> RefusalReason {
    soon(async {
        loop {
            if let Some(SocketEvent::Refused { reason, .. }) = monitor.recv().await {
                return reason;
            }
        }
    })
    .await
}

/// Whether this machine speaks IPv6.
fn has_ipv6() -> bool {
    std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

#[tokio::test]
async fn all_interfaces_are_reached_by_both_versions_of_ip_if_wanted() {
    if !has_ipv6() {
        return;
    }
    let mut pull = PullSocket::builder().ipv6().build();
    let mut monitor = pull.monitor();
    let port = port(&pull.bind("tcp://*:*").await.unwrap());
    send_one(&mut pull, &format!("tcp://127.0.0.1:{port}")).await;
    let ipv4 = accepted(&mut monitor).await;
    assert_eq!(ipv4.ip(), Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    send_one(&mut pull, &format!("tcp://[::1]:{port}")).await;
    let ipv6 = accepted(&mut monitor).await;
    assert_eq!(ipv6.ip(), Some(IpAddr::V6(Ipv6Addr::LOCALHOST)));
}

#[tokio::test]
async fn an_ipv6_address_is_its_own_endpoint_and_leaves_ipv4_alone() {
    if !has_ipv6() {
        return;
    }
    let mut pull = PullSocket::new();
    let endpoint = pull.bind("tcp://[::]:*").await.unwrap();
    pull.bind(format!("tcp://*:{}", port(&endpoint)))
        .await
        .unwrap();
    send_one(&mut pull, &format!("tcp://[::1]:{}", port(&endpoint))).await;
    send_one(&mut pull, &format!("tcp://127.0.0.1:{}", port(&endpoint))).await;
}

#[tokio::test]
async fn a_host_name_finds_whichever_address_answers() {
    let mut pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    send_one(&mut pull, &format!("tcp://localhost:{}", port(&endpoint))).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_name_of_an_interface_is_a_place_to_listen() {
    let mut pull = PullSocket::new();
    let endpoint = pull.bind("tcp://lo:*").await.unwrap();
    assert!(endpoint.to_string().starts_with("tcp://127.0.0.1:"));
    send_one(&mut pull, &endpoint.to_string()).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_comes_from_the_source_that_was_named() {
    let mut pull = PullSocket::new();
    let mut monitor = pull.monitor();
    let endpoint = pull.bind("tcp://*:*").await.unwrap();
    for (source, from) in [("127.0.0.2:*", 2), ("127.0.0.3:0", 3), ("lo:*", 1)] {
        let endpoint = format!("tcp://{source};127.0.0.1:{}", port(&endpoint));
        send_one(&mut pull, &endpoint).await;
        let address = accepted(&mut monitor).await;
        assert_eq!(address.ip(), Some(IpAddr::from([127, 0, 0, from])));
    }
}

#[tokio::test]
async fn nobody_listens_from_somewhere() {
    let pull = PullSocket::new();
    let refused = pull.bind("tcp://127.0.0.1:*;127.0.0.1:5555").await;
    assert!(matches!(refused, Err(BindError::Source { .. })));
}

#[tokio::test]
async fn connections_from_other_networks_are_closed_as_they_come() {
    let pull = PullSocket::builder()
        .accept_networks([
            "192.0.2.0/24".parse().unwrap(),
            "2001:db8::/32".parse().unwrap(),
        ])
        .build();
    let mut monitor = pull.monitor();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let push = PushSocket::builder().no_reconnect().build();
    push.connect(&endpoint).await.unwrap();
    assert_eq!(refused(&mut monitor).await, RefusalReason::Filtered);

    let mut pull = PullSocket::builder()
        .accept_networks(["127.0.0.0/8".parse().unwrap()])
        .build();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    send_one(&mut pull, &endpoint.to_string()).await;
}

#[cfg(unix)]
#[tokio::test]
async fn local_connections_are_accepted_by_user_group_and_process() {
    use std::os::unix::fs::MetadataExt;

    let path = std::env::temp_dir().join(format!("zmtp-test-{}-owner", std::process::id()));
    std::fs::write(&path, "").unwrap();
    let metadata = std::fs::metadata(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let owner = (metadata.uid(), metadata.gid());
    let process = i32::try_from(std::process::id()).unwrap();
    let welcome = [
        PullSocket::builder().accept_users([owner.0]),
        PullSocket::builder().accept_groups([owner.1]),
        PullSocket::builder()
            .accept_users([12_345])
            .accept_processes([process]),
    ];
    for builder in welcome {
        let mut pull = builder.build();
        let endpoint = pull.bind("ipc://*").await.unwrap();
        send_one(&mut pull, &endpoint.to_string()).await;
    }
    let pull = PullSocket::builder().accept_users([12_345]).build();
    let mut monitor = pull.monitor();
    let endpoint = pull.bind("ipc://*").await.unwrap();
    let push = PushSocket::builder().no_reconnect().build();
    push.connect(&endpoint).await.unwrap();
    assert_eq!(refused(&mut monitor).await, RefusalReason::Filtered);
}

#[tokio::test]
async fn a_listener_that_exists_is_taken_over() {
    let port = ReservedPort::new();
    let listener = std::net::TcpListener::bind(port.address()).unwrap();
    let mut pull = PullSocket::new();
    let endpoint = pull.bind_listener(listener).await.unwrap();
    assert_eq!(endpoint.to_string(), port.endpoint());
    send_one(&mut pull, &endpoint.to_string()).await;
    soon(pull.unbind(&endpoint)).await.unwrap();
    std::net::TcpListener::bind(port.address()).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_of_a_listener_that_was_taken_over_stays() {
    let path = std::env::temp_dir().join(format!("zmtp-test-{}-given", std::process::id()));
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let mut pull = PullSocket::new();
    let endpoint = pull.bind_listener(listener).await.unwrap();
    assert_eq!(endpoint.to_string(), format!("ipc://{}", path.display()));
    send_one(&mut pull, &endpoint.to_string()).await;
    soon(pull.close()).await;
    assert!(path.exists());
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn connections_with_every_option_carry_messages() {
    let keep_alive = TcpKeepAlive::new()
        .idle(Duration::from_secs(60))
        .interval(Duration::from_secs(10))
        .count(3);
    let mut builder = PullSocket::builder()
        .tcp_keepalive(keep_alive)
        .send_buffer(65_536)
        .receive_buffer(65_536);
    if cfg!(target_os = "linux") {
        builder = builder
            .tcp_max_retransmit_time(Duration::from_secs(30))
            .type_of_service(0x28)
            .priority(3)
            .bind_to_device("lo");
    }
    let mut pull = builder.build();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    send_one(&mut pull, &endpoint.to_string()).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_interface_that_is_not_there_cannot_be_bound_to() {
    let pull = PullSocket::builder().bind_to_device("no-such-if").build();
    let refused = pull.bind(LOOPBACK).await;
    assert!(matches!(refused, Err(BindError::Io { .. })));
}
