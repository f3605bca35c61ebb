//! Unix sockets: who listens, what lies in the file system, and who is at the other end.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use zmtp::endpoint::IpcName;
use zmtp::{
    BindError, ConnectError, DealerSocket, Endpoint, Message, PeerAddress, PullSocket, PushSocket,
    RepSocket, ReqSocket, Socket, SocketEvent,
};

use crate::{disconnect, soon};

/// A directory of this test, removed with all that is in it.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("zmtp-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn endpoint(&self, name: &str) -> String {
        format!("ipc://{}", self.path(name).display())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

async fn request_and_reply(endpoint: &str) {
    let mut rep = RepSocket::new();
    let bound = rep.bind(endpoint).await.unwrap();
    let mut req = ReqSocket::new();
    req.connect(&bound).await.unwrap();
    for body in [vec![], vec![7; 200], vec![7; 1_000_000]] {
        req.send(body.as_slice()).await.unwrap();
        let request = soon(rep.recv()).await.unwrap();
        rep.send(request).unwrap();
        assert_eq!(soon(req.recv()).await.unwrap()[0], body.as_slice());
    }
}

#[tokio::test]
async fn a_path_is_a_meeting_point() {
    let directory = Directory::new();
    request_and_reply(&directory.endpoint("a")).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_abstract_name_is_a_meeting_point_and_no_file() {
    let endpoint = format!("ipc://@zmtp-test-{}", std::process::id());
    request_and_reply(&endpoint).await;
    let endpoint = format!("{endpoint}-taken");
    let first = RepSocket::new();
    first.bind(&endpoint).await.unwrap();
    let refused = RepSocket::new().bind(&endpoint).await.unwrap_err();
    assert_eq!(io_error(refused), io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn a_wildcard_is_a_file_in_a_private_directory_until_the_socket_closes() {
    request_and_reply("ipc://*").await;
    let pull = PullSocket::new();
    let first = path_of(&pull.bind("ipc://*").await.unwrap());
    let second = path_of(&pull.bind("ipc://*").await.unwrap());
    assert_ne!(first, second);
    let directory = first.parent().unwrap().to_owned();
    assert_eq!(fs::metadata(&directory).unwrap().mode() & 0o777, 0o700);
    assert!(is_socket(&first));
    soon(pull.close()).await;
    assert!(!directory.exists());
}

#[tokio::test]
async fn the_file_goes_with_the_socket() {
    let directory = Directory::new();
    let pull = PullSocket::new();
    pull.bind(directory.endpoint("a")).await.unwrap();
    assert!(is_socket(&directory.path("a")));
    soon(pull.close()).await;
    assert!(!directory.path("a").exists());
}

#[tokio::test]
async fn a_path_can_be_bound_again_after_an_unbind() {
    let directory = Directory::new();
    let endpoint = directory.endpoint("a");
    let mut pull = PullSocket::new();
    let mut push = PushSocket::builder()
        .reconnect_interval(Duration::from_millis(5))
        .build();
    let mut monitor = push.monitor();
    push.connect(&endpoint).await.unwrap();
    for round in 0..5u8 {
        pull.bind(&endpoint).await.unwrap();
        push.send([round].as_slice()).await.unwrap();
        assert_eq!(soon(pull.recv()).await.unwrap()[0], [round]);
        soon(pull.unbind(&endpoint)).await.unwrap();
        assert!(!directory.path("a").exists());
        disconnect(&mut monitor).await;
    }
}

#[tokio::test]
async fn a_file_that_a_program_left_behind_is_replaced() {
    let directory = Directory::new();
    drop(std::os::unix::net::UnixListener::bind(directory.path("a")).unwrap());
    assert!(is_socket(&directory.path("a")));
    request_and_reply(&directory.endpoint("a")).await;
}

#[tokio::test]
async fn a_path_where_somebody_listens_cannot_be_bound() {
    let directory = Directory::new();
    let mut first = PullSocket::new();
    first.bind(directory.endpoint("a")).await.unwrap();
    let refused = first.bind(directory.endpoint("a")).await.unwrap_err();
    assert_eq!(io_error(refused), io::ErrorKind::AddrInUse);
    let refused = PullSocket::new().bind(directory.endpoint("a")).await;
    assert_eq!(io_error(refused.unwrap_err()), io::ErrorKind::AddrInUse);
    let mut push = PushSocket::new();
    push.connect(directory.endpoint("a")).await.unwrap();
    push.send("still here").await.unwrap();
    assert_eq!(
        soon(first.recv()).await.unwrap(),
        Message::from("still here")
    );
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_left_alone() {
    let directory = Directory::new();
    fs::write(directory.path("a"), "precious").unwrap();
    let refused = PullSocket::new().bind(directory.endpoint("a")).await;
    assert_eq!(io_error(refused.unwrap_err()), io::ErrorKind::AddrInUse);
    assert_eq!(fs::read(directory.path("a")).unwrap(), b"precious");
}

#[tokio::test]
async fn a_file_that_another_program_put_there_stays() {
    let directory = Directory::new();
    let pull = PullSocket::new();
    pull.bind(directory.endpoint("a")).await.unwrap();
    fs::rename(directory.path("a"), directory.path("b")).unwrap();
    let _other = std::os::unix::net::UnixListener::bind(directory.path("a")).unwrap();
    soon(pull.close()).await;
    assert!(is_socket(&directory.path("a")));
}

#[tokio::test]
async fn a_name_that_is_too_long_is_named() {
    let prefixes = ["ipc:///tmp/", "ipc://@"];
    // Abstract names are unsupported elsewhere, whatever their length.
    for prefix in &prefixes[..if cfg!(target_os = "linux") { 2 } else { 1 }] {
        let endpoint = format!("{prefix}{}", "a".repeat(200));
        let refused = PullSocket::new().bind(&endpoint).await.unwrap_err();
        assert!(matches!(refused, BindError::NameTooLong { len: 200.., .. }));
        let refused = PullSocket::new().connect(&endpoint).await.unwrap_err();
        assert!(matches!(
            refused,
            ConnectError::NameTooLong { len: 200.., .. }
        ));
    }
    let refused = PullSocket::new().connect("ipc://*").await.unwrap_err();
    assert!(matches!(refused, ConnectError::Wildcard { .. }));
}

#[tokio::test]
async fn connecting_before_anybody_listens_is_fine() {
    let directory = Directory::new();
    let mut push = PushSocket::new();
    push.connect(directory.endpoint("a")).await.unwrap();
    push.send("early").await.unwrap();
    let mut pull = PullSocket::new();
    pull.bind(directory.endpoint("a")).await.unwrap();
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("early"));
}

#[tokio::test]
async fn both_sides_learn_whose_process_the_peer_is() {
    let directory = Directory::new();
    let owner = fs::metadata(&directory.0).unwrap();
    let binder = DealerSocket::new();
    let connector = DealerSocket::new();
    let mut monitors = [binder.monitor(), connector.monitor()];
    binder.bind(directory.endpoint("a")).await.unwrap();
    connector.connect(directory.endpoint("a")).await.unwrap();
    let names = [IpcName::Unnamed, IpcName::Path(directory.path("a"))];
    for (monitor, name) in monitors.iter_mut().zip(names) {
        let address = soon(async {
            loop {
                match monitor.recv().await.unwrap() {
                    SocketEvent::Accepted { address, .. }
                    | SocketEvent::Connected { address, .. } => return address,
                    _ => {}
                }
            }
        })
        .await;
        let PeerAddress::Ipc(peer) = address else {
            panic!("{address} is not an ipc address");
        };
        assert_eq!(peer.name, name);
        let credentials = peer.credentials.unwrap();
        assert_eq!(
            (credentials.user_id, credentials.group_id),
            (owner.uid(), owner.gid())
        );
    }
}

fn path_of(endpoint: &Endpoint) -> PathBuf {
    PathBuf::from(endpoint.to_string().strip_prefix("ipc://").unwrap())
}

fn io_error(error: BindError) -> io::ErrorKind {
    match error {
        BindError::Io { source, .. } => source.kind(),
        other => panic!("{other:?}"),
    }
}
