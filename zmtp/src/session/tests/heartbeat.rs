//! PING, PONG and silence, in virtual time.

use std::time::Duration;

use crate::pattern::SocketType;
use crate::session::tests::peer::{Scripted, V3_0, V3_1, command, frame};
use crate::session::tests::traffic::open_pull;
use crate::session::{Heartbeat, Malformed, SessionConfig, SessionError, Side, Timeout, Violation};
use crate::wire::command::CommandError;

const SECOND: Duration = Duration::from_secs(1);
const PING: &[u8] = b"\x04\x07\x04PING\x00\x00";

fn open(heartbeat: Heartbeat, version: [u8; 2]) -> Scripted {
    let mut config = SessionConfig::new(SocketType::Pull, Side::Listener);
    config.heartbeat = Some(heartbeat);
    Scripted::open(config, version, SocketType::Push)
}

fn ping(ttl: u16, context: &[u8]) -> Vec<u8> {
    command("PING", &[&ttl.to_be_bytes(), context].concat())
}

fn timed_out(timeout: Timeout) -> SessionError {
    SessionError::TimedOut(timeout)
}

// ZMTP31-132, ZMTP31-135: cases G1, G2, G3, G10, G13
#[test]
fn pings_are_answered_in_order_with_their_context() {
    for version in [V3_0, V3_1] {
        let config = SessionConfig::new(SocketType::Pull, Side::Listener);
        let mut scripted = Scripted::open(config, version, SocketType::Push);
        let pings = [ping(0, b"LOL"), ping(0, b""), ping(7, &[0xff; 16])];
        assert_eq!(scripted.feed(&pings.concat()), Ok(vec![]));
        let expected = [
            b"\x04\x08\x04PONGLOL".to_vec(),
            b"\x04\x05\x04PONG".to_vec(),
            command("PONG", &[0xff; 16]),
        ];
        assert_eq!(scripted.sent(), expected.concat());
    }
}

// ZMTP31-133, ZMTP31-134: cases G4, G5, G6
#[test]
fn ping_with_too_much_or_too_little_is_malformed() {
    for (octets, error) in [
        (
            ping(0, &[0; 17]),
            CommandError::ContextTooLong { len: 17, limit: 16 },
        ),
        (command("PING", b""), CommandError::MissingTtl),
        (command("PING", b"\0"), CommandError::MissingTtl),
        (
            command("PONG", &[0; 17]),
            CommandError::ContextTooLong { len: 17, limit: 16 },
        ),
    ] {
        let mut scripted = open_pull();
        let expected = Malformed::Command(error).into();
        assert_eq!(scripted.feed(&octets), Err(expected));
        assert_eq!(scripted.sent(), b"");
    }
}

// ZMTP31-137: case G7
#[test]
fn pong_that_nobody_asked_for_is_ignored() {
    let mut scripted = open_pull();
    assert_eq!(scripted.feed(&command("PONG", b"ctx")), Ok(vec![]));
    assert!(scripted.session.is_open());
}

// ZMTP31-128, ZMTP31-139, ZMTP31-142, ZMTP31-144: cases J1, J2
#[test]
fn silent_peer_is_pinged_and_then_lost() {
    for version in [V3_0, V3_1] {
        let heartbeat = Heartbeat::new(SECOND).with_timeout(10 * SECOND);
        let mut scripted = open(heartbeat, version);
        let mut pings = Vec::new();
        for _ in 0..10 {
            scripted.advance(SECOND).unwrap();
            pings.extend(scripted.sent());
        }
        assert_eq!(pings, PING.repeat(3), "they do not pile up");
        let error = scripted.advance(SECOND).unwrap_err();
        assert_eq!(error, timed_out(Timeout::Heartbeat));
        assert!(error.is_retryable());
        assert_eq!(scripted.now, scripted.start + 11 * SECOND);
    }
}

// ZMTP31-139
#[test]
fn peer_has_one_more_interval_to_answer_by_default() {
    let mut scripted = open(Heartbeat::new(SECOND), V3_1);
    scripted.advance(SECOND).unwrap();
    assert_eq!(scripted.sent(), PING);
    scripted.advance(SECOND - Duration::from_millis(1)).unwrap();
    let error = scripted.advance(Duration::from_millis(1)).unwrap_err();
    assert_eq!(error, timed_out(Timeout::Heartbeat));
}

