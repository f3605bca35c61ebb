//! Command lines and what they ask for.

use std::ffi::OsString;
use std::time::Duration;

use clap::{CommandFactory, Parser};

use super::duration::{Interval, Timeout};
use super::request::HeartbeatStart;
use super::{Action, Form, Line, Link, Options, ParamSource, Params, Request, Tools, UsageError};

fn parse(line: &str) -> Result<Options, clap::Error> {
    let args = ["zrpc"].into_iter().chain(line.split_whitespace());
    match Line::read(args.map(OsString::from)) {
        Line::Call(args) => Options::read(args),
        Line::Tool(_) => unreachable!("{line:?} is no call"),
    }
}

fn request(line: &str) -> Request {
    parse(line).unwrap().into_request().unwrap()
}

fn call(method: &str, params: &[&str]) -> Action {
    Action::Call {
        method: method.to_owned(),
        params: Params::Text(params.iter().map(|&param| param.to_owned()).collect()),
        source: ParamSource::Words,
        form: Form::Pretty,
    }
}

fn connect(address: &str) -> Link {
    Link::Connect(address.to_owned())
}

#[test]
fn the_definition_of_the_options_is_sound() {
    Options::command().debug_assert();
    Tools::command().debug_assert();
}

#[test]
fn the_first_positional_is_the_address() {
    let request = request("tcp://a hello RPC x");
    assert_eq!(request.links, [connect("tcp://a")]);
    assert_eq!(request.action, call("hello", &["RPC", "x"]));
}

#[test]
fn positionals_shift_after_connect_or_bind() {
    let connected = request("--connect tcp://a hello RPC x");
    assert_eq!(connected.links, [connect("tcp://a")]);
    assert_eq!(connected.action, call("hello", &["RPC", "x"]));

    let bound = request("--bind tcp://a hello");
    assert_eq!(bound.links, [Link::Bind("tcp://a".to_owned())]);
    assert_eq!(bound.action, call("hello", &[]));
    assert_eq!(request("--connect tcp://a").action, Action::List);
}

#[test]
fn binds_come_before_connects() {
    let request = request("--connect tcp://a --bind tcp://b --connect tcp://c hello");
    let bind = Link::Bind("tcp://b".to_owned());
    assert_eq!(
        request.links,
        [bind, connect("tcp://a"), connect("tcp://c")]
    );
}

#[test]
fn negative_numbers_are_params() {
    assert_eq!(
        request("tcp://a add -1 -2.5").action,
        call("add", &["-1", "-2.5"])
    );
    assert_eq!(
        request("--connect tcp://a add -1").action,
        call("add", &["-1"])
    );
}

#[test]
fn options_may_follow_positionals_until_two_dashes() {
    let later = request("tcp://a hello --timeout 3 x");
    assert_eq!(later.action, call("hello", &["x"]));
    assert_eq!(
        later.settings.timeout,
        Timeout::After(Duration::from_secs(3))
    );
    assert_eq!(
        request("tcp://a hello -- -j -pj").action,
        call("hello", &["-j", "-pj"])
    );
}

#[test]
fn inspection_needs_no_command() {
    assert_eq!(request("-? tcp://a").action, Action::Signatures);
    assert_eq!(request("tcp://a").action, Action::List);
    let method = "hello".to_owned();
    assert_eq!(
        request("--inspect tcp://a hello").action,
        Action::Describe { method }
    );
}

#[test]
fn json_params_and_forms_of_output() {
    let json = request("-j -pj tcp://a hello [1]");
    let expected = Action::Call {
        method: "hello".to_owned(),
        params: Params::Json(vec!["[1]".to_owned()]),
        source: ParamSource::Words,
        form: Form::JsonDocument,
    };
    assert_eq!(json.action, expected);
    let lines = request("--output json tcp://a hello").action;
    assert!(matches!(
        lines,
        Action::Call {
            form: Form::JsonLines,
            ..
        }
    ));
    assert!(parse("-pj --output json tcp://a hello").is_err());
}

#[test]
fn options_can_be_abbreviated_and_repeated() {
    let settings = request("--time 3 --timeout 4 --heart off --active tcp://a").settings;
    assert_eq!(settings.timeout, Timeout::After(Duration::from_secs(4)));
    assert_eq!(settings.heartbeat, Interval::Off);
    assert_eq!(settings.start, HeartbeatStart::Active);
    assert!(parse("-j -j -d -d --client --client tcp://a").is_ok());
}

#[test]
fn options_of_security_can_be_repeated() {
    let proxy = "zrpc proxy queue --frontend tcp://a --backend tcp://b";
    for (tool, side) in [
        (proxy, "--frontend-"),
        (proxy, "--backend-"),
        (proxy, "--capture-"),
        ("zrpc pull", "--"),
    ] {
        for option in [
            "curve-secret x",
            "authorized-keys x",
            "any-key",
            "passwords x",
        ] {
            let line = format!("{tool} {side}{option} {side}{option}");
            let parsed = Tools::try_parse_from(line.split_whitespace());
            assert!(parsed.is_ok(), "{line}: {parsed:?}");
        }
    }
    for option in ["server-key x", "secret-key-file x", "plain x"] {
        let line = format!("{proxy} --frontend-{option} --frontend-{option}");
        assert!(
            Tools::try_parse_from(line.split_whitespace()).is_ok(),
            "{line}"
        );
    }
}

#[test]
fn a_password_is_not_for_those_who_connect() {
    let refused = |line: &str| parse(line).unwrap().into_request().unwrap_err();
    let option = "--plain".to_owned();
    let expected = UsageError::PasswordForStrangers { option };
    assert_eq!(refused("--plain a:b --bind tcp://a"), expected);
    assert_eq!(
        refused("--plain a:b --connect tcp://a --bind tcp://b x"),
        expected
    );
    assert!(parse("--plain a:b tcp://a").unwrap().into_request().is_ok());
}

#[test]
fn the_defaults_are_those_of_python() {
    let settings = request("tcp://a").settings;
    assert_eq!(settings.timeout, Timeout::After(Duration::from_secs(30)));
    assert_eq!(settings.heartbeat, Interval::Every(Duration::from_secs(5)));
    assert_eq!(settings.start, HeartbeatStart::Passive);
}

#[test]
fn nothing_to_connect_to_is_an_error() {
    assert_eq!(
        parse("").unwrap().into_request(),
        Err(UsageError::NoAddress)
    );
    let empty = Options::read(vec!["zrpc".into(), "".into()]).unwrap();
    assert_eq!(empty.into_request(), Err(UsageError::NoAddress));
}

#[test]
fn params_may_be_read_from_files_where_that_is_asked_for() {
    let action = request("--read-params tcp://a hello @x").action;
    let source = ParamSource::Files;
    assert!(matches!(action, Action::Call { source: found, .. } if found == source));
}

#[test]
fn the_server_mode_is_refused_with_advice() {
    let error = parse("--server tcp://a time")
        .unwrap()
        .into_request()
        .unwrap_err();
    assert_eq!(error, UsageError::Server);
    assert!(error.to_string().contains("zerorpc --server"));
    assert!(parse("--server --client tcp://a").is_err());
}

#[test]
fn the_pool_size_has_no_effect_and_says_so() {
    let options = parse("--pool-size 5 tcp://a").unwrap();
    assert!(options.notice().is_some());
    assert!(options.into_request().is_ok());
    assert!(parse("tcp://a").unwrap().notice().is_none());
}
