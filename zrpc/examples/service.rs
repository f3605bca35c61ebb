//! A service that is an `impl` block, its typed client, and a service that is defined as a trait.
//!
//! `cargo run --release --example service`

#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use zrpc::{CallContext, CallError, Client, Server};

/// Its methods are what callers see; its fields are what the methods share.
struct Hello {
    greeting: String,
    greeted: AtomicU64,
}

#[derive(Debug, thiserror::Error)]
#[error("{0} is not a number that I like")]
struct DislikedNumber(u64);

#[zrpc::service]
impl Hello {
    /// Greets somebody.
    async fn hello(&self, name: String) -> String {
        self.greeted.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        format!("{}, {name}", self.greeting)
    }

    /// Counts up.
    fn count(&self, #[zrpc(default = 10)] to: u64) -> impl Stream<Item = u64> {
        stream::iter(0..to)
    }

    /// Works hard: holds a thread, and heartbeats go on.
    #[zrpc(blocking)]
    fn crunch(&self, number: u64) -> Result<u64, DislikedNumber> {
        thread::sleep(Duration::from_millis(100));
        match number {
            13 => Err(DislikedNumber(number)),
            number => Ok(number * 2),
        }
    }

    /// Tells how many were greeted, and by which name it was asked for that.
    fn greeted(&self, context: &CallContext) -> (u64, String) {
        let greeted = self.greeted.load(Ordering::Relaxed);
        (greeted, context.method().to_owned())
    }
}

/// A definition: who offers it may be another program, in another language.
#[zrpc::service]
trait Thermometer {
    /// Returns the temperature in a place, in Celsius unless told otherwise.
    async fn temperature(&self, place: String, unit: Option<String>) -> Result<f64, UnknownUnit>;
}

#[derive(Debug, thiserror::Error)]
#[error("{0} is no unit of temperature")]
struct UnknownUnit(String);

struct Constant(f64);

#[zrpc::service]
impl Thermometer for Constant {
    async fn temperature(&self, place: String, unit: Option<String>) -> Result<f64, UnknownUnit> {
        tokio::task::yield_now().await;
        let offset = f64::from(u32::try_from(place.len()).unwrap_or(u32::MAX));
        match unit.as_deref() {
            None | Some("C") => Ok(self.0 + offset),
            Some("K") => Ok(self.0 + offset + 273.0),
            Some(other) => Err(UnknownUnit(other.to_owned())),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let hello = Hello {
        greeting: "Hello".to_owned(),
        greeted: AtomicU64::new(0),
    };
    let server = Server::builder()
        .service(hello)
        .service_with_prefix("weather.", Constant(20.0))
        .bind("tcp://127.0.0.1:*")
        .build()
        .await?;

    let client = Client::connect(&server.endpoints()[0]).await?;
    greet(&HelloClient::new(client.clone())).await?;
    measure(&ThermometerClient::new(client).with_prefix("weather.")).await?;

    server.handle().shutdown().await;
    println!("All went as it should.");
    Ok(())
}

async fn greet(hello: &HelloClient) -> Result<(), Box<dyn Error>> {
    same(hello.hello("RPC").await?, "Hello, RPC".to_owned())?;
    same(hello.greeted().await?, (1, "greeted".to_owned()))?;

    // Arguments with a default are options here.
    let mut items = hello.count(None).await?;
    let mut sum = 0;
    while let Some(item) = items.next_item().await? {
        sum += item;
    }
    same(sum, 45)?;

    let patient = hello.with_timeout(Duration::from_secs(60));
    same(patient.crunch(21).await?, 42)?;
    match patient.crunch(13).await {
        Err(CallError::Remote(error)) => {
            same(error.name.as_str(), "DislikedNumber")?;
            println!("crunch(13) → {}: {}", error.name, error.message);
        }
        other => return Err(format!("13 should be disliked: {other:?}").into()),
    }
    Ok(())
}

async fn measure(thermometer: &ThermometerClient) -> Result<(), Box<dyn Error>> {
    let celsius = thermometer.temperature("Rome", None).await?;
    let kelvin = thermometer
        .temperature("Rome", Some("K".to_owned()))
        .await?;
    println!("weather.temperature(\"Rome\") → {celsius} °C, {kelvin} K");
    same(kelvin - celsius, 273.0)?;
    Ok(())
}

/// Whatever differs from what was expected ends the example with an error.
fn same<T: PartialEq + Debug>(actual: T, expected: T) -> Result<(), String> {
    match actual == expected {
        true => Ok(()),
        false => Err(format!("expected {expected:?}, and got {actual:?}")),
    }
}
