//! Peers of the protocol versions 1 and 2, which no published program is any more: raw servers and
//! raw clients that do what `PROTOCOL.md` says of them.

use std::time::Duration;

use rmpv::Value;
use tests::raw_peer::RawPeer;
use tests::rpc::{self, RawEvent};
use zrpc::{CallError, Client, RemoteError};

use crate::support::{
    BEATS, Running, expect_good_call, methods, raw_server, short_heartbeat, steady_heartbeat,
};

/// What an old peer writes: `v` only from 2 on, and any id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Old {
    V1,
    V2,
}

impl Old {
    fn event(self, id: u32, channel: Option<&Value>, name: &str, args: Value) -> Vec<u8> {
        let mut entries = vec![(Value::from("message_id"), rpc::id(id))];
        if self == Self::V2 {
            entries.push((Value::from("v"), Value::from(2)));
        }
        if let Some(channel) = channel {
            entries.push((Value::from("response_to"), channel.clone()));
        }
        rpc::event(Value::Map(entries), name, args)
    }
}

fn array(elements: impl IntoIterator<Item = u64>) -> Value {
    Value::Array(elements.into_iter().map(Value::from).collect())
}

fn channel_of(request: &RawEvent) -> Value {
    request.entry("message_id").unwrap().clone()
}

/// Calls a method, and answers as an old server does.
async fn answered(
    client: &Client,
    server: &mut RawPeer,
    version: Old,
    (name, args): (&str, Value),
) -> Result<Value, CallError> {
    let serving = async {
        let channel = channel_of(&rpc::recv(server).await.unwrap());
        let reply = version.event(1, Some(&channel), name, args);
        rpc::send(server, &reply).await.unwrap();
    };
    tokio::join!(client.call("method", ()), serving).0
}

// Q12
#[tokio::test]
async fn q12_results_and_errors_of_old_servers_are_understood() {
    let (client, mut server) = raw_server(|builder| builder).await;
    for version in [Old::V1, Old::V2] {
        let reply = ("OK", array([7]));
        let result = answered(&client, &mut server, version, reply).await;
        assert_eq!(result, Ok(Value::from(7)), "{version:?}");
    }
    let one = Value::Array(vec!["KeyError('x',)".into()]);
    let error = answered(&client, &mut server, Old::V1, ("ERR", one)).await;
    let expected = RemoteError::new("RemoteError", "KeyError('x',)");
    assert_eq!(error, Err(CallError::Remote(expected)));
    let three = Value::Array(["KeyError", "'x'", "Traceback"].map(Value::from).to_vec());
    let error = answered(&client, &mut server, Old::V2, ("ERR", three)).await;
    let expected = RemoteError::new("KeyError", "'x'").with_traceback("Traceback");
    assert_eq!(error, Err(CallError::Remote(expected)));
}

// Q12: what carries credit is named after the version, channel by channel, and heartbeats go on
// beside it without any.
#[tokio::test]
async fn q12_an_old_server_is_granted_credit_by_heartbeats() {
    let (client, mut server) = raw_server(|builder| builder.slots(10)).await;
    for (version, grant) in [
        (Some(Old::V1), "_zpc_hb"),
        (None, "_zpc_more"),
        (Some(Old::V2), "_zpc_hb"),
    ] {
        let mut items = client.stream::<u64>("count", ()).await.unwrap();
        let channel = channel_of(&rpc::recv(&mut server).await.unwrap());
        let event = |name: &str, args: Value| match version {
            Some(version) => version.event(1, Some(&channel), name, args),
            None => rpc::on_channel(&channel, name, args),
        };
        let serving = async {
            let mut credit = 1;
            for item in 0..100 {
                while credit == 0 {
                    let granted = rpc::recv(&mut server).await.unwrap();
                    assert!(granted.is(grant), "{version:?}: {granted:?}");
                    // On a busy machine there may be a heartbeat as well, which grants nothing.
                    credit = granted.args[0].as_u64().unwrap();
                }
                credit -= 1;
                let item = event("STREAM", Value::from(item));
                rpc::send(&mut server, &item).await.unwrap();
            }
            let done = event("STREAM_DONE", Value::Nil);
            rpc::send(&mut server, &done).await.unwrap();
        };
        let taking = async {
            for expected in 0..100 {
                assert_eq!(items.next_item().await, Ok(Some(expected)));
            }
            assert_eq!(items.next_item().await, Ok(None));
        };
        tokio::join!(taking, serving);
        // Grants for what came last are noise to a server that is done.
        while !server
            .recv_for(Duration::from_millis(20))
            .await
            .unwrap()
            .is_empty()
        {}
    }
}

// Q12: a server of version 1 says nothing until it is spoken to, and then answers.
#[tokio::test]
async fn q12_a_server_of_version_1_that_answers_heartbeats_is_alive() {
    let (client, mut server) = raw_server(|builder| builder.heartbeat(steady_heartbeat())).await;
    let calling = client.call::<u64>("slow", ());
    let serving = async {
        let channel = channel_of(&rpc::recv(&mut server).await.unwrap());
        // Longer than silence is borne.
        for number in 0..BEATS {
            let heartbeat = rpc::recv(&mut server).await.unwrap();
            assert!(heartbeat.is("_zpc_hb"), "{heartbeat:?}");
            assert_eq!(heartbeat.args, array([0]), "it must grant nothing");
            let answer = Old::V1.event(number, Some(&channel), "_zpc_hb", array([0]));
            rpc::send(&mut server, &answer).await.unwrap();
        }
        let reply = Old::V1.event(9, Some(&channel), "OK", array([1]));
        rpc::send(&mut server, &reply).await.unwrap();
    };
    assert_eq!(tokio::join!(calling, serving).0, Ok(1));
}

