//! What publishers send: numbered messages under a topic, so that subscribers notice a loss.

use crate::error::BenchError;
use crate::workload::Workload;

/// The topic of all messages.
pub(super) const TOPIC: &str = "m";

/// How many messages an async publisher sends until it lets others have a turn: without
/// subscribers, `send` of most contenders never waits, and nobody could connect. Fewer would measure
/// the turns, which end the batches of those who send in batches.
const TURN: u64 = 1024;

/// The messages of one publisher, without an end.
#[derive(Debug)]
pub(super) struct Publication {
    body: Vec<u8>,
    number: u64,
}

impl Publication {
    pub(super) fn new(workload: Workload) -> Self {
        let mut body = vec![b'x'; size(workload)];
        body[..TOPIC.len()].copy_from_slice(TOPIC.as_bytes());
        Self { body, number: 0 }
    }

    /// The next message.
    pub(super) fn next(&mut self) -> &[u8] {
        self.number += 1;
        self.body[TOPIC.len()..][..8].copy_from_slice(&self.number.to_le_bytes());
        &self.body
    }

    /// Lets others have a turn now and then; called after each message.
    pub(super) async fn pause(&self) {
        if self.number.is_multiple_of(TURN) {
            tokio::task::yield_now().await;
        }
    }
}

/// What one subscriber has seen.
#[derive(Debug)]
pub(super) struct Reader {
    size: usize,
    last: Option<u64>,
}

impl Reader {
    pub(super) fn new(workload: Workload) -> Self {
        Self {
            size: size(workload),
            last: None,
        }
    }

    /// Takes a message that arrived.
    ///
    /// # Errors
    ///
    /// If one between the last and this one did not.
    pub(super) fn read(&mut self, body: &[u8]) -> Result<(), BenchError> {
        assert_eq!(body.len(), self.size, "a message of the wrong size");
        let number = body[TOPIC.len()..]
            .first_chunk::<8>()
            .map_or(0, |number| u64::from_le_bytes(*number));
        if let Some(last) = self.last.replace(number)
            && number != last + 1
        {
            return Err(BenchError::Lost {
                count: number.wrapping_sub(last + 1),
            });
        }
        Ok(())
    }
}

/// How many subscribers there are.
pub(super) fn subscribers(workload: Workload) -> usize {
    match workload {
        Workload::PubSub { subscribers, .. } => subscribers,
        _ => 1,
    }
}

/// What each of them subscribes to. The topic that is published comes last, so that the first
/// message finds all the others in place.
pub(super) fn topics(workload: Workload) -> impl Iterator<Item = String> {
    let idle = match workload {
        Workload::Subscriptions { idle } => idle,
        _ => 0,
    };
    let wanted = match workload {
        Workload::Subscriptions { .. } => TOPIC,
        _ => "",
    };
    (0..idle)
        .map(|number| format!("idle.{number:06}"))
        .chain([wanted.to_owned()])
}

fn size(workload: Workload) -> usize {
    match workload {
        Workload::PubSub { size, .. } => size,
        _ => 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKLOAD: Workload = Workload::PubSub {
        subscribers: 1,
        size: 64,
    };

    #[test]
    fn a_gap_is_noticed() {
        let mut publication = Publication::new(WORKLOAD);
        let mut reader = Reader::new(WORKLOAD);
        publication.next();
        reader.read(publication.next()).unwrap();
        reader.read(publication.next()).unwrap();
        publication.next();
        assert!(matches!(
            reader.read(publication.next()),
            Err(BenchError::Lost { count: 1 })
        ));
    }

    #[test]
    fn the_topic_that_is_published_comes_last() {
        let topics: Vec<String> = topics(Workload::Subscriptions { idle: 2 }).collect();
        assert_eq!(topics, ["idle.000000", "idle.000001", "m"]);
    }
}
