//! What parses to what, and what is refused.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<Endpoint, EndpointError> {
    text.parse()
}

fn tcp(host: Host, port: impl Into<Port>) -> Endpoint {
    Endpoint::Tcp(TcpEndpoint::new(host, port.into()))
}

fn name(name: &str) -> EndpointName {
    EndpointName::new(name).unwrap()
}

#[test]
fn every_form_parses_and_prints_as_it_was() {
    let host = |name| Host::Name(HostName::new(name).unwrap());
    let zoned = |zone| {
        let address = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
        Host::ZonedIpv6(ZonedIpv6::new(address, zone))
    };
    for (text, expected) in [
        (
            "tcp://127.0.0.1:5555",
            tcp(Host::Ipv4(Ipv4Addr::LOCALHOST), 5555),
        ),
        ("tcp://[::1]:1", tcp(Host::Ipv6(Ipv6Addr::LOCALHOST), 1)),
        ("tcp://*:65535", tcp(Host::Wildcard, 65535)),
        ("tcp://*:*", tcp(Host::Wildcard, Port::Wildcard)),
        ("tcp://localhost:80", tcp(host("localhost"), 80)),
        ("tcp://eth0:*", tcp(host("eth0"), Port::Wildcard)),
        ("tcp://eth0.100:*", tcp(host("eth0.100"), Port::Wildcard)),
        ("tcp://a-b_c.example.:80", tcp(host("a-b_c.example."), 80)),
        (
            "tcp://[fe80::1%eth0.7]:1",
            tcp(zoned(Zone::Name(HostName::new("eth0.7").unwrap())), 1),
        ),
        ("tcp://[fe80::1%3]:1", tcp(zoned(Zone::Index(3)), 1)),
        (
            "tcp://lo:*;[::1]:80",
            Endpoint::Tcp(
                TcpEndpoint::new(Host::Ipv6(Ipv6Addr::LOCALHOST), 80.into())
                    .with_source(host("lo"), Port::Wildcard),
            ),
        ),
        (
            "ipc:///tmp/my socket",
            Endpoint::Ipc(IpcEndpoint::Path(name("/tmp/my socket"))),
        ),
        (
            "ipc://@abstract",
            Endpoint::Ipc(IpcEndpoint::Abstract(name("abstract"))),
        ),
        ("ipc://*", Endpoint::Ipc(IpcEndpoint::Wildcard)),
        (
            "ipc://./@file",
            Endpoint::Ipc(IpcEndpoint::Path(name("./@file"))),
        ),
        ("inproc://a://b", Endpoint::Inproc(name("a://b"))),
    ] {
        assert_eq!(parse(text).as_ref(), Ok(&expected), "{text}");
        assert_eq!(expected.to_string(), text);
    }
}

#[test]
fn other_spellings_print_in_one_way() {
    for (text, expected) in [
        ("tcp://*:0", "tcp://*:*"),
        ("tcp://h:00080", "tcp://h:80"),
        ("tcp://*:0;h:80", "tcp://*:*;h:80"),
        ("tcp://[fe80::1%007]:1", "tcp://[fe80::1%7]:1"),
        ("tcp://[0:0:0::1]:80", "tcp://[::1]:80"),
        ("tcp://[::ffff:192.0.2.1]:80", "tcp://[::ffff:192.0.2.1]:80"),
    ] {
        assert_eq!(parse(text).unwrap().to_string(), expected);
    }
}

#[test]
fn socket_addresses_become_endpoints() {
    for text in ["192.0.2.1:80", "[2001:db8::1]:80"] {
        let address: SocketAddr = text.parse().unwrap();
        let endpoint = Endpoint::from(TcpEndpoint::from(address));
        assert_eq!(endpoint.to_string(), format!("tcp://{text}"));
    }
}

#[track_caller]
fn assert_refused(endpoint: &str, expected: &EndpointError) {
    let error = parse(endpoint).unwrap_err();
    assert_eq!(&error, expected, "{endpoint}");
    assert!(error.to_string().chars().all(|c| !c.is_control()));
}

