//! Sets of IP addresses.

use std::fmt;
use std::net::{AddrParseError, IpAddr};
use std::str::FromStr;

use thiserror::Error;

/// The IP addresses that begin alike, such as `192.0.2.0/24`; or one address, such as `::1`.
///
/// IPv4 addresses that are mapped into IPv6 count as IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix_len: u8,
}

/// Why a text is not a [`Network`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// What is in front of the slash is not an IP address.
    #[error("not an IP address")]
    Address(#[source] AddrParseError),
    /// What is behind the slash is not a number of bits that the address has.
    #[error("the length of the prefix is not a number of up to {limit}")]
    PrefixLength {
        /// The number of bits of the address.
        limit: u8,
    },
    /// The address has bits behind the prefix.
    #[error("the address has bits behind the prefix of {prefix_len}")]
    HostBits {
        /// The length of the prefix.
        prefix_len: u8,
    },
}

impl Network {
    /// Returns the network of the addresses whose first `prefix_len` bits are those of `address`.
    ///
    /// # Errors
    ///
    /// Returns a [`NetworkError`] if there are not so many bits, or if others than those are set.
    pub fn new(address: IpAddr, prefix_len: u8) -> Result<Self, NetworkError> {
        let limit = bit_count(address);
        if prefix_len > limit {
            return Err(NetworkError::PrefixLength { limit });
        }
        let network = Self {
            address,
            prefix_len,
        };
        if network.prefix(address) != bits(address) {
            return Err(NetworkError::HostBits { prefix_len });
        }
        Ok(network)
    }

    /// Returns true if `address` is one of the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && self.prefix(address) == bits(self.address)
    }

    /// The bits of `address` that count, at their places.
    fn prefix(&self, address: IpAddr) -> u128 {
        let host_bits = u32::from(bit_count(address).saturating_sub(self.prefix_len));
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        bits(address) & mask
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self {
            address,
            prefix_len: bit_count(address),
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let Some((address, prefix_len)) = text.split_once('/') else {
            return Ok(text
                .parse::<IpAddr>()
                .map_err(NetworkError::Address)?
                .into());
        };
        let address: IpAddr = address.parse().map_err(NetworkError::Address)?;
        let limit = bit_count(address);
        let prefix_len = prefix_len
            .parse()
            .map_err(|_| NetworkError::PrefixLength { limit })?;
        Self::new(address, prefix_len)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_len)
    }
}

const fn bit_count(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        let network: Network = network.parse().unwrap();
        network.contains(address.parse().unwrap())
    }

    #[test]
    fn addresses_that_begin_alike_are_in_the_network() {
        for (network, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("192.0.2.1/32", "192.0.2.1", "192.0.2.0"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("128.0.0.0/1", "128.0.0.1", "127.0.0.1"),
            ("::1", "::1", "::2"),
            ("::/0", "2001:db8::1", "192.0.2.1"),
            ("2001:db8::/32", "2001:db8:ffff::", "2001:db9::"),
            ("192.0.2.0/24", "::ffff:192.0.2.1", "::192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ] {
            assert!(contains(network, inside), "{inside} in {network}");
            assert!(!contains(network, outside), "{outside} in {network}");
        }
    }

    #[test]
    fn networks_print_as_they_are_read() {
        for text in ["192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0"] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
        assert_eq!("::1".parse::<Network>().unwrap().to_string(), "::1/128");
    }

    #[test]
    fn what_is_no_network_is_refused() {
        let prefix = |limit| NetworkError::PrefixLength { limit };
        for (text, error) in [
            ("192.0.2.0/33", prefix(32)),
            ("192.0.2.0/", prefix(32)),
            ("192.0.2.0/-1", prefix(32)),
            ("::/129", prefix(128)),
            ("192.0.2.1/24", NetworkError::HostBits { prefix_len: 24 }),
            ("::1/0", NetworkError::HostBits { prefix_len: 0 }),
        ] {
            assert_eq!(text.parse::<Network>(), Err(error), "{text}");
        }
        for text in ["", "a", "192.0.2/24", "[::1]", "192.0.2.1:5"] {
            let error = text.parse::<Network>().unwrap_err();
            assert!(matches!(error, NetworkError::Address(_)), "{text}");
        }
    }
}
