//! Where an address is.

use std::net::IpAddr;

/// What is known of an address.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Located {
    /// Length in bits of the network that this holds for, in the address's own family: the scope
    /// of an answer given by it (RFC 7871 §7.2.1).
    pub prefix: u8,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: Option<String>,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// Autonomous system number.
    pub asn: Option<u32>,
}

/// Looks addresses up.
pub trait Locator: Send + Sync {
    /// What is known of `address`; none when nothing is. Never blocks on more than mapped memory.
    fn locate(&self, address: IpAddr) -> Option<Located>;
}
