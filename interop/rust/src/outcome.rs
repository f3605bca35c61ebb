//! How a call ended, in the words of `interop/peers/zerorpc_client.py`.

use std::time::Instant;

use serde_json::{Value, json};
use zrpc::CallError;

/// The outcome of a call that began at `began`: `{result}` or `{raised}`, and `{elapsed}`.
pub(crate) fn outcome(result: Result<Value, CallError>, began: Instant) -> Value {
    let elapsed = began.elapsed().as_secs_f64();
    match result {
        Ok(result) => json!({"result": result, "elapsed": elapsed}),
        Err(error) => json!({"raised": raised(&error), "elapsed": elapsed}),
    }
}

/// What a call failed with. Python's names, where it has one.
pub(crate) fn raised(error: &CallError) -> Value {
    let kind = match error {
        CallError::Remote(remote) => {
            return json!({
                "kind": "RemoteError",
                "name": remote.name,
                "message": remote.message,
                "traceback": remote.traceback,
            });
        }
        CallError::LostRemote { .. } => "LostRemote",
        CallError::Disconnected => "Disconnected",
        CallError::Timeout { .. } | CallError::ItemTimeout { .. } => "TimeoutExpired",
        _ => "other",
    };
    json!({"kind": kind, "message": error.to_string()})
}
