//! Sockets as sinks and streams, and what may be shared between tasks.

use std::pin::Pin;
use std::task::{Context, Waker};

use futures_util::{Sink, SinkExt, StreamExt, stream};
use zmtp::pattern::RoutingId;
use zmtp::{
    DealerReceiver, DealerSender, DealerSocket, Message, MessageSender, Monitor, PairSocket,
    PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, RouterReceiver, RouterSender,
    RouterSocket, SendError, Socket, SocketHandle, SubSocket, TrySendError, XPubSocket, XSubSocket,
};

use crate::{LOOPBACK, handshake, soon};

fn messages(count: u32) -> impl Iterator<Item = Message> {
    (0..count).map(|number| Message::from(number.to_be_bytes()))
}

// REQREP-049, PIPE-020
#[tokio::test]
async fn a_stream_is_forwarded_into_a_push_and_comes_out_of_a_pull() {
    let mut pull = PullSocket::builder().receive_high_water_mark(2).build();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let push = PushSocket::builder().send_high_water_mark(2).build();
    push.connect(&endpoint).await.unwrap();
    let sending = tokio::spawn(async move {
        let all = stream::iter(messages(1000)).map(Ok);
        all.forward(push).await
    });
    let received: Vec<Message> = soon((&mut pull).take(1000).collect()).await;
    assert!(received.into_iter().eq(messages(1000)));
    soon(sending).await.unwrap().unwrap();
}

#[tokio::test]
async fn dealer_and_router_are_sinks_and_streams() {
    let mut router = RouterSocket::builder().router_mandatory().build();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let mut dealer = DealerSocket::new();
    dealer.connect(&endpoint).await.unwrap();
    SinkExt::send(&mut dealer, Message::from("question"))
        .await
        .unwrap();
    let mut message = soon(router.next()).await.unwrap();
    assert_eq!(message[1], "question");
    message[1] = "answer".into();
    SinkExt::send(&mut router, message).await.unwrap();
    assert_eq!(soon(dealer.next()).await.unwrap(), ["answer"]);
    let refused = SinkExt::send(&mut router, Message::from(["nobody", "x"])).await;
    assert!(matches!(refused, Err(SendError::Unroutable(_))));
}

#[tokio::test]
async fn publishers_and_subscribers_are_sinks_and_streams() {
    let mut publisher = XPubSocket::new();
    let endpoint = publisher.bind(LOOPBACK).await.unwrap();
    let mut sub = XSubSocket::new();
    sub.connect(&endpoint).await.unwrap();
    SinkExt::send(&mut sub, Message::from("\x01a"))
        .await
        .unwrap();
    assert_eq!(soon(publisher.next()).await.unwrap(), ["\x01a"]);
    for body in ["b", "a"] {
        SinkExt::send(&mut publisher, Message::from(body))
            .await
            .unwrap();
    }
    assert_eq!(soon(sub.next()).await.unwrap(), ["a"]);
}

#[tokio::test]
async fn a_stream_is_published_without_loss_when_the_publisher_waits() {
    let publisher = PubSocket::builder()
        .xpub_nodrop()
        .send_high_water_mark(2)
        .build();
    let mut monitor = publisher.monitor();
    let endpoint = publisher.bind(LOOPBACK).await.unwrap();
    let mut sub = SubSocket::builder().receive_high_water_mark(2).build();
    sub.subscribe("");
    let source = sub.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    let publishing = tokio::spawn(async move {
        // The subscription comes right behind the handshake.
        while publisher.topic_count() == 0 {
            tokio::task::yield_now().await;
        }
        stream::iter(messages(1000))
            .map(Ok)
            .forward(publisher)
            .await
    });
    assert_eq!(soon(sub.recv_from()).await.unwrap().0, source);
    let rest: Vec<Message> = soon((&mut sub).take(999).collect()).await;
    assert!(rest.into_iter().eq(messages(1000).skip(1)));
    soon(publishing).await.unwrap().unwrap();
}

