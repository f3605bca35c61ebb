//! A question and its answer, without a runtime.
//!
//! Run it with `cargo run --example blocking`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::thread;
use std::time::Duration;

use zmtp::blocking::{RepSocket, ReqSocket};

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let mut server = RepSocket::new();
    let endpoint = server.bind("tcp://127.0.0.1:*")?;
    let serving = thread::spawn(move || {
        let question = server.recv().expect("the socket is open");
        println!("server: {question}");
        server.send("world").expect("a question was asked");
        server.close();
    });
    let mut client = ReqSocket::new();
    client.connect(endpoint)?;
    client.send("hello")?;
    let answer = client.recv_timeout(Duration::from_secs(10))?;
    println!("client: {answer}");
    assert_eq!(answer, ["world"]);
    serving.join().map_err(|_panic| "the server panicked")?;
    Ok(())
}
