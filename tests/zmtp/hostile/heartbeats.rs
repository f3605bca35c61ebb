//! Peers that fall silent after the handshake, announce how long they will be, or answer PINGs with
//! anything but a PONG.

use std::time::Duration;

use futures_util::future::join_all;
use tests::bytes::{greeting, message, ping, pong, ready};

use super::victim::{Healthy, LITTLE, SHORT, Side, Target};

const SIDES: [Side; 2] = [Side::Connects, Side::Listens];

/// What is left in 16 bits of 656 tenths of a second in milliseconds.
const OVERFLOWN: Duration = Duration::from_millis(64);

/// ZMTP31-131, LZ-029: G9.
#[tokio::test]
async fn a_long_time_to_live_is_not_taken_for_a_short_one() {
    for side in SIDES {
        let target = Target::start("pull", side).await;
        let mut healthy = Healthy::connect(&target.victim).await;
        let mut attacker = target.attacker().await;
        attacker.send(&ping(656, b"")).await.unwrap();
        let answer = pong(b"");
        assert_eq!(attacker.recv(answer.len()).await.unwrap(), answer);
        let silence = attacker.recv_for(4 * OVERFLOWN);
        let said = healthy.beside(&target.victim, silence).await.unwrap();
        assert_eq!(said, b"");
        attacker.send(&message(&[b"late"])).await.unwrap();
        target.victim.said("got late").await.unwrap();
        let what = "a long time to live";
        target.victim.conclude(what, LITTLE, 0, healthy).await;
    }
}

/// ZMTP31-128, ZMTP31-139, ZMTP31-144: J1 and J2.
#[tokio::test]
async fn silent_peers_of_either_version_are_asked_and_left() {
    let cases = SIDES.map(|side| [1, 0].map(|minor| (side, minor)));
    let silences = cases.into_iter().flatten().map(async |(side, minor)| {
        let target = Target::start("beating", side).await;
        let mut healthy = Healthy::connect(&target.victim).await;
        let mut silent = target.peer().await;
        let (greeting, ready) = (greeting(3, minor), ready("PUSH"));
        silent.handshake_with(&greeting, &ready).await.unwrap();
        let silence = async {
            let asked = silent.recv_frame().await.unwrap();
            assert!(asked.is_command("PING"), "{asked:?}");
            silent.recv_until_closed().await.unwrap();
        };
        healthy.beside(&target.victim, silence).await;
        let what = "silence after the handshake";
        let warnings = target.victim.conclude(what, LITTLE, 1, healthy).await;
        assert!(warnings[0].contains("silent"), "{warnings:?}");
    });
    join_all(silences).await;
}

/// ZMTP31-138: J4.
#[tokio::test]
async fn a_peer_that_talks_need_not_answer() {
    let talks = SIDES.into_iter().map(async |side| {
        let target = Target::start("beating", side).await;
        let mut healthy = Healthy::connect(&target.victim).await;
        let mut attacker = target.attacker().await;
        let mut said = Vec::new();
        // The second PING comes when an answer to the first is due, and the third long after that.
        let expected = ping(0, b"").repeat(3);
        let talking = async {
            while said.len() < expected.len() {
                attacker.send(&message(&[b"no answer"])).await.unwrap();
                said.extend(attacker.recv_for(SHORT / 16).await.unwrap());
            }
        };
        healthy.beside(&target.victim, talking).await;
        assert_eq!(said, expected);
        let what = "messages for answers";
        target.victim.conclude(what, LITTLE, 0, healthy).await;
    });
    join_all(talks).await;
}
