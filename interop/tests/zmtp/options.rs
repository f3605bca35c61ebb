//! The options of REQ, DEALER and ROUTER, set on either side.

use std::time::Duration;

use interop::{Peer, TestResult};
use serde_json::{Value, json};
use zmtp::pattern::{RoutingId, SocketType};
use zmtp::wire::metadata::Metadata;
use zmtp::{
    DealerSocket, Message, MessageReceiver, PullSocket, PushSocket, RepSocket, ReqSocket,
    RouterSocket, SendError, Socket,
};

use crate::support::{Binder, Receives, Sends, bind_libzmq, join, libzmq, python, soon};

const BINDERS: [Binder; 2] = [Binder::We, Binder::Libzmq];

async fn send(peer: &mut Peer, name: &str, parts: &Value) -> TestResult {
    peer.request(json!({"op": "send", "name": name, "parts": parts}))
        .await?;
    Ok(())
}

async fn expect(peer: &mut Peer, name: &str, parts: &Value) -> TestResult {
    peer.request(json!({"op": "recv", "name": name, "expect": parts}))
        .await?;
    Ok(())
}

// REQREP-011, REQREP-012
#[tokio::test]
async fn our_numbered_requests_are_answered_by_their_rep() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    for binder in BINDERS {
        let mut req = ReqSocket::builder().req_relaxed().build();
        let mut peer = libzmq(python, "REP", json!({})).await?;
        join(&req, &mut peer, binder).await?;
        peer.begin(json!({"op": "echo", "name": "z", "count": 6}))
            .await?;
        for round in 0..3 {
            req.give(Message::from(format!("superseded {round}")))
                .await?;
            let last = Message::from(format!("last {round}"));
            req.give(last.clone()).await?;
            assert_eq!(req.take().await?, last);
        }
        peer.finish().await?;
    }
    Ok(())
}

// REQREP-011, REQREP-012
#[tokio::test]
async fn a_late_reply_of_their_router_is_not_taken_for_the_next_one() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut req = ReqSocket::builder().req_relaxed().build();
    let mut peer = libzmq(python, "ROUTER", json!({})).await?;
    join(&req, &mut peer, Binder::Libzmq).await?;
    let mut requests = Vec::new();
    for body in ["first", "second"] {
        req.give(Message::from(body)).await?;
        let request = peer.request(json!({"op": "recv", "name": "z"})).await?;
        assert_eq!(request.as_array().map(Vec::len), Some(4), "{request}");
        requests.push(request);
    }
    for request in &requests {
        send(&mut peer, "z", request).await?;
    }
    assert_eq!(req.take().await?, ["second"]);
    Ok(())
}

// REQREP-011, REQREP-012, REQREP-020
#[tokio::test]
async fn their_numbered_requests_are_answered_by_our_rep() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    for binder in BINDERS {
        let mut rep = RepSocket::new();
        let options = json!({"REQ_CORRELATE": 1, "REQ_RELAXED": 1});
        let mut peer = libzmq(python, "REQ", options).await?;
        join(&rep, &mut peer, binder).await?;
        for body in ["superseded", "last"] {
            send(&mut peer, "z", &json!([body])).await?;
        }
        for body in ["superseded", "last"] {
            assert_eq!(rep.take().await?, [body]);
            rep.give(Message::from(["reply to", body])).await?;
        }
        expect(&mut peer, "z", &json!(["reply to", "last"])).await?;
    }
    Ok(())
}

// REQREP-045
#[tokio::test]
async fn our_router_hands_a_routing_id_over() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut router = RouterSocket::builder().router_handover().build();
    let options = json!({"ROUTING_ID": "same", "RECONNECT_IVL": -1});
    let mut peer = libzmq(python, "DEALER", options.clone()).await?;
    peer.request(json!({"op": "socket", "name": "y", "type": "DEALER", "options": options}))
        .await?;
    let endpoint = router.bind("tcp://127.0.0.1:*").await?.to_string();
    for name in ["z", "y"] {
        peer.request(json!({"op": "connect", "name": name, "endpoint": endpoint}))
            .await?;
        send(&mut peer, name, &json!([name])).await?;
        assert_eq!(router.take().await?, ["same", name]);
    }
    router
        .give(Message::from(["same", "for the newcomer"]))
        .await?;
    expect(&mut peer, "y", &json!(["for the newcomer"])).await
}

