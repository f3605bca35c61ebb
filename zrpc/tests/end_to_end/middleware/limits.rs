//! Rate limits.

use std::time::Duration;

use zrpc::middleware::{CallOutcome, ClientRequest, Middleware, RateLimit, RateLimitKey};
use zrpc::{CallContext, CallError, Client, Fault, Server};

use crate::support::{Counter, in_time, pair_with};

/// Counts replies whose header says when to try again.
struct RetryHeader(Counter);

impl Middleware for RetryHeader {
    fn client_after_request(&self, _request: &mut ClientRequest, outcome: &CallOutcome<'_>) {
        let header = outcome
            .reply()
            .map(|reply| reply.header_entry::<f64>("retry_after"));
        if let Some(Ok(Some(seconds))) = header {
            assert!((0.0..=3600.0).contains(&seconds));
            self.0.count();
        }
    }
}

#[tokio::test]
async fn calls_beyond_the_limit_are_told_when_to_try_again() {
    let limit = RateLimit::new(2, Duration::from_secs(3600), RateLimitKey::Method).unwrap();
    let server = Server::builder()
        .method("one", |(): ()| async { 1 })
        .method("two", |(): ()| async { 2 })
        .middleware(limit);
    let told = Counter::new();
    let client = Client::builder().middleware(RetryHeader(told.clone()));
    let (_server, client) = pair_with(server, client).await;
    for _ in 0..2 {
        assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
    }
    for _ in 0..2 {
        let error = in_time(client.call::<u8>("one", ())).await.unwrap_err();
        let CallError::Remote(error) = error else {
            panic!("{error}");
        };
        let retry = RateLimit::retry_after(&error).unwrap();
        assert!(retry > Duration::from_secs(1700), "{retry:?}");
        assert!(retry <= Duration::from_secs(1800), "{retry:?}");
    }
    assert_eq!(told.pending(), 2);
    assert_eq!(in_time(client.call::<u8>("two", ())).await, Ok(2));
}

#[tokio::test]
async fn addresses_and_keys_of_the_program_have_limits_of_their_own() {
    let hour = Duration::from_secs(3600);
    let by_address = RateLimit::new(3, hour, RateLimitKey::Address).unwrap();
    let by_tenant = RateLimit::keyed(1, hour, |request| {
        request.header().get::<String>("tenant").ok().flatten()
    });
    let server = Server::builder()
        .method("one", |(): ()| async { 1 })
        .middleware(by_tenant.unwrap())
        .middleware(by_address);
    let (server, client) = pair_with(server, Client::builder()).await;
    let call = |client: &Client, tenant: &str| client.request("one", ()).header("tenant", tenant);
    assert_eq!(in_time(call(&client, "a").call::<u8>()).await, Ok(1));
    in_time(call(&client, "a").call::<u8>()).await.unwrap_err();
    assert_eq!(in_time(call(&client, "b").call::<u8>()).await, Ok(1));
    assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
    // The address is what counts, not the connection.
    let other = Client::connect(&server.endpoints()[0]).await.unwrap();
    in_time(other.call::<u8>("one", ())).await.unwrap_err();
}

#[tokio::test]
async fn unknown_methods_are_limited_too() {
    let limit = RateLimit::new(2, Duration::from_secs(3600), RateLimitKey::Method).unwrap();
    let server = Server::builder()
        .method("one", |(): ()| async { 1 })
        .middleware(limit);
    let told = Counter::new();
    let client = Client::builder().middleware(RetryHeader(told.clone()));
    let (_server, client) = pair_with(server, client).await;
    let mut names = Vec::new();
    // However they are called, they share a bucket.
    for method in ["a", "b", "c", "d"] {
        let error = in_time(client.call::<u8>(method, ())).await.unwrap_err();
        let CallError::Remote(error) = error else {
            panic!("{error}");
        };
        names.push(error.name.clone());
    }
    let expected = ["NameError", "NameError", RateLimit::NAME, RateLimit::NAME];
    assert_eq!(names, expected);
    assert_eq!(told.pending(), 2);
    assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
}

#[tokio::test]
async fn calls_that_are_not_allowed_are_limited_too() {
    let limit = RateLimit::new(2, Duration::from_secs(3600), RateLimitKey::Everything).unwrap();
    let server = Server::builder()
        .method("one", |(): ()| async { 1 })
        .authorize(|call: &CallContext| {
            let token = call.header::<String>("token").ok().flatten();
            match token.as_deref() {
                Some("right") => Ok(()),
                _ => Err(Fault::new("PermissionError", "no")),
            }
        })
        .middleware(limit);
    let (_server, client) = pair_with(server, Client::builder()).await;
    let mut names = Vec::new();
    // A token that is guessed too late does not help either.
    for token in ["a", "b", "c", "right"] {
        let request = client.request("one", ()).header("token", token);
        let error = in_time(request.call::<u8>()).await.unwrap_err();
        names.push(error.name().to_owned());
    }
    let limited = RateLimit::NAME;
    let expected = ["PermissionError", "PermissionError", limited, limited];
    assert_eq!(names, expected);
}
