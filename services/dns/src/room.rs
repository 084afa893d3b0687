//! Room for TCP connections.
//!
//! For: a bound in all, and one for each client, so that a single one that opens many and says
//! nothing does not keep the others out (RFC 7766 §6.2.2). Not for: how long a connection may last.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Most connections at once.
const MOST: usize = 256;
/// Most of one client.
const MOST_OF_ONE: usize = 64;
/// One client has an IPv6 network of this size to itself.
const ONE_CLIENT: u8 = 64;

/// How many connections each client has; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Room {
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// Room for one connection, until it is dropped.
#[derive(Debug)]
pub struct Place {
    room: Room,
    client: IpAddr,
}

impl Room {
    /// Room for one more connection of this client; none when there is none.
    pub fn take(&self, peer: IpAddr) -> Option<Place> {
        let client = client(peer);
        let mut taken = self.lock();
        let all: usize = taken.values().sum();
        let own = taken.get(&client).copied().unwrap_or_default();
        if all >= MOST || own >= MOST_OF_ONE {
            return None;
        }
        taken.insert(client, own + 1);
        Some(Place { room: self.clone(), client })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.room.lock();
        let left = taken.get(&self.client).map_or(0, |own| own.saturating_sub(1));
        if left == 0 {
            taken.remove(&self.client);
        } else {
            taken.insert(self.client, left);
        }
    }
}

fn client(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        v4 @ IpAddr::V4(_) => v4,
        v6 @ IpAddr::V6(_) => geo::mask(v6, ONE_CLIENT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(room: &Room, peer: &str) -> Vec<Place> {
        let peer = peer.parse().unwrap();
        std::iter::from_fn(|| room.take(peer)).collect()
    }

    #[test]
    fn one_client_leaves_room_for_others_and_all_have_a_bound() {
        let room = Room::default();
        let first = filled(&room, "192.0.2.1");
        assert_eq!(first.len(), MOST_OF_ONE);
        let others: Vec<_> = (2..=5).map(|n| filled(&room, &format!("192.0.2.{n}"))).collect();
        assert_eq!(others.iter().map(Vec::len).sum::<usize>(), MOST - MOST_OF_ONE);
        drop(first);
        assert_eq!(filled(&room, "192.0.2.9").len(), MOST_OF_ONE);
        drop(others);
        assert!(room.lock().is_empty());
    }

    #[test]
    fn an_ipv6_network_is_one_client_and_so_is_an_ipv4_address_in_ipv6() {
        let room = Room::default();
        let _held = filled(&room, "2001:db8::1");
        assert!(room.take("2001:db8::2".parse().unwrap()).is_none());
        let _other = filled(&room, "::ffff:192.0.2.1");
        assert!(room.take("192.0.2.1".parse().unwrap()).is_none());
        assert!(room.take("192.0.2.2".parse().unwrap()).is_some());
    }
}
