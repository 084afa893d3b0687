//! What is to be done now, in the order in which it is done: told by marks alone, so that no card is
//! read before its time, however many wait.

use crate::{
    acm::card::{CARDS, Card, Mark, WORK},
    control::Control,
    store::{self, Change, Kept, Otherwise, Stopped},
    wire::fault::Fault,
};
use model::units::Timestamp;
use ports::metastore::{Entry, MetaStore};

/// Marks read at a time.
const PAGE: usize = 1000;

/// Every mark whose time has come: renewals first, since what they renew is served and ends, then
/// whoever has waited longest.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub(super) async fn due(store: &dyn MetaStore, now: Timestamp) -> Result<Vec<Kept<Mark>>, Fault> {
    let (mut due, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = store.list(WORK, after.as_deref(), PAGE).await?;
        let last = page.len() < PAGE;
        after = page.last().map(|entry| entry.key.clone());
        due.extend(page.into_iter().map(read).filter(|kept| kept.value.next <= now));
        if last {
            break;
        }
    }
    due.sort_by_cached_key(|kept| (!kept.value.renewal, kept.value.next, kept.key.clone()));
    Ok(due)
}

/// One that says nothing, as those of old, is due: its card knows more.
fn read(entry: Entry) -> Kept<Mark> {
    let value = serde_json::from_slice(&entry.value).unwrap_or_default();
    Kept { key: entry.key, value, revision: entry.revision }
}

/// The key of the card that a mark is about.
pub(super) fn card_of(mark: &Kept<Mark>) -> String {
    format!("{CARDS}{}", mark.key.strip_prefix(WORK).unwrap_or_default())
}

/// The card, if its time has come as its mark says; a mark that says otherwise is put right.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub(super) async fn card(
    control: &Control,
    mark: &Kept<Mark>,
    now: Timestamp,
) -> Result<Option<Kept<Card>>, Fault> {
    let kept: Option<Kept<Card>> = store::get(control.store(), &card_of(mark)).await?;
    let right = kept.as_ref().and_then(|kept| Mark::of(&kept.value));
    if right == Some(mark.value) {
        return Ok(kept);
    }
    let mut change = Change::default();
    change.when(mark.unchanged(), Otherwise::Again);
    match right {
        Some(right) => change.put(mark.key.clone(), &right)?,
        None => change.delete(mark.key.clone()),
    };
    match change.commit(control.store()).await {
        Err(Stopped::Refused(fault)) => return Err(fault),
        Ok(_) | Err(Stopped::Again) => {}
    }
    Ok(kept.filter(|_| right.is_some_and(|right| right.next <= now)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use metastore_embedded::EmbeddedStore;
    use ports::metastore::{Commit, Write};

    async fn store(marks: &[(String, String)]) -> (EmbeddedStore, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::open(folder.path().join("marks.redb")).unwrap();
        for some in marks.chunks(500) {
            let put = |(id, text): &(String, String)| {
                Write::Put(format!("{WORK}{id}"), text.clone().into_bytes().into())
            };
            let commit = Commit { checks: Vec::new(), writes: some.iter().map(put).collect() };
            store.commit(commit).await.unwrap();
        }
        (store, folder)
    }

    fn mark(id: &str, next: u64, renewal: bool) -> (String, String) {
        let mark = Mark { next: Timestamp(next), renewal };
        (id.to_owned(), serde_json::to_string(&mark).unwrap())
    }

    async fn due_at(store: &EmbeddedStore, now: u64) -> Vec<String> {
        let due = due(store, Timestamp(now)).await.unwrap();
        due.iter().map(card_of).collect()
    }

    #[tokio::test]
    async fn a_renewal_is_begun_though_two_thousand_requests_wait_that_sort_before_it() {
        let waiting = (0..2500).map(|number| mark(&format!("a{number:04}"), 10, false));
        let marks: Vec<_> = waiting.chain([mark("z", 900, true)]).collect();
        let (store, _folder) = store(&marks).await;
        let due = due_at(&store, 1000).await;
        assert_eq!((due.len(), due[0].as_str()), (2501, "acm/z"));
    }

    #[tokio::test]
    async fn who_waits_longest_comes_first_and_nobody_before_his_time() {
        let mut marks = vec![mark("a", 500, false), mark("b", 100, false), mark("c", 2000, true)];
        marks.extend([mark("d", 300, true), ("old".to_owned(), "{}".to_owned())]);
        let (store, _folder) = store(&marks).await;
        assert_eq!(due_at(&store, 1000).await, ["acm/d", "acm/old", "acm/b", "acm/a"]);
        assert_eq!(due_at(&store, 0).await, ["acm/old"]);
    }
}
