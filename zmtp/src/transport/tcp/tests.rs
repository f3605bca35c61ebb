//! What the operating system was told, and which address is connected to.

use std::net::SocketAddr;
use std::time::Duration;

use socket2::SockRef;

use super::connect::connect_any;
use super::*;
use crate::endpoint::{Endpoint, Port, TcpEndpoint};
use crate::transport::{Target, TransportOptions, UnusableEndpoint};

fn configured() -> TransportOptions {
    let mut options = TransportOptions::default();
    options.buffers.send = Some(40_000);
    options.buffers.receive = Some(50_000);
    let keep_alive = TcpKeepAlive::new()
        .idle(Duration::from_secs(61))
        .interval(Duration::from_secs(11))
        .count(4);
    options.tcp.keep_alive = Some(keep_alive);
    if cfg!(target_os = "linux") {
        options.tcp.type_of_service = Some(0x28);
        options.tcp.priority = Some(3);
        options.tcp.max_retransmit_time = Some(Duration::from_secs(30));
    }
    options
}

fn assert_configured(socket: &SockRef<'_>) {
    assert!(socket.tcp_nodelay().unwrap());
    assert!(socket.keepalive().unwrap());
    // Linux doubles what it is asked for, for its own records.
    assert!(socket.send_buffer_size().unwrap() >= 40_000);
    assert!(socket.recv_buffer_size().unwrap() >= 50_000);
    #[cfg(target_os = "linux")]
    {
        assert!(socket.send_buffer_size().unwrap() <= 2 * 40_000);
        assert!(socket.recv_buffer_size().unwrap() <= 2 * 50_000);
        assert_eq!(
            socket.tcp_keepalive_time().unwrap(),
            Duration::from_secs(61)
        );
        assert_eq!(
            socket.tcp_keepalive_interval().unwrap(),
            Duration::from_secs(11)
        );
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 4);
        match socket.local_addr().unwrap().is_ipv6() {
            true => assert_eq!(socket.tclass_v6().unwrap(), 0x28),
            false => assert_eq!(socket.tos_v4().unwrap(), 0x28),
        }
        assert_eq!(socket.priority().unwrap(), 3);
        let timeout = socket.tcp_user_timeout().unwrap();
        assert_eq!(timeout, Some(Duration::from_secs(30)));
    }
}

fn loopback(port: u16) -> TcpEndpoint {
    TcpEndpoint::new("127.0.0.1".parse().unwrap(), Port::from(port))
}

#[tokio::test]
async fn both_ends_of_a_connection_are_configured() {
    let options = configured();
    for endpoint in [loopback(0), "[::1]:*".parse().unwrap()] {
        let (listener, endpoint) = match bind(&endpoint, &options).await {
            // There are systems without IPv6.
            Err(error) if error.kind() == std::io::ErrorKind::AddrNotAvailable => continue,
            bound => bound.unwrap(),
        };
        let (connecting, accepting) = tokio::join!(
            connect(&endpoint, &options, 0),
            accept(&listener, &options.tcp)
        );
        assert_configured(&SockRef::from(&connecting.unwrap().0));
        assert_configured(&SockRef::from(&accepting.unwrap().0));
    }
}

/// A listener whose queue is full: on Linux it does not answer. Elsewhere it may refuse.
fn silent_listener() -> (Vec<socket2::Socket>, SocketAddr) {
    let new = || {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let socket = socket.unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    };
    let listener = new();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    listener.bind(&any.into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut sockets = vec![listener];
    for _ in 0..4 {
        let filler = new();
        // In progress, as far as the queue has room and beyond.
        let _ = filler.connect(&address);
        sockets.push(filler);
    }
    (sockets, address.as_socket().unwrap())
}

#[tokio::test]
async fn an_address_that_refuses_or_is_silent_does_not_hide_the_next_one() {
    let options = TransportOptions::default();
    let (listener, _) = bind(&loopback(0), &options).await.unwrap();
    let good = listener.local_addr().unwrap();
    // Bound and not listening: it refuses, and nobody else gets the port.
    let closed = tokio::net::TcpSocket::new_v4().unwrap();
    closed.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let refusing = closed.local_addr().unwrap();
    let (_full, silent) = silent_listener();
    for addresses in [[refusing, good, silent], [silent, good, refusing]] {
        let connected = connect_any(&addresses, &[], &options).await;
        assert_eq!(connected.unwrap().1, good);
    }
    let refused = connect_any(&[refusing, refusing], &[], &options).await;
    assert_eq!(
        refused.unwrap_err().kind(),
        std::io::ErrorKind::ConnectionRefused
    );
    let nowhere = connect_any(&[], &[], &options).await.unwrap_err();
    assert_eq!(nowhere.kind(), std::io::ErrorKind::NotFound);
}

#[tokio::test]
async fn nobody_connects_to_itself() {
    let options = TransportOptions::default();
    let (listener, endpoint) = bind(&loopback(0), &options).await.unwrap();
    drop(listener);
    // The source is what is connected to, which is what the system may choose by itself.
    let same = endpoint
        .clone()
        .with_source(endpoint.host.clone(), endpoint.port);
    let refused = connect(&same, &options, 0).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_keep_alive_that_the_system_would_refuse_is_refused_before_the_first_attempt() {
    let (second, most) = (Duration::from_secs(1), Duration::from_secs(32_767));
    let moment = Duration::from_millis(999);
    let new = TcpKeepAlive::new;
    for (keep_alive, expected) in [
        (new(), Ok(())),
        (new().idle(second).interval(second).count(1), Ok(())),
        (new().idle(most).interval(most).count(127), Ok(())),
        (new().idle(moment), Err(UnusableEndpoint::KeepAlive)),
        (new().idle(most + second), Err(UnusableEndpoint::KeepAlive)),
        (new().interval(moment), Err(UnusableEndpoint::KeepAlive)),
        (
            new().interval(Duration::MAX),
            Err(UnusableEndpoint::KeepAlive),
        ),
        (new().count(0), Err(UnusableEndpoint::KeepAlive)),
        (new().count(128), Err(UnusableEndpoint::KeepAlive)),
    ] {
        let mut options = TransportOptions::default();
        options.tcp.keep_alive = Some(keep_alive);
        let target = Target::new(&Endpoint::Tcp(loopback(1)), &options);
        assert_eq!(target.map(drop), expected, "{options:?}");
        // The system is of the same opinion.
        #[cfg(target_os = "linux")]
        assert_eq!(bind(&loopback(0), &options).await.is_ok(), expected.is_ok());
    }
}
