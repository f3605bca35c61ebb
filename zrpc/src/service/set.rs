//! Methods that belong together, whether a type has them or a program puts them together.

use std::sync::Arc;

use super::method::Method;

/// Something whose methods a server can offer.
///
/// `#[zrpc::service]` implements it. The methods share one value, behind an [`Arc`]: a program that
/// has the value elsewhere too serves a clone of its `Arc`, and one that chooses services while it
/// runs serves `Arc<dyn Service>`.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
/// use zrpc::{Method, Service};
///
/// struct Counter {
///     step: u64,
/// }
///
/// impl Service for Counter {
///     fn name(&self) -> String {
///         "Counter".to_owned()
///     }
///
///     fn into_methods(self: Arc<Self>) -> Vec<Method> {
///         vec![
///             Method::new("next", move |(value,): (u64,)| {
///                 let this = Arc::clone(&self);
///                 async move { value + this.step }
///             })
///             .doc("Adds one step.")
///             .args(["value"]),
///         ]
///     }
/// }
///
/// let services: Vec<Arc<dyn Service>> = vec![Arc::new(Counter { step: 1 })];
/// let server = services
///     .into_iter()
///     .fold(zrpc::Server::builder(), |server, service| server.service(service));
/// # drop(server);
/// ```
pub trait Service {
    /// Returns the name that introspection shows.
    fn name(&self) -> String;

    /// Returns the methods.
    fn into_methods(self: Arc<Self>) -> Vec<Method>;

    /// Puts `prefix` in front of the name of each method, so that several services can be offered
    /// by one server without being in each other's way.
    ///
    /// # Example
    ///
    /// ```
    /// use zrpc::{Method, MethodSet, Server, Service};
    ///
    /// let math = MethodSet::new("Math").with(Method::new("negate", |(value,): (i64,)| async move {
    ///     -value
    /// }));
    /// let set = math.prefixed("math.");
    /// assert_eq!(set.methods()[0].name(), "math.negate");
    /// let server = Server::builder().service(set);
    /// # drop(server);
    /// ```
    fn prefixed(self, prefix: &str) -> MethodSet
    where
        Self: Sized,
    {
        let mut set = MethodSet::from_service(self);
        for method in &mut set.methods {
            method.prefix(prefix);
        }
        set
    }
}

impl<S: Service + ?Sized> Service for Arc<S> {
    fn name(&self) -> String {
        (**self).name()
    }

    fn into_methods(self: Arc<Self>) -> Vec<Method> {
        S::into_methods(Self::clone(&self))
    }
}

/// A service whose methods are put together while the program runs.
///
/// Two methods of one name are found when the server is built.
#[derive(Debug, Clone)]
#[must_use = "methods do nothing until a server offers them"]
pub struct MethodSet {
    name: String,
    methods: Vec<Method>,
}

impl MethodSet {
    /// Makes a service that has no methods yet, with the name that introspection shows.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            methods: Vec::new(),
        }
    }

    /// Takes the name and the methods of a service.
    pub fn from_service(service: impl Service) -> Self {
        Self {
            name: service.name(),
            methods: Arc::new(service).into_methods(),
        }
    }

    /// Adds a method.
    pub fn with(mut self, method: Method) -> Self {
        self.methods.push(method);
        self
    }

    /// Adds the methods of another service.
    pub fn with_service(mut self, service: impl Service) -> Self {
        self.methods.extend(Arc::new(service).into_methods());
        self
    }

    /// Leaves out the methods for which `keep` returns `false`.
    pub fn retain(&mut self, keep: impl FnMut(&Method) -> bool) {
        self.methods.retain(keep);
    }

    /// Returns the methods.
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }
}

impl Extend<Method> for MethodSet {
    fn extend<I: IntoIterator<Item = Method>>(&mut self, methods: I) {
        self.methods.extend(methods);
    }
}

impl Service for MethodSet {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn into_methods(self: Arc<Self>) -> Vec<Method> {
        Arc::unwrap_or_clone(self).methods
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(service: impl Service) -> Vec<String> {
        let set = MethodSet::from_service(service);
        set.methods().iter().map(|m| m.name().to_owned()).collect()
    }

    fn one(name: &str) -> Method {
        Method::new(name, |(): ()| async {})
    }

    #[test]
    fn a_set_takes_methods_and_services() {
        let inner = MethodSet::new("inner").with(one("b")).prefixed("in.");
        let mut set = MethodSet::new("set").with(one("a")).with_service(inner);
        set.extend([one("c"), one("d")]);
        set.retain(|method| method.name() != "c");
        assert_eq!(set.name(), "set");
        assert_eq!(names(set), ["a", "in.b", "d"]);
    }

    #[test]
    fn a_shared_service_of_any_type_is_a_service() {
        let services: [Arc<dyn Service>; 2] = [
            Arc::new(MethodSet::new("first").with(one("a"))),
            Arc::new(MethodSet::new("second").with(one("b"))),
        ];
        assert_eq!(services[1].name(), "second");
        assert_eq!(services.map(names), [["a"], ["b"]]);
    }

    #[test]
    fn prefixes_add_up() {
        let set = MethodSet::new("set").with(one("a"));
        assert_eq!(names(set.prefixed("y.").prefixed("x.")), ["x.y.a"]);
    }
}
