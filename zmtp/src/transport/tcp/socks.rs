//! Connecting through a SOCKS5 proxy (RFC 1928), with a user name and a password (RFC 1929).
//!
//! ```text
//!  us     05 n methods          05 01 00 type host port      ZMTP
//!  proxy             05 method                          05 reply 00 type host port
//! ```

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::endpoint::{EndpointError, Host, Port, TcpEndpoint};
use crate::mechanism::Wiped;
use crate::transport::UnusableEndpoint;

/// How long a proxy may take in all to connect us.
pub(super) const NEGOTIATION_TIMEOUT: Duration = Duration::from_secs(30);

const VERSION: u8 = 5;
const PASSWORD_VERSION: u8 = 1;

const NO_AUTHENTICATION: u8 = 0;
const USERNAME_PASSWORD: u8 = 2;

const CONNECT: u8 = 1;

const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// A proxy that tcp connections are made through.
#[derive(Clone, PartialEq, Eq)]
pub struct SocksProxy {
    pub(super) endpoint: TcpEndpoint,
    credentials: Option<Credentials>,
}

/// A user name and a password of at most 255 octets each.
#[derive(Clone, PartialEq, Eq)]
struct Credentials {
    username: Wiped,
    password: Wiped,
}

/// Misuse: there is no such proxy, or nobody can log in there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SocksProxyError {
    /// The address is not a host and a port.
    #[error("invalid address of a proxy")]
    Address(#[from] EndpointError),
    /// The host or the port is a wildcard, or there is a source.
    #[error("'{endpoint}' names no proxy to connect to")]
    NotAnAddress {
        /// What was given.
        endpoint: TcpEndpoint,
    },
    /// The user name or the password is empty or longer than 255 octets.
    #[error("a user name and a password have 1 to 255 octets")]
    CredentialLen,
}

impl SocksProxy {
    /// Returns the proxy at an address such as `proxy.example:1080`.
    ///
    /// # Errors
    ///
    /// [`SocksProxyError`] if that is not a host and a port.
    pub fn new(address: &str) -> Result<Self, SocksProxyError> {
        let endpoint: TcpEndpoint = address.parse()?;
        if endpoint.is_wildcard() || endpoint.source.is_some() {
            return Err(SocksProxyError::NotAnAddress { endpoint });
        }
        Ok(Self {
            endpoint,
            credentials: None,
        })
    }

    /// Logs in with a user name and a password, which the proxy gets in clear text.
    ///
    /// # Errors
    ///
    /// [`SocksProxyError`] if one of the two is empty or longer than 255 octets.
    pub fn with_credentials(
        mut self,
        username: &str,
        password: &str,
    ) -> Result<Self, SocksProxyError> {
        for text in [username, password] {
            if text.is_empty() || u8::try_from(text.len()).is_err() {
                return Err(SocksProxyError::CredentialLen);
            }
        }
        self.credentials = Some(Credentials {
            username: Wiped(username.into()),
            password: Wiped(password.into()),
        });
        Ok(self)
    }
}

impl fmt::Debug for SocksProxy {
    /// Leaves the credentials out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocksProxy")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// What a proxy did wrong, or why it does not connect us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum SocksFailure {
    #[error("the proxy does not speak SOCKS 5")]
    Version,
    #[error("the proxy wants another way to log in")]
    Method,
    #[error("the proxy does not accept the user name and the password")]
    Denied,
    #[error("the proxy answers with an address of an unknown type")]
    AddressType,
    #[error("the proxy refuses with code {code}")]
    Refused { code: u8 },
    #[error("the endpoint cannot be told to a proxy")]
    Target,
}

impl From<SocksFailure> for io::Error {
    fn from(failure: SocksFailure) -> Self {
        let kind = match failure {
            SocksFailure::Version | SocksFailure::AddressType => io::ErrorKind::InvalidData,
            SocksFailure::Method | SocksFailure::Denied => io::ErrorKind::PermissionDenied,
            SocksFailure::Target => io::ErrorKind::InvalidInput,
            SocksFailure::Refused { code } => match code {
                2 => io::ErrorKind::PermissionDenied,
                3 => io::ErrorKind::NetworkUnreachable,
                4 => io::ErrorKind::HostUnreachable,
                5 => io::ErrorKind::ConnectionRefused,
                6 => io::ErrorKind::TimedOut,
                _ => io::ErrorKind::Other,
            },
        };
        Self::new(kind, failure)
    }
}

