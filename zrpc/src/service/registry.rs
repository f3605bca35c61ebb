//! The methods of one server, by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::introspection;
use super::method::Method;
use crate::BuildError;

/// All methods of a server, introspection included.
#[derive(Debug)]
pub(crate) struct Registry {
    methods: BTreeMap<Arc<str>, Arc<Method>>,
}

impl Registry {
    /// Checks the methods and adds introspection.
    pub(crate) fn new(service: &str, methods: Vec<Method>) -> Result<Self, BuildError> {
        let service = Arc::from(service);
        let introspection = introspection::methods(&service, methods.iter());
        let mut registry = Self {
            methods: BTreeMap::new(),
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

    /// Removes the methods by which callers find out what there is.
    pub(crate) fn hide_introspection(&mut self) {
        self.methods.retain(|_, method| !method.is_introspection());
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

/// Returns what a log line shows of a name that a peer chose, which may be as long as a request.
pub(crate) fn shown_name(name: &str) -> &str {
    const MAX_CHARS: usize = 64;
    let end = name.char_indices().nth(MAX_CHARS);
    end.and_then(|(end, _)| name.get(..end)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_name_the_beginning_is_shown() {
        assert_eq!(shown_name("add"), "add");
        assert_eq!(shown_name(&"ä".repeat(1000)), "ä".repeat(64));
        assert_eq!(shown_name(&"x".repeat(64)), "x".repeat(64));
    }
}
