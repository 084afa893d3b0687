//! Checks, writes and entries as bytes.
//!
//! A record is a letter, then twice a length in four bytes (big-endian) and as many bytes.
//! Writes: `P` key, value; `D` key, nothing. Checks: `A` absent, `P` present, `N` none under,
//! each with nothing more, and `V` key, decimal revision. An entry is `REVISION:VALUE`.

use bytes::{Buf, BufMut, Bytes};
use model::units::Revision;
use ports::metastore::{Check, Entry, Write};

/// Records of these checks.
pub fn checks(checks: &[Check]) -> Vec<u8> {
    let mut out = Vec::new();
    for check in checks {
        match check {
            Check::Absent(key) => record(&mut out, b'A', key, b""),
            Check::Present(key) => record(&mut out, b'P', key, b""),
            Check::NoneUnder(prefix) => record(&mut out, b'N', prefix, b""),
            Check::At(key, revision) => {
                record(&mut out, b'V', key, revision.to_string().as_bytes());
            }
        }
    }
    out
}

/// Records of these writes.
pub fn writes(writes: &[Write]) -> Vec<u8> {
    let mut out = Vec::new();
    for write in writes {
        match write {
            Write::Put(key, value) => record(&mut out, b'P', key, value),
            Write::Delete(key) => record(&mut out, b'D', key, b""),
        }
    }
    out
}

/// The writes of these records; none when they are not whole.
pub fn read_writes(records: Vec<u8>) -> Option<Vec<Write>> {
    let mut records = Bytes::from(records);
    let mut writes = Vec::new();
    while !records.is_empty() {
        let kind = records.split_to(1);
        let key = text(&take(&mut records)?)?;
        let value = take(&mut records)?;
        writes.push(match &kind[..] {
            b"P" => Write::Put(key, value),
            b"D" => Write::Delete(key),
            _ => return None,
        });
    }
    Some(writes)
}

/// The entry of this key; none when it is not whole.
pub fn read_entry(key: String, entry: Vec<u8>) -> Option<Entry> {
    let colon = entry.iter().position(|byte| *byte == b':')?;
    let mut value = Bytes::from(entry);
    let revision = text(&value.split_to(colon))?.parse().ok()?;
    value.advance(1);
    Some(Entry { key, value, revision: Revision(revision) })
}

fn record(out: &mut Vec<u8>, kind: u8, key: &str, value: &[u8]) {
    out.put_u8(kind);
    for part in [key.as_bytes(), value] {
        // Bounds are checked before: both are far below 2³².
        out.put_u32(u32::try_from(part.len()).unwrap_or(u32::MAX));
        out.put_slice(part);
    }
}

fn take(records: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(records.try_get_u32().ok()?).ok()?;
    (length <= records.len()).then(|| records.split_to(length))
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_come_back_as_they_were_and_broken_ones_do_not() {
        let some = [
            Write::Put("k".to_owned(), Bytes::from_static(&[0, 255, b':'])),
            Write::Delete("日".to_owned()),
            Write::Put("l".to_owned(), Bytes::new()),
        ];
        let records = writes(&some);
        assert_eq!(read_writes(records.clone()).unwrap(), some);
        let ends = [13, 25];
        for end in 1..records.len() {
            let whole = read_writes(records[..end].to_vec()).is_some();
            assert_eq!(whole, ends.contains(&end), "cut at {end}");
        }
        assert_eq!(read_writes(b"X\0\0\0\0\0\0\0\0".to_vec()), None);
    }

    #[test]
    fn an_entry_has_a_number_a_colon_and_any_value() {
        let entry = read_entry("k".to_owned(), b"12:a:b".to_vec()).unwrap();
        assert_eq!((entry.revision, &entry.value[..]), (Revision(12), &b"a:b"[..]));
        for broken in ["", "12", ":x", "x:1", "-1:x"] {
            assert_eq!(read_entry("k".to_owned(), broken.into()), None, "{broken}");
        }
    }
}
