//! Clients that try to exhaust a server.

use std::time::Duration;

use rmpv::Value;
use tests::bytes::message;
use tests::raw_peer::RawPeer;
use tests::rpc::{self, RawEvent};
use tests::victim::Victim;

use super::victim::{Healthy, LITTLE, RECEIVED, raw, start};

/// The most calls that one peer may have open.
const CHANNELS: u64 = 16_384;

/// For how long an answer is waited for before the server is asked again.
const ASKING: Duration = Duration::from_secs(5);

/// The most items of 10 KiB that the kernel takes for one peer that does not read.
const AHEAD: u64 = 3000;

/// How many channels one peer tries to open; a million with `HOSTILE=full`.
fn flood() -> u32 {
    let full = std::env::var_os("HOSTILE").is_some_and(|value| value == "full");
    if full { 1_000_000 } else { 100_000 }
}

fn framed(payload: &[u8]) -> Vec<u8> {
    message(&[b"", payload])
}

fn request(number: u32, method: &str, args: Vec<Value>) -> Vec<u8> {
    framed(&rpc::request(rpc::id(number), method, args))
}

/// Sends `octets` so many times, all of which the server takes.
async fn push(peer: &mut RawPeer, octets: &[u8], times: u32) {
    for time in 0..times {
        let sent = peer.send(octets).await;
        assert!(sent.is_ok(), "{sent:?} after {time} of {times} times");
    }
}

/// Makes a last call, and returns what was sent before its answer, and that. By then the server has
/// read all that it was sent.
async fn call_at_last(peer: &mut RawPeer) -> (Vec<RawEvent>, RawEvent) {
    let last = u32::MAX;
    let call = request(last, "add", vec![Value::from(1), Value::from(1)]);
    peer.send(&call).await.unwrap();
    let mut before = Vec::new();
    loop {
        let event = rpc::recv(peer).await.unwrap();
        if event.entry("response_to") == Some(&rpc::id(last)) {
            return (before, event);
        }
        before.push(event);
    }
}

/// Makes a last call, reads octets until its result has come, and returns how often one of `names` was
/// among them. By then all that was sent before has its answer, unless that was dropped; if it was
/// this one, the call is made again. What comes next may begin within a message.
async fn count_until_answered(peer: &mut RawPeer, names: &[&str]) -> usize {
    let mut octets = Vec::new();
    // No other id of a test is so high, and each call has one of its own.
    for last in (u32::MAX - 10..u32::MAX).rev() {
        let call = request(last, "add", vec![Value::from(1), Value::from(1)]);
        peer.send(&call).await.unwrap();
        let id = rpc::encode(&rpc::id(last));
        let mut searched = octets.len();
        let answered = tokio::time::timeout(ASKING, async {
            loop {
                octets.extend(peer.recv_some().await.unwrap());
                let new = octets.get(searched..).unwrap_or_default();
                let at = new.windows(id.len()).position(|text| text == id);
                let answer = at.map_or(&[][..], |at| &new[at..]);
                if answer.windows(2).any(|text| text == b"OK") {
                    return;
                }
                // The answer is shorter than this, and may have come in pieces.
                searched = searched.max(octets.len().saturating_sub(1000));
            }
        });
        if answered.await.is_ok() {
            let found = names.iter().map(|name| {
                let windows = octets.windows(name.len());
                windows.filter(|text| *text == name.as_bytes()).count()
            });
            return found.sum();
        }
    }
    panic!("no call has its result");
}

/// As [`call_at_last`], and the call is answered.
async fn until_all_is_read(peer: &mut RawPeer) -> Vec<RawEvent> {
    let (before, answer) = call_at_last(peer).await;
    assert!(answer.is("OK"), "{answer:?}");
    before
}

fn count(events: &[RawEvent], name: &str) -> usize {
    events.iter().filter(|event| event.is(name)).count()
}

/// Nobody was harmed: little memory, no warning for an event that is dropped, no other word.
async fn conclude(victim: Victim, healthy: Healthy, what: &str, memory: u64) {
    victim.conclude(what, memory, 0, healthy).await;
}

