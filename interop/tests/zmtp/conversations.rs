//! Messages of every shape between each legal pair of types, with either side
//! listening.

use std::time::Duration;

use interop::{Failure, Peer, TestResult};
use serde_json::json;
use tokio::time::timeout;
use zmtp::{
    DealerSocket, Message, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket,
    Socket, SubSocket,
};

use crate::support::{
    Binder, Receives, SHAPES, Sends, assert_same, join, libzmq, message, parts, python,
};

/// Declares the two tests of a conversation.
macro_rules! both_ways {
    ($($conversation:ident)*) => {$(
        mod $conversation {
            use super::*;

            #[tokio::test]
            async fn when_we_bind() -> TestResult {
                super::$conversation(Binder::We).await
            }

            #[tokio::test]
            async fn when_libzmq_binds() -> TestResult {
                super::$conversation(Binder::Libzmq).await
            }
        }
    )*};
}

both_ways! {
    dealer_with_router dealer_with_dealer dealer_with_rep
    router_with_dealer router_with_req router_with_router
    req_with_rep req_with_router
    rep_with_req rep_with_dealer
    push_with_pull pull_with_push
    pub_with_sub pub_with_xsub
    sub_with_pub sub_with_xpub
}

async fn dealer_with_router(binder: Binder) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut ours = DealerSocket::builder().routing_id("us")?.build();
    let mut peer = libzmq(python, "ROUTER", json!({})).await?;
    join(&ours, &mut peer, binder).await?;
    ask(&mut ours, &[], &mut peer, &["us"]).await
}

async fn dealer_with_dealer(binder: Binder) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut ours = DealerSocket::new();
    let mut peer = libzmq(python, "DEALER", json!({})).await?;
    join(&ours, &mut peer, binder).await?;
    ask(&mut ours, &[], &mut peer, &[]).await
}

async fn dealer_with_rep(binder: Binder) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut ours = DealerSocket::new();
    let mut peer = libzmq(python, "REP", json!({})).await?;
    join(&ours, &mut peer, binder).await?;
    ask(&mut ours, &[""], &mut peer, &[]).await
}

async fn router_with_dealer(binder: Binder) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut ours = RouterSocket::new();
    let mut peer = libzmq(python, "DEALER", json!({"ROUTING_ID": "them"})).await?;
    join(&ours, &mut peer, binder).await?;
    answer(&mut ours, &["them"], &mut peer, &[]).await
}

async fn router_with_req(binder: Binder) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut ours = RouterSocket::new();
    let mut peer = libzmq(python, "REQ", json!({"ROUTING_ID": "them"})).await?;
    join(&ours, &mut peer, binder).await?;
    answer(&mut ours, &["them", ""], &mut peer, &[]).await
}

async fn router_with_router(binder: Binder) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut ours = RouterSocket::builder().routing_id("us")?.build();
    let options = json!({"ROUTING_ID": "them", "ROUTER_MANDATORY": 1});
    let mut peer = libzmq(python, "ROUTER", options).await?;
    join(&ours, &mut peer, binder).await?;
    answer(&mut ours, &["them"], &mut peer, &["us"]).await
}

async fn req_with_rep(binder: Binder) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut ours = ReqSocket::new();
    let mut peer = libzmq(python, "REP", json!({})).await?;
    join(&ours, &mut peer, binder).await?;
    ask(&mut ours, &[], &mut peer, &[]).await
}

async fn req_with_router(binder: Binder) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut ours = ReqSocket::builder().routing_id("us")?.build();
    let mut peer = libzmq(python, "ROUTER", json!({})).await?;
    join(&ours, &mut peer, binder).await?;
    ask(&mut ours, &[], &mut peer, &["us", ""]).await
}

async fn rep_with_req(binder: Binder) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut ours = RepSocket::new();
    let mut peer = libzmq(python, "REQ", json!({})).await?;
    join(&ours, &mut peer, binder).await?;
    answer(&mut ours, &[], &mut peer, &[]).await
}

async fn rep_with_dealer(binder: Binder) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut ours = RepSocket::new();
    let mut peer = libzmq(python, "DEALER", json!({})).await?;
    join(&ours, &mut peer, binder).await?;
    // Everything before the empty delimiter comes back with the reply.
    answer(&mut ours, &[], &mut peer, &["hop", ""]).await
}

async fn push_with_pull(binder: Binder) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut ours = PushSocket::new();
    let mut peer = libzmq(python, "PULL", json!({})).await?;
    join(&ours, &mut peer, binder).await?;
    give(&mut ours, &mut peer).await
}

