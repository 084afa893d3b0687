//! Request headers that the edge writes from what it knows of the viewer.
//!
//! For: the `CloudFront-*` headers that a policy may name, in the key and toward the origin.
//! Not for: deciding whether they are wanted ([`crate::forwarding::generated_names`]).
//!
//! Source: CloudFront developer guide, adding CloudFront request headers.

use crate::{
    countries,
    device::Device,
    names::{protocol_version, value},
    viewer::{Request, Viewer},
};
use http::{HeaderValue, header::USER_AGENT};
use model::fields::Fields;
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
pub fn generate<H: Fields>(name: &str, request: &Request<'_, H>) -> Option<HeaderValue> {
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

fn device<H: Fields>(kind: &str, request: &Request<'_, H>) -> Option<HeaderValue> {
    let user_agent = request.headers.first(USER_AGENT.as_str()).unwrap_or_default();
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
        "country-name" => {
            place.country_name.or_else(|| countries::name(place.country?)).map(encoded)
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fixtures::{headers, viewer},
        viewer::Place,
    };
    use http::{Method, Version};

    fn of(name: &str, viewer: &Viewer<'_>, user_agent: &str) -> Option<String> {
        let headers = headers(&[("user-agent", user_agent), (name, "forged")]);
        let request =
            Request { method: &Method::GET, path: "/", query: None, headers: &headers, viewer };
        assert!(is_generated(name), "{name}");
        generate(name, &request).map(|value| value.to_str().unwrap().to_owned())
    }

    /// Developer guide, adding CloudFront request headers.
    #[test]
    fn each_header_tells_what_is_known() {
        let viewer = Viewer {
            version: Version::HTTP_2,
            https: true,
            tls: Some("TLSv1.3:TLS_AES_128_GCM_SHA256:fullHandshake"),
            asn: Some(64496),
            header_count: Some(3),
            header_order: Some("Host:User-Agent:Accept"),
            place: Place {
                country: Some("BR"),
                city: Some("S\u{e3}o Paulo 100%"),
                latitude: Some(-23.5475),
                longitude: Some(-46.63611),
                ..Place::default()
            },
            ..viewer()
        };
        let table = [
            ("cloudfront-viewer-country", Some("BR")),
            ("cloudfront-viewer-country-name", Some("Brazil")),
            ("cloudfront-viewer-city", Some("S%C3%A3o Paulo 100%25")),
            ("cloudfront-viewer-latitude", Some("-23.54750")),
            ("cloudfront-viewer-longitude", Some("-46.63611")),
            ("cloudfront-viewer-time-zone", None),
            ("cloudfront-viewer-address", Some("192.0.2.7:4711")),
            ("cloudfront-viewer-asn", Some("64496")),
            ("cloudfront-viewer-http-version", Some("2.0")),
            ("cloudfront-viewer-tls", Some("TLSv1.3:TLS_AES_128_GCM_SHA256:fullHandshake")),
            ("cloudfront-viewer-ja3-fingerprint", None),
            ("cloudfront-viewer-header-count", Some("3")),
            ("cloudfront-viewer-header-order", Some("Host:User-Agent:Accept")),
            ("cloudfront-forwarded-proto", Some("https")),
            ("cloudfront-is-ios-viewer", Some("true")),
            ("cloudfront-is-desktop-viewer", Some("false")),
            ("cloudfront-is-toaster-viewer", None),
            ("cloudfront-error-uri", None),
        ];
        for (name, expected) in table {
            assert_eq!(of(name, &viewer, "iPhone").as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn addresses_are_written_plainly() {
        let name = "cloudfront-viewer-address";
        let of_address = |text: &str| {
            of(name, &Viewer::new(text.parse().unwrap(), Version::HTTP_11, false), "").unwrap()
        };
        assert_eq!(of_address("[2001:db8::1]:443"), "2001:db8::1:443");
        assert_eq!(of_address("[::ffff:192.0.2.1]:80"), "192.0.2.1:80");
    }

    #[test]
    fn a_long_order_is_cut() {
        let order = "a:".repeat(5000);
        let viewer = Viewer { header_order: Some(&order), ..viewer() };
        assert_eq!(of("cloudfront-viewer-header-order", &viewer, "").unwrap().len(), LONGEST_ORDER);
    }

    #[test]
    fn other_names_are_free() {
        for name in ["x-viewer-country", "cloudfront", "cloudfront-policy", "viewer-country"] {
            assert!(!is_generated(name), "{name}");
        }
    }
}
