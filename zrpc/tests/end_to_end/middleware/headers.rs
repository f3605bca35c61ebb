//! Header entries that the other side would not take.

use std::collections::HashMap;

use zrpc::middleware::{HeaderEntries, Middleware, TaskContext};
use zrpc::{CallError, Client, Compat, Fault, Server, ServerBuilder};

use crate::support::{in_time, pair, pair_with};

/// Adds an entry that makes Python drop the whole event.
struct Numbered;

impl Middleware for Numbered {
    fn get_task_context(&self, _: &TaskContext, header: &mut HeaderEntries) {
        header.insert("numbers", &HashMap::from([(1, 2)])).unwrap();
    }
}

fn service() -> ServerBuilder {
    Server::builder()
        .method("value", |(): ()| async { 7_u8 })
        .stream("items", |(): ()| futures_util::stream::iter([1_u8, 2]))
        .blocking("thread", |(): ()| 7_u8)
        .blocking_stream("iterator", |(): ()| [1_u8, 2])
        .blocking_stream("nothing", |(): ()| [0_u8; 0])
        .method("fail", |(): ()| async {
            Err::<u8, _>(Fault::new("Failure", "of its own"))
        })
}

// Q22
#[tokio::test]
async fn q22_header_entries_of_answers_are_checked() {
    let (_server, client) = pair(service().middleware(Numbered)).await;
    for method in ["value", "items", "thread", "iterator", "nothing"] {
        let mut items = client.stream::<u8>(method, ()).await.unwrap();
        let error = in_time(items.next_item()).await.unwrap_err();
        let expected = format!(
            "TypeError: {method}() has an answer that cannot be sent: header[\"numbers\"][key 0]: \
             map key is an integer"
        );
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
    // An error says what it says, without the entries.
    let error = in_time(client.call::<u8>("fail", ())).await.unwrap_err();
    assert_eq!(error.to_string(), "Failure: of its own");

    let (_server, client) = pair(service().compat(Compat::ANY).middleware(Numbered)).await;
    assert_eq!(in_time(client.call::<u8>("value", ())).await, Ok(7));
}

// Q22
#[tokio::test]
async fn q22_header_entries_of_requests_are_checked() {
    let client = Client::builder().middleware(Numbered);
    let (_server, client) = pair_with(service(), client).await;
    let error = in_time(client.call::<u8>("value", ())).await.unwrap_err();
    let CallError::NotPortable { detail, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(detail.path.header(), Some("numbers"));
    let request = client.request("value", ()).compat(Compat::ANY);
    assert_eq!(in_time(request.call()).await, Ok(7_u8));
}
