//! Where random octets come from.

use crate::mechanism::Randomness;

/// Returns what one connection needs, from the generator of this thread, which is seeded by the
/// operating system and cannot be predicted `[CURVE-010]`.
pub(super) fn randomness() -> Randomness {
    Randomness::generate(|octets| rand::fill(octets))
}
