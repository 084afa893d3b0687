//! Request headers that the edge writes from what it knows of the viewer.
//!
//! For: the `CloudFront-*` headers that a policy may name, in the key and toward the origin.
//! Not for: deciding whether they are wanted ([`crate::forwarding::generated_names`]).
//!
//! Source: CloudFront developer guide, adding CloudFront request headers.

use crate::{
    device::Device,
    names::{protocol_version, value},
    viewer::{Request, Viewer},
};
use http::{HeaderValue, header::USER_AGENT};
use std::fmt::Write as _;

/// Longest `CloudFront-Viewer-Header-Order`, in bytes.
const LONGEST_ORDER: usize = 7680;

/// Whether a name (lower case) is one that only the edge may fill. A viewer's own header of such a
/// name never counts: origins trust these.
pub fn is_generated(name: &str) -> bool {
    name.strip_prefix("cloudfront-").is_some_and(|rest| {
        rest == "forwarded-proto"
            || rest == "error-uri"
            || rest == "error-args"
            || rest.starts_with("viewer-")
            || (rest.starts_with("is-") && rest.ends_with("-viewer"))
    })
}

/// The value of a generated header (name lower case); none when it is not known or no such header.
pub fn generate(name: &str, request: &Request<'_>) -> Option<HeaderValue> {
    let rest = name.strip_prefix("cloudfront-")?;
    if let Some(kind) = rest.strip_prefix("is-") {
        return device(kind, request);
    }
    match rest.strip_prefix("viewer-") {
        Some(fact) => viewer(fact, request.viewer).or_else(|| place(fact, request.viewer)),
        None if rest == "forwarded-proto" => Some(HeaderValue::from_static(scheme(request.viewer))),
        None => None,
    }
}

const fn scheme(viewer: &Viewer<'_>) -> &'static str {
    if viewer.https { "https" } else { "http" }
}

fn device(kind: &str, request: &Request<'_>) -> Option<HeaderValue> {
    let user_agent = request.headers.get(USER_AGENT).map_or(&b""[..], HeaderValue::as_bytes);
    let device = Device::of(user_agent);
    let holds = match kind {
        "mobile-viewer" => device.mobile,
        "tablet-viewer" => device.tablet,
        "smarttv-viewer" => device.smart_tv,
        "desktop-viewer" => device.desktop,
        "android-viewer" => device.android,
        "ios-viewer" => device.ios,
        _ => return None,
    };
    Some(HeaderValue::from_static(if holds { "true" } else { "false" }))
}

fn viewer(fact: &str, viewer: &Viewer<'_>) -> Option<HeaderValue> {
    match fact {
        "address" => Some(value(&format!(
            "{}:{}",
            viewer.address.ip().to_canonical(),
            viewer.address.port()
        ))),
        "asn" => viewer.asn.map(HeaderValue::from),
        "http-version" => Some(HeaderValue::from_static(protocol_version(viewer.version))),
        "tls" => viewer.tls.map(value),
        "ja3-fingerprint" => viewer.ja3.map(value),
        "ja4-fingerprint" => viewer.ja4.map(value),
        "header-order" => viewer.header_order.map(|order| {
            value(order.get(..LONGEST_ORDER).unwrap_or(order)) // names are ASCII: no letter is cut
        }),
        "header-count" => viewer.header_count.map(HeaderValue::from),
        _ => None,
    }
}

fn place(fact: &str, viewer: &Viewer<'_>) -> Option<HeaderValue> {
    let place = &viewer.place;
    match fact {
        "country" => place.country.map(value),
        "country-name" => place.country_name.map(encoded),
        "country-region" => place.region.map(encoded),
        "country-region-name" => place.region_name.map(encoded),
        "city" => place.city.map(encoded),
        "postal-code" => place.postal_code.map(encoded),
        "metro-code" => place.metro_code.map(encoded),
        "latitude" => place.latitude.map(degrees),
        "longitude" => place.longitude.map(degrees),
        "time-zone" => place.time_zone.map(value),
        _ => None,
    }
}

fn degrees(number: f64) -> HeaderValue {
    value(&format!("{number:.5}"))
}

/// Percent-encodes what is not printable ASCII, and the percent sign.
fn encoded(text: &str) -> HeaderValue {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' | 0..=31 | 127.. => {
                let _ = write!(encoded, "%{byte:02X}"); // writing to a String cannot fail
            }
            plain => encoded.push(char::from(plain)),
        }
    }
    value(&encoded)
}
