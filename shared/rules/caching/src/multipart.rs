//! Several parts of a body in one answer (RFC 9110 §14.6, RFC 2046 §5.1).
//!
//! For: the text around the parts. Not for: which parts there are ([`crate::range`]), nor for the
//! bytes between: the caller puts them after each head, shared with the whole.

use crate::range::Part;
use http::HeaderMap;
use http::header::{self, HeaderValue};

/// How one answer divides its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    boundary: String,
}

impl Envelope {
    /// With a boundary of 32 hexadecimal digits.
    ///
    /// Shape: `draw` is to be random, so that who wrote the body could not know the boundary.
    pub fn new(draw: u128) -> Self {
        Self { boundary: format!("{draw:032x}") }
    }

    /// `Content-Type` of the answer.
    pub fn content_type(&self) -> String {
        format!("multipart/byteranges; boundary={}", self.boundary)
    }

    /// What stands before a part: the line that divides it from the one before, its type, as stored,
    /// and its place in the whole (RFC 9110 §15.3.7.2).
    pub fn head(&self, stored: &HeaderMap, part: Part, length: u64) -> Vec<u8> {
        let mut head = format!("\r\n--{}\r\n", self.boundary).into_bytes();
        if let Some(kind) = stored.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes) {
            head.extend_from_slice(b"Content-Type: ");
            head.extend_from_slice(kind);
            head.extend_from_slice(b"\r\n");
        }
        let place = part.content_range(length);
        head.extend_from_slice(format!("Content-Range: {place}\r\n\r\n").as_bytes());
        head
    }

    /// What stands after the last part.
    pub fn tail(&self) -> Vec<u8> {
        format!("\r\n--{}--\r\n", self.boundary).into_bytes()
    }
}
