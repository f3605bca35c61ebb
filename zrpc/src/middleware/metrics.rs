//! Numbers for the `metrics` facade.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::{
    CallOutcome, ClientRequest, HeaderEntries, HookFuture, Middleware, ServerReply, ServerRequest,
    TaskContext,
};
use crate::{Fault, Stats};

/// Counts and times calls, on both sides, with the [`metrics`](https://docs.rs/metrics) facade.
///
/// Whoever installs a recorder there gets these numbers. `method` is the name of the method, which
/// is `other` for methods that a server does not have; `error` is the name of the exception, or
/// what [`CallError::name`](crate::CallError::name) says. At most [`Self::MAX_LABELS`] names of each
/// kind are told apart, those that come first; all others are `other`, since peers choose them.
///
/// | name | kind | labels | what it is |
/// |---|---|---|---|
/// | `zrpc_server_calls_total` | counter | `method`, `outcome`: `ok`, `error`, `cancelled` | calls that are over |
/// | `zrpc_server_errors_total` | counter | `method`, `error` | calls that failed |
/// | `zrpc_server_call_duration_seconds` | histogram | `method` | from the start of the hooks to the reply |
/// | `zrpc_server_calls_in_progress` | gauge | | calls that are handled now |
/// | `zrpc_client_calls_total` | counter | `method`, `outcome`: `ok`, `error`, `dropped`, `denied` | calls that are over; `denied` are those that were never sent, because other middleware did not let them out or they were dropped before |
/// | `zrpc_client_errors_total` | counter | `method`, `error` | calls that failed, `LostRemote` and `TimeoutExpired` among them |
/// | `zrpc_client_call_duration_seconds` | histogram | `method` | from the request to the last event |
/// | `zrpc_client_calls_in_progress` | gauge | | calls that wait for their last event |
///
/// What no hook sees is in [`Stats`], and exported with [`Self::record`], for instance every ten
/// seconds; `name` is the label that tells clients and servers of one program apart:
///
/// | name | kind | what it is |
/// |---|---|---|
/// | `zrpc_open_channels` | gauge | [`Stats::open_channels`] |
/// | `zrpc_queued_events` | gauge | [`Stats::queued_events`] |
/// | `zrpc_events_received_total`, `zrpc_events_sent_total` | counter | [`Stats::events_received`], [`Stats::events_sent`] |
/// | `zrpc_lost_remotes_total` | counter | [`Stats::lost_remotes`] |
/// | `zrpc_timeouts_total` | counter | [`Stats::timed_out`] |
/// | `zrpc_credit_stalls_total`, `zrpc_socket_stalls_total` | counter | [`Stats::credit_stalls`], [`Stats::socket_stalls`] |
/// | `zrpc_refused_requests_total` | counter | [`Stats::refused`] |
/// | `zrpc_malformed_events_total` | counter | [`Stats::malformed`] |
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use zrpc::Server;
/// use zrpc::middleware::Metrics;
///
/// let metrics = Metrics::new();
/// let server = Server::builder()
///     .middleware(metrics.clone())
///     .bind("tcp://127.0.0.1:4242")
///     .build()
///     .await?;
/// let handle = server.handle();
/// tokio::spawn(async move {
///     while let Ok(stats) = handle.stats().await {
///         metrics.record("server", &stats);
///         tokio::time::sleep(Duration::from_secs(10)).await;
///     }
/// });
/// server.run().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Metrics {
    methods: Names,
    errors: Names,
}

/// Names that are labels.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<HashSet<Arc<str>>>>);

/// What stands for all names beyond [`Metrics::MAX_LABELS`].
const OTHER: &str = "other";

/// The names of the metrics of one side.
struct Side {
    calls: &'static str,
    errors: &'static str,
    duration: &'static str,
    in_progress: &'static str,
    /// What a call is counted as that ends without a hook.
    abandoned: &'static str,
}

static SERVER: Side = Side {
    calls: "zrpc_server_calls_total",
    errors: "zrpc_server_errors_total",
    duration: "zrpc_server_call_duration_seconds",
    in_progress: "zrpc_server_calls_in_progress",
    abandoned: "cancelled",
};

static CLIENT: Side = Side {
    calls: "zrpc_client_calls_total",
    errors: "zrpc_client_errors_total",
    duration: "zrpc_client_call_duration_seconds",
    in_progress: "zrpc_client_calls_in_progress",
    // Of those that were sent, hooks learn the end.
    abandoned: "denied",
};

