//! Connecting through a proxy.

#![expect(clippy::unwrap_used, reason = "tests")]

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use zmtp::{ConnectError, Endpoint, Message, PullSocket, PushSocket, Socket, SocksProxy};

use crate::{LOOPBACK, soon};

/// A proxy that lets everybody in and goes wherever it is told by name; returns its address.
async fn proxy() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(client));
        }
    });
    address
}

async fn serve(mut client: TcpStream) {
    let mut hello = [0; 3];
    client.read_exact(&mut hello).await.unwrap();
    client.write_all(&[5, 0]).await.unwrap();
    let mut head = [0; 5];
    client.read_exact(&mut head).await.unwrap();
    let mut name = vec![0; usize::from(head[4])];
    client.read_exact(&mut name).await.unwrap();
    let port = client.read_u16().await.unwrap();
    assert_eq!(name, b"only-the-proxy-knows");
    match TcpStream::connect(("127.0.0.1", port)).await {
        Ok(mut server) => {
            let bound = [5, 0, 0, 1, 127, 0, 0, 1, 0, 0];
            client.write_all(&bound).await.unwrap();
            // Either side may end it.
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
        Err(_) => client
            .write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0])
            .await
            .unwrap(),
    }
}

#[tokio::test]
async fn a_proxy_finds_hosts_that_we_do_not_know() {
    let mut pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let Endpoint::Tcp(tcp) = &endpoint else {
        panic!("{endpoint} is a tcp endpoint");
    };
    let proxy = SocksProxy::new(&proxy().await).unwrap();
    let mut push = PushSocket::builder().socks_proxy(proxy).build();
    push.connect(format!("tcp://only-the-proxy-knows:{}", tcp.port))
        .await
        .unwrap();
    push.send("through").await.unwrap();
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("through"));
}

#[tokio::test]
async fn hosts_that_no_proxy_can_be_told_are_refused_at_once() {
    let proxy = SocksProxy::new("127.0.0.1:1").unwrap();
    let push = PushSocket::builder().socks_proxy(proxy).build();
    let refused = push.connect("tcp://[fe80::1%lo]:5555").await;
    let endpoint = "tcp://[fe80::1%lo]:5555".parse().unwrap();
    assert_eq!(refused, Err(ConnectError::NotForProxy { endpoint }));
}
