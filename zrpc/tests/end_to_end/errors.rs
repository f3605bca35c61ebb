//! What goes wrong, and what callers are told of it.

use zrpc::{
    Argument, BuildError, CallError, Client, Compat, ConnectError, Fault, Method, Server,
    Tracebacks,
};

use crate::support::{in_time, pair};

/// The name and the message of the error that a server sent.
fn remote(error: CallError) -> (String, String, Option<String>) {
    match error {
        CallError::Remote(error) => (error.name, error.message, error.traceback),
        other => panic!("an error of the server was expected: {other:?}"),
    }
}

fn named(error: CallError) -> (String, String) {
    let (name, message, _) = remote(error);
    (name, message)
}

#[derive(Debug, thiserror::Error)]
#[error("the answer is {0}")]
struct WrongAnswer(u8);

#[tokio::test]
async fn errors_arrive_with_their_name_and_message() {
    let (_server, client) = pair(
        Server::builder()
            .method("typed", |(): ()| async { Err::<(), _>(WrongAnswer(43)) })
            .method("named", |(): ()| async {
                Err::<(), _>(Fault::new("ValueError", "no").with_traceback("secret"))
            })
            .blocking("blocking", |(): ()| Err::<(), _>(WrongAnswer(44))),
    )
    .await;
    for (method, name, message) in [
        ("typed", "WrongAnswer", "the answer is 43"),
        ("named", "ValueError", "no"),
        ("blocking", "WrongAnswer", "the answer is 44"),
    ] {
        let error = in_time(client.call::<()>(method, ())).await.unwrap_err();
        let expected = (name.to_owned(), message.to_owned(), None);
        assert_eq!(remote(error), expected);
    }
}

#[tokio::test]
async fn tracebacks_are_sent_where_asked_for() {
    let (_server, client) = pair(
        Server::builder()
            .tracebacks(Tracebacks::Sent)
            .method("fail", |(): ()| async {
                Err::<(), _>(Fault::new("ValueError", "no").with_traceback("line 1"))
            }),
    )
    .await;
    let error = in_time(client.call::<()>("fail", ())).await.unwrap_err();
    assert_eq!(remote(error).2.as_deref(), Some("line 1"));
}

#[tokio::test]
async fn an_error_passes_through_a_method_that_calls_another() {
    let (inner, client) = pair(Server::builder().method("fail", |(): ()| async {
        Err::<(), _>(Fault::new("KeyError", "'x'"))
    }))
    .await;
    let (_outer, outer_client) = pair(Server::builder().method("relay", move |(): ()| {
        let client = client.clone();
        async move { client.call::<()>("fail", ()).await }
    }))
    .await;
    let error = in_time(outer_client.call::<()>("relay", ()))
        .await
        .unwrap_err();
    assert_eq!(named(error), ("KeyError".to_owned(), "'x'".to_owned()));
    drop(inner);
}

#[tokio::test]
async fn q25_an_unknown_method_is_a_name_error() {
    let (_server, client) = pair(Server::builder().name("empty")).await;
    let error = in_time(client.call::<()>("missing", (1, 2)))
        .await
        .unwrap_err();
    assert_eq!(named(error), ("NameError".to_owned(), "missing".to_owned()));
}

#[tokio::test]
async fn wrong_arguments_are_named_with_what_was_expected() {
    let add = Method::new(
        "add",
        |(left, right): (i64, i64)| async move { left + right },
    );
    let (_server, client) =
        pair(Server::builder().register(add.args([Argument::new("left"), Argument::new("right")])))
            .await;
    let message = async |args: rmpv::Value| {
        let (name, message) = named(in_time(client.call::<i64>("add", args)).await.unwrap_err());
        assert_eq!(name, "TypeError");
        message
    };
    let array = |values: &[rmpv::Value]| rmpv::Value::Array(values.to_vec());
    assert_eq!(
        message(array(&[1.into()])).await,
        "add() missing 1 required argument: 'right'"
    );
    assert_eq!(
        message(array(&[1.into(), 2.into(), 3.into()])).await,
        "add() takes 2 arguments but 3 were given"
    );
    let wrong = message(array(&[1.into(), "two".into()])).await;
    assert!(wrong.starts_with("add() argument 2 'right': "), "{wrong}");
    assert!(wrong.contains("\"two\""), "{wrong}");
    assert!(wrong.contains("i64"), "{wrong}");
    assert_eq!(in_time(client.call::<i64>("add", (1, 2))).await.unwrap(), 3);
}

