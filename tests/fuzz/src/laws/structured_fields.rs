//! `CDN-Cache-Control` against a reader of RFC 9651 that others wrote.
//!
//! The input is its lines.

use super::lines;
use caching::{
    directives::{Directives, Flag, LONGEST},
    targeted,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use model::units::Seconds;
use sfv::{BareItem, Dictionary, ListEntry, Parser};

/// A field that is no dictionary, or an empty one, says nothing; one that is says what its last
/// members with a name say.
///
/// # Panics
/// When that does not hold.
pub fn hold(input: &[u8]) {
    let name = HeaderName::from_static(targeted::NAME);
    let Some(headers) = lines(&name, input) else {
        return;
    };
    let said = targeted::cdn_cache_control(&headers);
    let Some(dictionary) = dictionary(&headers, &name) else {
        assert_eq!(said, None, "what is no dictionary says nothing");
        return;
    };
    let said = said.expect("a dictionary is understood");
    assert!(said.targeted);
    lifetimes(&said, &dictionary);
    flags(&said, &dictionary);
}

/// The lines joined, as RFC 9651 §4.2 asks for.
fn dictionary(headers: &HeaderMap, name: &HeaderName) -> Option<Dictionary> {
    let lines: Vec<_> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    let joined = lines.join(&b", "[..]);
    let dictionary = Parser::new(&joined).parse::<Dictionary>().ok()?;
    (!dictionary.is_empty()).then_some(dictionary)
}

fn bare<'a>(dictionary: &'a Dictionary, name: &str) -> Option<&'a BareItem> {
    match dictionary.get(name)? {
        ListEntry::Item(item) => Some(&item.bare_item),
        ListEntry::InnerList(_) => None,
    }
}

fn lifetimes(said: &Directives, dictionary: &Dictionary) {
    for (name, count) in [
        ("max-age", said.max_age),
        ("s-maxage", said.s_maxage),
        ("stale-while-revalidate", said.stale_while_revalidate),
        ("stale-if-error", said.stale_if_error),
    ] {
        let expected = match bare(dictionary, name) {
            Some(BareItem::Integer(count)) => {
                Some(Seconds(u64::try_from(i64::from(*count)).unwrap_or(0)).min(LONGEST))
            }
            _ => None,
        };
        assert_eq!(count, expected, "{name}");
    }
}

fn flags(said: &Directives, dictionary: &Dictionary) {
    for (flag, name) in [
        (Flag::NoStore, "no-store"),
        (Flag::Public, "public"),
        (Flag::MustRevalidate, "must-revalidate"),
        (Flag::ProxyRevalidate, "proxy-revalidate"),
        (Flag::MustUnderstand, "must-understand"),
        (Flag::NoTransform, "no-transform"),
        (Flag::Immutable, "immutable"),
    ] {
        let expected = matches!(bare(dictionary, name), Some(BareItem::Boolean(true)));
        assert_eq!(said.has(flag), expected, "{name}");
    }
    for (flag, name) in [(Flag::NoCache, "no-cache"), (Flag::Private, "private")] {
        let whole = matches!(bare(dictionary, name), Some(BareItem::Boolean(true)));
        assert!(!whole || said.has(flag), "{name}");
    }
}
