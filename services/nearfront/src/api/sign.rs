//! Signing requests: AWS Signature Version 4 with headers (AWS General Reference, "Create a signed
//! AWS API request").

use crate::aws::{Access, REGION};
use anyhow::Result;
use aws_lc_rs::{digest, hmac};
use http::Method;
use std::{fmt::Write as _, time::SystemTime};
use time::{OffsetDateTime, macros::format_description};

const SERVICE: &str = "cloudfront";

/// What is signed.
pub struct Unsigned<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path with its query, whose parameters are in order and escaped.
    pub target: &'a str,
    /// `Host`.
    pub host: &'a str,
    /// Further headers, names in lower case; all of them are signed.
    pub headers: &'a [(&'static str, String)],
    /// The whole body.
    pub body: &'a [u8],
}

/// All headers of the request but `host`: those given, and those that sign.
///
/// # Errors
/// Only when the time has no text form.
pub fn headers(
    access: &Access,
    token: Option<&str>,
    request: &Unsigned<'_>,
    now: SystemTime,
) -> Result<Vec<(&'static str, String)>> {
    let at = format_description!("[year][month][day]T[hour][minute][second]Z");
    let date = OffsetDateTime::from(now).format(at)?;
    let hash = sha256(request.body);
    let mut all = request.headers.to_vec();
    all.push(("host", request.host.to_owned()));
    all.push(("x-amz-content-sha256", hash.clone()));
    all.push(("x-amz-date", date.clone()));
    all.extend(token.map(|token| ("x-amz-security-token", token.to_owned())));
    all.sort();
    let signed = all.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let canonical = canonical(request, &all, &signed, &hash);
    let day = date.get(..8).unwrap_or_default();
    let scope = format!("{day}/{REGION}/{SERVICE}/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let signature = hex::encode(hmac(&key(&access.secret, day), &text));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
        access.id
    );
    all.retain(|(name, _)| *name != "host");
    all.push(("authorization", authorization));
    Ok(all)
}

fn canonical(
    request: &Unsigned<'_>,
    headers: &[(&'static str, String)],
    signed: &str,
    hash: &str,
) -> String {
    let (path, query) = request.target.split_once('?').unwrap_or((request.target, ""));
    let mut lines = String::new();
    for (name, value) in headers {
        let _ = writeln!(lines, "{name}:{}", value.trim());
    }
    format!("{}\n{path}\n{query}\n{lines}\n{signed}\n{hash}", request.method)
}

fn key(secret: &str, day: &str) -> Vec<u8> {
    let start = format!("AWS4{secret}").into_bytes();
    [day, REGION, SERVICE, "aws4_request"].iter().fold(start, |key, part| hmac(&key, part))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sigv4::{
        http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign},
        sign::v4::SigningParams,
    };
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn the_reference_implementation_signs_the_same() {
        let access = Access {
            endpoint: "http://127.0.0.1:9300".into(),
            id: "AKIDEXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        };
        let now = UNIX_EPOCH + Duration::from_hours(500_000);
        let target = "/nearfront/history?MaxItems=100&Resource=arn%3Aaws";
        let given = [("if-match", "E1".to_owned()), ("x-nearfront-dry-run", "true".to_owned())];
        for token in [None, Some("a/token=")] {
            let request = Unsigned {
                method: &Method::POST,
                target,
                host: "127.0.0.1:9300",
                headers: &given,
                body: b"<a/>",
            };
            let ours = headers(&access, token, &request, now).unwrap();
            let ours = ours.into_iter().find(|(name, _)| *name == "authorization").unwrap().1;
            assert_eq!(ours, reference(&access, token, target, &given, now));
        }
    }

    fn reference(
        access: &Access,
        token: Option<&str>,
        target: &str,
        given: &[(&'static str, String)],
        now: SystemTime,
    ) -> String {
        let token = token.map(str::to_owned);
        let identity =
            aws_credential_types::Credentials::new(&access.id, &access.secret, token, None, "test");
        let identity = identity.into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let params = SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name(SERVICE)
            .time(now)
            .settings(settings)
            .build()
            .unwrap();
        let uri = format!("{}{target}", access.endpoint);
        let given = given.iter().map(|(name, value)| (*name, value.as_str()));
        let request =
            SignableRequest::new("POST", uri, given, SignableBody::Bytes(b"<a/>")).unwrap();
        let (instructions, _) = sign(request, &params.into()).unwrap().into_parts();
        let found = instructions.headers().find(|(name, _)| *name == "authorization");
        found.unwrap().1.to_owned()
    }
}
