//! Clients for models.

use proto::Config;

use super::call::CommandSender;
use super::engine::ClientEngine;
use super::handle::{Client, Connections};
use super::options::CallOptions;
use super::waking::Relays;
use crate::io::model::{ModelDriver, Wire, network};
use crate::io::{Life, queue};

/// Makes a client at one end of a wire, and its I/O task.
pub(crate) fn client(wire: Wire) -> (Client, impl Future<Output = ()> + Send + 'static) {
    let (sender, commands) = queue();
    let (life, lifetime) = Life::new();
    let (engine, servers) = ClientEngine::new(network());
    let connections = Connections {
        endpoints: Vec::new(),
        network: network(),
        servers,
    };
    let commands_of_callers = CommandSender::new(sender, Relays::by_runtime());
    let mut options = CallOptions::default();
    options.timeout = None;
    let client = Client::new(commands_of_callers, (options, None), connections, lifetime);
    let driver = ModelDriver::new((wire, Config::client()), engine, commands, life);
    (client, driver.run())
}
