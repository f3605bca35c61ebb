//! What subscribers can do to a publisher.

use tests::bytes::{claim, command, frame, message};
use tests::raw_peer::RawPeer;
use tests::victim::Victim;

use super::victim::{LITTLE, Listener, MAX_TOPICS, start};

async fn subscriber(victim: &Victim) -> RawPeer {
    let mut peer = RawPeer::connect(victim.address()).await.unwrap();
    peer.handshake("SUB").await.unwrap();
    peer
}

/// Reads what the publisher sends, and drops it: who does not read is closed for that.
async fn subscribe_until_closed(peer: &mut RawPeer, next: impl Fn(u32) -> Vec<u8>) {
    for number in 0.. {
        if peer.send(&next(number)).await.is_err() {
            return;
        }
    }
}

/// INT-025, PUBSUB-005.
#[tokio::test]
async fn endless_subscriptions_end_the_connection_and_free_what_they_took() {
    const TIMES: usize = 5;
    let victim = start("limited pub").await;
    let mut listener = Listener::connect(&victim).await;
    for _ in 0..TIMES {
        let mut peer = subscriber(&victim).await;
        let attack = subscribe_until_closed(&mut peer, |block| {
            let topics = block * 1000..(block + 1) * 1000;
            let commands = topics.map(|topic| command("SUBSCRIBE", &topic.to_be_bytes()));
            commands.flatten().collect()
        });
        listener.beside(attack).await;
    }
    // One after the other, which is 5 MiB, and not all together.
    let warnings = victim
        .conclude("endless subscriptions", 16 << 20, TIMES, listener)
        .await;
    let limit = format!("the peer has {MAX_TOPICS} subscriptions");
    let all = warnings.iter().all(|warning| warning.contains(&limit));
    assert!(all, "{warnings:?}");
}

/// INT-025: the topics of one peer have 16 MiB.
#[tokio::test]
async fn huge_subscriptions_end_the_connection() {
    let victim = start("pub").await;
    let mut listener = Listener::connect(&victim).await;
    let mut peer = subscriber(&victim).await;
    let attack = subscribe_until_closed(&mut peer, |number| {
        let mut topic = vec![7; 200_000];
        topic[..4].copy_from_slice(&number.to_be_bytes());
        command("SUBSCRIBE", &topic)
    });
    listener.beside(attack).await;
    // One that is larger than a command may be is not even read, in neither form.
    for octets in [claim(4, 1 << 30), claim(0, 1 << 30)] {
        let mut peer = subscriber(&victim).await;
        peer.send(&octets).await.unwrap();
        peer.recv_until_closed().await.unwrap();
    }
    listener.hear(3).await;
    let what = "subscriptions of 200 kB and of 1 GiB";
    let warnings = victim.conclude(what, 112 << 20, 3, listener).await;
    assert!(warnings[0].contains("16777216"), "{warnings:?}");
}

/// PUBSUB-018, LZ-045: the same again and again makes nothing grow.
#[tokio::test]
async fn endless_changes_of_mind_make_nothing_grow() {
    let victim = start("pub").await;
    let mut listener = Listener::connect(&victim).await;
    let mut peer = subscriber(&victim).await;
    let changes: Vec<u8> = (0..500_u32)
        .flat_map(|number| {
            let topic = number.to_be_bytes().repeat(10);
            let form = |first: u8| frame(0, &[&[first], &topic[..]].concat());
            let commands = [command("SUBSCRIBE", &topic), command("CANCEL", &topic)];
            // Both forms, and cancellations of what was never asked for.
            [commands.concat(), form(1), form(0), form(0)].concat()
        })
        .collect();
    let attack = async {
        for _ in 0..200 {
            peer.send(&changes).await.unwrap();
        }
    };
    listener.beside(attack).await;
    victim
        .conclude("500 000 changes of mind", LITTLE, 0, listener)
        .await;
}

/// PUBSUB-020: a publisher receives no messages.
#[tokio::test]
async fn endless_messages_to_a_publisher_are_dropped() {
    let victim = start("pub").await;
    let mut listener = Listener::connect(&victim).await;
    let mut peer = subscriber(&victim).await;
    let messages = message(&[&[7; 1000], &[8; 1000]]).repeat(50);
    let attack = async {
        for _ in 0..500 {
            peer.send(&messages).await.unwrap();
        }
    };
    listener.beside(attack).await;
    victim.conclude("50 MB to a PUB", LITTLE, 0, listener).await;
}

/// LZ-034: a subscriber that does not read misses messages, and takes none from others.
#[tokio::test]
async fn subscribers_that_never_read_make_nothing_grow() {
    let victim = start("pub").await;
    let mut listener = Listener::connect(&victim).await;
    let mut deaf = Vec::new();
    for _ in 0..100 {
        let mut peer = subscriber(&victim).await;
        let topics = [command("SUBSCRIBE", b""), command("SUBSCRIBE", b"beat")];
        peer.send(&topics.concat()).await.unwrap();
        deaf.push(peer);
    }
    listener.hear(200).await;
    victim
        .conclude("subscribers that never read", LITTLE, 0, listener)
        .await;
}
