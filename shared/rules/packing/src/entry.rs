//! An entry of a store: a response, or a slice of one.
//!
//! A small response is one allocation: fixed fields, the header values that are its own, its body.

use crate::{Content, Generation, SLICE, Slice, Stored, Template, Values, values};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use model::units::{Seconds, Timestamp};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use triomphe::ThinArc;

/// Longest body that lies in the block itself.
const PACKED: usize = 16 << 10;
/// What the allocator keeps beside a block, and what rounding up costs on average.
const ALLOCATION: usize = 24;
/// What a body beside the block costs: the box, the handle, the allocation.
const BESIDE: usize = 96;

/// What a store keeps. Clones share it, and cost one counter.
#[derive(Clone)]
pub struct Entry(ThinArc<Fixed, u8>);

/// What every entry has, in front of its bytes.
struct Fixed {
    template: Arc<Template>,
    beside: Option<Box<Beside>>,
    bans_checked: AtomicU64,
    received_at: Timestamp,
    /// Milliseconds from the request to the answer.
    took: u32,
    initial_age: u32,
    fresh_for: u32,
    /// Bytes of own header values; what follows them is the body.
    values: u16,
    status: u16,
}

/// What does not lie in the block.
enum Beside {
    /// A body that is too long for it.
    Whole(Bytes),
    /// The length of a body in slices, and which.
    Sliced(u64, Generation),
    /// This entry is a slice.
    Slice(Slice),
    /// Header values that are too long for a block, and the body after them.
    Long(Box<[u8]>, Bytes),
}

impl Entry {
    /// Packs a response. What is in it is copied, but for a body of one long piece.
    pub fn pack(stored: &Stored) -> Self {
        let template = Template::of(&stored.headers);
        let mut block = Vec::new();
        let own = template.lines.iter().zip(stored.headers.iter());
        for ((_, common), (_, value)) in own {
            if common.is_none() {
                values::push(value.as_bytes(), &mut block);
            }
        }
        let (values, beside) = match (&stored.content, u16::try_from(block.len())) {
            (Content::Sliced(generation), Ok(values)) => {
                (values, Some(Beside::Sliced(stored.length, *generation)))
            }
            (Content::Whole(pieces), Ok(values)) if length(pieces) <= PACKED => {
                for piece in pieces {
                    block.extend_from_slice(piece);
                }
                (values, None)
            }
            (Content::Whole(pieces), Ok(values)) => (values, Some(Beside::Whole(one(pieces)))),
            // Heads are limited to half of this: what is beyond has no place in slices.
            (_, Err(_)) => {
                let long = std::mem::take(&mut block).into_boxed_slice();
                (0, Some(Beside::Long(long, one(stored.pieces()))))
            }
        };
        let fixed = Fixed {
            template,
            beside: beside.map(Box::new),
            bans_checked: AtomicU64::new(stored.bans_checked.load(Ordering::Relaxed)),
            received_at: stored.received_at,
            took: small(stored.received_at.0.saturating_sub(stored.requested_at.0)),
            initial_age: small(stored.initial_age.0),
            fresh_for: small(stored.fresh_for.0),
            values,
            status: stored.status.as_u16(),
        };
        Self(ThinArc::from_header_and_slice(fixed, &block))
    }

    /// An entry that is a slice.
    pub fn of_slice(slice: Slice) -> Self {
        let fixed = Fixed {
            template: Template::of(&HeaderMap::new()),
            beside: Some(Box::new(Beside::Slice(slice))),
            bans_checked: AtomicU64::new(0),
            received_at: Timestamp(0),
            took: 0,
            initial_age: 0,
            fresh_for: 0,
            values: 0,
            status: 0,
        };
        Self(ThinArc::from_header_and_slice(fixed, &[]))
    }

    /// The slice, if it is one.
    pub fn slice(&self) -> Option<&Slice> {
        match self.beside() {
            Some(Beside::Slice(slice)) => Some(slice),
            _ => None,
        }
    }

