//! Tests of the parts of a channel.

use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;

use super::pulse::later;
use super::{
    Channel, ChannelOptions, ClientSide, Control, Credit, Dialect, Heartbeat, Progress, Pulse,
    Queued, ReceiveWindow, ReplyKind, SendCredit, ServerSide, Side, Tick, granted,
};
use crate::event::{MessageId, Version};

#[test]
fn any_grant_is_capped() {
    let mut credit = SendCredit::new();
    credit.grant(i64::MIN);
    assert_eq!(credit.available(), Credit::INITIAL);
    credit.grant(i64::MAX);
    credit.grant(i64::MAX);
    assert_eq!(credit.available(), Credit::MAX);
}

#[test]
fn absolute_grants_of_node_do_not_add_up() {
    let mut credit = SendCredit::new();
    for grant in [100, 99, 98, 97] {
        credit.grant(grant);
        assert!(credit.available().count() <= 100);
    }
}

#[test]
fn a_grant_that_no_integer_of_64_bits_holds_is_a_large_one() {
    let number = b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff";
    assert_eq!(granted(number), Some(i64::MAX));
    let list = [b"\x91".as_slice(), number].concat();
    assert_eq!(granted(&list), Some(i64::MAX));
}

#[test]
fn a_time_that_no_clock_reaches_is_a_century_away() {
    let now = now();
    let century = Duration::from_secs(100 * 365 * 86_400);
    assert_eq!(later(now, Duration::MAX), now + century);
    assert_eq!(later(now, century), now + century);
}

#[test]
fn options_say_what_they_were_told() {
    let heartbeat = Heartbeat::Active(Duration::from_secs(7));
    let timeout = Some(Duration::from_secs(8));
    let options = ChannelOptions::default()
        .with_heartbeat(heartbeat)
        .with_timeout(timeout)
        .with_slots(9);
    assert_eq!(
        (options.heartbeat(), options.timeout(), options.slots()),
        (heartbeat, timeout, 9)
    );
}

#[test]
fn zero_interval_does_not_spin() {
    let now = now();
    let pulse = Pulse::new(Heartbeat::Active(Duration::ZERO), now);
    assert_eq!(pulse.deadline(), Some(now + Heartbeat::MIN_INTERVAL));
}

#[test]
fn endless_interval_does_not_overflow() {
    let now = now();
    let mut pulse = Pulse::new(Heartbeat::Active(Duration::MAX), now);
    assert!(pulse.deadline().is_some_and(|deadline| deadline > now));
    assert_eq!(pulse.handle_timeout(now, None), Tick::Early);
}

#[test]
fn pulse_of_a_request_that_waits_is_looked_at_in_every_interval() {
    let (opened, interval) = (now(), Duration::from_secs(2));
    let mut pulse = Pulse::waiting(Heartbeat::Active(interval), opened);
    let before = opened + interval - Duration::from_millis(1);
    assert_eq!(pulse.handle_timeout(before, None), Tick::Early);
    for tick in 1..3 {
        assert_eq!(pulse.deadline(), Some(opened + tick * interval));
        assert_eq!(
            pulse.handle_timeout(opened + tick * interval, None),
            Tick::Early
        );
    }
    // That the socket refuses it makes it no younger.
    let tried = opened + 2 * interval + Duration::from_millis(1);
    let since = pulse.start(tried);
    pulse.stop(since);
    assert_eq!(pulse.deadline(), Some(opened + 3 * interval));
    let lost = Tick::Lost {
        after: 2 * interval,
    };
    assert_eq!(pulse.handle_timeout(opened + 3 * interval, None), lost);
}

#[test]
fn request_that_waits_is_not_judged_by_a_side_that_overslept() {
    let (opened, interval) = (now(), Duration::from_secs(2));
    let mut pulse = Pulse::waiting(Heartbeat::Active(interval), opened);
    let woken = opened + 100 * interval;
    assert_eq!(pulse.handle_timeout(woken, None), Tick::Early);
    for tick in 1..3 {
        assert_eq!(pulse.deadline(), Some(woken + tick * interval));
        assert_eq!(
            pulse.handle_timeout(woken + tick * interval, None),
            Tick::Early
        );
    }
    let lost = Tick::Lost {
        after: 2 * interval,
    };
    assert_eq!(pulse.handle_timeout(woken + 3 * interval, None), lost);
}

