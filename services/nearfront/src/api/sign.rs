//! Signing requests: AWS Signature Version 4 with headers (AWS General Reference, "Create a signed
//! AWS API request").

use crate::aws::{Access, REGION};
use anyhow::Result;
use aws_lc_rs::{digest, hmac};
use http::Method;
use std::time::SystemTime;
use time::{OffsetDateTime, macros::format_description};

const SERVICE: &str = "cloudfront";
const SIGNED: &str = "host;x-amz-content-sha256;x-amz-date";

/// The headers to add. `target` is the path with its query, whose parameters are in order and need
/// no escaping.
///
/// # Errors
/// Only when the time has no text form.
pub fn headers(
    access: &Access,
    method: &Method,
    target: &str,
    host: &str,
    body: &[u8],
    now: SystemTime,
) -> Result<[(&'static str, String); 3]> {
    let at = format_description!("[year][month][day]T[hour][minute][second]Z");
    let date = OffsetDateTime::from(now).format(at)?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let hash = sha256(body);
    let request = format!(
        "{method}\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:{hash}\nx-amz-date:{date}\n\n{SIGNED}\n{hash}"
    );
    let day = date.get(..8).unwrap_or_default();
    let scope = format!("{day}/{REGION}/{SERVICE}/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(request.as_bytes()));
    let signature = hex::encode(hmac(&key(&access.secret, day), &text));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={SIGNED}, Signature={signature}",
        access.id
    );
    Ok([("x-amz-content-sha256", hash), ("x-amz-date", date), ("authorization", authorization)])
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
        let target = "/2020-05-31/distribution?MaxItems=100";
        let ours = headers(&access, &Method::POST, target, "127.0.0.1:9300", b"<a/>", now).unwrap();
        assert_eq!(ours[2].1, reference(&access, target, now));
    }

    fn reference(access: &Access, target: &str, now: SystemTime) -> String {
        let identity =
            aws_credential_types::Credentials::new(&access.id, &access.secret, None, None, "test");
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
        let none = std::iter::empty();
        let request =
            SignableRequest::new("POST", uri, none, SignableBody::Bytes(b"<a/>")).unwrap();
        let (instructions, _) = sign(request, &params.into()).unwrap().into_parts();
        let found = instructions.headers().find(|(name, _)| *name == "authorization");
        found.unwrap().1.to_owned()
    }
}
