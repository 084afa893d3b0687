//! What is known about one request, by condition key.

use std::collections::BTreeMap;

/// Values by condition key. Keys are compared without regard to case, as IAM does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    /// With one more value of this key.
    pub fn add(&mut self, key: &str, value: impl Into<String>) -> &mut Self {
        self.0.entry(key.to_lowercase()).or_default().push(value.into());
        self
    }

    /// Takes all values of a key away.
    pub fn remove(&mut self, key: &str) -> &mut Self {
        self.0.remove(&key.to_lowercase());
        self
    }

    /// The values of a key whose letters are all small; none when the request has no such key.
    pub(crate) fn get(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// Whether the request has this key.
    pub fn has(&self, key: &str) -> bool {
        !self.get(&key.to_lowercase()).is_empty()
    }
}
