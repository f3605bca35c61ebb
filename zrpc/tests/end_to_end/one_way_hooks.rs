//! Middleware around events that nobody answers.

use std::sync::{Arc, Mutex};

use zrpc::middleware::{
    ClientRequest, HeaderEntries, HookFuture, Middleware, Propagation, Resolution, ResolveError,
    ServerReply, ServerRequest, TaskContext,
};
use zrpc::{
    EmitError, EmitterBuilder, Fault, Publisher, Puller, Pusher, ReceiveError, ReceiverBuilder,
};

use crate::support::{Counter, in_time};

const ANYWHERE: &str = "tcp://127.0.0.1:*";

/// Notes which hooks are called.
#[derive(Clone, Default)]
struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    fn note(&self, text: impl Into<String>) {
        self.0.lock().unwrap().push(text.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Middleware for Journal {
    fn load_task_context(&self, request: &mut ServerRequest, _: &mut TaskContext) {
        assert!(!request.encoded_args().is_empty());
        self.note("load_task_context");
    }

    fn get_task_context(&self, _: &TaskContext, _: &mut HeaderEntries) {
        self.note("get_task_context");
    }

    fn server_before_exec<'a>(
        &'a self,
        request: &'a mut ServerRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        self.note("server_before_exec");
        HookFuture::ready(match request.method() {
            "denied" => Err(Fault::new("PermissionError", "not you")),
            "panic" => panic!("a hook panics"),
            _ => Ok(()),
        })
    }

    fn server_after_exec<'a>(
        &'a self,
        _: &'a mut ServerRequest,
        reply: Option<&'a mut ServerReply>,
    ) -> HookFuture<'a, Result<(), Fault>> {
        assert!(reply.is_none());
        self.note("server_after_exec");
        HookFuture::ready(Ok(()))
    }

    fn server_inspect_exception<'a>(
        &'a self,
        _: &'a mut ServerRequest,
        reply: Option<&'a mut ServerReply>,
        _: &'a HeaderEntries,
        fault: &'a Fault,
    ) -> HookFuture<'a, ()> {
        assert!(reply.is_none());
        self.note(format!("server_inspect_exception {}", fault.name()));
        HookFuture::ready(())
    }

    fn before_publish<'a>(
        &'a self,
        request: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        self.note(format!("before_publish {}", request.method()));
        HookFuture::ready(match request.method() {
            "secret" => Err(Fault::new("PermissionError", "not out")),
            _ => request
                .header_mut()
                .insert("signed", &true)
                .map_err(Fault::from),
        })
    }
}

/// A puller whose methods do what their names say.
fn methods(journal: &Journal, handled: &Counter) -> ReceiverBuilder<Puller> {
    let (noting, reported) = (handled.clone(), handled.clone());
    let noted = journal.clone();
    Puller::builder()
        .middleware(journal.clone())
        .method("note", move |(): ()| {
            let guard = noting.on_drop();
            noted.note("method");
            async move { drop(guard) }
        })
        .method("fail", |(): ()| async {
            Err::<(), _>(Fault::new("Failure", ""))
        })
        .method("denied", |(): ()| async {})
        .method("panic", |(): ()| async {})
        .on_error(move |_| reported.count())
        .bind(ANYWHERE)
}

#[tokio::test]
async fn hooks_run_in_the_order_of_pythons_pushers_and_pullers() {
    let (ours, theirs, handled) = (Journal::default(), Journal::default(), Counter::new());
    let puller = methods(&theirs, &handled).build().await.unwrap();
    let pusher = Pusher::builder().middleware(ours.clone());
    let pusher = pusher.connect(&puller.endpoints()[0]).build().await;
    let pusher = pusher.unwrap();
    let handle = puller.handle();
    tokio::spawn(puller.run());
    let before = ["load_task_context", "server_before_exec"];
    let inspected = ["get_task_context", "server_inspect_exception"];
    for (method, reached, fault) in [
        ("fail", &before[..], Some("Failure")),
        ("unknown", &[], Some("NameError")),
        ("denied", &before[..], Some("PermissionError")),
        ("panic", &before[..], None),
    ] {
        in_time(pusher.push(method, ())).await.unwrap();
        handled.wait_for(1).await;
        let published = format!("before_publish {method}");
        assert_eq!(ours.take(), ["get_task_context", &published]);
        let mut expected = reached.to_vec();
        let ending = fault.map(|fault| format!("{} {fault}", inspected[1]));
        if let Some(ending) = &ending {
            expected.extend([inspected[0], ending]);
        }
        assert_eq!(theirs.take(), expected, "{method}");
    }
    in_time(pusher.push("note", ())).await.unwrap();
    handled.wait_for(1).await;
    in_time(handle.shutdown()).await;
    let expected = [before[0], before[1], "method", "server_after_exec"];
    assert_eq!(theirs.take(), expected);
    let stats = handle.stats();
    assert_eq!((stats.handled, stats.failed, stats.unknown), (1, 3, 1));
}

#[tokio::test]
async fn events_that_are_received_one_by_one_pass_the_hooks_too() {
    let (journal, refused) = (Journal::default(), Counter::new());
    let mut puller = methods(&journal, &refused).build().await.unwrap();
    let pusher = Pusher::builder().connect(&puller.endpoints()[0]);
    let pusher = pusher.build().await.unwrap();
    for method in ["denied", "panic", "note"] {
        in_time(pusher.push(method, ())).await.unwrap();
    }
    let event = in_time(puller.recv()).await.unwrap();
    assert_eq!(event.method(), "note");
    refused.wait_for(2).await;
    let stats = puller.stats();
    assert_eq!((stats.received, stats.handled, stats.failed), (3, 1, 2));
    let expected = [
        "load_task_context",
        "server_before_exec",
        "get_task_context",
        "server_inspect_exception PermissionError",
        "load_task_context",
        "server_before_exec",
        "load_task_context",
        "server_before_exec",
        "server_after_exec",
    ];
    assert_eq!(journal.take(), expected);
}

