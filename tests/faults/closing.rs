//! Sockets of every type that close at any moment, while their peers send and receive.

use std::fmt::Debug;
use std::future::poll_fn;
use std::time::Duration;

use tests::ledger::{self, Book};
use tests::random::Random;
use tests::reserved_port::ReservedPort;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use zmtp::{
    DealerSocket, Message, MessageReceiver, MessageSender, PairSocket, PubSocket, PullSocket,
    PushSocket, RepSocket, ReqSocket, RouterSocket, Socket, SocketHandle, SubSocket, TryRecvError,
    TrySendError, XPubSocket, XSubSocket,
};

use crate::shutdown::{LATE, LINGER, QUIET, SHORT, TIMES, moment};
use crate::support::{in_time, quick, random};

/// A socket that has something to do until it is closed.
trait Busy: Socket + 'static {
    /// Makes one that does not wait for what cannot come.
    fn ready() -> Self;

    /// Does it in a task of its own.
    fn keep_busy(self) -> JoinHandle<()>;
}

/// Sends as much as goes, and gives a turn to others.
async fn send_on<S: MessageSender>(mut socket: S) {
    for number in 0.. {
        let writable = socket.writable();
        match socket.try_send_message(ledger::message(0, number)) {
            Ok(()) => tokio::task::yield_now().await,
            Err(TrySendError::Full(_)) => writable.await,
            Err(TrySendError::Closed(_)) => return,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Receives whatever comes.
async fn receive_on<R: MessageReceiver>(mut socket: R) {
    while poll_fn(|context| socket.poll_recv_message(context))
        .await
        .is_ok()
    {}
}

/// Sends what it receives, and something else as long as that is nothing.
async fn echo_on<S: MessageSender + MessageReceiver>(mut socket: S) {
    for number in 0.. {
        let message = match socket.try_recv_message() {
            Ok(message) => message,
            Err(TryRecvError::Closed) => return,
            Err(_) => ledger::message(0, number),
        };
        if let Err(TrySendError::Closed(_)) = socket.try_send_message(message) {
            return;
        }
        match number % 16 {
            0 => sleep(Duration::from_micros(100)).await,
            _ => tokio::task::yield_now().await,
        }
    }
}

fn built<S: Socket>() -> S {
    quick().linger(SHORT).build()
}

fn sub() -> SubSocket {
    let socket: SubSocket = built();
    socket.subscribe("");
    socket
}

fn xsub() -> XSubSocket {
    let socket: XSubSocket = built();
    socket.subscribe("");
    socket
}

/// REQREP-035: one that keeps to its turn would wait for the answer of a socket that has closed.
fn req() -> ReqSocket {
    quick().linger(SHORT).req_relaxed().build()
}

macro_rules! busy {
    ($($socket:ty: $ready:ident, $keep:ident;)+) => {
        $(impl Busy for $socket {
            fn ready() -> Self {
                $ready()
            }

            fn keep_busy(self) -> JoinHandle<()> {
                tokio::spawn($keep(self))
            }
        })+
    };
}

busy! {
    ReqSocket: req, echo_on;
    RepSocket: built, echo_on;
    DealerSocket: built, echo_on;
    RouterSocket: built, echo_on;
    PubSocket: built, send_on;
    SubSocket: sub, receive_on;
    XPubSocket: built, echo_on;
    XSubSocket: xsub, echo_on;
    PushSocket: built, send_on;
    PullSocket: built, receive_on;
    PairSocket: built, echo_on;
}

/// Which of the two sockets closes; the other one is there all the time.
#[derive(Debug, Clone, Copy)]
enum Bound {
    Closes,
    Stays,
}

/// Messages that a socket has sent and received.
fn moved(socket: &SocketHandle) -> u64 {
    let counters = socket.counters();
    counters.sent.messages + counters.received.messages
}

/// Binds a socket where another one was bound that has closed.
async fn bind_again(socket: &SocketHandle, endpoint: &str) {
    in_time("the address is free", async {
        while socket.bind(endpoint).await.is_err() {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

/// Closes a socket at some moment, and puts another one in its place, over and over.
async fn close_and_replace<C: Busy, S: Busy>(endpoint: &str, bound: Bound, random: &mut Random) {
    let staying = S::ready();
    let stay = staying.handle().clone();
    match bound {
        Bound::Stays => bind_again(&stay, endpoint).await,
        Bound::Closes => drop(stay.connect(endpoint).await.unwrap()),
    }
    let staying = staying.keep_busy();
    for time in 0..TIMES / 4 {
        let socket = C::ready();
        let handle = socket.handle().clone();
        match bound {
            Bound::Stays => drop(handle.connect(endpoint).await.unwrap()),
            Bound::Closes => bind_again(&handle, endpoint).await,
        }
        let before = moved(&stay);
        let busy = socket.keep_busy();
        if time % 2 == 1 {
            in_time("messages go on", async {
                while moved(&stay) < before + 5 {
                    sleep(Duration::from_millis(1)).await;
                }
            })
            .await;
        }
        sleep(moment(random)).await;
        let closing = Instant::now();
        in_time("it closes", handle.close()).await;
        assert!(closing.elapsed() < SHORT + LATE);
        in_time("whoever uses it is told", busy).await.unwrap();
    }
    assert!(!staying.is_finished(), "it stays");
    in_time("the other closes", stay.close()).await;
    in_time("whoever uses it is told", staying).await.unwrap();
}

/// INT-045: closes either of two sockets, whichever is bound, over the network and within the process.
macro_rules! closes {
    ($name:ident: $one:ty, $other:ty) => {
        #[tokio::test]
        async fn $name() {
            let mut random = random();
            let port = ReservedPort::new().unwrap();
            for endpoint in [
                port.endpoint().as_str(),
                concat!("inproc://closing ", stringify!($name)),
            ] {
                for bound in [Bound::Stays, Bound::Closes] {
                    close_and_replace::<$one, $other>(endpoint, bound, &mut random).await;
                    close_and_replace::<$other, $one>(endpoint, bound, &mut random).await;
                }
            }
        }
    };
}

closes!(req_and_rep_close_at_any_moment: ReqSocket, RepSocket);
closes!(req_and_router_close_at_any_moment: ReqSocket, RouterSocket);
closes!(dealer_and_rep_close_at_any_moment: DealerSocket, RepSocket);
closes!(dealer_and_router_close_at_any_moment: DealerSocket, RouterSocket);
closes!(dealers_close_at_any_moment: DealerSocket, DealerSocket);
closes!(push_and_pull_close_at_any_moment: PushSocket, PullSocket);
closes!(pub_and_sub_close_at_any_moment: PubSocket, SubSocket);
closes!(xpub_and_xsub_close_at_any_moment: XPubSocket, XSubSocket);
closes!(pairs_close_at_any_moment: PairSocket, PairSocket);

/// What was accepted for sending before a socket was closed is received: closing waits for it.
async fn closes_behind_what_it_accepted<S, R>(random: &mut Random)
where
    S: Socket + MessageSender,
    R: Socket + MessageReceiver + Debug,
{
    for time in 0..TIMES {
        let mut receiver: R = quick().build();
        let endpoint = receiver.bind("tcp://127.0.0.1:*").await.unwrap();
        let mut sender = quick::<S>().linger(LINGER).build();
        sender.connect(&endpoint).await.unwrap();
        let until = Instant::now() + moment(random);
        let mut accepted = 0;
        while Instant::now() < until || accepted == 0 {
            match sender.try_send_message(ledger::message(0, accepted)) {
                Ok(()) => accepted += 1,
                // The receiver takes some later.
                Err(TrySendError::Full(_)) => break,
                Err(error) => panic!("{error}"),
            }
            tokio::task::yield_now().await;
        }
        // Half of them in the background.
        match time % 2 {
            0 => drop(sender),
            _ => drop(tokio::spawn(sender.handle().close())),
        }
        let mut book = Book::default();
        let mut enter = |message: Message| {
            // A ROUTER puts a routing id in front.
            let skip = message.iter().count() - 2;
            let parts: Vec<_> = message.iter().skip(skip).cloned().collect();
            book.enter(ledger::read(&parts).unwrap().1);
            book.expected()
        };
        let mut next = async || poll_fn(|context| receiver.poll_recv_message(context)).await;
        while enter(in_time("a message", next()).await.unwrap()) < accepted {}
        // Nothing comes behind the last one.
        while let Ok(more) = timeout(QUIET, next()).await {
            enter(more.unwrap());
        }
        let faults = (book.missing(), book.doubled, book.overtaken);
        assert_eq!((book.delivered, faults), (accepted, (0, 0, 0)));
    }
}

#[tokio::test]
async fn a_socket_that_closes_under_load_delivers_what_it_accepted() {
    let mut random = random();
    closes_behind_what_it_accepted::<PushSocket, PullSocket>(&mut random).await;
    closes_behind_what_it_accepted::<DealerSocket, DealerSocket>(&mut random).await;
    closes_behind_what_it_accepted::<DealerSocket, RouterSocket>(&mut random).await;
    closes_behind_what_it_accepted::<PairSocket, PairSocket>(&mut random).await;
}

/// A peer that takes nothing holds nobody up for longer than the linger period.
#[tokio::test]
async fn closing_under_load_takes_no_longer_than_lingering() {
    let mut random = random();
    for _ in 0..TIMES {
        let pull: PullSocket = quick().build();
        let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
        let push = quick::<PushSocket>().linger(SHORT).build();
        push.connect(&endpoint).await.unwrap();
        let mut senders = JoinSet::new();
        for _ in 0..3 {
            let mut push = push.clone();
            senders.spawn(async move { while push.send(vec![7; 5000]).await.is_ok() {} });
        }
        sleep(moment(&mut random)).await;
        let closing = Instant::now();
        in_time("the socket closes", push.close()).await;
        assert!(closing.elapsed() < SHORT + LATE);
        // Whoever waits for room is told.
        in_time("senders end", senders.join_all()).await;
    }
}
