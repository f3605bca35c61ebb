//! Claims, endless messages and floods on one connection, in both roles.

use std::io;
use std::time::Duration;

use tests::bytes::{
    COMMAND, MORE, claim, command, command_body, frame, greeting, message, ping, pong, ready,
};

use super::victim::{Healthy, LIMIT, LITTLE, Side, Target};

const SIDES: [Side; 2] = [Side::Connects, Side::Listens];

/// ZMTP31-035, ZMTP31-036, INT-022.
#[tokio::test]
async fn claimed_sizes_cost_nothing() {
    for side in SIDES {
        let target = Target::start("pull", side).await;
        let mut healthy = Healthy::connect(&target.victim).await;
        let space = target.victim.peak_address_space();
        let sizes = [1 << 40, 1 << 30, (1 << 63) - 1, 1 << 63, u64::MAX];
        for size in sizes {
            let mut peer = target.attacker().await;
            let octets = [claim(0, size), vec![0; 100]].concat();
            peer.send(&octets).await.unwrap();
            assert_eq!(peer.recv_until_closed().await.unwrap(), b"");
            healthy.exchange(&target.victim).await;
        }
        // A claim within the limit is waited for, and costs nothing either.
        let mut patient = target.attacker().await;
        let octets = [ping(0, b""), claim(0, 250 << 20), vec![0; 100]].concat();
        patient.send(&octets).await.unwrap();
        assert!(patient.recv_frame().await.unwrap().is_command("PONG"));
        healthy.exchange(&target.victim).await;
        let reserved = target.victim.peak_address_space() - space;
        // Threads and arenas take some; a reservation of what was claimed would take more.
        assert!(reserved < 200 << 20, "{} KiB reserved", reserved >> 10);
        let warnings = target
            .victim
            .conclude("claimed sizes", LITTLE, sizes.len(), healthy)
            .await;
        assert!(warnings[0].contains("over the limit"), "{warnings:?}");
    }
}

/// ZMTP31-054.
#[tokio::test]
async fn a_message_of_endless_parts_ends_the_connection() {
    for side in SIDES {
        let target = Target::start("pull", side).await;
        let mut healthy = Healthy::connect(&target.victim).await;
        for body in [0, 1024] {
            let mut peer = target.attacker().await;
            let parts = frame(MORE, &vec![7; body]).repeat(1000);
            let attack = async { while peer.send(&parts).await.is_ok() {} };
            healthy.beside(&target.victim, attack).await;
        }
        let warnings = target
            .victim
            .conclude("endless MORE", LITTLE, 2, healthy)
            .await;
        assert!(warnings[0].contains("8192 parts"), "{warnings:?}");
    }
}

/// ZMTP31-054: what is legal is held, but no more than that.
#[tokio::test]
async fn a_message_that_is_never_finished_takes_its_limit_and_no_more() {
    let target = Target::start("limited", Side::Connects).await;
    let mut healthy = Healthy::connect(&target.victim).await;
    let mut peer = target.attacker().await;
    let part = frame(MORE, &vec![7; 64 << 10]);
    let attack = async {
        // Sixteen times what is legal. What comes after the socket has closed is read and dropped.
        for _ in 0..1024 {
            if peer.send(&part).await.is_err() {
                break;
            }
        }
        assert_eq!(peer.recv_until_closed().await.unwrap(), b"");
    };
    healthy.beside(&target.victim, attack).await;
    let what = "an unfinished message of 64 MiB";
    let warnings = target.victim.conclude(what, 3 * LIMIT, 1, healthy).await;
    assert!(warnings[0].contains("4194304"), "{warnings:?}");
}

