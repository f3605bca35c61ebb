//! Typed clients whose calls block the thread.

#![cfg(feature = "blocking")]

use std::time::Duration;

use futures_util::stream::{self, Stream};
use zrpc::blocking::{Client, Server};
use zrpc::{CallError, ServerBuilder, Service, Stub};

struct Sums {
    offset: i64,
}

#[zrpc::service(blocking_client)]
impl Sums {
    /// Adds two numbers.
    fn add(&self, left: i64, right: Option<i64>) -> i64 {
        self.offset + left + right.unwrap_or(1)
    }

    fn count(&self, #[zrpc(default = 3)] to: u64) -> impl Stream<Item = u64> + use<> {
        stream::iter(0..to)
    }

    #[zrpc(blocking)]
    fn join(&self, first: String, #[zrpc(rest)] others: Vec<String>) -> Result<String, Empty> {
        match first.is_empty() {
            true => Err(Empty),
            false => Ok(first + &others.concat()),
        }
    }

    async fn never(&self) {
        std::future::pending::<()>().await;
    }
}

#[derive(Debug, thiserror::Error)]
#[error("nothing to begin with")]
struct Empty;

fn serve(server: ServerBuilder) -> (Server, Client) {
    let server = server.bind("tcp://127.0.0.1:*").build_blocking().unwrap();
    let client = Client::connect(&server.endpoints()[0]).unwrap();
    (server, client)
}

fn sums() -> impl Service {
    Sums { offset: 100 }
}

#[test]
fn methods_block_until_there_is_a_result() {
    let (server, client) = serve(zrpc::Server::builder().service(sums()));
    let client = SumsBlockingClient::new(client);
    assert_eq!(client.add(1, None), Ok(102));
    assert_eq!(client.add(1, Some(2)), Ok(103));
    let items: Result<Vec<u64>, _> = client.count(Some(2)).unwrap().collect();
    assert_eq!(items, Ok(vec![0, 1]));
    assert_eq!(client.count(None).unwrap().count(), 3);
    let others = vec!["b".to_owned(), "c".to_owned()];
    assert_eq!(client.join("a", others).unwrap(), "abc");
    let error = client.join("", vec![]).unwrap_err();
    assert!(matches!(error, CallError::Remote(error) if error.name == "Empty"));
    let connected = SumsBlockingClient::connect(&server.endpoints()[0]).unwrap();
    assert_eq!(connected.add(0, Some(0)), Ok(100));
    connected.stub().blocking_client().connected().unwrap();
    connected.stub().blocking_client().close();
    assert_eq!(connected.add(0, Some(0)), Err(CallError::Closed));
}

#[test]
fn prefixes_and_options_are_those_of_other_clients() {
    let server = zrpc::Server::builder().service_with_prefix("math.", sums());
    let (_server, client) = serve(server);
    let client = SumsBlockingClient::from(client).with_prefix("math.");
    assert_eq!(client.clone().add(0, Some(0)), Ok(100));
    let hasty = client.with_timeout(Duration::from_millis(50));
    let error = hasty.never().unwrap_err();
    assert!(matches!(error, CallError::Timeout { .. }), "{error}");
    let hasty = client.with(|request| request.timeout(Duration::from_millis(60)));
    let error = hasty.never().unwrap_err();
    assert!(matches!(error, CallError::Timeout { .. }), "{error}");
    // The stub is that of clients for tasks.
    let stub: &Stub = client.stub();
    let request = stub.request("add", (0, 0));
    assert_eq!(request.blocking_call::<i64>(), Ok(100));
    assert!(format!("{client:?}").contains("math."), "{client:?}");
    let again = SumsBlockingClient::from_stub(stub.clone());
    assert_eq!(again.add(0, Some(0)), Ok(100));
}

/// A service of somebody else, called by threads alone.
#[zrpc::service(no_server, no_client, blocking_client = pub(crate) Elsewhere)]
trait Remote {
    async fn add(&self, left: i64, right: i64) -> i64;
    async fn join(&self, first: &str, #[zrpc(rest)] others: &[String]) -> String;
}

#[test]
fn a_trait_is_called_by_threads_alone() {
    let (_server, client) = serve(zrpc::Server::builder().service(sums()));
    let client = Elsewhere::new(client);
    assert_eq!(client.add(1, 1), Ok(102));
    assert_eq!(client.join("a", &["b".to_owned()]).unwrap(), "ab");
}

struct Store<T> {
    value: T,
}

/// What callers get is a parameter of the client.
#[zrpc::service(no_client, blocking_client = StoreCaller)]
impl<T: Clone + Sync> Store<T> {
    fn load(&self) -> T {
        self.value.clone()
    }
}

#[test]
fn types_that_callers_get_are_parameters() {
    let store = Store {
        value: "kept".to_owned(),
    };
    let (_server, client) = serve(zrpc::Server::builder().service(store));
    let client = StoreCaller::<String>::new(client);
    assert_eq!(client.load().unwrap(), "kept");
}
