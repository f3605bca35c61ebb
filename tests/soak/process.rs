//! A server in a process of its own, and what it uses.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A running server. Dropping it ends it.
pub(crate) struct ServerProcess {
    pub(crate) endpoint: String,
    process: Child,
}

impl ServerProcess {
    /// Starts this program once more, as a server.
    pub(crate) async fn start() -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "service::server", "--ignored", "--nocapture"])
            // What is free is given back, so that what is left is what is in use.
            .env("MALLOC_ARENA_MAX", "1")
            .env("MALLOC_TRIM_THRESHOLD_", "65536")
            .env("MALLOC_MMAP_THRESHOLD_", "16384")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let endpoint = loop {
            let line = lines.next_line().await.unwrap();
            let line = line.expect("a server says where it is");
            if let Some((_, endpoint)) = line.split_once("endpoint ") {
                break endpoint.to_owned();
            }
        };
        // The server is a test, and its harness wants to say how long it takes.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { endpoint, process }
    }

    /// Returns the octets that the server holds in memory.
    pub(crate) fn memory(&self) -> usize {
        let id = self.process.id().expect("the server runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.unwrap().trim().trim_end_matches(" kB");
        kibibytes.parse::<usize>().unwrap() * 1024
    }
}
