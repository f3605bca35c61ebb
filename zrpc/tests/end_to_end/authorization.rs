//! Who may call what, and what callers may ask about a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use zrpc::security::{Passwords, Security};
use zrpc::{CallContext, CallError, Client, Fault, Introspection, Server, ServerBuilder};

use crate::support::{in_time, pair, pair_with};

/// A service with an open and a guarded method of each kind, and how often the guarded ones ran.
fn guarded() -> (ServerBuilder, Arc<AtomicUsize>) {
    let ran = Arc::new(AtomicUsize::new(0));
    let count = || {
        let ran = Arc::clone(&ran);
        move || ran.fetch_add(1, Ordering::Relaxed)
    };
    let (task, thread, items) = (count(), count(), count());
    let server = Server::builder()
        .method("open", |(): ()| async { "open" })
        .method("guarded", move |(): ()| {
            task();
            async { "guarded" }
        })
        .blocking("guarded_thread", move |(): ()| {
            thread();
            "guarded"
        })
        .stream("guarded_items", move |(): ()| {
            items();
            futures_util::stream::iter(0..3)
        })
        .method("guarded ", |(): ()| async { "another name" });
    (server, ran)
}

fn only_administrators(call: &CallContext) -> Result<(), Fault> {
    match call.method() {
        "guarded" | "guarded_thread" | "guarded_items" | "_zerorpc_inspect"
            if call.user_id() != Some(b"admin") =>
        {
            Err(Fault::new("PermissionError", "only for administrators"))
        }
        _ => Ok(()),
    }
}

fn denied(error: CallError) {
    match error {
        CallError::Remote(error) => assert_eq!(error.name, "PermissionError"),
        other => panic!("a denial was expected: {other}"),
    }
}

#[tokio::test]
async fn a_method_does_not_run_for_whom_it_is_not() {
    let (server, ran) = guarded();
    let mut passwords = Passwords::new();
    passwords.insert("admin", "1").unwrap();
    passwords.insert("guest", "2").unwrap();
    let server = server
        .authorize(only_administrators)
        .security(Security::plain_server(passwords));
    let guest = Client::builder().security(Security::plain_client("guest", "2").unwrap());
    let (server, guest) = pair_with(server, guest).await;
    let admin = Client::builder()
        .security(Security::plain_client("admin", "1").unwrap())
        .connect(&server.endpoints()[0])
        .build()
        .await
        .unwrap();
    let names = ["guarded", "guarded_thread", "_zerorpc_inspect"];
    for name in names {
        denied(
            in_time(guest.call::<rmpv::Value>(name, ()))
                .await
                .unwrap_err(),
        );
    }
    let mut items = guest.stream::<u8>("guarded_items", ()).await.unwrap();
    denied(in_time(items.next_item()).await.unwrap_err());
    assert_eq!(ran.load(Ordering::Relaxed), 0);
    // Names are compared exactly, and nothing else is guarded.
    for name in ["open", "guarded ", "_zerorpc_name"] {
        in_time(guest.call::<String>(name, ())).await.unwrap();
    }
    for name in names {
        in_time(admin.call::<rmpv::Value>(name, ())).await.unwrap();
    }
    let mut items = admin.stream::<u8>("guarded_items", ()).await.unwrap();
    assert_eq!(in_time(items.next_item()).await, Ok(Some(0)));
    assert_eq!(ran.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_name_that_only_looks_like_a_guarded_one_is_unknown() {
    let (server, ran) = guarded();
    let (_server, client) = pair(server.authorize(only_administrators)).await;
    for name in ["Guarded", "guarded\0", " guarded", "guarded\u{200b}", ""] {
        let error = in_time(client.call::<String>(name, ())).await.unwrap_err();
        assert!(
            matches!(&error, CallError::Remote(error) if error.name == "NameError"),
            "{name:?}: {error}"
        );
    }
    assert_eq!(ran.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn whoever_panics_when_asked_allows_nothing() {
    let (server, ran) = guarded();
    let server = server.authorize(|call: &CallContext| {
        assert_ne!(call.method(), "guarded", "no idea");
        Ok(())
    });
    let (_server, client) = pair(server).await;
    let error = in_time(client.call::<String>("guarded", ())).await;
    assert!(matches!(error, Err(CallError::Remote(error)) if error.name == "RuntimeError"));
    assert_eq!(ran.load(Ordering::Relaxed), 0);
    let open = in_time(client.call::<String>("open", ())).await;
    assert_eq!(open, Ok("open".to_owned()));
}

#[tokio::test]
async fn a_server_may_not_want_to_describe_itself() {
    let (server, _ran) = guarded();
    let (_server, client) = pair(server.introspection(Introspection::Hidden)).await;
    for name in [
        "_zerorpc_ping",
        "_zerorpc_name",
        "_zerorpc_list",
        "_zerorpc_inspect",
    ] {
        let error = in_time(client.call::<rmpv::Value>(name, ())).await;
        match error {
            Err(CallError::Remote(error)) => {
                assert_eq!((&*error.name, &*error.message), ("NameError", name));
            }
            other => panic!("an unknown name was expected: {other:?}"),
        }
    }
    let open = in_time(client.call::<String>("open", ())).await;
    assert_eq!(open, Ok("open".to_owned()));
}