// ZMTP31-138: case J4
#[test]
fn any_octets_are_a_sign_of_life() {
    let pong = command("PONG", b"");
    let message = frame(0, b"message");
    let part_of_large_frame = [&b"\x02\0\0\0\0\0\x01\0\0"[..], &[0; 40]].concat();
    for sign in [
        &pong,
        &message,
        &frame(0, &[0; 50]),
        &frame(1, b""),
        &command("FOO", b""),
        &vec![0],
        &part_of_large_frame[..9].to_vec(),
    ] {
        let mut scripted = open(Heartbeat::new(SECOND), V3_1);
        scripted.advance(SECOND).unwrap();
        assert_eq!(scripted.sent(), PING);
        scripted.advance(SECOND * 9 / 10).unwrap();
        scripted.feed(sign).unwrap();
        scripted.advance(SECOND / 2).unwrap();
        assert_eq!(scripted.sent(), PING, "after {sign:?}");
        let error = scripted.advance(SECOND).unwrap_err();
        assert_eq!(error, timed_out(Timeout::Heartbeat));
    }
}

// ZMTP31-138: the first octet of a frame that came before is all that is there of the next one, too.
#[test]
fn message_between_two_first_octets_is_a_sign_of_life() {
    let mut scripted = open(Heartbeat::new(SECOND), V3_1);
    scripted.feed(b"\0").unwrap();
    scripted.advance(SECOND).unwrap();
    assert_eq!(scripted.sent(), PING);
    scripted.advance(SECOND / 2).unwrap();
    let message = [&[32][..], &[b'x'; 32], b"\0"].concat();
    assert_eq!(scripted.feed(&message).unwrap().len(), 1);
    scripted.advance(SECOND).unwrap();
    assert_eq!(scripted.sent(), PING);
    let error = scripted.advance(SECOND).unwrap_err();
    assert_eq!(error, timed_out(Timeout::Heartbeat));
}

#[test]
fn time_that_is_looked_at_early_changes_nothing_and_late_catches_up() {
    let mut scripted = open(Heartbeat::new(SECOND), V3_1);
    let start = scripted.now;
    scripted.session.handle_timeout(start + SECOND / 2).unwrap();
    assert_eq!(scripted.sent(), b"");
    assert_eq!(scripted.session.poll_timeout(), Some(start + SECOND));
    scripted
        .session
        .handle_timeout(start + SECOND * 3 / 2)
        .unwrap();
    assert_eq!(scripted.sent(), PING);
}

#[test]
fn answer_at_the_very_time_of_the_ping_counts() {
    let mut scripted = open(Heartbeat::new(SECOND), V3_1);
    for _ in 0..if cfg!(miri) { 3 } else { 100 } {
        scripted.advance(SECOND).unwrap();
        assert_eq!(scripted.sent(), PING);
        scripted.feed(&command("PONG", b"")).unwrap();
    }
}

// ZMTP31-130
#[test]
fn our_time_to_live_is_sent_in_tenths_of_a_second() {
    for (millis, expected) in [(250, 2), (99, 1), (3000, 30), (6_553_599, u16::MAX)] {
        let ttl = Duration::from_millis(millis);
        let heartbeat = Heartbeat::new(SECOND).with_ttl(ttl).unwrap();
        let mut scripted = open(heartbeat, V3_1);
        scripted.advance(SECOND).unwrap();
        assert_eq!(scripted.sent(), ping(expected, b""));
    }
    let too_long = Duration::from_millis(6_553_600);
    assert!(Heartbeat::new(SECOND).with_ttl(too_long).is_err());
}

// ZMTP31-131, ZMTP31-140: cases G8, G9
#[test]
fn peer_that_outlives_its_own_time_is_lost() {
    for (ttl, millis) in [(2, 200), (656, 65_600), (u16::MAX, 6_553_500)] {
        let mut scripted = open_pull();
        scripted.feed(&ping(ttl, b"")).unwrap();
        scripted.advance(Duration::from_millis(millis - 1)).unwrap();
        let error = scripted.advance(Duration::from_millis(1)).unwrap_err();
        assert_eq!(error, timed_out(Timeout::TimeToLive));
    }
}