#[tokio::test]
async fn hostile_nesting_and_claims_cost_their_own_length() {
    let victim = start("server").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    let head = rpc::encode(&rpc::header(rpc::id(1), None));
    let with_args = |args: &[u8]| framed(&[&[0x93], &head[..], b"\xa4echo", args].concat());
    let payloads = [
        // A million arrays, one in the other; maps; and within the header.
        with_args(&[0x91; 1_000_000]),
        with_args(&[0x81; 1_000_000]),
        framed(&[&[0x93, 0x81, 0xa1, b'x'], &[0x91; 60_000][..]].concat()),
        // What claims more than there is.
        with_args(&[0xdd, 0xff, 0xff, 0xff, 0xff]),
        with_args(&[0xdf, 0xff, 0xff, 0xff, 0xff]),
        with_args(&[0xc6, 0xff, 0xff, 0xff, 0xff, 0]),
        with_args(&[0xc9, 0xff, 0xff, 0xff, 0xff, 0]),
        framed(&[0xdd, 0xff, 0xff, 0xff, 0xff]),
        framed(&[0x93, 0xdf, 0xff, 0xff, 0xff, 0xff]),
        // As deep as may be, and one deeper.
        with_args(&[&[0x91; 500][..], &[0xc0]].concat()),
        with_args(&[&[0x91; 513][..], &[0xc0]].concat()),
        // Names that would write lines of their own into a log, or fill it.
        request(2, "A\n\u{1b}[2JWARN forged", vec![]),
        request(3, &"long".repeat(100_000), vec![]),
    ];
    for payload in &payloads {
        healthy.beside(push(&mut peer, payload, 10)).await;
    }
    // Too deep to be decoded here.
    let answered = healthy.beside(count_until_answered(
        &mut peer,
        &["ProtocolError", "NameError"],
    ));
    // All payloads but those without an id are requests.
    assert!(answered.await > 0);
    conclude(victim, healthy, "hostile nesting", LITTLE).await;
}

#[tokio::test]
async fn ids_of_any_type_and_length_are_answered_or_dropped() {
    let victim = start("patient").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    // As long as may be, and one octet longer, with the two octets of their heads.
    let longest = Value::Binary(vec![b'i'; 254]);
    let too_long = Value::Binary(vec![b'i'; 255]);
    assert_eq!(rpc::encode(&longest).len(), 256);
    assert_eq!(rpc::encode(&too_long).len(), 257);
    let ids = [
        longest,
        too_long,
        Value::Nil,
        Value::from(true),
        Value::from(f64::NAN),
        Value::from(u64::MAX),
        Value::Array(vec![Value::Array(vec![]); 20]),
        Value::Map(vec![(Value::Nil, Value::Nil)]),
        Value::Ext(-1, vec![0; 60]),
        Value::from("x".repeat(60_000)),
        Value::Binary(vec![0; 10_000_000]),
    ];
    for id in ids {
        let opening = rpc::event(
            rpc::header(id.clone(), None),
            "hold",
            Value::Array(vec![Value::Nil]),
        );
        let on_it = rpc::on_channel(&id, "OK", Value::Nil);
        let octets = [framed(&opening), framed(&on_it)].concat();
        healthy.beside(push(&mut peer, &octets, 3)).await;
    }
    healthy.beside(until_all_is_read(&mut peer)).await;
    // All but nil, which is none, and the three that are too long; each once, because whoever comes
    // again has given up the call before.
    healthy.until_counted("held", 7).await;
    conclude(victim, healthy, "ids of any type", 32 << 20).await;
}

// Q21: the last call of an id is the one that counts.
#[tokio::test]
async fn one_id_for_twenty_thousand_calls_is_one_call() {
    let victim = start("patient").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    let block = request(1, "hold", vec![Value::from("x".repeat(1000))]).repeat(100);
    healthy.beside(push(&mut peer, &block, 200)).await;
    healthy.beside(until_all_is_read(&mut peer)).await;
    healthy.until_counted("held", 1).await;
    conclude(victim, healthy, "one id for 20 000 calls", LITTLE).await;
}

