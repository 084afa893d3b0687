//! One file for each reader.

pub mod accept_encoding;
pub mod cache_control;
pub mod dates;
pub mod heads;
pub mod hosts;
pub mod plain_requests;
pub mod ranges;
pub mod structured_fields;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The lines of an input as lines of one header; none when one of them could not be in a header.
fn lines(name: &HeaderName, input: &[u8]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n') {
        headers.append(name, HeaderValue::from_bytes(line).ok()?);
    }
    Some(headers)
}
