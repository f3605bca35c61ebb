//! Requests and replies of several clients, and two sockets that are each other's only peer.

use super::network::{Tasks, Transport, explore, finish, text};
use crate::driver::Retention;
use crate::socket::{PairSocket, RepSocket, ReqSocket, Socket};

/// As many requests as each client makes.
const COUNT: usize = 2;

async fn clients() {
    let mut server = RepSocket::new();
    let mut links = Tasks::default();
    links.bind(server.handle(), "model");
    let mut handles = vec![server.handle().clone()];
    let mut tasks = Tasks::default();
    for client in 0..2 {
        let mut socket = ReqSocket::new();
        links.connect(socket.handle(), "model", Retention::Queue);
        handles.push(socket.handle().clone());
        tasks.spawn(async move {
            for number in 0..COUNT {
                let request = format!("{client} {number}");
                socket.send(request.as_str()).await.unwrap();
                let reply = socket.recv().await.unwrap();
                assert_eq!(text(&reply), format!("{request}!"));
            }
        });
    }
    for _ in 0..2 * COUNT {
        let request = server.recv().await.unwrap();
        let reply = format!("{}!", text(&request));
        server.send(reply.as_str()).unwrap();
    }
    tasks.join().await;
    finish(links, &handles).await;
}

#[test]
fn each_client_gets_the_reply_to_its_own_request() {
    explore(clients);
}

async fn pair(transport: Transport) {
    let pair = || {
        PairSocket::builder()
            .send_high_water_mark(1)
            .receive_high_water_mark(1)
            .build()
    };
    let (left, right) = (pair(), pair());
    let handles = [left.handle().clone(), right.handle().clone()];
    let mut links = Tasks::default();
    transport.connect(&mut links, &left, &right);
    let mut tasks = Tasks::default();
    for socket in [left, right] {
        let (mut sender, mut receiver) = socket.split();
        tasks.spawn(async move {
            for number in 0..=COUNT {
                sender.send(number.to_string()).await.unwrap();
            }
        });
        tasks.spawn(async move {
            for number in 0..=COUNT {
                let message = receiver.recv().await.unwrap();
                assert_eq!(text(&message), number.to_string());
            }
        });
    }
    tasks.join().await;
    finish(links, &handles).await;
}

#[test]
fn a_pair_talks_in_both_directions_in_process() {
    explore(|| pair(Transport::InProcess));
}

#[test]
fn a_pair_talks_in_both_directions_over_a_stream() {
    explore(|| pair(Transport::Stream { octets: 16 }));
}
