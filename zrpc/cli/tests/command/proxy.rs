//! Messages that a proxy passes on.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use zmtp::{DealerSocket, PullSocket, PushSocket, RouterSocket, Socket, SocketEvent, SubSocket};
use zrpc::security::Security;
use zrpc::{Client, Server};

use super::running::Running;
use super::support::{Directory, zrpc};

const FREE: &str = "tcp://127.0.0.1:*";

/// Far longer than a message takes.
const TOO_LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn calls_go_through_a_router_and_a_dealer() {
    let line = ["proxy", "queue", "--frontend", FREE, "--backend", FREE];
    let stats = ["--stats", "1000", "--output", "json"];
    let mut proxy = Running::start(&[&line[..], &stats].concat());
    let (frontend, backend) = (proxy.address(), proxy.address());
    let server = Server::builder()
        .method("double", |(number,): (u64,)| async move { number * 2 })
        .connect(backend);
    let server = server.build().await.unwrap();
    let client = Client::connect(frontend).await.unwrap();
    let answer: u64 = client.call("double", (21,)).await.unwrap();
    assert_eq!(answer, 42);
    drop((client, server));

    let run = proxy.stop(Signal::TERM);
    assert_eq!(run.code, Some(0));
    let statistics: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(
        statistics["from_frontend"]["messages"].as_u64() >= Some(1),
        "{statistics}"
    );
    assert!(
        statistics["to_frontend"]["messages"].as_u64() >= Some(1),
        "{statistics}"
    );
}

#[tokio::test]
async fn pushed_messages_go_on_and_a_copy_of_each_is_captured() {
    let mut puller = PullSocket::new();
    let address = puller.bind(FREE).await.unwrap().to_string();
    let line = [
        "proxy",
        "pull-push",
        "--frontend",
        FREE,
        "--connect-backend",
        &address,
        "--capture",
        FREE,
    ];
    let mut proxy = Running::start(&line);
    let frontend = proxy.address();
    proxy.address();
    let capture = proxy.address();

    let mut observer = SubSocket::new();
    observer.subscribe("");
    observer.connect(capture).await.unwrap();
    let mut pusher = PushSocket::new();
    pusher.connect(frontend).await.unwrap();
    // The copies begin with the subscription, which nobody announces.
    let copy = loop {
        pusher.send("hello").await.unwrap();
        let copy = tokio::time::timeout(Duration::from_millis(100), observer.recv()).await;
        if let Ok(copy) = copy {
            break copy.unwrap();
        }
    };
    assert_eq!(copy, zmtp::Message::from("hello"));
    let received = tokio::time::timeout(TOO_LONG, puller.recv()).await.unwrap();
    assert_eq!(received.unwrap(), zmtp::Message::from("hello"));
    let run = proxy.stop(Signal::INT);
    assert_eq!(run.code, Some(130));
}

#[tokio::test]
async fn both_sides_and_the_capture_are_encrypted_and_let_in_who_is_known() {
    let directory = Directory::new();
    for name in ["proxy", "client", "worker", "reader"] {
        let run = zrpc(&["keygen", &directory.path(&format!("{name}.key"))]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }
    let known = [(); 3].map(|()| Directory::new());
    for (known, name) in known.iter().zip(["client", "worker", "reader"]) {
        let name = format!("{name}.key");
        fs::copy(directory.path(&name), known.path(&name)).unwrap();
    }
    let secret = directory.path("proxy.key_secret");
    let mut line = vec!["proxy", "queue", "--frontend", FREE, "--backend", FREE];
    line.extend(["--capture", FREE]);
    line.extend(["--frontend-curve-secret", &secret]);
    line.extend(["--frontend-authorized-keys", known[0].root()]);
    line.extend(["--backend-curve-secret", &secret]);
    line.extend(["--backend-authorized-keys", known[1].root()]);
    line.extend(["--capture-curve-secret", &secret]);
    line.extend(["--capture-authorized-keys", known[2].root()]);
    let mut proxy = Running::start(&line);
    let (frontend, backend, capture) = (proxy.address(), proxy.address(), proxy.address());
    let security = |name: &str| match name {
        "nobody" => Security::null(),
        name => {
            let own = directory.path(&format!("{name}.key_secret"));
            Security::curve_client_from_files(directory.path("proxy.key"), own).unwrap()
        }
    };
    for name in ["client", "worker", "reader", "nobody"] {
        let is_in = [
            is_let_in::<DealerSocket>(&frontend, security(name)).await,
            is_let_in::<RouterSocket>(&backend, security(name)).await,
            is_let_in::<SubSocket>(&capture, security(name)).await,
        ];
        let expected = ["client", "worker", "reader"].map(|known| known == name);
        assert_eq!(is_in, expected, "{name}");
    }

    // And whoever is let in gets what is due.
    let worker = Server::builder()
        .method("double", |(number,): (u64,)| async move { number * 2 })
        .security(security("worker"))
        .connect(backend);
    let worker = worker.build().await.unwrap();
    let client = Client::builder()
        .security(security("client"))
        .connect(frontend);
    let client = client.build().await.unwrap();
    let builder = security("reader").apply(SubSocket::builder());
    let mut reader: SubSocket = builder.unwrap().build();
    reader.subscribe("");
    reader.connect(capture).await.unwrap();
    tokio::time::timeout(TOO_LONG, call_until_copied(&client, &mut reader))
        .await
        .unwrap();
    drop((worker, client));
    assert_eq!(proxy.stop(Signal::TERM).code, Some(0));
}

/// Makes calls until one of them is copied: that begins with the subscription, which nobody announces.
async fn call_until_copied(client: &Client, reader: &mut SubSocket) {
    loop {
        let answer: u64 = client.call("double", (21,)).await.unwrap();
        assert_eq!(answer, 42);
        let copy = tokio::time::timeout(Duration::from_millis(100), reader.recv()).await;
        if let Ok(copy) = copy {
            copy.unwrap();
            break;
        }
    }
}

/// Whether a handshake succeeds.
async fn is_let_in<S: Socket>(address: &str, security: Security) -> bool {
    let socket: S = security.apply(S::builder()).unwrap().build();
    let mut monitor = socket.handle().monitor();
    socket.handle().connect(address).await.unwrap();
    let outcome = async {
        loop {
            match monitor.recv().await.unwrap() {
                SocketEvent::HandshakeSucceeded { .. } => break true,
                SocketEvent::HandshakeFailed { .. } => break false,
                _ => {}
            }
        }
    };
    tokio::time::timeout(TOO_LONG, outcome).await.unwrap()
}

#[test]
fn an_open_side_beside_a_secured_one_is_told() {
    let directory = Directory::new();
    let key = directory.path("key");
    assert_eq!(zrpc(&["keygen", &key]).code, Some(0));
    let secret = format!("{key}_secret");
    let line = |side: &'static str| {
        let (option, any) = (
            format!("--{side}-curve-secret"),
            format!("--{side}-any-key"),
        );
        [option, secret.clone(), any]
    };
    let everywhere = "tcp://0.0.0.0:*";
    for (frontend, backend, secured, told) in [
        (FREE, everywhere, "frontend", Some("backend")),
        (everywhere, FREE, "backend", Some("frontend")),
        (everywhere, FREE, "frontend", None),
    ] {
        let start = [
            "proxy",
            "queue",
            "--frontend",
            frontend,
            "--backend",
            backend,
        ];
        let options = line(secured);
        let options: Vec<_> = options.iter().map(String::as_str).collect();
        let mut proxy = Running::start(&[&start[..], &options].concat());
        let addresses = [proxy.address(), proxy.address()];
        match told {
            None => {
                // The next line is that of the capture, were there one; there is none at all.
                let run = proxy.stop(Signal::TERM);
                assert_eq!(run.stderr, "");
            }
            Some(open) => {
                let line = proxy.line();
                let open_at = &addresses[usize::from(open == "backend")];
                let expected = format!(
                    "zrpc: warning: the {open} lets in everybody at {open_at}, and only the \
                     {secured} is secured: add --{open}-curve-secret"
                );
                assert!(line.starts_with(&expected), "{line}");
            }
        }
    }
}