/// Has the proxy at the other end of `stream` connect us to `target`. What follows on the stream is
/// the peer's.
pub(super) async fn negotiate<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    proxy: &SocksProxy,
    target: &TcpEndpoint,
) -> io::Result<()> {
    let request = request(target)?;
    let method = match &proxy.credentials {
        // Only this: a proxy that takes everybody is not the one that was meant.
        Some(_) => USERNAME_PASSWORD,
        None => NO_AUTHENTICATION,
    };
    stream.write_all(&[VERSION, 1, method]).await?;
    let [version, chosen] = read(stream).await?;
    if version != VERSION {
        return Err(SocksFailure::Version.into());
    }
    if chosen != method {
        return Err(SocksFailure::Method.into());
    }
    if let Some(credentials) = &proxy.credentials {
        stream.write_all(&credentials.request()?.0).await?;
        let [_version, status] = read(stream).await?;
        if status != 0 {
            return Err(SocksFailure::Denied.into());
        }
    }
    stream.write_all(&request).await?;
    let [version, code, _reserved, address_type] = read(stream).await?;
    if version != VERSION {
        return Err(SocksFailure::Version.into());
    }
    if code != 0 {
        return Err(SocksFailure::Refused { code }.into());
    }
    skip_address(stream, address_type).await
}

/// Reads where the proxy connects from, which nobody needs to know, up to its last octet.
async fn skip_address<S: AsyncRead + Unpin>(stream: &mut S, address_type: u8) -> io::Result<()> {
    let len = match address_type {
        IPV4 => 4,
        IPV6 => 16,
        NAME => {
            let [len] = read(stream).await?;
            usize::from(len)
        }
        _ => return Err(SocksFailure::AddressType.into()),
    };
    let mut address_and_port = [0; u8::MAX as usize + 2];
    stream.read_exact(&mut address_and_port[..len + 2]).await?;
    Ok(())
}

async fn read<const N: usize, S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<[u8; N]> {
    let mut octets = [0; N];
    stream.read_exact(&mut octets).await?;
    Ok(octets)
}

impl Credentials {
    fn request(&self) -> io::Result<Wiped> {
        let Self { username, password } = self;
        let mut request = Wiped(Vec::with_capacity(3 + username.0.len() + password.0.len()));
        request.0.push(PASSWORD_VERSION);
        push_short(&mut request.0, &username.0)?;
        push_short(&mut request.0, &password.0)?;
        Ok(request)
    }
}

/// Whether a proxy can be told about `target` at all.
pub(crate) fn check_target(target: &TcpEndpoint) -> Result<(), UnusableEndpoint> {
    match request(target) {
        Ok(_) => Ok(()),
        Err(_) => Err(UnusableEndpoint::NotForProxy),
    }
}

/// The request for a connection. Names are resolved by the proxy.
fn request(target: &TcpEndpoint) -> io::Result<Vec<u8>> {
    let Port::Fixed(port) = target.port else {
        return Err(SocksFailure::Target.into());
    };
    let mut request = vec![VERSION, CONNECT, 0];
    match &target.host {
        Host::Name(name) => {
            request.push(NAME);
            push_short(&mut request, name.as_str().as_bytes())?;
        }
        Host::Ipv4(address) => push_address(&mut request, IpAddr::V4(*address)),
        Host::Ipv6(address) => push_address(&mut request, IpAddr::V6(*address)),
        Host::ZonedIpv6(_) | Host::Wildcard => return Err(SocksFailure::Target.into()),
    }
    request.extend_from_slice(&port.to_be_bytes());
    Ok(request)
}

fn push_address(request: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            request.push(IPV4);
            request.extend_from_slice(&address.octets());
        }
        IpAddr::V6(address) => {
            request.push(IPV6);
            request.extend_from_slice(&address.octets());
        }
    }
}

