//! What middleware keeps with a request, by type.

use std::any::{Any, TypeId};
use std::fmt;

/// Values of middleware that live as long as a call, at most one of each type.
///
/// What is left in them is dropped when the call is over, however it ended.
///
/// # Example
///
/// ```
/// use zrpc::middleware::Extensions;
///
/// struct Started(std::time::Instant);
///
/// let mut extensions = Extensions::new();
/// extensions.insert(Started(std::time::Instant::now()));
/// assert!(extensions.get::<Started>().is_some());
/// ```
#[derive(Default)]
pub struct Extensions {
    /// A few at most, so that looking at all is fastest.
    values: Vec<(TypeId, Box<dyn Any + Send + Sync>)>,
}

impl Extensions {
    /// Returns no values. Does not allocate.
    #[must_use]
    pub const fn new() -> Self {
        Self { values: Vec::new() }
    }

    /// Keeps a value. Returns the one of this type that was kept before.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) -> Option<T> {
        let former = self.remove();
        self.values.push((TypeId::of::<T>(), Box::new(value)));
        former
    }

    /// Returns the value of this type.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.values
            .iter()
            .find_map(|(_, value)| value.downcast_ref())
    }

    /// Returns the value of this type, to change it.
    pub fn get_mut<T: Send + Sync + 'static>(&mut self) -> Option<&mut T> {
        self.values
            .iter_mut()
            .find_map(|(_, value)| value.downcast_mut())
    }

    /// Takes the value of this type out.
    pub fn remove<T: Send + Sync + 'static>(&mut self) -> Option<T> {
        let wanted = TypeId::of::<T>();
        let position = self.values.iter().position(|(id, _)| *id == wanted)?;
        let (_, value) = self.values.swap_remove(position);
        value.downcast().ok().map(|value| *value)
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extensions")
            .field("count", &self.values.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_value_of_each_type() {
        let mut extensions = Extensions::new();
        assert_eq!(extensions.insert(1_u8), None);
        assert_eq!(extensions.insert("text"), None);
        assert_eq!(extensions.insert(2_u8), Some(1));
        if let Some(value) = extensions.get_mut::<u8>() {
            *value += 1;
        }
        assert_eq!(extensions.get::<u8>(), Some(&3));
        assert_eq!(extensions.remove::<u8>(), Some(3));
        assert_eq!(extensions.get::<u8>(), None);
        assert_eq!(extensions.get::<&str>(), Some(&"text"));
    }
}
