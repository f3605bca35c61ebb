//! Clients and servers, pushers and pullers, publishers and subscribers, that come and go.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use tokio::task::JoinSet;
use zmtp::authenticator::AnyKey;
use zmtp::curve::{KeyPair, SecretKey};
use zrpc::security::Security;
use zrpc::{
    CallError, Client, Event, Heartbeat, IoRuntime, Publisher, Puller, Pusher, Server,
    SocketOptions, Subscriber,
};

use crate::lane::{Lane, Tally, in_time};

/// How the connections of a lane are secured.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Secured {
    Not,
    WithCurve,
}

impl Secured {
    fn server(self) -> Security {
        match self {
            Self::Not => Security::null(),
            Self::WithCurve => Security::curve_server(server_pair(), AnyKey),
        }
    }

    fn client(self) -> Security {
        match self {
            Self::Not => Security::null(),
            Self::WithCurve => Security::curve_anonymous(server_pair().public_key()),
        }
    }
}

fn server_pair() -> KeyPair {
    KeyPair::new(SecretKey::from_octets([0x51; 32]))
}

fn quick() -> SocketOptions {
    SocketOptions::new()
        .reconnect_interval(Duration::from_millis(5))
        .reconnect_interval_max(Duration::from_millis(20))
}

async fn server(endpoint: &str, secured: Secured) -> Server {
    in_time(async {
        loop {
            let built = Server::builder()
                .io_runtime(IoRuntime::Current)
                .heartbeat(Heartbeat::every(Duration::from_secs(2)))
                .security(secured.server())
                .linger(Duration::from_millis(200))
                .method("echo", |(text,): (String,)| async move { text })
                .method("add", |(a, b): (u64, u64)| async move { a + b })
                .stream("count", |(to,): (u64,)| stream::iter(0..to))
                .bind(endpoint)
                .build()
                .await;
            match built {
                Ok(server) => return server,
                // The one before it is still there.
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    })
    .await
}

async fn client(endpoint: &str, secured: Secured) -> Client {
    Client::builder()
        .io_runtime(IoRuntime::Current)
        .heartbeat(Heartbeat::every(Duration::from_secs(2)))
        .timeout(Duration::from_secs(40))
        .socket(quick())
        .security(secured.client())
        .connect(endpoint)
        .build()
        .await
        .unwrap()
}

/// Calls and streams; client and server are restarted in turn.
pub(crate) async fn calls(mut lane: Lane, secured: Secured) {
    let mut serving = server("tcp://127.0.0.1:*", secured).await;
    let endpoint = serving.endpoints()[0].clone();
    let mut calling = client(&endpoint, secured).await;
    let mut number = 0_u64;
    let mut running = JoinSet::new();
    while !lane.is_over() {
        let tally = Arc::clone(&lane.tally);
        let mut life = lane.life();
        while life.goes_on().await {
            number += 1;
            let (client, tally) = (calling.clone(), Arc::clone(&tally));
            running.spawn(async move { one(&client, number, &tally).await });
            while running.try_join_next().is_some_and(|done| {
                done.unwrap();
                true
            }) {}
        }
        if lane.random.once_in(2) {
            // Whether or not it takes leave.
            match lane.random.once_in(2) {
                true => drop(serving),
                false => in_time(serving.handle().shutdown()).await,
            }
            serving = server(&endpoint, secured).await;
        } else {
            let last = std::mem::replace(&mut calling, client(&endpoint, secured).await);
            match lane.random.once_in(2) {
                true => drop(last),
                false => in_time(last.close()).await,
            }
        }
    }
    while let Some(done) = in_time(running.join_next()).await {
        done.unwrap();
    }
    in_time(calling.close()).await;
    in_time(serving.handle().close()).await;
}

/// One call or stream, which gives the right answer or says why there is none.
async fn one(client: &Client, number: u64, tally: &Tally) {
    let done = match number % 8 {
        0 => stream_of(client, number % 500, tally).await,
        1 => {
            let text = number.to_string().repeat(1000);
            let echoed: Result<String, _> = client.call("echo", (&text,)).await;
            echoed.map(|echoed| assert_eq!(echoed, text))
        }
        _ => {
            let sum: Result<u64, _> = client.call("add", (number, 1)).await;
            sum.map(|sum| assert_eq!(sum, number + 1))
        }
    };
    Tally::count(&tally.calls);
    match done {
        Ok(()) => Tally::count(&tally.delivered),
        // No timeout: long before, the heartbeat says that the server is gone.
        Err(CallError::Disconnected | CallError::Closed | CallError::LostRemote { .. }) => {
            Tally::count(&tally.calls_lost);
        }
        Err(CallError::Remote(error)) if error.name == "ServerStopping" => {
            Tally::count(&tally.calls_lost);
        }
        Err(error) => panic!("{error}"),
    }
}

async fn stream_of(client: &Client, count: u64, tally: &Tally) -> Result<(), CallError> {
    let mut items = client.stream::<u64>("count", (count,)).await?;
    let mut next = 0;
    while let Some(item) = items.next_item().await? {
        assert_eq!(item, next);
        next += 1;
        Tally::count(&tally.items);
    }
    assert_eq!(next, count, "a stream that ends is complete");
    Ok(())
}

/// Where events come from, each after those before it.
struct Source {
    tally: Arc<Tally>,
    last: Option<u64>,
}

impl Source {
    fn new(lane: &Lane) -> Self {
        Self {
            tally: Arc::clone(&lane.tally),
            last: None,
        }
    }

    fn enter(&mut self, event: &Event) {
        let (number,) = event.args::<(u64,)>().unwrap();
        assert!(self.last.is_none_or(|last| last < number), "{number}");
        self.last = Some(number);
        Tally::count(&self.tally.delivered);
    }
}

/// Events from a pusher to a puller, which takes them one by one; both are restarted in turn.
pub(crate) async fn pushed(mut lane: Lane) {
    let mut endpoint = "tcp://127.0.0.1:*".to_owned();
    while !lane.is_over() {
        let puller = in_time(async {
            loop {
                match Puller::builder().bind(&endpoint).build().await {
                    Ok(puller) => return puller,
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        });
        let mut puller = puller.await;
        puller.endpoints()[0].clone_into(&mut endpoint);
        let builder = Pusher::builder().socket(quick());
        let builder = builder.linger(Duration::from_millis(200));
        let pusher = builder.connect(&endpoint).build().await.unwrap();
        let stop = puller.handle();
        let mut source = Source::new(&lane);
        let receiving = tokio::spawn(async move {
            while let Some(event) = puller.recv().await {
                source.enter(&event);
            }
        });
        let mut number = 0_u64;
        let tally = Arc::clone(&lane.tally);
        let mut life = lane.life();
        while life.goes_on().await {
            number += 1;
            let pushed = pusher.push("note", (number,));
            if let Ok(pushed) = tokio::time::timeout(Duration::from_millis(50), pushed).await {
                pushed.unwrap();
                Tally::count(&tally.sent);
            }
        }
        in_time(pusher.close()).await;
        in_time(stop.shutdown()).await;
        in_time(receiving).await.unwrap();
    }
}

/// Events from a publisher to a subscriber; both are restarted in turn.
pub(crate) async fn published(mut lane: Lane) {
    let mut endpoint = "tcp://127.0.0.1:*".to_owned();
    while !lane.is_over() {
        let publisher = in_time(async {
            loop {
                let builder = Publisher::builder().linger(Duration::from_millis(200));
                match builder.bind(&endpoint).build().await {
                    Ok(publisher) => return publisher,
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        });
        let publisher = publisher.await;
        publisher.endpoints()[0].clone_into(&mut endpoint);
        for _ in 0..2 {
            let builder = Subscriber::builder().socket(quick());
            let mut subscriber = builder.connect(&endpoint).build().await.unwrap();
            let stop = subscriber.handle();
            let mut source = Source::new(&lane);
            let receiving = tokio::spawn(async move {
                while let Some(event) = subscriber.recv().await {
                    source.enter(&event);
                }
            });
            let mut number = 0_u64;
            let tally = Arc::clone(&lane.tally);
            let mut life = lane.life();
            while life.goes_on().await {
                number += 1;
                publisher.try_publish("note", (number,)).unwrap();
                Tally::count(&tally.sent);
            }
            in_time(stop.shutdown()).await;
            in_time(receiving).await.unwrap();
        }
        in_time(publisher.close()).await;
    }
}