async fn pull_with_push(binder: Binder) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut ours = PullSocket::new();
    let mut peer = libzmq(python, "PUSH", json!({})).await?;
    join(&ours, &mut peer, binder).await?;
    take(&mut ours, &mut peer).await
}

async fn pub_with_sub(binder: Binder) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut ours = PubSocket::new();
    let mut peer = libzmq(python, "SUB", json!({"SUBSCRIBE": ""})).await?;
    join(&ours, &mut peer, binder).await?;
    publish_until_received(&mut ours, &mut peer).await?;
    give(&mut ours, &mut peer).await
}

async fn pub_with_xsub(binder: Binder) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut ours = PubSocket::new();
    let mut peer = libzmq(python, "XSUB", json!({})).await?;
    join(&ours, &mut peer, binder).await?;
    peer.request(json!({"op": "send", "name": "z", "parts": [{"$bytes": "01"}]}))
        .await?;
    publish_until_received(&mut ours, &mut peer).await?;
    give(&mut ours, &mut peer).await
}

async fn sub_with_pub(binder: Binder) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut ours = SubSocket::new();
    ours.subscribe("");
    let mut peer = libzmq(python, "PUB", json!({})).await?;
    join(&ours, &mut peer, binder).await?;
    loop {
        peer.request(json!({"op": "send", "name": "z", "parts": ["ready?"]}))
            .await?;
        if timeout(Duration::from_millis(50), ours.recv())
            .await
            .is_ok()
        {
            break;
        }
    }
    while timeout(Duration::from_millis(50), ours.recv())
        .await
        .is_ok()
    {}
    take(&mut ours, &mut peer).await
}

async fn sub_with_xpub(binder: Binder) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut ours = SubSocket::new();
    ours.subscribe("");
    let mut peer = libzmq(python, "XPUB", json!({})).await?;
    join(&ours, &mut peer, binder).await?;
    peer.request(json!({"op": "recv", "name": "z", "expect": [{"$bytes": "01"}]}))
        .await?;
    take(&mut ours, &mut peer).await
}

/// We send first, and what comes back is what was sent.
async fn ask(
    ours: &mut (impl Sends + Receives),
    our_head: &[&str],
    peer: &mut Peer,
    their_head: &[&str],
) -> TestResult {
    for sizes in SHAPES {
        ours.give(message(our_head, sizes)).await?;
        let theirs = parts(their_head, sizes);
        peer.request(json!({"op": "recv", "name": "z", "expect": theirs}))
            .await?;
        peer.request(json!({"op": "send", "name": "z", "parts": theirs}))
            .await?;
        assert_same(&ours.take().await?, &message(our_head, sizes));
    }
    Ok(())
}

/// libzmq sends first, and gets back what it sent.
async fn answer(
    ours: &mut (impl Sends + Receives),
    our_head: &[&str],
    peer: &mut Peer,
    their_head: &[&str],
) -> TestResult {
    for sizes in SHAPES {
        let theirs = parts(their_head, sizes);
        peer.request(json!({"op": "send", "name": "z", "parts": theirs}))
            .await?;
        let received = ours.take().await?;
        assert_same(&received, &message(our_head, sizes));
        ours.give(received).await?;
        peer.request(json!({"op": "recv", "name": "z", "expect": theirs}))
            .await?;
    }
    Ok(())
}

/// We send, libzmq receives; then many in a row.
async fn give(ours: &mut impl Sends, peer: &mut Peer) -> TestResult {
    for sizes in SHAPES {
        ours.give(message(&[], sizes)).await?;
        peer.request(json!({"op": "recv", "name": "z", "expect": parts(&[], sizes)}))
            .await?;
    }
    Ok(())
}

/// libzmq sends, we receive.
async fn take(ours: &mut impl Receives, peer: &mut Peer) -> TestResult {
    for sizes in SHAPES {
        peer.request(json!({"op": "send", "name": "z", "parts": parts(&[], sizes)}))
            .await?;
        assert_same(&ours.take().await?, &message(&[], sizes));
    }
    Ok(())
}

/// Publishes until the subscription has arrived, and takes what came by then.
async fn publish_until_received(ours: &mut PubSocket, peer: &mut Peer) -> Result<(), Failure> {
    peer.begin(json!({"op": "recv", "name": "z"})).await?;
    {
        let received = peer.finish();
        tokio::pin!(received);
        loop {
            ours.give(Message::from("ready?")).await?;
            if let Ok(reply) = timeout(Duration::from_millis(20), &mut received).await {
                reply?;
                break;
            }
        }
    }
    peer.request(json!({"op": "drain", "name": "z", "quiet": 0.1}))
        .await?;
    Ok(())
}
