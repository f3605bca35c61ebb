//! One direction of one connection.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

use super::frames::Frames;
use super::plan::{Fault, Pace, Strike};

/// How long a stalled direction stands still.
const STALL: Duration = Duration::from_millis(50);

/// How long a half-closed connection is left to its peers.
const PATIENCE: Duration = Duration::from_millis(100);

/// So many octets after one that was changed, the connection is reset. The receiver has to have
/// noticed by then.
const UNNOTICED: u64 = 100_000;

/// So many bits of the first octet of a frame mean something.
const FLAGS: u64 = 3;

/// How a direction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Its sender closed it, or one of the peers is gone.
    ByPeers,
    /// The network did it.
    Struck(Fault),
}

/// Octets that a direction took, and those that it passed on.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) taken: AtomicU64,
    pub(super) passed: AtomicU64,
    pub(super) corrupted: AtomicU64,
    /// Those of them that were the flags of a frame.
    pub(super) corrupted_flags: AtomicU64,
    /// Connections that went on for long after that.
    pub(super) unnoticed: AtomicU64,
}

/// Passes octets on until one of the peers ends it or the fault does.
pub(super) struct Pump<'a> {
    pub(super) from: OwnedReadHalf,
    pub(super) to: OwnedWriteHalf,
    pub(super) pace: Pace,
    pub(super) strike: Option<Strike>,
    pub(super) counters: &'a Counters,
    /// Connections that the network has begun to end.
    pub(super) ending: &'a AtomicU64,
    /// Whether faults happen no more.
    pub(super) calm: watch::Receiver<bool>,
}

impl Pump<'_> {
    pub(super) async fn run(&mut self) -> End {
        match self.pass_on().await {
            Ok(Some(fault)) => End::Struck(fault),
            Ok(None) => {
                // Its receiver shall see that, and may have more to say.
                let _ = self.to.shutdown().await;
                End::ByPeers
            }
            Err(_) => End::ByPeers,
        }
    }

    async fn pass_on(&mut self) -> io::Result<Option<Fault>> {
        let mut chunk = vec![0; self.pace.chunk.clamp(1, 64 * 1024)];
        let mut position = 0;
        let mut frames = Frames::new();
        let mut is_corrupted = false;
        loop {
            let is_calm = *self.calm.borrow();
            if is_calm {
                self.strike = None;
            } else if !self.pace.delay.is_zero() {
                tokio::time::sleep(self.pace.delay).await;
            }
            // Up to the fault, and not one octet further.
            let most = match self.strike {
                Some(strike) => usize::try_from(strike.after - position).unwrap_or(usize::MAX),
                None => usize::MAX,
            };
            if most == 0
                && let Some(strike) = self.strike.take()
            {
                let until_flags = frames.until_flags();
                if strike.fault == Fault::CorruptFlags && until_flags > 0 {
                    self.strike = Some(Strike {
                        after: position + until_flags,
                        ..strike
                    });
                    continue;
                }
                if !matches!(strike.fault, Fault::Corrupt | Fault::CorruptFlags) {
                    if is_corrupted {
                        self.counters.unnoticed.fetch_add(1, Ordering::Relaxed);
                    }
                    return Ok(Some(self.end(strike.fault).await));
                }
                self.corrupt(strike.fault, position).await?;
                position += 1;
                // If nobody minds, others get their turn.
                self.strike = Some(Strike {
                    fault: Fault::Reset,
                    after: position + UNNOTICED,
                    ..strike
                });
                is_corrupted = true;
                continue;
            }
            let most = most.min(chunk.len());
            let read = self.from.read(&mut chunk[..most]).await?;
            if read == 0 {
                return Ok(None);
            }
            self.counters
                .taken
                .fetch_add(count(read), Ordering::Relaxed);
            frames.enter(&chunk[..read]);
            self.to.write_all(&chunk[..read]).await?;
            self.counters
                .passed
                .fetch_add(count(read), Ordering::Relaxed);
            position += count(read);
        }
    }

    async fn corrupt(&mut self, fault: Fault, position: u64) -> io::Result<()> {
        let bit = match fault {
            Fault::CorruptFlags => FLAGS + position % (8 - FLAGS),
            _ => position % 8,
        };
        let octet = self.from.read_u8().await?;
        self.to.write_u8(octet ^ (1 << bit)).await?;
        if fault == Fault::CorruptFlags {
            self.counters
                .corrupted_flags
                .fetch_add(1, Ordering::Relaxed);
        }
        self.counters.taken.fetch_add(1, Ordering::Relaxed);
        self.counters.passed.fetch_add(1, Ordering::Relaxed);
        self.counters.corrupted.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn end(&mut self, fault: Fault) -> Fault {
        self.ending.fetch_add(1, Ordering::Relaxed);
        match fault {
            Fault::Stall => tokio::time::sleep(STALL).await,
            Fault::HalfClose => {
                let _ = self.to.shutdown().await;
                // What still comes vanishes, until the sender ends it or is ended.
                let _ = tokio::time::timeout(PATIENCE, self.swallow()).await;
            }
            Fault::Close | Fault::Reset | Fault::Corrupt | Fault::CorruptFlags => {}
        }
        fault
    }

    async fn swallow(&mut self) {
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = self.from.read(&mut chunk).await {
            self.counters
                .taken
                .fetch_add(count(read), Ordering::Relaxed);
        }
    }
}

fn count(octets: usize) -> u64 {
    u64::try_from(octets).unwrap_or(u64::MAX)
}
