//! The canonical form of a request, and the text that is signed.

use super::{
    Request,
    form::{Claim, TERMINATOR},
    scheme::Scheme,
};
use aws_lc_rs::digest;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but RFC 3986's unreserved characters is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// In paths the slash stays.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// SHA-256 in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

/// A path without empty, `.` and `..` segments (RFC 3986 §5.2.4); a trailing slash stays, and one
/// stands where the last segment was taken away.
pub fn normal_path(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let open = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    let slash = if open && !kept.is_empty() { "/" } else { "" };
    format!("/{}{slash}", kept.join("/"))
}

/// Algorithm, time, scope and the digest of the canonical request.
pub(super) fn string_to_sign(request: &Request<'_>, claim: &Claim) -> String {
    let (date, region, service) = (&claim.date, &claim.region, claim.service.as_str());
    let algorithm = claim.scheme.algorithm();
    let digest = sha256_hex(canonical(request, claim).as_bytes());
    let scope = match claim.scheme {
        Scheme::Shared => format!("{date}/{region}/{service}/{TERMINATOR}"),
        Scheme::Asymmetric => format!("{date}/{service}/{TERMINATOR}"),
    };
    format!("{algorithm}\n{}\n{scope}\n{digest}", claim.stamp)
}

fn canonical(request: &Request<'_>, claim: &Claim) -> String {
    let normal = normal_path(request.path);
    let path = utf8_percent_encode(&normal, RESERVED_IN_PATH);
    format!(
        "{}\n{path}\n{}\n{}\n{}\n{}",
        request.method,
        query(request, claim.expires.is_some()),
        headers(request, claim),
        claim.signed.join(";"),
        sha256_hex(request.body),
    )
}

/// Encoded and sorted by encoded name, then value; without the signature itself, where it stands
/// there.
fn query(request: &Request<'_>, presigned: bool) -> String {
    let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let mut pairs: Vec<_> = request
        .query
        .0
        .iter()
        .filter(|(key, _)| !presigned || key != "X-Amz-Signature")
        .map(|(key, value)| (encode(key), encode(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join("&")
}

/// A line for each signed header: its values joined by commas, runs of blanks made one.
fn headers(request: &Request<'_>, claim: &Claim) -> String {
    let line = |name: &String| {
        let values = request.headers.iter().filter(|(key, _)| key == name);
        let values: Vec<_> = values.map(|(_, value)| single_spaced(value)).collect();
        format!("{name}:{}\n", values.join(","))
    };
    claim.signed.iter().map(line).collect()
}

fn single_spaced(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_normal() {
        for (given, normal) in [
            ("/", "/"),
            ("", "/"),
            ("/a//b/", "/a/b/"),
            ("/a/./b/../c", "/a/c"),
            ("/../..", "/"),
            ("/a/.", "/a/"),
            ("/a/b/..", "/a/"),
            ("/a%2Fb", "/a%2Fb"),
        ] {
            assert_eq!(normal_path(given), normal, "{given}");
        }
    }
}
