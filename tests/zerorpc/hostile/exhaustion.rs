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

/// How many channels one peer tries to open.
const MILLION: u32 = 1_000_000;

fn framed(payload: &[u8]) -> Vec<u8> {
    message(&[b"", payload])
}

fn request(number: u32, method: &str, args: Vec<Value>) -> Vec<u8> {
    framed(&rpc::request(rpc::id(number), method, args))
}

/// Sends `octets` so many times, and goes on when the server does not take them for a while.
async fn push(peer: &mut RawPeer, octets: &[u8], times: u32) {
    let pushing = async {
        for _ in 0..times {
            if peer.send(octets).await.is_err() {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(5), pushing).await;
}

/// Returns the next event that is no heartbeat, and not the end of a call for want of one.
async fn recv_answer(peer: &mut RawPeer) -> RawEvent {
    loop {
        let event = rpc::recv(peer).await.unwrap();
        let is_lost = event.is("ERR") && event.args[0] == Value::from("LostRemote");
        if !event.is("_zpc_hb") && !is_lost {
            return event;
        }
    }
}

/// Nobody was harmed: little memory, no warning for an event that is dropped, no other word.
async fn assert_unharmed(victim: &mut Victim, what: &str, allowance: u64) {
    victim.assert_unharmed(what, allowance);
    victim.assert_warnings(what, 0).await;
}

#[tokio::test]
async fn hostile_nesting_and_claims_cost_their_own_length() {
    let mut victim = start("server").await;
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
    assert_unharmed(&mut victim, "hostile nesting", LITTLE).await;
}

#[tokio::test]
async fn ids_of_any_type_and_length_are_answered_or_dropped() {
    let mut victim = start("server").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    let ids = [
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
    // Ids that are accepted are accepted once: whoever comes again has given up the call before.
    assert!(healthy.held().await <= 3 * 8);
    assert_unharmed(&mut victim, "ids of any type", LITTLE).await;
}

// Q21: the last call of an id is the one that counts.
#[tokio::test]
async fn one_id_for_twenty_thousand_calls_is_one_call() {
    let mut victim = start("server").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    let block = request(1, "hold", vec![Value::from("x".repeat(1000))]).repeat(100);
    healthy.beside(push(&mut peer, &block, 200)).await;
    assert!(healthy.held().await <= 1);
    assert_unharmed(&mut victim, "one id for 20 000 calls", LITTLE).await;
}

#[tokio::test]
async fn a_million_channels_of_one_peer_are_sixteen_thousand() {
    let mut victim = start("server").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    let attack = async {
        let mut refused = 0_u64;
        for block in 0..MILLION / 1000 {
            let numbers = block * 1000..(block + 1) * 1000;
            let requests = numbers.flat_map(|number| request(number, "hold", vec![Value::Nil]));
            let octets: Vec<u8> = requests.collect();
            peer.send(&octets).await.unwrap();
            // The answers are read as they come, and each names a call that was not accepted.
            while let Ok(answers) = tokio::time::timeout(Duration::ZERO, peer.recv_some()).await {
                let answers = answers.unwrap();
                let name = b"LimitExceeded";
                let found = answers.windows(name.len()).filter(|text| text == name);
                refused += found.count() as u64;
            }
        }
        refused
    };
    let refused = healthy.beside(attack).await;
    assert!(refused > 0);
    assert!(healthy.held().await <= CHANNELS);
    assert_unharmed(&mut victim, "a million channels", 96 << 20).await;
}

#[tokio::test]
async fn a_flood_of_calls_whose_refusals_are_not_read_is_bounded() {
    let mut victim = start("server").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    let attack = async {
        for block in 0..100 {
            let numbers = block * 1000..(block + 1) * 1000;
            let requests = numbers.flat_map(|number| request(number, "nothing", vec![]));
            let octets: Vec<u8> = requests.collect();
            push(&mut peer, &octets, 1).await;
        }
    };
    healthy.beside(attack).await;
    assert_unharmed(&mut victim, "unread refusals", LITTLE).await;
}

// Q18: channels that heartbeats open have no request, and end without one.
#[tokio::test]
async fn channels_that_nothing_is_asked_on_are_bounded() {
    let mut victim = start("server").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    let attack = async {
        for block in 0..100 {
            let numbers = block * 1000..(block + 1) * 1000;
            let beats = numbers.flat_map(|number| {
                let header = rpc::header(rpc::id(number), None);
                framed(&rpc::event(header, "_zpc_hb", Value::Nil))
            });
            let octets: Vec<u8> = beats.collect();
            push(&mut peer, &octets, 1).await;
        }
    };
    healthy.beside(attack).await;
    assert_unharmed(&mut victim, "100 000 channels without a request", LITTLE).await;
}

// Q5, Q6, B2.
#[tokio::test]
async fn credit_that_overflows_or_is_negative_buys_nothing() {
    let mut victim = start("server").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    rpc::send(&mut peer, &rpc::request(rpc::id(1), "blobs", vec![]))
        .await
        .unwrap();
    let first = rpc::recv(&mut peer).await.unwrap();
    assert!(first.is("STREAM"), "{:?}", first.name);
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
    for grant in nothing {
        let args = Value::Array(vec![grant.clone()]);
        let payload = rpc::on_channel(&rpc::id(1), "_zpc_more", args);
        rpc::send(&mut peer, &payload).await.unwrap();
        let more = peer.recv_for(Duration::from_millis(50)).await.unwrap();
        // A heartbeat may come on a machine that has other things to do.
        let is_item = more.windows(6).any(|name| name == b"STREAM");
        assert!(!is_item, "{grant} bought {} octets", more.len());
    }
    // What is too much is cut, and whoever does not read what it bought is waited for.
    let flood: Vec<u8> = [u64::MAX, 1 << 63, u64::from(u32::MAX), 1 << 20]
        .into_iter()
        .flat_map(|grant| {
            let args = Value::Array(vec![Value::from(grant)]);
            framed(&rpc::on_channel(&rpc::id(1), "_zpc_more", args))
        })
        .collect();
    healthy.beside(push(&mut peer, &flood, 1000)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    healthy.call().await;
    assert_unharmed(&mut victim, "credit without end", LITTLE).await;
}

#[tokio::test]
async fn streams_that_are_never_read_wait() {
    let mut victim = start("server").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    let credit = Value::Array(vec![Value::from(1 << 20)]);
    let streams: Vec<u8> = (0..200)
        .flat_map(|number| {
            let grant = rpc::on_channel(&rpc::id(number), "_zpc_more", credit.clone());
            [request(number, "blobs", vec![]), framed(&grant)].concat()
        })
        .collect();
    let attack = async {
        peer.send(&streams).await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
    };
    healthy.beside(attack).await;
    // A handler is ahead by 256 KiB.
    assert_unharmed(&mut victim, "200 streams that are never read", 160 << 20).await;
}

#[tokio::test]
async fn replies_that_are_never_read_hold_further_calls_back() {
    let mut victim = start("server").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    let calls: Vec<u8> = (0..4000)
        .flat_map(|number| request(number, "blob", vec![]))
        .collect();
    let attack = async {
        push(&mut peer, &calls, 1).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    };
    healthy.beside(attack).await;
    // Were all of them served, it would hold 400 MB.
    assert_unharmed(
        &mut victim,
        "4000 replies of 100 KiB that are never read",
        128 << 20,
    )
    .await;
}

#[tokio::test]
async fn arguments_that_expand_are_charged_for_what_they_become() {
    let mut victim = start("limited").await;
    let mut healthy = Healthy::connect(&victim).await;
    let mut peer = raw(&victim).await;
    let attack = async {
        let mut refused = 0;
        // A mebibyte of nils becomes more than thirty times as much.
        for number in 0..30 {
            let head = rpc::encode(&rpc::header(rpc::id(number), None));
            let nils = [&[0x91, 0xdd, 0, 0x10, 0, 0][..], &[0xc0; 1 << 20]].concat();
            let payload = [&[0x93], &head[..], b"\xa4hold", &nils].concat();
            peer.send(&framed(&payload)).await.unwrap();
            let add = request(1000 + number, "add", vec![Value::from(1), Value::from(1)]);
            peer.send(&add).await.unwrap();
            let mut answer = recv_answer(&mut peer).await;
            if answer.entry("response_to") == Some(&rpc::id(number)) {
                assert!(answer.is("ERR"), "{:?}", answer.name);
                assert_eq!(answer.args[0], Value::from("LimitExceeded"));
                refused += 1;
                answer = recv_answer(&mut peer).await;
            }
            assert!(answer.is("OK"), "{answer:?}");
        }
        refused
    };
    let refused = healthy.beside(attack).await;
    // On a slow machine one or two are lost, and make room.
    assert!(refused >= 20, "{refused} of 30 were refused");
    let allowance = RECEIVED as u64 * 2 + LITTLE;
    assert_unharmed(&mut victim, "30 MiB of nils", allowance).await;
}

#[tokio::test]
async fn floods_of_what_is_for_nobody_make_nothing_grow() {
    let mut victim = start("server").await;
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
    healthy.beside(push(&mut peer, &block, 200)).await;
    assert_unharmed(&mut victim, "80 000 events for nobody", LITTLE).await;
}

/// Whoever connects, asks and goes again leaves nothing.
#[tokio::test]
async fn clients_that_come_ask_and_go_leave_nothing() {
    let mut victim = start("server").await;
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
    assert_unharmed(&mut victim, "200 clients that leave 50 calls each", LITTLE).await;
}
