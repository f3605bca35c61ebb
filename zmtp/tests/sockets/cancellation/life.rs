//! Beginning, ending and watching, and what answers beside the sockets.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use zmtp::authenticator::{Candidate, Credentials, Decision, from_fn};
use zmtp::pattern::RoutingId;
use zmtp::{
    DealerSocket, Endpoint, Proxy, PullSocket, PushSocket, RepSocket, RouterSocket, Socket as _,
    SocketEvent, ZapAuthenticator, ZapHandler, proxy,
};

use super::{insist, polled};
use crate::reserved_port::ReservedPort;
use crate::{LOOPBACK, soon};

/// Waits until nobody listens at `endpoint`.
async fn expect_free(endpoint: &Endpoint) {
    let socket = PullSocket::new();
    soon(async {
        while socket.bind(endpoint).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

// INT-044
#[tokio::test]
async fn binding_either_happens_or_does_not() {
    let pull = PullSocket::new();
    for polls in 0..4 {
        let port = ReservedPort::new();
        let before = pull.bound_endpoints().len();
        if polled(pull.bind(port.endpoint()), polls).await.is_none() {
            assert_eq!(pull.bound_endpoints().len(), before);
            soon(pull.bind(port.endpoint())).await.unwrap();
        }
        assert_eq!(pull.bound_endpoints().len(), before + 1);
    }
}

// INT-044
#[tokio::test]
async fn what_does_not_wait_is_done_when_it_is_polled() {
    let mut push = PushSocket::new();
    let nowhere = "tcp://127.0.0.1:1";
    assert!(polled(push.connect(nowhere), 0).await.is_none());
    assert_eq!(push.peers().len(), 0);
    assert!(polled(push.connect(nowhere), 1).await.is_some());
    assert_eq!(push.peers().len(), 1);
    assert!(polled(push.send("waits"), 2).await.is_some());

    let router = RouterSocket::new();
    let name = || RoutingId::new("there").unwrap();
    assert!(
        polled(router.connect_as(nowhere, name()), 0)
            .await
            .is_none()
    );
    let connected = polled(router.connect_as(nowhere, name()), 1).await;
    connected.expect("does not wait").unwrap();

    let pull = PullSocket::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let bound = polled(pull.bind_listener(listener), 1).await;
    bound.expect("does not wait").unwrap();
}

// INT-044
#[tokio::test]
async fn an_unbind_that_is_dropped_still_unbinds() {
    for polls in 1..4 {
        let pull = PullSocket::new();
        let port = ReservedPort::new();
        let endpoint = pull.bind(port.endpoint()).await.unwrap();
        polled(pull.unbind(&endpoint), polls).await;
        expect_free(&endpoint).await;
    }
}

// INT-044
#[tokio::test]
async fn a_socket_whose_close_is_dropped_still_closes() {
    let mut pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut push = PushSocket::new();
    push.connect(&endpoint).await.unwrap();
    push.send("last words").await.unwrap();
    assert!(polled(push.close(), 1).await.is_none());
    assert_eq!(soon(pull.recv()).await.unwrap(), ["last words"]);

    let dealer = DealerSocket::new();
    let port = ReservedPort::new();
    let endpoint = dealer.bind(port.endpoint()).await.unwrap();
    let (_sender, receiver) = dealer.split();
    polled(receiver.handle().close(), 1).await;
    expect_free(&endpoint).await;
}

// INT-044
#[tokio::test]
async fn a_monitor_that_is_dropped_and_asked_again_hears_everything() {
    let mut pull = PullSocket::new();
    let (mut steady, mut hasty) = (pull.monitor(), pull.monitor());
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let listening = async {
        let mut heard = Vec::new();
        loop {
            let event = insist(async || hasty.recv().await).await.unwrap();
            heard.push(format!("{event:?}"));
            if matches!(event, SocketEvent::Unbound { .. }) {
                return heard;
            }
        }
    };
    let happening = async {
        for _ in 0..10 {
            let mut push = PushSocket::new();
            push.connect(&endpoint).await.unwrap();
            push.send("x").await.unwrap();
            pull.recv().await.unwrap();
            push.close().await;
        }
        pull.unbind(&endpoint).await.unwrap();
    };
    let (heard, ()) = soon(async { tokio::join!(listening, happening) }).await;
    for event in heard {
        let expected = soon(steady.recv()).await.unwrap();
        assert_eq!(event, format!("{expected:?}"));
    }
}

// INT-044
#[tokio::test]
async fn a_proxy_that_is_dropped_and_run_again_passes_everything_on() {
    const COUNT: u32 = 1000;
    let frontend = PullSocket::builder().receive_high_water_mark(3).build();
    let for_senders = frontend.bind(LOOPBACK).await.unwrap();
    let backend = PushSocket::builder().send_high_water_mark(3).build();
    let for_receivers = backend.bind(LOOPBACK).await.unwrap();
    let mut between = Proxy::one_way(frontend, backend);
    let control = between.control();
    let mut push = PushSocket::builder().send_high_water_mark(3).build();
    push.connect(&for_senders).await.unwrap();
    let mut pull = PullSocket::builder().receive_high_water_mark(3).build();
    pull.connect(&for_receivers).await.unwrap();
    let sending = async {
        for number in 0..COUNT {
            push.send(number.to_be_bytes()).await.unwrap();
        }
    };
    let receiving = async {
        for number in 0..COUNT {
            let message = pull.recv().await.unwrap();
            assert_eq!(message, [number.to_be_bytes().as_slice()]);
        }
        control.terminate();
    };
    let running = insist(async || between.run().await);
    let (ended, (), ()) = soon(async { tokio::join!(running, sending, receiving) }).await;
    ended.unwrap();
}

// INT-044
#[tokio::test]
async fn the_sockets_of_a_proxy_that_is_dropped_go_with_it() {
    let (frontend, backend) = (RouterSocket::new(), DealerSocket::new());
    let endpoint = frontend.bind(LOOPBACK).await.unwrap();
    assert!(polled(proxy(frontend, backend), 3).await.is_none());
    expect_free(&endpoint).await;
}

// INT-044
#[cfg(feature = "curve")]
#[tokio::test]
async fn a_directory_of_certificates_that_was_not_waited_for_is_read_again() {
    use zmtp::authenticator::CertificateDirectory;

    let path = std::env::temp_dir().join(format!("zmtp-test-{}-dropped", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    let open = || CertificateDirectory::open(path.clone());
    for polls in 0..4 {
        polled(open(), polls).await;
    }
    let directory = soon(open()).await.unwrap();
    for polls in 0..4 {
        polled(directory.reload(), polls).await;
    }
    soon(directory.reload()).await.unwrap();
    std::fs::remove_dir_all(&path).unwrap();
    soon(directory.reload()).await.unwrap_err();
}

/// Somebody who is always let in, and how many have been asked about.
fn asked_about() -> (Arc<AtomicU32>, ZapHandler) {
    let count = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&count);
    let handler = ZapHandler::new(from_fn(move |_candidate| {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Decision::allowed())
    }));
    (count, handler)
}

fn candidate() -> Candidate {
    let address: SocketAddr = ([192, 0, 2, 7], 1).into();
    Candidate::new(address.into(), Credentials::Null)
}

// INT-044
#[tokio::test]
async fn a_question_to_a_handler_that_was_dropped_takes_no_other_answer() {
    let (count, handler) = asked_about();
    let router = RouterSocket::new();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let serving = tokio::spawn(handler.serve(router));
    let asking = ZapAuthenticator::at(&endpoint).unwrap();
    let candidate = candidate();
    for _ in 0..10 {
        for polls in 0..4 {
            polled(asking.ask(&candidate), polls).await;
        }
        let reply = soon(asking.ask(&candidate)).await.unwrap();
        assert!(matches!(reply.into_decision(), Decision::Allow { .. }));
    }
    assert!(count.load(Ordering::Relaxed) >= 10);
    serving.abort();
}

// INT-044
#[tokio::test]
async fn a_handler_that_is_dropped_ends_with_its_socket() {
    let (_, handler) = asked_about();
    let router = RouterSocket::new();
    let behind_router = router.bind(LOOPBACK).await.unwrap();
    assert!(polled(handler.clone().serve(router), 3).await.is_none());
    let rep = RepSocket::new();
    let behind_rep = rep.bind(LOOPBACK).await.unwrap();
    assert!(polled(handler.serve_in_turn(rep), 3).await.is_none());
    for endpoint in [behind_router, behind_rep] {
        expect_free(&endpoint).await;
    }
}