#[tokio::test]
async fn a_flood_of_channels_of_one_peer_is_sixteen_thousand() {
    let victim = start("patient").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    let mut refused = 0;
    let attack = async {
        for block in 0..flood() / 1000 {
            let numbers = block * 1000..(block + 1) * 1000;
            let requests = numbers.flat_map(|number| request(number, "hold", vec![Value::Nil]));
            let octets: Vec<u8> = requests.collect();
            peer.send(&octets).await.unwrap();
            // Each of the others is refused by name.
            let sent = u64::from(block + 1) * 1000;
            while refused < sent.saturating_sub(CHANNELS) {
                let answer = rpc::recv(&mut peer).await.unwrap();
                assert_eq!(answer.args[0], Value::from("LimitExceeded"));
                refused += 1;
            }
        }
    };
    healthy.beside(attack).await;
    assert_eq!(refused, u64::from(flood()) - CHANNELS);
    healthy.until_counted("held", CHANNELS).await;
    conclude(victim, healthy, "a flood of channels", 80 << 20).await;
}

#[tokio::test]
async fn a_flood_of_calls_whose_refusals_are_not_read_is_bounded() {
    // More than the kernel takes for a peer that does not read, and the limits beyond that.
    const CALLS: u32 = 200_000;
    let victim = start("server").await;
    let mut healthy = Healthy::connect(&victim).await;
    let peer = RawPeer::connect_with_buffer(victim.address(), 4096).await;
    let mut peer = peer.unwrap();
    peer.handshake("DEALER").await.unwrap();
    let attack = async {
        for block in 0..CALLS / 1000 {
            let numbers = block * 1000..(block + 1) * 1000;
            let requests = numbers.flat_map(|number| request(number, "nothing", vec![]));
            let octets: Vec<u8> = requests.collect();
            push(&mut peer, &octets, 1).await;
        }
        count_until_answered(&mut peer, &["NameError", "LimitExceeded"]).await
    };
    let told = healthy.beside(attack).await;
    assert!(told > 0);
    assert!(told < CALLS as usize, "all of them were kept");
    // As many calls as may be are held back, and twice as many refusals wait.
    conclude(victim, healthy, "unread refusals", 32 << 20).await;
}

// Q18: channels that heartbeats open have no request, and end without one.
#[tokio::test]
async fn channels_that_nothing_is_asked_on_are_bounded() {
    let victim = start("patient").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    let attack = async {
        for block in 0..40 {
            let numbers = block * 1000..(block + 1) * 1000;
            let beats = numbers.flat_map(|number| {
                let header = rpc::header(rpc::id(number), None);
                framed(&rpc::event(header, "_zpc_hb", Value::Nil))
            });
            let octets: Vec<u8> = beats.collect();
            push(&mut peer, &octets, 1).await;
        }
        call_at_last(&mut peer).await
    };
    // As many as may be are open, so that there is none for a call.
    let (_, answer) = healthy.beside(attack).await;
    assert_eq!(answer.args[0], Value::from("LimitExceeded"), "{answer:?}");
    conclude(
        victim,
        healthy,
        "40 000 channels without a request",
        32 << 20,
    )
    .await;
}

// B19, Q18: a request has three heartbeats to come, however lively its channel is.
#[tokio::test]
async fn channels_without_a_request_end_after_three_heartbeats() {
    const CHANNELS: u32 = 200;
    let victim = start("brisk").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    let held = CHANNELS;
    let mut octets = request(held, "hold", vec![Value::Nil]);
    for number in 0..CHANNELS {
        let header = rpc::header(rpc::id(number), None);
        octets.extend(framed(&rpc::event(header, "_zpc_hb", Value::Nil)));
    }
    let beats: Vec<u8> = (0..=CHANNELS)
        .flat_map(|number| framed(&rpc::on_channel(&rpc::id(number), "_zpc_hb", Value::Nil)))
        .collect();
    let mut heard = vec![0_u32; CHANNELS as usize + 1];
    let attack = async {
        push(&mut peer, &octets, 1).await;
        // A channel that ends is silent, and that of the call goes on. None of them can have more
        // heartbeats than it has intervals, so that it does not matter how long this takes.
        while heard[held as usize] < 7 {
            let event = rpc::recv(&mut peer).await.unwrap();
            assert!(event.is("_zpc_hb"), "{event:?}");
            let number =
                (0..=held).find(|number| event.entry("response_to") == Some(&rpc::id(*number)));
            let number = number.expect("a channel that was opened");
            heard[number as usize] += 1;
            if number == held {
                push(&mut peer, &beats, 1).await;
            }
        }
        // And there is room for calls.
        until_all_is_read(&mut peer).await
    };
    healthy.beside(attack).await;
    let most = heard[..held as usize].iter().max();
    // One when it opens, and one for each interval, of which the last ends with the channel, and another
    // may be late.
    let range = Some(&2)..=Some(&4);
    assert!(range.contains(&most), "{most:?} heartbeats");
    healthy.until_counted("held", 1).await;
    let what = "200 channels that wait for their request";
    conclude(victim, healthy, what, LITTLE).await;
}

