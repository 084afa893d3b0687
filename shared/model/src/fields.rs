//! The header lines of a message, however they are held.
//!
//! For: rules that read requests from a server library's map and straight from parsed bytes alike.
//! Not for: changing lines, or names that were built by programs.

use http::{HeaderMap, HeaderValue};

/// Lines that can be looked up by name.
pub trait Fields {
    /// The values of all lines with this name, which is in lower case, in the order in which they
    /// came, without the spaces around them.
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]>;

    /// The first of them.
    fn first<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.all(name).next()
    }
}

impl Fields for HeaderMap {
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.get_all(name).iter().map(HeaderValue::as_bytes)
    }

    fn first<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.get(name).map(HeaderValue::as_bytes)
    }
}
