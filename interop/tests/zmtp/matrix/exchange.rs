//! What the two sides of a cell say to each other.

use std::time::Duration;

use interop::{Failure, Peer};
use serde_json::{Value, json};
use tokio::time::timeout;
use zmtp::Message;

use super::cell::{Cell, Exchange};
use super::ours::Ours;
use crate::support::{Receives, Sends, assert_same, message, parts};

/// Part sizes: around the long form and the inline capacity, empty parts, and a large one.
pub(super) const SHAPES: &[&[usize]] = &[
    &[0],
    &[1],
    &[38, 39],
    &[255],
    &[256],
    &[0, 0, 0],
    &[1, 0, 65_536, 0, 3],
    &[7; 40],
];

/// What publishers repeat until the subscription has reached them.
const PROBE: &str = "probe";

/// How long a publisher waits for a probe to arrive before it sends another one.
const PROBE_INTERVAL: Duration = Duration::from_millis(5);

/// Exchanges a message of each shape.
pub(super) async fn run(
    cell: &Cell,
    ours: &mut Ours,
    peer: &mut Peer,
    shapes: &[&[usize]],
) -> Result<(), Failure> {
    subscribed(cell, ours, peer).await?;
    for sizes in shapes {
        match cell.pair.exchange {
            Exchange::Ask {
                our_head,
                their_head,
            } => {
                ours.give(message(our_head, sizes)).await?;
                receive(peer, parts(their_head, sizes)).await?;
                send(peer, parts(their_head, sizes)).await?;
                assert_same(&ours.take().await?, &message(our_head, sizes));
            }
            Exchange::Answer {
                our_head,
                their_head,
            } => {
                send(peer, parts(their_head, sizes)).await?;
                let received = ours.take().await?;
                assert_same(&received, &message(our_head, sizes));
                ours.give(received).await?;
                receive(peer, parts(their_head, sizes)).await?;
            }
            Exchange::Give => {
                ours.give(message(&[], sizes)).await?;
                receive(peer, parts(&[], sizes)).await?;
            }
            Exchange::Take => {
                send(peer, parts(&[], sizes)).await?;
                assert_same(&take_after_probes(ours).await?, &message(&[], sizes));
            }
        }
    }
    Ok(())
}

/// Waits until the subscription has reached the publisher.
async fn subscribed(cell: &Cell, ours: &mut Ours, peer: &mut Peer) -> Result<(), Failure> {
    match cell.pair.theirs {
        "SUB" | "XSUB" => {
            peer.begin(json!({"op": "recv", "name": "z", "expect": [PROBE]}))
                .await?;
            let arrived = peer.finish();
            tokio::pin!(arrived);
            loop {
                ours.give(Message::from(PROBE)).await?;
                if let Ok(reply) = timeout(PROBE_INTERVAL, &mut arrived).await {
                    reply?;
                    return Ok(());
                }
            }
        }
        "PUB" | "XPUB" => loop {
            send(peer, json!([PROBE])).await?;
            if timeout(PROBE_INTERVAL, ours.take()).await.is_ok() {
                return Ok(());
            }
        },
        _ => Ok(()),
    }
}

/// Receives what is not one of the probes that were on their way.
async fn take_after_probes(ours: &mut Ours) -> Result<Message, Failure> {
    loop {
        let received = ours.take().await?;
        if received != Message::from(PROBE) {
            return Ok(received);
        }
    }
}

async fn send(peer: &mut Peer, parts: Value) -> Result<(), Failure> {
    peer.request(json!({"op": "send", "name": "z", "parts": parts}))
        .await?;
    Ok(())
}

async fn receive(peer: &mut Peer, parts: Value) -> Result<(), Failure> {
    let request = json!({"op": "recv", "name": "z", "expect": parts, "skip": [PROBE]});
    peer.request(request).await?;
    Ok(())
}
