//! What the edge knows about who asks, and one request as these rules see it.
//!
//! For: the arguments that [`crate::key`] and [`crate::origin_request`] share.
//! Not for: finding any of it out.

use http::{HeaderMap, Method, Version};
use std::fmt;
use std::net::SocketAddr;

/// One viewer request, whose headers are held in an `H`.
pub struct Request<'a, H = HeaderMap> {
    /// As asked.
    pub method: &'a Method,
    /// Raw, as asked (after a viewer function, if any): no decoding, no normalising.
    pub path: &'a str,
    /// Raw, without `?`; none when there is no `?`.
    pub query: Option<&'a str>,
    /// End-to-end headers: [`crate::connection::strip`] has been through them. `host` is there,
    /// for HTTP/2 taken from `:authority`.
    pub headers: &'a H,
    /// Who asks.
    pub viewer: &'a Viewer<'a>,
}

impl<H> Clone for Request<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H> Copy for Request<'_, H> {}

impl<H: fmt::Debug> fmt::Debug for Request<'_, H> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = (self.method, self.path, self.query, self.headers, self.viewer);
        out.debug_tuple("Request").field(&told).finish()
    }
}

/// Facts about the connection that a request came on.
#[derive(Clone, Copy, Debug)]
pub struct Viewer<'a> {
    /// TCP or UDP peer.
    pub address: SocketAddr,
    /// HTTP version spoken.
    pub version: Version,
    /// Whether over TLS.
    pub https: bool,
    /// `TLSv1.3:TLS_AES_128_GCM_SHA256:fullHandshake`.
    pub tls: Option<&'a str>,
    /// JA3 fingerprint of the `ClientHello`, 32 hex digits.
    pub ja3: Option<&'a str>,
    /// JA4 fingerprint of the `ClientHello`.
    pub ja4: Option<&'a str>,
    /// Header names in the order in which they came, joined by `:`; a header map forgets it.
    pub header_order: Option<&'a str>,
    /// How many header fields came.
    pub header_count: Option<usize>,
    /// Autonomous system number.
    pub asn: Option<u32>,
    /// Where the address is.
    pub place: Place<'a>,
}

impl Viewer<'_> {
    /// A viewer of whom nothing but the connection is known.
    pub fn new(address: SocketAddr, version: Version, https: bool) -> Self {
        Self {
            address,
            version,
            https,
            tls: None,
            ja3: None,
            ja4: None,
            header_order: None,
            header_count: None,
            asn: None,
            place: Place::default(),
        }
    }
}

/// Where an address is, as far as the databases know. Text is UTF-8, not yet encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place<'a> {
    /// ISO 3166-1 alpha-2, upper case.
    pub country: Option<&'a str>,
    /// English name of the country; where there is none, the one that [`crate::countries`] has.
    pub country_name: Option<&'a str>,
    /// ISO 3166-2 without the country, up to three characters.
    pub region: Option<&'a str>,
    /// Name of the region.
    pub region_name: Option<&'a str>,
    /// Name of the city.
    pub city: Option<&'a str>,
    /// Postal code.
    pub postal_code: Option<&'a str>,
    /// Metro code, United States only.
    pub metro_code: Option<&'a str>,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// IANA name.
    pub time_zone: Option<&'a str>,
}
