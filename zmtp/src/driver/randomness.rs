//! Where random octets come from.

use rand::Rng;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::mechanism::Randomness;

/// Returns what one connection needs, from the generator of the operating system, of which no state
/// is in this process `[CURVE-010]`. Without random octets the task of the connection panics.
pub(crate) fn randomness() -> Randomness {
    Randomness::generate(|octets| UnwrapErr(SysRng).fill_bytes(octets))
}
