//! Every kind of method, called through the typed client.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::ParseIntError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use rmpv::Value;
use zrpc::{CallContext, CallError, Fault};

use crate::support::{in_time, serve};

#[derive(Debug, thiserror::Error)]
#[error("{0} is refused")]
struct Refused(u64);

#[derive(Debug)]
struct Kinds {
    greeting: String,
    words: Vec<String>,
    calls: AtomicU64,
}

impl Kinds {
    fn new() -> Self {
        Self {
            greeting: "Hello".to_owned(),
            words: ["a", "b", "c"].map(str::to_owned).to_vec(),
            calls: AtomicU64::new(0),
        }
    }
}

#[zrpc::service]
impl Kinds {
    async fn hello(&self, name: String) -> String {
        self.calls.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        format!("{}, {name}", self.greeting)
    }

    fn add(&self, left: i64, right: i64) -> i64 {
        left + right
    }

    fn nothing(&self) {}

    /// Lends its result.
    fn greeting(&self) -> &str {
        &self.greeting
    }

    fn words(&self) -> &[String] {
        &self.words
    }

    fn cow(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.greeting)
    }

    #[zrpc(blocking)]
    fn square(&self, number: u64) -> Result<u64, Refused> {
        match number {
            13 => Err(Refused(number)),
            number => Ok(number * number),
        }
    }

    fn parse(&self, text: String) -> Result<i64, ParseIntError> {
        text.parse()
    }

    fn fail(&self, message: String) -> Result<(), Fault> {
        Err(Fault::new("ValueError", message))
    }

    fn count(&self, to: u64) -> impl Stream<Item = u64> {
        stream::iter(0..to)
    }

    /// Borrows from the service for as long as it lasts.
    fn lent_words(&self) -> impl Stream<Item = &str> {
        stream::iter(&self.words).map(String::as_str)
    }

    async fn checked(&self, to: u64) -> Result<impl Stream<Item = Result<u64, Refused>>, Refused> {
        tokio::task::yield_now().await;
        if to == 13 {
            return Err(Refused(to));
        }
        Ok(stream::iter(0..=to).map(move |number| match number == to {
            true => Err(Refused(number)),
            false => Ok(number),
        }))
    }

    fn boxed(&self) -> BoxStream<'_, &String> {
        stream::iter(&self.words).boxed()
    }

    #[zrpc(stream = u64)]
    fn named(&self) -> Numbers {
        stream::iter(vec![7, 8])
    }

    fn iterator(&self) -> impl Iterator<Item = String> {
        self.words.iter().cloned()
    }

    #[zrpc(blocking)]
    fn blocking_words(&self) -> impl Iterator<Item = Result<&String, Refused>> {
        let last = std::iter::once_with(|| Err(Refused(4)));
        self.words.iter().map(Ok).chain(last)
    }

    #[zrpc(blocking)]
    fn boxed_iterator(&self, to: u8) -> Result<Box<dyn Iterator<Item = u8>>, Refused> {
        match to {
            13 => Err(Refused(13)),
            to => Ok(Box::new(0..to)),
        }
    }

    fn title(&self, name: String, title: Option<String>, #[zrpc(default = 1)] times: u8) -> String {
        let title = title.map(|title| title + " ").unwrap_or_default();
        format!("{title}{name}").repeat(times.into())
    }

    fn defaults(
        &self,
        #[zrpc(default = "text")] text: String,
        #[zrpc(default)] list: Vec<u8>,
        #[zrpc(default = Some(2.5))] number: Option<f64>,
    ) -> (String, Vec<u8>, Option<f64>) {
        (text, list, number)
    }

    fn sum(
        &self,
        scale: i64,
        #[zrpc(default = 0)] offset: i64,
        #[zrpc(rest)] rest: Vec<i64>,
    ) -> i64 {
        scale * rest.iter().sum::<i64>() + offset
    }

    fn all(&self, #[zrpc(rest)] values: Vec<Value>) -> Vec<Value> {
        values
    }

    fn context(&self, before: u8, context: &CallContext, after: u8) -> (String, u8, u8) {
        (context.method().to_owned(), before, after)
    }

    async fn own_context(&self, #[zrpc(context)] call: Caller) -> String {
        tokio::task::yield_now().await;
        call.method().to_owned()
    }

    #[zrpc(blocking)]
    fn blocking_context(&self, context: CallContext) -> bool {
        context.is_cancelled()
    }

    #[zrpc(name = "class.method")]
    fn renamed(&self, r#type: String, _unused: u8) -> String {
        r#type
    }

    async fn shared(self: Arc<Self>) -> u64 {
        tokio::spawn(async move { self.calls.load(Ordering::Relaxed) })
            .await
            .unwrap()
    }

    #[zrpc(skip)]
    fn hidden(&mut self) {
        self.words.clear();
    }

    #[cfg(any())]
    fn not_compiled(&self, value: NoSuchType) {}

    /// Names that the macro uses itself.
    fn names(&self, this: u8, items: u8, context: u8, methods: u8) -> [u8; 4] {
        [this, items, context, methods]
    }

    fn map(&self) -> BTreeMap<String, u8> {
        BTreeMap::from([("a".to_owned(), 1)])
    }
}