#[test]
fn passwords_are_asked_for_at_one_side_and_shown_at_the_other() {
    let directory = Directory::new();
    let (known, password) = (directory.path("known"), directory.path("password"));
    fs::write(&known, "ann:secret\n").unwrap();
    fs::write(&password, "secret\n").unwrap();
    let shown = format!("ann:{password}");
    let mut service = Running::start(&["serve", FREE, "--passwords", &known, "--", "/bin/echo"]);
    let address = service.address();
    let line = [
        "proxy",
        "queue",
        "--frontend",
        FREE,
        "--connect-backend",
        &address,
    ];
    let sides = ["--frontend-passwords", &known, "--backend-plain", &shown];
    let mut proxy = Running::start(&[&line[..], &sides].concat());
    let frontend = proxy.address();

    let run = zrpc(&["--plain", &shown, &frontend, "echo", "hi"]);
    assert_eq!(
        (run.code, &*run.stdout),
        (Some(0), "'hi'\n"),
        "{}",
        run.stderr
    );
    let run = zrpc(&["--timeout", "1", &frontend, "echo", "hi"]);
    assert_eq!(run.code, Some(1), "{run:?}");
}

#[test]
fn options_of_a_side_that_make_no_sense_name_the_side() {
    let line = ["proxy", "queue", "--frontend", FREE, "--backend", FREE];
    let key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    for (options, code, expected) in [
        (
            &["--frontend-secret-key-file", "x"][..],
            1,
            "--frontend-: --secret-key-file needs --server-key",
        ),
        (
            &["--backend-any-key"],
            1,
            "--backend-: --curve-secret needs",
        ),
        (
            &["--backend-any-key", "--backend-server-key", key],
            1,
            "--backend-: options of both sides",
        ),
        (
            &["--backend-server-key", key, "--capture", FREE],
            2,
            "--capture would show to everybody",
        ),
        // What the sides say about themselves says nothing about the capture.
        (
            &["--frontend-any-key", "--capture", FREE],
            2,
            "--capture would show to everybody",
        ),
        (&["--capture-any-key"], 2, "need --capture"),
        (
            &["--capture-any-key", "--capture", FREE],
            1,
            "--capture-: --curve-secret needs",
        ),
        (
            &["--frontend-plain", "ann:file"],
            2,
            "--frontend-plain would tell the password",
        ),
        (
            &["--backend-plain", "ann:file", "--connect-backend", FREE],
            2,
            "--backend-plain would tell the password",
        ),
    ] {
        let run = zrpc(&[&line[..], options].concat());
        assert_eq!(run.code, Some(code), "{options:?}: {}", run.stderr);
        assert!(run.stderr.contains(expected), "{options:?}: {}", run.stderr);
    }
}

#[test]
fn a_proxy_needs_two_sides_and_addresses_that_are_some() {
    let run = zrpc(&["proxy", "queue", "--frontend", FREE]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("--backend"), "{}", run.stderr);
    let run = zrpc(&["proxy", "queue", "--frontend", "here", "--backend", FREE]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("here is no address"), "{}", run.stderr);
    assert!(
        run.stderr.contains("tcp://127.0.0.1:4242"),
        "{}",
        run.stderr
    );
}
