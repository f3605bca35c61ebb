//! What callers learn of a service: what Python would tell of the same one.

use rmpv::Value;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zrpc::{CallContext, Client};

use crate::support::{in_time, serve};

struct Described;

#[zrpc::service(name = "Service")]
impl Described {
    /// Adds two numbers.
    ///
    /// Of any size:
    ///
    ///     1 + 2
    fn add(&self, left: i64, #[zrpc(default = 1)] right: i64) -> i64 {
        left + right
    }

    #[doc = "One line."]
    #[doc = concat!("Another", " line.")]
    fn documented(&self) {}

    fn optional(&self, first: Option<u8>, second: u8, _third: Option<u8>, _context: &CallContext) {
        let _ = (first, second);
    }

    fn variadic(&self, first: u8, #[zrpc(default = 2)] second: u8, #[zrpc(rest)] more: Vec<u8>) {
        let _ = (first, second, more);
    }

    fn anything(&self, #[zrpc(rest)] values: Vec<Value>) {
        let _ = values;
    }

    fn named(&self, r#type: u8, #[zrpc(name = "from")] source: u8) {
        let _ = (r#type, source);
    }

    #[zrpc(name = "_hidden")]
    fn hidden(&self) -> u8 {
        1
    }
}

/// The answer to `_zerorpc_inspect`.
#[derive(Debug, Deserialize)]
struct Inspection {
    name: String,
    methods: std::collections::BTreeMap<String, Inspected>,
}

#[derive(Debug, Deserialize)]
struct Inspected {
    doc: Option<String>,
    args: Value,
}

async fn ask<T: DeserializeOwned>(client: &Client, method: &str, args: &[&str]) -> T {
    in_time(client.call(method, args)).await.unwrap()
}

#[tokio::test]
async fn documentation_is_that_of_the_source() {
    let (_server, client) = serve(Described).await;
    let help: Option<String> = ask(&client, "_zerorpc_help", &["add"]).await;
    assert_eq!(
        help.as_deref(),
        Some("Adds two numbers.\n\nOf any size:\n\n    1 + 2")
    );
    let help: Option<String> = ask(&client, "_zerorpc_help", &["documented"]).await;
    assert_eq!(help.as_deref(), Some("One line.\nAnother line."));
    let help: Option<String> = ask(&client, "_zerorpc_help", &["anything"]).await;
    assert_eq!(help, None);
}

#[tokio::test]
async fn argspecs_have_names_defaults_and_the_rest() {
    let (_server, client) = serve(Described).await;
    for (method, expected) in [
        ("add", r#"[["left", "right"], nil, nil, [1]]"#),
        ("documented", "[[], nil, nil, nil]"),
        (
            "optional",
            r#"[["first", "second", "third"], nil, nil, [nil]]"#,
        ),
        ("variadic", r#"[["first", "second"], "more", nil, [2]]"#),
        ("anything", r#"[[], "values", nil, nil]"#),
        ("named", r#"[["type", "from"], nil, nil, nil]"#),
        ("_hidden", "[[], nil, nil, nil]"),
    ] {
        let args: Value = ask(&client, "_zerorpc_args", &[method]).await;
        assert_eq!(args.to_string(), expected, "{method}");
    }
}

#[tokio::test]
async fn inspection_shows_defaults_behind_all_that_must_be_given() {
    let (_server, client) = serve(Described).await;
    let all: Inspection = ask(&client, "_zerorpc_inspect", &[]).await;
    assert_eq!(all.name, "Service");
    let args = |method: &str| all.methods[method].args.to_string();
    assert_eq!(
        args("add"),
        r#"[{"name": "left"}, {"name": "right", "default": 1}]"#
    );
    // Python has no default in front of an argument that must be given.
    assert_eq!(
        args("optional"),
        r#"[{"name": "first"}, {"name": "second"}, {"name": "third", "default": nil}]"#
    );
    assert_eq!(
        args("variadic"),
        r#"[{"name": "first"}, {"name": "second", "default": 2}]"#
    );
    assert_eq!(args("anything"), "nil");
    assert_eq!(
        all.methods["documented"].doc.as_deref(),
        Some("One line.\nAnother line.")
    );
    assert!(!all.methods.contains_key("_hidden"), "{all:?}");
}
