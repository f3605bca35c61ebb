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
    let at = [dealer.handle().clone(), router.handle().clone()];
    let (mut sender, receiver) = dealer.split();
    let [questions, answers] = [0, 1].map(|_| Arc::<Mutex<Received>>::default());
    let answering = tokio::spawn(answer(router, Arc::clone(&questions)));
    let collecting = tokio::spawn(collect(receiver, Arc::clone(&answers)));

    let patterns = ["DEALER, ROUTER", "ROUTER, DEALER"].map(|pattern| secured.name(pattern));
    let [there, back] = Lane::both(patterns, &network, &at, [&questions, &answers]);
    // What has arrived is what was answered.
    let asked = there.sending(&answers).send_all(&mut sender).await;
    there.settle(asked.numbers).await;
    let mut answered: Vec<_> = questions.lock().unwrap().numbers.iter().copied().collect();
    answered.sort_unstable();
    back.settle(answered).await;
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
        (mut to_bound, at_connecting, connecting),
        (mut to_connecting, at_bound, bound),
    ]: [Halves<S, R>; 2],
    overlap: Overlap,
) where
    S: MessageSender,
    R: MessageReceiver + 'static,
{
    // What each of them says, by its number.
    let books = [0, 1].map(|_| Arc::<Mutex<Received>>::default());
    let listening =
        [at_bound, at_connecting].map(|half| tokio::spawn(receive(half, books.to_vec())));
    let patterns = ["forwards", "backwards"].map(|way| format!("{pattern}, {way}"));
    let [of_connecting, of_bound] = &books;
    let at = [connecting, bound];
    let [there, mut back] = Lane::both(patterns, network, &at, [of_connecting, of_bound]);
    (back.source, back.overlap) = (1, overlap);
    let (said, answered) = tokio::join!(
        there.sending(of_connecting).send_all(&mut to_bound),
        back.sending(of_bound).send_all(&mut to_connecting)
    );
    there.settle(said.numbers).await;
    back.settle(answered.numbers).await;
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
            let halves = [connecting, bound].map(|socket| {
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
    /// The number of the sender in its messages.
    source: u64,
    network: &'a Proxy,
    direction: Direction,
    sender: &'a SocketHandle,
    receiver: &'a SocketHandle,
    overlap: Overlap,
    received: &'a Mutex<Received>,
}

impl<'a> Lane<'a> {
    /// Makes those from the socket that connects to the one that is bound, and back.
    fn both(
        [there, back]: [String; 2],
        network: &'a Proxy,
        [connecting, bound]: &'a [SocketHandle; 2],
        [at_bound, at_connecting]: [&'a Mutex<Received>; 2],
    ) -> [Self; 2] {
        let there = Self {
            pattern: there,
            source: 0,
            network,
            direction: Direction::Forwards,
            sender: connecting,
            receiver: bound,
            overlap: Overlap::No,
            received: at_bound,
        };
        let back = Self {
            pattern: back,
            direction: Direction::Backwards,
            sender: bound,
            receiver: connecting,
            received: at_connecting,
            ..there
        };
        [there, back]
    }

    /// Sends along it, until messages are seen to have `arrived` again.
    fn sending(&self, arrived: &'a Mutex<Received>) -> Sending<'a> {
        Sending {
            source: self.source,
            at: self.sender,
            network: self.network,
            received: arrived,
            when_alone: WhenAlone::Waits,
        }
    }

    /// Does the accounts of what the `accepted` messages have become.
    async fn settle(self, accepted: Vec<u64>) {
        let count = u64::try_from(accepted.len()).unwrap();
        sent_or_dropped(self.sender, count).await;
        all_received(self.receiver, &[self.received]).await;
        let (sent, received) = (self.sender.counters(), self.received.lock().unwrap());
        let arrived = self.receiver.counters();
        let mut account = Account {
            pattern: self.pattern,
            sent: count,
            reported: dropped_outgoing(&sent),
            cuts: self.network.cut_count(),
            ..received.account()
        };
        let Some(in_flight) = sent.sent.messages.checked_sub(arrived.received.messages) else {
            let (sent, arrived) = (sent.sent.messages, arrived.received.messages);
            panic!("{sent} sent, {arrived} arrived: {account}");
        };
        account.in_flight = in_flight;
        account.show();
        account.assert_settled();
        assert_torn_at_cuts(&arrived, &account);
        let (missing, gaps) = received.missing(&accepted);
        let losses = Losses {
            account: &account,
            networks: &[self.network],
            direction: self.direction,
            swallowed: sent.sent.octets - arrived.received.octets,
            missing: lengths(self.source, missing),
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
