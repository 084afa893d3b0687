//! Query strings: which parameters count, and which are sent on.
//!
//! For: splitting and selecting without changing a byte of what is kept.
//! Not for: decoding. Order and case are significant, `;` belongs to a value, names are compared
//! as written (CloudFront developer guide, query string parameters).

use model::plan::{Behaviour, Selection};
use std::borrow::Cow;

/// Parameters of signed URLs, which neither the key nor the origin sees.
const SIGNING: [&str; 5] = ["Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"];

/// The name of one `name=value` or `name`.
pub fn name(parameter: &str) -> &str {
    parameter.split_once('=').map_or(parameter, |(name, _)| name)
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
    select(query?, |name| combined(cache, forward, |selection| chosen(selection, name)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{behaviour, except, only};

    /// Developer guide, query string parameters: `&` only, order and case kept, `*` literal.
    #[test]
    fn selects_without_changing_what_it_keeps() {
        let table = [
            ("b=2&a=1", only(&["a", "b"]), Some("b=2&a=1")),
            ("a=1&A=2", only(&["a"]), Some("a=1")),
            ("a=1;b=2", only(&["b"]), None),
            ("a=1;b=2", only(&["a"]), Some("a=1;b=2")),
            ("ab=1&a*=2", only(&["a*"]), Some("a*=2")),
            ("a=1&b=2&a=3", only(&["a"]), Some("a=1&a=3")),
            ("a&b=", only(&["a", "b"]), Some("a&b=")),
            ("%61=1", only(&["a"]), None),
            ("a=1&b=2", except(&["a"]), Some("b=2")),
            ("a=1&&b", except(&["b"]), Some("a=1&")),
            ("", Selection::All, Some("")),
            ("", except(&[]), Some("")),
            ("", only(&["a"]), None),
            ("a=1", Selection::None, None),
        ];
        for (query, selection, expected) in table {
            let mut behaviour = behaviour();
            behaviour.cache.query = selection.clone();
            let kept = keyed(Some(query), &behaviour);
            assert_eq!(kept.as_deref(), expected, "{query} by {selection:?}");
            assert_eq!(keyed(None, &behaviour), None);
        }
    }

    /// Developer guide, how origin request policies and cache policies work together.
    #[test]
    fn both_policies_decide_what_the_origin_gets() {
        let query = "a=1&b=2&c=3";
        let (none, all) = (Selection::None, Selection::All);
        let table = [
            (none.clone(), none.clone(), None),
            (none.clone(), all.clone(), Some("a=1&b=2&c=3")),
            (none.clone(), only(&["b"]), Some("b=2")),
            (none.clone(), except(&["b"]), Some("a=1&c=3")),
            (all.clone(), none.clone(), Some("a=1&b=2&c=3")),
            (all.clone(), except(&["b"]), Some("a=1&b=2&c=3")),
            (only(&["a"]), none.clone(), Some("a=1")),
            (only(&["a"]), all.clone(), Some("a=1&b=2&c=3")),
            (only(&["a"]), only(&["c"]), Some("a=1&c=3")),
            (only(&["a"]), except(&["a", "b"]), Some("a=1&c=3")),
            (except(&["a"]), none, Some("b=2&c=3")),
            (except(&["a"]), all, Some("a=1&b=2&c=3")),
            (except(&["a"]), only(&["a"]), Some("a=1&b=2&c=3")),
            (except(&["a"]), except(&["b"]), Some("c=3")),
        ];
        for (cache, forward, expected) in table {
            let mut behaviour = behaviour();
            behaviour.cache.query = cache.clone();
            behaviour.forward.query = forward.clone();
            let sent = forwarded(Some(query), &behaviour);
            assert_eq!(sent.as_deref(), expected, "{cache:?} with {forward:?}");
        }
    }

    #[test]
    fn signatures_are_nobodys_business() {
        let query = "a=1&Expires=5&Signature=x&Key-Pair-Id=K&Hash-Algorithm=SHA256&b";
        assert_eq!(without_signing(Some(query)).as_deref(), Some("a=1&b"));
        assert_eq!(without_signing(Some("Policy=x&Signature=y&Key-Pair-Id=K")), None);
        assert_eq!(without_signing(Some("policy=x")).as_deref(), Some("policy=x"));
        assert_eq!(without_signing(None), None);
    }
}
