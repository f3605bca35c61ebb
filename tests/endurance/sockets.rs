//! Sockets that send numbered messages to peers that come and go.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use tests::ledger::{self, Book};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use zmtp::{
    DealerSocket, Message, MessageReceiver, MessageSender, PeerMessage, RepSocket, ReqSocket,
    RouterSocket, Socket, TrySendError,
};

use crate::lane::{Lane, PATIENCE, Tally, in_time};

/// Sockets are made by functions, and made anew with each restart.
pub(crate) type Make<S> = fn() -> S;

/// Makes a builder that connects quickly and closes quickly.
pub(crate) fn quick<S: Socket>() -> zmtp::Builder<S> {
    S::builder()
        .reconnect_interval(Duration::from_millis(5))
        .reconnect_interval_max(Duration::from_millis(20))
        .linger(Duration::from_millis(200))
}

/// Binds where the socket before was bound, once that is gone.
pub(crate) async fn bind_again(socket: &impl Socket, endpoint: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match socket.bind(endpoint).await {
            Ok(bound) => return bound.to_string(),
            Err(error) => assert!(Instant::now() < deadline, "{endpoint}: {error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Ends a task in the middle of what it does. If it has failed before, so does the test.
async fn kill(task: JoinHandle<()>) {
    task.abort();
    if let Err(error) = task.await
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// Messages in one direction: the receiver is bound, and each in turn is restarted.
pub(crate) async fn one_way<S, R>(mut lane: Lane, sender: Make<S>, receiver: Make<R>)
where
    S: Socket + MessageSender,
    R: Socket + MessageReceiver + 'static,
{
    let mut endpoint = "tcp://127.0.0.1:*".to_owned();
    let (mut source, mut number) = (0, 0);
    let mut sending: Option<S> = None;
    let mut receiving: Option<JoinHandle<()>> = None;
    while !lane.is_over() {
        if lane.random.once_in(2) {
            if let Some(last) = receiving.take() {
                kill(last).await;
            }
        } else if let Some(last) = sending.take() {
            in_time(last.close()).await;
        }
        if receiving.is_none() {
            let socket = receiver();
            endpoint = bind_again(&socket, &endpoint).await;
            receiving = Some(tokio::spawn(receive(lane.clone(), socket)));
        }
        let mut socket = match sending.take() {
            Some(socket) => socket,
            None => {
                (source, number) = (source + 1, 0);
                let socket = sender();
                socket.connect(&endpoint).await.unwrap();
                socket
            }
        };
        let tally = Arc::clone(&lane.tally);
        let mut life = lane.life();
        while life.goes_on().await {
            if send(&mut socket, ledger::message(source, number)).await {
                number += 1;
                Tally::count(&tally.sent);
            }
        }
        sending = Some(socket);
    }
    if let Some(sending) = sending {
        in_time(sending.close()).await;
    }
    if let Some(receiving) = receiving {
        in_time(receiving).await.unwrap();
    }
}

/// Sends a message; false if nobody can take it for a while.
async fn send<S: Socket + MessageSender>(socket: &mut S, mut message: Message) -> bool {
    loop {
        let writable = socket.writable();
        message = match socket.try_send_message(message) {
            Ok(()) => return true,
            Err(TrySendError::Full(message)) => message,
            Err(error) => panic!("{error}"),
        };
        if tokio::time::timeout(Duration::from_millis(20), writable)
            .await
            .is_err()
        {
            return false;
        }
    }
}

/// Receives until the lane ends, and fails if anything comes twice, late or torn.
async fn receive<R: Socket + MessageReceiver>(lane: Lane, mut socket: R) {
    let mut books = HashMap::new();
    loop {
        let received = tokio::select! {
            received = poll_fn(|context| socket.poll_recv_with_peer(context)) => received.unwrap(),
            () = lane.over() => break,
        };
        enter(&mut books, &received);
        Tally::count(&lane.tally.delivered);
        // Books of senders that are gone are closed, or they would be what grows.
        if books.len() > 16 {
            books.clear();
        }
    }
    in_time(socket.close()).await;
}

fn enter(books: &mut HashMap<u64, Book>, received: &PeerMessage) {
    let parts: Vec<_> = received.message.iter().cloned().collect();
    let (source, number) = ledger::read(&parts).expect("messages come as they were sent");
    let book = books.entry(source).or_default();
    book.enter(number);
    assert_eq!((book.doubled, book.overtaken), (0, 0), "{source}: {number}");
    // Where it is known, nobody asks again.
    book.gaps.clear();
}

/// Questions by a DEALER that a ROUTER answers; each in turn is restarted.
pub(crate) async fn dealer_and_router(mut lane: Lane) {
    let mut endpoint = "tcp://127.0.0.1:*".to_owned();
    let mut router: Option<JoinHandle<()>> = None;
    let mut source = 0;
    while !lane.is_over() {
        if let Some(last) = router.take_if(|_| lane.random.once_in(2)) {
            kill(last).await;
        }
        if router.is_none() {
            let mut socket: RouterSocket = quick().build();
            endpoint = bind_again(&socket, &endpoint).await;
            let lane = lane.clone();
            router = Some(tokio::spawn(async move {
                loop {
                    tokio::select! {
                        question = socket.recv() => socket.send(question.unwrap()).await.unwrap(),
                        () = lane.over() => break,
                    }
                }
                in_time(socket.close()).await;
            }));
        }
        source += 1;
        let mut dealer: DealerSocket = quick().build();
        dealer.connect(&endpoint).await.unwrap();
        let mut books = HashMap::new();
        let mut number = 0;
        let tally = Arc::clone(&lane.tally);
        let mut life = lane.life();
        while life.goes_on().await {
            if send(&mut dealer, ledger::message(source, number)).await {
                number += 1;
                Tally::count(&tally.sent);
            }
            while let Ok(answer) = dealer.try_recv_with_peer() {
                enter(&mut books, &answer);
                Tally::count(&tally.delivered);
            }
        }
        in_time(dealer.close()).await;
    }
    if let Some(router) = router {
        in_time(router).await.unwrap();
    }
}

/// Questions by a REQ that a REP answers; each in turn is restarted. One that is not answered is
/// given up.
pub(crate) async fn request_and_reply(mut lane: Lane) {
    let mut endpoint = "tcp://127.0.0.1:*".to_owned();
    let mut rep: Option<JoinHandle<()>> = None;
    while !lane.is_over() {
        if let Some(last) = rep.take_if(|_| lane.random.once_in(2)) {
            kill(last).await;
        }
        if rep.is_none() {
            let mut socket: RepSocket = quick().build();
            endpoint = bind_again(&socket, &endpoint).await;
            let lane = lane.clone();
            rep = Some(tokio::spawn(async move {
                loop {
                    tokio::select! {
                        question = socket.recv() => socket.send(question.unwrap()).unwrap(),
                        () = lane.over() => break,
                    }
                }
                in_time(socket.close()).await;
            }));
        }
        let mut req = quick::<ReqSocket>().req_relaxed().build();
        req.connect(&endpoint).await.unwrap();
        let mut number = 0;
        let tally = Arc::clone(&lane.tally);
        let mut life = lane.life();
        while life.goes_on().await {
            let question = ledger::message(0, number);
            number += 1;
            if !send(&mut req, question.clone()).await {
                continue;
            }
            Tally::count(&tally.sent);
            let limit = Duration::from_millis(200);
            if let Ok(answer) = tokio::time::timeout(limit, req.recv()).await {
                assert_eq!(answer.unwrap(), question);
                Tally::count(&tally.delivered);
            }
        }
        in_time(req.close()).await;
    }
    if let Some(rep) = rep {
        in_time(rep).await.unwrap();
    }
}
