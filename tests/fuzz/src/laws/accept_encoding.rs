//! `Accept-Encoding`.
//!
//! The input is its lines.

use super::lines;
use headers::accept_encoding::Accepted;
use http::header::ACCEPT_ENCODING;

/// Only what was named is accepted, letter case and lines do not matter, and what was refused last
/// is not accepted.
///
/// # Panics
/// When that does not hold.
pub fn hold(input: &[u8]) {
    let Some(headers) = lines(&ACCEPT_ENCODING, input) else {
        return;
    };
    let accepted = Accepted::of(&headers);
    let read = |text: &[u8]| lines(&ACCEPT_ENCODING, text).map(|headers| Accepted::of(&headers));
    assert_eq!(read(&input.to_ascii_uppercase()), Some(accepted), "letter case does not matter");
    let joined = input.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b", "[..]);
    assert_eq!(read(&joined), Some(accepted), "lines are one list");
    let text = String::from_utf8_lossy(input).to_ascii_lowercase();
    assert!(!accepted.gzip || text.contains("gzip"));
    assert!(!accepted.br || text.contains("br"));
    assert!(!accepted.zstd || text.contains("zstd"));
    let none = [input, b", gzip;q=0, x-gzip;q=0, br; q=0.000, zstd;Q=0"].concat();
    assert_eq!(read(&none), Some(Accepted::default()), "refused in the end");
}