// PAIR-001
#[tokio::test]
async fn a_pair_is_a_sink_and_a_stream() {
    let left = PairSocket::builder().send_high_water_mark(2).build();
    let endpoint = left.bind(LOOPBACK).await.unwrap();
    let right = PairSocket::builder().receive_high_water_mark(2).build();
    right.connect(&endpoint).await.unwrap();
    let echo = tokio::spawn(async move {
        let (sender, receiver) = right.split();
        receiver.take(500).map(Ok).forward(sender).await
    });
    let (sender, receiver) = left.split();
    let sending = stream::iter(messages(500)).map(Ok).forward(sender);
    let (sent, returned) =
        soon(async { tokio::join!(sending, receiver.take(500).collect::<Vec<_>>()) }).await;
    sent.unwrap();
    assert!(returned.into_iter().eq(messages(500)));
    soon(echo).await.unwrap().unwrap();
}

// PIPE-008
#[tokio::test]
async fn a_sink_without_peers_takes_nothing() {
    let mut push = PushSocket::new();
    let mut context = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut push).poll_ready(&mut context).is_pending());
    // Nothing was accepted, so there is nothing to flush.
    assert!(Pin::new(&mut push).poll_flush(&mut context).is_ready());
    let mut pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    push.connect(&endpoint).await.unwrap();
    soon(push.feed(Message::from("now"))).await.unwrap();
    assert_eq!(soon(pull.recv()).await.unwrap(), ["now"]);
}

#[tokio::test]
async fn what_a_faster_sink_left_no_room_for_goes_out_when_there_is_some() {
    let mut monitored = PushSocket::builder().send_high_water_mark(1).build();
    let mut monitor = monitored.monitor();
    let endpoint = monitored.bind(LOOPBACK).await.unwrap();
    let mut other = monitored.clone();
    let mut pull = PullSocket::new();
    pull.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    // Both find room, and there is room for one.
    let mut context = Context::from_waker(Waker::noop());
    for sink in [&mut monitored, &mut other] {
        assert!(Pin::new(sink).poll_ready(&mut context).is_ready());
    }
    for (sink, body) in [(&mut monitored, "first"), (&mut other, "second")] {
        Pin::new(sink).start_send(Message::from(body)).unwrap();
    }
    assert!(Pin::new(&mut other).poll_flush(&mut context).is_pending());
    soon(other.flush()).await.unwrap();
    for body in ["first", "second"] {
        assert_eq!(soon(pull.recv()).await.unwrap(), [body]);
    }
}

#[tokio::test]
async fn a_closed_sink_gives_the_message_back() {
    let mut push = PushSocket::new();
    soon(push.handle().close()).await;
    let refused = soon(SinkExt::send(&mut push, Message::from("late"))).await;
    assert_eq!(refused, Err(SendError::Closed(Message::from("late"))));
}

// REQREP-046
#[tokio::test]
async fn a_message_leads_to_what_is_known_of_its_peer() {
    let mut pull = PullSocket::new();
    let mut rep = RepSocket::new();
    let metadata = || {
        let mut metadata = zmtp::wire::metadata::Metadata::new();
        metadata.insert("X-key", "value").map(|()| metadata)
    };
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let push = PushSocket::builder().metadata(metadata().unwrap());
    let mut push = push.build();
    push.connect(&endpoint).await.unwrap();
    push.send("x").await.unwrap();
    let (peer, _) = soon(pull.recv_from()).await.unwrap();
    let info = pull.peer_info(peer).unwrap();
    assert_eq!(info.metadata.get("x-KEY"), Some(&b"value".into()));
    let endpoint = rep.bind(LOOPBACK).await.unwrap();
    let req = ReqSocket::builder().metadata(metadata().unwrap());
    let mut req = req.build();
    let server = req.connect(&endpoint).await.unwrap();
    req.send("x").await.unwrap();
    let (peer, request) = soon(rep.recv_from()).await.unwrap();
    let info = rep.peer_info(peer).unwrap();
    assert_eq!(info.metadata.get("X-key"), Some(&b"value".into()));
    rep.send(request).unwrap();
    assert_eq!(soon(req.recv_from()).await.unwrap().0, server);
}

