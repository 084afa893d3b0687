//! Query strings: which parameters count, and which are sent on.
//!
//! For: splitting and selecting without changing a byte of what is kept.
//! Not for: decoding. Order and case are significant, `;` belongs to a value, names are compared
//! as written (CloudFront developer guide, query string parameters).

use model::plan::{Behaviour, Selection};
use std::borrow::Cow;

/// Parameters of signed URLs, which neither the key nor the origin sees.
const SIGNING: [&str; 5] = [
    "Expires",
    "Policy",
    "Signature",
    "Key-Pair-Id",
    "Hash-Algorithm",
];

/// The name of one `name=value` or `name`.
pub fn name(parameter: &str) -> &str {
    parameter
        .split_once('=')
        .map_or(parameter, |(name, _)| name)
}

/// Keeps the parameters whose names are `wanted`, in their order; none when none is left.
/// What is kept whole is borrowed.
pub fn select(query: &str, wanted: impl Fn(&str) -> bool) -> Option<Cow<'_, str>> {
    let keep = |parameter: &&str| wanted(name(parameter));
    if query.split('&').all(|parameter| keep(&parameter)) {
        return Some(Cow::Borrowed(query));
    }
    let kept: Vec<&str> = query.split('&').filter(keep).collect();
    (!kept.is_empty()).then(|| Cow::Owned(kept.join("&")))
}

/// The part of the query string that is in the cache key.
pub fn keyed<'a>(query: Option<&'a str>, behaviour: &Behaviour) -> Option<Cow<'a, str>> {
    match &behaviour.cache.query {
        Selection::None => None,
        Selection::All => query.map(Cow::Borrowed),
        some => select(query?, |name| chosen(some, name)),
    }
}

/// The part of the query string that the origin gets: the key's, and what is forwarded beside it.
pub fn forwarded<'a>(query: Option<&'a str>, behaviour: &Behaviour) -> Option<Cow<'a, str>> {
    let (cache, forward) = (&behaviour.cache.query, &behaviour.forward.query);
    select(query?, |name| {
        combined(cache, forward, |selection| chosen(selection, name))
    })
}

/// The query string without the parameters of signed URLs.
pub fn without_signing(query: Option<&str>) -> Option<Cow<'_, str>> {
    select(query?, |name| !SIGNING.contains(&name))
}

/// Whether a selection takes a name, as written.
pub(crate) fn chosen(selection: &Selection, name: &str) -> bool {
    match selection {
        Selection::None => false,
        Selection::All => true,
        Selection::Only(names) => names.iter().any(|listed| listed == name),
        Selection::Except(names) => !names.iter().any(|listed| listed == name),
    }
}

/// Whether the origin gets something, given what the cache policy and what the origin request
/// policy choose: either is enough, except that two lists of exceptions both except
/// (CloudFront developer guide, how origin request policies and cache policies work together).
pub(crate) fn combined(
    cache: &Selection,
    forward: &Selection,
    chooses: impl Fn(&Selection) -> bool,
) -> bool {
    match (cache, forward) {
        (Selection::Except(_), Selection::Except(_)) => chooses(cache) && chooses(forward),
        _ => chooses(cache) || chooses(forward),
    }
}
