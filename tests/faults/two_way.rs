//! Questions and answers: of DEALER and ROUTER, and of REQ and REP.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tests::ledger::{self, Account};
use tests::network::plan::Direction;
use tests::network::proxy::Proxy;
use tests::random::Random;
use tokio::time::timeout;
use zmtp::{
    DealerReceiver, DealerSocket, DropReason, MessageReceiver, MessageSender, PairSocket,
    RepSocket, ReqSocket, RouterSocket, Socket, SocketHandle,
};

use crate::accounts::{
    Losses, Overlap, Received, Sending, WhenAlone, all_received, assert_torn_at_cuts,
    dropped_outgoing, lengths, receive, sent_or_dropped,
};
use crate::support::{STRIKES, Secured, Traffic, in_time, network, random, send};

/// Answers each question with itself, and enters what came.
async fn answer(mut router: RouterSocket, received: Arc<Mutex<Received>>) {
    while let Ok(question) = router.recv().await {
        let parts: Vec<_> = question.iter().skip(1).cloned().collect();
        // Nobody but one DEALER asks; its connections are told apart by their routing ids.
        let connection = question.first().map(|id| id.to_bytes());
        received.lock().unwrap().enter(connection, &parts);
        router.send(question).await.unwrap();
    }
}

async fn collect(mut answers: DealerReceiver, received: Arc<Mutex<Received>>) {
    while let Ok(answer) = answers.recv_with_peer().await {
        let parts: Vec<_> = answer.message.iter().cloned().collect();
        received.lock().unwrap().enter(None, &parts);
    }
}

/// ZMTP31-050, ZMTP31-051, ZMTP31-102, REQREP-035.
#[tokio::test]
async fn questions_and_answers_arrive_once_or_are_known_to_be_lost() {
    let mut random = random();
    for secured in [Secured::Not, Secured::WithCurve] {
        ask_and_answer(secured, random.fork()).await;
    }
}

async fn ask_and_answer(secured: Secured, random: Random) {
    let router: RouterSocket = secured.bound().build();
    let network = network(&router, Traffic::BothWays, random, secured.faults()).await;
    let dealer: DealerSocket = secured.connecting().build();
    dealer.connect(network.endpoint()).await.unwrap();
    let (at_router, at_dealer) = (router.handle().clone(), dealer.handle().clone());
    let (mut sender, receiver) = dealer.split();
    let questions = Arc::<Mutex<Received>>::default();
    let answers = Arc::<Mutex<Received>>::default();
    let answering = tokio::spawn(answer(router, Arc::clone(&questions)));
    let collecting = tokio::spawn(collect(receiver, Arc::clone(&answers)));

    let sending = Sending {
        source: 0,
        at: &at_dealer,
        network: &network,
        received: &answers,
        when_alone: WhenAlone::Waits,
    };
    let asked = sending.send_all(&mut sender).await;
    let lane = Lane {
        pattern: secured.name("DEALER, ROUTER"),
        network: &network,
        direction: Direction::Forwards,
        sender: &at_dealer,
        receiver: &at_router,
        overlap: Overlap::No,
    };
    lane.settle(0, asked.numbers, &questions).await;
    let mut answered: Vec<_> = questions.lock().unwrap().numbers.iter().copied().collect();
    answered.sort_unstable();
    let lane = Lane {
        pattern: secured.name("ROUTER, DEALER"),
        network: &network,
        direction: Direction::Backwards,
        sender: &at_router,
        receiver: &at_dealer,
        overlap: Overlap::No,
    };
    lane.settle(0, answered, &answers).await;
    answering.abort();
    collecting.abort();
    let (questions, answers) = (questions.lock().unwrap(), answers.lock().unwrap());
    assert!(answers.numbers.is_subset(&questions.numbers));
}

/// The halves of a socket and its handle.
type Halves<S, R> = (S, R, SocketHandle);

/// Both sockets talk at the same time, whatever the other says.
async fn talk<S, R>(
    pattern: String,
    network: &Proxy,
    [
        (mut to_connecting, at_bound, bound),
        (mut to_bound, at_connecting, connecting),
    ]: [Halves<S, R>; 2],
    overlap: Overlap,
) where
    S: MessageSender,
    R: MessageReceiver + 'static,
{
    // What each of them says, by its number.
    let [of_connecting, of_bound] = [0, 1].map(|_| Arc::<Mutex<Received>>::default());
    let books = || vec![Arc::clone(&of_connecting), Arc::clone(&of_bound)];
    let listening = [at_bound, at_connecting].map(|half| tokio::spawn(receive(half, books())));
    let forwards = Sending {
        source: 0,
        at: &connecting,
        network,
        received: &of_connecting,
        when_alone: WhenAlone::Waits,
    };
    let backwards = Sending {
        source: 1,
        at: &bound,
        network,
        received: &of_bound,
        when_alone: WhenAlone::Waits,
    };
    let (there, back) = tokio::join!(
        forwards.send_all(&mut to_bound),
        backwards.send_all(&mut to_connecting)
    );
    let lane = Lane {
        pattern: format!("{pattern}, forwards"),
        network,
        direction: Direction::Forwards,
        sender: &connecting,
        receiver: &bound,
        overlap: Overlap::No,
    };
    lane.settle(0, there.numbers, &of_connecting).await;
    let lane = Lane {
        pattern: format!("{pattern}, backwards"),
        network,
        direction: Direction::Backwards,
        sender: &bound,
        receiver: &connecting,
        overlap,
    };
    lane.settle(1, back.numbers, &of_bound).await;
    listening.iter().for_each(tokio::task::JoinHandle::abort);
}