fn push_short(request: &mut Vec<u8>, octets: &[u8]) -> io::Result<()> {
    let len = u8::try_from(octets.len()).map_err(|_| SocksFailure::Target)?;
    request.push(len);
    request.extend_from_slice(octets);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays the proxy: takes what is expected and answers, in turns; then tells how it ended.
    async fn play(
        proxy: SocksProxy,
        target: &str,
        turns: &[(&[u8], &[u8])],
    ) -> Result<Vec<u8>, io::ErrorKind> {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        let target: TcpEndpoint = target.parse().unwrap();
        let script = async {
            for (expected, answer) in turns {
                let mut received = vec![0; expected.len()];
                theirs.read_exact(&mut received).await.unwrap();
                assert_eq!(received, *expected);
                theirs.write_all(answer).await.unwrap();
            }
            drop(theirs);
        };
        let (result, ()) = tokio::join!(negotiate(&mut ours, &proxy, &target), script);
        result.map_err(|error| error.kind())?;
        let mut rest = Vec::new();
        ours.read_to_end(&mut rest).await.unwrap();
        Ok(rest)
    }

    fn proxy() -> SocksProxy {
        SocksProxy::new("127.0.0.1:1080").unwrap()
    }

    #[tokio::test]
    async fn what_follows_the_answer_is_the_peers() {
        for (target, request) in [
            ("192.0.2.1:80", &b"\x05\x01\0\x01\xc0\0\x02\x01\0\x50"[..]),
            ("host:258", b"\x05\x01\0\x03\x04host\x01\x02"),
            (
                "[::1]:1",
                b"\x05\x01\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\x01",
            ),
        ] {
            for address in [&b"\x01\x7f\0\0\x01\0\x01"[..], b"\x03\x02ab\0\x01"] {
                let answer = [b"\x05\0\0", address, b"\xff"].concat();
                let turns = [(&b"\x05\x01\0"[..], &b"\x05\0"[..]), (request, &answer)];
                assert_eq!(play(proxy(), target, &turns).await, Ok(vec![0xff]));
            }
        }
    }

    #[tokio::test]
    async fn a_login_that_is_wanted_is_made_and_may_fail() {
        let proxy = proxy().with_credentials("me", "secret").unwrap();
        assert!(!format!("{proxy:?}").contains("secret"));
        let hello = (&b"\x05\x01\x02"[..], &b"\x05\x02"[..]);
        let login = &b"\x01\x02me\x06secret"[..];
        let connect = (
            &b"\x05\x01\0\x03\x01h\0\x01"[..],
            &b"\x05\0\0\x01\0\0\0\0\0\0"[..],
        );
        let turns = [hello, (login, b"\x01\0"), connect];
        assert_eq!(play(proxy.clone(), "h:1", &turns).await, Ok(Vec::new()));
        let turns = [hello, (login, b"\x01\x01")];
        let denied = Err(io::ErrorKind::PermissionDenied);
        assert_eq!(play(proxy, "h:1", &turns).await, denied);
    }

    #[tokio::test]
    async fn whatever_a_proxy_answers_is_an_error_with_a_kind() {
        let hello = &b"\x05\x01\0"[..];
        let connect = &b"\x05\x01\0\x03\x01h\0\x01"[..];
        for (answers, kind) in [
            (&[&b"\x04\0"[..]][..], io::ErrorKind::InvalidData),
            (&[b"\x05\xff"], io::ErrorKind::PermissionDenied),
            (&[b"\x05"], io::ErrorKind::UnexpectedEof),
            (
                &[b"\x05\0", b"\x05\x05\0\x01"],
                io::ErrorKind::ConnectionRefused,
            ),
            (
                &[b"\x05\0", b"\x05\x04\0\x01"],
                io::ErrorKind::HostUnreachable,
            ),
            (&[b"\x05\0", b"\x05\x09\0\x01"], io::ErrorKind::Other),
            (&[b"\x05\0", b"\x05\0\0\x02"], io::ErrorKind::InvalidData),
            (
                &[b"\x05\0", b"\x05\0\0\x03\xff"],
                io::ErrorKind::UnexpectedEof,
            ),
        ] {
            let turns: Vec<_> = [hello, connect]
                .into_iter()
                .zip(answers.iter().copied())
                .collect();
            assert_eq!(play(proxy(), "h:1", &turns).await, Err(kind), "{answers:?}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused() {
        for address in ["", "proxy", "*:1080", "proxy:*", "a:1;proxy:1080"] {
            assert!(SocksProxy::new(address).is_err(), "{address}");
        }
        for (username, password) in [("", "a"), ("a", ""), (&"a".repeat(256), "a")] {
            let refused = proxy().with_credentials(username, password);
            assert_eq!(refused, Err(SocksProxyError::CredentialLen));
        }
    }
}
