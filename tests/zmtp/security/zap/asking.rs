//! Handlers of ZAP, asked by our servers.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tests::bytes::{error, greeting, ready};
use tests::raw_peer::RawPeer;
use tokio::sync::Notify;
use zmtp::authenticator::{Authenticator, Decision, Denial};
use zmtp::zap::{ENDPOINT, Reply, ReplyError, Status};
use zmtp::{
    BindError, DealerSocket, MessageReceiver, Part, PullSocket, RepSocket, RouterSocket, Socket,
    SocketEvent, ZapAuthenticator, ZapError,
};

use super::support::{Mechanism, asking, candidate, next_refusal, soon, start_handler, success};
use crate::security::support::chain;
use crate::suite::address;

/// For an answer that comes, however slow the machine is.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client of a server whose handler answers `first` is refused with `code`; then one gets in.
async fn expect_refused(
    name: &str,
    mechanism: Mechanism,
    code: &str,
    patience: Duration,
    first: impl Fn(&[Part]) -> Vec<Vec<Part>> + Send + 'static,
) {
    let context = format!("{name}, {mechanism:?}");
    let count = AtomicUsize::new(0);
    let endpoint = format!("inproc://handler {context}");
    let endpoint = start_handler(&endpoint, move |request| {
        match count.fetch_add(1, Ordering::Relaxed) {
            0 => first(request),
            _ => vec![success(request)],
        }
    });
    let authenticator = asking(endpoint.await).reply_timeout(patience);
    let mut pull = mechanism.server(authenticator).build();
    let mut monitor = pull.monitor();
    let at = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let denied = mechanism.client();
    denied.connect(&at).await.unwrap();
    let reason = next_refusal(&mut monitor).await;
    assert!(reason.contains(code), "{context}: {reason}");
    let mut admitted = mechanism.client();
    admitted.connect(&at).await.unwrap();
    admitted.send("hello").await.unwrap();
    let received = soon(pull.recv_with_peer()).await.unwrap();
    assert_eq!(received.message, ["hello"], "{context}");
    assert_eq!(received.info.user_id, Some("joe".into()), "{context}");
}

// ZAP-007, ZAP-019, ZAP-020, ZAP-021, ZAP-022, ZAP-024, ZAP-025, ZAP-026, ZAP-030, LZ-064: what
// libzmq tries with its handlers, with each mechanism.
#[tokio::test]
async fn handlers_that_do_not_allow_it_let_nobody_in() {
    type Change = fn(&mut Vec<Part>);
    let cases: [(&str, &str, Change); 15] = [
        ("version", "500", |reply| reply[1] = "2.0".into()),
        ("request id", "500", |reply| reply[2] = "bogus".into()),
        ("number of nobody", "500", |reply| reply[2] = "77".into()),
        ("status of two digits", "500", |reply| {
            reply[3] = "20".into();
        }),
        ("status 201", "500", |reply| reply[3] = "201".into()),
        ("status in words", "500", |reply| reply[3] = "OK".into()),
        ("too many parts", "500", |reply| reply.push(Part::EMPTY)),
        ("too few parts", "500", |reply| reply.truncate(6)),
        ("one part", "500", |reply| reply.truncate(1)),
        ("no delimiter", "500", |reply| drop(reply.remove(0))),
        ("metadata", "500", |reply| reply[6] = "x".into()),
        ("user id", "500", |reply| reply[5] = vec![b'x'; 256].into()),
        ("temporary", "300", |reply| reply[3] = "300".into()),
        ("refused", "400", |reply| reply[3] = "400".into()),
        ("failed", "500", |reply| reply[3] = "500".into()),
    ];
    for mechanism in Mechanism::ALL {
        for (name, code, change) in cases {
            expect_refused(name, mechanism, code, PATIENCE, move |request| {
                let mut reply = success(request);
                change(&mut reply);
                vec![reply]
            })
            .await;
        }
        let soon = Duration::from_millis(300);
        expect_refused("silence", mechanism, "300", soon, |_| Vec::new()).await;
    }
}

// ZAP-005: nobody comes in without having been asked about, and who listens is told by default.
#[tokio::test]
async fn without_a_handler_nobody_comes_in() {
    for mechanism in Mechanism::ALL {
        for (absent, code) in [(Denial::InternalError, "500"), (Denial::Temporary, "300")] {
            let authenticator = asking("inproc://no handler")
                .absence_timeout(Duration::from_millis(20))
                .denial_when_absent(absent);
            let pull = mechanism.server(authenticator).build();
            let mut monitor = pull.monitor();
            let at = pull.bind("tcp://127.0.0.1:*").await.unwrap();
            let client = mechanism.client();
            client.connect(&at).await.unwrap();
            let reason = next_refusal(&mut monitor).await;
            assert!(reason.contains(code), "{mechanism:?}: {reason}");
        }
    }
}