#[tokio::test]
async fn a_panic_fails_its_own_call_and_nothing_else() {
    let (_server, client) = pair(
        Server::builder()
            .method("before", |(bad,): (bool,)| {
                assert!(!bad, "secret");
                async {}
            })
            .method("during", |(bad,): (bool,)| async move {
                tokio::task::yield_now().await;
                assert!(!bad, "secret");
            })
            .blocking("blocking", |(bad,): (bool,)| assert!(!bad, "secret"))
            .stream("stream", |(bad,): (bool,)| {
                futures_util::stream::once(async move { assert!(!bad, "secret") })
            })
            .blocking_stream("items", |(bad,): (bool,)| {
                std::iter::once(()).inspect(move |()| assert!(!bad, "secret"))
            }),
    )
    .await;
    for method in ["before", "during", "blocking", "stream", "items"] {
        let error = in_time(client.call::<()>(method, (true,)))
            .await
            .unwrap_err();
        let expected = (
            "RuntimeError".to_owned(),
            format!("{method}() panicked"),
            None,
        );
        assert_eq!(remote(error), expected);
        let mut again = client.stream::<()>(method, (false,)).await.unwrap();
        assert_eq!(in_time(again.next_item()).await.unwrap(), Some(()));
    }
}

#[tokio::test]
async fn a_panic_whose_payload_panics_fails_its_own_call_and_nothing_else() {
    struct Payload;
    impl Drop for Payload {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    let server = Server::builder()
        .method("fail", |(): ()| async {
            if true {
                std::panic::panic_any(Payload);
            }
        })
        .method("one", |(): ()| async { 1_u8 });
    let (_server, client) = pair(server).await;
    let error = in_time(client.call::<()>("fail", ())).await.unwrap_err();
    assert!(matches!(error, CallError::Remote(_)), "{error:?}");
    assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
}

#[tokio::test]
async fn arguments_that_cannot_be_encoded_are_not_sent() {
    let (_server, client) = pair(Server::builder().method("one", |(): ()| async { 1_u8 })).await;
    let error = in_time(client.call::<u8>("one", "not a tuple"))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, CallError::Encode { method, .. } if method == "one"),
        "{error:?}"
    );
    // The text alone says what to do.
    assert!(
        error
            .to_string()
            .ends_with("a single argument is `(value,)`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_result_of_another_type_is_an_error() {
    let (_server, client) = pair(
        Server::builder()
            .method("one", |(): ()| async { 1_u8 })
            .stream("mixed", |(): ()| {
                futures_util::stream::iter([rmpv::Value::from(1), "two".into(), 3.into()])
            }),
    )
    .await;
    let error = in_time(client.call::<String>("one", ())).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("result of one cannot be decoded: "),
        "{error}"
    );
    let mut items = client.stream::<u8>("mixed", ()).await.unwrap();
    assert_eq!(in_time(items.next_item()).await.unwrap(), Some(1));
    assert!(matches!(
        in_time(items.next_item()).await,
        Err(CallError::Decode { .. })
    ));
    assert_eq!(in_time(items.next_item()).await.unwrap(), None);
}

