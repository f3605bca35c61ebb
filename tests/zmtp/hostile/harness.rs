//! What the other tests are worth: each harm that may come of an attack is noticed.

use std::time::{Duration, Instant};

use tests::raw_peer::{RawPeer, within};
use tests::victim::{self, Harm, Victim};
use tokio::net::TcpListener;

use super::victim::{LITTLE, PASSWORD, start};

/// How much a greedy victim takes, for nothing that it was sent.
const GREED: usize = 80 << 20;

/// How long a busy victim works for nothing.
const ZEAL: Duration = Duration::from_millis(500);

/// Does what no victim may do, as soon as somebody connects. Returns whether the role is one of these.
pub(crate) async fn misbehave(role: &str) -> bool {
    let misbehave: fn() = match role {
        "greedy" => || drop(std::hint::black_box(vec![7_u8; GREED])),
        "busy" => || {
            let began = Instant::now();
            while began.elapsed() < ZEAL {
                std::hint::spin_loop();
            }
        },
        "noisy" => || {
            for _ in 0..3 {
                tracing::warn!("something happened");
            }
        },
        "indiscreet" => || tracing::trace!(password = PASSWORD, "somebody came in"),
        "forged" => || tracing::debug!("a name\nWARN forged"),
        "mortal" => || std::process::exit(1),
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
async fn the_time_of_a_victim_that_works_is_measured() {
    let idle = start("pull").await.account(LITTLE, 0).await.unwrap();
    let busy = misbehaved("busy").await.account(LITTLE, 0).await.unwrap();
    assert!(busy.processor > idle.processor || !cfg!(target_os = "linux"));
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
