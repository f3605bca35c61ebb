//! What becomes of an endpoint before it is bound or connected to.

use super::HookFuture;
use super::chain::Chain;
use crate::ConnectError;
use crate::endpoints::Endpoints;

/// The answer of [`Middleware::resolve_endpoint`](super::Middleware::resolve_endpoint).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolution {
    /// The endpoint stays as it is.
    Unchanged,
    /// Another takes its place, and goes on to the next middleware.
    Replaced(String),
    /// Several take its place. Each of them is resolved from the start, by all middleware.
    List(Vec<String>),
}

/// Why an endpoint cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
#[non_exhaustive]
pub struct ResolveError {
    /// What is wrong.
    pub detail: String,
}

impl ResolveError {
    /// Makes an error that says what is wrong.
    pub fn new(detail: impl Into<String>) -> Self {
        Self {
            detail: detail.into(),
        }
    }
}

/// How often lists may name endpoints that stand for lists. More is taken for a list that names
/// itself.
const MAX_DEPTH: usize = 8;

/// How many endpoints one may stand for.
const MAX_COUNT: usize = 1024;

impl Chain {
    /// Resolves all endpoints of a client or server.
    pub(crate) async fn resolve_endpoints(
        &self,
        endpoints: Endpoints,
    ) -> Result<Endpoints, ConnectError> {
        if self.is_empty() {
            return Ok(endpoints);
        }
        let mut resolved = Endpoints::default();
        for action in endpoints.into_actions() {
            for endpoint in self.resolve_endpoint(action.endpoint()).await? {
                resolved.push(action.with_endpoint(endpoint));
            }
        }
        Ok(resolved)
    }

    /// Resolves one endpoint.
    pub(crate) async fn resolve_endpoint(
        &self,
        endpoint: &str,
    ) -> Result<Vec<String>, ConnectError> {
        let mut resolved = Vec::new();
        self.resolve(endpoint.to_owned(), 0, &mut resolved)
            .await
            .map_err(|error| ConnectError::Resolve {
                endpoint: endpoint.to_owned(),
                detail: error.detail,
            })?;
        Ok(resolved)
    }

    fn resolve<'a>(
        &'a self,
        mut endpoint: String,
        depth: usize,
        resolved: &'a mut Vec<String>,
    ) -> HookFuture<'a, Result<(), ResolveError>> {
        HookFuture::new(async move {
            if depth > MAX_DEPTH {
                return Err(ResolveError::new(format!(
                    "lists of endpoints name others more than {MAX_DEPTH} deep"
                )));
            }
            for middleware in self.iter() {
                match middleware.resolve_endpoint(&endpoint).await? {
                    Resolution::Unchanged => {}
                    Resolution::Replaced(other) => endpoint = other,
                    Resolution::List(list) => {
                        for member in list {
                            self.resolve(member, depth + 1, resolved).await?;
                        }
                        return Ok(());
                    }
                }
            }
            if resolved.len() == MAX_COUNT {
                return Err(ResolveError::new(format!(
                    "it stands for more than {MAX_COUNT} endpoints"
                )));
            }
            resolved.push(endpoint);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::Middleware;
    use super::*;

    /// Resolves by a fixed table.
    struct Table(&'static [(&'static str, &'static [&'static str])]);

    impl Middleware for Table {
        fn resolve_endpoint<'a>(
            &'a self,
            endpoint: &'a str,
        ) -> HookFuture<'a, Result<Resolution, ResolveError>> {
            let found = self.0.iter().find(|(name, _)| *name == endpoint);
            HookFuture::ready(Ok(match found {
                None => Resolution::Unchanged,
                Some((_, [one])) => Resolution::Replaced((*one).to_owned()),
                Some((_, list)) => {
                    Resolution::List(list.iter().map(|one| (*one).to_owned()).collect())
                }
            }))
        }
    }

    fn chain(tables: impl IntoIterator<Item = Table>) -> Chain {
        let mut chain = Chain::default();
        for table in tables {
            chain.push(Arc::new(table));
        }
        chain
    }

    #[tokio::test]
    async fn replacements_go_on_to_the_next_middleware() {
        let chain = chain([Table(&[("a", &["b"])]), Table(&[("b", &["tcp://c:1"])])]);
        assert_eq!(chain.resolve_endpoint("a").await.unwrap(), ["tcp://c:1"]);
        assert_eq!(chain.resolve_endpoint("x").await.unwrap(), ["x"]);
    }

    #[tokio::test]
    async fn each_member_of_a_list_is_resolved_from_the_start() {
        let chain = chain([
            Table(&[("c", &["tcp://c:1"])]),
            Table(&[("a", &["b", "c"]), ("b", &["d", "e"])]),
        ]);
        let resolved = chain.resolve_endpoint("a").await.unwrap();
        assert_eq!(resolved, ["d", "e", "tcp://c:1"]);
    }

    #[tokio::test]
    async fn a_list_that_names_itself_is_an_error() {
        let chain = chain([Table(&[("a", &["a", "b"])])]);
        let error = chain.resolve_endpoint("a").await.unwrap_err();
        assert!(
            matches!(&error, ConnectError::Resolve { endpoint, .. } if endpoint == "a"),
            "{error}"
        );
    }
}
