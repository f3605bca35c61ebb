//! Where a frame begins.

/// Octets of a greeting.
const GREETING: u64 = 64;

/// The flag of a frame whose length takes eight octets.
const LONG: u8 = 2;

/// Follows what one peer says.
#[derive(Debug)]
pub(super) struct Frames {
    next: Next,
}

/// What the next octet is.
#[derive(Debug, Clone, Copy)]
enum Next {
    /// The flags of a frame.
    Flags,
    /// One of the octets of a length, of which so many are `left`.
    Length { left: u64, so_far: u64 },
    /// One of so many of a greeting or a body.
    Content(u64),
}

impl Frames {
    pub(super) const fn new() -> Self {
        Self {
            next: Next::Content(GREETING),
        }
    }

    /// Returns how many octets come before the flags of the next frame, at least: none if they are
    /// next.
    pub(super) const fn until_flags(&self) -> u64 {
        match self.next {
            Next::Flags => 0,
            Next::Length { left, .. } | Next::Content(left) => left,
        }
    }

    /// Enters what comes next.
    pub(super) fn enter(&mut self, mut octets: &[u8]) {
        while let Some((&first, rest)) = octets.split_first() {
            (self.next, octets) = match self.next {
                Next::Flags => {
                    let left = if first & LONG == 0 { 1 } else { 8 };
                    (Next::Length { left, so_far: 0 }, rest)
                }
                Next::Length { left, so_far } => {
                    let so_far = so_far << 8 | u64::from(first);
                    let next = match left {
                        1 => content(so_far),
                        _ => Next::Length {
                            left: left - 1,
                            so_far,
                        },
                    };
                    (next, rest)
                }
                Next::Content(left) => {
                    let here = octets
                        .len()
                        .min(usize::try_from(left).unwrap_or(usize::MAX));
                    let left = left - u64::try_from(here).unwrap_or(left);
                    (content(left), &octets[here..])
                }
            };
        }
    }
}

const fn content(left: u64) -> Next {
    match left {
        0 => Next::Flags,
        left => Next::Content(left),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_found_behind_greeting_and_bodies() {
        let mut octets = vec![0; 64];
        octets.extend([0, 3, 7, 7, 7]);
        octets.extend([LONG, 0, 0, 0, 0, 0, 0, 1, 0]);
        octets.extend([7; 256]);
        octets.extend([1, 0]);
        for step in [1, 5, 1000] {
            let (mut frames, mut found, mut at) = (Frames::new(), Vec::new(), 0);
            while at < octets.len() {
                let until = usize::try_from(frames.until_flags()).unwrap();
                if until == 0 {
                    found.push(at);
                }
                let here = until.clamp(1, step).min(octets.len() - at);
                frames.enter(&octets[at..at + here]);
                at += here;
            }
            assert_eq!(found, [64, 69, 334], "{step}");
        }
    }
}
