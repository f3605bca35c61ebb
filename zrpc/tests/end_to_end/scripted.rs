//! Peers that do what no client or server of ours would do.

use bytes::Bytes;
use futures_util::future::join_all;
use zmtp::{DealerSocket, Message, Part, RouterSocket, Socket};
use zrpc::{CallContext, CallError, Client, HeaderError, Heartbeat, Server};

use crate::support::{Counter, ReservedPort, in_time, pair};

/// A server that answers as a test wants.
struct ScriptedServer {
    socket: RouterSocket,
    /// The envelope of the last request.
    envelope: Part,
    /// The encoded id of the last request.
    id: Vec<u8>,
}

impl ScriptedServer {
    async fn bind() -> (Self, Client) {
        let socket = RouterSocket::new();
        let endpoint = socket.bind("tcp://127.0.0.1:*").await.unwrap();
        let client = Client::connect(endpoint.to_string()).await.unwrap();
        let server = Self {
            socket,
            envelope: Part::new(),
            id: Vec::new(),
        };
        (server, client)
    }

    /// Waits for a request, and passes over heartbeats, credit and the like.
    async fn expect_request(&mut self, method: &str) {
        loop {
            let message = in_time(self.socket.recv()).await.unwrap();
            let payload = message.last().unwrap().as_slice();
            let start = find(payload, b"message_id").unwrap() + b"message_id".len();
            if find(payload, method.as_bytes()).is_some() {
                // Our ids are 32 bytes of binary with two bytes in front.
                self.id = payload[start..start + 34].to_vec();
                self.envelope = message.first().unwrap().clone();
                return;
            }
        }
    }

    /// Sends an event with encoded arguments.
    async fn send(&self, name: &str, args: &[u8]) {
        let mut payload = b"\x93\x83\xaamessage_id\xc4\x01x\xa1v\x03\xabresponse_to".to_vec();
        payload.extend_from_slice(&self.id);
        payload.push(0xa0 | u8::try_from(name.len()).unwrap());
        payload.extend_from_slice(name.as_bytes());
        payload.extend_from_slice(args);
        let parts = [self.envelope.clone(), Part::new(), Part::from(payload)];
        self.socket.send(Message::from(parts)).await.unwrap();
    }

