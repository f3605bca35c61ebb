//! ZMTP bytes put together by hand.

/// Flag of a frame that is followed by another of the same message.
pub const MORE: u8 = 0x01;

/// Flag of a frame whose size takes eight octets.
pub const LONG: u8 = 0x02;

/// Flag of a command.
pub const COMMAND: u8 = 0x04;

/// Returns the 64 octets of a NULL greeting of the given version.
#[must_use]
pub fn greeting(major: u8, minor: u8) -> Vec<u8> {
    greeting_with_mechanism(major, minor, b"NULL")
}

/// Returns a greeting that names `mechanism`.
#[must_use]
pub fn greeting_with_mechanism(major: u8, minor: u8, mechanism: &[u8]) -> Vec<u8> {
    let mut out = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, major, minor];
    out.extend_from_slice(mechanism);
    out.resize(64, 0);
    out
}

/// Returns a frame, short where `body` fits and long where not.
#[must_use]
pub fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    match u8::try_from(body.len()) {
        Ok(size) => [&[flags, size], body].concat(),
        Err(_) => long_frame(flags, body),
    }
}

/// Returns a frame in the long form, whatever the size of `body`.
#[must_use]
pub fn long_frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let size = (body.len() as u64).to_be_bytes();
    [&[flags | LONG], &size[..], body].concat()
}

/// Returns the header of a long frame that claims `size` octets and brings none.
#[must_use]
pub fn claim(flags: u8, size: u64) -> Vec<u8> {
    [&[flags | LONG], &size.to_be_bytes()[..]].concat()
}

/// Returns the frames of a message of `parts`.
#[must_use]
pub fn message(parts: &[&[u8]]) -> Vec<u8> {
    let last = parts.len().saturating_sub(1);
    let flags = |at: usize| if at < last { MORE } else { 0 };
    let frames = parts.iter().enumerate();
    frames
        .flat_map(|(at, body)| frame(flags(at), body))
        .collect()
}

/// Returns the body of a command: its name, preceded by the length of the name, and `data`.
#[must_use]
pub fn command_body(name: &str, data: &[u8]) -> Vec<u8> {
    [string(name.as_bytes()), data.to_vec()].concat()
}

/// Returns a command as a frame.
#[must_use]
pub fn command(name: &str, data: &[u8]) -> Vec<u8> {
    frame(COMMAND, &command_body(name, data))
}

/// Returns one metadata property.
#[must_use]
pub fn property(name: &str, value: &[u8]) -> Vec<u8> {
    let size = u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes();
    [string(name.as_bytes()), size.to_vec(), value.to_vec()].concat()
}

/// Returns a READY of a socket type, without further properties.
#[must_use]
pub fn ready(socket_type: &str) -> Vec<u8> {
    ready_with(&[("Socket-Type", socket_type.as_bytes())])
}

/// Returns a READY with the given properties.
#[must_use]
pub fn ready_with(properties: &[(&str, &[u8])]) -> Vec<u8> {
    let data: Vec<u8> = properties
        .iter()
        .flat_map(|(name, value)| property(name, value))
        .collect();
    command("READY", &data)
}

/// Returns an ERROR with a reason.
#[must_use]
pub fn error(reason: &str) -> Vec<u8> {
    command("ERROR", &string(reason.as_bytes()))
}

/// Returns a PING with a time to live in tenths of a second.
#[must_use]
pub fn ping(ttl: u16, context: &[u8]) -> Vec<u8> {
    command("PING", &[&ttl.to_be_bytes()[..], context].concat())
}

/// Returns a PONG.
#[must_use]
pub fn pong(context: &[u8]) -> Vec<u8> {
    command("PONG", context)
}

fn string(text: &[u8]) -> Vec<u8> {
    // Longer names than one octet can count are built octet by octet where a test wants them.
    let size = u8::try_from(text.len()).unwrap_or(u8::MAX);
    [&[size], text].concat()
}
