//! Services that are defined as traits.

use std::sync::Arc;

use futures_util::stream::{self, Stream, TryStreamExt};
use zrpc::{CallContext, CallError, Fault, Method, MethodSet, Server, Service};

use crate::support::{in_time, serve, serve_all};

#[derive(Debug, thiserror::Error)]
#[error("nobody is called {0}")]
struct Unknown(String);

/// Greets, in some language.
#[zrpc::service]
trait Greeter {
    /// Greets somebody.
    async fn hello(&self, name: String) -> Result<String, Unknown>;

    /// Counts up.
    fn count(&self, #[zrpc(default = 3)] to: u64) -> impl Stream<Item = u64>;

    /// A stream that has to be waited for.
    async fn later(&self) -> Result<impl Stream<Item = Result<u64, Unknown>>, Unknown>;

    #[zrpc(blocking)]
    fn work(&self, number: u64) -> u64;

    #[zrpc(blocking)]
    fn letters(&self, text: String) -> impl Iterator<Item = char>;

    /// What implementations need not say.
    async fn polite(&self, name: String) -> Result<String, Unknown> {
        Ok(format!("{}!", self.hello(name).await?))
    }

    fn method(&self, context: &CallContext) -> String {
        context.method().to_owned()
    }

    #[zrpc(skip)]
    fn language(&self) -> &'static str {
        "English"
    }
}

struct English;

impl Greeter for English {
    async fn hello(&self, name: String) -> Result<String, Unknown> {
        tokio::task::yield_now().await;
        match name.as_str() {
            "" => Err(Unknown(name)),
            name => Ok(format!("Hello, {name}")),
        }
    }

    fn count(&self, to: u64) -> impl Stream<Item = u64> {
        stream::iter(0..to)
    }

    async fn later(&self) -> Result<impl Stream<Item = Result<u64, Unknown>>, Unknown> {
        tokio::task::yield_now().await;
        Ok(stream::iter([Ok(1), Err(Unknown("two".to_owned()))]))
    }

    fn work(&self, number: u64) -> u64 {
        number * 2
    }

    fn letters(&self, text: String) -> impl Iterator<Item = char> {
        // An iterator that cannot leave its thread.
        let letters = std::rc::Rc::new(text.chars().collect::<Vec<_>>());
        (0..letters.len()).map(move |at| letters[at])
    }
}

/// Served by its type alone.
struct French;

#[zrpc::service]
impl Greeter for French {
    async fn hello(&self, name: String) -> Result<String, Unknown> {
        tokio::task::yield_now().await;
        Ok(format!("Bonjour, {name}"))
    }

    fn count(&self, to: u64) -> impl Stream<Item = u64> {
        stream::iter((0..to).rev())
    }

    async fn later(&self) -> Result<impl Stream<Item = Result<u64, Unknown>>, Unknown> {
        tokio::task::yield_now().await;
        Err::<stream::Empty<_>, _>(Unknown(self.language().to_owned()))
    }

    fn work(&self, number: u64) -> u64 {
        number
    }

    fn letters(&self, text: String) -> impl Iterator<Item = char> {
        text.chars().rev().collect::<Vec<_>>().into_iter()
    }

    fn language(&self) -> &'static str {
        "French"
    }
}

#[tokio::test]
async fn an_implementation_becomes_a_service() {
    let (_server, client) = serve(English.into_service()).await;
    let client = GreeterClient::new(client);
    assert_eq!(in_time(client.hello("RPC")).await.unwrap(), "Hello, RPC");
    assert_eq!(client.polite("RPC").await.unwrap(), "Hello, RPC!");
    assert_eq!(client.work(4).await.unwrap(), 8);
    assert_eq!(client.method().await.unwrap(), "method");
    let items = client.count(None).await.unwrap();
    assert_eq!(items.try_collect::<Vec<_>>().await.unwrap(), [0, 1, 2]);
    let items = client.letters("abc").await.unwrap();
    let letters: Vec<char> = in_time(items.try_collect()).await.unwrap();
    assert_eq!(letters, ['a', 'b', 'c']);
    let error = client.hello("").await.unwrap_err();
    assert!(
        matches!(&error, CallError::Remote(error) if error.name == "Unknown"),
        "{error:?}"
    );
    let mut items = client.later().await.unwrap();
    assert_eq!(items.next_item().await.unwrap(), Some(1));
    assert!(items.next_item().await.is_err());
}

