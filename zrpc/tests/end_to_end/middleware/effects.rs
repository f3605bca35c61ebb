//! What hooks can do: refuse, change, replace.

use zrpc::middleware::{ReplyPattern, Resolution, ResolveError, TranslatedError};
use zrpc::{BuildError, CallContext, CallError, Client, ConnectError, Fault, RemoteError, Server};

use super::custom::custom;
use super::recorder::Recorder;
use crate::support::{Counter, in_time, pair, pair_with};

#[tokio::test]
async fn a_server_hook_can_refuse_a_call() {
    let called = Counter::new();
    let counter = called.clone();
    let server = Server::builder()
        .method("secret", move |(): ()| {
            counter.count();
            async { 1_u8 }
        })
        .middleware(custom(|custom| {
            custom.before_exec = Some(|request| {
                assert_eq!(request.method(), "secret");
                assert_eq!(request.args::<()>().unwrap(), ());
                match request.header().get::<String>("token").unwrap().as_deref() {
                    Some("open") => Ok(()),
                    _ => Err(Fault::new("PermissionError", "no token")),
                }
            });
        }));
    let token = custom(|custom| {
        custom.before_request = Some(|request| Ok(request.header_mut().insert("token", "open")?));
    });
    let (server, client) = pair(server).await;
    let error = in_time(client.call::<u8>("secret", ())).await.unwrap_err();
    let refused = RemoteError::new("PermissionError", "no token");
    assert_eq!(error, CallError::Remote(refused));
    assert_eq!(called.pending(), 0);
    let client = Client::builder()
        .connect(&server.endpoints()[0])
        .middleware(token);
    let client = client.build().await.unwrap();
    assert_eq!(in_time(client.call::<u8>("secret", ())).await, Ok(1));
}

#[tokio::test]
async fn a_client_hook_can_refuse_a_call_before_it_is_sent() {
    let recorder = Recorder::default();
    let denying = custom(|custom| {
        custom.before_request = Some(|request| match request.args::<(u8,)>()? {
            Some((7,)) => Ok(()),
            _ => Err(Fault::new("ValueError", "seven alone")),
        });
    });
    let client = recorder.client().middleware(denying);
    let (_server, client) = pair_with(recorder.service(), client).await;
    let error = in_time(client.call::<u8>("echo", (8,))).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "echo was not called: ValueError: seven alone"
    );
    assert_eq!(
        recorder.take(),
        ["C.get_task_context", "C.client_before_request"]
    );
    assert_eq!(in_time(client.call::<u8>("echo", (7,))).await, Ok(7));
}

#[tokio::test]
async fn hooks_can_change_replies_and_errors() {
    let server = Recorder::default().service().middleware(custom(|custom| {
        custom.after_exec = Some(|reply| match reply.value::<u8>()? {
            Some(9) => Err(Fault::new("Nine", "is refused")),
            Some(value) => reply.set_value(&(value + 1)),
            None => Ok(()),
        });
        custom.inspect = Some(|reply| {
            let name = reply.fault().unwrap().name().to_owned();
            reply.set_fault(Fault::new("Wrapped", name));
        });
    }));
    let (_server, client) = pair(server).await;
    assert_eq!(in_time(client.call::<u8>("echo", (7,))).await, Ok(8));
    for (method, argument, name) in [("echo", 9, "Nine"), ("missing", 1, "NameError")] {
        let call = client.call::<u8>(method, (argument,));
        let wrapped = RemoteError::new("Wrapped", name);
        assert_eq!(in_time(call).await, Err(CallError::Remote(wrapped)));
    }
}

#[tokio::test]
async fn a_value_that_a_hook_makes_must_be_sendable() {
    let server = Recorder::default().service().middleware(custom(|custom| {
        // Q22
        custom.after_exec =
            Some(|reply| reply.set_value(&std::collections::HashMap::from([(1, 2)])));
    }));
    let (_server, client) = pair(server).await;
    let error = in_time(client.call::<u8>("echo", (7,))).await.unwrap_err();
    assert!(
        matches!(&error, CallError::Remote(remote) if remote.name == "TypeError"),
        "{error}"
    );
}

