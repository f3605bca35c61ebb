//! What is too much is refused before it is held.

use crate::pattern::SocketType;
use crate::session::tests::peer::{Scripted, V3_1, command, frame, greeting, ready, unhex};
use crate::session::{Limits, SessionConfig, SessionError, Side, Violation};
use crate::wire::command::CommandError;
use crate::wire::frame::FrameError;
use crate::wire::metadata::MetadataError;

fn config(limits: Limits) -> SessionConfig {
    let mut config = SessionConfig::new(SocketType::Pull, Side::Listener);
    config.limits = limits;
    config
}

fn open(limits: Limits) -> Scripted {
    Scripted::open(config(limits), V3_1, SocketType::Push)
}

fn message_too_large(size: u64, limit: u64) -> SessionError {
    Violation::Frame(FrameError::MessageFrameTooLarge { size, limit }).into()
}

fn command_too_large(size: u64, limit: u64) -> SessionError {
    Violation::Frame(FrameError::CommandTooLarge { size, limit }).into()
}

// ZMTP31-036, INT-021, INT-022: cases F3, F4
#[test]
fn frame_over_the_limit_is_refused_by_its_head() {
    let limits = Limits {
        max_frame_size: 300,
        ..Limits::default()
    };
    let mut scripted = open(limits);
    scripted.feed(&frame(0, &[0; 300])).unwrap();
    let error = scripted.feed(&unhex("02 000000000000012d")).unwrap_err();
    assert_eq!(error, message_too_large(301, 300));
    assert!(!error.is_retryable());
    let error = open(Limits::default()).feed(&unhex("02 0000010000000000"));
    let limit = (256 << 20) - Limits::PART_OVERHEAD;
    assert_eq!(error, Err(message_too_large(1 << 40, limit)));
}

// INT-021
#[test]
fn subscription_in_a_message_is_no_larger_than_one_in_a_command() {
    for publisher in [SocketType::Pub, SocketType::XPub] {
        let mut config = SessionConfig::new(publisher, Side::Listener);
        config.limits.max_command_size = 20;
        let mut scripted = Scripted::open(config, V3_1, SocketType::XSub);
        for kind in [0, 1] {
            scripted.feed(&frame(0, &[kind; 20])).unwrap();
        }
        if publisher == SocketType::XPub {
            scripted.feed(&frame(0, &[2; 1000])).unwrap();
            scripted.feed(&frame(1, b"message")).unwrap();
            scripted.feed(&frame(0, &[1; 1000])).unwrap();
        }
        let error = scripted.feed(&frame(0, &[1; 21]));
        assert_eq!(error, Err(message_too_large(21, 20)));
    }
}

// ZMTP31-054, INT-021
#[test]
fn single_part_over_the_limit_of_messages_is_refused() {
    let limits = Limits {
        max_message_size: 100,
        ..Limits::default()
    };
    let largest = usize::try_from(100 - Limits::PART_OVERHEAD).unwrap();
    open(limits).feed(&frame(0, &vec![0; largest])).unwrap();
    let error = open(limits).feed(&frame(0, &vec![0; largest + 1]));
    assert_eq!(error, Err(message_too_large(37, 36)));
}

// ZMTP31-054: case F16
#[test]
#[cfg_attr(miri, ignore = "has thousands of parts")]
fn endless_message_ends_at_the_limit_of_parts() {
    let limits = Limits::default();
    let limit = limits.max_parts_per_message;
    let mut scripted = open(limits);
    let events = scripted.feed(&b"\x01\x00".repeat(limit)).unwrap();
    assert_eq!(events.len(), limit);
    assert_eq!(
        scripted.feed(b"\x01\x00"),
        Err(Violation::TooManyParts { limit }.into())
    );
}

// ZMTP31-054
#[test]
fn last_part_counts_and_the_next_message_starts_anew() {
    let limits = Limits {
        max_parts_per_message: 2,
        ..Limits::default()
    };
    let mut scripted = open(limits);
    for _ in 0..10 {
        scripted.feed(b"\x01\x00\x00\x00").unwrap();
    }
    assert_eq!(
        scripted.feed(b"\x01\x00\x01\x00\x00\x00"),
        Err(Violation::TooManyParts { limit: 2 }.into())
    );
}

