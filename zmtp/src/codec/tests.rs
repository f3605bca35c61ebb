//! Both codecs over an in-memory stream.

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio_util::codec::Framed;

use super::*;
use crate::message::{Frame, Message, Part};
use crate::wire::command::{Command, PingContext, PingTtl};
use crate::wire::frame::{FrameError, FrameLimits, RawFrame};
use crate::wire::greeting::{Greeting, GreetingError, MechanismName};

fn frames(stream: DuplexStream) -> Framed<DuplexStream, FrameCodec> {
    Framed::new(stream, FrameCodec::default())
}

#[tokio::test]
async fn frames_that_come_with_the_greeting_are_not_lost() {
    // [ZMTP31-022]
    let (mut peer, stream) = duplex(256);
    let greeting = Greeting::new(MechanismName::NULL);
    let mut octets = greeting.to_octets().to_vec();
    octets.extend_from_slice(b"\x00\x02hi");
    peer.write_all(&octets).await.unwrap();

    let mut greetings = Framed::new(stream, GreetingCodec::new());
    assert_eq!(greetings.next().await.unwrap().unwrap(), greeting);
    let mut frames = greetings.map_codec(|_| FrameCodec::default());
    let frame = frames.next().await.unwrap().unwrap();
    assert_eq!(frame, RawFrame::Message(Frame::last("hi")));
}

#[tokio::test]
async fn greeting_that_is_none_is_an_error() {
    let (mut peer, stream) = duplex(256);
    peer.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let error = Framed::new(stream, GreetingCodec::new()).next().await;
    assert!(matches!(
        error,
        Some(Err(GreetingCodecError::Greeting(
            GreetingError::NoSignature { first_octet: b'G' }
        )))
    ));
}

#[tokio::test]
async fn end_inside_the_greeting_is_an_error() {
    // [ZMTP31-025]
    let octets = Greeting::new(MechanismName::NULL).to_octets();
    for len in 0..octets.len() {
        let (mut peer, stream) = duplex(256);
        peer.write_all(&octets[..len]).await.unwrap();
        drop(peer);
        match Framed::new(stream, GreetingCodec::new()).next().await {
            None => assert_eq!(len, 0),
            Some(Err(GreetingCodecError::Closed { received })) => assert_eq!(received, len),
            other => panic!("{len}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn everything_that_can_be_sent_arrives_as_frames() {
    // A buffer smaller than the long body makes the transfer take many steps.
    let (near, far) = duplex(100);
    let long = Part::from(vec![7; 200_000]);
    let ping = Command::Ping {
        ttl: PingTtl::NONE,
        context: PingContext::default(),
    };
    let expected = [
        RawFrame::Message(Frame::more("a")),
        RawFrame::Message(Frame::last("")),
        RawFrame::Command(Part::from(b"\x04PING\0\0")),
        RawFrame::Message(Frame::last(long.clone())),
        RawFrame::Command(long.clone()),
    ];
    let limits = FrameLimits {
        max_command: 200_000,
        ..FrameLimits::DEFAULT
    };
    let receive = tokio::spawn(async move {
        let frames = Framed::new(far, FrameCodec::new(limits));
        frames.map(Result::unwrap).collect::<Vec<_>>().await
    });
    let mut frames = frames(near);
    frames.send(Message::from(["a", ""])).await.unwrap();
    frames.send(ping).await.unwrap();
    frames.send(Frame::last(long.clone())).await.unwrap();
    frames.send(RawFrame::Command(long)).await.unwrap();
    drop(frames);
    assert_eq!(receive.await.unwrap(), expected);
}

#[tokio::test]
async fn end_inside_a_frame_is_an_error_and_shows_none_of_it() {
    // [ZMTP31-039]
    for partial in [&b"\x00"[..], b"\x00\x05", b"\x00\x05he", b"\x02\0\0"] {
        let (mut peer, stream) = duplex(256);
        peer.write_all(b"\x00\x02ok").await.unwrap();
        peer.write_all(partial).await.unwrap();
        drop(peer);
        let mut frames = frames(stream);
        let frame = frames.next().await.unwrap().unwrap();
        assert_eq!(frame, RawFrame::Message(Frame::last("ok")));
        let end = frames.next().await;
        assert!(matches!(end, Some(Err(FrameCodecError::Closed))), "{end:?}");
    }
}

#[tokio::test]
async fn frame_over_the_limit_is_an_error() {
    let (mut peer, stream) = duplex(256);
    peer.write_all(b"\x02\x3f\0\0\0\0\0\0\0").await.unwrap();
    let error = frames(stream).next().await;
    assert!(matches!(
        error,
        Some(Err(FrameCodecError::Frame(
            FrameError::MessageFrameTooLarge { .. }
        )))
    ));
}
