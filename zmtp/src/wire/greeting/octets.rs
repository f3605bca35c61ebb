//! Reading and writing the 64 octets.

use bytes::{Buf, BufMut, BytesMut};
use thiserror::Error;

use crate::wire::greeting::{MechanismName, Version};

/// The length of a greeting.
pub const GREETING_LEN: usize = 64;

/// What one side says about itself before anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the fields are all that the protocol defines"
)]
pub struct Greeting {
    /// The highest version that the sender speaks; 3.0 or higher.
    pub version: Version,
    /// The one mechanism that the sender accepts.
    pub mechanism: MechanismName,
    /// The role that the sender claims in the security handshake.
    pub role: SecurityRole,
}

/// The role of one side in a security handshake: the as-server field.
///
/// It has nothing to do with who binds and who connects, and no meaning for a mechanism without
/// roles `[ZMTP31-012]`. Widespread implementations send [`Client`](Self::Client) always, so it
/// must not decide anything on receipt `[ZMTP31-014]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the field is a flag")]
pub enum SecurityRole {
    /// The side that proves who it is; also sent by mechanisms without roles.
    Client,
    /// The side that grants access.
    Server,
}

/// Why the first octets of a connection are no greeting that can be answered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GreetingError {
    /// Incompatible: the first octets are those of ZMTP 1.0, or of something else entirely, which
    /// cannot be told apart.
    #[error(
        "peer speaks ZMTP 1.0, or does not speak ZMTP at all (its first octet is 0x{first_octet:02x})"
    )]
    NoSignature {
        /// The first octet that the peer sent.
        first_octet: u8,
    },
    /// Incompatible: the peer speaks a version that came before greetings of this form.
    #[error("peer speaks ZMTP {version}, which is not supported")]
    UnsupportedVersion {
        /// The version that the peer speaks.
        version: Version,
    },
    /// Malformed: the signature is followed by a version that does not exist.
    #[error("peer announces ZMTP revision 0, which does not exist")]
    UndefinedVersion,
}

impl Greeting {
    /// Returns the greeting of this crate's version for a mechanism without roles, or for the
    /// client of one with roles.
    pub const fn new(mechanism: MechanismName) -> Self {
        Self {
            version: Version::V3_1,
            mechanism,
            role: SecurityRole::Client,
        }
    }

    /// Takes a greeting from the front of `input`, which may hold more than that.
    ///
    /// `Ok(None)` if more octets are needed; nothing is taken then. Call it again with the same
    /// octets and more: how they are cut makes no difference.
    ///
    /// # Errors
    ///
    /// Returns a [`GreetingError`] as soon as the octets belong to a version before 3.0, which is
    /// after 1, 10 or 11 of them.
    pub fn decode(input: &mut BytesMut) -> Result<Option<Self>, GreetingError> {
        check_signature(input)?;
        let Some(octets) = input.first_chunk::<GREETING_LEN>() else {
            return Ok(None);
        };
        // [ZMTP31-004] [ZMTP31-005] Neither padding nor filler mean anything on receipt.
        let [_, _, _, _, _, _, _, _, _, _, major, minor, rest @ ..] = *octets;
        let Some((&mechanism, &[as_server, ..])) = rest.split_first_chunk() else {
            return Ok(None);
        };
        input.advance(GREETING_LEN);
        Ok(Some(Self {
            // [ZMTP31-015] Every version from 3.0 on is accepted.
            version: Version { major, minor },
            mechanism: MechanismName::from_octets(mechanism),
            // [ZMTP31-012] Peers send other values than 0 and 1.
            role: match as_server {
                0 => SecurityRole::Client,
                _ => SecurityRole::Server,
            },
        }))
    }

    /// Appends the greeting to `dst`.
    pub fn encode(&self, dst: &mut impl BufMut) {
        dst.put_slice(&self.to_octets());
    }

    /// Returns the greeting as octets, all of which can be sent at once `[ZMTP31-002]`.
    pub fn to_octets(&self) -> [u8; GREETING_LEN] {
        let mut octets = [0; GREETING_LEN];
        let mut rest = octets.as_mut_slice();
        rest.put_slice(&[SIGNATURE_FIRST, 0, 0, 0, 0, 0, 0, 0, 0, SIGNATURE_LAST]);
        rest.put_slice(&[self.version.major, self.version.minor]);
        rest.put_slice(self.mechanism.as_octets());
        // [ZMTP31-010] The field is 0 or 1.
        rest.put_u8(match self.role {
            SecurityRole::Client => 0,
            SecurityRole::Server => 1,
        });
        octets
    }
}

/// Finds out from as few octets as possible whether the peer speaks 3.0 or higher.
fn check_signature(input: &[u8]) -> Result<(), GreetingError> {
    match input.first() {
        // [ZMTP31-024] Anything but FF is the length of a 1.0 identity.
        Some(&first_octet) if first_octet != SIGNATURE_FIRST => {
            return Err(GreetingError::NoSignature { first_octet });
        }
        _ => {}
    }
    match input.get(SIGNATURE_LAST_INDEX) {
        // [ZMTP31-024] With bit 0 clear this is the flags octet of a long 1.0 identity. No other
        // bit is looked at.
        Some(octet) if octet & 1 == 0 => {
            return Err(GreetingError::UnsupportedVersion {
                version: Version::V1_0,
            });
        }
        _ => {}
    }
    match input.get(REVISION_INDEX) {
        Some(0) => Err(GreetingError::UndefinedVersion),
        // [ZMTP31-148] Revisions 1 and 2 both denote 2.0.
        Some(1 | 2) => Err(GreetingError::UnsupportedVersion {
            version: Version::V2_0,
        }),
        _ => Ok(()),
    }
}

const SIGNATURE_FIRST: u8 = 0xff;
const SIGNATURE_LAST: u8 = 0x7f;
const SIGNATURE_LAST_INDEX: usize = 9;
const REVISION_INDEX: usize = 10;
