//! Where a socket listens and where it connects to.

use zmtp::Socket;

use crate::ConnectError;

/// The endpoints of a client or server, in the order in which they were given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Endpoints {
    actions: Vec<Action>,
}

#[derive(Debug, Clone)]
enum Action {
    Bind(String),
    Connect(String),
}

impl Endpoints {
    pub(crate) fn bind(&mut self, endpoint: String) {
        self.actions.push(Action::Bind(endpoint));
    }

    pub(crate) fn connect(&mut self, endpoint: String) {
        self.actions.push(Action::Connect(endpoint));
    }

    /// Binds and connects a socket; returns the endpoints with wildcards resolved.
    pub(crate) async fn attach(&self, socket: &impl Socket) -> Result<Vec<String>, ConnectError> {
        if self.actions.is_empty() {
            return Err(ConnectError::NoEndpoint);
        }
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
fn unusable(endpoint: &str, error: &dyn std::error::Error) -> ConnectError {
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
