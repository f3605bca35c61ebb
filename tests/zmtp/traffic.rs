//! Frames and commands after the handshake.

use tests::bytes::{
    COMMAND, LONG, MORE, claim, command, command_body, error, frame, greeting, long_frame, message,
    ping, pong, property, ready,
};

use crate::suite::{Case, Reaction, run};

/// The octets after greeting and READY, with a good message before them.
fn after_handshake(octets: Vec<u8>) -> Vec<u8> {
    [greeting(3, 1), ready("PUSH"), message(&[b"first"]), octets].concat()
}

fn closes(name: &'static str, octets: Vec<u8>) -> Case {
    let reaction = Reaction::DeliverAndClose(vec![vec![b"first"]]);
    Case::new(name, after_handshake(octets), reaction)
}

fn delivers(name: &'static str, octets: Vec<u8>, parts: Vec<&'static [u8]>) -> Case {
    let octets = [octets, message(&[b"last"])].concat();
    let mut messages = vec![vec![&b"first"[..]], parts, vec![b"last"]];
    messages.retain(|parts| !parts.is_empty());
    Case::new(name, after_handshake(octets), Reaction::Deliver(messages))
}

/// ZMTP31-029, ZMTP31-030, ZMTP31-041, LZ-022.
#[tokio::test]
async fn illegal_flags_end_the_connection() {
    run(&[
        closes("all reserved bits", frame(0xf8, b"hello")),
        closes("one reserved bit", frame(0x08, b"hello")),
        closes(
            "a reserved bit on a long frame",
            frame(0x80 | LONG, &[0; 8]),
        ),
        closes(
            "a command with MORE",
            frame(COMMAND | MORE, &command_body("FOO", b"x")),
        ),
        closes(
            "a long command with MORE",
            long_frame(COMMAND | MORE, &command_body("FOO", b"x")),
        ),
    ])
    .await;
}

/// ZMTP31-035, ZMTP31-036, INT-022, LZ-023.
#[tokio::test]
async fn claimed_sizes_beyond_the_limit_end_the_connection() {
    run(&[
        closes("2^64-1", claim(0, u64::MAX)),
        closes("2^63", claim(0, 1 << 63)),
        closes("2^63-1", claim(0, (1 << 63) - 1)),
        closes("2^62", claim(0, 1 << 62)),
        closes("2^40", claim(0, 1 << 40)),
        closes(
            "2^62 in a later part",
            [frame(MORE, b"a"), claim(0, 1 << 62)].concat(),
        ),
        closes("2^62 as a command", claim(COMMAND, 1 << 62)),
    ])
    .await;
}

/// ZMTP31-026, ZMTP31-033, ZMTP31-049, ZMTP31-053.
#[tokio::test]
async fn legal_frames_are_delivered() {
    run(&[
        delivers("empty", frame(0, b""), vec![b""]),
        delivers("long form", long_frame(0, b"hello"), vec![b"hello"]),
        delivers("long form, empty", long_frame(0, b""), vec![b""]),
        delivers("parts", message(&[b"a", b"", b"c"]), vec![b"a", b"", b"c"]),
        delivers("255 octets", frame(0, &[7; 255]), vec![&[7; 255]]),
        delivers("256 octets", frame(0, &[7; 256]), vec![&[7; 256]]),
        delivers(
            "a PING that is no command",
            frame(0, b"\x04PING\0\0"),
            vec![b"\x04PING\0\0"],
        ),
    ])
    .await;
}

/// ZMTP31-044, ZMTP31-045, ZMTP31-046, ZMTP31-136, ZMTP31-137, LZ-020.
#[tokio::test]
async fn commands_are_kept_from_the_application() {
    let between = |command: Vec<u8>| [frame(MORE, b"a"), command, frame(0, b"b")].concat();
    run(&[
        delivers("unknown", command("FOO", b"x"), vec![]),
        delivers(
            "long form",
            long_frame(COMMAND, &command_body("FOO", b"x")),
            vec![],
        ),
        delivers("another letter case", command("ping", &[0, 0]), vec![]),
        delivers("unasked PONG", command("PONG", b"x"), vec![]),
        delivers(
            "unknown within a message",
            between(command("FOO", b"x")),
            vec![b"a", b"b"],
        ),
        delivers(
            "PING within a message",
            between(ping(0, b"x")),
            vec![b"a", b"b"],
        ),
    ])
    .await;
}

/// ZMTP31-042, ZMTP31-064, LZ-020.
#[tokio::test]
async fn illegal_commands_end_the_connection() {
    run(&[
        closes("no name", frame(COMMAND, b"")),
        closes("an empty name", frame(COMMAND, &[0])),
        closes("a name beyond the body", frame(COMMAND, &[9, b'a'])),
        closes(
            "a second READY",
            command("READY", &property("Socket-Type", b"PUSH")),
        ),
        closes("ERROR", error("late")),
    ])
    .await;
}

/// ZMTP31-132, ZMTP31-133, ZMTP31-135, ZMTP31-144.
#[tokio::test]
async fn pings_are_answered_in_either_role() {
    let answers = |name, version: u8, pings: Vec<u8>, pongs: Vec<u8>| {
        let octets = [greeting(3, version), ready("PUSH"), pings].concat();
        Case::new(name, octets, Reaction::Answer(pongs))
    };
    let three = |of: fn(&[u8]) -> Vec<u8>| [of(b"1"), of(b"2"), of(b"3")].concat();
    run(&[
        answers("no context", 1, ping(0, b""), pong(b"")),
        answers("a short context", 1, ping(0, b"LOL"), pong(b"LOL")),
        answers(
            "the longest context",
            1,
            ping(0, &[0xff; 16]),
            pong(&[0xff; 16]),
        ),
        answers("three", 1, three(|context| ping(0, context)), three(pong)),
        answers("of a 3.0 peer", 0, ping(0, b"x"), pong(b"x")),
    ])
    .await;
}

/// ZMTP31-133, ZMTP31-134, LZ-030, LZ-031.
#[tokio::test]
async fn malformed_pings_end_the_connection() {
    run(&[
        closes("no time to live", command("PING", b"")),
        closes("half a time to live", command("PING", &[0])),
        closes("a context of 17 octets", ping(0, &[b'x'; 17])),
    ])
    .await;
}
