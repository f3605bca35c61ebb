//! Servers for models.

use proto::Config;

use super::engine::{ServerEngine, Settings};
use super::handle::ServerHandle;
use super::spawner::Spawner;
use super::{Concurrency, Tracebacks};
use crate::Compat;
use crate::io::model::{ModelDriver, Wire, network};
use crate::io::{Life, queue};
use crate::service::{Method, Registry};
use crate::sync::Handle;

/// Makes a server at one end of a wire, and its I/O task.
pub(crate) fn server(
    wire: Wire,
    methods: Vec<Method>,
    concurrency: Concurrency,
) -> (ServerHandle, impl Future<Output = ()> + Send + 'static) {
    let (sender, commands) = queue();
    let (life, lifetime) = Life::new();
    let engine = ServerEngine::new(Settings {
        registry: Registry::new("model", methods).unwrap(),
        spawner: Spawner::remote(&Handle::try_current().unwrap()),
        concurrency,
        threads: 1,
        tracebacks: Tracebacks::default(),
        compat: Compat::default(),
        commands: sender.clone(),
        authorizer: None,
        middleware: None,
    });
    let handle = ServerHandle {
        commands: sender,
        lifetime,
        network: network(),
    };
    let driver = ModelDriver::new((wire, Config::server()), engine, commands, life);
    (handle, driver.run())
}
