//! Keys in an order, with sizes: what every policy here is made of.

use std::collections::{BTreeMap, HashMap};

/// A line of keys, old ones first.
#[derive(Default)]
pub(crate) struct Ordered {
    places: HashMap<u64, (u64, u64)>,
    line: BTreeMap<u64, u64>,
    next: u64,
    /// Sum of sizes.
    pub(crate) bytes: u64,
}

impl Ordered {
    /// At the young end; the key must not be here.
    pub(crate) fn push(&mut self, key: u64, size: u64) {
        self.next += 1;
        self.places.insert(key, (self.next, size));
        self.line.insert(self.next, key);
        self.bytes += size;
    }

    /// Its size, if it was here.
    pub(crate) fn remove(&mut self, key: u64) -> Option<u64> {
        let (place, size) = self.places.remove(&key)?;
        self.line.remove(&place);
        self.bytes -= size;
        Some(size)
    }

    /// Key and size at the old end.
    pub(crate) fn oldest(&self) -> Option<(u64, u64)> {
        let (_, key) = self.line.first_key_value()?;
        let (_, size) = self.places.get(key)?;
        Some((*key, *size))
    }

    /// Takes the old end away.
    pub(crate) fn pop(&mut self) -> Option<(u64, u64)> {
        let (key, size) = self.oldest()?;
        self.remove(key);
        Some((key, size))
    }

    /// To the young end, if it is here.
    pub(crate) fn touch(&mut self, key: u64) -> bool {
        let size = self.remove(key);
        if let Some(size) = size {
            self.push(key, size);
        }
        size.is_some()
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }
}
