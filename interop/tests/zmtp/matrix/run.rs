//! Runs the matrix.

use std::fs;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use interop::{Failure, Peer, Program, Python, TestResult, python_of_version};
use serde_json::json;
use tokio::time::timeout;

use super::cell::{Cell, PAIRS, PASSWORD, Security, Transport, USERNAME};
use super::exchange::{self, SHAPES};
use super::life::Link;
use super::report::{self, Report};
use crate::support::{Binder, python};

/// No cell takes longer, not even on a busy machine.
const CELL_DEADLINE: Duration = Duration::from_secs(120);

/// What is exchanged after one side was replaced.
const SHAPES_AFTER: &[&[usize]] = &[&[1], &[0, 300]];

/// ZMTP31-098, ZMTP31-104.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "the table is what the run is for")]
async fn every_legal_pair_talks_to_libzmq() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let (report, libzmq) = run_all(python).await?;
    let page = report.render();
    println!("{page}\nThis was libzmq {libzmq}.");
    assert!(report.failures().is_empty(), "{:#?}", report.failures());
    if std::env::var_os("CONFORMANCE").is_some_and(|value| value == "write") {
        fs::write(report::page(), page)?;
    } else {
        let current = fs::read_to_string(report::page())?;
        assert_eq!(
            current, page,
            "CONFORMANCE=write brings docs/interop.md up to date"
        );
    }
    Ok(())
}

/// INT-052: what is pinned for Python 2.7 brings a libzmq of 2019.
#[tokio::test]
async fn every_legal_pair_talks_to_an_older_libzmq() -> TestResult {
    let made = tokio::task::spawn_blocking(|| python_of_version("2.7")).await?;
    let Some(python) = made? else {
        return Ok(());
    };
    let (report, libzmq) = run_all(python).await?;
    assert_eq!(libzmq, "4.3.2");
    assert!(report.failures().is_empty(), "{:#?}", report.failures());
    Ok(())
}

/// How large a message may be that goes through every pair of sockets.
const LARGEST: usize = 64 << 20;

#[tokio::test]
async fn the_largest_messages_go_both_ways() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut peer = start(python).await?;
    for (index, pair) in PAIRS.iter().enumerate() {
        let cell = Cell {
            pair: *pair,
            binder: [Binder::We, Binder::Libzmq][index % 2],
            security: Security::Null,
            transport: Transport::ALL[index / 2 % 2],
        };
        exchange_large(&cell, &mut peer).await?;
        if ["PUSH", "PULL"].contains(&pair.ours) {
            for security in [Security::PlainServer, Security::CurveServer] {
                exchange_large(&Cell { security, ..cell }, &mut peer).await?;
            }
        }
    }
    Ok(())
}

async fn exchange_large(cell: &Cell, peer: &mut Peer) -> TestResult {
    let mut link = Link::new(cell, peer).await?;
    let large: &[&[usize]] = &[&[LARGEST], &[1, 1 << 20, 0]];
    exchange::run(cell, &mut link.ours, peer, large).await?;
    link.close(peer).await
}

/// Runs every cell, and tells which libzmq that was.
async fn run_all(python: &Python) -> Result<(Report, String), Failure> {
    let mut peer = start(python).await?;
    let mut report = Report::default();
    for cell in Cell::all() {
        let failure = run_guarded(&cell, &mut peer).await;
        if failure.is_some() {
            // Whatever state the process is in, the next cell shall not suffer.
            peer = start(python).await?;
        }
        report.add(&cell, failure);
    }
    let libzmq = peer.facts()["libzmq"].as_str().unwrap_or_default();
    Ok((report, libzmq.to_owned()))
}

/// Starts a process of libzmq with an authenticator that knows our user.
async fn start(python: &Python) -> Result<Peer, Failure> {
    let mut peer = Peer::start(python, Program::Zmq, json!({})).await?;
    peer.request(json!({"op": "authenticate", "users": {USERNAME: PASSWORD}}))
        .await?;
    Ok(peer)
}

/// Runs a cell and returns what went wrong.
async fn run_guarded(cell: &Cell, peer: &mut Peer) -> Option<String> {
    let guarded = AssertUnwindSafe(timeout(CELL_DEADLINE, run_cell(cell, peer))).catch_unwind();
    match guarded.await {
        Ok(Ok(Ok(()))) => None,
        Ok(Ok(Err(failure))) => Some(format!("{failure:?}")),
        Ok(Err(_)) => Some(String::from("it did not end")),
        Err(_) => Some(String::from("an assertion failed; see above")),
    }
}

async fn run_cell(cell: &Cell, peer: &mut Peer) -> Result<(), Failure> {
    let mut link = Link::new(cell, peer).await?;
    exchange::run(cell, &mut link.ours, peer, SHAPES).await?;
    if cell.security == Security::Null && cell.transport == Transport::Tcp {
        link.replace_theirs(cell, peer).await?;
        exchange::run(cell, &mut link.ours, peer, SHAPES_AFTER).await?;
        link.replace_ours(cell, peer).await?;
        exchange::run(cell, &mut link.ours, peer, SHAPES_AFTER).await?;
    }
    link.close(peer).await
}