#[test]
fn error_names_the_transport_that_is_wrong() {
    for endpoint in ["", "localhost:80", "://h:1", "tcp:/h:1"] {
        let endpoint = endpoint.to_owned();
        assert_refused(
            &endpoint.clone(),
            &EndpointError::MissingTransport { endpoint },
        );
    }
    for transport in ["udp", "TCP", "\n"] {
        assert_refused(
            &format!("{transport}://h:1"),
            &EndpointError::UnknownTransport {
                transport: transport.to_owned(),
            },
        );
    }
}

#[test]
fn error_names_the_port_that_is_wrong() {
    assert_refused(
        "tcp://a;b:1",
        &EndpointError::MissingPort {
            address: "a".to_owned(),
        },
    );
    for address in ["", "host", "[::1]"] {
        assert_refused(
            &format!("tcp://{address}"),
            &EndpointError::MissingPort {
                address: address.to_owned(),
            },
        );
    }
    for port in ["", "65536", "+80", "-1", "80/", " 80", "http"] {
        assert_refused(
            &format!("tcp://h:{port}"),
            &EndpointError::InvalidPort {
                port: port.to_owned(),
            },
        );
    }
}

#[test]
fn error_names_the_host_that_is_wrong() {
    type Make = fn(String) -> EndpointError;
    let invalid: Make = |host| EndpointError::InvalidHost { host };
    let ipv4: Make = |host| EndpointError::InvalidIpv4 { host };
    let ipv6: Make = |host| EndpointError::InvalidIpv6 { host };
    let brackets: Make = |host| EndpointError::MissingBrackets { host };
    for (host, error) in [
        ("a b", invalid),
        ("h\u{e9}", invalid),
        ("user@h", invalid),
        (&"x".repeat(254), invalid),
        ("256.0.0.1", ipv4),
        ("127.1", ipv4),
        ("0x7f.1", ipv4),
        ("1", ipv4),
        ("[::g]", ipv6),
        ("[127.0.0.1]", ipv6),
        ("[::1", ipv6),
        ("[]", ipv6),
        ("[fe80::1%]", ipv6),
        ("::1", brackets),
        ("h:1", brackets),
    ] {
        assert_refused(&format!("tcp://{host}:80"), &error(host.to_owned()));
    }
    assert_refused("tcp://:80", &EndpointError::EmptyHost);
}

#[test]
fn paths_and_names_are_neither_empty_nor_hold_control_characters() {
    for endpoint in ["ipc://", "ipc://@", "inproc://"] {
        assert_refused(endpoint, &EndpointError::EmptyName);
    }
    for transport in ["ipc://", "ipc://@", "inproc://"] {
        assert_refused(
            &format!("{transport}a\0b"),
            &EndpointError::InvalidName {
                name: "a\0b".to_owned(),
            },
        );
    }
}

proptest! {
    #[test]
    fn whatever_parses_prints_as_what_parses_to_the_same(
        transport in prop_oneof![Just("tcp://"), Just("ipc://"), Just("inproc://"), Just("")],
        address in prop_oneof!["\\PC{0,20}", "[a-z0-9:.*@%;\\[\\]]{0,12}:[0-9*]{1,5}"],
    ) {
        if let Ok(endpoint) = parse(&format!("{transport}{address}")) {
            prop_assert_eq!(parse(&endpoint.to_string()), Ok(endpoint));
        }
    }

    #[test]
    fn any_address_and_port_survive_printing(address in any::<SocketAddr>()) {
        let endpoint = Endpoint::from(TcpEndpoint::from(address));
        prop_assert_eq!(parse(&endpoint.to_string()), Ok(endpoint));
    }
}

#[cfg(feature = "serde")]
#[test]
fn serde_has_endpoints_as_text() {
    let endpoint: Endpoint = "tcp://127.0.0.1:4242".parse().unwrap();
    let document = serde_json::json!("tcp://127.0.0.1:4242");
    assert_eq!(serde_json::to_value(&endpoint).unwrap(), document);
    assert_eq!(
        serde_json::from_value::<Endpoint>(document).unwrap(),
        endpoint
    );
    assert!(serde_json::from_str::<Endpoint>("\"nowhere\"").is_err());
}