// ZAP-005, ZAP-026
#[tokio::test]
async fn without_a_handler_the_peer_is_told_500_before_any_ready() {
    let authenticator = asking("inproc://no handler").absence_timeout(Duration::ZERO);
    let pull = Mechanism::Null.server(authenticator).build();
    let at = address(&pull.bind("tcp://127.0.0.1:*").await.unwrap());
    let mut peer = RawPeer::connect(at).await.unwrap();
    peer.send(&[greeting(3, 1), ready("PUSH")].concat())
        .await
        .unwrap();
    let last_words = peer.recv_until_closed().await.unwrap();
    assert_eq!(last_words, [greeting(3, 1), error("500")].concat());
}

// ZAP-005
#[tokio::test]
async fn a_handler_that_comes_soon_is_waited_for() {
    let endpoint = "inproc://a late handler";
    let authenticator = asking(endpoint).absence_timeout(Duration::from_secs(5));
    let candidate = candidate();
    let asked = authenticator.ask(&candidate);
    let handler = async {
        tokio::task::yield_now().await;
        start_handler(endpoint, |request| vec![success(request)]).await;
    };
    let (reply, ()) = soon(async { tokio::join!(asked, handler) }).await;
    assert_eq!(reply.unwrap().status, Status::Success);
}

// ZAP-005: also with a time that no clock can show.
#[tokio::test]
async fn a_handler_may_be_waited_for_without_end() {
    let endpoint = "inproc://a patiently awaited handler";
    let authenticator = asking(endpoint).absence_timeout(Duration::MAX);
    let candidate = candidate();
    let asked = authenticator.ask(&candidate);
    let handler = async {
        tokio::task::yield_now().await;
        start_handler(endpoint, |request| vec![success(request)]).await;
    };
    let (reply, ()) = soon(async { tokio::join!(asked, handler) }).await;
    assert_eq!(reply.unwrap().status, Status::Success);
}

// ZAP-005, ZAP-007: clients may try again when there is less to do.
#[tokio::test]
async fn a_handler_that_takes_no_more_requests_is_not_an_absent_one() {
    let mut router = RouterSocket::builder().receive_high_water_mark(1).build();
    let endpoint = router.bind("inproc://a busy handler").await.unwrap();
    let dealer = DealerSocket::builder().send_high_water_mark(1);
    let absence_timeout = Duration::from_millis(20);
    let authenticator = asking(&endpoint)
        .socket(dealer)
        .absence_timeout(absence_timeout);
    let candidate = candidate();
    let ask = || authenticator.ask(&candidate);
    // On a busy machine it may take longer to connect.
    let connected = async {
        loop {
            tokio::select! {
                answer = ask() => assert!(matches!(answer, Err(ZapError::Absent { .. }))),
                request = router.recv() => return request,
            }
        }
    };
    soon(connected).await.unwrap();
    // Two find room at most, and wait for their answers longer than the third for room.
    let first = soon(async {
        tokio::select! {
            answer = ask() => answer,
            answer = ask() => answer,
            answer = ask() => answer,
        }
    });
    assert_eq!(first.await, Err(ZapError::Busy { endpoint }));
    let decision = soon(authenticator.authenticate(&candidate)).await;
    assert_eq!(decision, Decision::Deny(Denial::Temporary));
}

// ZAP-005, ZAP-007: of one that has gone, too.
#[tokio::test]
async fn a_handler_that_goes_in_the_middle_lets_nobody_in() {
    let timeout = Duration::from_secs(2);
    let mut router = RouterSocket::new();
    let endpoint = router.bind("tcp://127.0.0.1:*").await.unwrap();
    let authenticator = asking(&endpoint)
        .reply_timeout(timeout)
        // On a busy machine it may take a while to connect.
        .absence_timeout(timeout / 2);
    let candidate = candidate();
    let handler = async {
        soon(router.recv()).await.unwrap();
        router.close().await;
    };
    let (answer, ()) = tokio::join!(authenticator.ask(&candidate), handler);
    assert_eq!(answer, Err(ZapError::TimedOut { timeout }));
    let answer = soon(authenticator.ask(&candidate)).await;
    assert_eq!(answer, Err(ZapError::Absent { endpoint }));
}