// REQREP-045
#[tokio::test]
async fn their_router_hands_a_routing_id_over() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut peer = libzmq(python, "ROUTER", json!({"ROUTER_HANDOVER": 1})).await?;
    let endpoint = bind_libzmq(&mut peer, "tcp://127.0.0.1:*").await?;
    let mut dealers = Vec::new();
    for name in ["old", "new"] {
        let builder = DealerSocket::builder().no_reconnect();
        let mut dealer = builder.routing_id("same")?.build();
        dealer.connect(&endpoint).await?;
        dealer.give(Message::from(name)).await?;
        expect(&mut peer, "z", &json!(["same", name])).await?;
        dealers.push(dealer);
    }
    send(&mut peer, "z", &json!(["same", "for the newcomer"])).await?;
    assert_eq!(dealers[1].take().await?, ["for the newcomer"]);
    Ok(())
}

// REQREP-054
#[tokio::test]
async fn our_probe_reaches_their_router_first() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    for binder in BINDERS {
        let builder = DealerSocket::builder().probe_router();
        let mut dealer = builder.routing_id("us")?.build();
        let mut peer = libzmq(python, "ROUTER", json!({})).await?;
        join(&dealer, &mut peer, binder).await?;
        expect(&mut peer, "z", &json!(["us", ""])).await?;
        send(&mut peer, "z", &json!(["us", "hello"])).await?;
        assert_eq!(dealer.take().await?, ["hello"]);

        let builder = RouterSocket::builder().probe_router();
        let mut router = builder.routing_id("us")?.build();
        let mut peer = libzmq(python, "ROUTER", json!({"ROUTING_ID": "them"})).await?;
        join(&router, &mut peer, binder).await?;
        expect(&mut peer, "z", &json!(["us", ""])).await?;
        send(&mut peer, "z", &json!(["us", "hello"])).await?;
        assert_eq!(router.take().await?, ["them", "hello"]);
    }
    let builder = ReqSocket::builder().probe_router();
    let mut req = builder.routing_id("us")?.build();
    let mut peer = libzmq(python, "ROUTER", json!({})).await?;
    join(&req, &mut peer, Binder::Libzmq).await?;
    req.give(Message::from("question")).await?;
    expect(&mut peer, "z", &json!(["us", ""])).await?;
    expect(&mut peer, "z", &json!(["us", "", "question"])).await
}

// REQREP-054
#[tokio::test]
async fn their_probe_reaches_our_router_first() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let dealer = ("DEALER", json!(["hello"]));
    let router = ("ROUTER", json!(["us", "hello"]));
    for ((socket_type, received), binder) in [
        (&dealer, Binder::We),
        (&router, Binder::We),
        (&dealer, Binder::Libzmq),
        (&router, Binder::Libzmq),
    ] {
        let mut router = RouterSocket::builder().routing_id("us")?.build();
        let options = json!({"PROBE_ROUTER": 1, "ROUTING_ID": "them"});
        let mut peer = libzmq(python, socket_type, options).await?;
        join(&router, &mut peer, binder).await?;
        // A libzmq socket that binds learns of its peers only while it is called.
        peer.begin(json!({"op": "recv", "name": "z", "expect": received}))
            .await?;
        assert_eq!(router.take().await?, ["them", ""], "{socket_type}");
        router.give(Message::from(["them", "hello"])).await?;
        peer.finish().await?;
    }
    Ok(())
}

// REQREP-040, REQREP-053
#[tokio::test]
async fn our_router_names_their_router() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut router = RouterSocket::builder()
        .router_mandatory()
        .routing_id("us")?
        .build();
    let mut peer = libzmq(python, "ROUTER", json!({"ROUTING_ID": "own name"})).await?;
    let endpoint = bind_libzmq(&mut peer, "tcp://127.0.0.1:*").await?;
    router
        .connect_as(endpoint, RoutingId::new("given")?)
        .await?;
    router.give(Message::from(["given", "hello"])).await?;
    expect(&mut peer, "z", &json!(["us", "hello"])).await?;
    send(&mut peer, "z", &json!(["us", "world"])).await?;
    assert_eq!(router.take().await?, ["given", "world"]);
    Ok(())
}

