//! Where a socket listens and where it connects to.

use zmtp::{Endpoint, Socket};

use crate::ConnectError;
use crate::error::with_sources;

/// The endpoints of a client or server, in the order in which they were given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Endpoints {
    actions: Vec<Action>,
}

/// What is done with an endpoint.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Bind(String),
    Connect(String),
}

impl Action {
    pub(crate) fn endpoint(&self) -> &str {
        match self {
            Self::Bind(endpoint) | Self::Connect(endpoint) => endpoint,
        }
    }

    fn binds(&self) -> bool {
        matches!(self, Self::Bind(_))
    }

    /// Does the same with another endpoint.
    pub(crate) fn with_endpoint(&self, endpoint: String) -> Self {
        match self {
            Self::Bind(_) => Self::Bind(endpoint),
            Self::Connect(_) => Self::Connect(endpoint),
        }
    }
}

impl Endpoints {
    pub(crate) fn bind(&mut self, endpoint: String) {
        self.actions.push(Action::Bind(endpoint));
    }

    pub(crate) fn connect(&mut self, endpoint: String) {
        self.actions.push(Action::Connect(endpoint));
    }

    pub(crate) fn push(&mut self, action: Action) {
        self.actions.push(action);
    }

    pub(crate) fn into_actions(self) -> Vec<Action> {
        self.actions
    }

    /// Says what is wrong with the endpoints as such, before any is used.
    ///
    /// To connect to one of them twice is allowed, as it is in Python: lists that are put together
    /// from several sources have repetitions. The socket decides what it means.
    pub(crate) fn check(&self) -> Result<(), ConnectError> {
        if self.actions.is_empty() {
            return Err(ConnectError::NoEndpoint);
        }
        let mut given: Vec<(Endpoint, &Action)> = Vec::with_capacity(self.actions.len());
        for action in &self.actions {
            let text = action.endpoint();
            let endpoint: Endpoint = text.parse().map_err(|error| unusable(text, &error))?;
            let excludes = |(known, other): &(Endpoint, &Action)| {
                *known == endpoint && (action.binds() || other.binds())
            };
            // Of what stands for anything that is free there may be any number.
            if !endpoint.is_wildcard() && given.iter().any(excludes) {
                return Err(ConnectError::DuplicateEndpoint {
                    endpoint: text.to_owned(),
                });
            }
            given.push((endpoint, action));
        }
        Ok(())
    }

    /// Binds and connects a socket; returns the endpoints with wildcards resolved.
    pub(crate) async fn attach(&self, socket: &impl Socket) -> Result<Vec<String>, ConnectError> {
        self.check()?;
        let mut attached = Vec::with_capacity(self.actions.len());
        for action in &self.actions {
            attached.push(match action {
                Action::Bind(endpoint) => match socket.bind(endpoint).await {
                    Ok(bound) => bound.to_string(),
                    Err(error) => return Err(unusable(endpoint, &error)),
                },
                Action::Connect(endpoint) => match socket.connect(endpoint).await {
                    Ok(_peer) => endpoint.clone(),
                    Err(error) => return Err(unusable(endpoint, &error)),
                },
            });
        }
        Ok(attached)
    }
}

/// Says why an endpoint cannot be used.
pub(crate) fn unusable(endpoint: &str, error: &dyn std::error::Error) -> ConnectError {
    ConnectError::Endpoint {
        endpoint: endpoint.to_owned(),
        detail: with_sources(error),
    }
}
