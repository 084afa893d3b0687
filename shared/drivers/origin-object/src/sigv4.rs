//! Signatures of requests to S3.
//!
//! Source: Amazon S3 API reference, "Authenticating Requests (AWS Signature Version 4)". For S3 the
//! path is encoded once and not normalised.

use crate::key::STRICT;
use aws_lc_rs::{digest, hmac};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, InvalidHeaderValue},
};
use model::units::Timestamp;
use object_store::aws::AwsCredential;
use percent_encoding::{percent_decode_str, percent_encode};
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const MOMENT: &[BorrowedFormatItem<'_>] =
    format_description!("[year][month][day]T[hour][minute][second]Z");
const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const X_AMZ_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
/// Field that says what is known of the body.
pub(crate) const X_AMZ_CONTENT: HeaderName = HeaderName::from_static("x-amz-content-sha256");
/// Hash of no body.
pub(crate) const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// The body is not part of the signature.
pub(crate) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Who signs, and for where.
pub(crate) struct Signer<'a> {
    pub credential: &'a AwsCredential,
    pub region: &'a str,
}

impl Signer<'_> {
    /// Adds what proves that a request comes from the credential's owner. `path` and `query` are
    /// as they will be sent; `host` is in `fields`; `payload` is a hash of the body or a word.
    /// Signed are host, content type and all `x-amz-…` fields: others may change on the way.
    ///
    /// # Errors
    /// When the credential cannot stand in a header field.
    pub fn sign(
        &self,
        method: &Method,
        path: &str,
        query: &str,
        fields: &mut HeaderMap,
        payload: &str,
        now: Timestamp,
    ) -> Result<(), InvalidHeaderValue> {
        let moment = moment(now);
        let day = moment.get(..8).unwrap_or_default();
        fields.insert(X_AMZ_DATE, HeaderValue::from_str(&moment)?);
        fields.insert(X_AMZ_CONTENT, HeaderValue::from_str(payload)?);
        fields.remove(X_AMZ_TOKEN);
        if let Some(token) = &self.credential.token {
            let mut token = HeaderValue::from_str(token)?;
            token.set_sensitive(true);
            fields.insert(X_AMZ_TOKEN, token);
        }
        let (names, lines) = canonical_fields(fields);
        let mut canonical = Vec::new();
        canonical.extend_from_slice(
            format!("{method}\n{path}\n{}\n", canonical_query(query)).as_bytes(),
        );
        canonical.extend_from_slice(&lines);
        canonical.extend_from_slice(format!("\n{names}\n{payload}").as_bytes());

        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let hashed = hex::encode(digest::digest(&digest::SHA256, &canonical));
        let signature = self.signature(day, &format!("{ALGORITHM}\n{moment}\n{scope}\n{hashed}"));
        let mut proof = HeaderValue::from_str(&format!(
            "{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.credential.key_id
        ))?;
        proof.set_sensitive(true);
        fields.insert(AUTHORIZATION, proof);
        Ok(())
    }

    fn signature(&self, day: &str, text: &str) -> String {
        let mut key = format!("AWS4{}", self.credential.secret_key).into_bytes();
        for part in [day, self.region, "s3", "aws4_request"] {
            key = hmac(&key, part).as_ref().to_vec();
        }
        hex::encode(hmac(&key, text))
    }
}

fn hmac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

/// `20130524T000000Z`; the epoch itself for times beyond the calendar.
fn moment(now: Timestamp) -> String {
    i64::try_from(now.seconds())
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .format(MOMENT)
        .unwrap_or_default()
}

/// The names of signed fields, and the fields in the form that is hashed.
fn canonical_fields(fields: &HeaderMap) -> (String, Vec<u8>) {
    let signed = |name: &&HeaderName| {
        **name == HOST || **name == CONTENT_TYPE || name.as_str().starts_with("x-amz-")
    };
    let mut names: Vec<&HeaderName> = fields.keys().filter(signed).collect();
    names.sort_unstable_by_key(|name| name.as_str());
    let mut lines = Vec::new();
    for name in &names {
        lines.extend_from_slice(name.as_str().as_bytes());
        for (number, value) in fields.get_all(*name).iter().enumerate() {
            lines.push(if number == 0 { b':' } else { b',' });
            lines.extend_from_slice(&folded(value.as_bytes()));
        }
        lines.push(b'\n');
    }
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    (names.join(";"), lines)
}

/// Without spaces around, and with one space wherever there are several.
fn folded(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for byte in value.trim_ascii() {
        if *byte != b' ' || out.last() != Some(&b' ') {
            out.push(*byte);
        }
    }
    out
}

/// Parameters decoded, encoded strictly, sorted. A parameter without `=` has an empty value.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (strict(name), strict(value))
        })
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> =
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// A query as it is sent: encoded as it is signed, in its own order.
pub(crate) fn sent_query(query: &str) -> String {
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => format!("{}={}", strict(name), strict(value)),
            None => strict(pair),
        })
        .collect();
    pairs.join("&")
}

/// Encoded once and strictly, whatever it was before.
fn strict(text: &str) -> String {
    let bytes: Vec<u8> = percent_decode_str(text).collect();
    percent_encode(&bytes, STRICT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(token: Option<&str>) -> AwsCredential {
        AwsCredential {
            key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            token: token.map(str::to_owned),
        }
    }

    fn signed(path: &str, query: &str, mut fields: HeaderMap, token: Option<&str>) -> HeaderMap {
        fields.insert(HOST, HeaderValue::from_static("examplebucket.s3.amazonaws.com"));
        let credential = credential(token);
        let signer = Signer { credential: &credential, region: "us-east-1" };
        let day = Timestamp(1_369_353_600_000);
        signer.sign(&Method::GET, path, query, &mut fields, EMPTY, day).unwrap();
        fields
    }

    /// The examples of the Amazon S3 API reference.
    #[test]
    fn the_published_examples_come_out() {
        for (query, signature) in [
            ("lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            (
                "prefix=J&max-keys=2",
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ] {
            let fields = signed("/", query, HeaderMap::new(), None);
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
                 SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}"
            );
            assert_eq!(fields[AUTHORIZATION], expected);
        }
    }

    #[test]
    fn what_a_viewer_claims_is_overwritten() {
        let mut claimed = HeaderMap::new();
        for name in [X_AMZ_DATE, X_AMZ_TOKEN, AUTHORIZATION] {
            claimed.append(name.clone(), HeaderValue::from_static("mine"));
            claimed.append(name, HeaderValue::from_static("mine too"));
        }
        let fields = signed("/a", "", claimed, None);
        assert!(fields.values().all(|value| value != "mine" && value != "mine too"));
        let fields = signed("/a", "", HeaderMap::new(), Some("token"));
        assert_eq!(fields[X_AMZ_TOKEN], "token");
        assert!(fields[AUTHORIZATION].to_str().unwrap().contains("x-amz-security-token,"));
    }

    #[test]
    fn values_that_are_not_ascii_are_signed_as_bytes() {
        let mut odd = HeaderMap::new();
        let value = HeaderValue::from_bytes(b"  caf\xe9   au  lait ").unwrap();
        odd.insert("x-amz-meta-drink", value);
        let (names, lines) = canonical_fields(&odd);
        assert_eq!(names, "x-amz-meta-drink");
        assert_eq!(lines, b"x-amz-meta-drink:caf\xe9 au lait\n");
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let fields = signed("/a", "", HeaderMap::new(), Some("hidden"));
        let shown = format!("{fields:?}");
        assert!(!shown.contains("AKIA") && !shown.contains("hidden"), "{shown}");
    }
}
