//! What has been invalidated, across all distributions of this edge.
//!
//! For: giving invalidations numbers in the order in which they are applied here, so that whatever
//! was asked of an origin before one was applied is never served after it.
//! Not for: what a path matches (`rules/invalidation`).

use model::feed::{INVALIDATIONS, Invalidation};
use parking_lot::RwLock;
use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

/// All bans of this edge.
#[derive(Default)]
pub struct Bans {
    /// The last number that is in force.
    latest: AtomicU64,
    /// Whatever was not checked up to here is banned, whosever it is.
    floor: AtomicU64,
    by_distribution: RwLock<HashMap<String, invalidation::Bans>>,
}

impl Bans {
    /// What a fetch that starts now is checked up to.
    pub fn latest(&self) -> u64 {
        self.latest.load(Ordering::Acquire)
    }

    /// Puts an invalidation of the feed in force. One that cannot be read bans all that its
    /// distribution has: too much is forgotten rather than too little.
    pub fn invalidate(&self, key: &str, value: &[u8]) {
        match serde_json::from_slice::<Invalidation>(value) {
            Ok(batch) => self.ban(batch.distribution.as_str(), &batch.paths),
            Err(why) => {
                tracing::error!(%why, key, "an invalidation cannot be read: all is invalidated");
                let rest = key.strip_prefix(INVALIDATIONS).unwrap_or_default();
                let distribution = rest.split('/').next().unwrap_or_default();
                self.ban(distribution, &["/*".to_owned()]);
            }
        }
    }

    fn ban(&self, distribution: &str, paths: &[String]) {
        let mut all = self.by_distribution.write();
        let number = self.latest() + 1;
        all.entry(distribution.to_owned()).or_default().add(number, paths);
        // Only now: who starts asking from here on asks after the ban.
        self.latest.store(number, Ordering::Release);
    }

    /// Nothing that was asked for before is ever served again.
    pub fn forget_everything(&self) {
        let mut all = self.by_distribution.write();
        let number = self.latest() + 1;
        all.clear();
        self.floor.store(number, Ordering::Release);
        self.latest.store(number, Ordering::Release);
    }

    /// Whether a ban later than `checked_up_to` matches. `target` is the path in the key, with
    /// `?query` if there is one in it. Nothing but two comparisons when there is nothing new.
    pub fn banned_since(&self, distribution: &str, target: &str, checked_up_to: u64) -> bool {
        if checked_up_to >= self.latest() {
            return false;
        }
        if checked_up_to < self.floor.load(Ordering::Acquire) {
            return true;
        }
        let all = self.by_distribution.read();
        all.get(distribution).is_some_and(|bans| bans.banned_since(target, checked_up_to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{ids::DistributionId, units::Timestamp};

    fn batch(distribution: &str, path: &str) -> Vec<u8> {
        let batch = Invalidation {
            id: "I1".into(),
            distribution: DistributionId(distribution.into()),
            paths: vec![path.into()],
            caller_reference: "r".into(),
            created: Timestamp(0),
        };
        serde_json::to_vec(&batch).unwrap()
    }

    #[test]
    fn a_ban_holds_for_what_was_asked_before_it_and_for_its_distribution() {
        let bans = Bans::default();
        let before = bans.latest();
        bans.invalidate("invalidation/E1/I1", &batch("E1", "/a*"));
        assert!(bans.banned_since("E1", "/abc", before));
        assert!(!bans.banned_since("E1", "/b", before));
        assert!(!bans.banned_since("E2", "/abc", before));
        assert!(!bans.banned_since("E1", "/abc", bans.latest()));
    }

    #[test]
    fn what_cannot_be_read_bans_its_whole_distribution() {
        let bans = Bans::default();
        let before = bans.latest();
        bans.invalidate("invalidation/E1/I1", b"{");
        assert!(bans.banned_since("E1", "/anything", before));
        assert!(!bans.banned_since("E2", "/anything", before));
    }

    #[test]
    fn forgetting_everything_spares_only_what_is_asked_afterwards() {
        let bans = Bans::default();
        let before = bans.latest();
        bans.forget_everything();
        assert!(bans.banned_since("E9", "/x", before));
        assert!(!bans.banned_since("E9", "/x", bans.latest()));
    }
}
