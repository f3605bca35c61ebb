//! Servers that try to exhaust a client.

use std::time::Duration;

use rmpv::Value;
use tests::bytes::message;
use tests::raw_peer::RawPeer;
use tests::rpc;
use tests::victim::{Victim, Witness};
use tokio::net::TcpListener;
use zrpc::Server;

use super::victim::{LITTLE, plan};

/// How often a client falls for the same.
const TIMES: usize = 10;

/// A client that calls a hostile server and, beside that, one that does nothing wrong.
struct Attack {
    victim: Victim,
    peer: RawPeer,
    healthy: HealthyServer,
}

impl Attack {
    async fn start() -> Self {
        let healthy = Server::builder()
            .method("add", |(a, b): (i64, i64)| async move { a + b })
            .bind("tcp://127.0.0.1:*")
            .build()
            .await
            .unwrap();
        let address = healthy.endpoints()[0].to_string()["tcp://".len()..].parse();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peers = [listener.local_addr().unwrap(), address.unwrap()];
        let starting = plan("client").connecting_to(&peers).start();
        let accepting = async {
            let mut peer = RawPeer::accept(&listener).await.unwrap();
            peer.handshake("ROUTER").await.unwrap();
            peer
        };
        let (victim, peer) = tokio::join!(starting, accepting);
        Self {
            victim: victim.unwrap(),
            peer,
            healthy: HealthyServer(healthy),
        }
    }

    /// Answers each call and each stream with what `answers` makes of its channel.
    async fn answer(&mut self, answers: impl Fn(&str, &Value) -> Vec<Vec<u8>>) {
        let mut answered = 0;
        while answered < TIMES {
            let request = rpc::recv(&mut self.peer).await.unwrap();
            let name = request.name.as_str().unwrap_or_default().to_owned();
            if name.starts_with("_zpc") {
                continue;
            }
            let channel = request.entry("message_id").unwrap().clone();
            let payloads = answers(&name, &channel);
            let octets: Vec<u8> = payloads
                .iter()
                .flat_map(|payload| message(&[b"", payload]))
                .collect();
            // All of it: a frame that is cut would be the end of the connection.
            self.peer.send(&octets).await.unwrap();
            answered += 1;
        }
    }

    /// Each call that the server ends by breaking the protocol may be worth a warning.
    async fn conclude(self, what: &str, warnings: usize) {
        let acts = 0..=warnings;
        self.victim.conclude(what, LITTLE, acts, self.healthy).await;
    }
}

/// The server that does nothing wrong: the victim goes on to call it, and gets every answer.
struct HealthyServer(Server);

impl Witness for HealthyServer {
    async fn testify(self, what: &str, victim: &Victim) {
        let before = victim.all_said("sum ").len();
        let going_on = async {
            while victim.all_said("sum ").len() < before + 3 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Ok(())
        };
        tests::raw_peer::within(going_on).await.unwrap();
        let sums = victim.all_said("sum ");
        assert!(sums.iter().all(|sum| sum == "Ok(3)"), "{what}: {sums:?}");
        drop(self.0);
    }
}

fn one(value: impl Into<Value>) -> Value {
    Value::Array(vec![value.into()])
}

// B3.
#[tokio::test]
async fn a_server_that_floods_a_stream_ends_that_stream_alone() {
    let mut attack = Attack::start().await;
    attack
        .answer(|name, channel| match name {
            "items" => {
                let item = rpc::on_channel(channel, "STREAM", Value::from("x".repeat(1000)));
                vec![item; 2000]
            }
            _ => vec![rpc::on_channel(channel, "OK", one(1))],
        })
        .await;
    attack.victim.said("streamed ").await.unwrap();
    let ends = attack.victim.all_said("streamed ");
    let overrun = ends.iter().any(|end| end.contains("overran the limit"));
    assert!(overrun, "{ends:?}");
    attack.conclude("streams beyond their credit", 20).await;
}

// B4: channels of any type, of which one that cannot be a key has ended others.
#[tokio::test]
async fn replies_that_are_none_end_their_call_and_no_other() {
    let mut attack = Attack::start().await;
    attack
        .answer(|name, channel| {
            let nested = [&[0x91; 100_000][..], &[0xc0]].concat();
            let head = rpc::encode(&rpc::header(rpc::id(1), Some(channel)));
            let deep = [&[0x93], &head[..], b"\xa2OK", &nested].concat();
            let stray = rpc::on_channel(&rpc::id(9), "STREAM", one("x".repeat(1000)));
            let mut answers = vec![stray; 500];
            let nowhere = [
                Value::Nil,
                Value::from(1.5),
                Value::Array(vec![channel.clone()]),
                Value::Array(vec![Value::Array(vec![]); 20]),
                Value::Map(vec![(Value::from("id"), channel.clone())]),
                Value::Map(vec![(Value::Map(vec![]), Value::Array(vec![]))]),
                Value::Ext(-1, vec![0; 60]),
                Value::from("x".repeat(60_000)),
            ];
            for channel in &nowhere {
                answers.push(rpc::on_channel(channel, "OK", one(1)));
                answers.push(rpc::on_channel(channel, "STREAM", Value::Nil));
            }
            answers.extend(match name {
                "items" => vec![rpc::on_channel(channel, "SURPRISE\n\u{1b}[2J", Value::Nil)],
                _ => vec![deep],
            });
            answers
        })
        .await;
    attack.victim.said("called ").await.unwrap();
    attack.victim.said("streamed ").await.unwrap();
    attack.conclude("replies that are none", 20).await;
}

#[tokio::test]
async fn errors_of_a_server_may_say_what_they_like() {
    let mut attack = Attack::start().await;
    attack
        .answer(|_, channel| {
            let text = |text: &str| Value::from(text.repeat(10_000));
            let args = Value::Array(vec![text("Name"), text("message"), text("traceback")]);
            vec![rpc::on_channel(channel, "ERR", args)]
        })
        .await;
    attack.victim.said("called ").await.unwrap();
    attack.conclude("errors of 200 kB", 0).await;
}
