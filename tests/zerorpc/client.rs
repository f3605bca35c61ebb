//! What a client does with what raw servers send.

use std::time::Duration;

use rmpv::Value;
use tests::raw_peer::RawPeer;
use tests::rpc::{self, RawEvent};
use zrpc::{CallError, Client, Heartbeat};

use crate::support::{BEATS, raw_server, short_heartbeat, steady_heartbeat};

fn one(value: impl Into<Value>) -> Value {
    Value::Array(vec![value.into()])
}

/// Calls a method and answers with these payloads, which know the channel.
async fn call(
    client: &Client,
    server: &mut RawPeer,
    answers: impl Fn(&Value) -> Vec<Vec<u8>>,
) -> Result<Value, CallError> {
    let calling = client.call::<Value>("method", (1, "two"));
    let serving = async {
        let request = rpc::recv(server).await.unwrap();
        let channel = request.entry("message_id").unwrap().clone();
        for payload in answers(&channel) {
            rpc::send(server, &payload).await.unwrap();
        }
    };
    tokio::join!(calling, serving).0
}

async fn recv_request(server: &mut RawPeer) -> RawEvent {
    rpc::recv(server).await.unwrap()
}

// Q2, Q17.
#[tokio::test]
async fn a_request_has_the_known_form() {
    let (client, mut server) = raw_server(|builder| builder).await;
    let calling = client.call::<Value>("method", (1, "two"));
    let serving = async {
        let request = recv_request(&mut server).await;
        assert!(request.is("method"), "{request:?}");
        let args = vec![Value::from(1), Value::from("two")];
        assert_eq!(request.args, Value::Array(args));
        assert_eq!(request.entry("v"), Some(&Value::from(3)));
        assert!(matches!(
            request.entry("response_to"),
            None | Some(Value::Nil)
        ));
        let id = request.entry("message_id").unwrap().clone();
        let digits = id.as_slice().unwrap();
        assert_eq!((id.is_bin(), digits.len()), (true, 32));
        assert!(digits.iter().all(u8::is_ascii_hexdigit));
        let reply = rpc::on_channel(&id, "OK", one(true));
        rpc::send(&mut server, &reply).await.unwrap();
    };
    assert_eq!(tokio::join!(calling, serving).0, Ok(Value::from(true)));
}

#[tokio::test]
async fn noise_does_not_disturb_a_call() {
    let (client, mut server) = raw_server(|builder| builder).await;
    let result = call(&client, &mut server, |channel| {
        vec![
            vec![],
            vec![0xc1],
            b"text".to_vec(),
            rpc::encode(&Value::Array(vec![])),
            rpc::request(rpc::id(9), "a request to a client", vec![]),
            rpc::on_channel(&rpc::id(9), "OK", one("of no channel")),
            rpc::on_channel(&Value::Array(vec![]), "OK", one("of no channel")),
            rpc::on_channel(channel, "_zpc_hb", Value::Nil),
            rpc::on_channel(channel, "_zpc_hb", one(0)),
            rpc::on_channel(channel, "_zpc_more", one("many")),
            rpc::on_channel(channel, "OK", one("good")),
            // Q19: nobody waits for it any more.
            rpc::on_channel(channel, "OK", one("late")),
        ]
    })
    .await;
    assert_eq!(result, Ok(Value::from("good")));
    let again = call(&client, &mut server, |channel| {
        vec![rpc::on_channel(channel, "OK", one(2))]
    });
    assert_eq!(again.await, Ok(Value::from(2)));
}

// Q17: replies of old servers lack ids and versions.
#[tokio::test]
async fn a_reply_needs_nothing_but_its_channel() {
    let (client, mut server) = raw_server(|builder| builder).await;
    let result = call(&client, &mut server, |channel| {
        let header = Value::Map(vec![(Value::from("response_to"), channel.clone())]);
        vec![rpc::event(header, "OK", one(7))]
    });
    assert_eq!(result.await, Ok(Value::from(7)));
}

// Go's server answers binary ids with text, which Python's client does not recognise.
#[tokio::test]
async fn a_reply_to_the_id_as_text_is_understood() {
    let (client, mut server) = raw_server(|builder| builder).await;
    let result = call(&client, &mut server, |channel| {
        let digits = channel.as_slice().unwrap_or_default();
        let text = String::from_utf8_lossy(digits).into_owned();
        vec![rpc::on_channel(&Value::from(text), "OK", one(7))]
    });
    assert_eq!(result.await, Ok(Value::from(7)));
}

