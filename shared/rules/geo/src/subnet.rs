//! Client subnets, as resolvers tell them.
//!
//! Source: RFC 7871 §6 (form), §7.2 (use by authoritative servers).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The network that a resolver asks for: an address without host bits, and how much of it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSubnet {
    address: IpAddr,
    source: u8,
}

/// Why an option is refused, each a FORMERR (RFC 7871 §6, §7.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubnetFault {
    /// Shorter than its fixed fields.
    Short,
    /// Neither IPv4 (1) nor IPv6 (2).
    Family(u16),
    /// Longer than an address of the family.
    Source(u8),
    /// A question has a scope other than 0.
    Scope(u8),
    /// More or fewer address bytes than the prefix needs.
    Length(usize),
    /// Bits are set beyond the prefix.
    HostBits,
}

impl ClientSubnet {
    /// Reads the data of an option in a question.
    ///
    /// # Errors
    /// A [`SubnetFault`] for everything that RFC 7871 §6 does not allow.
    pub fn read(data: &[u8]) -> Result<Self, SubnetFault> {
        let [high, low, source, scope, address @ ..] = data else {
            return Err(SubnetFault::Short);
        };
        let family = u16::from_be_bytes([*high, *low]);
        let bits = match family {
            1 => 32,
            2 => 128,
            _ => return Err(SubnetFault::Family(family)),
        };
        if *source > bits {
            return Err(SubnetFault::Source(*source));
        }
        if *scope != 0 {
            return Err(SubnetFault::Scope(*scope));
        }
        if address.len() != usize::from(source.div_ceil(8)) {
            return Err(SubnetFault::Length(address.len()));
        }
        Self::whole(filled(family, address), *source)
    }

    /// This prefix of this address.
    ///
    /// # Errors
    /// [`SubnetFault::Source`] and [`SubnetFault::HostBits`].
    pub fn whole(address: IpAddr, source: u8) -> Result<Self, SubnetFault> {
        if source > width(address) {
            return Err(SubnetFault::Source(source));
        }
        if mask(address, source) != address {
            return Err(SubnetFault::HostBits);
        }
        Ok(Self { address, source })
    }

    /// The network's address: no bit beyond the prefix is set.
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// How many bits of it the resolver told.
    pub const fn source(self) -> u8 {
        self.source
    }

    /// Whether the client asked that nothing of it be used (RFC 7871 §7.1.2).
    pub const fn is_private(self) -> bool {
        self.source == 0
    }
}

/// `address` with every bit beyond the first `prefix` cleared. A prefix longer than the address
/// leaves it whole.
#[must_use]
pub fn mask(address: IpAddr, prefix: u8) -> IpAddr {
    let prefix = u32::from(prefix);
    match address {
        IpAddr::V4(v4) => {
            let kept = u32::MAX.checked_shr(prefix).map_or(u32::MAX, |host| !host);
            Ipv4Addr::from_bits(v4.to_bits() & kept).into()
        }
        IpAddr::V6(v6) => {
            let kept = u128::MAX.checked_shr(prefix).map_or(u128::MAX, |host| !host);
            Ipv6Addr::from_bits(v6.to_bits() & kept).into()
        }
    }
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The address whose first bytes these are.
fn filled(family: u16, start: &[u8]) -> IpAddr {
    let mut bytes = [0; 16];
    for (byte, given) in bytes.iter_mut().zip(start) {
        *byte = *given;
    }
    let [a, b, c, d, ..] = bytes;
    match family {
        1 => Ipv4Addr::new(a, b, c, d).into(),
        _ => Ipv6Addr::from(bytes).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_rfc_7871_allows_is_read() {
        let tokyo = ClientSubnet::read(&[0, 1, 16, 0, 133, 11]).unwrap();
        assert_eq!(tokyo.address(), Ipv4Addr::new(133, 11, 0, 0));
        assert_eq!(tokyo.source(), 16);
        let odd = ClientSubnet::read(&[0, 1, 17, 0, 133, 11, 128]).unwrap();
        assert_eq!(odd.address(), Ipv4Addr::new(133, 11, 128, 0));
        let six = ClientSubnet::read(&[0, 2, 32, 0, 0x20, 1, 0xd, 0xb8]).unwrap();
        assert_eq!(six.address(), "2001:db8::".parse::<IpAddr>().unwrap());
        assert!(ClientSubnet::read(&[0, 1, 0, 0]).unwrap().is_private());
    }

    #[test]
    fn what_rfc_7871_does_not_allow_is_refused() {
        use SubnetFault::{Family, HostBits, Length, Scope, Short, Source};
        for (data, fault) in [
            (&[][..], Short),
            (&[0, 1, 16], Short),
            (&[0, 0, 0, 0], Family(0)),
            (&[0, 3, 0, 0], Family(3)),
            (&[0, 1, 33, 0, 1, 1, 1, 1, 1], Source(33)),
            (&[0, 2, 129, 0], Source(129)),
            (&[0, 1, 16, 16, 133, 11], Scope(16)),
            (&[0, 1, 16, 0, 133], Length(1)),
            (&[0, 1, 16, 0, 133, 11, 0], Length(3)),
            (&[0, 1, 15, 0, 133, 11], HostBits),
        ] {
            assert_eq!(ClientSubnet::read(data), Err(fault), "{data:?}");
        }
    }

    fn address() -> impl Strategy<Value = IpAddr> {
        prop_oneof![
            any::<u32>().prop_map(|bits| Ipv4Addr::from_bits(bits).into()),
            any::<u128>().prop_map(|bits| Ipv6Addr::from_bits(bits).into()),
        ]
    }

    proptest! {
        #[test]
        fn masking_twice_is_masking_by_the_shorter(address in address(), a: u8, b: u8) {
            prop_assert_eq!(mask(mask(address, a), b), mask(address, a.min(b)));
            prop_assert_eq!(mask(address, 128), address);
            prop_assert!(mask(address, 0).is_unspecified());
        }

        #[test]
        fn reading_never_panics_and_leaves_no_host_bits(data: Vec<u8>) {
            if let Ok(subnet) = ClientSubnet::read(&data) {
                prop_assert_eq!(mask(subnet.address(), subnet.source()), subnet.address());
            }
        }

        #[test]
        fn every_prefix_of_every_address_is_read(address in address(), source: u8) {
            let source = source % (width(address) + 1);
            let network = mask(address, source);
            let (family, bytes) = match network {
                IpAddr::V4(v4) => (1, v4.octets().to_vec()),
                IpAddr::V6(v6) => (2, v6.octets().to_vec()),
            };
            let mut data = vec![0, family, source, 0];
            data.extend(&bytes[..usize::from(source.div_ceil(8))]);
            prop_assert_eq!(ClientSubnet::read(&data).map(ClientSubnet::address), Ok(network));
        }
    }
}
