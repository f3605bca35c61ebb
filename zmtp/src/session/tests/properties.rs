//! Whatever comes in whatever pieces.

use proptest::prelude::*;

use crate::pattern::SocketType;
use crate::session::tests::peer::{
    Scripted, V3_0, V3_1, command, frame, greeting, messages, ready,
};
use crate::session::{Event, SessionError};

/// A PUSH or SUB, its greeting and READY, and what it says then.
fn conversation() -> impl Strategy<Value = (SocketType, Vec<u8>)> {
    let traffic = prop::collection::vec(chunk(), 0..12);
    (any::<bool>(), any::<bool>(), traffic).prop_map(|(publish, old, traffic)| {
        let (ours, theirs) = match publish {
            true => (SocketType::XPub, SocketType::Sub),
            false => (SocketType::Pull, SocketType::Push),
        };
        let version = if old { V3_0 } else { V3_1 };
        let start = [greeting(version), ready(theirs, &[("X-a", b"b")])];
        (ours, [start.concat(), traffic.concat()].concat())
    })
}

/// A frame, legal more often than not.
fn chunk() -> impl Strategy<Value = Vec<u8>> {
    let body = || {
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            prop::collection::vec(0..2_u8, 0..3),
            (250..300_usize).prop_map(|len| vec![0xaa; len]),
        ]
    };
    let name = prop::sample::select(vec!["PING", "PONG", "SUBSCRIBE", "CANCEL", "FOO", "READY"]);
    prop_oneof![
        6 => (0..2_u8, body()).prop_map(|(flags, body)| frame(flags, &body)),
        3 => (name, prop::collection::vec(any::<u8>(), 0..20))
            .prop_map(|(name, data)| command(name, &data)),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ]
}

/// Everything that happened: events, the end, and what was sent.
fn outcome(
    ours: SocketType,
    pieces: impl IntoIterator<Item = Vec<u8>>,
) -> (Vec<Event>, Option<SessionError>, Vec<u8>) {
    let mut scripted = Scripted::new(ours);
    let mut events = Vec::new();
    let mut error = None;
    for piece in pieces {
        match feed(&mut scripted, &piece, &mut events) {
            Ok(()) => {}
            Err(end) => {
                error = Some(end);
                break;
            }
        }
    }
    (events, error, scripted.sent())
}

/// Like `Scripted::feed`, with the events before an error.
pub(super) fn feed(
    scripted: &mut Scripted,
    piece: &[u8],
    events: &mut Vec<Event>,
) -> Result<(), SessionError> {
    let mut input = scripted.take_input(piece);
    let result = loop {
        match scripted.session.handle_input(scripted.now, &mut input) {
            Ok(Some(event)) => events.push(event),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    scripted.put_back(input);
    result
}

proptest! {
    // ZMTP31-021, ZMTP31-037
    #[test]
    fn pieces_make_no_difference(
        (ours, octets) in conversation(),
        lens in prop::collection::vec(1..80_usize, 1..20),
    ) {
        let whole = outcome(ours, [octets.clone()]);
        let single = outcome(ours, octets.iter().map(|octet| vec![*octet]));
        prop_assert_eq!(&whole, &single);
        let mut rest = &octets[..];
        let pieces = lens.into_iter().cycle().map_while(|len| {
            let (piece, tail) = rest.split_at(len.min(rest.len()));
            rest = tail;
            (!piece.is_empty()).then(|| piece.to_vec())
        });
        prop_assert_eq!(&whole, &outcome(ours, pieces.collect::<Vec<_>>()));
    }

    // INT-029
    #[test]
    fn changed_octets_end_in_an_error_at_worst(
        (ours, mut octets) in conversation(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        for (index, octet) in changes {
            let index = index.index(octets.len());
            octets[index] = octet;
        }
        let (events, error, _) = outcome(ours, [octets]);
        prop_assert!(events.iter().skip(1).all(|event| *event != Event::Established));
        if let Some(error) = error {
            prop_assert!(!error.is_retryable());
        }
    }

    // INT-029
    #[test]
    fn any_octets_at_all_end_in_an_error_at_worst(
        octets in prop::collection::vec(any::<u8>(), 0..200),
        start in 0..3_usize,
    ) {
        let hello = [vec![], greeting(V3_1), [greeting(V3_1), ready(SocketType::Push, &[])].concat()];
        outcome(SocketType::Pull, [hello[start].clone(), octets]);
    }

    // ZMTP31-038, ZMTP31-049, ZMTP31-052
    #[test]
    fn messages_arrive_as_they_were_sent(
        sent in prop::collection::vec(
            prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..5),
            0..8,
        ),
    ) {
        let mut octets = [greeting(V3_1), ready(SocketType::Pair, &[])].concat();
        for message in &sent {
            let (last, others) = message.split_last().unwrap();
            octets.extend(others.iter().flat_map(|part| frame(1, part)));
            octets.extend(frame(0, last));
        }
        let (events, error, _) = outcome(SocketType::Pair, [octets]);
        prop_assert_eq!(error, None);
        let received: Vec<Vec<Vec<u8>>> = messages(&events)
            .iter()
            .map(|message| message.parts().iter().map(|part| part.to_vec()).collect())
            .collect();
        prop_assert_eq!(received, sent);
    }
}