// ZMTP31-126
#[test]
fn sockets_and_their_futures_move_between_threads() {
    fn movable<T: Send + Sync + 'static>() {}
    fn movable_future(_: impl Future + Send) {}
    movable::<ReqSocket>();
    movable::<RepSocket>();
    movable::<DealerSocket>();
    movable::<(DealerSender, DealerReceiver)>();
    movable::<RouterSocket>();
    movable::<(RouterSender, RouterReceiver)>();
    movable::<PushSocket>();
    movable::<PullSocket>();
    movable::<PubSocket>();
    movable::<SubSocket>();
    movable::<(XPubSocket, XSubSocket, PairSocket)>();
    movable::<(SocketHandle, Monitor)>();
    let (mut req, mut rep) = (ReqSocket::new(), RepSocket::new());
    movable_future(async move { req.send("x").await.map(|()| req) });
    movable_future(async move { rep.recv_from().await.map(|_| rep) });
    let (mut dealer, mut router) = (DealerSocket::new(), RouterSocket::new());
    movable_future(async move { dealer.send("x").await.map(|()| dealer) });
    movable_future(async move { router.recv().await.map(|_| router) });
    let (mut push, mut pull) = (PushSocket::new(), PullSocket::new());
    movable_future(async move { push.send("x").await.map(|()| push) });
    movable_future(async move { pull.recv().await.map(|_| pull) });
    let socket = SubSocket::new();
    movable_future(async move { socket.bind(LOOPBACK).await.map(|_| socket) });
}

/// Has `sink` keep a message: `fill` takes the room that there was when it was accepted.
fn keep<S>(sink: &mut S, fill: impl FnOnce())
where
    S: Sink<Message, Error = SendError> + Unpin,
{
    let context = &mut Context::from_waker(Waker::noop());
    let mut sink = Pin::new(sink);
    assert!(sink.as_mut().poll_ready(context).is_ready());
    fill();
    sink.as_mut()
        .start_send("kept".into())
        .expect("the socket is open");
    assert!(sink.as_mut().poll_flush(context).is_pending());
}

#[tokio::test]
async fn what_a_sink_keeps_goes_before_what_is_sent_later() {
    let dealer = DealerSocket::builder().send_high_water_mark(1).build();
    dealer.connect("inproc://kept").await.unwrap();
    let (mut sender, _receiver) = dealer.split();
    let mut other = sender.clone();
    keep(&mut sender, || {
        other.try_send("first").unwrap();
    });
    let full = sender.try_send("later").unwrap_err();
    assert_eq!(full, TrySendError::Full("later".into()));
    let sending = tokio::spawn(async move {
        sender.send("later").await.unwrap();
        SinkExt::flush(&mut sender).await.unwrap();
        sender
    });
    let mut pull = DealerSocket::builder().receive_high_water_mark(1).build();
    pull.bind("inproc://kept").await.unwrap();
    for body in ["first", "kept", "later"] {
        assert_eq!(soon(pull.recv()).await.unwrap(), Message::from(body));
    }
    soon(sending).await.unwrap();
}

#[tokio::test]
async fn what_the_sink_of_a_pair_keeps_goes_before_what_is_sent_later() {
    let pair = PairSocket::builder().send_high_water_mark(1).build();
    pair.connect("inproc://kept-pair").await.unwrap();
    let handle = pair.handle().clone();
    let (mut sender, _receiver) = pair.split();
    // Only one handle sends to a PAIR: the mark is lowered below what is queued instead.
    handle.set_send_high_water_mark(2);
    sender.try_send("first").unwrap();
    keep(&mut sender, || handle.set_send_high_water_mark(1));
    assert!(sender.try_send("later").is_err());
    handle.set_send_high_water_mark(3);
    sender.try_send("later").unwrap();
    let mut peer = PairSocket::new();
    peer.bind("inproc://kept-pair").await.unwrap();
    for body in ["first", "kept", "later"] {
        assert_eq!(soon(peer.recv()).await.unwrap(), Message::from(body));
    }
}

#[tokio::test]
async fn what_the_sink_of_a_router_keeps_goes_before_what_is_sent_later() {
    let router = RouterSocket::builder()
        .router_mandatory()
        .send_high_water_mark(2)
        .build();
    let id = RoutingId::new(b"peer").unwrap();
    router.connect_as("inproc://kept-router", id).await.unwrap();
    let handle = router.handle().clone();
    let (mut sender, _receiver) = router.split();
    sender.try_send(["peer", "first"]).unwrap();
    let context = &mut Context::from_waker(Waker::noop());
    handle.set_send_high_water_mark(1);
    assert!(Pin::new(&mut sender).poll_ready(context).is_ready());
    Pin::new(&mut sender)
        .start_send(["peer", "kept"].into())
        .unwrap();
    assert!(sender.try_send(["peer", "later"]).is_err());
    handle.set_send_high_water_mark(3);
    sender.try_send(["peer", "later"]).unwrap();
    let mut dealer = DealerSocket::new();
    dealer.bind("inproc://kept-router").await.unwrap();
    for body in ["first", "kept", "later"] {
        assert_eq!(soon(dealer.recv()).await.unwrap(), Message::from(body));
    }
}

