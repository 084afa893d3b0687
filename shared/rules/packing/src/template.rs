//! Header lines that many responses have in common, held once.
//!
//! For: names of headers, and those values that a site sends with everything. Not for: what differs
//! from object to object (`values`).

use http::{HeaderMap, HeaderName, HeaderValue, header};
use parking_lot::RwLock;
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// Most templates that are known at a time. What comes beyond them is kept with its own.
const MOST: usize = 4096;
/// Longest value that is held in common, in bytes.
const LONGEST: usize = 256;

/// Headers whose values are mostly the same throughout a site.
const IN_COMMON: [HeaderName; 17] = [
    header::ACCEPT_RANGES,
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
    header::CACHE_CONTROL,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_SECURITY_POLICY,
    header::CONTENT_TYPE,
    header::PRAGMA,
    header::REFERRER_POLICY,
    header::SERVER,
    header::STRICT_TRANSPORT_SECURITY,
    header::VARY,
    header::X_CONTENT_TYPE_OPTIONS,
    header::X_FRAME_OPTIONS,
];

/// One line of a head: a value in common, or none where each response has its own.
pub type Line = (HeaderName, Option<HeaderValue>);

/// The lines of a head, in order.
#[derive(Debug)]
pub struct Template {
    /// Differs from that of every other template of this process.
    pub id: u64,
    /// The lines.
    pub lines: Box<[Line]>,
    /// Whether others may share it.
    pub(crate) shared: bool,
}

type Known = HashMap<u64, Vec<Arc<Template>>>;

static KNOWN: LazyLock<RwLock<Known>> = LazyLock::new(RwLock::default);
static NEXT: AtomicU64 = AtomicU64::new(1);

impl Template {
    /// The template of a head.
    pub(crate) fn of(headers: &HeaderMap) -> Arc<Self> {
        let lines: Box<[Line]> = headers.iter().map(line).collect();
        let hash = hash(&lines);
        if let Some(known) = find(&KNOWN.read(), hash, &lines) {
            return known;
        }
        let mut known = KNOWN.write();
        if let Some(template) = find(&known, hash, &lines) {
            return template;
        }
        if known.len() >= MOST {
            forget_unused(&mut known);
        }
        let shared = known.len() < MOST;
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let template = Arc::new(Self { id, lines, shared });
        if shared {
            known.entry(hash).or_default().push(template.clone());
        }
        template
    }

    /// Bytes that it takes where it is not shared.
    pub(crate) fn weight(&self) -> usize {
        if self.shared {
            return 0;
        }
        let length = |line: &Line| {
            let value = line.1.as_ref().map_or(0, |value| value.len() + 32);
            size_of::<Line>() + line.0.as_str().len() + value
        };
        size_of::<Self>() + self.lines.iter().map(length).sum::<usize>()
    }
}

fn find(known: &Known, hash: u64, lines: &[Line]) -> Option<Arc<Template>> {
    known.get(&hash)?.iter().find(|template| *template.lines == *lines).cloned()
}

fn forget_unused(known: &mut Known) {
    known.retain(|_, templates| {
        templates.retain(|template| Arc::strong_count(template) > 1);
        !templates.is_empty()
    });
}

fn line((name, value): (&HeaderName, &HeaderValue)) -> Line {
    let common = value.len() <= LONGEST && IN_COMMON.contains(name);
    // A copy: the value may be a part of a connection's read buffer.
    let value = common.then(|| HeaderValue::from_bytes(value.as_bytes()).ok()).flatten();
    (name.clone(), value)
}

fn hash(lines: &[Line]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (name, value) in lines {
        name.hash(&mut hasher);
        value.as_ref().map(HeaderValue::as_bytes).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(lines: &[(&'static str, &str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn heads_that_differ_in_their_own_values_have_one_template() {
        let one = Template::of(&head(&[("content-type", "text/css"), ("etag", "\"1\"")]));
        let other = Template::of(&head(&[("content-type", "text/css"), ("etag", "\"2\"")]));
        let third = Template::of(&head(&[("content-type", "text/html"), ("etag", "\"1\"")]));
        assert!(Arc::ptr_eq(&one, &other));
        assert_ne!(one.id, third.id);
    }
}
