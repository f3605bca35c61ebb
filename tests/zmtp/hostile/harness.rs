//! What the other tests are worth: each harm that may come of an attack is noticed.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use tests::raw_peer::{RawPeer, within};
use tests::victim::{self, Harm, Victim};
use tokio::net::TcpListener;
use zmtp::{PullSocket, Socket, SocketEvent};

use super::victim::{Healthy, LITTLE, PASSWORD, start};

/// How much a greedy victim takes, for nothing that it was sent.
const GREED: usize = 80 << 20;

/// How much longer a busy victim works for nothing than it may.
const ZEAL: Duration = Duration::from_millis(500);

/// Does what no victim may do, as soon as somebody connects. Returns whether the role is one of these.
pub(crate) async fn misbehave(role: &str) -> bool {
    let misbehave: fn() = match role {
        "greedy" => || drop(std::hint::black_box(vec![7_u8; GREED])),
        "busy" => || victim::overwork(ZEAL),
        "noisy" => || {
            for _ in 0..3 {
                tracing::warn!("something happened");
            }
        },
        "indiscreet" => || tracing::trace!(password = PASSWORD, "somebody came in"),
        "forged" => || tracing::debug!("a name\nWARN forged"),
        "mortal" => || std::process::exit(1),
        "fickle" => {
            desert().await;
            return true;
        }
        _ => return false,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    victim::say(&format!("endpoint tcp://{address}"));
    let _peer = listener.accept().await.unwrap();
    misbehave();
    victim::say("done");
    std::future::pending().await
}

/// Receives all that it is sent, but leaves everybody once and comes back.
async fn desert() {
    let mut pull = PullSocket::new();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    victim::say(&format!("endpoint {endpoint}"));
    let message = pull.recv().await.unwrap();
    victim::say(&format!("got {}", message.text(0).unwrap()));
    pull.close().await;
    pull = PullSocket::new();
    let mut monitor = pull.monitor();
    while pull.bind(endpoint.to_string()).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    while let Some(event) = monitor.recv().await {
        if let SocketEvent::HandshakeSucceeded { .. } = event {
            victim::say("done");
            break;
        }
    }
    while let Ok(message) = pull.recv().await {
        victim::say(&format!("got {}", message.text(0).unwrap()));
    }
}

async fn misbehaved(role: &'static str) -> Victim {
    let victim = start(role).await;
    let _peer = RawPeer::connect(victim.address()).await.unwrap();
    victim.said("done").await.unwrap();
    victim
}

#[tokio::test]
async fn a_victim_that_grows_is_noticed() {
    let harm = misbehaved("greedy").await.account(LITTLE, 0).await;
    // Elsewhere nobody can tell.
    if cfg!(target_os = "linux") {
        let Err(Harm::Grew { by, allowed }) = harm else {
            panic!("{harm:?}");
        };
        assert_eq!(allowed, LITTLE);
        assert!(by > GREED as u64 / 2, "{by}");
    }
}

#[tokio::test]
async fn a_victim_that_works_for_nothing_is_noticed() {
    assert!(start("pull").await.account(LITTLE, 0).await.is_ok());
    let harm = misbehaved("busy").await.account(LITTLE, 0).await;
    // Elsewhere nobody can tell.
    if cfg!(target_os = "linux") {
        let Err(Harm::Worked { processor, allowed }) = harm else {
            panic!("{harm:?}");
        };
        assert!(processor > allowed, "{processor:?} and not {allowed:?}");
    }
}

#[tokio::test]
async fn a_healthy_peer_that_is_left_is_noticed() {
    let victim = start("fickle").await;
    let healthy = Healthy::connect(&victim).await;
    victim.said("done").await.unwrap();
    // It is heard as before, but was not connected all the time.
    let concluding = AssertUnwindSafe(victim.conclude("fickle", LITTLE, 0, healthy));
    let panic = concluding.catch_unwind().await.unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.contains("Disconnected"), "{text}");
}

#[tokio::test]
async fn warnings_without_an_act_and_acts_without_a_warning_are_noticed() {
    for acts in [0, 2] {
        let harm = misbehaved("noisy").await.account(LITTLE, acts).await;
        let Err(Harm::Warned { warnings, due }) = harm else {
            panic!("{harm:?}");
        };
        assert_eq!((warnings.len(), due), (3, acts..=acts));
    }
    assert!(misbehaved("noisy").await.account(LITTLE, 3).await.is_ok());
}

#[tokio::test]
async fn secrets_and_control_characters_in_the_log_are_noticed() {
    for role in ["indiscreet", "forged"] {
        let harm = misbehaved(role).await.account(LITTLE, 0).await;
        assert!(matches!(harm, Err(Harm::Leaked { .. })), "{role}: {harm:?}");
    }
}

#[tokio::test]
async fn a_victim_that_dies_is_noticed() {
    let mut victim = start("mortal").await;
    let mut peer = RawPeer::connect(victim.address()).await.unwrap();
    peer.recv_until_closed().await.unwrap();
    let dying = async {
        while victim.account(LITTLE, 0).await != Err(Harm::Died) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    };
    within(dying).await.unwrap();
}

#[tokio::test]
async fn a_victim_that_nobody_accounts_for_is_noticed() {
    let forgotten = tokio::spawn(async { drop(start("pull").await) });
    assert!(forgotten.await.is_err_and(|error| error.is_panic()));
}
