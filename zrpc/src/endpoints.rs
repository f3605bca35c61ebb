//! Where a socket listens and where it connects to.

use zmtp::{Endpoint, Socket};

use crate::ConnectError;

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
    pub(crate) fn check(&self) -> Result<(), ConnectError> {
        if self.actions.is_empty() {
            return Err(ConnectError::NoEndpoint);
        }
        let mut given: Vec<Endpoint> = Vec::with_capacity(self.actions.len());
        for action in &self.actions {
            let (Action::Bind(text) | Action::Connect(text)) = action;
            let endpoint: Endpoint = text.parse().map_err(|error| unusable(text, &error))?;
            // Of what stands for anything that is free there may be any number.
            if !endpoint.is_wildcard() && given.contains(&endpoint) {
                return Err(ConnectError::DuplicateEndpoint {
                    endpoint: text.clone(),
                });
            }
            given.push(endpoint);
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

/// Puts an error and its sources on one line.
pub(crate) fn unusable(endpoint: &str, error: &dyn std::error::Error) -> ConnectError {
    let mut detail = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        detail.push_str(": ");
        detail.push_str(&cause.to_string());
        source = cause.source();
    }
    ConnectError::Endpoint {
        endpoint: endpoint.to_owned(),
        detail,
    }
}
