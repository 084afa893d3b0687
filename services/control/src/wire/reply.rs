//! What a handler answers with.

use super::{call::Call, fault::Fault, xml};
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
    /// XML, or empty.
    pub body: String,
}

/// What handlers return.
pub type Answer = Result<Reply, Fault>;

impl Reply {
    /// The operation's success without a body.
    pub fn empty(call: &Call) -> Self {
        Self { status: call.operation.status, etag: None, location: None, body: String::new() }
    }

    /// The operation's success with its response shape.
    ///
    /// # Errors
    /// An internal fault when the operation has no response shape or `value` has no XML form.
    pub fn shape<T: Serialize>(call: &Call, value: &T) -> Answer {
        let Body::Xml(root) = call.operation.response else {
            return Err(Fault::internal("this operation answers without a body"));
        };
        Ok(Self { body: xml::write(root, value)?, ..Self::empty(call) })
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
