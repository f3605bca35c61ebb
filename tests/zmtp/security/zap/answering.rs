//! Our handlers, asked by our sockets and by others.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use zmtp::authenticator::{
    Authenticator, Candidate, Credentials, Decision, Denial, Passwords, from_fn,
};
use zmtp::wire::metadata::Metadata;
use zmtp::zap::{Domain, Status};
use zmtp::{
    DealerSocket, MessageReceiver, Part, Proxy, PullSocket, PushSocket, RepSocket, ReqSocket,
    RouterSocket, Socket, ZapHandler,
};

use super::support::{Mechanism, asking, candidate, soon};

/// Lets those in whose name is their password, and panics about one.
fn by_name() -> impl Authenticator {
    from_fn(|candidate: Candidate| async move {
        assert_ne!(candidate.identity(), b"panic");
        let Credentials::Plain(credentials) = &candidate.credentials else {
            return Decision::Deny(Denial::Refused);
        };
        if candidate.domain.as_ref().map(Domain::as_str) != Some("test") {
            return Decision::Deny(Denial::Temporary);
        }
        let mut metadata = Metadata::new();
        metadata.insert("Role", "admin").unwrap();
        Decision::Allow {
            user_id: Some(credentials.expose_username().into()),
            metadata,
        }
    })
}

fn request(id: &str, domain: &str, identity: &str, rest: &[&str]) -> Vec<Part> {
    let head = ["1.0", id, domain, "192.0.2.7", identity];
    head.iter()
        .chain(rest)
        .map(|text| Part::from(*text))
        .collect()
}

/// What may be asked, and what the answer is.
fn requests_and_replies() -> Vec<(Vec<Part>, [Part; 6])> {
    let plain = ["PLAIN", "joe", "secret"];
    let role = "\x04Role\0\0\0\x05admin";
    let denied = |status, text| ["1.0", "1", status, text, "", ""].map(Part::from);
    vec![
        (
            request("1", "test", "", &plain),
            ["1.0", "1", "200", "OK", "joe", role].map(Part::from),
        ),
        (
            request("1", "", "", &plain),
            denied("300", "temporary error"),
        ),
        (
            request("1", "test", "", &["NULL"]),
            denied("400", "authentication failure"),
        ),
        (
            request("1", "test", "", &["GSSAPI", "principal"]),
            denied("400", "authentication failure"),
        ),
        (
            request("1", "test", "panic", &plain),
            denied("500", "internal error"),
        ),
        (
            request("1", "test", "", &["PLAIN", "joe"]),
            denied("500", "internal error"),
        ),
        (
            ["2.0", "1"].map(Part::from).to_vec(),
            denied("500", "internal error"),
        ),
        (
            [&request("1", "test", "", &[])[..3], &["nowhere".into()]]
                .concat()
                .into_iter()
                .chain(["", "NULL"].map(Part::from))
                .collect(),
            denied("500", "internal error"),
        ),
    ]
}

// ZAP-002, ZAP-028, ZAP-032, ZAP-033, ZAP-034, ZAP-036: our handlers, asked by REQ and DEALER.
#[tokio::test]
async fn our_handlers_answer_requests_of_each_kind_of_socket() {
    let router = RouterSocket::new();
    let behind_router = router.bind("tcp://127.0.0.1:*").await.unwrap();
    tokio::spawn(ZapHandler::new(by_name()).serve(router));
    let rep = RepSocket::new();
    let behind_rep = rep.bind("tcp://127.0.0.1:*").await.unwrap();
    tokio::spawn(ZapHandler::new(by_name()).serve_in_turn(rep));

    let cases = requests_and_replies();
    for endpoint in [behind_router, behind_rep] {
        let mut req = ReqSocket::new();
        req.connect(&endpoint).await.unwrap();
        let mut dealer = DealerSocket::new();
        dealer.connect(&endpoint).await.unwrap();
        for (request, expected) in &cases {
            req.send(request.clone()).await.unwrap();
            let reply = soon(req.recv()).await.unwrap();
            assert_eq!(reply, expected[..], "{request:?}");
            for hops in [0, 1, 3] {
                let envelope = vec![Part::from("hop"); hops];
                let envelope = [&envelope[..], &[Part::EMPTY]].concat();
                let sent = [&envelope[..], request].concat();
                dealer.send(sent).await.unwrap();
                let reply = soon(dealer.recv()).await.unwrap();
                assert_eq!(reply, [&envelope[..], expected].concat()[..]);
            }
        }
        // Without a delimiter nobody knows where the answer goes.
        dealer.send("noise").await.unwrap();
        dealer
            .send([&[Part::EMPTY][..], &cases[0].0].concat())
            .await
            .unwrap();
        let reply = soon(dealer.recv()).await.unwrap();
        assert_eq!(reply.parts()[1..], cases[0].1);
    }
}

