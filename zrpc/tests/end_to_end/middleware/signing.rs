//! Requests that are signed, and those that are not as they should be.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use zmtp::{DealerSocket, Message, Part, Socket};
use zrpc::middleware::{ClientRequest, HookFuture, Middleware, Signer, SigningKey, Verifier};
use zrpc::{CallError, Client, ClientBuilder, Fault, Puller, Pusher, RemoteError, Server};

use crate::support::{Counter, in_time, pair_with};

fn key(id: &str) -> SigningKey {
    SigningKey::new(id, format!("secret of the key {id}")).unwrap()
}

fn verifier(ids: &[&str]) -> Verifier {
    let verifier = Verifier::new();
    for id in ids {
        verifier.add_key(key(id));
    }
    verifier
}

fn refused<T>() -> Result<T, CallError> {
    let error = RemoteError::new(Verifier::NAME, "the request is not authentic");
    Err(CallError::Remote(error))
}

async fn served(verifier: Verifier, client: ClientBuilder) -> (Server, Client, Counter) {
    let called = Counter::new();
    let counter = called.clone();
    let server = Server::builder()
        .middleware(verifier)
        .method("add", move |(a, b): (u64, u64)| {
            counter.count();
            async move { a + b }
        });
    let (server, client) = pair_with(server, client).await;
    (server, client, called)
}

fn signing(signer: &Signer) -> ClientBuilder {
    Client::builder().middleware(signer.clone())
}

#[tokio::test]
async fn signed_requests_are_served_and_others_are_not() {
    let signer = Signer::new(key("a"));
    let (server, client, called) = served(verifier(&["a"]), signing(&signer)).await;
    assert_eq!(in_time(client.call::<u64>("add", (1, 2))).await, Ok(3));
    assert_eq!(in_time(client.call::<u64>("add", (1, 2))).await, Ok(3));
    called.wait_for(2).await;

    let unsigned = Client::connect(&server.endpoints()[0]).await.unwrap();
    // Nor is anybody told which methods there are.
    for method in ["add", "missing", "_zerorpc_list", "_zerorpc_ping"] {
        assert_eq!(
            in_time(unsigned.call::<u64>(method, (1, 2))).await,
            refused()
        );
    }
    for signature in ["", "garbage", &"x".repeat(9000)] {
        let request = unsigned
            .request("add", (1, 2))
            .header("signature", signature);
        assert_eq!(in_time(request.call::<u64>()).await, refused());
    }
    assert_eq!(called.pending(), 0);
    // A method that is missing is told to those who may know.
    let missing = RemoteError::new("NameError", "missing");
    let error = in_time(client.call::<u64>("missing", ())).await;
    assert_eq!(error, Err(CallError::Remote(missing)));
}

#[tokio::test]
async fn keys_are_rotated_while_calls_go_on() {
    let signer = Signer::new(key("old"));
    let verifier = verifier(&["old"]);
    let (_server, client, _) = served(verifier.clone(), signing(&signer)).await;
    let call = || in_time(client.call::<u64>("add", (1, 2)));
    assert_eq!(call().await, Ok(3));
    signer.replace_key(key("new"));
    assert_eq!(call().await, refused());
    verifier.add_key(key("new"));
    assert_eq!(call().await, Ok(3));
    assert!(verifier.remove_key("old"));
    assert_eq!(call().await, Ok(3));
    signer.replace_key(key("old"));
    assert_eq!(call().await, refused());
    // A key of the right name with another secret.
    signer.replace_key(SigningKey::new("new", [7; 32]).unwrap());
    assert_eq!(call().await, refused());
}

#[tokio::test]
async fn without_keys_nobody_gets_in() {
    let signer = Signer::new(key("a"));
    let (_server, client, called) = served(Verifier::new(), signing(&signer)).await;
    assert_eq!(in_time(client.call::<u64>("add", (1, 2))).await, refused());
    assert_eq!(called.pending(), 0);
}

type Written = (String, u64, serde_bytes::ByteBuf, serde_bytes::ByteBuf);

