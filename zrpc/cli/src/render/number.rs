//! Floating-point numbers as Python's `repr` writes them.

use std::fmt;

/// Writes the shortest decimal that reads back as the same number, the way Python does.
///
/// Rust finds the same digits; where the exponent begins to show, and its look, differ.
pub(super) fn write_float(number: f64, out: &mut dyn fmt::Write) -> fmt::Result {
    if number.is_nan() {
        return out.write_str("nan");
    }
    if number.is_infinite() {
        return out.write_str(if number > 0.0 { "inf" } else { "-inf" });
    }
    let scientific = format!("{number:e}");
    let parts = scientific.split_once('e');
    let exponent = parts.and_then(|(_, exponent)| exponent.parse::<i32>().ok());
    match (parts, exponent) {
        (Some((mantissa, _)), Some(exponent)) if !(-4..16).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            write!(out, "{mantissa}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => write!(out, "{number:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_show_where_python_shows_them() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.25e-7, "1.25e-07"),
            (5e-324, "5e-324"),
        ];
        for (number, expected) in cases {
            let mut text = String::new();
            write_float(number, &mut text).unwrap();
            assert_eq!(text, expected);
        }
    }
}