// ZAP-005: a socket of another kind refuses for good, and may be replaced all the same.
#[tokio::test]
async fn a_handler_is_found_where_there_was_none_before() {
    let other = PullSocket::new();
    let mut monitor = other.monitor();
    let endpoint = other.bind("tcp://127.0.0.1:*").await.unwrap();
    let authenticator = asking(&endpoint).absence_timeout(Duration::from_millis(200));
    let candidate = candidate();
    let (answer, _refusal) =
        tokio::join!(authenticator.ask(&candidate), next_refusal(&mut monitor));
    let absent = ZapError::Absent {
        endpoint: endpoint.clone(),
    };
    assert_eq!(answer, Err(absent));
    soon(other.close()).await;
    start_handler(&endpoint.to_string(), |request| vec![success(request)]).await;
    let found = async {
        while authenticator.ask(&candidate).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon(found).await;
}

// ZAP-001, ZAP-002, ZAP-003, ZAP-006: at the endpoint that the protocol names.
#[tokio::test]
async fn the_handler_of_the_process_is_found_and_there_is_one() {
    let mut rep = RepSocket::new();
    rep.bind(ENDPOINT).await.unwrap();
    let second = RouterSocket::new().bind(ENDPOINT).await.unwrap_err();
    let BindError::Io { source, .. } = second else {
        panic!("{second:?}");
    };
    assert_eq!(source.kind(), io::ErrorKind::AddrInUse);

    let builder = PullSocket::builder().plain_server();
    let pull = builder
        .zap_domain("global")
        .unwrap()
        .authenticator(ZapAuthenticator::new())
        .build();
    let mut monitor = pull.monitor();
    let at = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let push = Mechanism::Plain.client();
    push.connect(&at).await.unwrap();
    // A REP neither sees nor sends the empty part (ZAP-033).
    let request = soon(rep.recv()).await.unwrap();
    let parts = request.parts();
    let told = [
        &parts[0], &parts[2], &parts[3], &parts[4], &parts[5], &parts[6], &parts[7],
    ];
    let expected = ["1.0", "global", "127.0.0.1", "", "PLAIN", "admin", "secret"];
    assert_eq!(told, expected.map(Part::from).each_ref());
    rep.send(["1.0", "", "200", "OK", "joe", ""].map(|text| match text {
        "" => Part::EMPTY,
        text => text.into(),
    }))
    .unwrap();
    // The id is not repeated, so that it answers nothing.
    assert!(next_refusal(&mut monitor).await.contains("500"));
    drop(push);
    let push = Mechanism::Plain.client();
    push.connect(&at).await.unwrap();
    let request = soon(rep.recv()).await.unwrap();
    let id = request.parts()[1].clone();
    assert_ne!(&id, &parts[1], "each request has its own id (ZAP-010)");
    let [version, status, text, user, metadata] = ["1.0", "200", "", "joe", ""].map(Part::from);
    rep.send([version, id, status, text, user, metadata])
        .unwrap();
    let info = soon(async {
        loop {
            if let Some(SocketEvent::HandshakeSucceeded { info, .. }) = monitor.recv().await {
                return info;
            }
        }
    })
    .await;
    assert_eq!(info.user_id, Some("joe".into()));
    let again = tokio::time::timeout(Duration::from_millis(50), rep.recv());
    assert!(again.await.is_err(), "it is asked once (ZAP-006)");
}

// ZAP-007, ZAP-041, ZAP-042: also answers that come twice, late, or for nobody.
#[tokio::test]
async fn a_handler_that_is_slow_about_one_delays_nobody_else() {
    let mut router = RouterSocket::new();
    let endpoint = router.bind("inproc://slow handler").await.unwrap();
    let authenticator = asking(endpoint);
    let candidate = candidate();
    let held_up = authenticator.ask(&candidate);
    let handler = async {
        let (peer, first) = soon(router.recv_from()).await.unwrap();
        let quick = authenticator.ask(&candidate);
        let answer = async {
            let (peer, second) = soon(router.recv_from()).await.unwrap();
            let reply = success(second.parts());
            router.try_send_to(peer, reply.clone()).unwrap();
            router.try_send_to(peer, reply).unwrap();
        };
        let (reply, ()) = soon(async { tokio::join!(quick, answer) }).await;
        assert_eq!(reply.unwrap().status, Status::Success);
        // The first one, with whom the second answer to the other is not mixed up.
        let mut reply = success(first.parts());
        reply[5] = "first".into();
        router.try_send_to(peer, reply).unwrap();
    };
    let (reply, ()) = soon(async { tokio::join!(held_up, handler) }).await;
    assert_eq!(reply.unwrap().user_id, Part::from("first"));

    // Who has gone is not answered, and whoever comes then gets no answer of theirs.
    let gone = tokio::time::timeout(Duration::from_millis(50), authenticator.ask(&candidate));
    assert!(gone.await.is_err());
    let (peer, stale) = soon(router.recv_from()).await.unwrap();
    router.try_send_to(peer, success(stale.parts())).unwrap();
    let next = authenticator.ask(&candidate);
    let answer = async {
        let (peer, request) = soon(router.recv_from()).await.unwrap();
        let mut reply = success(request.parts());
        reply[3] = "400".into();
        router.try_send_to(peer, reply).unwrap();
    };
    let (reply, ()) = soon(async { tokio::join!(next, answer) }).await;
    assert_eq!(reply.unwrap().status, Status::AuthenticationFailure);
}

// ZAP-011, LZ-060
#[tokio::test]
async fn a_domain_can_be_enforced() {
    let endpoint = start_handler("inproc://domains", |request| vec![success(request)]).await;
    let authenticator = asking(&endpoint).enforce_domain();
    let mut candidate = candidate();
    let answer = soon(authenticator.ask(&candidate)).await;
    assert_eq!(answer, Err(ZapError::NoDomain));
    let decision = soon(authenticator.authenticate(&candidate)).await;
    assert_eq!(decision, Decision::Deny(Denial::InternalError));
    let answer = soon(asking(&endpoint).ask(&candidate)).await;
    assert!(answer.is_ok(), "without that it is asked, as libzmq does");
    candidate.domain = Some("global".parse().unwrap());
    assert!(soon(authenticator.ask(&candidate)).await.is_ok());
}

// What is wrong with an answer is told to whoever asks for more than a decision, and no credentials.
#[tokio::test]
async fn errors_say_what_was_wrong_and_nothing_secret() {
    let endpoint = start_handler("inproc://malformed", |request| {
        let mut reply = success(request);
        reply[3] = "201".into();
        vec![reply]
    });
    let authenticator = asking(endpoint.await);
    let error = soon(authenticator.ask(&candidate())).await.unwrap_err();
    assert_eq!(error, ZapError::Reply(ReplyError::Status));
    assert!(chain(&error).contains("200, 300, 400 or 500"));
    let unusable = asking("tcp://127.0.0.1:*");
    let error = soon(unusable.ask(&candidate())).await.unwrap_err();
    assert!(matches!(error, ZapError::Connect(_)), "{error:?}");
    assert!(!format!("{authenticator:?}").contains("secret"));
}

// The task that asks is not lost with the runtime that it ran on.
#[test]
fn an_authenticator_outlives_the_runtime_it_was_first_asked_on() {
    let authenticator = Arc::new(asking("inproc://two runtimes"));
    for _ in 0..2 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let reply: Reply = runtime.block_on(async {
            start_handler("inproc://two runtimes", |request| vec![success(request)]).await;
            soon(authenticator.ask(&candidate())).await.unwrap()
        });
        assert_eq!(reply.user_id, Part::from("joe"));
    }
}

