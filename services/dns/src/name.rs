//! Domain names as keys: lower-case wire form, so that a question is looked up without parsing it
//! into labels, and every suffix of a name is a suffix of its bytes.
//!
//! Source: RFC 1035 §3.1 (wire form, lengths), RFC 4343 (case).

/// Most bytes of a name, with the root's.
pub const MOST_NAME: usize = 255;
/// Most bytes of a label.
const MOST_LABEL: usize = 63;

/// A name in lower-case wire form, with the root's zero byte at the end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WireName(Box<[u8]>);

impl WireName {
    /// `www.example.com`, with or without a final dot; none when it is no domain name.
    pub fn from_text(text: &str) -> Option<Self> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let mut wire = Vec::with_capacity(text.len() + 2);
        for label in text.split('.') {
            let length = u8::try_from(label.len()).ok()?;
            let fits = (1..=MOST_LABEL).contains(&label.len()) && label.is_ascii();
            fits.then(|| wire.push(length))?;
            wire.extend(label.bytes().map(|byte| byte.to_ascii_lowercase()));
        }
        wire.push(0);
        (wire.len() <= MOST_NAME).then(|| Self(wire.into()))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is `apex` or a name below it.
    pub fn is_under(&self, apex: &Self) -> bool {
        suffixes(&self.0).any(|suffix| suffix == apex.as_bytes())
    }
}

impl std::borrow::Borrow<[u8]> for WireName {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for WireName {
    fn from(wire: &[u8]) -> Self {
        Self(wire.into())
    }
}

/// The name itself, its parent, and so on, without the root.
pub fn suffixes(wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    let some = |name: &&[u8]| name.len() > 1;
    std::iter::successors(Some(wire).filter(some), move |name| parent(name).filter(some))
}

/// The name without its first label; none for the root.
pub fn parent(wire: &[u8]) -> Option<&[u8]> {
    let length = usize::from(*wire.first()?);
    let below = wire.get(length + 1..)?;
    (length > 0).then_some(below)
}

/// The first label; none for the root.
pub fn first_label(wire: &[u8]) -> Option<&[u8]> {
    let length = usize::from(*wire.first()?);
    let label = wire.get(1..=length)?;
    (length > 0).then_some(label)
}

/// Reads an uncompressed name at the start of `bytes`: its wire form in the sender's case, and what
/// follows. None when it is cut short, too long, or holds anything but plain labels: a question
/// has nothing before it that a pointer could point to (RFC 1035 §4.1.4).
pub fn read_plain(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut end = 0;
    loop {
        let length = usize::from(*bytes.get(end)?);
        end += 1 + length;
        if length > MOST_LABEL || end > MOST_NAME {
            return None;
        }
        if length == 0 {
            return bytes.split_at_checked(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_becomes_lower_case_wire_form() {
        let name = WireName::from_text("WWW.Example.com.").unwrap();
        assert_eq!(name.as_bytes(), b"\x03www\x07example\x03com\0");
        for wrong in ["", ".", "a..b", "ö.example", &"a".repeat(64), &"ab.".repeat(90)] {
            assert_eq!(WireName::from_text(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn names_know_what_they_are_under() {
        let name = |text| WireName::from_text(text).unwrap();
        assert!(name("a.b.example").is_under(&name("example")));
        assert!(name("example").is_under(&name("example")));
        assert!(!name("notexample").is_under(&name("example")));
        assert_eq!(suffixes(name("a.b.c").as_bytes()).count(), 3);
        assert_eq!(suffixes(b"\0").count(), 0);
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_stays_within_bounds(bytes: Vec<u8>) {
            if let Some((name, rest)) = read_plain(&bytes) {
                prop_assert!(name.len() <= MOST_NAME);
                prop_assert_eq!(name.len() + rest.len(), bytes.len());
                prop_assert!(suffixes(name).count() <= 127);
            }
        }

        #[test]
        fn what_is_written_is_read(labels in proptest::collection::vec("[a-z0-9_-]{1,20}", 1..8)) {
            let name = WireName::from_text(&labels.join(".")).unwrap();
            prop_assert_eq!(read_plain(name.as_bytes()), Some((name.as_bytes(), &[][..])));
            prop_assert_eq!(first_label(name.as_bytes()), Some(labels[0].as_bytes()));
            prop_assert_eq!(suffixes(name.as_bytes()).count(), labels.len());
        }
    }
}
