//! A service and its client, in one program.
//!
//! `cargo run --release --example hello`

#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;
use std::fmt::Debug;
use std::thread;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::stream;
use zrpc::{Argument, CallError, Client, Heartbeat, Method, Server};

/// Much shorter than the default of five seconds, so that this example is over soon.
const HEARTBEAT: Duration = Duration::from_millis(250);

/// How long the method `crunch` holds its thread. Whoever sends no heartbeat for two intervals is
/// given up by the other side; this is four times as long.
const WORK: Duration = Duration::from_secs(2);

const ITEMS: u64 = 100_000;

#[derive(Debug, thiserror::Error)]
#[error("{0} is not a number that I like")]
struct DislikedNumber(i64);

fn service() -> Vec<Method> {
    vec![
        Method::new("hello", |(name,): (String,)| async move {
            format!("Hello, {name}")
        })
        .doc("Greets somebody.")
        .args(["name"]),
        Method::new("judge", |(number,): (i64,)| async move {
            match number {
                13 => Err(DislikedNumber(number)),
                _ => Ok("fine"),
            }
        })
        .doc("Judges a number.")
        .args(["number"]),
        Method::stream("count", |(to,): (u64,)| stream::iter(0..to))
            .doc("Counts up.")
            .args([Argument::new("to").default(10)]),
        Method::blocking("crunch", |(number,): (u64,)| {
            thread::sleep(WORK);
            number * 2
        })
        .doc("Works hard: holds a thread, and heartbeats go on.")
        .args(["number"]),
    ]
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut server = Server::builder()
        .name("Hello")
        .heartbeat(Heartbeat::every(HEARTBEAT))
        .bind("tcp://127.0.0.1:*");
    for method in service() {
        server = server.register(method);
    }
    let server = server.build().await?;
    let endpoint = &server.endpoints()[0];
    println!("A server listens on {endpoint}.\n");

    let client = Client::builder()
        .connect(endpoint)
        .heartbeat(Heartbeat::every(HEARTBEAT))
        .build()
        .await?;
    greet(&client).await?;
    fail(&client).await?;
    count(&client).await?;
    crunch(&client).await?;

    client.close().await;
    server.handle().shutdown().await;
    println!("\nThe server has shut down. All went as it should.");
    Ok(())
}

/// A plain call.
async fn greet(client: &Client) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let reply: String = client.call("hello", ("RPC",)).await?;
    same(reply.as_str(), "Hello, RPC")?;
    say(r#"hello("RPC")"#, &format!("{reply:?}"), start);
    Ok(())
}

/// Calls that fail, and what the caller learns of it.
async fn fail(client: &Client) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let Err(CallError::Remote(error)) = client.call::<String>("judge", (13,)).await else {
        return Err("the method judge accepts 13".into());
    };
    same(error.name.as_str(), "DislikedNumber")?;
    say(
        "judge(13)",
        &format!("{}: {}", error.name, error.message),
        start,
    );

    let start = Instant::now();
    let Err(CallError::Remote(error)) = client.call::<String>("judge", ("twelve",)).await else {
        return Err("the method judge accepts a text".into());
    };
    same(error.name.as_str(), "TypeError")?;
    say(
        r#"judge("twelve")"#,
        &format!("{}: {}", error.name, error.message),
        start,
    );

    let start = Instant::now();
    let Err(CallError::Remote(error)) = client.call::<String>("dance", ()).await else {
        return Err("the server dances".into());
    };
    same(error.name.as_str(), "NameError")?;
    say(
        "dance()",
        &format!("{}: {}", error.name, error.message),
        start,
    );
    Ok(())
}

/// A stream: the server sends no faster than the items are taken.
async fn count(client: &Client) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let mut items = client.stream::<u64>("count", (ITEMS,)).await?;
    let mut expected = 0;
    while let Some(item) = items.next_item().await? {
        same(item, expected)?;
        expected += 1;
    }
    same(expected, ITEMS)?;
    say(
        &format!("count({ITEMS})"),
        &format!("0, 1, 2, … {}", ITEMS - 1),
        start,
    );
    Ok(())
}

/// A method that holds its thread for much longer than a heartbeat, and what else goes on.
async fn crunch(client: &Client) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let names = (0..100).map(|number| format!("caller {number}"));
    let others = async {
        let calls = names.map(|name| client.call::<String>("hello", (name,)));
        let replies = join_all(calls).await;
        say("100 × hello(…) meanwhile", "100 greetings", start);
        replies.into_iter().collect::<Result<Vec<_>, _>>()
    };
    let (answer, others) = tokio::join!(client.call::<u64>("crunch", (21,)), others);
    same(others?.len(), 100)?;
    same(answer?, 42)?;
    say("crunch(21)", "42", start);
    println!(
        "\nThe last one held its thread for {WORK:?}. With a heartbeat every {HEARTBEAT:?}, a server\n\
         that stops sending them is given up after {:?}.",
        2 * HEARTBEAT
    );
    Ok(())
}

fn say(call: &str, outcome: &str, start: Instant) {
    let elapsed = start.elapsed();
    let time = match elapsed.as_micros() {
        micros @ ..1_000 => format!("{micros} µs"),
        micros @ 1_000..1_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{:.1} s", elapsed.as_secs_f64()),
    };
    println!("{time:>9}  {call:<26} → {outcome}");
}

/// Whatever differs from what was expected ends the example with an error.
fn same<T: PartialEq + Debug>(actual: T, expected: T) -> Result<(), String> {
    match actual == expected {
        true => Ok(()),
        false => Err(format!("expected {expected:?}, and got {actual:?}")),
    }
}
