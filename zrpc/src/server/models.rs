//! What a call and its handler share, under a scheduler that tries many interleavings: see
//! [`models`](crate::models).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use proto::Body;

use super::state::{CallState, Origin, UNITS};
use crate::models::{Tasks, explore};

fn shared() -> Arc<CallState> {
    Arc::new(CallState::new(Origin::default()))
}

async fn cancellation() {
    let state = shared();
    let mut tasks = Tasks::default();
    for _ in 0..2 {
        let state = Arc::clone(&state);
        tasks.spawn(async move {
            state.cancelled().await;
            assert!(state.is_cancelled());
        });
    }
    state.cancel();
    tasks.join().await;
}

#[test]
fn whoever_waits_for_the_end_of_the_caller_hears_of_it() {
    explore(cancellation);
}

async fn start() {
    let state = shared();
    let handler = shuttle::future::spawn(std::future::pending::<()>());
    let mut tasks = Tasks::default();
    let cancelled = Arc::clone(&state);
    tasks.spawn(async move { cancelled.cancel() });
    state.started(handler.abort_handle());
    assert!(handler.await.is_err());
    tasks.join().await;
}

#[test]
fn a_handler_that_starts_while_the_caller_leaves_is_stopped() {
    explore(start);
}

/// Two handlers give items, of which each release gives back one or all.
async fn window() {
    let state = shared();
    let ahead = Arc::new(AtomicU32::new(0));
    let (sender, mut items) = tokio::sync::mpsc::unbounded_channel();
    let mut tasks = Tasks::default();
    for _ in 0..2 {
        let (state, ahead, sender) = (Arc::clone(&state), Arc::clone(&ahead), sender.clone());
        tasks.spawn(async move {
            let item = Body::value(&"x").unwrap();
            for _ in 0..3 {
                let cost = state.reserve(&item).await.unwrap();
                let before = ahead.fetch_add(cost, Ordering::Relaxed);
                assert!(before + cost <= UNITS);
                sender.send(cost).unwrap();
            }
        });
    }
    drop(sender);
    let mut released = 0;
    while let Some(cost) = items.recv().await {
        let more = items.try_recv().unwrap_or_default();
        ahead.fetch_sub(cost + more, Ordering::Relaxed);
        state.release(cost + more);
        released += cost + more;
    }
    assert_eq!(released, 6);
    tasks.join().await;
}

#[test]
fn a_window_lets_no_more_through_than_it_has_and_wakes_who_waits() {
    explore(window);
}

async fn closed_window() {
    let state = shared();
    let mut tasks = Tasks::default();
    for _ in 0..2 {
        let state = Arc::clone(&state);
        tasks.spawn(async move {
            let item = Body::value(&"x").unwrap();
            while state.reserve(&item).await.is_ok() {}
        });
    }
    state.release(1);
    state.cancel();
    tasks.join().await;
}

#[test]
fn who_waits_for_room_learns_that_the_caller_is_gone() {
    explore(closed_window);
}
