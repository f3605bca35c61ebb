//! Messages passed on between two sockets.

use std::io::{self, Write};
use std::time::Duration;

use clap::{Args, ValueEnum};
use rmpv::Value;
use zmtp::{
    DealerSocket, Endpoint, Proxy, ProxyControl, ProxyStatistics, ProxyTraffic, PubSocket,
    PullSocket, PushSocket, RouterSocket, Socket, SocketHandle, XPubSocket, XSubSocket,
};
use zrpc::ConnectError;
use zrpc::security::Security;

use crate::args::{
    BackendSecurity, CaptureSecurity, Form, FrontendSecurity, Link, Side, UsageError,
    parse_duration,
};
use crate::error::CliError;
use crate::output::{Look, Printer};
use crate::signals::{Interest, Signals};
use crate::sockets::{attach, is_exposed};

/// Pass messages on between those who connect to a frontend and those at a backend.
///
/// Works with every ZeroMQ program, not only with zerorpc: clients of a service and its workers,
/// publishers and subscribers, pushers and pullers. Runs until it is stopped.
///
/// Each side is secured by itself, and so is the capture; messages are in the clear between them.
/// Whoever is behind the proxy sees the proxy, and not who is at its other side.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ProxyOptions {
    /// What kind of sockets the frontend and the backend are.
    #[arg(value_name = "kind")]
    kind: Kind,

    /// Address that the frontend listens on; may be repeated.
    #[arg(long, value_name = "address")]
    frontend: Vec<String>,

    /// Address that the frontend connects to; may be repeated.
    #[arg(long, value_name = "address")]
    connect_frontend: Vec<String>,

    /// Address that the backend listens on; may be repeated.
    #[arg(long, value_name = "address")]
    backend: Vec<String>,

    /// Address that the backend connects to; may be repeated.
    #[arg(long, value_name = "address")]
    connect_backend: Vec<String>,

    /// Address at which subscribers get a copy of every message. If a side is secured, it has to be
    /// secured by itself, with options that begin with --capture-.
    #[arg(long, value_name = "address")]
    capture: Option<String>,

    /// Print what was passed on until now, every so many seconds and at the end.
    #[arg(long, value_name = "seconds", value_parser = parse_duration)]
    stats: Option<Duration>,

    #[command(flatten)]
    frontend_security: FrontendSecurity,

    #[command(flatten)]
    backend_security: BackendSecurity,

    #[command(flatten)]
    capture_security: CaptureSecurity,
}

/// The pairs of sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Clients at the frontend, servers at the backend (ROUTER and DEALER); also called queue.
    #[value(alias = "queue")]
    RouterDealer,
    /// Publishers at the frontend, subscribers at the backend (XSUB and XPUB); also called forwarder.
    #[value(alias = "forwarder")]
    XsubXpub,
    /// Pushers at the frontend, pullers at the backend (PULL and PUSH); also called streamer.
    #[value(alias = "streamer")]
    PullPush,
}

impl ProxyOptions {
    /// Runs the proxy until there is a signal.
    ///
    /// # Errors
    ///
    /// That an address cannot be used, or that it was interrupted.
    pub(crate) async fn run(self, look: Look) -> Result<(), CliError> {
        let mut signals = Signals::new(Interest::Both);
        let frontend = links(&self.frontend, &self.connect_frontend);
        let backend = links(&self.backend, &self.connect_backend);
        if frontend.is_empty() || backend.is_empty() {
            return Err(UsageError::ProxySides.into());
        }
        let sides: [Side; 2] = [self.frontend_security.into(), self.backend_security.into()];
        let captured: Side = self.capture_security.into();
        let [front, back] = &sides;
        front.check(&frontend)?;
        back.check(&backend)?;
        check_capture(self.capture.as_deref(), &captured, &sides)?;
        let captured = captured.security().await?;
        let [front, back] = [front.security().await?, back.security().await?];
        let (proxy, sockets) = match self.kind {
            Kind::RouterDealer => {
                let (one, two): (RouterSocket, DealerSocket) = (secured(front)?, secured(back)?);
                let sockets = [one.handle().clone(), two.handle().clone()];
                (Proxy::new(one, two), sockets)
            }
            Kind::XsubXpub => {
                let (one, two): (XSubSocket, XPubSocket) = (secured(front)?, secured(back)?);
                let sockets = [one.handle().clone(), two.handle().clone()];
                (Proxy::new(one, two), sockets)
            }
            Kind::PullPush => {
                let (one, two): (PullSocket, PushSocket) = (secured(front)?, secured(back)?);
                let sockets = [one.handle().clone(), two.handle().clone()];
                (Proxy::one_way(one, two), sockets)
            }
        };
        let [one, two] = &sockets;
        let bound = [attach(one, &frontend).await?, attach(two, &backend).await?];
        let (mut proxy, capture) = match &self.capture {
            None => (proxy, None),
            Some(address) => {
                let socket: PubSocket = secured(captured)?;
                let handle = socket.handle().clone();
                attach(&handle, &[Link::Bind(address.clone())]).await?;
                (proxy.capture(socket), Some(handle))
            }
        };
        warn_of_open_side(&sides, &bound);
        let control = proxy.control();
        let work = async {
            tokio::select! {
                ended = proxy.run() => ended.map_err(CliError::from),
                failed = report(&control, self.stats, look) => failed,
            }
        };
        let outcome = signals.end(work).await;
        if self.stats.is_some() {
            print(&control, look)?;
        }
        drop(proxy);
        close(sockets.into_iter().chain(capture)).await;
        outcome
    }
}

