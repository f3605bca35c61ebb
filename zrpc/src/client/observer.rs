//! Calls the hooks of middleware behind one request.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use proto::{Body, RemoteError, names};

use super::mailbox::End;
use crate::middleware::{
    CallOutcome, Chain, ClientReply, ClientReplyContent, ClientRequest, HeaderEntries,
    ReplyPattern, TaskContext,
};
use crate::{CallError, Compat};

/// The middleware of one call that is about to be sent, or was. It learns of the end of the call
/// exactly once; dropped before that, it takes the call for dropped.
#[derive(Debug)]
pub(super) struct Observer {
    chain: Arc<Chain>,
    request: ClientRequest,
    stage: Stage,
}

/// ```text
/// Before ──sent──▶ Waiting ──first reply──▶ Answered ──end──▶ Over
///    │                └────────────end───────────────────────▶ ▲
///    └──────────────────denied─────────────────────────────────┘
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was sent, and nothing is told of an end.
    Before,
    Waiting,
    Answered,
    Over,
}

impl Observer {
    /// Calls the hooks in front of a request, and returns it as it is to be sent.
    pub(super) async fn start(
        chain: Arc<Chain>,
        method: &str,
        args: Body,
        compat: Compat,
    ) -> Result<(Box<Self>, proto::Request), CallError> {
        let mut observer = Box::new(Self {
            request: ClientRequest::new(method, args),
            chain,
            stage: Stage::Before,
        });
        let Self { chain, request, .. } = &mut *observer;
        chain.get_task_context(&TaskContext::current(), request.header_mut());
        if let Err(fault) = chain.client_before_request(request).await {
            return Err(CallError::Denied {
                method: method.to_owned(),
                fault: Box::new(fault),
            });
        }
        // The arguments are taken here and nowhere else.
        let request = request.take().ok_or(CallError::Closed)?;
        if let Err(detail) = request.args.extra().check(compat) {
            return Err(CallError::NotPortable {
                method: method.to_owned(),
                detail: Box::new(detail),
            });
        }
        observer.stage = Stage::Waiting;
        Ok((observer, request))
    }

    /// The first items of a stream are there.
    pub(super) fn items(&mut self) -> Result<(), CallError> {
        self.reply(ReplyPattern::ReqStream, names::STREAM)
    }

    /// The call has ended. Returns what the server sent, if it was the server who ended it.
    pub(super) fn last(&mut self, end: &End) -> Result<Option<ClientReply>, CallError> {
        let (pattern, event) = match end {
            End::Value(..) => (ReplyPattern::ReqRep, names::OK),
            End::Remote(..) => (ReplyPattern::ReqRep, names::ERR),
            End::Done(_) => (ReplyPattern::ReqStream, names::STREAM_DONE),
            End::Closed(_)
            | End::Unserved(..)
            | End::Unreachable(_)
            | End::Refused { .. }
            | End::ItemTimedOut
            | End::ClientClosed => {
                return Ok(None);
            }
        };
        self.reply(pattern, event)?;
        let (header, content) = match end {
            End::Value(value, header) => (header, ClientReplyContent::Value(value.clone())),
            End::Remote(error, header) => (header, ClientReplyContent::Failed(error.clone())),
            End::Done(header) => (header, ClientReplyContent::StreamDone),
            End::Closed(_)
            | End::Unserved(..)
            | End::Unreachable(_)
            | End::Refused { .. }
            | End::ItemTimedOut
            | End::ClientClosed => {
                return Ok(None);
            }
        };
        let header = header.as_ref().map_or_else(HeaderEntries::new, |header| {
            HeaderEntries::from_extra((**header).clone())
        });
        Ok(Some(ClientReply::new(header, content)))
    }

    /// Returns the error that stands for what the server says.
    pub(super) fn translate(&mut self, error: &RemoteError) -> Option<CallError> {
        self.chain
            .client_handle_remote_error(&mut self.request, error)
    }

    /// The call is over.
    pub(super) fn finish(&mut self, outcome: &CallOutcome<'_>) {
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        if let Stage::Waiting | Stage::Answered = stage {
            self.chain.client_after_request(&mut self.request, outcome);
        }
    }

    /// Asks which replies the call takes, unless there was one before.
    fn reply(&mut self, pattern: ReplyPattern, event: &str) -> Result<(), CallError> {
        if self.stage != Stage::Waiting {
            return Ok(());
        }
        self.stage = Stage::Answered;
        let patterns = self.chain.client_patterns_list(&mut self.request);
        if patterns.contains(&pattern) {
            return Ok(());
        }
        Err(CallError::UnexpectedEvent {
            method: self.request.method().to_owned(),
            event: event.to_owned(),
        })
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        let finish = || self.finish(&CallOutcome::Dropped);
        // A hook that panics while another panic unwinds would end the process.
        if catch_unwind(AssertUnwindSafe(finish)).is_err() {
            tracing::error!("middleware panicked when a call was dropped");
        }
    }
}
