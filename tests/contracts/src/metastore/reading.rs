//! Single entries, pages and snapshots.

use super::{Stage, delete, done, put, value};
use futures::future::join;
use model::units::Revision;
use ports::metastore::{Entry, MetaStore, Write};

/// A commit that has returned is seen by every later call of anybody.
pub async fn a_commit_is_seen_through_every_handle(stage: &Stage) {
    for (turn, pair) in
        [(&stage.one, &stage.other), (&stage.other, &stage.one)].repeat(10).iter().enumerate()
    {
        let (writer, reader) = pair;
        done(&***writer, [put("k", turn.to_string())]).await;
        assert_eq!(value(&***reader, "k").await.unwrap(), turn.to_string());
    }
}

/// Pages of any size give the same whole, in the order of UTF-8 bytes.
pub async fn a_list_pages_in_the_order_of_bytes(stage: &Stage) {
    let store = &*stage.one;
    let mut inside = [
        "a/",
        "a/ ",
        "a/0",
        "a/00",
        "a/A",
        "a/a",
        "a/z",
        "a/~",
        "a/é",
        "a/日",
        "a/\u{10FFFF}",
        "a/\0",
    ];
    let outside = ["a", "a.", "a0", "A/1", "b", "é"];
    let puts: Vec<_> = inside.iter().chain(&outside).map(|key| put(key, *key)).collect();
    done(store, puts).await;
    inside.sort_unstable_by_key(|key| key.as_bytes());
    for size in [1, 2, 5, inside.len(), 100] {
        assert_eq!(pages(store, "a/", size).await, inside, "pages of {size}");
    }
    assert_eq!(pages(store, "", 4).await.len(), inside.len() + outside.len());
}

async fn pages(store: &dyn MetaStore, prefix: &str, size: usize) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    loop {
        let page = store.list(prefix, keys.last().map(String::as_str), size).await.unwrap();
        assert!(page.len() <= size);
        assert!(page.iter().all(|entry| entry.value == entry.key && entry.revision == Revision(1)));
        if page.is_empty() {
            return keys;
        }
        keys.extend(page.into_iter().map(|entry| entry.key));
    }
}

/// `after` may lie before, in or behind the prefix, and need not be a key.
pub async fn a_list_begins_where_both_prefix_and_after_say(stage: &Stage) {
    let store = &*stage.one;
    done(store, ["a/1", "a/2", "a/3", "b/1"].map(|key| put(key, ""))).await;
    let expected = [
        (None, 9, vec!["a/1", "a/2", "a/3"]),
        (Some(""), 9, vec!["a/1", "a/2", "a/3"]),
        (Some("A"), 9, vec!["a/1", "a/2", "a/3"]),
        (Some("a/"), 2, vec!["a/1", "a/2"]),
        (Some("a/1"), 1, vec!["a/2"]),
        (Some("a/11"), 9, vec!["a/2", "a/3"]),
        (Some("a/3"), 9, vec![]),
        (Some("b"), 9, vec![]),
        (None, 0, vec![]),
    ];
    for (after, limit, keys) in expected {
        let page = store.list("a/", after, limit).await.unwrap();
        assert_eq!(names(&page), keys, "after {after:?}");
    }
    assert_eq!(store.list("c", None, 9).await.unwrap(), []);
}

fn names(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.key.as_str()).collect()
}

/// More entries than any driver asks for at once, in one call without a bound.
pub async fn a_long_list_comes_whole(stage: &Stage) {
    let store = &*stage.one;
    let keys: Vec<_> = (0..9_000).map(|number| format!("many/{number:05}")).collect();
    done(store, keys.iter().map(|key| put(key, key.as_str())).collect::<Vec<_>>()).await;
    let list = store.list("many/", None, usize::MAX).await.unwrap();
    assert!(list.iter().map(|entry| &entry.key).eq(&keys));
    let snapshot = store.snapshot(&["many/"]).await.unwrap();
    assert_eq!(snapshot.entries, list);
    done(store, keys.iter().map(|key| delete(key)).collect::<Vec<_>>()).await;
    assert_eq!(store.list("", None, usize::MAX).await.unwrap(), []);
}

/// Keys that look like patterns or syntax, values that are no text.
pub async fn any_text_is_a_key_and_any_bytes_are_a_value(stage: &Stage) {
    let store = &*stage.one;
    let keys = [" ", "*", "a\nb", "[x", "(y", "{z}", "-", "+", "\0", "日本/ü", "'\"\\", "%00"];
    let values: [Vec<u8>; 4] =
        [(0..=255).collect(), vec![], vec![0xff, 0xfe, 0, b':', b'\r', b'\n'], vec![0; 100_000]];
    let puts: Vec<_> = keys
        .iter()
        .zip(values.iter().cycle())
        .map(|(key, value)| put(key, value.clone()))
        .collect();
    let revision = done(store, puts.clone()).await;
    let mut expected: Vec<_> = puts.iter().cloned().map(|write| entry(write, revision)).collect();
    for entry in &expected {
        assert_eq!(stage.other.get(&entry.key).await.unwrap().as_ref(), Some(entry));
        assert_eq!(store.list(&entry.key, None, 1).await.unwrap(), std::slice::from_ref(entry));
    }
    expected.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(store.snapshot(&[""]).await.unwrap().entries, expected);
    assert_eq!(super::follow(store, Revision(0), 10).await[0].writes, puts);
}

fn entry(write: Write, revision: Revision) -> Entry {
    match write {
        Write::Put(key, value) => Entry { key, value, revision },
        Write::Delete(key) => panic!("{key} was only put"),
    }
}

/// Prefixes that overlap give an entry once.
pub async fn a_snapshot_is_ordered_and_without_repeats(stage: &Stage) {
    let store = &*stage.one;
    assert_eq!(store.snapshot(&["a/"]).await.unwrap().revision, Revision(0));
    done(store, ["c/1", "a/2", "a/1", "b/1", "a/1/x"].map(|key| put(key, ""))).await;
    let taken = store.snapshot(&["c/", "a/", "a/1", "nothing/"]).await.unwrap();
    assert_eq!(names(&taken.entries), ["a/1", "a/1/x", "a/2", "c/1"]);
    assert_eq!(taken.revision, Revision(1));
    assert_eq!(store.snapshot(&[]).await.unwrap().entries, []);
    assert_eq!(store.snapshot(&[""]).await.unwrap().entries.len(), 5);
}

/// While a writer puts the same value under two prefixes in each commit, no snapshot ever sees two
/// values, nor another revision than that of its entries.
pub async fn a_snapshot_is_of_one_moment(stage: &Stage) {
    done(&*stage.one, [put("left/k", "0"), put("right/k", "0")]).await;
    let writing = async {
        for turn in 1..=40 {
            let turn = turn.to_string();
            done(&*stage.one, [put("left/k", turn.as_str()), put("right/k", turn.as_str())]).await;
        }
    };
    let reading = async {
        for _ in 0..40 {
            let taken = stage.other.snapshot(&["left/", "right/"]).await.unwrap();
            assert_eq!(taken.entries.len(), 2);
            assert!(taken.entries.iter().all(|entry| entry.revision == taken.revision));
            assert!(taken.entries.windows(2).all(|pair| pair[0].value == pair[1].value));
        }
    };
    join(writing, reading).await;
}
