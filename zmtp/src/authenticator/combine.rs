//! Several authenticators as one.

use crate::authenticator::{Authenticator, Candidate, Deciding};
use crate::mechanism::Decision;
use crate::wire::metadata::Metadata;

/// The authenticator that [`Authenticator::and`] returns.
#[derive(Debug, Clone)]
pub struct And<A, B> {
    first: A,
    second: B,
}

/// The authenticator that [`Authenticator::or`] returns.
#[derive(Debug, Clone)]
pub struct Or<A, B> {
    first: A,
    second: B,
}

impl<A, B> And<A, B> {
    pub(super) const fn new(first: A, second: B) -> Self {
        Self { first, second }
    }
}

impl<A, B> Or<A, B> {
    pub(super) const fn new(first: A, second: B) -> Self {
        Self { first, second }
    }
}

impl<A: Authenticator, B: Authenticator> Authenticator for And<A, B> {
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Deciding<'a> {
        Box::pin(async move {
            match self.first.authenticate(candidate).await {
                Decision::Allow { user_id, metadata } => {
                    match self.second.authenticate(candidate).await {
                        Decision::Allow {
                            user_id: other_id,
                            metadata: others,
                        } => Decision::Allow {
                            user_id: user_id.or(other_id),
                            metadata: merge(metadata, &others),
                        },
                        denial @ Decision::Deny(_) => denial,
                    }
                }
                denial @ Decision::Deny(_) => denial,
            }
        })
    }
}

impl<A: Authenticator, B: Authenticator> Authenticator for Or<A, B> {
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Deciding<'a> {
        Box::pin(async move {
            match self.first.authenticate(candidate).await {
                allowed @ Decision::Allow { .. } => allowed,
                Decision::Deny(_) => self.second.authenticate(candidate).await,
            }
        })
    }
}

fn merge(mut first: Metadata, second: &Metadata) -> Metadata {
    for (name, value) in second.iter() {
        // What is refused is a name that is there already.
        let _ = first.insert(name.as_str(), value.clone());
    }
    first
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::authenticator::from_fn;
    use crate::endpoint::PeerAddress;
    use crate::mechanism::{Credentials, Denial};

    fn always(decision: Decision) -> impl Authenticator {
        from_fn(move |_| std::future::ready(decision.clone()))
    }

    fn allowing(user_id: Option<&str>, property: &str) -> Decision {
        let mut metadata = Metadata::new();
        metadata.insert("X-Role", property).unwrap();
        metadata.insert(&format!("X-{property}"), "").unwrap();
        Decision::Allow {
            user_id: user_id.map(Into::into),
            metadata,
        }
    }

    async fn ask(authenticator: impl Authenticator) -> Decision {
        let address = PeerAddress::from(SocketAddr::from(([127, 0, 0, 1], 1)));
        let candidate = Candidate::new(address, Credentials::Null);
        authenticator.authenticate(&candidate).await
    }

    #[tokio::test]
    async fn both_have_to_agree() {
        let denial = |denial| always(Decision::Deny(denial));
        let anybody = || always(Decision::allowed());
        for (decision, expected) in [
            (
                ask(denial(Denial::Temporary).and(anybody())).await,
                Denial::Temporary,
            ),
            (
                ask(anybody().and(denial(Denial::InternalError))).await,
                Denial::InternalError,
            ),
            (
                ask(denial(Denial::Refused).and(denial(Denial::Temporary))).await,
                Denial::Refused,
            ),
        ] {
            assert_eq!(decision, Decision::Deny(expected));
        }
    }

    #[tokio::test]
    async fn what_both_know_is_put_together() {
        let both = always(allowing(None, "a")).and(always(allowing(Some("joe"), "b")));
        let Decision::Allow { user_id, metadata } = ask(both).await else {
            panic!("both allow it");
        };
        assert_eq!(user_id, Some("joe".into()));
        assert_eq!(metadata.get("X-Role"), Some(&b"a".into()));
        assert_eq!(metadata.len(), 3);
        let first = always(allowing(Some("first"), "a")).and(always(allowing(Some("second"), "a")));
        assert_eq!(ask(first).await, allowing(Some("first"), "a"));
    }

    #[tokio::test]
    async fn either_is_enough() {
        let denial = |denial| always(Decision::Deny(denial));
        let user = || always(allowing(Some("joe"), "a"));
        assert_eq!(
            ask(denial(Denial::Refused).or(user())).await,
            allowing(Some("joe"), "a")
        );
        assert_eq!(
            ask(user().or(denial(Denial::Refused))).await,
            allowing(Some("joe"), "a")
        );
        assert_eq!(
            ask(denial(Denial::Refused).or(denial(Denial::Temporary))).await,
            Decision::Deny(Denial::Temporary)
        );
    }
}
