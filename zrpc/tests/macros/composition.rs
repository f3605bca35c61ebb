//! Several services in one server.

use std::sync::Arc;

use zrpc::{BuildError, Method, MethodSet, Server, Service};

use crate::support::{in_time, serve_all};

struct Math;

#[zrpc::service]
impl Math {
    fn add(&self, left: i64, right: i64) -> i64 {
        left + right
    }
}

struct Text;

#[zrpc::service(name = "text", client = Words)]
impl Text {
    fn add(&self, left: String, right: String) -> String {
        left + &right
    }
}

#[tokio::test]
async fn prefixes_keep_services_apart() {
    let server = Server::builder()
        .service(Math.prefixed("math."))
        .service_with_prefix("text.", Text);
    let (_server, client) = serve_all(server).await;
    let math = MathClient::new(client.clone()).with_prefix("math.");
    let text = Words::new(client.clone()).with_prefix("text.");
    assert_eq!(in_time(math.add(1, 2)).await.unwrap(), 3);
    assert_eq!(text.add("a", "b").await.unwrap(), "ab");
    let list: Vec<String> = client.call("_zerorpc_list", ()).await.unwrap();
    assert_eq!(list, ["math.add", "text.add"]);
    let name: String = client.call("_zerorpc_name", ()).await.unwrap();
    assert_eq!(name, "Math");
    let error = client.call::<i64>("math.add", (1,)).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("math.add() missing 1 required argument: 'right'"),
        "{error}"
    );
}

#[tokio::test]
async fn services_of_any_type_are_chosen_while_the_program_runs() {
    let services: Vec<Arc<dyn Service>> = vec![
        Arc::new(Math),
        Arc::new(MethodSet::new("extra").with(Method::new("one", |(): ()| async { 1 }))),
    ];
    let server = services
        .into_iter()
        .fold(Server::builder(), |server, service| server.service(service));
    let (_server, client) = serve_all(server).await;
    assert_eq!(in_time(client.call::<i64>("add", (1, 2))).await.unwrap(), 3);
    assert_eq!(client.call::<i64>("one", ()).await.unwrap(), 1);
}

#[tokio::test]
async fn two_methods_of_one_name_are_an_error_of_the_build() {
    for server in [
        Server::builder().service(Math).service(Text),
        Server::builder()
            .service(Math)
            .service(MathTwice)
            .method("other", |(): ()| async {}),
        Server::builder()
            .service_with_prefix("a.", Math)
            .method("a.add", |(): ()| async {}),
    ] {
        let error = server.bind("tcp://127.0.0.1:*").build().await.unwrap_err();
        assert!(
            matches!(&error, BuildError::DuplicateMethod { method } if method.ends_with("add")),
            "{error:?}"
        );
    }
}

struct MathTwice;

impl Service for MathTwice {
    fn name(&self) -> String {
        Math.name()
    }

    fn into_methods(self: Arc<Self>) -> Vec<Method> {
        Arc::new(Math).into_methods()
    }
}

struct Disguised;

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct NoError;

type Outcome = Result<u8, NoError>;

#[zrpc::service(no_client)]
impl Disguised {
    fn outcome(&self) -> Outcome {
        Err(NoError)
    }
}

#[tokio::test]
async fn an_error_that_would_be_sent_as_data_is_an_error_of_the_build() {
    let server = Server::builder()
        .service(Disguised)
        .bind("tcp://127.0.0.1:*");
    let error = server.build().await.unwrap_err();
    assert!(
        matches!(&error, BuildError::ErrorType { method, .. } if method == "outcome"),
        "{error:?}"
    );
}