// Q5, Q6, B2.
#[tokio::test]
async fn credit_that_overflows_or_is_negative_buys_nothing() {
    let victim = start("patient").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    rpc::send(&mut peer, &rpc::request(rpc::id(1), "blobs", vec![]))
        .await
        .unwrap();
    let first = rpc::recv(&mut peer).await.unwrap();
    assert!(first.is("STREAM"), "{:?}", first.name);
    let grant = |amount: Value| {
        let args = Value::Array(vec![amount]);
        framed(&rpc::on_channel(&rpc::id(1), "_zpc_more", args))
    };
    let nothing = [
        Value::from(-1),
        Value::from(i64::MIN),
        Value::from(-1e300),
        Value::from(f64::NAN),
        Value::from("-9223372036854775808"),
        Value::from("99999999999999999999999999"),
        Value::Nil,
        Value::Array(vec![Value::from(1); 1000]),
    ];
    for amount in nothing {
        peer.send(&grant(amount.clone())).await.unwrap();
        let events = until_all_is_read(&mut peer).await;
        assert_eq!(count(&events, "STREAM"), 0, "bought with {amount}");
    }
    // What is honest buys what it says, and nothing came late of what was bought before.
    peer.send(&grant(Value::from(2))).await.unwrap();
    for _ in 0..2 {
        assert!(rpc::recv(&mut peer).await.unwrap().is("STREAM"));
    }
    let events = until_all_is_read(&mut peer).await;
    assert_eq!(count(&events, "STREAM"), 0, "more than was bought");
    // What is too much is cut, and whoever does not read what it bought is waited for.
    let flood: Vec<u8> = [u64::MAX, 1 << 63, u64::from(u32::MAX), 1 << 20]
        .into_iter()
        .flat_map(|amount| grant(Value::from(amount)))
        .collect();
    let observer = Healthy::connect(&victim).await;
    let attack = async {
        push(&mut peer, &flood, 1000).await;
        observer.counted_at_rest("items").await
    };
    let items = healthy.beside(attack).await;
    assert!((4..AHEAD + 30).contains(&items), "{items} items");
    conclude(victim, healthy, "credit without end", LITTLE).await;
}

#[tokio::test]
async fn streams_that_are_never_read_wait() {
    const STREAMS: u64 = 200;
    let victim = start("patient").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    let credit = Value::Array(vec![Value::from(1 << 20)]);
    let streams: Vec<u8> = (0..200)
        .flat_map(|number| request(number, "blobs", vec![]))
        .collect();
    let grants: Vec<u8> = (0..200)
        .flat_map(|number| {
            let grant = rpc::on_channel(&rpc::id(number), "_zpc_more", credit.clone());
            framed(&grant)
        })
        .collect();
    let observer = Healthy::connect(&victim).await;
    let attack = async {
        // Calls behind items that nobody takes are held back, so that all of them come first.
        peer.send(&streams).await.unwrap();
        observer.until_counted("streams", STREAMS).await;
        peer.send(&grants).await.unwrap();
        observer.counted_at_rest("items").await
    };
    let items = healthy.beside(attack).await;
    // A handler is ahead by 256 KiB.
    let expected = STREAMS..STREAMS * 30 + AHEAD;
    assert!(expected.contains(&items), "{items} items");
    conclude(
        victim,
        healthy,
        "200 streams that are never read",
        110 << 20,
    )
    .await;
}

#[tokio::test]
async fn replies_that_are_never_read_hold_further_calls_back() {
    let victim = start("server").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    let observer = Healthy::connect(&victim).await;
    let attack = async {
        let mut replies = 0;
        // Calls that are handed out before there are replies nobody can hold back: how many of them
        // there are is a matter of speed, so that they come in lots of 40 MB.
        for lot in 0..10 {
            let numbers = lot * 400..(lot + 1) * 400;
            let calls: Vec<u8> = numbers
                .flat_map(|number| request(number, "blob", vec![]))
                .collect();
            push(&mut peer, &calls, 1).await;
            replies = observer.counted_at_rest("replies").await;
        }
        replies
    };
    let replies = healthy.beside(attack).await;
    assert!((1..2000).contains(&replies), "{replies} replies");
    // Were all of them served, it would hold 400 MB.
    conclude(
        victim,
        healthy,
        "4000 replies of 100 KiB that are never read",
        128 << 20,
    )
    .await;
}