#[tokio::test]
async fn what_a_sink_keeps_goes_before_what_is_sent_to_one_peer() {
    let dealer = DealerSocket::builder().send_high_water_mark(1).build();
    let peer = dealer.connect("inproc://kept-one").await.unwrap();
    let handle = dealer.handle().clone();
    let (mut sender, _receiver) = dealer.split();
    let mut other = sender.clone();
    keep(&mut sender, || {
        other.try_send("first").unwrap();
    });
    let full = sender.try_send_to(peer, "later").unwrap_err();
    assert_eq!(full, TrySendError::Full("later".into()));
    handle.set_send_high_water_mark(3);
    sender.try_send_to(peer, "later").unwrap();
    let mut pull = DealerSocket::new();
    pull.bind("inproc://kept-one").await.unwrap();
    for body in ["first", "kept", "later"] {
        assert_eq!(soon(pull.recv()).await.unwrap(), [body]);
    }

    let mut router = RouterSocket::builder()
        .router_mandatory()
        .send_high_water_mark(1)
        .build();
    let id = RoutingId::new(b"peer").unwrap();
    let peer = router.connect_as("inproc://kept-two", id).await.unwrap();
    for body in ["first", "kept"] {
        Pin::new(&mut router)
            .start_send(["peer", body].into())
            .unwrap();
    }
    router.set_send_high_water_mark(3);
    router.try_send_to(peer, "later").unwrap();
    pull.bind("inproc://kept-two").await.unwrap();
    for body in ["first", "kept", "later"] {
        assert_eq!(soon(pull.recv()).await.unwrap(), [body]);
    }
}

#[tokio::test]
async fn what_the_sink_of_a_publisher_keeps_goes_before_what_is_sent_to_one_peer() {
    let mut publisher = XPubSocket::builder()
        .xpub_nodrop()
        .send_high_water_mark(1)
        .build();
    publisher.bind("inproc://kept-public").await.unwrap();
    let mut sub = XSubSocket::builder().receive_high_water_mark(1).build();
    sub.subscribe("");
    sub.connect("inproc://kept-public").await.unwrap();
    let (peer, _subscribed) = soon(publisher.recv_event()).await.unwrap();
    for body in ["first", "second", "kept"] {
        Pin::new(&mut publisher).start_send(body.into()).unwrap();
    }
    publisher.set_send_high_water_mark(3);
    publisher.try_send_to(peer, "later").unwrap();
    for body in ["first", "second", "kept", "later"] {
        assert_eq!(soon(sub.recv()).await.unwrap(), [body]);
    }
}

#[tokio::test]
async fn what_became_of_a_kept_message_is_told_by_the_next_flush() {
    let dealer = DealerSocket::builder().send_high_water_mark(1).build();
    dealer.connect("inproc://kept-failed").await.unwrap();
    dealer.handle().set_linger(std::time::Duration::ZERO);
    let handle = dealer.handle().clone();
    let (mut sender, _receiver) = dealer.split();
    let mut other = sender.clone();
    keep(&mut sender, || {
        other.try_send("first").unwrap();
    });
    soon(handle.close()).await;
    let closed = sender.try_send("later").unwrap_err();
    assert_eq!(closed, TrySendError::Closed("later".into()));
    let failed = soon(SinkExt::flush(&mut sender)).await.unwrap_err();
    assert_eq!(failed, SendError::Closed("kept".into()));
    soon(SinkExt::flush(&mut sender)).await.unwrap();
}

#[tokio::test]
async fn every_sender_tells_when_there_may_be_room() {
    let mut push = PushSocket::builder().send_high_water_mark(1).build();
    push.connect("inproc://writable").await.unwrap();
    push.try_send("fits").unwrap();
    let writable = push.writable();
    assert!(push.try_send("waits").is_err());
    push.set_send_high_water_mark(2);
    soon(writable).await;
    push.try_send("fits, too").unwrap();
}