#[test]
fn request_that_waits_without_heartbeats_is_not_judged() {
    let opened = now();
    for heartbeat in [Heartbeat::Off, Heartbeat::Passive(Duration::from_secs(2))] {
        let mut pulse = Pulse::waiting(heartbeat, opened);
        let since = pulse.start(opened);
        pulse.stop(since);
        assert_eq!(pulse.deadline(), None);
        let late = opened + Duration::from_secs(600);
        assert_eq!(pulse.handle_timeout(late, None), Tick::Early);
    }
}

#[test]
fn what_waits_for_the_socket_is_counted() {
    let server = || Side::Server(ServerSide::new(Version::V3));
    let count = |side, heartbeat, grant| {
        let channel = Channel {
            peer: 0,
            id: MessageId::from_encoded(b"\x01"),
            pulse: Pulse::new(Heartbeat::Off, now()),
            expiry: None,
            scheduled: None,
            control: Control { heartbeat, grant },
            dialect: Dialect::Unknown,
            side,
        };
        channel.queued_count()
    };
    assert_eq!(count(server(), Queued::No, Credit::NONE), 0);
    assert_eq!(count(server(), Queued::Yes, Credit::NONE), 1);
    assert_eq!(count(server(), Queued::No, Credit::INITIAL), 1);
    let client = Side::Client(ClientSide::new(1, Bytes::from_static(b"request")));
    assert_eq!(count(client, Queued::Yes, Credit::INITIAL), 3);
}

#[test]
fn credit_that_came_before_the_request_stays() {
    let mut server = ServerSide::new(Version::V3);
    server.credit.grant(5);
    server.recv_request(Version::V3, 0);
    assert_eq!(server.credit.available().count(), 5);
}

// Q10
#[test]
fn first_tick_that_comes_late_does_not_put_off_the_loss() {
    let (opened, interval) = (now(), Duration::from_secs(2));
    let mut pulse = Pulse::new(Heartbeat::Active(interval), opened);
    let late = Duration::from_millis(3);
    assert_eq!(
        pulse.handle_timeout(opened + interval + late, None),
        Tick::Beat
    );
    assert_eq!(
        pulse.handle_timeout(opened + 2 * interval, None),
        Tick::Beat
    );
    let lost = Tick::Lost {
        after: 2 * interval,
    };
    assert_eq!(pulse.handle_timeout(opened + 3 * interval, None), lost);
}

#[test]
fn what_is_released_is_what_the_oldest_items_hold() {
    let mut client = ClientSide::new(100, Bytes::new());
    for len in [10, 200, 3000] {
        client.recv_reply(ReplyKind::Stream, len);
    }
    assert_eq!(client.held_bytes(), 3210);
    assert_eq!(client.release(0), 0);
    assert_eq!(client.release(2), 210);
    assert_eq!(client.held_bytes(), 3000);
    assert_eq!(client.release(9), 3000);
    assert_eq!((client.release(1), client.held_bytes()), (0, 0));
}

#[test]
fn slots_beyond_the_usual_ones_open_for_four_mebibytes_at_most() {
    for (len, open) in [(4096, 1024), (8192, 512), (1 << 20, 100)] {
        let mut client = ClientSide::new(u32::MAX, Bytes::new());
        let mut reserved = 0;
        for _ in 0..10_000 {
            let progress = client.recv_reply(ReplyKind::Stream, len);
            assert_eq!(progress, Progress::Open);
            client.release(1);
            client.grant(1, usize::MAX, u32::MAX);
            reserved = reserved.max(client.reserved_bytes());
        }
        assert_eq!(reserved, open * len);
    }
}

#[expect(clippy::disallowed_methods, reason = "the origin of virtual time")]
fn now() -> Instant {
    Instant::now()
}

proptest! {
    /// A sender of either kind, additive as Python or absolute as Node, is never stalled for good
    /// and never holds more than the slots.
    #[test]
    fn window_serves_both_kinds_of_senders(slots in 1_u32..200, steps in prop::collection::vec(any::<bool>(), 0..2000)) {
        let mut window = ReceiveWindow::new(slots);
        let (mut additive, mut absolute) = (1_u32, 1_u32);
        let mut queued = 0_u32;
        for send in steps {
            if send && absolute > 0 {
                prop_assert!(additive > 0, "an absolute sender never has more than an additive one");
                prop_assert!(window.receive().is_some());
                (additive, absolute, queued) = (additive - 1, absolute - 1, queued + 1);
            } else if queued > 0 {
                queued -= 1;
                if let Some(grant) = window.consume(1, u32::MAX, u32::MAX) {
                    additive += grant.count();
                    absolute = grant.count();
                }
            }
            prop_assert!(additive + queued <= slots.max(1));
            prop_assert!(absolute > 0 || queued > 0, "nobody is stuck");
        }
    }
}
