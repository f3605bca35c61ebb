//! From hosts to addresses.

#[cfg(all(test, target_os = "linux"))]
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
#[cfg(all(test, target_os = "linux"))]
use std::sync::{Arc, Mutex};

use if_addrs::Interface;
use tokio::net::lookup_host;

use super::options::IpVersions;
use crate::endpoint::{Host, HostName, Port, Zone};

/// Who knows the addresses of a name.
#[derive(Clone, Debug, Default)]
pub(crate) enum Resolver {
    /// The operating system.
    #[default]
    System,
    /// A test, which has one answer for each time that it is asked.
    #[cfg(all(test, target_os = "linux"))]
    Scripted(Arc<Mutex<VecDeque<SocketAddr>>>),
}

impl Resolver {
    async fn lookup(&self, name: &HostName, port: u16) -> io::Result<Vec<SocketAddr>> {
        let addresses: Vec<_> = match self {
            Self::System => lookup_host((name.as_str(), port)).await?.collect(),
            #[cfg(all(test, target_os = "linux"))]
            Self::Scripted(answers) => answers
                .lock()
                .ok()
                .and_then(|mut answers| answers.pop_front())
                .into_iter()
                .collect(),
        };
        if addresses.is_empty() {
            return Err(no_address());
        }
        Ok(addresses)
    }
}

/// The addresses to listen on, or to connect from; the first that works is meant.
///
/// A name is that of an interface if there is one, and else that of a host.
pub(super) async fn local(
    host: &Host,
    port: Port,
    versions: IpVersions,
) -> io::Result<Vec<SocketAddr>> {
    let port = number(port);
    let mut addresses = match host {
        Host::Wildcard => wildcard(port, versions),
        Host::Name(name) => match interface(name, port)? {
            addresses if addresses.is_empty() => Resolver::System.lookup(name, port).await?,
            addresses => addresses,
        },
        Host::Ipv4(_) | Host::Ipv6(_) | Host::ZonedIpv6(_) => vec![literal(host, port)?],
    };
    if versions == IpVersions::PreferV4 {
        // The order within each version stays.
        addresses.sort_by_key(SocketAddr::is_ipv6);
    }
    Ok(addresses)
}

/// The addresses to connect to, in the order in which to try them: that of the resolver, but with
/// the two versions of IP in turn.
pub(super) async fn remote(
    host: &Host,
    port: Port,
    resolver: &Resolver,
) -> io::Result<Vec<SocketAddr>> {
    let port = number(port);
    match host {
        Host::Name(name) => Ok(interleave(resolver.lookup(name, port).await?)),
        _ => Ok(vec![literal(host, port)?]),
    }
}

fn number(port: Port) -> u16 {
    match port {
        Port::Fixed(port) => port,
        Port::Wildcard => 0,
    }
}

fn wildcard(port: u16, versions: IpVersions) -> Vec<SocketAddr> {
    let ipv4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    match versions {
        IpVersions::PreferV4 => vec![ipv4],
        // A system without IPv6 still has the other one.
        IpVersions::Both => vec![SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)), ipv4],
    }
}

fn literal(host: &Host, port: u16) -> io::Result<SocketAddr> {
    match host {
        Host::Ipv4(address) => Ok(SocketAddr::from((*address, port))),
        Host::Ipv6(address) => Ok(SocketAddr::from((*address, port))),
        Host::ZonedIpv6(zoned) => {
            let zone = zone_index(&zoned.zone)?;
            Ok(SocketAddrV6::new(zoned.address, port, 0, zone).into())
        }
        Host::Name(_) | Host::Wildcard => Err(no_address()),
    }
}

/// The addresses of the interface called `name`; none if there is no such interface.
fn interface(name: &HostName, port: u16) -> io::Result<Vec<SocketAddr>> {
    let interfaces = if_addrs::get_if_addrs()?;
    let mut addresses: Vec<_> = interfaces
        .iter()
        .filter(|interface| interface.name == name.as_str())
        .map(|interface| interface_address(interface, port))
        .collect();
    // An address that is good on this link alone is the last choice.
    addresses.sort_by_key(|address| is_link_local(&address.ip()));
    Ok(addresses)
}

fn interface_address(interface: &Interface, port: u16) -> SocketAddr {
    match interface.ip() {
        IpAddr::V6(address) if is_link_local(&address.into()) => {
            SocketAddrV6::new(address, port, 0, interface.index.unwrap_or(0)).into()
        }
        address => SocketAddr::new(address, port),
    }
}

fn is_link_local(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn zone_index(zone: &Zone) -> io::Result<u32> {
    let name = match zone {
        Zone::Index(index) => return Ok(*index),
        Zone::Name(name) => name.as_str(),
    };
    if_addrs::get_if_addrs()?
        .into_iter()
        .filter(|interface| interface.name == name)
        .find_map(|interface| interface.index)
        .ok_or_else(|| {
            let text = "no interface with an address has the name of the zone";
            io::Error::new(io::ErrorKind::NotFound, text)
        })
}

/// Puts addresses of the two versions of IP in turn, as RFC 8305 section 4 wants it.
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv6) else {
        return addresses;
    };
    let (preferred, other): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first);
    let count = preferred.len() + other.len();
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut turns = Vec::with_capacity(count);
    while turns.len() < count {
        turns.extend(preferred.next());
        turns.extend(other.next());
    }
    turns
}

pub(super) fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the name has no address")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Host {
        text.parse().unwrap()
    }

    #[test]
    fn the_versions_of_ip_take_turns() {
        let v4 = |last| SocketAddr::from(([192, 0, 2, last], 1));
        let v6 = |last| SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, last], 1));
        assert_eq!(
            interleave(vec![v6(1), v6(2), v6(3), v4(1)]),
            [v6(1), v4(1), v6(2), v6(3)]
        );
        assert_eq!(
            interleave(vec![v4(1), v4(2), v6(1), v6(2)]),
            [v4(1), v6(1), v4(2), v6(2)]
        );
        assert_eq!(interleave(Vec::new()), []);
    }

    #[tokio::test]
    async fn all_interfaces_are_those_of_ipv4_unless_both_versions_are_wanted() {
        let (any, port) = (Host::Wildcard, Port::Fixed(5));
        let preferred = local(&any, port, IpVersions::PreferV4).await.unwrap();
        assert_eq!(preferred, [SocketAddr::from(([0, 0, 0, 0], 5))]);
        let both = local(&any, port, IpVersions::Both).await.unwrap();
        assert_eq!(both[0], SocketAddr::from(([0u16; 8], 5)));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_name_of_an_interface_is_its_address() {
        let port = Port::Fixed(5);
        let addresses = local(&host("lo"), port, IpVersions::PreferV4).await;
        assert_eq!(addresses.unwrap()[0], SocketAddr::from(([127, 0, 0, 1], 5)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_zone_is_an_interface_or_its_number() {
        let named = literal(&host("[fe80::1%lo]"), 5).unwrap();
        assert_eq!(named, literal(&host("[fe80::1%1]"), 5).unwrap());
        let SocketAddr::V6(named) = named else {
            panic!("{named} is no IPv6 address");
        };
        assert_eq!(named.scope_id(), 1);
        let refused = literal(&host("[fe80::1%no-such-interface]"), 5).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::NotFound);
    }
}
