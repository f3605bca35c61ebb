//! Middleware of both sides: the order of its hooks, and what it carries in headers.

use std::sync::{Arc, Mutex, PoisonError};

use interop::{Failure, TestResult};
use rmpv::Value;
use serde_json::json;
use zrpc::{
    Client, Fault, Method,
    middleware::{
        CallOutcome, ClientRequest, HeaderEntries, HookFuture, Middleware, Propagation,
        ServerReply, ServerRequest, TaskContext,
    },
};

use crate::{
    our_service::serve_with,
    support::{python, python_call, python_client, python_server, soon},
};

/// Notes the hooks of a server, and the trace ids of the replies to a client.
#[derive(Debug, Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn note(&self, text: impl Into<String>) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.push(text.into());
    }

    fn take(&self) -> Vec<String> {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *notes)
    }
}

/// Notes the hooks that `peers/zerorpc_server.py` notes.
struct ServerHooks(Notes);

impl Middleware for ServerHooks {
    fn load_task_context(&self, _: &mut ServerRequest, _: &mut TaskContext) {
        self.0.note("load_task_context");
    }

    fn get_task_context(&self, _: &TaskContext, _: &mut HeaderEntries) {
        self.0.note("get_task_context");
    }

    fn server_before_exec<'a>(
        &'a self,
        _: &'a mut ServerRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        self.0.note("server_before_exec");
        HookFuture::ready(Ok(()))
    }

    fn server_after_exec<'a>(
        &'a self,
        _: &'a mut ServerRequest,
        _: Option<&'a mut ServerReply>,
    ) -> HookFuture<'a, Result<(), Fault>> {
        self.0.note("server_after_exec");
        HookFuture::ready(Ok(()))
    }

    fn server_inspect_exception<'a>(
        &'a self,
        _: &'a mut ServerRequest,
        _: Option<&'a mut ServerReply>,
        _: &'a HeaderEntries,
        _: &'a Fault,
    ) -> HookFuture<'a, ()> {
        self.0.note("server_inspect_exception");
        HookFuture::ready(())
    }
}

/// Notes what comes back in headers.
struct Returned(Notes);

impl Middleware for Returned {
    fn client_after_request(&self, _: &mut ClientRequest, outcome: &CallOutcome<'_>) {
        let entry = outcome
            .reply()
            .map(|reply| reply.header_entry::<String>("trace_id"));
        self.0.note(format!("{entry:?}"));
    }
}

/// A result, a failure, an unknown method and a stream, as part of a trace.
async fn make_calls(client: &Client) -> Result<(), Failure> {
    let context = TaskContext::new().with("trace_id", "4bf92f35")?;
    let calls = async {
        let hello = client.call::<String>("hello", ("RPC",)).await?;
        assert_eq!(hello, "Hello, RPC");
        for (method, name) in [("fail", "ValueError"), ("missing", "NameError")] {
            let failed = client.call::<Value>(method, ("why",)).await;
            let name_of_error = failed.map_err(|error| error.name().to_owned());
            assert_eq!(name_of_error, Err(name.to_owned()));
        }
        let mut items = client.stream::<u64>("count", (3,)).await?;
        while items.next_item().await?.is_some() {}
        Ok::<_, Failure>(())
    };
    soon(context.scope(calls)).await?
}

#[tokio::test]
async fn our_server_calls_hooks_in_the_order_of_pythons_and_headers_travel_alike() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut theirs = python_server(python, json!({"hooks": true})).await?;
    let notes = Notes::default();
    let hooks = ServerHooks(notes.clone());
    let propagation = Propagation::of(["trace_id"]);
    let ours = serve_with(|builder| {
        builder
            .middleware(propagation.clone())
            .middleware(hooks)
            .bind("tcp://127.0.0.1:*")
    })
    .await?;
    let returned = Notes::default();
    for endpoint in [theirs.endpoint()?.to_owned(), ours.endpoint.clone()] {
        let client = Client::builder()
            .middleware(propagation.clone())
            .middleware(Returned(returned.clone()))
            .connect(&endpoint)
            .build()
            .await?;
        make_calls(&client).await?;
        let entry = format!("{:?}", Some(Ok::<_, ()>(Some("4bf92f35"))));
        assert_eq!(returned.take(), vec![entry; 4], "{endpoint}");
    }
    let journal = theirs.request(json!({"op": "journal"})).await?;
    assert_eq!(journal, json!(notes.take()));
    Ok(())
}

#[tokio::test]
async fn what_pythons_middleware_sends_is_the_task_context_of_our_handler() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve_with(|builder| {
        builder
            .middleware(Propagation::of(["trace_id"]))
            .register(Method::new("context", |(): ()| async {
                let context = TaskContext::current();
                let count = context.entries().count();
                let id = context.get::<String>("trace_id")?;
                Ok::<_, Fault>((id, count))
            }))
            .bind("tcp://127.0.0.1:*")
    })
    .await?;
    let options = json!({"header": {"trace_id": "42", "other": "stays"}});
    let mut client = python_client(python, &server.endpoint, options).await?;

    let seen = python_call(&mut client, "context", json!([])).await?;

    assert_eq!(seen["result"], json!(["42", 1]), "{seen}");
    Ok(())
}