// REQREP-053
#[tokio::test]
async fn their_router_names_our_router() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut router = RouterSocket::builder().routing_id("us")?.build();
    let options = json!({"CONNECT_ROUTING_ID": "given", "ROUTING_ID": "them"});
    let mut peer = libzmq(python, "ROUTER", options).await?;
    join(&router, &mut peer, Binder::We).await?;
    send(&mut peer, "z", &json!(["given", "hello"])).await?;
    assert_eq!(router.take().await?, ["them", "hello"]);
    router.give(Message::from(["them", "world"])).await?;
    expect(&mut peer, "z", &json!(["given", "world"])).await
}

// REQREP-049
#[tokio::test]
async fn what_a_mandatory_router_accepts_arrives() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let router = RouterSocket::builder().router_mandatory().build();
    let endpoint = router.bind("tcp://127.0.0.1:*").await?.to_string();
    let mut peer = libzmq(python, "DEALER", json!({"ROUTING_ID": "round 0"})).await?;
    for round in 0..20 {
        let (name, id) = (format!("s{round}"), format!("round {round}"));
        peer.request(json!({"op": "socket", "name": name, "type": "DEALER",
            "options": {"ROUTING_ID": id}}))
            .await?;
        peer.request(json!({"op": "connect", "name": name, "endpoint": endpoint}))
            .await?;
        soon(async {
            // Tried from before it is connected until the first is accepted.
            while let Err(SendError::Unroutable(_)) = router.send([&id, "hello"]).await {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await?;
        expect(&mut peer, &name, &json!(["hello"])).await?;
    }
    Ok(())
}

// REQREP-049
#[tokio::test]
async fn what_their_mandatory_router_accepts_arrives() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut peer = libzmq(python, "ROUTER", json!({"ROUTER_MANDATORY": 1})).await?;
    let endpoint = bind_libzmq(&mut peer, "tcp://127.0.0.1:*").await?;
    for round in 0..20 {
        let id = format!("round {round}");
        let mut dealer = DealerSocket::builder().routing_id(&id)?.build();
        dealer.connect(&endpoint).await?;
        send(&mut peer, "z", &json!([id, "hello"])).await?;
        assert_eq!(dealer.take().await?, ["hello"]);
    }
    Ok(())
}

// ZMTP31-072, ZMTP31-073
#[tokio::test]
async fn our_properties_are_read_from_their_messages() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut metadata = Metadata::new();
    for (name, value) in [("X-key", "value"), ("X-other", "")] {
        metadata.insert(name, value)?;
    }
    for binder in BINDERS {
        let mut push = PushSocket::builder().metadata(metadata.clone()).build();
        let mut peer = libzmq(python, "PULL", json!({})).await?;
        join(&push, &mut peer, binder).await?;
        push.give(Message::from("x")).await?;
        let names = ["X-key", "X-other", "Socket-Type"];
        let properties = peer
            .request(json!({"op": "recv_properties", "name": "z", "properties": names}))
            .await?;
        let expected = json!({"X-key": "value", "X-other": "", "Socket-Type": "PUSH"});
        assert_eq!(properties, expected);
    }
    Ok(())
}

// ZMTP31-072, ZMTP31-073
#[tokio::test]
async fn their_properties_come_with_what_is_known_of_the_peer() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    for binder in BINDERS {
        let mut pull = PullSocket::new();
        let options = json!({"METADATA": "X-key:value"});
        let mut peer = libzmq(python, "PUSH", options).await?;
        join(&pull, &mut peer, binder).await?;
        send(&mut peer, "z", &json!(["x"])).await?;
        let received = soon(pull.recv_with_peer()).await??;
        assert_eq!(received.info.metadata.get("X-key"), Some(&b"value".into()));
    }
    Ok(())
}

// ZMTP31-072
#[tokio::test]
async fn a_message_of_theirs_leads_to_its_socket() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut pull = PullSocket::new();
    let mut peer = libzmq(python, "PUSH", json!({})).await?;
    join(&pull, &mut peer, Binder::We).await?;
    send(&mut peer, "z", &json!(["x"])).await?;
    let (from, _) = soon(pull.recv_from()).await??;
    let info = pull.peer_info(from);
    assert_eq!(info.map(|info| info.socket_type), Some(SocketType::Push));
    Ok(())
}
