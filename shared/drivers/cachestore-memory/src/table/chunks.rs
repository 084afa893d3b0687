//! A list that grows and shrinks without moving what it holds.
//!
//! For: tables of millions of places whose growth must stop nobody. Not for: small lists.

/// Items of a chunk.
const CHUNK: usize = 512;

/// Items by number; the numbers are `0..len`.
pub(super) struct Chunks<T> {
    /// All but the last one are full, none is empty.
    chunks: Vec<Vec<T>>,
}

impl<T> Chunks<T> {
    pub(super) fn new() -> Self {
        Self { chunks: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        let last = self.chunks.last().map_or(CHUNK, Vec::len);
        (self.chunks.len() * CHUNK + last).saturating_sub(CHUNK)
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        let number = number as usize;
        self.chunks.get(number / CHUNK)?.get(number % CHUNK)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        let number = number as usize;
        self.chunks.get_mut(number / CHUNK)?.get_mut(number % CHUNK)
    }

    pub(super) fn push(&mut self, item: T) {
        match self.chunks.last_mut().filter(|chunk| chunk.len() < CHUNK) {
            Some(chunk) => chunk.push(item),
            None => self.begin(item),
        }
    }

    /// The first chunk grows by doubling, so that a small table takes little.
    fn begin(&mut self, item: T) {
        let room = if self.chunks.is_empty() { 0 } else { CHUNK };
        let mut chunk = Vec::with_capacity(room);
        chunk.push(item);
        self.chunks.push(chunk);
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let chunk = self.chunks.last_mut()?;
        let item = chunk.pop();
        if chunk.is_empty() {
            self.chunks.pop();
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_list(steps in prop::collection::vec((any::<bool>(), 0_u32..2_000), 0..20)) {
            let (mut list, mut model) = (Chunks::new(), Vec::new());
            for (grow, many) in steps {
                for item in 0..many {
                    if grow {
                        list.push(item);
                        model.push(item);
                    } else {
                        prop_assert_eq!(list.pop(), model.pop());
                    }
                }
                prop_assert_eq!(list.len(), model.len());
            }
            for number in 0..10_000 {
                prop_assert_eq!(list.get(number), model.get(number as usize));
            }
        }
    }
}
