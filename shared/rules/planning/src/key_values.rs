//! What a key value store may hold, and what a change makes of it.
//!
//! For: the bounds of keys, values and stores; the file that a store is filled from; counting.
//! Not for: keeping the pairs (control), nor for functions that read them.
//!
//! Source: CloudFront developer guide, "Amazon CloudFront `KeyValueStore`", "Quotas on key value
//! stores"; Amazon CloudFront `KeyValueStore` API reference.

use serde::Deserialize;
use std::collections::BTreeSet;

/// Longest key in bytes.
pub const MOST_KEY: usize = 512;
/// Longest value in bytes.
pub const MOST_VALUE: usize = 1024;
/// Most bytes of keys and values in one store.
pub const MOST_STORE: u64 = 5 << 20;
/// Longest file that a store is filled from, in bytes.
pub const MOST_FILE: usize = 5 << 20;
/// Most keys in one change.
pub const MOST_KEYS: usize = 50;
/// Most bytes of keys and values in one change.
pub const MOST_CHANGE: usize = 3 << 20;

/// How much a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Pairs.
    pub items: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
}

/// What is wrong with a change or a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Not what may be asked for.
    #[error("{0}")]
    Invalid(String),
    /// More than a store, or a change, may have.
    #[error("{0}")]
    TooMuch(String),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// 1 to [`MOST_KEY`] bytes.
    pub key: String,
    /// Up to [`MOST_VALUE`] bytes.
    pub value: String,
}

impl Pair {
    /// Bytes of key and value.
    pub fn weight(&self) -> u64 {
        weight(&self.key, &self.value)
    }

    /// Whether it may stand in a store.
    ///
    /// # Errors
    /// [`Wrong::Invalid`].
    pub fn check(&self) -> Result<(), Wrong> {
        check_key(&self.key)?;
        within(&format!("the value of {:?}", shortened(&self.key)), self.value.len(), MOST_VALUE)
    }
}

/// Bytes of a key and its value.
pub fn weight(key: &str, value: &str) -> u64 {
    (key.len() + value.len()) as u64
}

/// Whether this can be a key.
///
/// # Errors
/// [`Wrong::Invalid`].
pub fn check_key(key: &str) -> Result<(), Wrong> {
    if key.is_empty() {
        return Err(Wrong::Invalid("a key must not be empty".into()));
    }
    within(&format!("the key {:?}", shortened(key)), key.len(), MOST_KEY)
}

fn within(what: &str, is: usize, most: usize) -> Result<(), Wrong> {
    if is <= most {
        return Ok(());
    }
    Err(Wrong::Invalid(format!("{what} has {is} bytes, at most {most} are allowed")))
}

/// Enough of a key to know it by.
fn shortened(key: &str) -> String {
    key.chars().take(40).collect()
}

/// Whether these pairs may be put and these keys taken away in one change.
///
/// # Errors
/// [`Wrong::Invalid`] for a key that stands twice, for none at all, and for bad pairs;
/// [`Wrong::TooMuch`] beyond [`MOST_KEYS`] and [`MOST_CHANGE`].
pub fn check_change(puts: &[Pair], deletes: &[String]) -> Result<(), Wrong> {
    let keys = puts.len() + deletes.len();
    if keys == 0 {
        return Err(Wrong::Invalid("Puts and Deletes are both empty: nothing to do".into()));
    }
    if keys > MOST_KEYS {
        let message = format!("{keys} keys in one change, at most {MOST_KEYS} are allowed");
        return Err(Wrong::TooMuch(message));
    }
    puts.iter().try_for_each(Pair::check)?;
    deletes.iter().try_for_each(|key| check_key(key))?;
    no_key_twice(puts.iter().map(|pair| &pair.key).chain(deletes))?;
    let bytes: u64 = puts.iter().map(Pair::weight).sum();
    if bytes > MOST_CHANGE as u64 {
        let message = format!("{bytes} bytes in one change, at most {MOST_CHANGE} are allowed");
        return Err(Wrong::TooMuch(message));
    }
    Ok(())
}

fn no_key_twice<'k>(keys: impl Iterator<Item = &'k String>) -> Result<(), Wrong> {
    let mut seen = BTreeSet::new();
    for key in keys {
        if !seen.insert(key) {
            let message = format!("the key {:?} stands there twice", shortened(key));
            return Err(Wrong::Invalid(message));
        }
    }
    Ok(())
}

/// What a store holds once a pair of `old` bytes has become one of `new` bytes; none: no pair.
#[must_use]
pub fn held_after(held: Held, old: Option<u64>, new: Option<u64>) -> Held {
    let count = |pair: Option<u64>| u64::from(pair.is_some());
    Held {
        items: held.items.saturating_add(count(new)).saturating_sub(count(old)),
        bytes: held.bytes.saturating_add(new.unwrap_or(0)).saturating_sub(old.unwrap_or(0)),
    }
}

/// Whether a store may hold so much.
///
/// # Errors
/// [`Wrong::TooMuch`] beyond [`MOST_STORE`].
pub fn check_held(held: Held) -> Result<(), Wrong> {
    if held.bytes <= MOST_STORE {
        return Ok(());
    }
    let bytes = held.bytes;
    let message =
        format!("the store would hold {bytes} bytes of keys and values, at most {MOST_STORE}");
    Err(Wrong::TooMuch(message))
}

