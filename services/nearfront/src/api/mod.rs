//! A small client of the management API, for the commands that use it.
//!
//! For: what the binary itself does through the API, exactly as any other client would; towards this
//! Nearfront, another one, or CloudFront itself.
//! Not for: users; they have the AWS CLI and SDKs.

pub mod credentials;
pub mod http;
mod sign;

use crate::aws::Access;
use ::http::{HeaderMap, Method, Request};
use anyhow::{Context, Result};
use bytes::Bytes;
use http::Https;
use http_body_util::{BodyExt, Full, Limited};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use std::time::{Duration, SystemTime};

/// Version prefix of every path of CloudFront's.
const VERSION: &str = "/2020-05-31";
/// The namespace of every body.
const NAMESPACE: &str = " xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"";
/// Longest answer that is read, in bytes.
const MOST: usize = 8 << 20;
/// How long one call may take.
const WITHIN: Duration = Duration::from_secs(30);
/// What stands in a query as it is (RFC 3986 §2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The client.
pub struct Api {
    access: Access,
    /// Of temporary credentials.
    token: Option<String>,
    client: Https,
}

/// An answer, good or not.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: String,
}

/// The API says no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the management API refuses ({status} {code}): {message}")]
pub struct Refused {
    /// HTTP status.
    pub status: u16,
    /// The error's code.
    pub code: String,
    /// Why.
    pub message: String,
}

/// Text as it stands in a query.
pub fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

impl Answer {
    /// The text of one header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The texts of all headers of this name.
    pub fn all(&self, name: &str) -> Vec<String> {
        let all = self.headers.get_all(name).iter();
        all.filter_map(|value| Some(value.to_str().ok()?.to_owned())).collect()
    }

    /// The entity tag.
    pub fn etag(&self) -> Option<String> {
        self.header("etag").map(str::to_owned)
    }

    /// Itself, if it is good.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn good(self) -> Result<Self, Refused> {
        if (200..300).contains(&self.status) { Ok(self) } else { Err(self.refused()) }
    }

    /// Its body as a shape.
    ///
    /// # Errors
    /// When it is not that shape.
    pub fn shape<T: DeserializeOwned>(&self) -> Result<T> {
        // Shapes know no attributes, and the name space is the only one that the API sends.
        Ok(quick_xml::de::from_str(&self.body.replacen(NAMESPACE, "", 1))?)
    }

    fn refused(&self) -> Refused {
        let json: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        let element = |name: &str| {
            let (_, rest) = self.body.split_once(&format!("<{name}>"))?;
            let (text, _) = rest.split_once(&format!("</{name}>"))?;
            Some(
                quick_xml::escape::unescape(text)
                    .map_or_else(|_| text.into(), std::borrow::Cow::into_owned),
            )
        };
        let code = self.header("x-amzn-errortype").map(str::to_owned).or_else(|| element("Code"));
        let message = json.get("Message").and_then(|text| text.as_str()).map(str::to_owned);
        Refused {
            status: self.status,
            code: code.unwrap_or_else(|| "no code".to_owned()),
            message: message
                .or_else(|| element("Message"))
                .unwrap_or_else(|| self.body.chars().take(500).collect()),
        }
    }
}

impl Api {
    /// A client that signs with this key.
    pub fn new(access: Access) -> Self {
        Self::with_token(access, None)
    }

    /// The same, with the token of temporary credentials.
    pub fn with_token(access: Access, token: Option<String>) -> Self {
        Self { access, token, client: http::client() }
    }

    /// Reads a resource. `path` is without the version: `/distribution?MaxItems=100`.
    ///
    /// # Errors
    /// When the API cannot be reached or refuses.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let answer = self.call(Method::GET, &versioned(path), &[], String::new()).await?.good()?;
        answer.shape().with_context(|| format!("GET {path}: the answer makes no sense"))
    }

    /// Makes a resource from an XML body.
    ///
    /// # Errors
    /// When the API cannot be reached or refuses.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: String) -> Result<T> {
        let answer = self.call(Method::POST, &versioned(path), &[], body).await?.good()?;
        answer.shape().with_context(|| format!("POST {path}: the answer makes no sense"))
    }

    /// Calls with these headers, and gives the answer whatever it is. `target` is the whole path with
    /// its query, whose parameters are in order and escaped.
    ///
    /// # Errors
    /// When the API cannot be reached.
    pub async fn call(
        &self,
        method: Method,
        target: &str,
        headers: &[(&'static str, String)],
        body: String,
    ) -> Result<Answer> {
        let name = format!("{method} {target} at {}", self.access.endpoint);
        let asked =
            tokio::time::timeout(WITHIN, self.exchange(method, target, headers, body)).await;
        asked.context("no answer in time").flatten().with_context(|| name)
    }

    async fn exchange(
        &self,
        method: Method,
        target: &str,
        headers: &[(&'static str, String)],
        body: String,
    ) -> Result<Answer> {
        let request = self.signed(&method, target, headers, body.into())?;
        let answer = self.client.request(request).await?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, MOST).collect().await;
        let body = body.map_err(|why| anyhow::anyhow!("the answer cannot be read: {why}"))?;
        let body = String::from_utf8(body.to_bytes().to_vec())?;
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    fn signed(
        &self,
        method: &Method,
        target: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>> {
        let endpoint = self.access.endpoint.trim_end_matches('/');
        let host = endpoint.split_once("://").map_or(endpoint, |(_, host)| host);
        let mut headers = headers.to_vec();
        headers.push(("content-type", "application/xml".to_owned()));
        let unsigned = sign::Unsigned { method, target, host, headers: &headers, body: &body };
        let token = self.token.as_deref();
        let signed = sign::headers(&self.access, token, &unsigned, SystemTime::now())?;
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{endpoint}{target}"))
            .header("host", host);
        for (name, value) in signed {
            request = request.header(name, value);
        }
        Ok(request.body(Full::new(body))?)
    }
}

/// A path with the API's version.
pub fn versioned(path: &str) -> String {
    format!("{VERSION}{path}")
}

/// A shape as a body.
///
/// # Errors
/// When it has no XML form, which no shape of the API lacks.
pub fn body<T: serde::Serialize>(root: &str, shape: &T) -> Result<String> {
    let text = quick_xml::se::to_string_with_root(root, shape)?;
    let rest = text.get(root.len() + 1..).unwrap_or_default();
    Ok(format!("<{root}{NAMESPACE}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Answer {
        Answer { status: 409, headers: HeaderMap::new(), body: body.to_owned() }
    }

    #[test]
    fn a_refusal_is_read_in_either_form() {
        let xml = "<ErrorResponse><Error><Code>X</Code><Message>a &lt; b</Message></Error></ErrorResponse>";
        let refused = answer(xml).good().unwrap_err();
        assert_eq!((refused.code.as_str(), refused.message.as_str()), ("X", "a < b"));
        let mut json = answer(r#"{"Message": "no"}"#);
        json.headers.insert("x-amzn-errortype", "Y".parse().unwrap());
        let refused = json.good().unwrap_err();
        assert_eq!((refused.code.as_str(), refused.message.as_str()), ("Y", "no"));
    }

    #[test]
    fn a_shape_is_written_and_read() {
        let tags = model::api::Tags { items: None };
        assert_eq!(body("Tags", &tags).unwrap(), format!("<Tags{NAMESPACE}/>"));
        let whole = Answer { status: 200, ..answer(&body("Tags", &tags).unwrap()) };
        assert_eq!(whole.shape::<model::api::Tags>().unwrap(), tags);
    }
}
