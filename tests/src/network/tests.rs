//! A network does what it is told to.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::plan::{Fault, Schedule};
use super::proxy::Proxy;
use crate::random::Random;

const PATIENCE: Duration = Duration::from_secs(30);

/// More than passes before the fault, and less than waits in a kernel.
const OCTETS: usize = 4000;

/// Says something, listens until the end, and returns what that was.
async fn talk(mut stream: TcpStream) -> Option<ErrorKind> {
    let talk = async {
        stream.write_all(&[7; OCTETS]).await?;
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await
    };
    let end = timeout(PATIENCE, talk).await.expect("connections end");
    end.err().map(|error| error.kind())
}

/// How connections ended for who connected, and for who was bound.
async fn ends(fault: Fault) -> Vec<[Option<ErrorKind>; 2]> {
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let schedule = Schedule::new(Random::new(1), &[fault], [1000, 1000]);
    let network = Proxy::start(target.local_addr().unwrap(), schedule).unwrap();
    let mut ends = Vec::new();
    while ends.len() < 8 {
        let endpoint = network.endpoint();
        // For a refusal nobody listens.
        let Ok(client) = TcpStream::connect(&endpoint["tcp://".len()..]).await else {
            tokio::time::sleep(Duration::from_millis(1)).await;
            continue;
        };
        let server = async {
            let (server, _) = target.accept().await.unwrap();
            talk(server).await
        };
        let (there, here) = tokio::join!(talk(client), timeout(PATIENCE, server));
        ends.push([there, here.unwrap()]);
    }
    ends
}

#[tokio::test]
async fn a_reset_is_seen_as_one_by_both_peers() {
    for fault in [Fault::Reset, Fault::Stall] {
        for end in ends(fault).await {
            assert_eq!(end, [Some(ErrorKind::ConnectionReset); 2], "{fault:?}");
        }
    }
}