type Caller = CallContext;
type Numbers = stream::Iter<std::vec::IntoIter<u64>>;

fn remote(error: &CallError) -> (&str, &str) {
    match error {
        CallError::Remote(error) => (&error.name, &error.message),
        other => panic!("an error of the method was expected: {other:?}"),
    }
}

#[tokio::test]
async fn plain_results_are_returned() {
    let (_server, client) = serve(Kinds::new()).await;
    let client = KindsClient::new(client);
    assert_eq!(in_time(client.hello("RPC")).await.unwrap(), "Hello, RPC");
    assert_eq!(client.add(2, 3).await.unwrap(), 5);
    client.nothing().await.unwrap();
    assert_eq!(client.square(12).await.unwrap(), 144);
    assert_eq!(client.map().await.unwrap()["a"], 1);
    assert_eq!(client.names(1, 2, 3, 4).await.unwrap(), [1, 2, 3, 4]);
}

#[tokio::test]
async fn results_may_borrow_from_the_service() {
    let (_server, client) = serve(Kinds::new()).await;
    let client = KindsClient::new(client);
    assert_eq!(in_time(client.greeting()).await.unwrap(), "Hello");
    assert_eq!(client.words().await.unwrap(), ["a", "b", "c"]);
    assert_eq!(client.cow().await.unwrap(), "Hello");
}

#[tokio::test]
async fn errors_become_faults() {
    let (_server, client) = serve(Kinds::new()).await;
    let client = KindsClient::new(client);
    let error = in_time(client.square(13)).await.unwrap_err();
    assert_eq!(remote(&error), ("Refused", "13 is refused"));
    let error = client.parse("x").await.unwrap_err();
    assert_eq!(remote(&error).0, "ParseIntError");
    assert_eq!(client.parse("-4").await.unwrap(), -4);
    let error = client.fail("bad").await.unwrap_err();
    assert_eq!(remote(&error), ("ValueError", "bad"));
}

#[tokio::test]
async fn streams_are_streams_of_what_is_in_them() {
    let (_server, client) = serve(Kinds::new()).await;
    let client = KindsClient::new(client);
    let items = in_time(client.count(3)).await.unwrap();
    assert_eq!(items.try_collect::<Vec<_>>().await.unwrap(), [0, 1, 2]);
    let items = client.lent_words().await.unwrap();
    assert_eq!(
        items.try_collect::<Vec<String>>().await.unwrap(),
        ["a", "b", "c"]
    );
    let items = client.boxed().await.unwrap();
    assert_eq!(
        items.try_collect::<Vec<_>>().await.unwrap(),
        ["a", "b", "c"]
    );
    let items = client.named().await.unwrap();
    assert_eq!(items.try_collect::<Vec<u64>>().await.unwrap(), [7, 8]);
    let items = client.iterator().await.unwrap();
    assert_eq!(
        items.try_collect::<Vec<_>>().await.unwrap(),
        ["a", "b", "c"]
    );
}

#[tokio::test]
async fn streams_fail_before_their_first_item_and_behind_it() {
    let (_server, client) = serve(Kinds::new()).await;
    let client = KindsClient::new(client);
    let mut items = in_time(client.checked(13)).await.unwrap();
    let error = in_time(items.next_item()).await.unwrap_err();
    assert_eq!(remote(&error), ("Refused", "13 is refused"));
    let mut items = client.checked(1).await.unwrap();
    assert_eq!(items.next_item().await.unwrap(), Some(0));
    let error = items.next_item().await.unwrap_err();
    assert_eq!(remote(&error), ("Refused", "1 is refused"));
}

