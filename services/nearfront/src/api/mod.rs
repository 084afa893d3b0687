//! A small client of the management API, for the commands that use it.
//!
//! For: what the binary itself does through the API, exactly as any other client would.
//! Not for: users; they have the AWS CLI and SDKs.

mod sign;

use crate::aws::Access;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy::Client, client::legacy::connect::HttpConnector, rt::TokioExecutor,
};
use serde::de::DeserializeOwned;
use std::time::{Duration, SystemTime};

/// Version prefix of every path.
const VERSION: &str = "/2020-05-31";
/// Longest answer that is read, in bytes.
const MOST: usize = 8 << 20;
/// How long one call may take.
const WITHIN: Duration = Duration::from_secs(30);

/// The client.
pub struct Api {
    access: Access,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Api {
    /// A client that signs with this key.
    pub fn new(access: Access) -> Self {
        Self { access, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Reads a resource. `path` is without the version: `/distribution?MaxItems=100`.
    ///
    /// # Errors
    /// When the API cannot be reached or refuses.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.call(Method::GET, path, Bytes::new()).await
    }

    /// Makes a resource from an XML body.
    ///
    /// # Errors
    /// When the API cannot be reached or refuses.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: String) -> Result<T> {
        self.call(Method::POST, path, body.into()).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T> {
        let name = format!("{method} {path}");
        let asked = tokio::time::timeout(WITHIN, self.exchange(method, path, body)).await;
        let text = asked.context("no answer in time").flatten().with_context(|| name.clone())?;
        read(&text).with_context(|| format!("{name}: the answer makes no sense"))
    }

    async fn exchange(&self, method: Method, path: &str, body: Bytes) -> Result<String> {
        let request = self.signed(method, &format!("{VERSION}{path}"), body)?;
        let answer = self.client.request(request).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MOST).collect().await;
        let body = body.map_err(|why| anyhow::anyhow!("the answer cannot be read: {why}"))?;
        let text = String::from_utf8(body.to_bytes().to_vec())?;
        if !status.is_success() {
            bail!("the management API refuses ({status}): {text}");
        }
        Ok(text)
    }

    fn signed(&self, method: Method, target: &str, body: Bytes) -> Result<Request<Full<Bytes>>> {
        let host = self.access.endpoint.trim_start_matches("http://");
        let headers = sign::headers(&self.access, &method, target, host, &body, SystemTime::now())?;
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{target}", self.access.endpoint))
            .header("host", host)
            .header("content-type", "application/xml");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        Ok(request.body(Full::new(body))?)
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    // Shapes know no attributes, and the name space is the only one that the API sends.
    let plain = text.replacen(" xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"", "", 1);
    Ok(quick_xml::de::from_str(&plain)?)
}