// ZMTP31-140
#[test]
fn each_ping_sets_its_own_time_to_live() {
    let mut scripted = open_pull();
    scripted.feed(&ping(2, b"")).unwrap();
    scripted.advance(SECOND / 10).unwrap();
    scripted.feed(&ping(50, b"")).unwrap();
    scripted.advance(4 * SECOND).unwrap();
    scripted.feed(&frame(0, b"traffic")).unwrap();
    scripted.advance(4 * SECOND).unwrap();
    scripted.feed(&ping(0, b"")).unwrap();
    assert_eq!(scripted.session.poll_timeout(), None);
    scripted.advance(1000 * SECOND).unwrap();
}

// ZMTP31-142
#[test]
fn ping_that_never_left_is_not_held_against_the_peer() {
    let mut scripted = open(Heartbeat::new(SECOND), V3_1);
    scripted.advance(100 * SECOND).unwrap();
    assert_eq!(scripted.sent(), PING, "one PING waits, not a hundred");
    let error = scripted.advance(2 * SECOND).unwrap_err();
    assert_eq!(error, timed_out(Timeout::Heartbeat));
}

// ZMTP31-139, ZMTP31-142, LZ-033
#[test]
fn ping_that_waits_behind_one_that_left_does_not_keep_a_lost_peer() {
    let heartbeat = Heartbeat::new(SECOND).with_timeout(10 * SECOND);
    let mut scripted = open(heartbeat, V3_1);
    scripted.advance(SECOND).unwrap();
    assert_eq!(scripted.sent(), PING);
    let just_before = 10 * SECOND - Duration::from_millis(1);
    scripted.advance(just_before).unwrap();
    let error = scripted.advance(Duration::from_millis(1)).unwrap_err();
    assert_eq!(error, timed_out(Timeout::Heartbeat));
}

// ZMTP31-143, INT-027: case G14
#[test]
#[cfg_attr(miri, ignore = "takes tens of thousands of PINGs")]
fn flood_of_pings_without_reading_ends_the_session() {
    let mut scripted = open_pull();
    let limit = 16 << 10;
    for _ in 0..4 {
        scripted.feed(&PING.repeat(limit)).unwrap();
        assert_eq!(scripted.sent().len(), 7 * limit);
    }
    scripted.feed(&PING.repeat(limit)).unwrap();
    assert_eq!(
        scripted.feed(PING),
        Err(Violation::TooManyPings { limit }.into())
    );
}

#[test]
fn extreme_configurations_neither_panic_nor_spin() {
    for duration in [Duration::ZERO, Duration::MAX] {
        let mut scripted = open(Heartbeat::new(duration), V3_1);
        let mut config = SessionConfig::new(SocketType::Pull, Side::Listener);
        config.handshake_timeout = Some(duration);
        let mut fresh = Scripted::with_config(config);
        for scripted in [&mut scripted, &mut fresh] {
            let deadline = scripted.session.poll_timeout();
            if duration == Duration::ZERO {
                assert!(deadline.is_some());
            } else {
                assert_eq!(deadline, None);
            }
            let _ = scripted.advance(if cfg!(miri) { SECOND / 50 } else { SECOND });
        }
    }
}

// ZMTP31-138, ZMTP31-139, ZMTP31-140: a driver looks at its input whenever it wakes.
#[test]
fn octets_that_were_there_before_are_no_sign_of_life() {
    for unfinished in [&b"\0"[..], b"\x02\0\0", b"\0\x05he", b"\x01\x01a\0\x05"] {
        let silent_after = |first: &[u8], timeout| {
            let mut scripted = open(Heartbeat::new(SECOND), V3_1);
            scripted.feed(&[first, unfinished].concat()).unwrap();
            for _ in 0..40 {
                scripted.sent();
                scripted.feed(b"").unwrap();
                match scripted.advance(SECOND / 10) {
                    Ok(()) => {}
                    Err(error) => return assert_eq!(error, timed_out(timeout)),
                }
            }
            panic!("{unfinished:x?} keeps the connection open");
        };
        silent_after(b"", Timeout::Heartbeat);
        silent_after(&ping(5, b""), Timeout::TimeToLive);
    }
}

// ZMTP31-138
#[test]
fn each_octet_of_a_slow_frame_is_a_sign_of_life() {
    let mut scripted = open(Heartbeat::new(SECOND), V3_1);
    let whole = frame(0, b"a body that takes its time");
    for octet in &whole[..whole.len() - 1] {
        scripted.feed(&[*octet]).unwrap();
        scripted.feed(b"").unwrap();
        scripted.advance(SECOND * 3 / 4).unwrap();
        scripted.sent();
    }
}
