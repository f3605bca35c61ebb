//! A service as the user defined it.

use proc_macro2::Span;
use syn::{Attribute, Expr, Generics, Ident, Path, Type, Visibility};

/// A service: what is offered to others, and what its clients are called.
pub(crate) struct Service {
    /// Where the crate `zrpc` is.
    pub(crate) krate: Path,
    /// The name that introspection shows.
    pub(crate) name: String,
    /// What the type or the trait is called.
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) clients: Vec<Client>,
    pub(crate) methods: Vec<Method>,
}

/// A client that is to be made.
pub(crate) struct Client {
    pub(crate) visibility: Visibility,
    pub(crate) ident: Ident,
    pub(crate) calls: Calls,
}

/// What the methods of a client do until there is a result.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Calls {
    /// They give a future.
    Async,
    /// They block the thread. It was asked for here.
    Blocking(Span),
}

/// A method that others can call.
pub(crate) struct Method {
    pub(crate) ident: Ident,
    /// The name by which it is called.
    pub(crate) name: String,
    /// Its documentation: attributes `doc` only.
    pub(crate) docs: Vec<Attribute>,
    /// What else goes to everything that is made of it: conditions, lints, and `deprecated`.
    pub(crate) attributes: Vec<Attribute>,
    /// Where it stands among the items of its block or trait.
    pub(crate) position: usize,
    pub(crate) visibility: Visibility,
    pub(crate) receiver: Receiver,
    pub(crate) style: Style,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) output: Output,
}

/// How a method takes its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receiver {
    /// `&self`
    Reference,
    /// `self: Arc<Self>`
    Shared,
}

/// How a method runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// As a future.
    Async,
    /// On the task of its call, in one go.
    Sync,
    /// On a thread that it may hold.
    Blocking,
}

/// What a method takes, in its order.
pub(crate) enum Parameter {
    /// The context of the call, which no caller sends.
    Context(ContextBy),
    /// What callers send.
    Argument(Box<Argument>),
}

/// How a method takes the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContextBy {
    Reference,
    Value,
}

/// What callers send.
pub(crate) struct Argument {
    pub(crate) ident: Ident,
    /// The name that introspection and errors show.
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) presence: Presence,
}

/// Whether callers may leave an argument out.
pub(crate) enum Presence {
    Required,
    /// An `Option`.
    Optional,
    /// What it is when it is left out.
    Default(Box<Expr>),
    /// Any number of further arguments.
    Rest,
}

/// What a method gives.
pub(crate) struct Output {
    /// Whether the method itself may fail, and the type of its error where that is known.
    pub(crate) failure: Failure,
    pub(crate) results: Results,
}

/// Whether there may be an error instead of a value.
pub(crate) enum Failure {
    Impossible,
    /// The type is unknown behind an alias such as `io::Result<T>`.
    Possible(Option<Box<Type>>),
}

/// The results of a method.
pub(crate) enum Results {
    /// One.
    Value {
        /// What the method gives.
        given: Box<Type>,
        /// What callers get.
        received: Type,
    },
    /// Any number, one after another.
    Items {
        source: Source,
        failure: Failure,
        /// What callers get.
        received: Type,
    },
}

/// Where items come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Stream,
    Iterator,
}

impl Method {
    /// Returns what callers send.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &Argument> {
        self.parameters
            .iter()
            .filter_map(|parameter| match parameter {
                Parameter::Context(_) => None,
                Parameter::Argument(argument) => Some(&**argument),
            })
    }

    /// Returns what callers send, but for what is any number of arguments.
    pub(crate) fn head(&self) -> impl Iterator<Item = &Argument> {
        self.arguments()
            .filter(|argument| !matches!(argument.presence, Presence::Rest))
    }

    /// Returns the argument that is any number of them.
    pub(crate) fn rest(&self) -> Option<&Argument> {
        self.arguments()
            .find(|argument| matches!(argument.presence, Presence::Rest))
    }
}