/// ZMTP31-039, ZMTP31-054, INT-021: the last octet of a frame of the largest size never comes.
#[tokio::test]
async fn frames_of_the_largest_size_that_never_end_take_their_size_and_no_more() {
    const PEERS: u64 = 8;
    for side in SIDES {
        let target = Target::start("limited", side).await;
        let mut healthy = Healthy::connect(&target.victim).await;
        // A message of one part is charged for the part as well.
        let size = LIMIT - 64;
        let body = vec![7; usize::try_from(size - 1).unwrap()];
        let octets = [ping(0, b""), claim(0, size), body].concat();
        let count = if side == Side::Connects { PEERS } else { 1 };
        let mut peers = Vec::new();
        for _ in 0..count {
            let mut peer = target.attacker().await;
            let attack = async {
                peer.send(&octets).await.unwrap();
                assert!(peer.recv_frame().await.unwrap().is_command("PONG"));
            };
            healthy.beside(&target.victim, attack).await;
            peers.push(peer);
        }
        // It is not wrong to be slow, but to be gone in the middle is worth a word.
        assert!(target.victim.all_said("warning ").is_empty());
        drop(peers);
        let what = "frames without their last octet";
        let allowance = count * LIMIT * 2 + LITTLE;
        let acts = usize::try_from(count).unwrap();
        target.victim.conclude(what, allowance, acts, healthy).await;
    }
}

/// INT-021, INT-023.
#[tokio::test]
async fn a_large_command_before_the_handshake_ends_the_connection() {
    let target = Target::start("pull", Side::Connects).await;
    let mut healthy = Healthy::connect(&target.victim).await;
    let mut peer = target.peer().await;
    peer.send(&greeting(3, 1)).await.unwrap();
    peer.recv_greeting().await.unwrap();
    peer.send(&claim(COMMAND, 64 << 20)).await.unwrap();
    let body = vec![b'x'; 64 << 10];
    for _ in 0..1024 {
        if peer.send(&body).await.is_err() {
            break;
        }
    }
    peer.recv_until_closed().await.unwrap();
    healthy.exchange(&target.victim).await;
    target
        .victim
        .conclude("READY of 64 MiB", LITTLE, 1, healthy)
        .await;
}

/// ZMTP31-029, ZMTP31-030, ZMTP31-042, ZMTP31-046.
#[tokio::test]
async fn illegal_frames_end_the_connection_and_unknown_commands_do_not() {
    for side in SIDES {
        let target = Target::start("pull", side).await;
        let mut healthy = Healthy::connect(&target.victim).await;
        for octets in [
            frame(0x08, b"reserved"),
            frame(COMMAND | MORE, &command_body("FOO", b"")),
            frame(COMMAND, b""),
            // A name that would write a line of its own into a log.
            frame(COMMAND, b"\x0aA\n\x1b[2JWARN"),
        ] {
            let mut peer = target.attacker().await;
            peer.send(&octets).await.unwrap();
            assert_eq!(peer.recv_until_closed().await.unwrap(), b"");
        }
        let mut peer = target.attacker().await;
        let octets = [command("FOO", b"bar"), ping(0, b"still there")].concat();
        peer.send(&octets).await.unwrap();
        assert!(peer.recv_frame().await.unwrap().is_command("PONG"));
        healthy.exchange(&target.victim).await;
        target
            .victim
            .conclude("illegal frames", LITTLE, 4, healthy)
            .await;
    }
}

/// ZMTP31-079.
#[tokio::test]
async fn an_incompatible_socket_type_ends_the_connection() {
    let target = Target::start("pull", Side::Connects).await;
    let mut healthy = Healthy::connect(&target.victim).await;
    let mut peer = target.peer().await;
    let octets = [greeting(3, 1), ready("PUB")].concat();
    peer.send(&octets).await.unwrap();
    peer.recv_until_closed().await.unwrap();
    healthy.exchange(&target.victim).await;
    let warnings = target.victim.conclude("a PUB", LITTLE, 1, healthy).await;
    assert!(warnings[0].contains("PUB does not talk"), "{warnings:?}");
}

