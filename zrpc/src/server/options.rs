//! What can be chosen for a server.

/// Whether callers see the tracebacks of failures.
///
/// Tracebacks tell where a program's files are and what its internals are called, so they stay in
/// the server unless asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tracebacks {
    /// Callers see the name and the message of an error.
    #[default]
    Withheld,
    /// Callers see all that a [`Fault`](crate::Fault) has.
    Sent,
}

/// Whether callers may ask a server what it offers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Introspection {
    /// The methods whose names begin with `_zerorpc_` answer, as the command line needs them to.
    #[default]
    Offered,
    /// There are no such methods; calls of them are answered as those of any unknown name.
    Hidden,
}

/// How many handlers hold a thread at the same time: half of tokio's pool, so that the program has
/// threads for what else it does.
pub(super) const THREADS: usize = 256;

/// How many handlers run at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Concurrency {
    Unlimited,
    Limited(usize),
}

impl Concurrency {
    /// Whether one more may run beside `running`.
    pub(crate) fn allows(self, running: usize) -> bool {
        match self {
            Self::Unlimited => true,
            Self::Limited(limit) => running < limit,
        }
    }
}