#[tokio::test]
async fn an_implementation_may_be_a_service_itself() {
    let shared: Arc<dyn Service> = Arc::new(French);
    assert_eq!(shared.name(), "Greeter");
    let (_server, client) = serve(shared).await;
    let client = GreeterClient::new(client);
    assert_eq!(in_time(client.hello("RPC")).await.unwrap(), "Bonjour, RPC");
    let items = client.count(Some(2)).await.unwrap();
    assert_eq!(items.try_collect::<Vec<_>>().await.unwrap(), [1, 0]);
    let mut items = client.later().await.unwrap();
    let error = in_time(items.next_item()).await.unwrap_err();
    assert!(
        matches!(&error, CallError::Remote(error) if error.message == "nobody is called French"),
        "{error:?}"
    );
}

#[tokio::test]
async fn two_implementations_share_a_server() {
    let server = Server::builder()
        .service_with_prefix("en.", English.into_service())
        .service_with_prefix("fr.", French);
    let (_server, client) = serve_all(server).await;
    let client = GreeterClient::new(client);
    let (english, french) = (client.with_prefix("en."), client.with_prefix("fr."));
    assert_eq!(in_time(english.hello("a")).await.unwrap(), "Hello, a");
    assert_eq!(in_time(french.hello("a")).await.unwrap(), "Bonjour, a");
}

/// A service that somebody else offers: nothing of it is decoded here but results.
#[zrpc::service(no_server, name = "Elsewhere", client = pub(crate) Remote)]
trait Elsewhere {
    async fn add(&self, left: i64, right: Option<i64>) -> i64;

    /// References are sent like what they refer to.
    async fn join(&self, words: &[&str], separator: &str) -> Result<String, Fault>;

    async fn log(&self, level: &str, #[zrpc(rest)] words: Vec<&str>);
}

#[tokio::test]
async fn a_client_needs_no_server_of_its_own() {
    let elsewhere = MethodSet::new("Elsewhere")
        .with(Method::new(
            "add",
            |(left, right): (i64, Option<i64>)| async move { left + right.unwrap_or(100) },
        ))
        .with(Method::new(
            "join",
            |(words, separator): (Vec<String>, String)| async move { words.join(&separator) },
        ))
        .with(Method::new("log", |words: Vec<String>| async move {
            match words.len() {
                3 => Ok(()),
                _ => Err(Fault::new("ValueError", "three are expected")),
            }
        }));
    let (_server, client) = serve(elsewhere).await;
    let client = Remote::from(client);
    assert_eq!(in_time(client.add(1, None)).await.unwrap(), 101);
    assert_eq!(client.add(1, Some(2)).await.unwrap(), 3);
    assert_eq!(client.join(&["a", "b"], "-").await.unwrap(), "a-b");
    client.log("info", vec!["a", "b"]).await.unwrap();
}

/// Has methods of one name, of which one is there at a time.
#[zrpc::service]
trait Conditional {
    #[cfg(not(test))]
    fn limit(&self) -> u8;

    #[cfg(test)]
    async fn limit(&self) -> u64;
}

struct Limited;

impl Conditional for Limited {
    async fn limit(&self) -> u64 {
        1 << 40
    }
}

#[tokio::test]
async fn methods_of_one_name_may_have_conditions() {
    let (_server, client) = serve(Limited.into_service()).await;
    let client = ConditionalClient::new(client);
    assert_eq!(in_time(client.limit()).await.unwrap(), 1 << 40);
}
