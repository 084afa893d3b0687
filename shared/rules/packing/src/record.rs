//! An entry as bytes that outlive the process.
//!
//! Shape: little-endian; a kind, the fixed fields, the head line by line, the body or the spans.
//! What the bans spared is not in it: their numbers mean nothing to another process.
//! Errors: bytes that are no record give none; that they are the same bytes as were written is
//! for whoever keeps them to see to.

use crate::{Content, Entry, Generation, Slice, Span, Stored};
use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use model::units::{Seconds, Timestamp};
use std::sync::atomic::AtomicU64;

const WHOLE: u8 = 1;
const SLICED: u8 = 2;
const SLICE: u8 = 3;

impl Entry {
    /// Appends the record of this.
    pub fn record(&self, out: &mut Vec<u8>) {
        if let Some(slice) = self.slice() {
            return record_slice(slice, out);
        }
        out.push(if self.generation().is_some() { SLICED } else { WHOLE });
        out.extend_from_slice(&self.status().as_u16().to_le_bytes());
        let (fresh_for, initial_age) = (self.fresh_for().0, self.initial_age().0);
        for number in [self.requested_at().0, self.received_at().0, initial_age, fresh_for] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        let headers = self.headers();
        put_length(headers.len(), out);
        for (name, value) in &headers {
            put(name.as_str().as_bytes(), out);
            put(value.as_bytes(), out);
        }
        match (self.generation(), self.body()) {
            (Some(generation), _) => {
                out.extend_from_slice(&self.length().to_le_bytes());
                out.extend_from_slice(&generation.0.to_le_bytes());
            }
            (None, body) => put(body.unwrap_or_default(), out),
        }
    }

    /// How many bytes [`record`](Self::record) appends.
    pub fn record_length(&self) -> usize {
        if let Some(slice) = self.slice() {
            return 5 + slice.spans().iter().map(|span| 12 + span.bytes.len()).sum::<usize>();
        }
        let headers = self.headers();
        let head: usize =
            headers.iter().map(|(name, value)| 8 + name.as_str().len() + value.len()).sum();
        39 + head + self.body().map_or(16, |body| 4 + body.len())
    }

    /// Reads what [`record`](Self::record) wrote, and no more than that.
    pub fn from_record(record: &[u8]) -> Option<Self> {
        let mut reader = record;
        let entry = match reader.try_get_u8().ok()? {
            SLICE => Self::of_slice(slice(&mut reader)?),
            kind @ (WHOLE | SLICED) => Self::pack(&response(kind, &mut reader)?),
            _ => return None,
        };
        reader.is_empty().then_some(entry)
    }
}

fn record_slice(slice: &Slice, out: &mut Vec<u8>) {
    out.push(SLICE);
    put_length(slice.spans().len(), out);
    for span in slice.spans() {
        out.extend_from_slice(&span.start.to_le_bytes());
        put(&span.bytes, out);
    }
}

fn put_length(length: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

fn put(bytes: &[u8], out: &mut Vec<u8>) {
    put_length(bytes.len(), out);
    out.extend_from_slice(bytes);
}

fn take<'a>(reader: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(reader.try_get_u32_le().ok()?).ok()?;
    let (bytes, rest) = reader.split_at_checked(length)?;
    *reader = rest;
    Some(bytes)
}

fn slice(reader: &mut &[u8]) -> Option<Slice> {
    let spans = reader.try_get_u32_le().ok()?;
    let mut slice = Slice::default();
    for _ in 0..spans {
        let start = reader.try_get_u64_le().ok()?;
        let bytes = Bytes::copy_from_slice(take(reader)?);
        if start.saturating_add(bytes.len() as u64) > crate::SLICE {
            return None;
        }
        slice = slice.with(Span { start, bytes });
    }
    Some(slice)
}

fn response(kind: u8, reader: &mut &[u8]) -> Option<Stored> {
    let status = StatusCode::from_u16(reader.try_get_u16_le().ok()?).ok()?;
    let mut number = || reader.try_get_u64_le().ok();
    let (requested_at, received_at) = (Timestamp(number()?), Timestamp(number()?));
    let (initial_age, fresh_for) = (Seconds(number()?), Seconds(number()?));
    let headers = head(reader)?;
    let (content, length) = if kind == SLICED {
        let length = reader.try_get_u64_le().ok()?;
        (Content::Sliced(Generation(reader.try_get_u64_le().ok()?)), length)
    } else {
        let body = Bytes::copy_from_slice(take(reader)?);
        let length = body.len() as u64;
        (Content::Whole(vec![body]), length)
    };
    Some(Stored {
        status,
        headers,
        content,
        length,
        requested_at,
        received_at,
        initial_age,
        fresh_for,
        bans_checked: AtomicU64::new(0),
        entry: None,
    })
}

fn head(reader: &mut &[u8]) -> Option<HeaderMap> {
    let lines = reader.try_get_u32_le().ok()?;
    let mut headers = HeaderMap::new();
    for _ in 0..lines {
        let name = HeaderName::from_bytes(take(reader)?).ok()?;
        headers.try_append(name, HeaderValue::from_bytes(take(reader)?).ok()?).ok()?;
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn response(content: Content, length: u64) -> Entry {
        let mut headers = HeaderMap::new();
        headers.append("etag", HeaderValue::from_static("\"a\""));
        headers.append("set-cookie", HeaderValue::from_static("a=1"));
        headers.append("set-cookie", HeaderValue::from_static("b=2"));
        Entry::pack(&Stored {
            status: StatusCode::OK,
            headers,
            content,
            length,
            requested_at: Timestamp(1_000),
            received_at: Timestamp(2_000),
            initial_age: Seconds(3),
            fresh_for: Seconds(4),
            bans_checked: AtomicU64::new(5),
            entry: None,
        })
    }

    fn entries() -> impl Strategy<Value = Entry> {
        let body = prop::collection::vec(any::<u8>(), 0..20_000);
        let whole = body.prop_map(|body| {
            let length = body.len() as u64;
            response(Content::Whole(vec![Bytes::from(body)]), length)
        });
        let sliced = any::<(u64, u64)>()
            .prop_map(|(length, which)| response(Content::Sliced(Generation(which)), length));
        let slice = (0..crate::SLICE - 10)
            .prop_map(|start| Entry::of_slice(Slice::of(start, Bytes::from_static(b"0123456789"))));
        prop_oneof![whole, sliced, slice]
    }

    fn record(entry: &Entry) -> Vec<u8> {
        let mut record = Vec::new();
        entry.record(&mut record);
        record
    }

    proptest! {
        #[test]
        fn a_record_reads_as_it_was_written(entry in entries()) {
            let written = record(&entry);
            prop_assert_eq!(entry.record_length(), written.len());
            let read = Entry::from_record(&written).unwrap();
            prop_assert_eq!(record(&read), written);
            prop_assert_eq!(read.body(), entry.body());
            prop_assert_eq!(read.slice(), entry.slice());
            prop_assert_eq!(read.generation(), entry.generation());
            prop_assert_eq!(read.headers(), entry.headers());
        }

        #[test]
        fn a_record_that_is_cut_or_too_long_is_none(entry in entries(), cut in any::<prop::sample::Index>()) {
            let mut written = record(&entry);
            prop_assert!(Entry::from_record(&written[..cut.index(written.len())]).is_none());
            written.push(0);
            prop_assert!(Entry::from_record(&written).is_none());
        }

        #[test]
        fn garbage_does_no_harm(garbage in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Entry::from_record(&garbage);
        }
    }
}
