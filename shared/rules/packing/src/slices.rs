//! How a long body is divided, and what is there of one slice.

use bytes::{Bytes, BytesMut};

/// Bytes in a slice; the last one of a body may be shorter.
pub const SLICE: u64 = 1 << 20;

/// Names one version of a body. The slices of another version have other keys, so they are never
/// mixed. Chosen at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Generation(pub u64);

/// Bytes of a slice that are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first one within the slice; less than [`SLICE`].
    pub start: u64,
    /// The bytes; at least one.
    pub bytes: Bytes,
}

impl Span {
    /// Offset after the last byte.
    pub fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

/// What is there of a slice: spans in order that neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice(Vec<Span>);

impl Slice {
    /// Most spans that are kept; beyond it the shortest goes.
    pub const MOST_SPANS: usize = 16;

    /// A slice of which this is there.
    pub fn of(start: u64, bytes: Bytes) -> Self {
        Self::default().with(Span { start, bytes })
    }

    /// The spans, in order.
    pub fn spans(&self) -> &[Span] {
        &self.0
    }

    /// The same with these bytes, too. Where both have a byte, it is the same one.
    #[must_use]
    pub fn with(mut self, span: Span) -> Self {
        if span.bytes.is_empty() || self.has(span.start, span.end()) {
            return self;
        }
        let touches = |other: &Span| other.start <= span.end() && span.start <= other.end();
        let (near, mut apart): (Vec<_>, Vec<_>) = self.0.into_iter().partition(touches);
        apart.push(joined(near, span));
        apart.sort_by_key(|span| span.start);
        self.0 = apart;
        self.forget_beyond(Self::MOST_SPANS);
        self
    }

    fn forget_beyond(&mut self, most: usize) {
        while self.0.len() > most {
            let shortest = self.0.iter().map(|span| span.bytes.len()).min();
            if let Some(at) = self.0.iter().position(|span| Some(span.bytes.len()) == shortest) {
                self.0.remove(at);
            }
        }
    }

    /// The bytes from `start` on without a gap, `end` excluded; empty when `start` is not there.
    pub fn from(&self, start: u64, end: u64) -> Bytes {
        let Some(span) = self.0.iter().find(|span| span.start <= start && start < span.end())
        else {
            return Bytes::new();
        };
        let (from, to) = (start - span.start, end.min(span.end()) - span.start);
        match (usize::try_from(from), usize::try_from(to)) {
            (Ok(from), Ok(to)) if from < to => span.bytes.slice(from..to),
            _ => Bytes::new(),
        }
    }

    /// Whether all bytes from `start` to `end`, which is excluded, are there.
    pub fn has(&self, start: u64, end: u64) -> bool {
        start >= end || self.0.iter().any(|span| span.start <= start && end <= span.end())
    }

    /// Bytes that are there.
    pub fn length(&self) -> u64 {
        self.0.iter().map(|span| span.bytes.len() as u64).sum()
    }
}

/// One span of several that touch `span`, and of `span`.
fn joined(near: Vec<Span>, span: Span) -> Span {
    if near.is_empty() {
        return span;
    }
    let start = near.iter().map(|other| other.start).min().unwrap_or(span.start).min(span.start);
    let mut all: Vec<Span> = near;
    all.push(span);
    all.sort_by_key(|span| span.start);
    let mut bytes = BytesMut::new();
    for span in all {
        let have = start + bytes.len() as u64;
        let skip = usize::try_from(have.saturating_sub(span.start)).unwrap_or(usize::MAX);
        bytes.extend_from_slice(span.bytes.get(skip..).unwrap_or_default());
    }
    // Exactly as long as it is: what is kept holds no more than is counted.
    Span { start, bytes: Bytes::from(bytes.to_vec().into_boxed_slice()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_slice_gives_back_what_was_put_into_it(parts in prop::collection::vec((0_u64..60, 1_u64..20), 0..12)) {
            let whole: Vec<u8> = (0..80).collect();
            let (mut slice, mut known) = (Slice::default(), [false; 80]);
            for (start, length) in parts {
                let range = usize::try_from(start).unwrap()..usize::try_from(start + length).unwrap();
                known[range.clone()].fill(true);
                slice = slice.with(Span { start, bytes: Bytes::copy_from_slice(&whole[range]) });
            }
            for start in 0..80_usize {
                let gap = known[start..].iter().position(|known| !known).unwrap_or(80 - start);
                let got = slice.from(start as u64, 80);
                prop_assert_eq!(&got[..], &whole[start..start + gap]);
                prop_assert_eq!(slice.has(start as u64, 80), gap == 80 - start);
            }
            prop_assert_eq!(slice.length(), known.iter().filter(|known| **known).count() as u64);
            let apart = slice.spans().windows(2).all(|pair| pair[0].end() < pair[1].start);
            prop_assert!(apart);
        }
    }

    #[test]
    fn crumbs_without_end_are_not_kept() {
        let slice = (0..100).fold(Slice::default(), |slice, at| {
            slice.with(Span { start: at * 3, bytes: Bytes::from_static(b"x") })
        });
        assert_eq!(slice.spans().len(), Slice::MOST_SPANS);
    }
}