    /// Answers one call as it should be.
    async fn serve_one(&mut self) {
        self.expect_request("one").await;
        self.send("OK", b"\x91\x01").await;
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[tokio::test]
async fn b3_a_server_that_ignores_credit_ends_that_stream_only() {
    let (mut server, client) = ScriptedServer::bind().await;
    let flood = client.request("flood", ()).slots(100);
    let mut items = flood.stream::<u8>().await.unwrap();
    server.expect_request("flood").await;
    for _ in 0..500 {
        server.send("STREAM", b"\x07").await;
    }
    let call = tokio::spawn(async move { client.call::<u8>("one", ()).await });
    server.serve_one().await;
    assert_eq!(in_time(call).await.unwrap(), Ok(1));
    let error = loop {
        match in_time(items.next_item()).await {
            Ok(item) => assert_eq!(item, Some(7)),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, CallError::Overrun { .. }), "{error:?}");
}

#[tokio::test]
async fn an_event_that_is_no_reply_is_an_error() {
    let (mut server, client) = ScriptedServer::bind().await;
    let call = tokio::spawn(async move { client.call::<u8>("strange", ()).await });
    server.expect_request("strange").await;
    server.send("MAYBE", b"\x90").await;
    let expected = CallError::UnexpectedEvent {
        method: "strange".to_owned(),
        event: "MAYBE".to_owned(),
    };
    assert_eq!(in_time(call).await.unwrap(), Err(expected));
}

#[tokio::test]
async fn q19_what_comes_after_the_end_is_ignored() {
    let (mut server, client) = ScriptedServer::bind().await;
    for _ in 0..3 {
        let call = tokio::spawn({
            let client = client.clone();
            async move { client.call::<u8>("one", ()).await }
        });
        server.serve_one().await;
        server.send("OK", b"\x91\x02").await;
        server.send("_zpc_hb", b"\x91\x00").await;
        server.send("STREAM", b"\x03").await;
        assert_eq!(in_time(call).await.unwrap(), Ok(1));
    }
}

#[tokio::test]
async fn q23_an_error_with_missing_fields_is_an_error() {
    let (mut server, client) = ScriptedServer::bind().await;
    let call = tokio::spawn(async move { client.call::<u8>("fail", ()).await });
    server.expect_request("fail").await;
    server.send("ERR", b"\x93\xa4oops\xc0\xc0").await;
    let error = in_time(call).await.unwrap().unwrap_err();
    assert!(
        matches!(&error, CallError::Remote(error) if error.message == "oops"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_peer_that_reads_nothing_stops_nobody_else() {
    const CALLS: u32 = 1_000;
    let answered = Counter::new();
    let counter = answered.clone();
    let (server, client) = pair(
        Server::builder()
            // The peer sends no heartbeats, and should not be lost on a machine that is slow.
            .heartbeat(Heartbeat::off())
            .method("one", |(): ()| async { 1_u8 })
            .method("big", move |(): ()| {
                counter.count();
                async { serde_bytes::ByteBuf::from(vec![0; 64 * 1024]) }
            }),
    )
    .await;
    let mut peer = DealerSocket::new();
    peer.connect(&server.endpoints()[0]).await.unwrap();
    for number in 0..CALLS {
        let mut request = b"\x93\x82\xaamessage_id\xce".to_vec();
        request.extend_from_slice(&number.to_be_bytes());
        request.extend_from_slice(b"\xa1v\x03\xa3big\x90");
        let request = Part::from(Bytes::from(request));
        in_time(peer.send(Message::from([Part::new(), request])))
            .await
            .unwrap();
    }
    // Its replies fill every queue on the way, and others are served.
    answered.wait_for(32).await;
    for _ in 0..20 {
        assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
    }
    // When it reads again, it gets an answer to every request: the result, or that it had too much
    // on its way.
    let mut replies = std::collections::HashSet::new();
    while replies.len() < CALLS as usize {
        let message = in_time(peer.recv()).await.unwrap();
        let payload = message.last().unwrap();
        let start = find(payload, b"response_to").unwrap() + b"response_to".len();
        replies.insert(payload[start..start + 5].to_vec());
    }
}

#[tokio::test]
async fn a_reply_that_is_no_event_is_an_error() {
    let (mut server, client) = ScriptedServer::bind().await;
    let call = tokio::spawn(async move { client.call::<u8>("garble", ()).await });
    server.expect_request("garble").await;
    // An octet that msgpack does not use.
    server.send("OK", b"\xc1").await;
    let error = in_time(call).await.unwrap().unwrap_err();
    assert!(
        matches!(&error, CallError::Malformed { method, .. } if method == "garble"),
        "{error:?}"
    );
}

#[tokio::test]
async fn q15_a_handler_sees_what_its_caller_added_to_the_header() {
    let (server, _client) = pair(Server::builder().method("trace", |(): ()| async {
        let context = CallContext::current().unwrap();
        let trace: Option<String> = context.header("trace")?;
        let absent: Option<u8> = context.header("absent")?;
        assert_eq!(absent, None);
        context.header::<u8>("trace").unwrap_err();
        Ok::<_, HeaderError>(trace)
    }))
    .await;
    let mut peer = DealerSocket::new();
    peer.connect(&server.endpoints()[0]).await.unwrap();
    let request = b"\x93\x83\xaamessage_id\xa1q\xa1v\x03\xa5trace\xa4abcd\xa5trace\x90";
    let request = Part::from(Bytes::from_static(request));
    peer.send(Message::from([Part::new(), request]))
        .await
        .unwrap();
    let reply = in_time(peer.recv()).await.unwrap();
    let payload = reply.last().unwrap().as_slice();
    assert!(payload.ends_with(b"\xa2OK\x91\xa4abcd"), "{reply:?}");
}

#[tokio::test]
async fn a_call_that_was_cut_off_does_not_run_later() {
    // A peer that reads nothing: most of what is sent to it waits on the way.
    let mut unread = RouterSocket::builder().receive_high_water_mark(1).build();
    let port = ReservedPort::new();
    unread.bind(port.endpoint()).await.unwrap();
    let client = Client::connect(port.endpoint()).await.unwrap();
    let data = serde_bytes::ByteBuf::from(vec![0; 256 * 1024]);
    let mut calls: Vec<_> = (0..100)
        .map(|_| {
            let request = client.request("run", (&data,)).no_timeout();
            Box::pin(request.call::<()>())
        })
        .collect();
    // The first poll makes a call.
    for call in &mut calls {
        assert!(futures_util::poll!(call).is_pending());
    }
    in_time(unread.recv()).await.unwrap();
    in_time(unread.close()).await;
    for outcome in in_time(join_all(calls)).await {
        assert_eq!(outcome, Err(CallError::Disconnected));
    }
    let ran = Counter::new();
    let counter = ran.clone();
    let server = Server::builder()
        .method("run", move |(_data,): (serde_bytes::ByteBuf,)| {
            counter.count();
            async {}
        })
        .method("one", |(): ()| async { 1_u8 })
        .bind(port.endpoint());
    let _server = server.build().await.unwrap();
    while in_time(client.call::<u8>("one", ())).await != Ok(1) {}
    assert_eq!(ran.pending(), 0);
}
