//! Mistakes that do not compile, and what the compiler says to do.
//!
//! Each file in `mistakes/` has one kind of them, and beside it what is printed. The texts of the
//! macro point at the place of the mistake.

#[test]
fn mistakes_are_reported_where_they_are() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/macros/mistakes/*.rs");
}
