//! Services that describe themselves in every way that is around, and what is printed for them.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::task::{Context, Poll, Waker};

use rmpv::Value;

use super::{Detail, Listing, Remote, fetch_listing};
use crate::style::Style;

/// A service that answers from a table, and everything else with an error.
#[derive(Debug, Default)]
struct Scripted {
    answers: HashMap<String, Value>,
}

impl Scripted {
    fn with(mut self, call: &str, answer: Value) -> Self {
        self.answers.insert(call.to_owned(), answer);
        self
    }
}

impl Remote for Scripted {
    type Error = Infallible;

    async fn ask(&self, method: &str, args: Vec<Value>) -> Result<Option<Value>, Infallible> {
        let args: Vec<_> = args.iter().filter_map(Value::as_str).collect();
        let call = format!("{method}({})", args.join(", "));
        Ok(self.answers.get(&call).cloned())
    }
}

/// Runs a future that never waits.
fn ready<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("scripted answers are ready at once"),
    }
}

fn fetch(remote: &Scripted, detail: Detail<'_>) -> Option<Listing> {
    let Ok(listing) = ready(fetch_listing(remote, detail));
    listing
}

fn names(remote: &Scripted) -> String {
    let mut out = Vec::new();
    let listing = fetch(remote, Detail::Names).unwrap();
    listing.write_names(Style::Plain, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn signatures(remote: &Scripted) -> String {
    let mut out = Vec::new();
    let listing = fetch(remote, Detail::Signatures).unwrap();
    listing.write_signatures(Style::Plain, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn description(remote: &Scripted, name: &str) -> String {
    let mut out = Vec::new();
    let listing = fetch(remote, Detail::Method(name)).unwrap();
    listing
        .write_description(name, Style::Plain, &mut out)
        .unwrap();
    String::from_utf8(out).unwrap()
}

fn map(entries: &[(&str, Value)]) -> Value {
    let entry = |(key, value): &(&str, Value)| (Value::from(*key), value.clone());
    Value::Map(entries.iter().map(entry).collect())
}

fn list(items: &[Value]) -> Value {
    Value::Array(items.to_vec())
}

fn bin(text: &str) -> Value {
    Value::Binary(text.into())
}

fn modern() -> Scripted {
    let name = |name: &str| map(&[("name", name.into())]);
    let default = |name: &str, default: Value| map(&[("name", name.into()), ("default", default)]);
    let arguments = list(&[
        name("self"),
        name("a"),
        default("b", 1.into()),
        default("c", "x".into()),
        default("d", Value::Nil),
        default("e", Value::F64(1.5)),
        default("f", list(&[1.into(), "q".into()])),
    ]);
    let hello = [("args", arguments), ("doc", "Greets.\n\nAt length.".into())];
    let count = [("args", Value::Nil), ("doc", Value::Nil)];
    let methods = map(&[("say_hello", map(&hello)), ("count", map(&count))]);
    let answer = map(&[("name", "Hello".into()), ("methods", methods)]);
    Scripted::default().with("_zerorpc_inspect()", answer)
}

fn legacy() -> Scripted {
    Scripted::default()
        .with("_zerorpc_name()", "Old".into())
        .with("_zerorpc_list()", list(&["hello".into(), "count".into()]))
        .with("_zerorpc_help(hello)", "Greets.\nAt length.".into())
}

#[test]
fn names_are_padded_and_docs_cut_to_their_first_line() {
    let expected = "[Hello]\nsay_hello Greets.\ncount     <undocumented>\n";
    assert_eq!(names(&modern()), expected);
}

#[test]
fn signatures_show_defaults_as_python_does() {
    let expected = "[Hello]\n\
                    say_hello(self, a, b=1, c=x, d, e=1.5, f=[1, 'q'])\n\
                    count(??)\n";
    assert_eq!(signatures(&modern()), expected);
}

#[test]
fn a_description_has_the_whole_documentation() {
    let expected = "[Hello]\n\
                    say_hello(self, a, b=1, c=x, d, e=1.5, f=[1, 'q'])\n\n\
                    Greets.\n\nAt length.\n\n";
    assert_eq!(description(&modern(), "say_hello"), expected);
    assert_eq!(
        description(&modern(), "count"),
        "[Hello]\ncount(??)\n\n<undocumented>\n\n"
    );
    assert_eq!(
        description(&modern(), "nope"),
        "[Hello]\nNo documentation for \"nope\".\n"
    );
}

#[test]
fn q13_names_and_keys_of_python_2_are_binary() {
    let argument = Value::Map(vec![(bin("name"), bin("n")), (bin("default"), bin("x"))]);
    let details = Value::Map(vec![
        (bin("args"), list(&[argument])),
        (bin("doc"), bin("Counts.")),
    ]);
    let answer = Value::Map(vec![
        (bin("name"), bin("Two")),
        (bin("methods"), Value::Map(vec![(bin("count"), details)])),
    ]);
    let remote = Scripted::default().with("_zerorpc_inspect()", answer);
    assert_eq!(names(&remote), "[Two]\ncount Counts.\n");
    assert_eq!(signatures(&remote), "[Two]\ncount(n=x)\n");
}

#[test]
fn q27_methods_may_be_a_list() {
    let argspec = list(&[
        list(&["self".into(), "b".into()]),
        "args".into(),
        "kw".into(),
        list(&["x".into()]),
    ]);
    let rows = list(&[
        list(&["add".into(), argspec, "Adds.\nMore.".into()]),
        list(&["count".into(), Value::Nil, Value::Nil]),
        list(&[]),
    ]);
    let answer = map(&[("methods", rows)]);
    let remote = Scripted::default().with("_zerorpc_inspect()", answer);
    assert_eq!(names(&remote), "[N/A]\nadd   Adds.\ncount <undocumented>\n");
    let expected = "[N/A]\nadd(self, b='x', *args, **kw)\ncount(...)\n";
    assert_eq!(signatures(&remote), expected);
    assert_eq!(
        description(&remote, "nope"),
        "[N/A]\nNo documentation for \"nope\".\n"
    );
}

#[test]
fn without_inspection_the_single_calls_are_used() {
    assert_eq!(
        names(&legacy()),
        "[Old]\nhello Greets.\ncount <undocumented>\n"
    );
    let argspec = list(&[list(&["self".into()]), Value::Nil, Value::Nil, Value::Nil]);
    let remote = legacy().with("_zerorpc_args(hello)", argspec);
    assert_eq!(signatures(&remote), "[Old]\nhello(self)\ncount(...)\n");
}

#[test]
fn without_help_and_args_the_names_are_left() {
    let remote = Scripted::default().with("_zerorpc_list()", list(&["a".into(), "bc".into()]));
    assert_eq!(
        names(&remote),
        "[N/A]\na  <undocumented>\nbc <undocumented>\n"
    );
    assert_eq!(signatures(&remote), "[N/A]\na(...)\nbc(...)\n");
    assert_eq!(
        description(&remote, "a"),
        "[N/A]\na(...)\n\n<undocumented>\n\n"
    );
    assert_eq!(
        description(&remote, "z"),
        "[N/A]\nNo documentation for \"z\".\n"
    );
}

#[test]
fn a_service_that_says_nothing_has_no_listing() {
    assert_eq!(fetch(&Scripted::default(), Detail::Names), None);
    let nonsense = Scripted::default().with("_zerorpc_inspect()", 42.into());
    assert_eq!(fetch(&nonsense, Detail::Names), None);
}

#[test]
fn names_cannot_steer_the_terminal() {
    let details = map(&[("args", Value::Nil), ("doc", "\x1b[2Jgone".into())]);
    let methods = map(&[("a\nb", details)]);
    let answer = map(&[("name", "\x07".into()), ("methods", methods)]);
    let remote = Scripted::default().with("_zerorpc_inspect()", answer);
    assert_eq!(names(&remote), "[\\x07]\na\\nb \\x1b[2Jgone\n");
}

#[test]
fn a_service_without_methods_is_only_its_name() {
    let answer = map(&[("name", "Empty".into()), ("methods", Value::Map(vec![]))]);
    let remote = Scripted::default().with("_zerorpc_inspect()", answer);
    assert_eq!(names(&remote), "[Empty]\n");
}
