//! What every typed client can do.

use std::time::Duration;

use zrpc::{CallError, Client, Heartbeat, Method, MethodSet, Request, Server, Stub};

use crate::support::{in_time, serve, serve_all};

struct Slow;

#[zrpc::service]
impl Slow {
    /// Never answers.
    async fn never(&self) {
        std::future::pending::<()>().await;
    }

    fn at_once(&self) -> u8 {
        1
    }
}

#[tokio::test]
async fn a_timeout_is_for_the_calls_of_one_client() {
    let (_server, client) = serve(Slow).await;
    let patient = SlowClient::new(client);
    let hasty = patient.with_timeout(Duration::from_millis(50));
    let error = in_time(hasty.never()).await.unwrap_err();
    assert!(
        matches!(error, CallError::Timeout { after, .. } if after == Duration::from_millis(50)),
        "{error:?}"
    );
    let never = tokio::time::timeout(Duration::from_millis(200), patient.never()).await;
    assert!(never.is_err(), "{never:?}");
}

#[tokio::test]
async fn options_add_up_and_the_last_one_counts() {
    let (_server, client) = serve(Slow).await;
    let client = SlowClient::new(client)
        .with(|request| request.heartbeat(Heartbeat::off()).no_timeout())
        .with(|request: Request| request.slots(1))
        .with_timeout(Duration::from_millis(50));
    let error = in_time(client.never()).await.unwrap_err();
    assert!(matches!(error, CallError::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn clients_are_made_of_clients_and_stubs() {
    let server = Server::builder()
        .service(Slow)
        .service_with_prefix("a.b.", Slow);
    let (server, client) = serve_all(server).await;
    let connected = SlowClient::connect(&server.endpoints()[0]).await.unwrap();
    assert_eq!(in_time(connected.at_once()).await.unwrap(), 1);
    let stub = Stub::from(client).with_prefix("b.").with_prefix("a.");
    assert_eq!(in_time(stub.call::<u8>("at_once", ())).await.unwrap(), 1);
    let typed = SlowClient::from_stub(stub);
    assert_eq!(in_time(typed.clone().at_once()).await.unwrap(), 1);
    assert!(format!("{typed:?}").contains("a.b."), "{typed:?}");
    let _client: &Client = typed.stub().client();
}

/// Notes how many arguments were sent.
#[zrpc::service(no_server)]
trait Counting {
    async fn count(&self, first: u8, second: Option<u8>, #[zrpc(default = 7)] third: u8)
    -> Vec<u8>;
}

#[tokio::test]
async fn what_is_left_out_at_the_end_is_not_sent() {
    let counts =
        MethodSet::new("Counting").with(Method::new("count", |args: Vec<Option<u8>>| async move {
            args.iter().map(|arg| arg.unwrap_or(0)).collect::<Vec<_>>()
        }));
    let (_server, client) = serve(counts).await;
    let client = CountingClient::new(client);
    assert_eq!(in_time(client.count(1, None, None)).await.unwrap(), [1]);
    assert_eq!(client.count(1, Some(2), None).await.unwrap(), [1, 2]);
    assert_eq!(client.count(1, None, Some(3)).await.unwrap(), [1, 0, 3]);
}

mod elsewhere {
    pub(super) mod library {
        pub(in super::super) use zrpc as rpc;
    }

    pub(super) struct Here;

    #[zrpc::service(crate = library::rpc, client = pub(super) Caller)]
    impl Here {
        fn here(&self, #[zrpc(rest)] numbers: Vec<u8>) -> usize {
            numbers.len()
        }
    }
}

#[tokio::test]
async fn the_crate_may_be_elsewhere() {
    let (_server, client) = serve(elsewhere::Here).await;
    let client = elsewhere::Caller::new(client);
    assert_eq!(in_time(client.here(vec![1, 2])).await.unwrap(), 2);
}
