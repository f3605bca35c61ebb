//! Starting a peer program and talking to it.

use std::{
    io,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use super::PeerError;
use crate::{Node, Python};

/// How long a reply may take. Longer than any wait inside a peer program, so
/// that the program's own explanation is what a failing test shows, and than a
/// busy machine takes for a hundred thousand items.
const REPLY_DEADLINE: Duration = Duration::from_secs(180);

/// How much of a request is shown in an error.
const SHOWN_REQUEST: usize = 200;

/// A program of `peers/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Program {
    /// Sockets of libzmq.
    Zmq,
    /// A `zerorpc.Server`.
    ZerorpcServer,
    /// A `zerorpc.Client`.
    ZerorpcClient,
    /// A `zerorpc.Publisher`, `Subscriber`, `Pusher` or `Puller`.
    ZerorpcOneWay,
}

impl Program {
    fn file(self) -> &'static str {
        match self {
            Self::Zmq => "zmq_peer.py",
            Self::ZerorpcServer => "zerorpc_server.py",
            Self::ZerorpcClient => "zerorpc_client.py",
            Self::ZerorpcOneWay => "zerorpc_one_way.py",
        }
    }
}

/// A running peer program. Dropping it kills the program.
#[derive(Debug)]
pub struct Peer {
    process: Child,
    requests: ChildStdin,
    replies: Lines<BufReader<ChildStdout>>,
    stderr: Arc<Mutex<String>>,
    /// The request that is being worked on, for messages.
    request: String,
    facts: Value,
}

impl Peer {
    /// Starts a program and waits until it is ready.
    ///
    /// # Errors
    ///
    /// The program cannot be started, ends, or is not ready in time.
    pub async fn start(
        python: &Python,
        program: Program,
        settings: Value,
    ) -> Result<Self, PeerError> {
        Self::run(python.command(program.file()), settings).await
    }

    /// Starts `peers/zerorpc_node.js`, which is both a server and a client, and waits until it is
    /// ready.
    ///
    /// # Errors
    ///
    /// As those of [`start`](Self::start).
    pub async fn start_node(node: &Node, settings: Value) -> Result<Self, PeerError> {
        Self::run(node.command("zerorpc_node.js"), settings).await
    }

    async fn run(mut command: Command, settings: Value) -> Result<Self, PeerError> {
        let mut process = command
            .arg(settings.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(PeerError::Start)?;
        let (Some(requests), Some(stdout), Some(errors)) = (
            process.stdin.take(),
            process.stdout.take(),
            process.stderr.take(),
        ) else {
            unreachable!("all three were piped");
        };
        let stderr = Arc::new(Mutex::new(String::new()));
        tokio::spawn(collect(errors, Arc::clone(&stderr)));
        let mut peer = Self {
            process,
            requests,
            replies: BufReader::new(stdout).lines(),
            stderr,
            request: String::from("the start"),
            facts: Value::Null,
        };
        peer.facts = peer.receive("ready").await?;
        Ok(peer)
    }

    /// Sends a request and waits for its reply.
    ///
    /// # Errors
    ///
    /// The program refuses the request, ends, or gives no reply in time.
    pub async fn request(&mut self, request: Value) -> Result<Value, PeerError> {
        self.begin(request).await?;
        self.finish().await
    }

    /// Sends a request. [`finish`](Self::finish) waits for its reply.
    ///
    /// # Errors
    ///
    /// The program has ended.
    pub async fn begin(&mut self, request: Value) -> Result<(), PeerError> {
        let mut line = request.to_string();
        self.request = line.chars().take(SHOWN_REQUEST).collect();
        line.push('\n');
        match self.requests.write_all(line.as_bytes()).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.ended().await),
        }
    }

    /// Waits for the reply to the request that [`begin`](Self::begin) sent.
    ///
    /// # Errors
    ///
    /// As those of [`request`](Self::request).
    pub async fn finish(&mut self) -> Result<Value, PeerError> {
        self.receive("ok").await
    }

    /// What the program said about itself when it was ready.
    #[must_use]
    pub fn facts(&self) -> &Value {
        &self.facts
    }

    /// The endpoint that the program bound before it was ready.
    ///
    /// # Errors
    ///
    /// It bound none.
    pub fn endpoint(&self) -> Result<&str, PeerError> {
        self.facts["endpoint"]
            .as_str()
            .ok_or_else(|| PeerError::Field {
                field: String::from("endpoint"),
                reply: self.facts.clone(),
            })
    }

    /// What the program has written to standard error.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The process id, while the program runs.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.process.id()
    }

    /// Stops the program without closing its connections, as a machine that hangs would.
    ///
    /// # Errors
    ///
    /// The program has ended, or the system refuses.
    pub fn freeze(&self) -> Result<(), PeerError> {
        let id = self.process.id().unwrap_or_default().to_string();
        let stopped = std::process::Command::new("kill")
            .args(["-STOP", &id])
            .status()
            .map_err(PeerError::Start)?;
        if stopped.success() {
            return Ok(());
        }
        Err(PeerError::Start(io::Error::other("it cannot be stopped")))
    }

    /// Kills the program, without a chance to say goodbye, and waits until it
    /// is gone.
    ///
    /// # Errors
    ///
    /// The system refuses to kill it.
    pub async fn kill(mut self) -> Result<(), PeerError> {
        self.process.kill().await.map_err(PeerError::Start)
    }

    async fn receive(&mut self, kind: &str) -> Result<Value, PeerError> {
        let Ok(line) = timeout(REPLY_DEADLINE, self.replies.next_line()).await else {
            return Err(PeerError::Silent {
                request: self.request.clone(),
                waited: REPLY_DEADLINE,
                stderr: self.stderr(),
            });
        };
        let Ok(Some(line)) = line else {
            return Err(self.ended().await);
        };
        let mut reply: Value = serde_json::from_str(&line).unwrap_or_default();
        if let Some(message) = reply["error"].as_str() {
            return Err(PeerError::Refused {
                request: self.request.clone(),
                message: message.to_owned(),
                stderr: self.stderr(),
            });
        }
        match reply.get_mut(kind) {
            Some(value) => Ok(value.take()),
            None => Err(PeerError::NotAReply {
                request: self.request.clone(),
                line,
                stderr: self.stderr(),
            }),
        }
    }

    async fn ended(&mut self) -> PeerError {
        // Lets the last words arrive; the error is the same without them.
        let _ = timeout(Duration::from_secs(1), self.process.wait()).await;
        tokio::task::yield_now().await;
        PeerError::Ended {
            request: self.request.clone(),
            stderr: self.stderr(),
        }
    }
}

/// Gathers what a program writes to standard error.
async fn collect(mut errors: tokio::process::ChildStderr, into: Arc<Mutex<String>>) {
    let mut chunk = [0; 1024];
    while let Ok(len @ 1..) = errors.read(&mut chunk).await {
        into.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_str(&String::from_utf8_lossy(&chunk[..len]));
    }
}