/// Lets events in when it is told to.
struct Gate(Arc<tokio::sync::Semaphore>);

impl Middleware for Gate {
    fn server_before_exec<'a>(
        &'a self,
        request: &'a mut ServerRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        HookFuture::new(async {
            self.0.acquire().await.unwrap().forget();
            Ok(request.header_mut().insert("seen", &true)?)
        })
    }
}

#[tokio::test]
async fn no_event_is_lost_while_a_hook_waits_for_it() {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let puller = Puller::builder().middleware(Gate(Arc::clone(&gate)));
    let mut puller = puller.bind(ANYWHERE).build().await.unwrap();
    let pusher = Pusher::builder().connect(&puller.endpoints()[0]);
    let pusher = pusher.build().await.unwrap();
    in_time(pusher.push("note", ())).await.unwrap();
    while puller.stats().received == 0 {
        let given_up = tokio::time::timeout(std::time::Duration::from_millis(5), puller.recv());
        given_up.await.unwrap_err();
    }
    gate.add_permits(1);
    let event = in_time(puller.recv()).await.unwrap();
    assert_eq!(event.header("seen"), Ok(Some(true)));
}

#[tokio::test]
async fn what_middleware_does_not_let_out_is_not_sent() {
    let mut puller = Puller::builder().bind(ANYWHERE).build().await.unwrap();
    let pusher = Pusher::builder().middleware(Journal::default());
    let pusher = pusher
        .connect(&puller.endpoints()[0])
        .build()
        .await
        .unwrap();
    let denied = in_time(pusher.push("secret", ())).await.unwrap_err();
    let EmitError::Denied { method, fault } = denied else {
        panic!("{denied:?}");
    };
    assert_eq!((&*method, fault.message()), ("secret", "not out"));
    pusher.try_push("note", ()).unwrap();
    let event = in_time(puller.recv()).await.unwrap();
    assert_eq!(event.method(), "note");
    assert_eq!(event.header("signed"), Ok(Some(true)));
}

/// A hook that waits for what never comes.
struct Waits;

impl Middleware for Waits {
    fn before_publish<'a>(&'a self, _: &'a mut ClientRequest) -> HookFuture<'a, Result<(), Fault>> {
        HookFuture::new(std::future::pending())
    }
}

#[tokio::test]
async fn a_hook_that_waits_cannot_be_tried() {
    let publisher = Publisher::builder().middleware(Waits).bind(ANYWHERE);
    let publisher = publisher.build().await.unwrap();
    let method = "note".to_owned();
    assert_eq!(
        publisher.try_publish("note", ()),
        Err(EmitError::HookWaits { method })
    );
}

#[tokio::test]
async fn task_context_travels_from_event_to_event() {
    let mut last = Puller::builder().bind(ANYWHERE).build().await.unwrap();
    let traced = || Propagation::of(["trace"]);
    let pusher = |endpoint: &str| -> EmitterBuilder<Pusher> {
        Pusher::builder().middleware(traced()).connect(endpoint)
    };
    let onward = pusher(&last.endpoints()[0]).build().await.unwrap();
    let middle = Puller::builder()
        .middleware(traced())
        .method("task", {
            let onward = onward.clone();
            move |(): ()| {
                let onward = onward.clone();
                async move { onward.push("task", ()).await }
            }
        })
        .blocking("thread", move |(): ()| onward.try_push("thread", ()))
        .bind(ANYWHERE)
        .build()
        .await
        .unwrap();
    let first = pusher(&middle.endpoints()[0]).build().await.unwrap();
    tokio::spawn(middle.run());
    let context = TaskContext::new().with("trace", "abc").unwrap();
    let pushing = context.scope(async {
        first.push("task", ()).await?;
        first.push("thread", ()).await
    });
    in_time(pushing).await.unwrap();
    for method in ["task", "thread"] {
        let event = in_time(last.recv()).await.unwrap();
        assert_eq!(event.method(), method);
        assert_eq!(event.header("trace"), Ok(Some("abc".to_owned())));
    }
}

/// Knows endpoints by name.
struct Names(String);

impl Middleware for Names {
    fn resolve_endpoint<'a>(
        &'a self,
        endpoint: &'a str,
    ) -> HookFuture<'a, Result<Resolution, ResolveError>> {
        HookFuture::ready(Ok(match endpoint {
            "work" => Resolution::Replaced(self.0.clone()),
            _ => Resolution::Unchanged,
        }))
    }
}

#[tokio::test]
async fn endpoints_are_resolved() {
    let puller = Puller::builder().middleware(Names(ANYWHERE.to_owned()));
    let mut puller = puller.bind("work").build().await.unwrap();
    let pusher = Pusher::builder().middleware(Names(puller.endpoints()[0].clone()));
    let pusher = pusher.connect("work").build().await.unwrap();
    in_time(pusher.push("note", ())).await.unwrap();
    assert!(in_time(puller.recv()).await.is_some());
}

#[test]
fn errors_say_what_was_wrong() {
    let unknown = ReceiveError::UnknownMethod {
        method: "what".to_owned(),
    };
    assert_eq!(unknown.to_string(), "unknown method what");
}
