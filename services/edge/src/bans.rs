//! What has been invalidated, across all distributions of this edge.
//!
//! For: giving invalidations numbers in the order in which they are applied here, so that whatever
//! was asked of an origin before one was applied is never served after it.
//!
//! A number is the revision of the change that brought it, behind how often this edge had to begin
//! anew: so it means the same to a later process, as long as the history is the same.
//! Not for: what a path matches (`rules/invalidation`).

use model::{
    feed::{INVALIDATIONS, Invalidation, KEPT_INVALIDATIONS},
    units::Revision,
};
use parking_lot::RwLock;
use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

/// Bits of a number that are the revision.
const REVISION: u32 = 48;

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

    /// How often this edge had to begin anew.
    pub fn generation(&self) -> u64 {
        self.latest() >> REVISION
    }

    /// Puts the invalidations of one change in force, by key. One that cannot be read bans all that
    /// its distribution has: too much is forgotten rather than too little.
    pub fn invalidate<'a>(
        &self,
        revision: Revision,
        invalidations: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) {
        let mut invalidations = invalidations.into_iter().peekable();
        if invalidations.peek().is_none() {
            return;
        }
        let mut all = self.by_distribution.write();
        let number = number(self.generation(), revision).max(self.latest() + 1);
        invalidations.for_each(|(key, value)| ban(&mut all, number, key, value));
        // Only now: who starts asking from here on asks after the ban.
        self.latest.store(number, Ordering::Release);
    }

    /// Nothing that was asked for before is ever served again: the history begins anew with this
    /// revision.
    pub fn forget_everything(&self, revision: Revision) {
        let mut all = self.by_distribution.write();
        let number = number(self.generation() + 1, revision);
        all.clear();
        self.floor.store(number, Ordering::Release);
        self.latest.store(number, Ordering::Release);
    }

    /// An earlier process kept copies in this generation, and these are all invalidations up to
    /// `revision` that are still known: puts them in force as if they had been heard then. Where a
    /// distribution may have had earlier ones, all that it had before the first known one is banned.
    /// To be called first of all.
    pub fn recall<'a>(
        &self,
        generation: u64,
        revision: Revision,
        invalidations: impl IntoIterator<Item = (Revision, &'a str, &'a [u8])>,
    ) {
        let mut invalidations: Vec<_> = invalidations.into_iter().collect();
        invalidations.sort_unstable_by_key(|(revision, ..)| *revision);
        let mut all = self.by_distribution.write();
        for (distribution, revision) in beginnings(&invalidations) {
            let number = number(generation, revision);
            all.entry(distribution.to_owned()).or_default().add(number, ["/*"]);
        }
        for (revision, key, value) in &invalidations {
            ban(&mut all, number(generation, *revision), key, value);
        }
        self.floor.store(number(generation, Revision(0)), Ordering::Release);
        self.latest.store(number(generation, revision), Ordering::Release);
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

/// Distributions of which invalidations may have been forgotten, and the first that is known.
fn beginnings<'a>(known: &[(Revision, &'a str, &[u8])]) -> Vec<(&'a str, Revision)> {
    let mut first: HashMap<&str, (Revision, usize)> = HashMap::new();
    for (revision, key, _) in known {
        first.entry(distribution_of(key)).or_insert((*revision, 0)).1 += 1;
    }
    let many = first.into_iter().filter(|(_, (_, count))| *count >= KEPT_INVALIDATIONS);
    many.map(|(distribution, (revision, _))| (distribution, revision)).collect()
}

fn distribution_of(key: &str) -> &str {
    let rest = key.strip_prefix(INVALIDATIONS).unwrap_or_default();
    rest.split('/').next().unwrap_or_default()
}

fn number(generation: u64, revision: Revision) -> u64 {
    generation << REVISION | revision.0
}

fn ban(all: &mut HashMap<String, invalidation::Bans>, number: u64, key: &str, value: &[u8]) {
    match serde_json::from_slice::<Invalidation>(value) {
        Ok(batch) => {
            all.entry(batch.distribution.as_str().to_owned()).or_default().add(number, batch.paths);
        }
        Err(why) => {
            tracing::error!(%why, key, "an invalidation cannot be read: all is invalidated");
            all.entry(distribution_of(key).to_owned()).or_default().add(number, ["/*"]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{ids::DistributionId, units::Timestamp};

    const KEY: &str = "invalidation/E1/I1";

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

    /// An invalidation was forgotten by the metadata store while an edge was down, and what it had
    /// invalidated came back from that edge's disk.
    #[test]
    fn where_invalidations_may_have_been_forgotten_all_before_the_first_known_one_is_banned() {
        let (many, few) = (batch("E1", "/x"), batch("E2", "/x"));
        let told = |number: usize| Revision(100 + number as u64);
        let known = (0..KEPT_INVALIDATIONS).map(|number| (told(number), KEY, many.as_slice()));
        let other = (told(0), "invalidation/E2/I1", few.as_slice());
        let bans = Bans::default();
        bans.recall(0, Revision(5000), known.chain([other]));
        assert!(bans.banned_since("E1", "/a", number(0, Revision(99))));
        assert!(!bans.banned_since("E1", "/a", number(0, Revision(100))));
        assert!(!bans.banned_since("E2", "/a", number(0, Revision(99))));
    }

    #[test]
    fn a_ban_holds_for_what_was_asked_before_it_and_for_its_distribution() {
        let bans = Bans::default();
        let before = bans.latest();
        bans.invalidate(Revision(1), [(KEY, &batch("E1", "/a*")[..])]);
        assert!(bans.banned_since("E1", "/abc", before));
        assert!(!bans.banned_since("E1", "/b", before));
        assert!(!bans.banned_since("E2", "/abc", before));
        assert!(!bans.banned_since("E1", "/abc", bans.latest()));
    }

    #[test]
    fn what_cannot_be_read_bans_its_whole_distribution() {
        let bans = Bans::default();
        let before = bans.latest();
        bans.invalidate(Revision(1), [(KEY, &b"{"[..])]);
        assert!(bans.banned_since("E1", "/anything", before));
        assert!(!bans.banned_since("E2", "/anything", before));
    }

    #[test]
    fn forgetting_everything_spares_only_what_is_asked_afterwards() {
        let bans = Bans::default();
        let before = bans.latest();
        bans.forget_everything(Revision(0));
        assert!(bans.banned_since("E9", "/x", before));
        assert!(!bans.banned_since("E9", "/x", bans.latest()));
    }

    #[test]
    fn a_later_process_bans_what_was_invalidated_after_it_was_asked_for() {
        let (earlier, later) = (Bans::default(), Bans::default());
        earlier.forget_everything(Revision(5));
        let at_five = earlier.latest();
        let (one, two) = (batch("E1", "/a*"), batch("E1", "/b"));
        earlier.invalidate(Revision(7), [(KEY, &one[..])]);
        let at_seven = earlier.latest();
        let known = [(Revision(9), KEY, &two[..]), (Revision(7), KEY, &one[..])];
        later.recall(earlier.generation(), Revision(12), known);
        assert!(
            later.banned_since("E1", "/abc", at_five) && later.banned_since("E1", "/b", at_five)
        );
        assert!(!later.banned_since("E1", "/abc", at_seven));
        assert!(later.banned_since("E1", "/b", at_seven));
        assert!(!later.banned_since("E1", "/c", at_five), "not invalidated at all");
        assert!(later.banned_since("E1", "/c", Bans::default().latest()), "of another generation");
        later.invalidate(Revision(13), [(KEY, &batch("E1", "/c")[..])]);
        assert!(later.banned_since("E1", "/c", at_seven));
    }
}
