//! Unix sockets by path and by abstract name, with either side listening, and listening again.

#![cfg(unix)]

use std::time::Duration;

use interop::Failure;
use serde_json::json;
use zmtp::{Message, PullSocket, PushSocket, Socket};

use crate::support::{bind_libzmq, disconnected, libzmq, python, soon};

/// Endpoints that nobody else uses, and the directory of the first of them.
struct Place {
    directory: std::path::PathBuf,
    endpoints: Vec<String>,
}

impl Place {
    fn new(name: &str) -> Result<Self, Failure> {
        let name = format!("zmtp-interop-{}-{name}", std::process::id());
        let directory = std::env::temp_dir().join(&name);
        std::fs::create_dir(&directory)?;
        let mut endpoints = vec![format!("ipc://{}/socket", directory.display())];
        if cfg!(target_os = "linux") {
            endpoints.push(format!("ipc://@{name}"));
        }
        Ok(Self {
            directory,
            endpoints,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

#[tokio::test]
async fn libzmq_connects_to_our_paths_and_abstract_names() -> Result<(), Failure> {
    let Some(python) = python()? else {
        return Ok(());
    };
    let place = Place::new("ours")?;
    for endpoint in &place.endpoints {
        let mut pull = PullSocket::new();
        assert_eq!(pull.bind(endpoint).await?.to_string(), *endpoint);
        let mut peer = libzmq(python, "PUSH", json!({})).await?;
        peer.request(json!({"op": "connect", "name": "z", "endpoint": endpoint}))
            .await?;
        peer.request(json!({"op": "send", "name": "z", "parts": ["hello"]}))
            .await?;
        assert_eq!(soon(pull.recv()).await??, Message::from("hello"));
    }
    Ok(())
}

#[tokio::test]
async fn we_connect_to_paths_and_abstract_names_of_libzmq() -> Result<(), Failure> {
    let Some(python) = python()? else {
        return Ok(());
    };
    let place = Place::new("theirs")?;
    for endpoint in &place.endpoints {
        let mut peer = libzmq(python, "PULL", json!({})).await?;
        bind_libzmq(&mut peer, endpoint).await?;
        let mut push = PushSocket::new();
        push.connect(endpoint).await?;
        soon(push.send("hello")).await??;
        peer.request(json!({"op": "recv", "name": "z", "expect": ["hello"]}))
            .await?;
    }
    Ok(())
}

/// The file of a libzmq that was killed is in the way of neither side.
#[tokio::test]
async fn a_path_is_bound_again_after_its_listener_was_killed() -> Result<(), Failure> {
    let Some(python) = python()? else {
        return Ok(());
    };
    let place = Place::new("killed")?;
    let endpoint = &place.endpoints[0];
    let mut push = PushSocket::builder()
        .reconnect_interval(Duration::from_millis(20))
        .build();
    push.connect(endpoint).await?;
    let mut peer = libzmq(python, "PULL", json!({})).await?;
    bind_libzmq(&mut peer, endpoint).await?;
    let mut monitor = push.monitor();
    soon(push.send("one")).await??;
    peer.request(json!({"op": "recv", "name": "z", "expect": ["one"]}))
        .await?;
    peer.kill().await?;
    assert!(place.directory.join("socket").exists());
    disconnected(&mut monitor).await?;
    let mut pull = PullSocket::new();
    pull.bind(endpoint).await?;
    soon(push.send("two")).await??;
    assert_eq!(soon(pull.recv()).await??, Message::from("two"));
    Ok(())
}