    /// The response, unless this is a slice.
    pub fn open(&self) -> Option<Stored> {
        let content = match self.beside() {
            Some(Beside::Slice(_)) => return None,
            Some(Beside::Sliced(_, generation)) => Content::Sliced(*generation),
            _ => Content::Whole(
                Some(self.body_bytes()).filter(|body| !body.is_empty()).into_iter().collect(),
            ),
        };
        Some(Stored {
            status: self.status(),
            headers: self.headers(),
            content,
            length: self.length(),
            requested_at: self.requested_at(),
            received_at: self.received_at(),
            initial_age: self.initial_age(),
            fresh_for: self.fresh_for(),
            bans_checked: AtomicU64::new(self.bans_checked()),
            entry: Some(self.clone()),
        })
    }

    /// Status of the response.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.fixed().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The lines of its head; those without a value take the next of [`values`](Self::values).
    pub fn template(&self) -> &Arc<Template> {
        &self.fixed().template
    }

    /// The header values that it does not share, in the order of its lines.
    pub fn values(&self) -> Values<'_> {
        Values(match self.beside() {
            Some(Beside::Long(values, _)) => values,
            _ => self.split().0,
        })
    }

    /// Its head.
    pub fn headers(&self) -> HeaderMap {
        let lines = &self.template().lines;
        let mut headers = HeaderMap::with_capacity(lines.len());
        let mut values = self.values();
        for (name, common) in lines {
            let value = common.clone().or_else(|| Some(values.next()?.header()));
            headers.extend(value.map(|value| (name.clone(), value)));
        }
        headers
    }

    /// The whole body, if it is not in slices.
    pub fn body(&self) -> Option<&[u8]> {
        match self.beside() {
            None => Some(self.split().1),
            Some(Beside::Whole(body) | Beside::Long(_, body)) => Some(body),
            Some(Beside::Sliced(..) | Beside::Slice(_)) => None,
        }
    }

    /// The same, shared; empty for one that is in slices.
    pub fn body_bytes(&self) -> Bytes {
        match self.beside() {
            None if self.split().1.is_empty() => Bytes::new(),
            None => Bytes::from_owner(Packed(self.clone())),
            Some(Beside::Whole(body) | Beside::Long(_, body)) => body.clone(),
            Some(Beside::Sliced(..) | Beside::Slice(_)) => Bytes::new(),
        }
    }

    /// Length of the whole body; of a slice, of what is there.
    pub fn length(&self) -> u64 {
        match self.beside() {
            None => self.split().1.len() as u64,
            Some(Beside::Whole(body) | Beside::Long(_, body)) => body.len() as u64,
            Some(Beside::Sliced(length, _)) => *length,
            Some(Beside::Slice(slice)) => slice.length(),
        }
    }

    /// Which slices have the body, if it is in slices.
    pub fn generation(&self) -> Option<Generation> {
        match self.beside() {
            Some(Beside::Sliced(_, generation)) => Some(*generation),
            _ => None,
        }
    }

    /// See [`Stored::requested_at`].
    pub fn requested_at(&self) -> Timestamp {
        let fixed = self.fixed();
        Timestamp(fixed.received_at.0.saturating_sub(fixed.took.into()))
    }

    /// See [`Stored::received_at`].
    pub fn received_at(&self) -> Timestamp {
        self.fixed().received_at
    }

    /// See [`Stored::initial_age`].
    pub fn initial_age(&self) -> Seconds {
        Seconds(self.fixed().initial_age.into())
    }

    /// See [`Stored::fresh_for`].
    pub fn fresh_for(&self) -> Seconds {
        Seconds(self.fixed().fresh_for.into())
    }

    /// See [`Stored::bans_checked`].
    pub fn bans_checked(&self) -> u64 {
        self.fixed().bans_checked.load(Ordering::Relaxed)
    }

    /// Every ban up to `number` has spared this.
    pub fn spared_up_to(&self, number: u64) {
        self.fixed().bans_checked.fetch_max(number, Ordering::Relaxed);
    }

    /// Bytes of memory that it takes, beside the handles to it.
    pub fn weight(&self) -> usize {
        let beside = self.beside().map_or(0, |beside| {
            BESIDE
                + match beside {
                    Beside::Whole(body) => body.len(),
                    Beside::Long(values, body) => values.len() + body.len(),
                    Beside::Sliced(..) => 0,
                    Beside::Slice(slice) => {
                        slice.spans().iter().map(|span| BESIDE + span.bytes.len()).sum()
                    }
                }
        });
        let block = size_of::<Fixed>() + self.0.slice.len() + ALLOCATION;
        block + beside + self.template().weight()
    }

    fn fixed(&self) -> &Fixed {
        &self.0.header.header
    }

    fn beside(&self) -> Option<&Beside> {
        self.fixed().beside.as_deref()
    }

    /// Own values, and the body after them.
    fn split(&self) -> (&[u8], &[u8]) {
        let block = &self.0.slice;
        block.split_at_checked(usize::from(self.fixed().values)).unwrap_or_default()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.slice().is_some() { "slice" } else { "response" };
        write!(out, "Entry({kind}, {} bytes)", self.length())
    }
}

