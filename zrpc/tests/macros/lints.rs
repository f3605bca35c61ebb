//! What the macro writes does not trip the lints of whoever uses it.

#![expect(unreachable_pub, reason = "nothing in a test is reachable")]
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::nursery
)]

use crate::support::{in_time, serve};

/// A module whose items could be public.
pub mod service {
    use futures_util::stream::{self, Stream};
    use zrpc::CallContext;

    /// A service.
    #[derive(Debug, Clone)]
    #[non_exhaustive]
    pub struct Linted {
        /// What it knows.
        pub words: Vec<String>,
    }

    #[zrpc::service]
    impl Linted {
        /// Counts words.
        #[must_use]
        pub const fn len(&self) -> usize {
            self.words.len()
        }

        /// Has no words.
        #[must_use]
        pub const fn is_empty(&self) -> bool {
            self.words.is_empty()
        }

        /// Does nothing.
        pub fn nothing(&self) {
            drop(self.words.clone());
        }

        /// Takes many arguments.
        #[must_use]
        #[expect(clippy::too_many_arguments, reason = "many are wanted")]
        pub const fn many(
            &self,
            first: usize,
            second: usize,
            third: usize,
            fourth: usize,
            fifth: usize,
            sixth: usize,
            #[zrpc(default = 8)] seventh: usize,
        ) -> usize {
            self.len() ^ first ^ second ^ third ^ fourth ^ fifth ^ sixth ^ seventh
        }

        /// Counts.
        ///
        /// # Errors
        ///
        /// Never.
        pub async fn count(
            &self,
            context: &CallContext,
            #[zrpc(rest)] rest: Vec<usize>,
        ) -> Result<impl Stream<Item = usize> + use<>, std::fmt::Error> {
            context.cancelled().await;
            let len = self.len();
            Ok(stream::iter(
                rest.into_iter().map(move |number| number + len),
            ))
        }

        /// Is old.
        #[must_use]
        #[deprecated = "for a test"]
        pub fn old(&self, name: String, title: Option<String>) -> String {
            title
                .or_else(|| self.words.first().cloned())
                .unwrap_or(name)
        }

        /// Has a name of another language.
        #[expect(non_snake_case, reason = "callers know it so")]
        pub const fn mixedCase(&self) {
            let _: &Self = self;
        }

        /// Has one, under a condition.
        #[cfg_attr(all(), expect(non_snake_case, reason = "so"), inline)]
        pub const fn someCase(&self) {
            let _: &Self = self;
        }

        /// Is not there.
        #[cfg_attr(all(), cfg(any()))]
        pub const fn absent(&self) -> Missing {
            let _: &Self = self;
            Missing
        }

        #[zrpc(blocking)]
        fn undocumented(&self) -> usize {
            self.words.iter().map(String::len).sum()
        }
    }

    /// A definition.
    #[zrpc::service]
    pub trait Definition {
        /// Does nothing.
        async fn nothing(&self, value: Option<u64>);

        /// Counts.
        fn count(&self) -> impl Stream<Item = u8>;
    }
}

#[tokio::test]
async fn what_is_not_linted_works() {
    let service = service::Linted {
        words: vec!["a".to_owned()],
    };
    assert!(!service.is_empty());
    let (_server, client) = serve(service).await;
    let client = service::LintedClient::new(client);
    assert_eq!(in_time(client.len()).await.unwrap(), 1);
}
