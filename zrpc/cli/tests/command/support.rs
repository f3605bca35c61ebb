//! A server to call, and the binary to call it with.

use std::fs;
use std::future::{pending, ready};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use rmpv::Value;
use tokio::runtime::Runtime;
use zrpc::{Argument, Fault, Method, Server, ServerBuilder, Tracebacks};

/// What a run of the binary left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Waits for a process to end, and fails if it does not. What was taken from it before is
    /// missing here.
    pub(crate) fn of(child: Child) -> Self {
        let process = child.id().to_string();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || sender.send(child.wait_with_output()));
        let Ok(output) = receiver.recv_timeout(TOO_LONG) else {
            let _ = Command::new("kill").arg(process).status();
            panic!("the command does not end");
        };
        let output = output.unwrap();
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Far longer than any run takes, also on a busy machine.
const TOO_LONG: Duration = Duration::from_secs(120);

/// Runs the binary to its end.
pub(crate) fn zrpc(args: &[&str]) -> Run {
    Run::of(command(args).spawn().unwrap())
}

/// The binary with its output captured.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zrpc"));
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A directory of its own for a test, removed at its end.
#[derive(Debug)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("zrpc-command-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn root(&self) -> &str {
        self.0.to_str().unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Starts a server that listens, and returns its address.
pub(crate) fn serve() -> String {
    start(sample().bind("tcp://127.0.0.1:*"))
}

/// Starts a server that connects to a client.
pub(crate) fn serve_to(address: &str) {
    start(sample().connect(address));
}

fn start(builder: ServerBuilder) -> String {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
    let server = RUNTIME.block_on(builder.build()).unwrap();
    let address = server.endpoints().first().cloned().unwrap_or_default();
    RUNTIME.spawn(server.run());
    address
}

fn sample() -> ServerBuilder {
    let fail = |message| Err::<(), _>(Fault::new("ValueError", message));
    Server::builder()
        .name("Sample")
        .tracebacks(Tracebacks::Sent)
        .register(
            Method::new("echo", |args: Vec<Value>| ready(args))
                .doc("Answers with its arguments.\n\nAll of them."),
        )
        .register(
            Method::new("add", |(left, right): (i64, i64)| ready(left + right))
                .doc("Adds.\n\nTwo numbers.")
                .args([Argument::new("left"), Argument::new("right").default(1)]),
        )
        .method("first_of", |mut args: Vec<Value>| ready(args.remove(0)))
        .method("nothing", |(): ()| ready(()))
        .method("never", |(): ()| pending::<()>())
        .method("fail", move |(): ()| {
            let fault = Fault::new("ValueError", "bad").with_traceback("where it went wrong\n");
            ready(Err::<(), _>(fault))
        })
        .stream("count", |(to,): (u64,)| stream::iter(0..to))
        .stream("first_then_wait", |(): ()| {
            stream::iter(["first"]).chain(stream::pending())
        })
        .stream("one_then_fail", move |(): ()| {
            let failure = stream::once(ready(fail("midstream").map(|()| 0)));
            stream::iter([Ok(1)]).chain(failure)
        })
}