/// Keeps the block of a body that is on its way.
struct Packed(Entry);

impl AsRef<[u8]> for Packed {
    fn as_ref(&self) -> &[u8] {
        self.0.split().1
    }
}

fn length(pieces: &[Bytes]) -> usize {
    pieces.iter().map(Bytes::len).sum()
}

/// All pieces as one, exactly as long as it is.
fn one(pieces: &[Bytes]) -> Bytes {
    match pieces {
        [piece] => piece.clone(),
        pieces => Bytes::from(pieces.concat().into_boxed_slice()),
    }
}

/// Spans beyond four bytes are as good as for ever.
fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

const _: () = assert!(SLICE <= u32::MAX as u64, "offsets in a slice have four bytes in records");

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    fn stored(headers: HeaderMap, content: Content, length: u64) -> Stored {
        Stored {
            status: StatusCode::NOT_FOUND,
            headers,
            content,
            length,
            requested_at: Timestamp(900),
            received_at: Timestamp(1_000),
            initial_age: Seconds(2),
            fresh_for: Seconds(3),
            bans_checked: AtomicU64::new(4),
            entry: None,
        }
    }

    fn heads() -> impl Strategy<Value = HeaderMap> {
        let names = ["content-type", "etag", "date", "set-cookie", "x-own", "vary"];
        let value = prop::collection::vec(0x21_u8..0x7f, 0..300);
        prop::collection::vec((prop::sample::select(names.to_vec()), value), 0..9).prop_map(
            |lines| {
                let mut headers = HeaderMap::new();
                for (name, value) in lines {
                    let name = HeaderName::from_static(name);
                    headers.append(name, HeaderValue::from_bytes(&value).unwrap());
                }
                headers
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_packed_opens_as_it_was(
            headers in heads(),
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9_000), 0..4),
        ) {
            let pieces: Vec<Bytes> = pieces.into_iter().map(Bytes::from).collect();
            let all = pieces.concat();
            let put = stored(headers.clone(), Content::Whole(pieces), all.len() as u64);
            let entry = Entry::pack(&put);
            let got = entry.open().unwrap();
            prop_assert_eq!(&got.headers, &headers);
            prop_assert_eq!(got.pieces().concat(), all.clone());
            prop_assert_eq!(entry.body().unwrap(), &all);
            prop_assert_eq!((got.status, got.length), (put.status, put.length));
            let times = |stored: &Stored| (stored.requested_at, stored.received_at, stored.initial_age, stored.fresh_for);
            prop_assert_eq!(times(&got), times(&put));
            prop_assert!(entry.weight() >= all.len());
        }
    }

    #[test]
    fn values_of_any_length_are_kept() {
        let mut headers = HeaderMap::new();
        headers.append("x-long", HeaderValue::from_bytes(&vec![b'x'; 70_000]).unwrap());
        let body = vec![Bytes::from_static(b"abc")];
        let entry = Entry::pack(&stored(headers.clone(), Content::Whole(body), 3));
        assert_eq!(entry.headers(), headers);
        assert_eq!(entry.body().unwrap(), b"abc");
    }

    #[test]
    fn a_ban_that_spared_an_opened_copy_has_spared_the_entry() {
        let entry = Entry::pack(&stored(HeaderMap::new(), Content::Whole(Vec::new()), 0));
        entry.open().unwrap().spared_up_to(9);
        assert_eq!(entry.bans_checked(), 9);
    }

    #[test]
    fn a_small_response_takes_little_beside_its_bytes() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "public, max-age=86400"),
            ("server", "nginx"),
            ("etag", "\"0123456789abcdef\""),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let body = vec![Bytes::from(vec![0; 512])];
        let entry = Entry::pack(&stored(headers, Content::Whole(body), 512));
        assert!(entry.weight() <= 512 + 128, "{}", entry.weight());
    }
}
