//! One call: which operation, with which parameters.

use super::{fault::Fault, read};
use bytes::Bytes;
use model::api::{Body, ErrorCode, Operation};
use serde::de::DeserializeOwned;

/// Query parameters, decoded, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(pub Vec<(String, String)>);

impl Query {
    /// The first parameter of this name; a bare key has the empty value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// One operation as it was called.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which one.
    pub operation: &'static Operation,
    /// Path parameters by name, decoded.
    pub params: Vec<(&'static str, String)>,
    /// Query parameters.
    pub query: Query,
    /// `If-Match` as it came.
    pub if_match: Option<String>,
    /// Where this server was reached, for `Location`: the signed `Host` header.
    pub host: String,
    /// All headers in order, names lower case.
    pub headers: Vec<(String, String)>,
    /// The body, at most [`read::MOST_BODY`] bytes.
    pub body: Bytes,
}

impl Call {
    /// A path parameter.
    ///
    /// # Errors
    /// An internal fault when the operation has no such parameter.
    pub fn param(&self, name: &str) -> Result<&str, Fault> {
        let found = self.params.iter().find(|(key, _)| *key == name);
        found
            .map(|(_, value)| value.as_str())
            .ok_or_else(|| Fault::internal(format!("no path parameter {name}")))
    }

    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A query parameter that must be there.
    ///
    /// # Errors
    /// `InvalidArgument` when it is not.
    pub fn required(&self, name: &str) -> Result<&str, Fault> {
        self.query.get(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            Fault::new(ErrorCode::InvalidArgument, format!("the query parameter {name} is missing"))
        })
    }

    /// The same where a body may be left out: a list that is asked for by POST, for example.
    ///
    /// # Errors
    /// Those of [`read::read`], but for `MissingBody`.
    pub fn body_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, Fault> {
        if self.body.is_empty() { Ok(T::default()) } else { self.body() }
    }

    /// The body, read as the operation's request shape.
    ///
    /// # Errors
    /// Those of [`read::read`].
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        match self.operation.request {
            Body::Xml(root) => read::read(root, &self.body),
            Body::None | Body::Blob => Err(Fault::internal("this operation has no XML body")),
        }
    }
}
