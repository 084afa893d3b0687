//! Sizes as operators write them: `268435456`, `256MiB`, `1.5 GiB`.

/// Bytes meant by `text`: a number with nothing, `KiB`, `MiB` or `GiB` behind it.
///
/// Errors: none is returned as `None`: not a number, negative, or more than fits 64 bits.
pub fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit: u64 = match text.get(digits.len()..)? {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    scaled(digits.trim_end(), unit)
}

fn scaled(number: &str, unit: u64) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let whole: u64 = whole.parse().ok()?;
    Some(whole.checked_mul(unit)?.saturating_add(fraction(part, unit)?))
}

/// `part` / 10^(its length) of a unit, rounded down; at most six digits count.
fn fraction(part: &str, unit: u64) -> Option<u64> {
    if part.is_empty() {
        return Some(0);
    }
    let part = part.get(..part.len().min(6))?;
    let digits: u64 = part.parse().ok()?;
    let scale = 10_u64.checked_pow(u32::try_from(part.len()).ok()?)?;
    Some(digits.checked_mul(unit)? / scale)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn units_are_powers_of_two() {
        assert_eq!(bytes("17"), Some(17));
        assert_eq!(bytes("256MiB"), Some(256 << 20));
        assert_eq!(bytes("1.5 GiB"), Some(3 << 29));
    }

    #[test]
    fn other_units_and_absurd_numbers_are_refused() {
        for text in ["", "MiB", "-1", "3MB", "1e9", "99999999999GiB", "1..2KiB"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