/// Runs a pattern with messages in both directions, in clear and encrypted.
macro_rules! at_once {
    ($name:literal, $socket:ty, $overlap:expr) => {{
        let mut random = random();
        for secured in [Secured::Not, Secured::WithCurve] {
            let bound: $socket = secured.bound().build();
            let connecting: $socket = secured.connecting().build();
            let (both, faults) = (Traffic::BothWays, secured.faults());
            let network = network(&bound, both, random.fork(), faults).await;
            connecting.connect(network.endpoint()).await.unwrap();
            let halves = [bound, connecting].map(|socket| {
                let handle = socket.handle().clone();
                let (sender, receiver) = socket.split();
                (sender, receiver, handle)
            });
            talk(secured.name($name), &network, halves, $overlap).await;
        }
    }};
}

#[tokio::test]
async fn a_pair_talks_in_both_directions_at_once() {
    at_once!("PAIR, PAIR at once", PairSocket, Overlap::No);
}

#[tokio::test]
async fn dealers_talk_in_both_directions_at_once() {
    at_once!("DEALER, DEALER at once", DealerSocket, Overlap::InTurn);
}

/// Messages from one socket to the other.
struct Lane<'a> {
    pattern: String,
    network: &'a Proxy,
    direction: Direction,
    sender: &'a SocketHandle,
    receiver: &'a SocketHandle,
    overlap: Overlap,
}

impl Lane<'_> {
    /// Does the accounts of what the `accepted` messages have become.
    async fn settle(self, source: u64, accepted: Vec<u64>, received: &Mutex<Received>) {
        let count = u64::try_from(accepted.len()).unwrap();
        sent_or_dropped(self.sender, count).await;
        all_received(self.receiver, &[received]).await;
        let (sent, received) = (self.sender.counters(), received.lock().unwrap());
        let arrived = self.receiver.counters().received;
        let mut account = Account {
            pattern: self.pattern,
            sent: count,
            cuts: self.network.cut_count(),
            ..received.account()
        };
        let (Some(in_flight), Some(reported)) = (
            sent.sent.messages.checked_sub(arrived.messages),
            count.checked_sub(sent.sent.messages),
        ) else {
            panic!(
                "{} sent, {} arrived: {account}",
                sent.sent.messages, arrived.messages
            );
        };
        (account.in_flight, account.reported) = (in_flight, reported);
        account.show();
        account.assert_settled();
        let dropped = dropped_outgoing(&sent);
        assert_eq!(dropped, reported, "{}: {account}", sent.dropped);
        assert_torn_at_cuts(&self.receiver.counters(), &account);
        let (missing, gaps) = received.missing(&accepted);
        let losses = Losses {
            account: &account,
            networks: &[self.network],
            direction: self.direction,
            swallowed: sent.sent.octets - arrived.octets,
            missing: lengths(source, missing),
        };
        losses.assert_possible();
        let at_marks = sent.dropped.count(DropReason::HighWaterMark);
        if self.overlap == Overlap::No {
            assert!(gaps <= account.cuts + at_marks, "{gaps} gaps: {account}");
        }
    }
}

/// REQREP-035. A question that is given up is lost; none is asked twice, and no answer is another's.
#[tokio::test]
async fn a_question_is_answered_by_its_own_answer_or_given_up() {
    let mut random = random();
    for secured in [Secured::Not, Secured::WithCurve] {
        ask_and_be_answered(secured, random.fork()).await;
    }
}

async fn ask_and_be_answered(secured: Secured, random: Random) {
    let mut rep: RepSocket = secured.bound().build();
    let network = network(&rep, Traffic::BothWays, random, secured.faults()).await;
    let mut req = secured.connecting::<ReqSocket>().req_relaxed().build();
    req.connect(network.endpoint()).await.unwrap();
    let asked = Arc::<Mutex<HashMap<u64, u64>>>::default();
    let answering = {
        let asked = Arc::clone(&asked);
        async move {
            loop {
                let question = rep.recv().await.unwrap();
                let parts: Vec<_> = question.iter().cloned().collect();
                let (_, number) = ledger::read(&parts).unwrap();
                *asked.lock().unwrap().entry(number).or_default() += 1;
                rep.send(question).unwrap();
            }
        }
    };
    let mut account = in_time("questions are asked and answered", async {
        tokio::select! {
            account = ask(&mut req, &network) => account,
            () = answering => unreachable!("it answers for ever"),
        }
    })
    .await;
    let asked = asked.lock().unwrap();
    account.doubled = asked.values().map(|times| times - 1).sum();
    account.pattern = secured.name("REQ, REP");
    account.cuts = network.cut_count();
    account.show();
    account.assert_settled();
}

/// Asks while the network breaks, and then until questions are answered again.
async fn ask(req: &mut ReqSocket, network: &Proxy) -> Account {
    let mut account = Account::default();
    let mut calm = 0;
    while calm < 50 {
        if calm == 0 && network.cut_count() >= STRIKES {
            network.calm_down().await;
            calm = 1;
        }
        let question = ledger::message(0, account.sent);
        if send(req, question.clone()).await.is_err() {
            continue;
        }
        account.sent += 1;
        match timeout(Duration::from_millis(300), req.recv()).await {
            Ok(answer) => {
                let is_own = answer.unwrap() == question;
                account.delivered += u64::from(is_own);
                account.wrong += u64::from(!is_own);
                calm += u64::from(calm > 0);
            }
            Err(_) => account.reported += 1,
        }
    }
    account
}
