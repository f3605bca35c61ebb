//! When a collection has room for much more than there is in it.
//!
//! After a burst, room is given back once so little of it is used that having it again costs less than
//! what led there.

/// Room for fewer entries than these is kept, whatever is in it.
const KEPT: usize = 1024;

/// Returns whether room for `capacity` entries is too much for `len` of them.
pub(super) fn is_oversized(capacity: usize, len: usize) -> bool {
    capacity > KEPT && len < capacity / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_too_much_if_it_is_large_and_less_than_an_eighth_is_used() {
        assert!(!is_oversized(KEPT, 0));
        assert!(is_oversized(KEPT + 1, 0));
        assert!(!is_oversized(8 * KEPT, KEPT));
        assert!(is_oversized(8 * KEPT, KEPT - 1));
    }
}
