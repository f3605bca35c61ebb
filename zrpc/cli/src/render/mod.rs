//! Values as text: Python's `repr` and `pprint`, and JSON.
//!
//! The vectors that the tests compare with were written by Python itself; `tests/vectors/make.py`
//! makes them.

mod highlight;
mod json;
mod number;
mod plain;
mod pprint;
mod printable;
mod repr;
mod text;
mod view;
mod yaml;

#[cfg(test)]
mod tests;

pub(crate) use self::highlight::highlight;
pub(crate) use self::json::write_json;
pub(crate) use self::plain::{chain, on_lines, on_one_line};
pub(crate) use self::pprint::write_pprint;
pub(crate) use self::repr::repr;
pub(crate) use self::text::first_line;
pub(crate) use self::yaml::write_yaml;