fn secured<S: Socket>(security: Security) -> Result<S, CliError> {
    let builder = security.apply(S::builder());
    Ok(builder.map_err(ConnectError::from)?.build())
}

/// Whoever gets a copy of everything has to be let in by options of the capture itself, if not
/// everybody gets everything anyway: neither side knows who may read the other.
fn check_capture(
    address: Option<&str>,
    capture: &Side,
    sides: &[Side; 2],
) -> Result<(), UsageError> {
    match (address, capture.is_secured()) {
        (None, true) => Err(UsageError::NoCapture),
        (Some(_), false) if sides.iter().any(Side::is_secured) => {
            Err(UsageError::CaptureInTheClear)
        }
        _ => Ok(()),
    }
}

/// Tells of the addresses of a side without security that more than this machine can reach, if the
/// other side is secured: options that were forgotten look the same as options that are not wanted.
fn warn_of_open_side(sides: &[Side; 2], bound: &[Vec<Endpoint>; 2]) {
    let (open, bound, secured) = match sides {
        [open, secured] if !open.is_secured() && secured.is_secured() => (open, &bound[0], secured),
        [secured, open] if !open.is_secured() && secured.is_secured() => (open, &bound[1], secured),
        _ => return,
    };
    let (open, secured) = (open.name(), secured.name());
    for endpoint in bound.iter().filter(|endpoint| is_exposed(endpoint)) {
        // Whoever does not read stderr is not helped.
        let _ = writeln!(
            io::stderr(),
            "zrpc: warning: the {open} lets in everybody at {endpoint}, and only the {secured} is \
             secured: add --{open}-curve-secret and --{open}-authorized-keys, or listen on 127.0.0.1"
        );
    }
}

fn links(bind: &[String], connect: &[String]) -> Vec<Link> {
    let binds = bind.iter().cloned().map(Link::Bind);
    let connects = connect.iter().cloned().map(Link::Connect);
    binds.chain(connects).collect()
}

/// Gives what is on its way some time to leave.
async fn close(sockets: impl Iterator<Item = SocketHandle>) {
    let closing = futures_util::future::join_all(sockets.map(|socket| socket.close()));
    // Whoever has not read by then never will.
    let _ = tokio::time::timeout(LINGER, closing).await;
}

/// Prints the counters again and again; ends only if that fails.
async fn report(
    control: &ProxyControl,
    period: Option<Duration>,
    look: Look,
) -> Result<(), CliError> {
    let Some(period) = period else {
        return std::future::pending().await;
    };
    loop {
        tokio::time::sleep(period).await;
        print(control, look)?;
    }
}

fn print(control: &ProxyControl, look: Look) -> io::Result<()> {
    let statistics = control.statistics();
    let mut printer = Printer::new(io::stdout(), look);
    match look.form {
        Form::Pretty => printer.print_text(&line(&statistics)),
        _ => printer.print(&value(&statistics)),
    }
}

fn line(statistics: &ProxyStatistics) -> String {
    let (forth, back) = (statistics.from_frontend, statistics.from_backend);
    format!(
        "frontend to backend: {} messages, {} bytes; back: {} messages, {} bytes; undeliverable: {}",
        forth.messages, forth.bytes, back.messages, back.bytes, statistics.undeliverable
    )
}

fn value(statistics: &ProxyStatistics) -> Value {
    let traffic = |traffic: ProxyTraffic| {
        Value::Map(vec![
            ("messages".into(), traffic.messages.into()),
            ("bytes".into(), traffic.bytes.into()),
        ])
    };
    Value::Map(vec![
        ("from_frontend".into(), traffic(statistics.from_frontend)),
        ("to_frontend".into(), traffic(statistics.to_frontend)),
        ("from_backend".into(), traffic(statistics.from_backend)),
        ("to_backend".into(), traffic(statistics.to_backend)),
        ("undeliverable".into(), statistics.undeliverable.into()),
    ])
}

/// How long what is on its way may take to leave at the end.
const LINGER: Duration = Duration::from_secs(1);

/// What only the long help says.
const EXAMPLES: &str = "\
Examples:
  zrpc proxy router-dealer --frontend tcp://0.0.0.0:4242 --backend tcp://0.0.0.0:4243
      for clients at 4242, and servers that connect to 4243
  zrpc proxy xsub-xpub --frontend tcp://0.0.0.0:4242 --backend tcp://0.0.0.0:4243 --stats 10
  zrpc proxy router-dealer --frontend tcp://0.0.0.0:4242 --connect-backend tcp://127.0.0.1:4243 \\
      --frontend-curve-secret proxy.key_secret --frontend-authorized-keys authorized";