// Nor is a question that it was asked there, when the runtime ends.
#[test]
fn a_question_outlives_the_runtime_that_carried_it() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    };
    let (first, second) = (runtime(), runtime());
    let authenticator = Arc::new(asking("inproc://a question of two runtimes"));
    let candidate = candidate();
    second.block_on(async {
        let mut router = RouterSocket::new();
        let endpoint = "inproc://a question of two runtimes";
        router.bind(endpoint).await.unwrap();
        // From here on the first runtime carries the questions.
        let (asker, whom) = (Arc::clone(&authenticator), candidate.clone());
        first.spawn(async move { asker.ask(&whom).await });
        soon(router.recv_from()).await.unwrap();
        let handler = async {
            soon(router.recv_from()).await.unwrap();
            first.shutdown_background();
            let (peer, again) = soon(router.recv_from()).await.unwrap();
            let reply = success(again.parts());
            router.try_send_to(peer, reply).unwrap();
        };
        let (reply, ()) = tokio::join!(authenticator.ask(&candidate), handler);
        assert_eq!(reply.unwrap().user_id, Part::from("joe"));
    });
}

// ZAP-007, INT-016: the handshake has its deadline, however patient the authenticator is.
#[tokio::test]
async fn the_deadline_of_the_handshake_stands() {
    let asked = Arc::new(Notify::new());
    let told = Arc::clone(&asked);
    let endpoint = start_handler("inproc://never", move |_| {
        told.notify_one();
        Vec::new()
    });
    let authenticator = asking(endpoint.await).reply_timeout(Duration::from_secs(600));
    let builder = Mechanism::Null.server(authenticator);
    let pull = builder
        .handshake_timeout(Duration::from_millis(200))
        .build();
    let mut monitor = pull.monitor();
    let at = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let client = Mechanism::Null.client();
    client.connect(&at).await.unwrap();
    soon(asked.notified()).await;
    let reason = next_refusal(&mut monitor).await;
    assert!(reason.contains("in time"), "{reason}");
}
