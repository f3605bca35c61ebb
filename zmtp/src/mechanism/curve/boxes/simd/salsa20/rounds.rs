//! The rounds of Salsa20, for one block and for several at a time.
//!
//! The sixteen words of a block are a square. Its diagonals are four rows here, so that a step of all
//! four quarter rounds is one operation on rows, whatever they are made of. The first has the words
//! 0, 5, 10 and 15 of a block, the others begin below that: with 4, with 8 and with 12.

/// A diagonal of one square, or the same of several ones.
pub(super) trait Row: Copy {
    /// `self ^ ((one + other) <<< count)`, word by word.
    fn step(self, one: Self, other: Self, count: u32) -> Self;

    /// Moves each word of a diagonal so many places to the front, and those in front to the end.
    fn turn<const PLACES: usize>(self) -> Self;
}

/// The ten double rounds, without the addition at the end.
#[inline(always)]
pub(super) fn mix<R: Row>([mut a, mut b, mut c, mut d]: [R; 4]) -> [R; 4] {
    for _ in 0..10 {
        // Down the columns, which begin on the diagonal.
        [a, b, c, d] = quarter_rounds([a, b, c, d]);
        (b, c, d) = (b.turn::<3>(), c.turn::<2>(), d.turn::<1>());
        // Along the rows.
        [a, d, c, b] = quarter_rounds([a, d, c, b]);
        (b, c, d) = (b.turn::<1>(), c.turn::<2>(), d.turn::<3>());
    }
    [a, b, c, d]
}

#[inline(always)]
fn quarter_rounds<R: Row>([a, b, c, d]: [R; 4]) -> [R; 4] {
    let b = b.step(a, d, 7);
    let c = c.step(b, a, 9);
    let d = d.step(c, b, 13);
    let a = a.step(d, c, 18);
    [a, b, c, d]
}

impl Row for [u32; 4] {
    #[inline(always)]
    fn step(self, one: Self, other: Self, count: u32) -> Self {
        let mut stepped = self;
        for (word, (one, other)) in stepped.iter_mut().zip(one.iter().zip(other)) {
            *word ^= one.wrapping_add(other).rotate_left(count);
        }
        stepped
    }

    #[inline(always)]
    fn turn<const PLACES: usize>(self) -> Self {
        let [a, b, c, d] = self;
        match PLACES {
            1 => [b, c, d, a],
            2 => [c, d, a, b],
            3 => [d, a, b, c],
            _ => self,
        }
    }
}
