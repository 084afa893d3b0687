//! Requests to S3 and what speaks like it.

use crate::{
    Asked, answer,
    config::Endpoint,
    connector::to_server,
    credentials::Credentials,
    key::{Key, encode_path},
    sigv4::{self, EMPTY, Signer, UNSIGNED, X_AMZ_CONTENT},
};
use http::{
    HeaderMap, HeaderValue,
    header::{HOST, IF_NONE_MATCH},
};
use model::units::Timestamp;
use object_store::aws::AwsCredential;
use ports::origin::{Origin, OriginError, OriginRequest, OriginResponse};
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// Where there is no other word about it.
const REGION: &str = "us-east-1";

/// A bucket, or all buckets, of one server.
pub(crate) struct S3 {
    /// Who signs.
    pub credentials: Credentials,
    /// Where.
    pub place: Place,
    /// None: the one that the domain name says.
    pub bucket: Option<String>,
    /// In front of every key, without slashes around; mostly empty.
    pub prefix: String,
    /// From the settings.
    pub region: Option<String>,
    /// Carries the requests.
    pub transport: Arc<dyn Origin>,
}

/// Which server.
pub(crate) enum Place {
    /// Amazon's own, over TLS.
    Amazon,
    /// Somebody else's.
    Server { endpoint: Endpoint, virtual_hosted: bool },
}

/// A request's address: server and path.
struct Address {
    endpoint: Endpoint,
    path: String,
}

impl S3 {
    /// Asks the server; its answer comes back as it is.
    pub async fn answer(&self, mut asked: Asked<'_>) -> Result<OriginResponse, OriginError> {
        let said = asked.bucket.take();
        let bucket = self
            .bucket
            .as_deref()
            .or(said.as_ref().map(|bucket| bucket.name.as_str()))
            .ok_or_else(|| OriginError::NotConfigured("no bucket is named".into()))?;
        let named_region = said.as_ref().and_then(|bucket| bucket.region.as_deref());
        let region = self.region.as_deref().or(named_region).unwrap_or(REGION);
        let credential = if asked.sign { self.credentials.now().await } else { None };
        if credential.is_some() && self.is_bucket_itself(&asked.key) {
            return Ok(answer::access_denied(&asked.request.method));
        }
        let address = self.address(bucket, region, &asked.key);
        let plan = to_server(asked.plan, &address.endpoint);
        let request = request(asked, &address, region, credential.as_deref())?;
        self.transport.fetch(&plan, request).await
    }

    /// Requests about the bucket itself list, make or delete it. Our key may be allowed to do that,
    /// but viewers borrow it for objects only, as an origin access control's bucket policy has it.
    fn is_bucket_itself(&self, key: &Key) -> bool {
        self.prefix.is_empty() && key.is_root()
    }

    fn address(&self, bucket: &str, region: &str, key: &Key) -> Address {
        let object = if self.prefix.is_empty() {
            key.encoded()
        } else {
            format!("{}/{}", encode_path(self.prefix.as_bytes()), key.encoded())
        };
        let (endpoint, in_host) = self.server(bucket, region);
        let path = if in_host {
            format!("{}/{object}", endpoint.path)
        } else {
            format!("{}/{bucket}/{object}", endpoint.path)
        };
        Address { endpoint, path }
    }

    /// The server, and whether its name says the bucket. A bucket with dots has no certificate
    /// under Amazon's wildcard name.
    fn server(&self, bucket: &str, region: &str) -> (Endpoint, bool) {
        let (mut endpoint, in_host) = match &self.place {
            Place::Amazon => (amazon(region), !bucket.contains('.')),
            Place::Server { endpoint, virtual_hosted } => (endpoint.clone(), *virtual_hosted),
        };
        if in_host {
            endpoint.host = format!("{bucket}.{}", endpoint.host);
        }
        (endpoint, in_host)
    }
}

/// The request as it goes to the server, signed if there is a credential.
fn request(
    asked: Asked<'_>,
    address: &Address,
    region: &str,
    credential: Option<&AwsCredential>,
) -> Result<OriginRequest, OriginError> {
    let mut request = asked.request;
    let odd = |e: http::header::InvalidHeaderValue| OriginError::NotConfigured(e.to_string());
    let host = HeaderValue::from_str(&address.endpoint.authority()).map_err(odd)?;
    request.headers.insert(HOST, host);
    ask_by_the_servers_own_tag(&mut request.headers);
    let query = asked.key.query.as_deref().map(sigv4::sent_query);
    if let Some(credential) = credential {
        let payload = payload(&request.headers, request.body.is_some());
        Signer { credential, region }
            .sign(
                &request.method,
                &address.path,
                query.as_deref().unwrap_or_default(),
                &mut request.headers,
                &payload,
                now(),
            )
            .map_err(|_| {
                OriginError::NotConfigured("the store's access_key_id is not plain text".into())
            })?;
    }
    request.path_and_query = match query {
        Some(query) => format!("{}?{query}", address.path),
        None => address.path.clone(),
    };
    Ok(request)
}

/// Tags of objects are strong, and some servers compare text: a tag that is weak because the copy
/// was compressed on the way is asked about as the server wrote it. To `If-None-Match` weak and
/// strong are the same (RFC 9110 §13.1.2).
fn ask_by_the_servers_own_tag(fields: &mut HeaderMap) {
    let tag = fields.get(IF_NONE_MATCH).and_then(|tag| tag.as_bytes().strip_prefix(b"W/"));
    let one = tag.filter(|tag| {
        let inner = tag.strip_prefix(b"\"").and_then(|tag| tag.strip_suffix(b"\""));
        inner.is_some_and(|inner| !inner.contains(&b'"'))
    });
    if let Some(Ok(strong)) = one.map(HeaderValue::from_bytes) {
        fields.insert(IF_NONE_MATCH, strong);
    }
}

fn amazon(region: &str) -> Endpoint {
    let end = if region.starts_with("cn-") { ".cn" } else { "" };
    Endpoint {
        secure: true,
        host: format!("s3.{region}.amazonaws.com{end}"),
        port: 443,
        path: String::new(),
    }
}

/// What the signature says about the body: a viewer that knows the hash may say it; a body that
/// passes through cannot be hashed first.
fn payload(fields: &HeaderMap, body: bool) -> String {
    let claimed = fields.get(X_AMZ_CONTENT).and_then(|value| value.to_str().ok());
    let is_hash = |text: &&str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    match claimed.filter(is_hash) {
        _ if !body => EMPTY.to_owned(),
        Some(hash) => hash.to_owned(),
        None => UNSIGNED.to_owned(),
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_weak_tag_is_asked_about_as_a_strong_one_and_nothing_else_changes() {
        for (sent, expected) in [
            ("W/\"a\"", "\"a\""),
            ("\"a\"", "\"a\""),
            ("W/\"aW/\"", "\"aW/\""),
            ("W/\"a\", W/\"b\"", "W/\"a\", W/\"b\""),
            ("*", "*"),
            ("W/a", "W/a"),
        ] {
            let mut fields = HeaderMap::new();
            fields.insert(IF_NONE_MATCH, HeaderValue::from_static(sent));
            ask_by_the_servers_own_tag(&mut fields);
            assert_eq!(fields[IF_NONE_MATCH], expected);
        }
        let mut none = HeaderMap::new();
        ask_by_the_servers_own_tag(&mut none);
        assert!(none.is_empty());
    }
}