#[tokio::test]
async fn results_that_cannot_be_encoded_are_a_type_error() {
    struct Unencodable;
    impl serde::Serialize for Unencodable {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("it is a secret"))
        }
    }
    let (_server, client) =
        pair(Server::builder().method("fail", |(): ()| async { Unencodable })).await;
    let (name, message) = named(in_time(client.call::<()>("fail", ())).await.unwrap_err());
    assert_eq!(name, "TypeError");
    assert!(message.contains("it is a secret"), "{message}");
}

#[tokio::test]
async fn q22_what_python_would_drop_is_an_error_unless_allowed() {
    let keyed = |key: u8| std::collections::HashMap::from([(key, "value")]);
    let service = || {
        Server::builder()
            .method("map", move |(): ()| async move { keyed(1) })
            .stream("maps", move |(): ()| futures_util::stream::iter([keyed(2)]))
            .blocking("echo", |(value,): (rmpv::Value,)| value)
    };
    let (_server, client) = pair(service()).await;
    for method in ["map", "maps"] {
        let error = in_time(client.call::<rmpv::Value>(method, ()))
            .await
            .unwrap_err();
        let (name, message) = named(error);
        assert_eq!(name, "TypeError");
        let start =
            format!("{method}() gave a value that cannot be sent: value[key 0]: map key is ");
        assert!(message.starts_with(&start), "{message}");
    }
    let error = in_time(client.call::<rmpv::Value>("echo", (keyed(3),)))
        .await
        .unwrap_err();
    let CallError::NotPortable { detail, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(detail.path.to_string(), "value[0][key 0]");
    // Of one call alone, and more than the client asks for.
    let request = client.request("echo", (1_u64 << 53,));
    let error = in_time(request.compat(Compat::NODE).call::<u64>()).await;
    assert!(
        matches!(error, Err(CallError::NotPortable { .. })),
        "{error:?}"
    );

    let (_server, client) = pair(service().compat(Compat::ANY)).await;
    let request = client.request("echo", (keyed(3),)).compat(Compat::ANY);
    let map: std::collections::HashMap<u8, String> = in_time(request.call()).await.unwrap();
    assert_eq!(map[&3], "value");
}

#[tokio::test]
async fn mistakes_in_a_service_are_found_when_it_is_built() {
    async fn built(builder: zrpc::ServerBuilder) -> String {
        let built = in_time(builder.bind("tcp://127.0.0.1:*").build()).await;
        built.unwrap_err().to_string()
    }
    let one = || Method::new("one", |(): ()| async { 1_u8 });
    assert_eq!(
        built(Server::builder().register(one()).register(one())).await,
        "method one is registered twice"
    );
    assert_eq!(
        built(Server::builder().register(one().args(["extra"]))).await,
        "method one is described with 1 arguments and accepts 0"
    );
    assert_eq!(
        built(Server::builder().method("_zerorpc_ping", |(): ()| async {})).await,
        "method name _zerorpc_ping is reserved for introspection"
    );
    assert_eq!(
        built(Server::builder().method("bad", |_name: String| async {})).await,
        "method bad takes alloc::string::String, which is no tuple of arguments"
    );
    let text = built(Server::builder().method("bad", |(): ()| async {
        Err::<u8, String>("an error that would be sent as data".to_owned())
    }))
    .await;
    assert!(
        text.starts_with("method bad returns core::result::Result<u8, "),
        "{text}"
    );
}

#[tokio::test]
async fn endpoints_that_cannot_be_used_are_errors() {
    let error = Client::connect("nonsense").await.unwrap_err();
    assert!(matches!(&error, ConnectError::Endpoint { endpoint, .. } if endpoint == "nonsense"));
    let error = Client::builder().build().await.unwrap_err();
    assert_eq!(error, ConnectError::NoEndpoint);
    let server = Server::builder()
        .bind("tcp://127.0.0.1:*")
        .build()
        .await
        .unwrap();
    let taken = Server::builder().bind(&server.endpoints()[0]).build().await;
    assert!(matches!(
        taken,
        Err(BuildError::Connect(ConnectError::Endpoint { .. }))
    ));
}