#[tokio::test]
async fn arguments_that_expand_are_charged_for_what_they_become() {
    const TIMES: u32 = 12;
    // Each is charged 32 MiB, less a thousand values.
    const HELD: u32 = 2;
    let victim = start("limited").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    let attack = async {
        let mut refused = 0;
        // A mebibyte of nils becomes more than thirty times as much.
        for number in 0..TIMES {
            let head = rpc::encode(&rpc::header(rpc::id(number), None));
            let nils = [&[0x91, 0xdd, 0, 0x10, 0, 0][..], &[0xc0; 1 << 20]].concat();
            let payload = [&[0x93], &head[..], b"\xa4hold", &nils].concat();
            peer.send(&framed(&payload)).await.unwrap();
            let add = request(1000 + number, "add", vec![Value::from(1), Value::from(1)]);
            peer.send(&add).await.unwrap();
            let mut answer = rpc::recv(&mut peer).await.unwrap();
            if answer.entry("response_to") == Some(&rpc::id(number)) {
                assert!(answer.is("ERR"), "{:?}", answer.name);
                assert_eq!(answer.args[0], Value::from("LimitExceeded"));
                refused += 1;
                answer = rpc::recv(&mut peer).await.unwrap();
            }
            assert!(answer.is("OK"), "{answer:?}");
        }
        refused
    };
    let refused = healthy.beside(attack).await;
    assert_eq!(refused, TIMES - HELD, "two have room");
    healthy.until_counted("held", HELD.into()).await;
    let allowance = RECEIVED as u64 * 2 + LITTLE;
    conclude(victim, healthy, "12 MiB of nils", allowance).await;
}

#[tokio::test]
async fn floods_of_what_is_for_nobody_make_nothing_grow() {
    let victim = start("server").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    let stray = [
        rpc::on_channel(&rpc::id(9), "OK", Value::Nil),
        rpc::on_channel(&rpc::id(9), "STREAM", Value::Nil),
        rpc::on_channel(&rpc::id(9), "_zpc_more", Value::Array(vec![Value::from(1)])),
        rpc::on_channel(&rpc::id(9), "_zpc_hb", Value::Nil),
        rpc::on_channel(&rpc::id(9), "_zpc_cancel", Value::Nil),
        b"no event".to_vec(),
    ];
    let mut block: Vec<u8> = stray.iter().flat_map(|payload| framed(payload)).collect();
    // Envelopes of others, without end and without a payload.
    block.extend(message(&[b"hop", b"", b"no event"]));
    block.extend(message(&vec![&b"hop"[..]; 100]));
    let block = block.repeat(50);
    let attack = async {
        push(&mut peer, &block, 200).await;
        until_all_is_read(&mut peer).await
    };
    let answers = healthy.beside(attack).await;
    assert_eq!(answers.len(), 0, "{:?}", answers.first());
    conclude(victim, healthy, "80 000 events for nobody", LITTLE).await;
}

/// Whoever connects, asks and goes again leaves nothing.
#[tokio::test]
async fn clients_that_come_ask_and_go_leave_nothing() {
    let victim = start("patient").await;
    let mut healthy = Healthy::connect(&victim).await;
    let calls: Vec<u8> = (0..50)
        .flat_map(|number| request(number, "hold", vec![Value::from("x".repeat(10_000))]))
        .collect();
    let attack = async {
        for _ in 0..200 {
            let mut peer = raw(&victim).await;
            peer.send(&calls).await.unwrap();
            peer.finish().await.unwrap();
            peer.recv_until_closed().await.unwrap();
        }
    };
    healthy.beside(attack).await;
    assert!(healthy.counted("calls").await > 0);
    healthy.until_counted("held", 0).await;
    conclude(
        victim,
        healthy,
        "200 clients that leave 50 calls each",
        LITTLE,
    )
    .await;
}
