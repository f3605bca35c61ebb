//! Many connections at once, and one after the other.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::time::Duration;

use tests::bytes::{greeting, ready};
use tests::raw_peer::{RawPeer, count_connections};
use tests::victim::may_open;
use tokio::net::TcpStream;

use super::victim::{
    CROWD, Healthy, LITTLE, MAX_CONNECTIONS, MAX_HALF_OPEN, Side, Target, plan, start,
};

/// INT-024, INT-030.
#[tokio::test]
async fn silent_connections_make_room_and_keep_nobody_out() {
    const SILENT: usize = 500;
    let victim = start("crowded").await;
    let mut healthy = Healthy::connect(&victim).await;
    let address = victim.address();
    let attack = async {
        let mut silent = VecDeque::new();
        for _ in 0..SILENT {
            silent.push_back(RawPeer::connect(address).await.unwrap());
            // The oldest has made room, because all of these are from one address.
            if silent.len() > MAX_HALF_OPEN / 2 {
                let mut oldest = silent.pop_front().unwrap();
                oldest.recv_until_closed().await.unwrap();
            }
        }
        silent
    };
    let silent = healthy.beside(&victim, attack).await;
    let late = Healthy::connect(&victim).await;
    let what = "500 half-open connections";
    let warnings = victim.conclude(what, LITTLE, SILENT, (late, healthy)).await;
    let all = warnings
        .iter()
        .all(|warning| warning.contains("too many handshakes"));
    assert!(all, "{warnings:?}");
    drop(silent);
}

/// INT-024, INT-030: more than a socket keeps by default, of one address and of all together.
#[tokio::test]
async fn ten_thousand_silent_connections_keep_nobody_out() {
    const CROWDS: usize = 2;
    /// For all that a victim keeps by default, and a few more.
    const FILES: usize = 8192 + 300;
    if !may_open(FILES) {
        let why = "left out: the system does not let a process open so many files";
        let _ = writeln!(io::stderr(), "{why}");
        return;
    }
    let victim = plan("pull").files(FILES).start().await.unwrap();
    let mut healthy = Healthy::connect(&victim).await;
    // Other tests need the descriptors of this process.
    let attack = async {
        let mut crowds = Vec::new();
        for _ in 0..CROWDS {
            let crowd = plan("crowd").files(FILES);
            let crowd = crowd.connecting_to(&[victim.address()]);
            let crowd = crowd.start_accomplice().await.unwrap();
            let connecting = async {
                while crowd.all_said("crowded").is_empty() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            let connected = tokio::time::timeout(Duration::from_secs(200), connecting).await;
            connected.expect("the system takes connections at any speed");
            count_connections(CROWD);
            crowds.push(crowd);
        }
        crowds
    };
    let crowds = healthy.beside(&victim, attack).await;
    let what = "10 000 half-open connections";
    let late = Healthy::connect(&victim).await;
    let acts = CROWD * CROWDS;
    let warnings = victim.conclude(what, LITTLE, acts, (late, healthy)).await;
    assert!(
        warnings[0].contains("too many handshakes"),
        "{}",
        warnings[0]
    );
    drop(crowds);
}

/// INT-023, INT-024, ZMTP31-158.
#[tokio::test]
async fn a_flood_of_connections_beyond_the_limit_is_refused_and_not_a_flood_of_the_log() {
    const FLOOD: usize = 2000;
    let victim = start("limited").await;
    let mut healthy = Healthy::connect(&victim).await;
    let address = victim.address();
    let attack = async {
        let mut inside = Vec::new();
        for _ in 1..MAX_CONNECTIONS {
            let mut peer = RawPeer::connect(address).await.unwrap();
            peer.handshake("PUSH").await.unwrap();
            inside.push(peer);
        }
        for _ in 0..FLOOD {
            let mut peer = RawPeer::connect(address).await.unwrap();
            // The close may come as a reset, because the greeting was not read.
            let _ = peer.send(&[greeting(3, 1), ready("PUSH")].concat()).await;
            let said = peer.recv_until_closed().await.unwrap();
            assert!(said.is_empty(), "{said:x?}");
        }
        inside
    };
    let inside = healthy.beside(&victim, attack).await;
    let what = "connections beyond the limit";
    let warnings = victim.conclude(what, LITTLE, FLOOD, healthy).await;
    assert!(warnings[0].contains("connection refused"), "{warnings:?}");
    drop(inside);
}

/// INT-030: the log says that there was more, and when it is quiet again, everything.
#[tokio::test]
async fn a_flood_of_faults_is_not_a_flood_of_the_log() {
    const FLOOD: usize = 1000;
    for side in [Side::Connects, Side::Listens] {
        let target = Target::start("pull", side).await;
        let mut healthy = Healthy::connect(&target.victim).await;
        let attack = async {
            // A client waits between its attempts.
            let flood = if side == Side::Connects { FLOOD } else { 60 };
            for _ in 0..flood {
                let mut peer = target.attacker().await;
                peer.send(&[0xff, 0xff]).await.unwrap();
                peer.recv_until_closed().await.unwrap();
            }
            flood
        };
        let flood = healthy.beside(&target.victim, attack).await;
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let mut last = target.attacker().await;
        last.send(&[0xff, 0xff]).await.unwrap();
        last.recv_until_closed().await.unwrap();
        drop(last);
        let what = "1000 peers with an illegal frame";
        let told = async {
            loop {
                let warnings = target.victim.all_said("warning ");
                if warnings.iter().any(|warning| warning.contains("left_out=")) {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tests::raw_peer::within(told).await.unwrap();
        target
            .victim
            .conclude(what, LITTLE, flood + 1, healthy)
            .await;
    }
}

/// INT-031: when the system has no descriptor left, the socket waits for one.
#[cfg(unix)]
#[tokio::test]
async fn accepting_goes_on_after_the_system_had_no_descriptors() {
    let victim = plan("pull").files(64).start().await.unwrap();
    let mut crowd = Vec::new();
    for _ in 0..100 {
        crowd.push(TcpStream::connect(victim.address()).await.unwrap());
    }
    let failed = async {
        while victim.all_said("accept failed").len() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    };
    tests::raw_peer::within(failed).await.unwrap();
    drop(crowd);
    let healthy = Healthy::connect(&victim).await;
    victim
        .conclude("no descriptors", LITTLE, 100, healthy)
        .await;
}
