//! Who has bound which name, for the whole process (L3).

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::driver::endpoints::Binding;
use crate::driver::hub::{Hub, Linger};
use crate::driver::listener::Bound;
use crate::driver::sync::{Mutex, lock};
use crate::endpoint::EndpointName;

#[cfg(not(all(test, shuttle)))]
static NAMES: std::sync::LazyLock<Mutex<HashMap<EndpointName, Place>>> =
    std::sync::LazyLock::new(Mutex::default);

// Anew for each run of a model.
#[cfg(all(test, shuttle))]
shuttle::lazy_static! {
    static ref NAMES: Mutex<HashMap<EndpointName, Place>> = Mutex::default();
}

/// A name that is bound, or waited for.
#[derive(Debug, Default)]
struct Place {
    owner: Option<Arc<Hub>>,
    /// Notified when the name is bound.
    bound: Arc<Notify>,
    waiting: usize,
}

/// A name that a socket has bound; free again when this is dropped.
#[derive(Debug)]
pub(crate) struct BoundName {
    name: EndpointName,
    owner: Arc<Hub>,
}

impl BoundName {
    /// Binds `name` to `hub`.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AddrInUse`] if a socket that is not closing has bound it.
    pub(crate) fn new(name: &EndpointName, hub: &Arc<Hub>) -> io::Result<Self> {
        let mut names = lock(&NAMES);
        let place = names.entry(name.clone()).or_default();
        if place.owner().is_some() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let before = place.owner.replace(Arc::clone(hub));
        place.bound.notify_waiters();
        drop(names);
        // Not under the lock: it may be the last reference to that socket.
        drop(before);
        Ok(Self {
            name: name.clone(),
            owner: Arc::clone(hub),
        })
    }
}

impl Drop for BoundName {
    fn drop(&mut self) {
        let mut names = lock(&NAMES);
        if let Some(place) = names.get_mut(&self.name)
            // Another socket may have the name already, if this one was closing.
            && place.owner.as_ref().is_some_and(|owner| Arc::ptr_eq(owner, &self.owner))
        {
            place.owner = None;
        }
        tidy(&mut names, &self.name);
    }
}

/// Keeps a name bound until it is unbound or the socket closes.
pub(crate) fn hold(
    hub: Arc<Hub>,
    name: BoundName,
    binding: Arc<Binding>,
) -> impl Future<Output = ()> + Send {
    let unbinding = binding.unbinding.clone();
    let bound = Bound::new(hub, name, binding);
    async move {
        unbinding.cancelled().await;
        drop(bound);
    }
}

/// Waits until `name` is bound, and returns the socket that has bound it.
pub(super) async fn find(name: &EndpointName) -> Arc<Hub> {
    loop {
        let (_wait, bound) = {
            let mut names = lock(&NAMES);
            let place = names.entry(name.clone()).or_default();
            if let Some(owner) = place.owner() {
                return Arc::clone(owner);
            }
            place.waiting += 1;
            // Made under the lock, so that no bind is missed.
            (Wait { name }, Arc::clone(&place.bound).notified_owned())
        };
        bound.await;
    }
}

/// Somebody who waits for a name.
struct Wait<'a> {
    name: &'a EndpointName,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut names = lock(&NAMES);
        if let Some(place) = names.get_mut(self.name) {
            place.waiting -= 1;
        }
        tidy(&mut names, self.name);
    }
}

impl Place {
    /// The socket that has the name; one that is closing no longer has.
    fn owner(&self) -> Option<&Arc<Hub>> {
        self.owner
            .as_ref()
            .filter(|owner| owner.linger() == Linger::Open)
    }
}

/// Forgets a name that nobody has and nobody waits for.
fn tidy(names: &mut HashMap<EndpointName, Place>, name: &EndpointName) {
    if names
        .get(name)
        .is_some_and(|place| place.owner.is_none() && place.waiting == 0)
    {
        names.remove(name);
    }
}
