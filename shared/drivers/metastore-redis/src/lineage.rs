//! Which history we have told our readers.
//!
//! Redis replicates after it has answered, so a replica that takes over may lack the last commits
//! and give their revisions to others. Every commit therefore bears a random mark: a revision whose
//! mark has changed is of another history.

use model::units::Revision;
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// Most revisions remembered.
const MOST: usize = 16_384;

/// The newest commit of a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Its place.
    pub revision: Revision,
    /// Its mark; empty before the first commit.
    pub mark: String,
}

impl Head {
    /// From its parts.
    pub fn of(revision: u64, mark: String) -> Self {
        Self { revision: Revision(revision), mark }
    }
}

/// Marks of revisions that were handed out.
#[derive(Debug, Default)]
pub struct Lineage {
    told: Mutex<BTreeMap<Revision, String>>,
}

impl Lineage {
    /// A reader is told of this commit.
    pub fn tell(&self, revision: Revision, mark: &str) {
        let mut told = self.told.lock();
        told.insert(revision, mark.to_owned());
        if told.len() > MOST {
            told.pop_first();
        }
    }

    /// Whether this is the commit that readers know by this revision, as far as we can say.
    pub fn agrees(&self, revision: Revision, mark: Option<&str>) -> bool {
        let told = self.told.lock();
        told.get(&revision).is_none_or(|told| Some(told.as_str()) == mark)
    }

    /// Whether one who stands at this revision has something to hear of, given this head.
    pub fn is_news(&self, stands: Revision, head: &Head) -> bool {
        head.revision != stands || !self.agrees(stands, Some(&head.mark))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_with_another_mark_is_of_another_history() {
        let (lineage, at) = (Lineage::default(), Revision(7));
        lineage.tell(at, "a");
        let head = |revision, mark: &str| Head::of(revision, mark.to_owned());
        assert!(!lineage.is_news(at, &head(7, "a")));
        assert!(lineage.is_news(at, &head(7, "b")));
        assert!(lineage.is_news(at, &head(6, "a")) && lineage.is_news(at, &head(8, "a")));
        assert!(lineage.agrees(Revision(8), Some("x")) && !lineage.agrees(at, None));
    }

    #[test]
    fn only_the_newest_revisions_are_remembered() {
        let lineage = Lineage::default();
        for revision in 0..=MOST as u64 {
            lineage.tell(Revision(revision), "a");
        }
        assert!(lineage.agrees(Revision(0), Some("b")));
        assert!(!lineage.agrees(Revision(1), Some("b")));
    }
}
