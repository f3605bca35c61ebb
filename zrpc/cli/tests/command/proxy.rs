//! Messages that a proxy passes on.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use zmtp::{PullSocket, PushSocket, Socket, SubSocket};
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
async fn both_sides_are_encrypted_and_let_in_who_is_known() {
    let directory = Directory::new();
    for name in ["proxy", "client", "worker"] {
        let run = zrpc(&["keygen", &directory.path(&format!("{name}.key"))]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }
    let (clients, workers) = (Directory::new(), Directory::new());
    for (known, name) in [(&clients, "client.key"), (&workers, "worker.key")] {
        fs::copy(directory.path(name), known.path(name)).unwrap();
    }
    let secret = directory.path("proxy.key_secret");
    let mut proxy = Running::start(&[
        "proxy",
        "queue",
        "--frontend",
        FREE,
        "--backend",
        FREE,
        "--capture",
        FREE,
        "--frontend-curve-secret",
        &secret,
        "--frontend-authorized-keys",
        clients.root(),
        "--backend-curve-secret",
        &secret,
        "--backend-authorized-keys",
        workers.root(),
    ]);
    let (frontend, backend, capture) = (proxy.address(), proxy.address(), proxy.address());
    let own = directory.path("worker.key_secret");
    let security = Security::curve_client_from_files(directory.path("proxy.key"), own);
    let worker = Server::builder()
        .method("double", |(number,): (u64,)| async move { number * 2 })
        .security(security.unwrap())
        .connect(backend)
        .build()
        .await
        .unwrap();

    let knock = move || knock(&directory, &frontend, &capture);
    tokio::task::spawn_blocking(knock).await.unwrap();
    drop(worker);
    assert_eq!(proxy.stop(Signal::TERM).code, Some(0));
}

/// Comes to a frontend with the key that is known there, with one that is not, and without any, and
/// to a capture.
fn knock(keys: &Directory, frontend: &str, capture: &str) {
    let public = keys.path("proxy.key");
    let shown = |name: &str| {
        let secret = keys.path(name);
        ["--server-key", &public, "--secret-key-file", &secret].map(str::to_owned)
    };
    let run = |shown: &[String], line: &[&str]| {
        let shown = shown.iter().map(String::as_str);
        zrpc(
            &line[..1]
                .iter()
                .copied()
                .chain(shown)
                .chain(line[1..].iter().copied())
                .collect::<Vec<_>>(),
        )
    };
    let (known, unknown) = (shown("client.key_secret"), shown("worker.key_secret"));
    let answered = run(&known, &["-j", frontend, "double", "21"]);
    assert_eq!(
        (answered.code, &*answered.stdout),
        (Some(0), "42\n"),
        "{answered:?}"
    );
    for shown in [&[][..], &unknown] {
        let refused = run(shown, &["-j", "--timeout", "2", frontend, "double", "21"]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
    }
    // Copies are for whom the frontend lets in.
    for (shown, code) in [(&unknown, 4), (&known, 0)] {
        let observed = std::thread::scope(|scope| {
            let line = ["subscribe", "--count", "1", "--timeout", "3", capture];
            let observer = scope.spawn(move || run(shown, &line));
            while !observer.is_finished() {
                let answered = run(&known, &["-j", frontend, "double", "21"]);
                assert_eq!(answered.code, Some(0), "{answered:?}");
            }
            observer.join().unwrap()
        });
        assert_eq!(observed.code, Some(code), "{observed:?}");
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