#[tokio::test]
async fn a_pattern_that_is_taken_away_is_not_answered() {
    let client = Client::builder().middleware(custom(|custom| {
        custom.patterns = Some(|patterns| patterns.retain(|one| *one == ReplyPattern::ReqRep));
    }));
    let (_server, client) = pair_with(Recorder::default().service(), client).await;
    assert_eq!(in_time(client.call::<u8>("echo", (7,))).await, Ok(7));
    let mut items = client.stream::<u8>("count", (3,)).await.unwrap();
    let error = in_time(items.next_item()).await.unwrap_err();
    assert!(
        matches!(&error, CallError::UnexpectedEvent { event, .. } if event == "STREAM"),
        "{error}"
    );
    assert_eq!(in_time(items.next_item()).await, Ok(None));
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("no such user")]
struct NoSuchUser;

#[tokio::test]
async fn the_last_translation_of_an_error_is_that_of_the_call() {
    let first = custom(|custom| {
        custom.remote_error = Some(|_| Some(CallError::Closed));
    });
    let second = custom(|custom| {
        custom.remote_error =
            Some(|error| Some(TranslatedError::new(NoSuchUser, error.clone()).into()));
    });
    let third = custom(|custom| custom.remote_error = Some(|_| None));
    let client = Client::builder()
        .middleware(first)
        .middleware(second)
        .middleware(third);
    let (_server, client) = pair_with(Recorder::default().service(), client).await;
    let error = in_time(client.call::<u8>("fail", ())).await.unwrap_err();
    let CallError::Translated(translated) = &error else {
        panic!("{error}");
    };
    assert_eq!(translated.downcast_ref(), Some(&NoSuchUser));
    assert_eq!(translated.remote().name, "ValueError");
    // What passes it on keeps what the server said.
    assert_eq!(Fault::from(error).name(), "ValueError");
}

#[tokio::test]
async fn endpoints_are_resolved_before_they_are_used() {
    let server = Recorder::default().service().middleware(custom(|custom| {
        custom.resolve = Some(|endpoint| {
            assert_eq!(endpoint, "service://calculator");
            Ok(Resolution::Replaced("tcp://127.0.0.1:*".to_owned()))
        });
    }));
    let server = server.bind("service://calculator").build().await.unwrap();
    assert!(server.endpoints()[0].starts_with("tcp://127.0.0.1:"));

    let refused = custom(|custom| {
        custom.resolve = Some(|_| Err(ResolveError::new("nobody is registered")));
    });
    let client = Client::builder().connect("service://x").middleware(refused);
    let error = client.build().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "endpoint service://x cannot be resolved: nobody is registered"
    );
    let refused = custom(|custom| custom.resolve = Some(|_| Err(ResolveError::new("no"))));
    let server = Server::builder().bind("service://x").middleware(refused);
    let error = server.build().await.unwrap_err();
    assert!(
        matches!(error, BuildError::Connect(ConnectError::Resolve { .. })),
        "{error}"
    );
}

#[tokio::test]
async fn a_header_that_a_hook_changed_is_what_the_handler_sees() {
    let server = Server::builder()
        .method("user", |(): ()| async {
            let context = CallContext::current().unwrap();
            context.header::<String>("user").unwrap()
        })
        .middleware(custom(|custom| {
            custom.before_exec = Some(|request| Ok(request.header_mut().insert("user", "ada")?));
        }));
    let (_server, client) = pair(server).await;
    let user = in_time(client.call::<String>("user", ())).await;
    assert_eq!(user.as_deref(), Ok("ada"));
}

#[tokio::test]
async fn a_hook_that_panics_fails_its_call_alone() {
    let server = Recorder::default().service().middleware(custom(|custom| {
        custom.before_exec = Some(|request| {
            assert_ne!(request.args::<(u8,)>()?, (13,), "unlucky");
            Ok(())
        });
    }));
    let (_server, client) = pair(server).await;
    for method in ["echo", "slow"] {
        let error = in_time(client.call::<u8>(method, (13,))).await.unwrap_err();
        assert!(
            matches!(&error, CallError::Remote(remote) if remote.name == "RuntimeError"),
            "{error}"
        );
        assert_eq!(in_time(client.call::<u8>(method, (7,))).await, Ok(7));
    }
}
