//! Services with type parameters.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Mutex;

use futures_util::stream::{self, Stream, TryStreamExt};

use crate::support::{in_time, serve};

trait Clock: Send + Sync + 'static {
    fn now(&self) -> u64;
}

struct Fixed(u64);

impl Clock for Fixed {
    fn now(&self) -> u64 {
        self.0
    }
}

/// A parameter that callers see, one that they do not, and a constant.
struct Store<K, C: Clock, const LIMIT: usize> {
    values: Mutex<BTreeMap<K, u64>>,
    clock: C,
}

#[zrpc::service]
impl<K, C: Clock, const LIMIT: usize> Store<K, C, LIMIT>
where
    K: Ord + Clone + Debug,
{
    /// Notes the time.
    async fn touch(&self, key: K) -> Option<u64> {
        tokio::task::yield_now().await;
        let mut values = self.values.lock().unwrap();
        if values.len() >= LIMIT {
            return None;
        }
        values.insert(key, self.clock.now())
    }

    fn keys(&self) -> impl Stream<Item = K> {
        stream::iter(
            self.values
                .lock()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>(),
        )
    }
}

#[tokio::test]
async fn a_client_has_the_parameters_that_callers_see() {
    let store: Store<String, Fixed, 2> = Store {
        values: Mutex::default(),
        clock: Fixed(7),
    };
    let (_server, client) = serve(store).await;
    let client: StoreClient<String> = StoreClient::new(client);
    assert_eq!(in_time(client.touch("a".to_owned())).await.unwrap(), None);
    assert_eq!(client.touch("a".to_owned()).await.unwrap(), Some(7));
    let keys = client.clone().keys().await.unwrap();
    assert_eq!(keys.try_collect::<Vec<_>>().await.unwrap(), ["a"]);
}

/// Adds things up.
#[zrpc::service]
trait Sums<T> {
    fn sum(&self, left: T, right: T) -> T;
}

struct Numbers;

#[zrpc::service]
impl Sums<i64> for Numbers {
    fn sum(&self, left: i64, right: i64) -> i64 {
        left + right
    }
}

#[tokio::test]
async fn a_definition_may_have_parameters() {
    let (_server, client) = serve(Numbers).await;
    let client = SumsClient::<i64>::new(client);
    assert_eq!(in_time(client.sum(1, 2)).await.unwrap(), 3);
}

/// What turns keys into texts, of which callers know nothing.
trait Renders<K>: Send + Sync + 'static {
    fn render(&self, key: &K) -> String;
}

struct Plain;

impl Renders<u8> for Plain {
    fn render(&self, key: &u8) -> String {
        key.to_string()
    }
}

trait RenderedBy<R> {}

impl RenderedBy<Plain> for u8 {}

struct Printer<K, R> {
    renderer: R,
    key: K,
}

#[zrpc::service]
impl<K: RenderedBy<R> + Sync, R: Renders<K>> Printer<K, R>
where
    Self: Sized,
{
    fn print(&self, key: Option<K>) -> String {
        let key = key.as_ref().unwrap_or(&self.key);
        self.renderer.render(key)
    }
}

#[tokio::test]
async fn conditions_that_concern_the_service_alone_are_not_those_of_clients() {
    let printer = Printer {
        renderer: Plain,
        key: 7_u8,
    };
    let (_server, client) = serve(printer).await;
    let client: PrinterClient<u8> = PrinterClient::new(client);
    assert_eq!(in_time(client.print(None)).await.unwrap(), "7");
}
