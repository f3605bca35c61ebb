//! Metrics.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use zrpc::middleware::{ClientRequest, HookFuture, Metrics, Middleware};
use zrpc::{Client, Fault, Server};

use crate::support::{in_time, pair_with};

/// Keeps the latest value of each metric.
#[derive(Clone, Default)]
struct Values(Arc<Mutex<BTreeMap<String, f64>>>);

struct Metric {
    name: String,
    values: Values,
}

impl Metric {
    fn change(&self, change: impl FnOnce(&mut f64)) {
        change(
            self.values
                .0
                .lock()
                .unwrap()
                .entry(self.name.clone())
                .or_default(),
        );
    }
}

impl CounterFn for Metric {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn increment(&self, by: u64) {
        self.change(|value| *value += by as f64);
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn absolute(&self, new: u64) {
        self.change(|value| *value = new as f64);
    }
}

impl GaugeFn for Metric {
    fn increment(&self, by: f64) {
        self.change(|value| *value += by);
    }

    fn decrement(&self, by: f64) {
        self.change(|value| *value -= by);
    }

    fn set(&self, new: f64) {
        self.change(|value| *value = new);
    }
}

/// Counts what is recorded.
impl HistogramFn for Metric {
    fn record(&self, seconds: f64) {
        assert!(seconds >= 0.0);
        self.change(|value| *value += 1.0);
    }
}

impl Values {
    fn metric(&self, key: &Key) -> Arc<Metric> {
        let labels = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()));
        let labels: Vec<_> = labels.collect();
        Arc::new(Metric {
            name: format!("{}{{{}}}", key.name(), labels.join(",")),
            values: self.clone(),
        })
    }

    fn get(&self, name: &str) -> f64 {
        let values = self.0.lock().unwrap();
        *values
            .get(name)
            .unwrap_or_else(|| panic!("{name} in {values:#?}"))
    }
}

impl Recorder for Values {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.metric(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.metric(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.metric(key))
    }
}

#[tokio::test]
async fn calls_are_counted_by_method_outcome_and_error() {
    let values = Values::default();
    // Callers and handlers run on this thread.
    let _guard = metrics::set_default_local_recorder(&values);
    let server = Server::builder()
        .middleware(Metrics::new())
        .method("one", |(): ()| async { 1 })
        .method("fail", |(): ()| async {
            Err::<(), _>(Fault::new("ValueError", "no"))
        });
    let client_metrics = Metrics::new();
    let client = Client::builder().middleware(client_metrics.clone());
    let (server, client) = pair_with(server, client).await;
    for _ in 0..2 {
        assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
    }
    in_time(client.call::<()>("fail", ())).await.unwrap_err();
    in_time(client.call::<()>("chosen by a peer", ()))
        .await
        .unwrap_err();
    drop(client.stream::<u8>("one", ()).await.unwrap());

    for (name, value) in [
        ("zrpc_server_calls_total{method=one,outcome=ok}", 2.0),
        ("zrpc_server_calls_total{method=fail,outcome=error}", 1.0),
        ("zrpc_server_calls_total{method=other,outcome=error}", 1.0),
        (
            "zrpc_server_errors_total{method=fail,error=ValueError}",
            1.0,
        ),
        (
            "zrpc_server_errors_total{method=other,error=NameError}",
            1.0,
        ),
        ("zrpc_client_calls_total{method=one,outcome=ok}", 2.0),
        ("zrpc_client_calls_total{method=one,outcome=dropped}", 1.0),
        (
            "zrpc_client_errors_total{method=fail,error=ValueError}",
            1.0,
        ),
        ("zrpc_client_call_duration_seconds{method=one}", 3.0),
        ("zrpc_client_calls_in_progress{}", 0.0),
    ] {
        let counted = values.get(name);
        assert!((counted - value).abs() < 0.5, "{name}: {counted}");
    }
    client_metrics.record("ours", &client.stats().await.unwrap());
    let opened = values.get("zrpc_events_sent_total{name=ours}");
    assert!(opened >= 4.0, "{opened}");
    assert!(values.get("zrpc_open_channels{name=ours}") < 0.5);
    drop(server);
}

/// Lets no request out.
struct Denies;

impl Middleware for Denies {
    fn client_before_request<'a>(
        &'a self,
        _: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        HookFuture::ready(Err(Fault::new("PermissionError", "not out")))
    }
}

#[tokio::test]
async fn calls_that_are_not_let_out_are_not_taken_for_dropped() {
    let values = Values::default();
    let _guard = metrics::set_default_local_recorder(&values);
    let server = Server::builder().method("one", |(): ()| async { 1 });
    let client = Client::builder()
        .middleware(Metrics::new())
        .middleware(Denies);
    let (_server, client) = pair_with(server, client).await;
    in_time(client.call::<u8>("one", ())).await.unwrap_err();
    let denied = values.get("zrpc_client_calls_total{method=one,outcome=denied}");
    assert!((denied - 1.0).abs() < 0.5, "{denied}");
}
