//! The conversation with the driver: one JSON object a line.

use std::process;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Stdout, stdin, stdout};

use crate::error::PeerError;

/// What can be asked.
pub(crate) trait Peer {
    /// What it says about itself when it can be used.
    fn facts(&self) -> Value;

    /// Does what one request says.
    async fn handle(&mut self, request: &Value) -> Result<Value, PeerError>;
}

/// Answers requests until standard input ends.
pub(crate) async fn converse(mut peer: impl Peer) -> Result<(), PeerError> {
    let mut facts = peer.facts();
    facts["pid"] = json!(process::id());
    let mut output = stdout();
    write(&mut output, json!({"ready": facts})).await?;
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await.map_err(PeerError::Io)? {
        let request: Value = serde_json::from_str(&line).map_err(PeerError::Request)?;
        let reply = match peer.handle(&request).await {
            Ok(reply) => json!({"ok": reply}),
            Err(error @ PeerError::Silent) => {
                json!({"error": error.to_string(), "timed_out": true})
            }
            Err(error) => json!({"error": error.to_string()}),
        };
        write(&mut output, reply).await?;
    }
    // At once, as a process does that is not asked whether it has finished.
    process::exit(0);
}

async fn write(output: &mut Stdout, value: Value) -> Result<(), PeerError> {
    let line = format!("{value}\n");
    output
        .write_all(line.as_bytes())
        .await
        .map_err(PeerError::Io)?;
    output.flush().await.map_err(PeerError::Io)
}

/// A text of a request.
pub(crate) fn text<'a>(request: &'a Value, field: &'static str) -> Result<&'a str, PeerError> {
    request[field].as_str().ok_or(PeerError::Field(field))
}
