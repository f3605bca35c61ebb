//! Octets that nobody else shall see.

use std::fmt;

use crate::mechanism::CredentialsError;

/// Up to 255 secret octets, wiped when they are dropped.
///
/// They are compared in a time that depends neither on the octets nor on their number.
#[derive(Clone)]
pub(super) struct Secret(Box<[u8; BLOCK_LEN]>);

impl Secret {
    /// The most octets.
    pub(super) const MAX_LEN: usize = 255;

    pub(super) fn new(octets: &[u8]) -> Result<Self, CredentialsError> {
        let too_long = CredentialsError::TooLong {
            len: octets.len(),
            limit: Self::MAX_LEN,
        };
        let len = u8::try_from(octets.len()).map_err(|_| too_long)?;
        // In its place from the start, so that no copy is left on the stack.
        let mut block = Box::new([0; BLOCK_LEN]);
        for (to, from) in block.iter_mut().zip([len].iter().chain(octets)) {
            *to = *from;
        }
        Ok(Self(block))
    }

    pub(super) fn expose(&self) -> &[u8] {
        let [len, octets @ ..] = &*self.0;
        octets.get(..usize::from(*len)).unwrap_or_default()
    }
}

impl PartialEq for Secret {
    #[cfg(feature = "curve")]
    fn eq(&self, other: &Self) -> bool {
        subtle::ConstantTimeEq::ct_eq(&self.0[..], &other.0[..]).into()
    }

    #[cfg(not(feature = "curve"))]
    fn eq(&self, other: &Self) -> bool {
        let pairs = self.0.iter().zip(&*other.0);
        let difference = pairs.fold(0, |sum, (a, b)| std::hint::black_box(sum | (a ^ b)));
        std::hint::black_box(difference) == 0
    }
}

impl Eq for Secret {}

impl Drop for Secret {
    fn drop(&mut self) {
        wipe(&mut *self.0);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

/// Secret octets of any number, wiped when they are dropped. Whoever adds some makes room first.
#[cfg(feature = "socket")]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Wiped(pub(crate) Vec<u8>);

#[cfg(feature = "socket")]
impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Overwrites octets that were secret.
#[cfg(feature = "curve")]
pub(crate) fn wipe(octets: &mut [u8]) {
    zeroize::Zeroize::zeroize(octets);
}

/// Overwrites octets that were secret.
///
/// Without the crate that guarantees it, this is as much as safe code can ask of the compiler.
#[cfg(not(feature = "curve"))]
pub(crate) fn wipe(octets: &mut [u8]) {
    octets.fill(0);
    std::hint::black_box(octets);
}

/// A length and the longest secret.
const BLOCK_LEN: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    // PLAIN-003
    #[test]
    fn secret_has_up_to_255_octets() {
        for len in [0, 1, 254, 255] {
            let octets = vec![0xa5; len];
            assert_eq!(Secret::new(&octets).unwrap().expose(), octets);
        }
        assert_eq!(
            Secret::new(&[0; 256]),
            Err(CredentialsError::TooLong {
                len: 256,
                limit: 255
            })
        );
    }

    // PLAIN-022
    #[test]
    fn secrets_are_equal_if_length_and_octets_are_and_not_shown() {
        let secret = |octets: &[u8]| Secret::new(octets).unwrap();
        assert_eq!(secret(b"secret"), secret(b"secret"));
        for other in [
            &b"secre"[..],
            b"secret\0",
            b"tecret",
            b"secreT",
            b"recset",
            b"",
        ] {
            assert_ne!(secret(b"secret"), secret(other));
        }
        assert_eq!(format!("{:?}", secret(b"secret")), "..");
    }

    // PLAIN-022
    #[test]
    fn wiped_octets_are_gone() {
        let mut octets = *b"secret";
        wipe(&mut octets);
        assert_eq!(octets, [0; 6]);
    }
}