/// Changes signatures on their way.
struct Forger(fn(&mut Written));

impl Middleware for Forger {
    fn client_before_request<'a>(
        &'a self,
        request: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        let header = request.header_mut();
        let mut signature = header.get::<Written>("signature").unwrap().unwrap();
        (self.0)(&mut signature);
        header.insert("signature", &signature).unwrap();
        HookFuture::ready(Ok(()))
    }
}

#[tokio::test]
async fn signatures_that_were_changed_are_refused() {
    let signer = Signer::new(key("a"));
    let forgeries: [fn(&mut Written); 7] = [
        |signature| signature.0.push('b'),
        |signature| signature.1 += 1,
        |signature| signature.2[15] ^= 1,
        |signature| signature.3[31] ^= 1,
        |signature| signature.3.truncate(31),
        |signature| signature.3.clear(),
        |signature| signature.3.push(0),
    ];
    let (server, _client, called) = served(verifier(&["a"]), Client::builder()).await;
    for forgery in forgeries {
        let client = signing(&signer).middleware(Forger(forgery));
        let client = client
            .connect(&server.endpoints()[0])
            .build()
            .await
            .unwrap();
        assert_eq!(in_time(client.call::<u64>("add", (1, 2))).await, refused());
    }
    assert_eq!(called.pending(), 0);
}

#[tokio::test]
async fn a_signature_outside_of_the_window_is_refused() {
    // The time is signed, so that only whoever has the key can be too late.
    let signer = Signer::new(key("a"));
    let verifier = verifier(&["a"]).window(Duration::ZERO);
    let late = Forger(|_| std::thread::sleep(Duration::from_millis(20)));
    let client = signing(&signer).middleware(late);
    let (_server, client, called) = served(verifier, client).await;
    assert_eq!(in_time(client.call::<u64>("add", (1, 2))).await, refused());
    assert_eq!(called.pending(), 0);
}

#[tokio::test]
async fn more_signatures_than_can_be_remembered_are_refused() {
    let signer = Signer::new(key("a"));
    let verifier = verifier(&["a"]).max_remembered(2);
    let (_server, client, called) = served(verifier, signing(&signer)).await;
    for _ in 0..2 {
        assert_eq!(in_time(client.call::<u64>("add", (1, 2))).await, Ok(3));
    }
    assert_eq!(in_time(client.call::<u64>("add", (1, 2))).await, refused());
    called.wait_for(2).await;
}

#[tokio::test]
async fn where_nothing_can_be_remembered_everything_is_refused() {
    let signer = Signer::new(key("a"));
    let verifier = verifier(&["a"]).max_remembered(0);
    let (_server, client, called) = served(verifier, signing(&signer)).await;
    assert_eq!(in_time(client.call::<u64>("add", (1, 2))).await, refused());
    assert_eq!(called.pending(), 0);
}

/// Keeps the parts of a request.
#[derive(Clone, Default)]
struct Tap(Arc<Mutex<Option<Captured>>>);

struct Captured {
    message_id: Vec<u8>,
    signature: Written,
}

impl Middleware for Tap {
    fn client_before_request<'a>(
        &'a self,
        request: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        *self.0.lock().unwrap() = Some(Captured {
            message_id: request.message_id().content().unwrap().to_vec(),
            signature: request.header().get("signature").unwrap().unwrap(),
        });
        HookFuture::ready(Ok(()))
    }
}

