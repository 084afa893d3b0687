//! What local objects are answered with, and what we say where no server is asked.

use crate::{conditions, ranges};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{
        ACCEPT_RANGES, ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED,
    },
};
use ports::origin::{Body, OriginResponse, Timing};
use std::{ops::Range, time::SystemTime};

/// An object whose bytes we hold ourselves.
pub(crate) struct Object {
    /// Bytes.
    pub length: u64,
    /// Strong validator, in quotes.
    pub etag: String,
    /// When it was written.
    pub modified: SystemTime,
    /// Content type and whatever else describes it.
    pub fields: HeaderMap,
}

/// How a request for an object is answered; the body is still to come.
pub(crate) struct Outline {
    status: StatusCode,
    fields: HeaderMap,
    /// Which bytes the body has; none: no body.
    pub bytes: Option<Range<u64>>,
}

impl Outline {
    /// Conditions first, then ranges (RFC 9110 §13.2.2, §14.2).
    pub fn of(method: &Method, asked: &HeaderMap, object: Object) -> Self {
        let verdict = conditions::judge(asked, &object);
        let part = match (verdict, method) {
            (conditions::Verdict::Failed, _) => return Self::failed(),
            (conditions::Verdict::NotModified, _) => return Self::not_modified(object),
            (conditions::Verdict::Proceed, &Method::GET) => ranges::read(asked, &object),
            _ => ranges::Part::Whole,
        };
        let mut outline = match part {
            ranges::Part::Whole => Self::whole(object),
            ranges::Part::Bytes(bytes) => Self::part(object, bytes),
            ranges::Part::None => Self::no_part(&object),
        };
        if *method == Method::HEAD {
            outline.bytes = None;
        }
        outline
    }

    fn whole(object: Object) -> Self {
        let mut fields = described(&object);
        fields.extend(object.fields);
        fields.insert(CONTENT_LENGTH, HeaderValue::from(object.length));
        Self { status: StatusCode::OK, fields, bytes: Some(0..object.length) }
    }

    fn part(object: Object, bytes: Range<u64>) -> Self {
        let last = bytes.end.saturating_sub(1);
        let span = format!("bytes {}-{last}/{}", bytes.start, object.length);
        let mut outline = Self::whole(object);
        outline.status = StatusCode::PARTIAL_CONTENT;
        insert(&mut outline.fields, CONTENT_RANGE, &span);
        let length = HeaderValue::from(bytes.end - bytes.start);
        outline.fields.insert(CONTENT_LENGTH, length);
        outline.bytes = Some(bytes);
        outline
    }

    fn no_part(object: &Object) -> Self {
        let mut fields = described(object);
        insert(&mut fields, CONTENT_RANGE, &format!("bytes */{}", object.length));
        fields.insert(CONTENT_LENGTH, HeaderValue::from(0));
        Self { status: StatusCode::RANGE_NOT_SATISFIABLE, fields, bytes: None }
    }

    /// With what a cache needs to go on with its copy (RFC 9110 §15.4.5).
    fn not_modified(object: Object) -> Self {
        let mut fields = described(&object);
        fields.extend(object.fields);
        fields.remove(CONTENT_TYPE);
        Self { status: StatusCode::NOT_MODIFIED, fields, bytes: None }
    }

    fn failed() -> Self {
        let mut fields = HeaderMap::new();
        fields.insert(CONTENT_LENGTH, HeaderValue::from(0));
        Self { status: StatusCode::PRECONDITION_FAILED, fields, bytes: None }
    }

    /// With its body, if it has one.
    pub fn with(self, body: Option<Body>) -> OriginResponse {
        let body = body.unwrap_or_else(nothing);
        OriginResponse::new(self.status, self.fields, body, Timing::default())
    }
}

fn described(object: &Object) -> HeaderMap {
    let mut fields = HeaderMap::new();
    insert(&mut fields, ETAG, &object.etag);
    insert(&mut fields, LAST_MODIFIED, &httpdate::fmt_http_date(object.modified));
    fields.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    fields
}

fn insert(fields: &mut HeaderMap, name: http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        fields.insert(name, value);
    }
}

/// No body.
pub(crate) fn nothing() -> Body {
    stream::empty().boxed()
}

/// A key that leads out of its bucket, in S3's words.
pub(crate) fn bad_key(method: &Method) -> OriginResponse {
    error(method, StatusCode::BAD_REQUEST, "InvalidURI", "Couldn't parse the specified URI.")
}

/// A request that the key of the settings must not be used for.
pub(crate) fn access_denied(method: &Method) -> OriginResponse {
    error(method, StatusCode::FORBIDDEN, "AccessDenied", "Access Denied")
}

/// No such object.
pub(crate) fn not_found(method: &Method) -> OriginResponse {
    error(method, StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.")
}

/// Only these methods, comma-separated, are served here.
pub(crate) fn not_allowed(method: &Method, allow: &'static str) -> OriginResponse {
    let mut response = error(
        method,
        StatusCode::METHOD_NOT_ALLOWED,
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
    );
    response.headers.insert(ALLOW, HeaderValue::from_static(allow));
    response
}

/// An error of S3's shape: object origins speak with one voice, wherever their objects lie.
pub(crate) fn error(
    method: &Method,
    status: StatusCode,
    code: &str,
    message: &str,
) -> OriginResponse {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    let body = if *method == Method::HEAD {
        nothing()
    } else {
        stream::iter([Ok(Bytes::from(text))]).boxed()
    };
    OriginResponse::new(status, headers, body, Timing::default())
}
