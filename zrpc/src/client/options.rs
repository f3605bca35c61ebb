//! What can be chosen for all calls of a client, and for each.

use std::time::Duration;

use proto::ChannelOptions;

use crate::{Compat, Heartbeat, OptionError};

/// How many items a server may send ahead, unless told otherwise. Python's 100 make a fast stream
/// wait for grants: each item costs twice as much of both sides' time.
pub(super) const SLOTS: u32 = 1024;

/// The options of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CallOptions {
    pub(super) timeout: Option<Duration>,
    pub(super) item_timeout: Option<Duration>,
    pub(super) heartbeat: Heartbeat,
    pub(super) slots: u32,
    pub(super) compat: Compat,
    /// What made no sense when it was set.
    defect: Option<OptionError>,
}

impl CallOptions {
    pub(super) fn set_heartbeat(&mut self, heartbeat: Heartbeat) {
        self.heartbeat = heartbeat;
        self.defect = None;
    }

    /// Keeps the interval of the heartbeat and makes it passive.
    pub(super) fn set_passive(&mut self) {
        match self.heartbeat.into_passive() {
            Ok(passive) => self.heartbeat = passive,
            Err(error) => self.defect = Some(error),
        }
    }

    /// Says what makes no sense.
    pub(super) fn check(&self) -> Result<(), OptionError> {
        if let Some(defect) = self.defect {
            return Err(defect);
        }
        self.heartbeat.check()?;
        OptionError::check_duration("timeout", self.timeout)?;
        OptionError::check_duration("item_timeout", self.item_timeout)?;
        match self.slots {
            0 => Err(OptionError::Zero { option: "slots" }),
            _ => Ok(()),
        }
    }

    /// Returns the options as the protocol takes them, for a call that waited for `elapsed`
    /// until there was a server for it.
    pub(super) fn to_channel(&self, elapsed: Duration) -> ChannelOptions {
        ChannelOptions::default()
            .with_heartbeat(self.heartbeat.to_proto())
            .with_slots(self.slots)
            .with_timeout(self.timeout.map(|timeout| timeout.saturating_sub(elapsed)))
    }
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            timeout: Some(ChannelOptions::DEFAULT_TIMEOUT),
            item_timeout: None,
            heartbeat: Heartbeat::default(),
            slots: SLOTS,
            compat: Compat::default(),
            defect: None,
        }
    }
}