/// A call that is going on.
struct InProgress {
    side: &'static Side,
    method: Arc<str>,
    since: Instant,
    outcome: &'static str,
}

impl Metrics {
    /// How many methods, and how many errors, are told apart.
    pub const MAX_LABELS: usize = 256;

    /// Makes the middleware. Clones share what they have seen.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Exports what a client or server has counted, under a name for it.
    pub fn record(&self, name: &'static str, stats: &Stats) {
        for (metric, value) in [
            ("zrpc_open_channels", stats.open_channels),
            ("zrpc_queued_events", stats.queued_events),
        ] {
            // Above 2^52 it is not exact.
            #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
            metrics::gauge!(metric, "name" => name).set(value as f64);
        }
        for (metric, value) in [
            ("zrpc_events_received_total", stats.events_received),
            ("zrpc_events_sent_total", stats.events_sent),
            ("zrpc_lost_remotes_total", stats.lost_remotes),
            ("zrpc_timeouts_total", stats.timed_out),
            ("zrpc_credit_stalls_total", stats.credit_stalls),
            ("zrpc_socket_stalls_total", stats.socket_stalls),
            ("zrpc_refused_requests_total", stats.refused),
            ("zrpc_malformed_events_total", stats.malformed),
        ] {
            metrics::counter!(metric, "name" => name).absolute(value);
        }
    }

    fn begin(&self, side: &'static Side, method: &str) -> InProgress {
        metrics::gauge!(side.in_progress).increment(1);
        InProgress {
            side,
            method: self.methods.label(method),
            since: Instant::now(),
            outcome: side.abandoned,
        }
    }

    fn fail(&self, call: &mut InProgress, error: &str) {
        call.outcome = "error";
        let (method, error) = (
            call.method.to_string(),
            self.errors.label(error).to_string(),
        );
        metrics::counter!(call.side.errors, "method" => method, "error" => error).increment(1);
    }
}

impl Names {
    /// Returns the label of a name.
    fn label(&self, name: &str) -> Arc<str> {
        // No code that can panic runs under the lock.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(label) = known.get(name) {
            return Arc::clone(label);
        }
        if known.len() >= Metrics::MAX_LABELS {
            return OTHER.into();
        }
        let label: Arc<str> = name.into();
        known.insert(Arc::clone(&label));
        label
    }
}

/// However a call ends, it is over then.
impl Drop for InProgress {
    fn drop(&mut self) {
        let method = self.method.to_string();
        metrics::gauge!(self.side.in_progress).decrement(1);
        metrics::histogram!(self.side.duration, "method" => method.clone())
            .record(self.since.elapsed());
        metrics::counter!(self.side.calls, "method" => method, "outcome" => self.outcome)
            .increment(1);
    }
}

impl Middleware for Metrics {
    fn load_task_context(&self, request: &mut ServerRequest, _context: &mut TaskContext) {
        let method = if request.is_missing() {
            OTHER
        } else {
            request.method()
        };
        let call = self.begin(&SERVER, method);
        request.extensions_mut().insert(call);
    }

    fn server_after_exec<'a>(
        &'a self,
        request: &'a mut ServerRequest,
        _reply: Option<&'a mut ServerReply>,
    ) -> HookFuture<'a, Result<(), Fault>> {
        if let Some(call) = request.extensions_mut().get_mut::<InProgress>() {
            call.outcome = "ok";
        }
        HookFuture::ready(Ok(()))
    }

    fn server_inspect_exception<'a>(
        &'a self,
        request: &'a mut ServerRequest,
        _reply: Option<&'a mut ServerReply>,
        _task_context: &'a HeaderEntries,
        fault: &'a Fault,
    ) -> HookFuture<'a, ()> {
        if let Some(call) = request.extensions_mut().get_mut::<InProgress>() {
            self.fail(call, fault.name());
        }
        HookFuture::ready(())
    }

    fn client_before_request<'a>(
        &'a self,
        request: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        let call = self.begin(&CLIENT, request.method());
        request.extensions_mut().insert(call);
        HookFuture::ready(Ok(()))
    }

    fn client_after_request(&self, request: &mut ClientRequest, outcome: &CallOutcome<'_>) {
        let Some(mut call) = request.extensions_mut().remove::<InProgress>() else {
            return;
        };
        match outcome {
            CallOutcome::Completed { .. } => call.outcome = "ok",
            CallOutcome::Failed { error, .. } => self.fail(&mut call, error.name()),
            CallOutcome::Dropped => call.outcome = "dropped",
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