// ZAP-004, ZAP-006, ZAP-041: many sockets, one handler, each client once.
#[tokio::test]
async fn many_sockets_and_their_clients_share_a_handler() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let counting = from_fn(move |candidate: Candidate| {
        let number = counted.fetch_add(1, Ordering::Relaxed);
        async move {
            // The answers come in another order than the questions.
            for _ in 0..number % 7 {
                tokio::task::yield_now().await;
            }
            by_name().authenticate(&candidate).await
        }
    });
    let router = RouterSocket::new();
    router.bind("inproc://shared handler").await.unwrap();
    tokio::spawn(ZapHandler::new(counting).max_pending(5).serve(router));
    let shared = Arc::new(asking("inproc://shared handler"));
    let mut servers = Vec::new();
    let mut clients = Vec::new();
    for server in 0..10 {
        let builder = PullSocket::builder().plain_server();
        let builder = builder.authenticator(Arc::clone(&shared));
        let pull = builder.zap_domain("test").unwrap().build();
        let at = pull.bind("tcp://127.0.0.1:*").await.unwrap();
        for client in 0..20 {
            let name = format!("{server}-{client}");
            let builder = PushSocket::builder().plain_client(&name, "secret");
            let mut push = builder.unwrap().build();
            push.connect(&at).await.unwrap();
            push.send(name.as_str()).await.unwrap();
            clients.push(push);
        }
        servers.push(pull);
    }
    for pull in &mut servers {
        let mut users = BTreeSet::new();
        for _ in 0..20 {
            let received = soon(pull.recv_with_peer()).await.unwrap();
            let user_id = received.info.user_id.clone().unwrap();
            assert_eq!(received.message.first(), Some(&user_id));
            assert_eq!(received.info.granted.get("Role"), Some(&b"admin".into()));
            users.insert(user_id.to_vec());
        }
        assert_eq!(users.len(), 20);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 200);
}

// ZAP-007: decisions that take too long, behind our handler.
#[tokio::test]
async fn our_handler_answers_where_its_authenticator_does_not() {
    let router = RouterSocket::new();
    let endpoint = router.bind("inproc://undecided").await.unwrap();
    let undecided = ZapHandler::new(from_fn(|_| std::future::pending()));
    let undecided = undecided.decision_timeout(Duration::from_millis(10));
    tokio::spawn(undecided.max_pending(1).serve(router));
    let authenticator = asking(endpoint);
    let candidate = candidate();
    let both = async { tokio::join!(authenticator.ask(&candidate), authenticator.ask(&candidate)) };
    let (first, second) = soon(both).await;
    assert_eq!(first.unwrap().status, Status::TemporaryError);
    assert_eq!(second.unwrap().status, Status::TemporaryError);
}

// ZAP-035: through a ROUTER and a DEALER to a handler elsewhere.
#[tokio::test]
async fn a_proxy_leads_to_a_handler_elsewhere() {
    let rep = RepSocket::new();
    let behind = rep.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut passwords = Passwords::new();
    passwords.insert("admin", "secret").unwrap();
    tokio::spawn(ZapHandler::new(passwords).serve_in_turn(rep));
    let (front, back) = (RouterSocket::new(), DealerSocket::new());
    let endpoint = front.bind("inproc://proxy to a handler").await.unwrap();
    back.connect(behind).await.unwrap();
    tokio::spawn(async move { Proxy::new(front, back).run().await });
    let mut pull = Mechanism::Plain.server(asking(endpoint)).build();
    let at = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut push = Mechanism::Plain.client();
    push.connect(&at).await.unwrap();
    push.send("hello").await.unwrap();
    let received = soon(pull.recv_with_peer()).await.unwrap();
    assert_eq!(received.info.user_id, Some("admin".into()));
}
