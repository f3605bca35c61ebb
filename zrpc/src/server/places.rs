//! How many handlers run, and which call is next.

use proto::ChannelId;
use zmtp::PeerId;

use super::options::Concurrency;
use super::queue::{Queue, Spot};

/// What a handler occupies while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing that is counted: introspection answers at once.
    Free,
    /// One of the handlers that may run at the same time.
    Task,
    /// One of those, and a thread.
    Thread,
}

/// The places of a server, taken and awaited.
#[derive(Debug)]
pub(super) struct Places {
    concurrency: Concurrency,
    threads: usize,
    running_tasks: usize,
    running_threads: usize,
    waiting_tasks: Queue,
    waiting_threads: Queue,
    turn: Turn,
}

/// Which of the two queues is first when there is a place for either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Tasks,
    Threads,
}

/// What becomes of a call that has just come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Starts,
    Waits(Spot),
}

impl Places {
    pub(super) fn new(concurrency: Concurrency, threads: usize) -> Self {
        Self {
            concurrency,
            threads,
            running_tasks: 0,
            running_threads: 0,
            waiting_tasks: Queue::new(),
            waiting_threads: Queue::new(),
            turn: Turn::Tasks,
        }
    }

    /// Takes a place for a call, or lets it wait for one. While a place is free, no call waits for
    /// it, so nobody is overtaken.
    pub(super) fn admit(&mut self, place: Place, peer: PeerId, channel: ChannelId) -> Admission {
        if self.has(place) {
            self.take(place);
            return Admission::Starts;
        }
        Admission::Waits(match place {
            Place::Thread => self.waiting_threads.push(peer, channel),
            Place::Free | Place::Task => self.waiting_tasks.push(peer, channel),
        })
    }

    /// Gives a place back.
    pub(super) fn release(&mut self, place: Place) {
        let running = match place {
            Place::Free => return,
            Place::Task => &mut self.running_tasks,
            Place::Thread => &mut self.running_threads,
        };
        *running = running.saturating_sub(1);
    }

    /// Takes a place for the call that is next, if there is one.
    pub(super) fn next(&mut self) -> Option<(Place, ChannelId)> {
        let order = match self.turn {
            Turn::Tasks => [Turn::Tasks, Turn::Threads],
            Turn::Threads => [Turn::Threads, Turn::Tasks],
        };
        order.into_iter().find_map(|turn| self.next_of(turn))
    }

    /// A waiting call is gone.
    pub(super) fn leave(&mut self, place: Place, spot: Spot) {
        match place {
            Place::Thread => self.waiting_threads.remove(spot),
            Place::Free | Place::Task => self.waiting_tasks.remove(spot),
        }
    }

    /// Returns whether no handler runs.
    pub(super) fn are_empty(&self) -> bool {
        self.running() == 0
    }

    fn next_of(&mut self, turn: Turn) -> Option<(Place, ChannelId)> {
        let (place, after) = match turn {
            Turn::Tasks => (Place::Task, Turn::Threads),
            Turn::Threads => (Place::Thread, Turn::Tasks),
        };
        if !self.has(place) {
            return None;
        }
        let channel = match turn {
            Turn::Tasks => self.waiting_tasks.pop(),
            Turn::Threads => self.waiting_threads.pop(),
        }?;
        self.turn = after;
        self.take(place);
        Some((place, channel))
    }

    fn has(&self, place: Place) -> bool {
        match place {
            Place::Free => true,
            Place::Task => self.concurrency.allows(self.running()),
            Place::Thread => {
                self.running_threads < self.threads && self.concurrency.allows(self.running())
            }
        }
    }

    fn take(&mut self, place: Place) {
        match place {
            Place::Free => {}
            Place::Task => self.running_tasks += 1,
            Place::Thread => self.running_threads += 1,
        }
    }

    fn running(&self) -> usize {
        self.running_tasks + self.running_threads
    }
}
