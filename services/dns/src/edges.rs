//! The live edges, ready to be ranked.
//!
//! For: one immutable list, made anew when the registry says something else. Not for: asking the
//! registry ([`crate::health`]).

use geo::{Candidate, Position, rank};
use ports::registry::Beat;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Most addresses of one edge that are told, so that an answer has a bound.
const MOST_ADDRESSES: usize = 8;

/// One edge that viewers may be sent to.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    id: String,
    position: Option<Position>,
    preference: Option<usize>,
    /// IPv4 addresses.
    pub v4: Vec<Ipv4Addr>,
    /// IPv6 addresses.
    pub v6: Vec<Ipv6Addr>,
    /// Port for HTTPS.
    pub https_port: Option<u16>,
}

/// All live edges.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edges(Vec<Live>);

impl Edges {
    /// The edges of these beats; `order` is the operator's.
    pub fn new(beats: &[Beat], order: &[String]) -> Self {
        Self(beats.iter().map(|beat| live(beat, order)).collect())
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The best first, for a client that is there.
    pub fn ranked(&self, client: Option<Position>) -> impl Iterator<Item = &Live> {
        let candidates: Vec<_> = self.0.iter().map(Live::candidate).collect();
        let ranked = rank(client, &candidates).into_iter();
        ranked.filter_map(|index| self.0.get(index))
    }
}

impl Live {
    fn candidate(&self) -> Candidate<'_> {
        Candidate { id: &self.id, position: self.position, preference: self.preference }
    }
}

fn live(beat: &Beat, order: &[String]) -> Live {
    let mut edge = Live {
        id: beat.id.to_string(),
        position: beat
            .position
            .and_then(|(latitude, longitude)| Position::new(latitude, longitude)),
        preference: order.iter().position(|id| id == beat.id.as_str()),
        v4: Vec::new(),
        v6: Vec::new(),
        https_port: beat.https_port,
    };
    let told = beat.addresses.iter().map(IpAddr::to_canonical);
    for address in told.filter(reachable).take(MOST_ADDRESSES) {
        match address {
            IpAddr::V4(v4) => edge.v4.push(v4),
            IpAddr::V6(v6) => edge.v6.push(v6),
        }
    }
    edge
}

/// Whether a viewer can connect to it at all: `0.0.0.0` is where an edge listens, not where it is.
const fn reachable(address: &IpAddr) -> bool {
    !address.is_unspecified() && !address.is_multicast()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(id: &str, addresses: &[&str]) -> Beat {
        Beat {
            role: ports::registry::Role::Edge,
            id: id.into(),
            incarnation: 1,
            pop: "X".into(),
            position: Some((200.0, 0.0)),
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            http_port: Some(80),
            https_port: Some(443),
            acknowledged: model::units::Revision(0),
        }
    }

    #[test]
    fn only_what_viewers_can_reach_is_told() {
        let beats = [beat("a", &["0.0.0.0", "::", "::ffff:192.0.2.1", "2001:db8::1", "224.0.0.1"])];
        let edges = Edges::new(&beats, &[]);
        let edge = edges.ranked(None).next().unwrap();
        assert_eq!(edge.v4, [Ipv4Addr::new(192, 0, 2, 1)]);
        assert_eq!(edge.v6.len(), 1);
        assert_eq!(edge.position, None); // 200 degrees north is nowhere
    }

    #[test]
    fn an_edge_has_a_bound() {
        let many = vec!["192.0.2.1"; 100];
        let edges = Edges::new(&[beat("a", &many)], &[]);
        assert_eq!(edges.ranked(None).next().unwrap().v4.len(), MOST_ADDRESSES);
    }
}
