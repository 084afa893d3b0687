//! The wire shapes of the management API, as its public model names them.
//!
//! For: reading and writing what users send and get, and knowing every operation and error code.
//! Not for: deciding whether a value is acceptable (`rules/planning`), nor for edges, which only
//! ever see a [`Plan`](crate::plan::Plan).
//!
//! Lists are `{Quantity, Items}` on the wire, and `Items` holds named members; in JSON, as the AWS
//! CLI prints it, `Items` is a plain array. Both read into the same type.

#[expect(
    missing_docs,
    clippy::too_many_lines,
    reason = "tables of names: the vendor's prose is not ours to copy, and a table is as long as it is"
)]
mod generated;
mod list;
mod word;

pub use generated::*;
use list::list;
use word::word;

/// One operation of the API: where it is called and what it carries.
///
/// Shape: `path` has no version prefix and names its parameters in braces: `/distribution/{Id}`.
#[derive(Debug)]
pub struct Operation {
    /// Which one.
    pub name: OperationName,
    /// HTTP method, upper case.
    pub method: &'static str,
    /// Path template without the `/2020-05-31` prefix.
    pub path: &'static str,
    /// Query parameters that tell this operation from its siblings on one path; an empty value
    /// means that the bare key suffices (`?WithTags`).
    pub select: &'static [(&'static str, &'static str)],
    /// Names of the query parameters it takes.
    pub query: &'static [&'static str],
    /// Names of the request headers it takes.
    pub headers: &'static [&'static str],
    /// Status of success.
    pub status: u16,
    /// Request body.
    pub request: Body,
    /// Response body.
    pub response: Body,
    /// Errors that the model lists for it.
    pub errors: &'static [ErrorCode],
}

/// What a request or a response carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    None,
    /// XML with this root element.
    Xml(&'static str),
    /// Raw bytes.
    Blob,
}
