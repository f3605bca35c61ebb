//! Options at the end of what they can be.

use zmtp::session::Heartbeat as Ping;
use zrpc::{Client, Heartbeat, Puller, Pusher, Server};

use super::table::*;
use crate::support::in_time;

/// Extreme values of one thing each are no reason to panic when it is used.
#[tokio::test]
async fn what_is_built_with_extremes_works() {
    let (all, socket) = unlimited();
    let patient = socket
        .reconnect_interval(FOREVER)
        .connect_timeout(FOREVER)
        .handshake_timeout(FOREVER)
        .heartbeat(Ping::new(FOREVER))
        .send_high_water_mark(usize::MAX)
        .receive_high_water_mark(usize::MAX)
        .max_connections(usize::MAX);
    let server = Server::builder()
        .register(one())
        .stream("count", |(): ()| futures_util::stream::iter(0..10_000))
        .heartbeat(Heartbeat::every(FOREVER))
        .max_concurrency(usize::MAX)
        .max_blocking(usize::MAX)
        .limits(all.clone())
        .socket(patient.clone())
        .linger(FOREVER)
        .bind(ANYWHERE);
    let server = in_time(server.build()).await.unwrap();
    let client = Client::builder()
        .timeout(FOREVER)
        .item_timeout(FOREVER)
        .heartbeat(Heartbeat::every(FOREVER))
        .slots(u32::MAX)
        .limits(all)
        .socket(patient.clone())
        .connect(&server.endpoints()[0]);
    let client = in_time(client.build()).await.unwrap();
    assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
    let mut items = client.stream::<u64>("count", ()).await.unwrap();
    for number in 0..10_000 {
        assert_eq!(in_time(items.next_item()).await, Ok(Some(number)));
    }
    in_time(client.close()).await;
    in_time(server.handle().drain(FOREVER)).await.unwrap();

    let mut puller = Puller::builder()
        .max_concurrency(usize::MAX)
        .socket(patient.clone())
        .bind(ANYWHERE)
        .build()
        .await
        .unwrap();
    let pusher = Pusher::builder()
        .linger(FOREVER)
        .socket(patient)
        .connect(&puller.endpoints()[0])
        .build()
        .await
        .unwrap();
    in_time(pusher.push("note", (1,))).await.unwrap();
    assert_eq!(in_time(puller.recv()).await.unwrap().method(), "note");
    in_time(pusher.close()).await;
}
