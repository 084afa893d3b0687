//! What a handler answers with.

use super::{call::Call, fault::Fault, xml};
use bytes::Bytes;
use model::api::Body;
use serde::Serialize;

/// An answer of success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Entity tag, unquoted as the API has it.
    pub etag: Option<String>,
    /// Where what was created can be read.
    pub location: Option<String>,
    /// Further headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Of the body; XML where nothing else is said.
    pub content_type: Option<String>,
    /// XML, or raw bytes, or empty.
    pub body: Bytes,
}

/// What handlers return.
pub type Answer = Result<Reply, Fault>;

impl Reply {
    /// The operation's success without a body.
    pub fn empty(call: &Call) -> Self {
        Self {
            status: call.operation.status,
            etag: None,
            location: None,
            headers: Vec::new(),
            content_type: None,
            body: Bytes::new(),
        }
    }

    /// The operation's success with its response shape.
    ///
    /// # Errors
    /// An internal fault when the operation has no response shape or `value` has no XML form.
    pub fn shape<T: Serialize>(call: &Call, value: &T) -> Answer {
        let Body::Xml(root) = call.operation.response else {
            return Err(Fault::internal("this operation answers without a body"));
        };
        Ok(Self { body: xml::write(root, value)?.into(), ..Self::empty(call) })
    }

    /// The operation's success with raw bytes.
    pub fn raw(call: &Call, content_type: &str, body: Bytes) -> Self {
        Self { content_type: Some(content_type.to_owned()), body, ..Self::empty(call) }
    }

    /// With one more header, whose name is in lower case.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With this entity tag.
    #[must_use]
    pub fn tagged(self, etag: &str) -> Self {
        Self { etag: Some(etag.to_owned()), ..self }
    }

    /// With the place of what was created: the path after the version, `/distribution/ID`.
    #[must_use]
    pub fn located(self, call: &Call, path: &str) -> Self {
        let version = super::route::VERSION;
        Self { location: Some(format!("http://{}{version}{path}", call.host)), ..self }
    }
}