// ZMTP31-054
#[test]
fn empty_parts_are_charged_for_what_they_cost() {
    let limits = Limits {
        max_message_size: 10 * Limits::PART_OVERHEAD + 5,
        ..Limits::default()
    };
    let limit = limits.max_message_size;
    let mut scripted = open(limits);
    scripted.feed(&b"\x01\x00".repeat(9)).unwrap();
    scripted.feed(&frame(0, b"12345")).unwrap();
    scripted.feed(&b"\x01\x00".repeat(9)).unwrap();
    assert_eq!(
        scripted.feed(&frame(0, b"123456")),
        Err(Violation::MessageTooLarge { limit }.into())
    );
}

// ZMTP31-075, INT-021: case E28
#[test]
fn handshake_has_limits_of_its_own() {
    let mut scripted = Scripted::new(SocketType::Pull);
    scripted.feed(&greeting(V3_1)).unwrap();
    let error = scripted.feed(&unhex("06 0000000000002001")).unwrap_err();
    assert_eq!(error, command_too_large(8193, 8192));
    let mut scripted = Scripted::new(SocketType::Pull);
    scripted.feed(&greeting(V3_1)).unwrap();
    let error = scripted.feed(&unhex("02 0000000000002001")).unwrap_err();
    assert_eq!(error, message_too_large(8193, 8192));
}

// ZMTP31-075: case E28
#[test]
fn properties_are_counted() {
    let names: Vec<_> = (0..64).map(|n| format!("X-{n}")).collect();
    let others: Vec<_> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let mut scripted = Scripted::new(SocketType::Pull);
    scripted.feed(&greeting(V3_1)).unwrap();
    scripted
        .feed(&ready(SocketType::Push, &others[..63]))
        .unwrap();
    let mut scripted = Scripted::new(SocketType::Pull);
    scripted.feed(&greeting(V3_1)).unwrap();
    let error = CommandError::Metadata(MetadataError::TooManyProperties { limit: 64 });
    assert_eq!(
        scripted.feed(&ready(SocketType::Push, &others)),
        Err(Violation::Command(error).into())
    );
}

// ZMTP31-075
#[test]
fn limit_of_properties_is_the_one_that_was_set() {
    let limits = Limits {
        max_metadata_properties: 2,
        ..Limits::default()
    };
    let says = |others: &[(&str, &[u8])]| {
        let mut scripted = Scripted::with_config(config(limits));
        scripted.feed(&greeting(V3_1)).unwrap();
        scripted.feed(&ready(SocketType::Push, others)).map(drop)
    };
    assert_eq!(says(&[("X-a", b"")]), Ok(()));
    let error = CommandError::Metadata(MetadataError::TooManyProperties { limit: 2 });
    assert_eq!(
        says(&[("X-a", b""), ("X-b", b"")]),
        Err(Violation::Command(error).into())
    );
}

// INT-021: case F4c
#[test]
fn small_limits_on_messages_leave_the_handshake_alone() {
    let limits = Limits {
        max_frame_size: 4,
        max_command_size: 10,
        ..Limits::default()
    };
    let mut scripted = open(limits);
    scripted.feed(&frame(0, b"four")).unwrap();
    scripted.feed(&command("PING", b"\0\0ctx")).unwrap();
    let error = scripted.feed(&command("PING", b"\0\0ctxt")).unwrap_err();
    assert_eq!(error, command_too_large(11, 10));
}

// ZMTP31-116, INT-025
#[test]
fn topics_have_the_limit_of_commands_in_both_forms() {
    let mut config = SessionConfig::new(SocketType::Pub, Side::Listener);
    config.limits.max_command_size = 100;
    let mut scripted = Scripted::open(config.clone(), V3_1, SocketType::Sub);
    scripted.feed(&frame(0, &[1; 100])).unwrap();
    let error = scripted.feed(&frame(0, &[1; 101])).unwrap_err();
    assert_eq!(error, message_too_large(101, 100));
    let mut scripted = Scripted::open(config, V3_1, SocketType::Sub);
    let error = scripted.feed(&command("SUBSCRIBE", &[1; 91])).unwrap_err();
    assert_eq!(error, command_too_large(101, 100));
}
