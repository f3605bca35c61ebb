//! Sockets that outlive the runtime on which their tasks ran.

#![expect(clippy::unwrap_used, reason = "tests")]

use tokio::runtime::{self, Runtime};
use zmtp::{DealerSocket, Message, PullSocket, PushSocket, Socket, SocketEvent, UnbindError};

use crate::reserved_port::ReservedPort;
use crate::{LOOPBACK, disconnect, handshake, soon};

const ENDPOINTS: [&str; 2] = [LOOPBACK, "inproc://outlived"];

fn runtime() -> Runtime {
    runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn what_was_bound_on_a_runtime_that_goes_away_is_free_again() {
    let port = ReservedPort::new();
    for place in [port.endpoint(), "inproc://outlived"] {
        let (gone, ours) = (runtime(), runtime());
        let mut pull = PullSocket::new();
        let mut push = PushSocket::new();
        let mut monitor = pull.monitor();
        let endpoint = gone.block_on(pull.bind(place)).unwrap();
        gone.block_on(async {
            push.connect(&endpoint).await.unwrap();
            push.send("before").await.unwrap();
            assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("before"));
        });
        drop(gone);
        assert_eq!(pull.handle().bound_endpoints(), []);
        assert_eq!(pull.peers(), []);
        assert_eq!(push.peers(), []);
        ours.block_on(async {
            let (mut disconnected, mut unbound) = (0, 0);
            while disconnected + unbound < 2 {
                match soon(monitor.recv()).await.unwrap() {
                    SocketEvent::Disconnected { .. } => disconnected += 1,
                    SocketEvent::Unbound { .. } => unbound += 1,
                    _ => {}
                }
            }
            assert_eq!((disconnected, unbound), (1, 1));
            let unbound = soon(pull.unbind(&endpoint)).await.unwrap_err();
            assert!(matches!(unbound, UnbindError::NotBound { .. }));
            pull.bind(&endpoint).await.unwrap();
            push.connect(&endpoint).await.unwrap();
            soon(push.send("after")).await.unwrap();
            assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("after"));
        });
    }
}

#[test]
fn a_binding_whose_task_never_ran_is_gone_with_its_runtime() {
    for wildcard in ENDPOINTS {
        let gone = runtime();
        let pull = PullSocket::new();
        gone.block_on(pull.bind(wildcard)).unwrap();
        drop(gone);
        assert_eq!(pull.handle().bound_endpoints(), []);
    }
}

#[test]
fn an_endpoint_whose_connector_went_with_its_runtime_can_be_connected_again() {
    for wildcard in ENDPOINTS {
        let (gone, ours) = (runtime(), Runtime::new().unwrap());
        let mut server = DealerSocket::new();
        let endpoint = ours.block_on(server.bind(wildcard)).unwrap();
        let mut dealer = DealerSocket::new();
        let mut monitor = dealer.monitor();
        let before = gone.block_on(async {
            let peer = dealer.connect(&endpoint).await.unwrap();
            handshake(&mut monitor).await;
            peer
        });
        drop(gone);
        assert_eq!(dealer.peers(), []);
        assert_eq!(dealer.handle().connected_endpoints(), []);
        ours.block_on(async {
            disconnect(&mut monitor).await;
            let again = dealer.connect(&endpoint).await.unwrap();
            assert_ne!(before, again);
            soon(dealer.send("again")).await.unwrap();
            assert_eq!(soon(server.recv()).await.unwrap(), Message::from("again"));
        });
    }
}
