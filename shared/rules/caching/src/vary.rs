//! `Vary` (RFC 9110 §12.5.5, RFC 9111 §4.1): which request headers choose among variants.
//!
//! For: law `Http`. Under CloudFront's law `Vary` never makes the key.

use http::{HeaderMap, HeaderName, header};
use model::fields::Fields;

/// Most names that are followed; beyond it a response counts as `Vary: *`.
const MOST_NAMES: usize = 16;

/// What `Vary` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vary {
    /// These request headers, sorted, each once; empty when there is no `Vary`.
    On(Vec<HeaderName>),
    /// `*`, or something that cannot be followed: no other request is like this one.
    Any,
}

impl Vary {
    /// Whether no other request is like this one.
    pub fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }
}

/// What a response's `Vary` says.
pub fn of(headers: &HeaderMap) -> Vary {
    let mut names = Vec::new();
    for line in headers.get_all(header::VARY) {
        let members = line.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        for member in members.filter(|member| !member.is_empty()) {
            match HeaderName::from_bytes(member) {
                Ok(name) if member != b"*" => names.push(name),
                _ => return Vary::Any,
            }
        }
    }
    names.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    names.dedup();
    if names.len() > MOST_NAMES { Vary::Any } else { Vary::On(names) }
}

/// The request's part of a second key: one line for each header, absent told apart from empty.
///
/// Two requests get the same text if and only if each of the headers is missing in both or has the
/// same value in both; the lines of a header are joined, and spaces around commas do not count
/// (RFC 9111 §4.1).
pub fn secondary(names: &[HeaderName], request: &impl Fields) -> Vec<u8> {
    let mut key = Vec::new();
    for name in names {
        key.extend_from_slice(name.as_str().as_bytes());
        let mut mark = b':';
        for line in request.all(name.as_str()) {
            for member in line.split(|byte| *byte == b',') {
                key.push(mark);
                key.extend_from_slice(member.trim_ascii());
                mark = b',';
            }
        }
        key.push(b'\n');
    }
    key
}

/// Whether a request may be answered with what was fetched for another one.
pub fn matches(names: &[HeaderName], fetched: &HeaderMap, request: &HeaderMap) -> bool {
    secondary(names, fetched) == secondary(names, request)
}
