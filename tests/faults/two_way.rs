//! Questions and answers: of DEALER and ROUTER, and of REQ and REP.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tests::ledger::{self, Account};
use tests::network::plan::{Direction, Fault};
use tests::network::proxy::Proxy;
use tokio::time::timeout;
use zmtp::{
    DealerReceiver, DealerSocket, DropReason, MessageReceiver as _, RepSocket, ReqSocket,
    RouterSocket, Socket, SocketHandle,
};

use crate::one_way::{Losses, Received, send_all};
use crate::support::{STRIKES, Traffic, eventually, in_time, network, quick, random, send};

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
    let router: RouterSocket = quick().build();
    let network = network(&router, Traffic::BothWays, random(), &Fault::LOSSES).await;
    let dealer: DealerSocket = quick().build();
    dealer.connect(network.endpoint()).await.unwrap();
    let (at_router, at_dealer) = (router.handle().clone(), dealer.handle().clone());
    let (mut sender, receiver) = dealer.split();
    let questions = Arc::<Mutex<Received>>::default();
    let answers = Arc::<Mutex<Received>>::default();
    let answering = tokio::spawn(answer(router, Arc::clone(&questions)));
    let collecting = tokio::spawn(collect(receiver, Arc::clone(&answers)));

    let asked = send_all(&mut sender, &network, &answers, || true).await;
    let lane = Lane {
        pattern: "DEALER, ROUTER",
        network: &network,
        direction: Direction::Forwards,
        sender: &at_dealer,
        receiver: &at_router,
    };
    lane.settle((0..asked).collect(), &questions).await;
    let mut answered: Vec<_> = questions.lock().unwrap().numbers.iter().copied().collect();
    answered.sort_unstable();
    let lane = Lane {
        pattern: "ROUTER, DEALER",
        network: &network,
        direction: Direction::Backwards,
        sender: &at_router,
        receiver: &at_dealer,
    };
    lane.settle(answered, &answers).await;
    answering.abort();
    collecting.abort();
    let (questions, answers) = (questions.lock().unwrap(), answers.lock().unwrap());
    assert!(answers.numbers.is_subset(&questions.numbers));
}

/// Messages from one socket to the other.
struct Lane<'a> {
    pattern: &'static str,
    network: &'a Proxy,
    direction: Direction,
    sender: &'a SocketHandle,
    receiver: &'a SocketHandle,
}

impl Lane<'_> {
    /// Does the accounts of what the `accepted` messages have become.
    async fn settle(self, accepted: Vec<u64>, received: &Mutex<Received>) {
        let count = u64::try_from(accepted.len()).unwrap();
        eventually("everything is sent or dropped", || {
            let counters = self.sender.counters();
            counters.queued.outgoing == 0
                && counters.sent.messages + counters.dropped.total() >= count
        })
        .await;
        eventually("everything that came is received", || {
            received.lock().unwrap().arrivals() == self.receiver.counters().received.messages
        })
        .await;
        let (sent, received) = (self.sender.counters(), received.lock().unwrap());
        let arrived = self.receiver.counters().received;
        let reported = count - sent.sent.messages;
        let account = Account {
            pattern: self.pattern,
            sent: count,
            reported,
            in_flight: sent.sent.messages - arrived.messages,
            cuts: self.network.struck_count(),
            ..received.account()
        };
        account.show();
        account.assert_settled();
        // Beside messages that it could not send, a socket counts those that it received in part.
        let torn = sent.dropped.total() - reported;
        assert!(
            torn <= account.cuts,
            "{torn} torn, {}: {account}",
            sent.dropped
        );
        let losses = Losses {
            account: &account,
            network: self.network,
            direction: self.direction,
            swallowed: sent.sent.octets - arrived.octets,
            gaps_beside_cuts: Some(sent.dropped.count(DropReason::HighWaterMark)),
        };
        received.assert_losses(accepted.into_iter(), &losses);
    }
}

/// REQREP-035. A question that is given up is lost; none is asked twice, and no answer is another's.
#[tokio::test]
async fn a_question_is_answered_by_its_own_answer_or_given_up() {
    let mut rep: RepSocket = quick().build();
    let network = network(&rep, Traffic::BothWays, random(), &Fault::LOSSES).await;
    let mut req = quick::<ReqSocket>().req_relaxed().build();
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
    account.cuts = network.struck_count();
    account.show();
    account.assert_settled();
}

/// Asks while the network breaks, and then until questions are answered again.
async fn ask(req: &mut ReqSocket, network: &Proxy) -> Account {
    let mut account = Account {
        pattern: "REQ, REP",
        ..Account::default()
    };
    let mut calm = 0;
    while calm < 50 {
        if calm == 0 && network.struck_count() >= STRIKES {
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
