//! Ranges of IP addresses.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A network of IP addresses, such as `192.0.2.0/24`.
///
/// IPv4 addresses within IPv6 ones (`::ffff:192.0.2.1`) count as the IPv4 addresses that they are, in
/// networks (`::ffff:192.0.2.0/120`) as in what these contain. No network has addresses of both
/// versions.
///
/// ```
/// use zmtp::endpoint::IpNetwork;
///
/// let network: IpNetwork = "192.0.2.0/24".parse()?;
/// assert!(network.contains([192, 0, 2, 7].into()));
/// assert!(!network.contains([192, 0, 3, 7].into()));
/// # Ok::<(), zmtp::endpoint::IpNetworkError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IpNetwork {
    address: IpAddr,
    prefix_len: u8,
}

/// Misuse: a text or a pair is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IpNetworkError {
    /// What stands before the slash is no IP address.
    #[error("'{}' is not an IP address", address.escape_debug())]
    InvalidAddress {
        /// The address.
        address: String,
    },
    /// What stands after the slash is no number, or more than an address has bits.
    #[error("'{}' is not a number of bits from 0 to {max}", prefix.escape_debug())]
    InvalidPrefix {
        /// The number of bits.
        prefix: String,
        /// As many bits as an address of this version has.
        max: u8,
    },
    /// The address has bits behind the prefix, so that it is not clear what is meant.
    #[error("{address} has bits behind the prefix of {prefix_len}")]
    HostBits {
        /// The address.
        address: IpAddr,
        /// The length of the prefix.
        prefix_len: u8,
    },
    /// An IPv4 address within an IPv6 one, and a prefix that ends in front of it.
    #[error(
        "the prefix of an IPv4 address within an IPv6 one has at least 96 bits, not {prefix_len}"
    )]
    MappedPrefix {
        /// The length of the prefix.
        prefix_len: u8,
    },
}

impl IpNetwork {
    /// Returns the network of the addresses that begin as `address` does, for `prefix_len` bits.
    ///
    /// # Errors
    ///
    /// [`IpNetworkError`] if an address of this version has fewer bits, or this one others than those,
    /// or if it is an IPv4 address within an IPv6 one and the prefix is too short for that.
    pub fn new(address: IpAddr, prefix_len: u8) -> Result<Self, IpNetworkError> {
        let max = bits(address);
        if prefix_len > max {
            return Err(IpNetworkError::InvalidPrefix {
                prefix: prefix_len.to_string(),
                max,
            });
        }
        let canonical = address.to_canonical();
        let prefix_len = prefix_len
            .checked_sub(max - bits(canonical))
            .ok_or(IpNetworkError::MappedPrefix { prefix_len })?;
        let network = Self {
            address: canonical,
            prefix_len,
        };
        if number(canonical) & network.host_mask() != 0 {
            return Err(IpNetworkError::HostBits {
                address: canonical,
                prefix_len,
            });
        }
        Ok(network)
    }

    /// Returns the first address.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// Returns for how many bits all addresses are the same.
    #[must_use]
    pub const fn prefix_len(&self) -> u8 {
        self.prefix_len
    }

    /// Returns whether `address` belongs to the network.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (network, address) = (self.address, address.to_canonical());
        network.is_ipv4() == address.is_ipv4()
            && number(address) & !self.host_mask() == number(network)
    }

    /// The bits of an address that do not count.
    fn host_mask(&self) -> u128 {
        // All bits are a shift by none, and none a shift by all.
        let significant = u128::BITS - u32::from(bits(self.address) - self.prefix_len);
        u128::MAX.checked_shr(significant).unwrap_or(0)
    }
}

impl From<IpAddr> for IpNetwork {
    /// Returns the network of this address alone.
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self {
            address,
            prefix_len: bits(address),
        }
    }
}

impl FromStr for IpNetwork {
    type Err = IpNetworkError;

    fn from_str(text: &str) -> Result<Self, IpNetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address
            .parse()
            .map_err(|_| IpNetworkError::InvalidAddress {
                address: address.to_owned(),
            })?;
        let Some(prefix) = prefix else {
            return Ok(address.into());
        };
        // The parser of integers would take a sign, too.
        let is_number = prefix.chars().all(|c| c.is_ascii_digit());
        match prefix.parse() {
            Ok(prefix_len) if is_number => Self::new(address, prefix_len),
            _ => Err(IpNetworkError::InvalidPrefix {
                prefix: prefix.to_owned(),
                max: bits(address),
            }),
        }
    }
}

impl fmt::Display for IpNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_len)
    }
}

fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => Ipv6Addr::to_bits(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> IpNetwork {
        text.parse().unwrap()
    }

    fn contains(text: &str, address: &str) -> bool {
        network(text).contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_as_it_does() {
        for (text, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.128/25", "192.0.2.129", "192.0.2.127"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("0.0.0.0/0", "255.1.2.3", "::1"),
            ("::/0", "2001:db8::1", "192.0.2.1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("::1", "::1", "::2"),
            ("192.0.2.0/24", "::ffff:192.0.2.7", "::ffff:192.0.3.7"),
            ("::ffff:192.0.2.0/120", "192.0.2.7", "192.0.3.7"),
            ("::ffff:0.0.0.0/96", "192.0.2.7", "2001:db8::1"),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
            ("128.0.0.0/1", "128.0.0.1", "127.0.0.1"),
            ("192.0.2.0/24", "192.0.2.0", "::192.0.2.1"),
        ] {
            assert!(contains(text, inside), "{inside} is in {text}");
            assert!(!contains(text, outside), "{outside} is not in {text}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "a",
            "192.0.2",
            "192.0.2.1/33",
            "::1/129",
            "::1/+1",
            "::1/",
            "1.2.3.4/ 8",
            "192.0.2.0/-1",
            "[::1]",
            "192.0.2.1:5",
        ] {
            assert!(text.parse::<IpNetwork>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_could_be_misunderstood_is_refused() {
        for (text, prefix_len) in [
            ("192.0.2.1/24", 24),
            ("::1/0", 0),
            ("::ffff:192.0.2.1/120", 24),
        ] {
            let error = text.parse::<IpNetwork>().unwrap_err();
            let is_it = matches!(error, IpNetworkError::HostBits { prefix_len: len, .. } if len == prefix_len);
            assert!(is_it, "{text}: {error}");
        }
        for prefix_len in [0, 80, 95] {
            assert_eq!(
                format!("::ffff:0.0.0.0/{prefix_len}").parse::<IpNetwork>(),
                Err(IpNetworkError::MappedPrefix { prefix_len })
            );
        }
    }

    #[test]
    fn a_network_prints_as_what_it_was_made_of() {
        for text in ["192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0"] {
            assert_eq!(network(text).to_string(), text);
        }
        assert_eq!(network("::1").to_string(), "::1/128");
        let mapped = network("::ffff:192.0.2.0/120");
        let address = IpAddr::from([192, 0, 2, 0]);
        assert_eq!((mapped.address(), mapped.prefix_len()), (address, 24));
    }
}
