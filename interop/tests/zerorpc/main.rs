//! `zrpc` against zerorpc 0.6.3 for Python: clients, servers and both command
//! lines, in both directions.

mod blocking_methods;
mod broken_network;
mod credit;
mod defects;
mod heartbeats;
mod introspection;
mod losses;
mod middleware;
mod node;
mod one_way;
mod our_client;
mod our_command;
mod our_server;
mod our_service;
mod scenarios;
mod several_servers;
mod shutdown;
mod support;
mod their_command;
mod transcript;
mod typed;
mod types;
mod values;
mod versions;
mod wire;