/// Sends an event made by hand, and waits for the name of the answer.
async fn send(endpoint: &str, id: &[u8], method: &str, arg: u64, signature: &Written) -> String {
    let mut socket = DealerSocket::new();
    socket.connect(endpoint).await.unwrap();
    let header = rmpv::Value::Map(vec![
        ("message_id".into(), rmpv::Value::Binary(id.to_vec())),
        ("v".into(), 3.into()),
        ("signature".into(), rmpv::ext::to_value(signature).unwrap()),
    ]);
    let args = rmpv::Value::Array(vec![arg.into(), 2.into()]);
    let event = rmpv::Value::Array(vec![header, method.into(), args]);
    let mut payload = Vec::new();
    rmpv::encode::write_value(&mut payload, &event).unwrap();
    let message = Message::from([Part::new(), Part::from(Bytes::from(payload))]);
    socket.send(message).await.unwrap();
    loop {
        let mut answer = in_time(socket.recv()).await.unwrap();
        let payload = answer.pop_back().unwrap().into_bytes();
        let event = rmpv::decode::read_value(&mut &*payload).unwrap();
        match event[1].as_str().unwrap() {
            "_zpc_hb" => {}
            name => return name.to_owned(),
        }
    }
}

#[tokio::test]
async fn a_request_that_was_overheard_is_served_neither_again_nor_changed() {
    let signer = Signer::new(key("a"));
    let tap = Tap::default();
    // The client has another server, so that the request gets to this one first by the thief.
    let client = signing(&signer).middleware(tap.clone());
    let (_elsewhere, client, _) = served(verifier(&["a"]), client).await;
    let (server, _unused, called) = served(verifier(&["a"]), Client::builder()).await;
    assert_eq!(in_time(client.call::<u64>("add", (1, 2))).await, Ok(3));
    let Captured {
        message_id,
        signature,
    } = tap.0.lock().unwrap().take().unwrap();
    let endpoint = &server.endpoints()[0];
    let mut other_id = message_id.clone();
    other_id[0] ^= 1;
    for (id, method, arg) in [
        (&other_id, "add", 1),
        (&message_id, "sub", 1),
        (&message_id, "add", 9),
    ] {
        assert_eq!(send(endpoint, id, method, arg, &signature).await, "ERR");
    }
    // It is good, once.
    assert_eq!(
        send(endpoint, &message_id, "add", 1, &signature).await,
        "OK"
    );
    assert_eq!(
        send(endpoint, &message_id, "add", 1, &signature).await,
        "ERR"
    );
    called.wait_for(1).await;
    assert_eq!(called.pending(), 0);
}

#[tokio::test]
async fn events_that_nobody_answers_are_signed_too() {
    let handled = Counter::new();
    let (counter, refusals) = (handled.clone(), Counter::new());
    let refused = refusals.clone();
    let puller = Puller::builder()
        .middleware(verifier(&["a"]))
        .method("note", move |(): ()| {
            counter.count();
            async {}
        })
        .on_error(move |_| refused.count())
        .bind("tcp://127.0.0.1:*")
        .build();
    let puller = puller.await.unwrap();
    let endpoint = puller.endpoints()[0].clone();
    tokio::spawn(puller.run());
    for signer in [None, Some(key("b")), Some(key("a"))] {
        let mut pusher = Pusher::builder().connect(&endpoint);
        if let Some(key) = signer {
            pusher = pusher.middleware(Signer::new(key));
        }
        let pusher = pusher.build().await.unwrap();
        in_time(pusher.push("note", ())).await.unwrap();
        in_time(pusher.close()).await;
    }
    handled.wait_for(1).await;
    refusals.wait_for(2).await;
    assert_eq!(handled.pending(), 0);
}

#[tokio::test]
async fn events_that_are_received_one_by_one_are_verified() {
    let puller = Puller::builder().middleware(verifier(&["a"]));
    let puller = puller.bind("tcp://127.0.0.1:*").build().await;
    let mut puller = puller.unwrap();
    let endpoint = puller.endpoints()[0].clone();
    for (method, signer) in [("forged", None), ("forged", Some("b")), ("note", Some("a"))] {
        let mut pusher = Pusher::builder().connect(&endpoint);
        if let Some(id) = signer {
            pusher = pusher.middleware(Signer::new(key(id)));
        }
        let pusher = pusher.build().await.unwrap();
        in_time(pusher.push(method, ())).await.unwrap();
        in_time(pusher.close()).await;
    }
    let event = in_time(puller.recv()).await.unwrap();
    assert_eq!(event.method(), "note");
}