// Q12: an unknown event can end an old peer, and nothing but silence tells it of a lost client.
#[tokio::test]
async fn q12_old_servers_are_not_sent_what_they_do_not_know() {
    let (client, mut server) = raw_server(|builder| builder).await;
    for version in [Old::V1, Old::V2] {
        let mut items = client.stream::<u64>("count", ()).await.unwrap();
        let request = rpc::recv(&mut server).await.unwrap();
        let channel = channel_of(&request);
        let item = version.event(1, Some(&channel), "STREAM", Value::from(5));
        rpc::send(&mut server, &item).await.unwrap();
        assert_eq!(items.next_item().await, Ok(Some(5)));
        drop(items);
        let bytes = server.recv_for(Duration::from_millis(100)).await.unwrap();
        let has = |name: &[u8]| bytes.windows(name.len()).any(|window| window == name);
        assert!(!has(b"_zpc_cancel") && !has(b"_zpc_more"), "{version:?}");
    }
}

async fn ask(peer: &mut RawPeer, request: &[u8]) -> RawEvent {
    rpc::send(peer, request).await.unwrap();
    rpc::recv(peer).await.unwrap()
}

// Q12: heartbeats of old clients carry credit, in whatever form.
#[tokio::test]
async fn q12_old_clients_get_their_streams_as_fast_as_their_heartbeats_grant() {
    let server = Running::start(methods()).await;
    for version in [Old::V1, Old::V2] {
        let mut peer = server.raw_client().await;
        let channel = rpc::id(1);
        let request = version.event(1, None, "count", array([6]));
        let first = ask(&mut peer, &request).await;
        assert_eq!(first.args, Value::from(0), "{version:?}: {first:?}");
        assert_eq!(first.entry("v"), Some(&Value::from(3)));
        let grants = [array([2]), Value::from(2), Value::Array(vec!["1".into()])];
        let mut next = 1;
        for (grant, count) in grants.into_iter().zip([2, 2, 1]) {
            let heartbeat = version.event(2, Some(&channel), "_zpc_hb", grant);
            rpc::send(&mut peer, &heartbeat).await.unwrap();
            for _ in 0..count {
                let item = loop {
                    let event = rpc::recv(&mut peer).await.unwrap();
                    // The first heartbeat of a client is answered by one.
                    if !event.is("_zpc_hb") {
                        break event;
                    }
                };
                assert!(item.is("STREAM"), "{item:?}");
                assert_eq!(item.args, Value::from(next));
                next += 1;
            }
        }
        // A heartbeat that grants nothing lets nothing out; one that does, the end.
        let nothing = version.event(3, Some(&channel), "_zpc_hb", array([0]));
        rpc::send(&mut peer, &nothing).await.unwrap();
        let some = version.event(4, Some(&channel), "_zpc_hb", array([1]));
        let done = ask(&mut peer, &some).await;
        assert!(done.is("STREAM_DONE"), "{version:?}: {done:?}");
        expect_good_call(&mut peer, 10).await;
    }
}

// Q12: whom a REQ socket serves gets one message, and it is the reply.
#[tokio::test]
async fn q12_a_client_of_version_1_gets_nothing_but_its_reply() {
    let slow = methods()
        .heartbeat(short_heartbeat())
        .method("slow", |(): ()| async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            7
        });
    let server = Running::start(slow).await;
    let mut peer = server.raw_client().await;
    let constant = Value::from("deadbeef1234");
    for _ in 0..2 {
        let header = Value::Map(vec![("message_id".into(), constant.clone())]);
        let request = rpc::event(header, "slow", Value::Array(vec![]));
        let reply = ask(&mut peer, &request).await;
        assert!(reply.is("OK"), "{reply:?}");
        assert_eq!(reply.args, array([7]));
        assert_eq!(reply.entry("response_to"), Some(&constant));
    }
}

#[tokio::test]
async fn versions_are_understood_in_every_form_and_newer_ones_are_3() {
    let server = Running::start(methods()).await;
    let mut peer = server.raw_client().await;
    for (version, elements) in [
        (Value::Nil, 1),
        (Value::from(0), 1),
        (Value::from(-1), 1),
        (Value::from(1.0), 1),
        (Value::from(2.0), 3),
        (Value::from(3.0), 3),
        (Value::from(u64::MAX), 3),
    ] {
        let header = Value::Map(vec![
            ("message_id".into(), rpc::id(1)),
            ("v".into(), version.clone()),
        ]);
        let request = rpc::event(header, "nothing", Value::Array(vec![]));
        let reply = ask(&mut peer, &request).await;
        assert!(reply.is("ERR"), "{reply:?}");
        let count = reply.args.as_array().map(Vec::len);
        assert_eq!(count, Some(elements), "{version}");
    }
}
