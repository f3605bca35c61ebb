//! Octets that libzmq 4.3.5 sent and was sent, captured on the wire.

use std::time::Duration;

use crate::pattern::SocketType;
use crate::session::tests::peer::{Scripted, messages, unhex};
use crate::session::{Event, SessionConfig, SessionError, Side, Timeout};

/// The greeting in the three writes in which it always comes.
const GREETING: [&str; 3] = [
    "ff00000000000000017f",
    "03",
    "014e554c4c00000000000000000000000000000000 00 \
     00000000000000000000000000000000000000000000000000000000000000",
];

/// The READY of each type of socket.
const READY: [(&str, &str); 11] = [
    (
        "PAIR",
        "041a0552454144590b536f636b65742d547970650000000450414952",
    ),
    (
        "PUB",
        "04190552454144590b536f636b65742d5479706500000003505542",
    ),
    (
        "SUB",
        "04190552454144590b536f636b65742d5479706500000003535542",
    ),
    (
        "REQ",
        "04260552454144590b536f636b65742d5479706500000003524551084964656e7469747900000000",
    ),
    (
        "REP",
        "04190552454144590b536f636b65742d5479706500000003524550",
    ),
    (
        "DEALER",
        "04290552454144590b536f636b65742d54797065000000064445414c4552084964656e7469747900000000",
    ),
    (
        "ROUTER",
        "04290552454144590b536f636b65742d5479706500000006524f55544552084964656e7469747900000000",
    ),
    (
        "PULL",
        "041a0552454144590b536f636b65742d547970650000000450554c4c",
    ),
    (
        "PUSH",
        "041a0552454144590b536f636b65742d547970650000000450555348",
    ),
    (
        "XPUB",
        "041a0552454144590b536f636b65742d547970650000000458505542",
    ),
    (
        "XSUB",
        "041a0552454144590b536f636b65742d547970650000000458535542",
    ),
];

fn greeting() -> Vec<u8> {
    GREETING.map(unhex).concat()
}

// ZMTP31-002, ZMTP31-065, ZMTP31-079, INT-002, INT-003
#[test]
fn libzmq_sockets_of_each_type_are_welcome_where_they_belong() {
    for (name, ready) in READY {
        let theirs: SocketType = name.parse().unwrap();
        for ours in SocketType::ALL {
            let mut scripted = Scripted::new(ours);
            for write in GREETING {
                assert_eq!(scripted.feed(&unhex(write)), Ok(vec![]));
            }
            let result = scripted.feed(&unhex(ready));
            assert_eq!(
                result.is_ok(),
                ours.is_compatible(theirs),
                "{ours} {theirs}"
            );
            if result.is_ok() {
                let peer = scripted.session.peer().unwrap();
                assert_eq!((peer.socket_type, &peer.routing_id), (theirs, &None));
            }
        }
    }
}

// ZMTP31-132, ZMTP31-135, ZMTP31-136
#[test]
fn pings_get_what_libzmq_answers() {
    let pull = SessionConfig::new(SocketType::Pull, Side::Listener);
    for (pings, pongs) in [
        ("040a0450494e4700004c4f4c", "040804504f4e474c4f4c"),
        (
            "010161 040a0450494e470000637478 000162",
            "040804504f4e47637478",
        ),
        (
            "04080450494e47000061 04080450494e47000062 04080450494e47000063",
            "040604504f4e4761 040604504f4e4762 040604504f4e4763",
        ),
    ] {
        let mut scripted = Scripted::open(pull.clone(), [3, 1], SocketType::Push);
        scripted.feed(&unhex(pings)).unwrap();
        assert_eq!(scripted.sent(), unhex(pongs));
    }
}

// ZMTP31-140
#[test]
fn libzmq_dealer_that_pings_and_falls_silent_is_lost_in_its_own_time() {
    let mut scripted = Scripted::new(SocketType::Dealer);
    let (_, ready) = READY[5];
    let hello = [greeting(), unhex(ready)].concat();
    assert_eq!(scripted.feed(&hello), Ok(vec![Event::Established]));
    scripted.sent();
    for _ in 0..3 {
        scripted.feed(&unhex("04070450494e47001e")).unwrap();
        assert_eq!(scripted.sent(), unhex("040504504f4e47"));
        scripted.advance(Duration::from_secs(1)).unwrap();
    }
    let error = scripted.advance(Duration::from_secs(2)).unwrap_err();
    assert_eq!(error, SessionError::TimedOut(Timeout::TimeToLive));
}

// ZMTP31-026, ZMTP31-049
#[test]
fn libzmq_push_and_its_messages_arrive() {
    let (_, ready) = READY[8];
    let traffic = "0000 0101610100000163 000568656c6c6f";
    let octets = [greeting(), unhex(ready), unhex(traffic)].concat();
    let mut scripted = Scripted::new(SocketType::Pull);
    let received = messages(&scripted.feed(&octets).unwrap());
    let parts: Vec<_> = received
        .iter()
        .map(|message| message.part_count())
        .collect();
    assert_eq!(parts, [1, 3, 1]);
}
