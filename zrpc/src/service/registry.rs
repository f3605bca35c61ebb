//! The methods of one server, by name.

use std::collections::HashMap;
use std::sync::Arc;

use super::introspection;
use super::method::Method;
use crate::BuildError;

/// Something whose methods a server can offer.
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
///     fn into_methods(self) -> Vec<Method> {
///         let this = Arc::new(self);
///         vec![
///             Method::new("next", move |(value,): (u64,)| {
///                 let this = Arc::clone(&this);
///                 async move { value + this.step }
///             })
///             .doc("Adds one step.")
///             .args(["value"]),
///         ]
///     }
/// }
/// ```
pub trait Service {
    /// Returns the name that introspection shows.
    fn name(&self) -> String;

    /// Returns the methods.
    fn into_methods(self) -> Vec<Method>;
}

/// All methods of a server, introspection included.
#[derive(Debug)]
pub(crate) struct Registry {
    methods: HashMap<Arc<str>, Arc<Method>>,
}

impl Registry {
    /// Checks the methods and adds introspection.
    pub(crate) fn new(service: &str, methods: Vec<Method>) -> Result<Self, BuildError> {
        let service = Arc::from(service);
        let introspection = introspection::methods(&service, methods.iter());
        let mut registry = Self {
            methods: HashMap::new(),
        };
        for method in methods {
            if method.name().starts_with(introspection::PREFIX) {
                return Err(BuildError::ReservedName {
                    method: method.name().to_owned(),
                });
            }
            registry.add(method)?;
        }
        for method in introspection {
            registry.add(method)?;
        }
        Ok(registry)
    }

    /// Finds a method.
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Method>> {
        self.methods.get(name)
    }

    fn add(&mut self, method: Method) -> Result<(), BuildError> {
        if let Some(defect) = method.defect() {
            return Err(defect.clone());
        }
        let name = Arc::clone(method.shared_name());
        match self.methods.insert(name, Arc::new(method)) {
            Some(previous) => Err(BuildError::DuplicateMethod {
                method: previous.name().to_owned(),
            }),
            None => Ok(()),
        }
    }
}