// Q23.
#[tokio::test]
async fn results_of_unusual_shape_are_understood() {
    let (client, mut server) = raw_server(|builder| builder).await;
    let shapes = [
        (Value::Array(vec![]), Value::Nil),
        (one(7), Value::from(7)),
        (
            Value::Array(vec![Value::from(7), Value::from(8)]),
            Value::from(7),
        ),
        (one(one(7)), one(7)),
    ];
    for (args, expected) in shapes {
        let result = call(&client, &mut server, |channel| {
            vec![rpc::on_channel(channel, "OK", args.clone())]
        });
        assert_eq!(result.await, Ok(expected), "{args}");
    }
}

// Q13, Q23.
#[tokio::test]
async fn errors_of_every_shape_reach_the_caller() {
    let (client, mut server) = raw_server(|builder| builder).await;
    let text = |text: &str| Value::from(text);
    let octets = |text: &str| Value::Binary(text.as_bytes().to_vec());
    let shapes = [
        Value::Array(vec![text("Name"), text("message"), text("traceback")]),
        Value::Array(vec![octets("Name"), text("message"), octets("traceback")]),
        Value::Array(vec![text("message"), Value::Nil, Value::Nil]),
        Value::Array(vec![text("message")]),
        Value::Array(vec![]),
        Value::Nil,
        text("message"),
        Value::Array(vec![
            Value::from(1),
            Value::from(2),
            Value::from(3),
            Value::from(4),
        ]),
    ];
    for args in shapes {
        let result = call(&client, &mut server, |channel| {
            vec![rpc::on_channel(channel, "ERR", args.clone())]
        })
        .await;
        let Err(CallError::Remote(error)) = result else {
            panic!("{args}: {result:?}");
        };
        if args[0].as_str() == Some("Name") {
            assert_eq!((&*error.name, &*error.message), ("Name", "message"));
        }
    }
}

#[tokio::test]
async fn an_event_that_is_no_reply_ends_its_call_alone() {
    let (client, mut server) = raw_server(|builder| builder).await;
    let result = call(&client, &mut server, |channel| {
        vec![rpc::on_channel(channel, "WHAT", one(7))]
    })
    .await;
    assert!(
        matches!(result, Err(CallError::UnexpectedEvent { .. })),
        "{result:?}"
    );
    let again = call(&client, &mut server, |channel| {
        vec![rpc::on_channel(channel, "OK", one(2))]
    });
    assert_eq!(again.await, Ok(Value::from(2)));
}

// Q26.
#[tokio::test]
async fn a_silent_server_is_lost() {
    let (client, server) = raw_server(|builder| builder.heartbeat(short_heartbeat())).await;
    let result = client.call::<Value>("method", ()).await;
    let Err(error) = result else {
        panic!("{result:?}");
    };
    assert_eq!(error.to_string(), "Lost remote after 0.2s heartbeat");
    drop(server);
}

// Q26.
#[tokio::test]
async fn a_timeout_names_the_method() {
    let (client, server) = raw_server(|builder| {
        let builder = builder.heartbeat(Heartbeat::off());
        builder.timeout(Duration::from_millis(100))
    })
    .await;
    let result = client.call::<Value>("method", ()).await;
    let Err(error) = result else {
        panic!("{result:?}");
    };
    let expected = "timeout after 0.1s, when calling remote method method";
    assert_eq!(error.to_string(), expected);
    drop(server);
}

#[tokio::test]
async fn heartbeats_keep_a_slow_call_alive() {
    let (client, mut server) = raw_server(|builder| builder.heartbeat(steady_heartbeat())).await;
    let calling = client.call::<Value>("method", ());
    let serving = async {
        let request = recv_request(&mut server).await;
        let channel = request.entry("message_id").unwrap().clone();
        for _ in 0..BEATS {
            let beat = rpc::recv(&mut server).await.unwrap();
            assert!(beat.is("_zpc_hb"), "{beat:?}");
            assert_eq!(beat.entry("response_to"), Some(&channel));
            let answer = rpc::on_channel(&channel, "_zpc_hb", one(0));
            rpc::send(&mut server, &answer).await.unwrap();
        }
        let reply = rpc::on_channel(&channel, "OK", one("slow"));
        rpc::send(&mut server, &reply).await.unwrap();
    };
    assert_eq!(tokio::join!(calling, serving).0, Ok(Value::from("slow")));
}

#[tokio::test]
async fn a_server_that_is_gone_is_told_at_once() {
    let (client, mut server) = raw_server(|builder| builder).await;
    let calling = client.call::<Value>("method", ());
    let serving = async {
        recv_request(&mut server).await;
        drop(server);
    };
    let result = tokio::join!(calling, serving).0;
    assert!(matches!(result, Err(CallError::Disconnected)), "{result:?}");
}