/// ZMTP31-142, ZMTP31-143, INT-027, LZ-034.
#[tokio::test]
async fn a_flood_of_pings_that_nobody_reads_ends_the_connection_or_stops() {
    for side in SIDES {
        let target = Target::start("pull", side).await;
        let mut healthy = Healthy::connect(&target.victim).await;
        let mut peer = target.attacker().await;
        let one = ping(0, b"0123456789abcdef");
        let pings = one.repeat(10_000);
        let flood = async {
            let mut taken = 0;
            for _ in 0..400 {
                // That nothing is taken for so long is what it looks like when the victim stops.
                let sending = peer.send_until_stopped(&pings, Duration::from_secs(1));
                match sending.await {
                    Ok(count) if count == pings.len() => taken += count,
                    Ok(count) => return Some(taken + count),
                    Err(_) => return None,
                }
            }
            panic!("100 MB of pings were taken, whose answers nobody read");
        };
        if let Some(taken) = healthy.beside(&target.victim, flood).await {
            // It has only stopped: it goes on with all that was taken as soon as its answers are.
            let answer = pong(b"0123456789abcdef");
            let going_on = async {
                let count = taken / one.len();
                let answers = peer.recv(answer.len() * count).await?;
                assert!(answers == answer.repeat(count), "{count} answers");
                // The last one was cut where the victim stopped.
                peer.send(&one[taken % one.len()..]).await?;
                assert_eq!(peer.recv(answer.len()).await?, answer);
                io::Result::Ok(())
            };
            if let Err(error) = healthy.beside(&target.victim, going_on).await {
                assert_ne!(
                    error.kind(),
                    io::ErrorKind::TimedOut,
                    "neither open nor closed"
                );
            }
        } else {
            peer.recv_until_closed().await.unwrap();
        }
        drop(peer);
        let what = "unread answers to pings";
        target.victim.conclude(what, LITTLE, 0..=1, healthy).await;
    }
}

/// ZMTP31-142: whoever reads the answers may ask a million times.
#[tokio::test]
async fn a_flood_of_pings_is_answered_and_makes_nothing_grow() {
    let target = Target::start("pull", Side::Connects).await;
    let mut healthy = Healthy::connect(&target.victim).await;
    let mut peer = target.attacker().await;
    let pings = ping(0, b"0123456789abcdef").repeat(2000);
    let attack = async {
        for _ in 0..100 {
            peer.send(&pings).await.unwrap();
            // A PONG is as long as its PING, but for the two octets of the time.
            peer.recv(pings.len() - 2 * 2000).await.unwrap();
        }
        peer.send(&message(&[b"and a message"])).await.unwrap();
    };
    healthy.beside(&target.victim, attack).await;
    target.victim.said("got and a message").await.unwrap();
    let what = "200 000 pings whose answers are read";
    target.victim.conclude(what, LITTLE, 0, healthy).await;
}

/// INT-026: a full queue stops the reading; nobody else waits for it.
#[tokio::test]
async fn a_flood_of_commands_makes_nothing_grow() {
    let target = Target::start("pull", Side::Connects).await;
    let mut healthy = Healthy::connect(&target.victim).await;
    let mut peer = target.attacker().await;
    // Subscriptions are for publishers, JOIN for sockets that there are not; PONG is for nobody.
    let commands = [
        command("SUBSCRIBE", &[7; 1000]),
        command("JOIN", b"group"),
        command("PONG", b"nobody asked"),
        command("FUTURE", &[7; 1000]),
    ];
    let octets = commands.concat().repeat(50);
    let attack = async {
        for _ in 0..500 {
            peer.send(&octets).await.unwrap();
        }
        peer.send(&message(&[b"and a message"])).await.unwrap();
    };
    healthy.beside(&target.victim, attack).await;
    target.victim.said("got and a message").await.unwrap();
    let what = "50 MB of commands that mean nothing";
    target.victim.conclude(what, LITTLE, 0, healthy).await;
}