#[tokio::test]
async fn blocking_iterators_may_borrow_and_fail() {
    let (_server, client) = serve(Kinds::new()).await;
    let client = KindsClient::new(client);
    let mut items = in_time(client.blocking_words()).await.unwrap();
    let mut words = Vec::new();
    let error = loop {
        match in_time(items.next_item()).await {
            Ok(Some(word)) => words.push(word),
            Ok(None) => panic!("the stream ends with an error"),
            Err(error) => break error,
        }
    };
    assert_eq!(words, ["a", "b", "c"]);
    assert_eq!(remote(&error), ("Refused", "4 is refused"));
    let items = client.boxed_iterator(3).await.unwrap();
    assert_eq!(items.try_collect::<Vec<_>>().await.unwrap(), [0, 1, 2]);
    let mut items = client.boxed_iterator(13).await.unwrap();
    let error = in_time(items.next_item()).await.unwrap_err();
    assert_eq!(remote(&error).0, "Refused");
}

#[tokio::test]
async fn trailing_arguments_may_be_left_out() {
    let (_server, client) = serve(Kinds::new()).await;
    let typed = KindsClient::new(client.clone());
    let title = Some("Ms".to_owned());
    assert_eq!(in_time(typed.title("A", None, None)).await.unwrap(), "A");
    assert_eq!(typed.title("A", title, None).await.unwrap(), "Ms A");
    assert_eq!(typed.title("A", None, Some(2)).await.unwrap(), "AA");
    assert_eq!(client.call::<String>("title", ("A",)).await.unwrap(), "A");
    assert_eq!(
        typed.defaults(None, None, None).await.unwrap(),
        ("text".to_owned(), Vec::new(), Some(2.5))
    );
    assert_eq!(
        typed
            .defaults(None, Some(vec![1]), Some(None))
            .await
            .unwrap(),
        ("text".to_owned(), vec![1], None)
    );
    let error = client.call::<String>("title", ()).await.unwrap_err();
    assert_eq!(
        remote(&error),
        ("TypeError", "title() missing 1 required argument: 'name'")
    );
}

#[tokio::test]
async fn any_number_of_arguments_may_follow() {
    let (_server, client) = serve(Kinds::new()).await;
    let typed = KindsClient::new(client.clone());
    assert_eq!(
        in_time(typed.sum(2, Some(1), vec![3, 4])).await.unwrap(),
        15
    );
    assert_eq!(typed.sum(2, None, vec![]).await.unwrap(), 0);
    assert_eq!(client.call::<i64>("sum", (2,)).await.unwrap(), 0);
    assert_eq!(client.call::<i64>("sum", (2, 1, 5)).await.unwrap(), 11);
    let error = client.call::<i64>("sum", ()).await.unwrap_err();
    assert_eq!(
        remote(&error).1,
        "sum() missing 1 required argument: 'scale'"
    );
    let error = client.call::<i64>("sum", (1, 2, "x")).await.unwrap_err();
    assert!(
        remote(&error).1.starts_with("sum() argument 3 'rest': "),
        "{error}"
    );
    let values = vec![Value::from(1), Value::from("two")];
    assert_eq!(typed.all(values.clone()).await.unwrap(), values);
}

#[tokio::test]
async fn the_context_of_a_call_is_no_argument() {
    let (_server, client) = serve(Kinds::new()).await;
    let typed = KindsClient::new(client);
    assert_eq!(
        in_time(typed.context(1, 2)).await.unwrap(),
        ("context".to_owned(), 1, 2)
    );
    assert_eq!(typed.own_context().await.unwrap(), "own_context");
    assert!(!typed.blocking_context().await.unwrap());
}

#[tokio::test]
async fn names_are_those_of_the_source_unless_given() {
    let (_server, client) = serve(Kinds::new()).await;
    let typed = KindsClient::new(client.clone());
    assert_eq!(in_time(typed.renamed("a", 1)).await.unwrap(), "a");
    let error = client
        .call::<String>("renamed", ("a", 1))
        .await
        .unwrap_err();
    assert_eq!(remote(&error), ("NameError", "renamed"));
    let error = client.call::<()>("hidden", ()).await.unwrap_err();
    assert_eq!(remote(&error), ("NameError", "hidden"));
}

#[tokio::test]
async fn calls_share_one_service() {
    let service = Arc::new(Kinds::new());
    let (_server, client) = serve(Arc::clone(&service)).await;
    let typed = KindsClient::new(client);
    for _ in 0..3 {
        in_time(typed.hello("x")).await.unwrap();
    }
    assert_eq!(typed.shared().await.unwrap(), 3);
    assert_eq!(service.calls.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn what_is_left_out_is_still_there_in_rust() {
    let mut service = Kinds::new();
    service.hidden();
    let (_server, client) = serve(service).await;
    let typed = KindsClient::new(client);
    assert_eq!(in_time(typed.words()).await.unwrap(), [""; 0]);
}
