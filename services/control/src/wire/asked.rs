//! One request as it was received, and the way in which its caller wants to be answered.

use super::{call::Query, fault::Fault, reply::Reply, version::Version, xml};
use crate::sigv4::Request;
use bytes::Bytes;
use std::net::IpAddr;

/// The header that names an operation of the JSON protocol.
pub const TARGET: &str = "x-amz-target";
/// What the paths of this server's own API begin with.
pub const OURS: &str = "/nearfront/";
/// What the paths of the key value stores' own API begin with.
const KEY_VALUE_STORES: &str = "/key-value-stores/";

/// One request as it was received.
#[derive(Clone, Debug)]
pub struct Asked {
    /// HTTP method, upper case.
    pub method: String,
    /// Path as it stands in the request line, encoded.
    pub path: String,
    /// Query parameters, decoded.
    pub query: Query,
    /// Headers in order, names lower case.
    pub headers: Vec<(String, String)>,
    /// Who sent it, as far as the connection tells.
    pub from: Option<IpAddr>,
    /// The whole body.
    pub body: Bytes,
}

/// What a caller understands: the protocol of the AWS service that it speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    /// Paths and XML: the management API.
    Xml,
    /// `X-Amz-Target` and JSON: certificates.
    Json,
    /// A form with an `Action`, answered in XML: users and access keys.
    Form,
    /// Paths and JSON: the contents of key value stores, and what is this server's own.
    RestJson,
}

/// An answer, ready to be sent.
#[derive(Clone, Debug)]
pub struct Written {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
}

impl Asked {
    /// What signatures are checked against.
    pub fn signed(&self) -> Request<'_> {
        Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
        }
    }

    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// How the caller wants to be answered, seen from the outside of the request.
    pub fn speech(&self) -> Speech {
        let form = |kind: &str| kind.starts_with("application/x-www-form-urlencoded");
        if self.header(TARGET).is_some() {
            Speech::Json
        } else if self.path.starts_with(KEY_VALUE_STORES) || self.path.starts_with(OURS) {
            Speech::RestJson
        } else if self.path == "/" && self.header("content-type").is_some_and(form) {
            Speech::Form
        } else {
            Speech::Xml
        }
    }
}

impl Written {
    /// JSON.
    pub fn json(status: u16, content_type: &str, body: &serde_json::Value) -> Self {
        Self::of(status, content_type, body.to_string())
    }

    /// A body of this type.
    pub fn of(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self { status, headers: vec![("content-type", content_type.to_owned())], body: body.into() }
    }

    /// With one more header, whose name is in lower case.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Written {
    /// As an older version of the API says it.
    #[must_use]
    pub fn spoken_in(mut self, version: Version) -> Self {
        let xml = |(name, value): &(_, String)| *name == "content-type" && value == "text/xml";
        if version == Version::NEWEST || !self.headers.iter().any(xml) {
            return self;
        }
        if let Ok(text) = std::str::from_utf8(&self.body) {
            self.body = version.spoken(text).into();
        }
        let places = self.headers.iter_mut().filter(|(name, _)| *name == "location");
        places.for_each(|(_, place)| *place = version.spoken(place));
        self
    }
}

impl From<Reply> for Written {
    fn from(reply: Reply) -> Self {
        let mut headers = reply.headers;
        let kind = (!reply.body.is_empty()).then(|| "text/xml".to_owned());
        let more = [
            ("etag", reply.etag),
            ("location", reply.location),
            ("content-type", reply.content_type.or(kind)),
        ];
        headers.extend(more.into_iter().filter_map(|(name, value)| Some((name, value?))));
        Self { status: reply.status, headers, body: reply.body }
    }
}

impl Speech {
    /// A fault, as this caller understands it. `request` is the request's id.
    pub fn refused(self, fault: &Fault, request: &str) -> Written {
        let (code, message) = (fault.code.as_str(), fault.message.as_str());
        let status = fault.status();
        match self {
            Self::Xml => Written::of(status, "text/xml", xml::write_fault(fault, request)),
            Self::Form => Written::of(status, "text/xml", xml::write_form_fault(fault, request)),
            Self::Json => {
                let body = serde_json::json!({"__type": code, "message": message});
                Written::json(status, "application/x-amz-json-1.1", &body)
            }
            Self::RestJson => {
                let body = serde_json::json!({"Message": message});
                Written::json(status, "application/json", &body).with("x-amzn-errortype", code)
            }
        }
    }
}
