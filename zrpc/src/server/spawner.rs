//! Starts handlers on the runtime that the server was made on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::yield_now;

use super::hooked;
use super::run::{Job, run_first_turn, run_task, run_thread};
use crate::io::{QueueReceiver, queue};
use crate::service::Handler;
use crate::sync::{Handle, has_budget_remaining, has_one_thread};

/// Starts handlers, in the order in which they are given.
///
/// To start a task on the runtime of another thread is a system call. From there, jobs are handed to
/// a task which does that: it is woken once for all that come together.
#[derive(Debug)]
pub(super) enum Spawner {
    /// The I/O task runs on the same runtime.
    Local(Handle),
    /// The I/O task has a thread of its own.
    Remote(mpsc::UnboundedSender<Job>),
}

/// How many jobs are taken from the queue at once.
const BATCH: usize = 64;

/// For how long handlers have their first turns before timers, sockets and other tasks of the runtime
/// get theirs. One that takes longer is the last: no task can be stopped within a turn.
const FIRST_TURNS: Duration = Duration::from_millis(1);

/// Where a handler that is a task has its first turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FirstTurn {
    /// In a task of its own: there are threads that may run it beside others.
    InTask,
    /// At once. One thread runs everything, and most handlers never wait: they are done before there
    /// would have been a task for them.
    AtOnce,
}

impl Spawner {
    /// Returns what starts handlers on `runtime` from any thread.
    pub(super) fn remote(runtime: &Handle) -> Self {
        let (sender, receiver) = queue();
        runtime.spawn(start_all(receiver, runtime.clone()));
        Self::Remote(sender)
    }

    /// Starts the handler of a call.
    pub(super) fn start(&self, job: Job) {
        match self {
            // A handler that works for long shall not hold up the heartbeats.
            Self::Local(runtime) => start(job, runtime, FirstTurn::InTask),
            // Where the runtime is gone the job is dropped, which answers the call.
            Self::Remote(jobs) => drop(jobs.send(job)),
        }
    }
}

async fn start_all(mut jobs: QueueReceiver<Job>, runtime: Handle) {
    let first_turn = FirstTurn::on(&runtime);
    let mut batch = Vec::with_capacity(BATCH);
    let mut worked = Duration::ZERO;
    while jobs.recv_many(&mut batch, BATCH).await > 0 {
        let mut since = Instant::now();
        for job in batch.drain(..) {
            start_contained(job, &runtime, first_turn);
            if first_turn == FirstTurn::InTask {
                continue;
            }
            // Whether this task has waited meanwhile does not matter: to yield is a system call, which
            // is little once in a while.
            let now = Instant::now();
            worked = worked.saturating_add(now.saturating_duration_since(since));
            since = now;
            if worked >= FIRST_TURNS {
                yield_now().await;
                worked = Duration::ZERO;
                since = Instant::now();
            }
        }
    }
}

/// Starts a handler. Whatever panics takes its own call along, and not the task that starts the
/// others: the panic of a handler is caught where it runs, but its payload may panic again when it is
/// dropped, and so may whoever is told of it.
fn start_contained(job: Job, runtime: &Handle, first_turn: FirstTurn) {
    // The responder went with the job, and has answered.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| start(job, runtime, first_turn))) {
        std::mem::forget(payload);
    }
}

impl FirstTurn {
    fn on(runtime: &Handle) -> Self {
        if has_one_thread(runtime) {
            Self::AtOnce
        } else {
            Self::InTask
        }
    }
}

fn start(mut job: Job, runtime: &Handle, first_turn: FirstTurn) {
    if job.is_abandoned() {
        return;
    }
    let state = Arc::clone(&job.state);
    let task = match (job.method.handler().clone(), job.hooks.take()) {
        // What has used up its turn is told to wait, whatever it waits for.
        (Handler::Task(handler), None)
            if first_turn == FirstTurn::AtOnce && has_budget_remaining() =>
        {
            match run_first_turn(job, &*handler) {
                Some(rest) => runtime.spawn(rest),
                None => return,
            }
        }
        (Handler::Task(handler), None) => runtime.spawn(run_task(job, handler)),
        (Handler::Task(handler), Some(hooks)) => {
            runtime.spawn(hooked::run_task(job, *hooks, Some(handler)))
        }
        (Handler::Missing, Some(hooks)) => runtime.spawn(hooked::run_task(job, *hooks, None)),
        // Without hooks nobody is told of unknown methods but their caller.
        (Handler::Missing, None) => return,
        (Handler::Thread(handler), hooks) => {
            let waits_on = runtime.clone();
            // Starting a thread may fail with a panic, which must reach neither the I/O task nor
            // the handlers behind this one.
            runtime.spawn(async move {
                let starts = waits_on.clone();
                starts.spawn_blocking(move || match hooks {
                    None => run_thread(job, &*handler, &waits_on),
                    Some(hooks) => hooked::run_thread(job, *hooks, &*handler, &waits_on),
                });
            });
            return;
        }
    };
    state.started(task.abort_handle());
}