/// The pairs of a file that a store is filled from: `{"data":[{"key":"k","value":"v"}]}` in UTF-8.
///
/// # Errors
/// What is wrong with it, for the user.
pub fn read_file(bytes: &[u8]) -> Result<Vec<Pair>, Wrong> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        data: Vec<Pair>,
    }
    if bytes.len() > MOST_FILE {
        let is = bytes.len();
        return Err(Wrong::TooMuch(format!("the file has {is} bytes, at most {MOST_FILE}")));
    }
    let File { data } = serde_json::from_slice(bytes).map_err(|error| {
        let form = r#"{"data":[{"key":"k","value":"v"}]}"#;
        Wrong::Invalid(format!("the file is not JSON of the form {form}: {error}"))
    })?;
    data.iter().try_for_each(Pair::check)?;
    no_key_twice(data.iter().map(|pair| &pair.key))?;
    check_held(held(&data))?;
    Ok(data)
}

/// How much these pairs are.
pub fn held(pairs: &[Pair]) -> Held {
    pairs.iter().fold(Held::default(), |held, pair| held_after(held, None, Some(pair.weight())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn pair(key: &str, value: &str) -> Pair {
        Pair { key: key.into(), value: value.into() }
    }

    #[test]
    fn keys_and_values_have_their_bounds() {
        assert!(pair(&"k".repeat(MOST_KEY), &"v".repeat(MOST_VALUE)).check().is_ok());
        assert!(pair("k", "").check().is_ok());
        for wrong in [pair("", "v"), pair(&"k".repeat(513), "v"), pair("k", &"v".repeat(1025))] {
            assert!(matches!(wrong.check(), Err(Wrong::Invalid(_))), "{wrong:?}");
        }
        assert!(check_key(&"é".repeat(257)).is_err(), "bytes count, not characters");
    }

    #[test]
    fn a_change_has_its_bounds() {
        let puts: Vec<_> = (0..MOST_KEYS).map(|n| pair(&n.to_string(), "v")).collect();
        assert_eq!(check_change(&puts, &[]), Ok(()));
        assert!(matches!(check_change(&puts, &["more".into()]), Err(Wrong::TooMuch(_))));
        assert!(matches!(check_change(&[], &[]), Err(Wrong::Invalid(_))));
        let twice = [pair("a", "1"), pair("a", "2")];
        assert!(matches!(check_change(&twice, &[]), Err(Wrong::Invalid(_))));
        let both = check_change(&[pair("a", "1")], &["a".into()]);
        assert!(matches!(both, Err(Wrong::Invalid(_))));
    }

    #[test]
    fn a_store_has_its_bound() {
        let most = Held { items: 1, bytes: MOST_STORE };
        assert_eq!(check_held(most), Ok(()));
        assert!(check_held(held_after(most, None, Some(1))).is_err());
        assert_eq!(check_held(held_after(most, Some(10), Some(10))), Ok(()));
    }

    #[test]
    fn files_are_read_strictly() {
        let good = br#"{"data":[{"key":"a","value":"1"},{"key":"b","value":""}]}"#;
        assert_eq!(read_file(good).unwrap(), [pair("a", "1"), pair("b", "")]);
        assert_eq!(read_file(br#"{"data":[]}"#).unwrap(), []);
        for wrong in [
            &b"[]"[..],
            br#"{"data":[{"key":"a"}]}"#,
            br#"{"data":[{"key":"a","value":1}]}"#,
            br#"{"data":[{"key":"a","value":"1","more":2}]}"#,
            br#"{"data":[],"more":[]}"#,
            br#"{"data":[{"key":"a","value":"1"},{"key":"a","value":"1"}]}"#,
            br#"{"data":[{"key":"","value":"1"}]}"#,
            b"{\"data\":[{\"key\":\"\xff\",\"value\":\"1\"}]}",
        ] {
            assert!(read_file(wrong).is_err(), "{}", String::from_utf8_lossy(wrong));
        }
    }

    proptest! {
        #[test]
        fn counting_as_one_goes_gives_what_counting_all_gives(
            steps in prop::collection::vec(("[a-c]{1,2}", prop::option::of("[x-z]{0,9}")), 0..40),
        ) {
            let mut kept: BTreeMap<String, String> = BTreeMap::new();
            let mut counted = Held::default();
            for (key, value) in steps {
                let old = kept.get(&key).map(|value| weight(&key, value));
                let new = value.as_deref().map(|value| weight(&key, value));
                counted = held_after(counted, old, new);
                match value {
                    Some(value) => kept.insert(key, value),
                    None => kept.remove(&key),
                };
            }
            let pairs: Vec<_> = kept.iter().map(|(key, value)| pair(key, value)).collect();
            prop_assert_eq!(counted, held(&pairs));
        }

        #[test]
        fn no_file_makes_reading_panic(bytes: Vec<u8>) {
            let _ = read_file(&bytes);
        }
    }
}
