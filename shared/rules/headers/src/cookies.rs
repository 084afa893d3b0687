//! Cookies: reading what viewers send, and which of them count or are sent on.
//!
//! For: the `Cookie` request header, and whether `Set-Cookie` comes through.
//! Not for: decoding values, or the attributes of `Set-Cookie`.
//!
//! Source: CloudFront developer guide, caching content based on cookies.

use http::{HeaderValue, header::COOKIE};
use model::{
    fields::Fields,
    plan::{Behaviour, Law, Selection},
};

use crate::query::combined;

/// Cookies of one request, sorted by name; two of one name keep their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cookies<'a>(Vec<(&'a [u8], &'a [u8])>);

impl<'a> Cookies<'a> {
    /// Reads all `Cookie` headers as one (RFC 9113 §8.2.3). If any part is not `name=value`, there
    /// are no cookies; names beginning with `$` or `CloudFront-` (signed cookies) are left out.
    pub fn parse(headers: &'a impl Fields) -> Self {
        let parts = headers.all(COOKIE.as_str()).flat_map(parts);
        let mut cookies: Vec<_> = match parts.map(pair).collect() {
            Some(cookies) => cookies,
            None => return Self::default(),
        };
        cookies.retain(|(name, _)| !name.starts_with(b"$") && !name.starts_with(b"CloudFront-"));
        cookies.sort_by_key(|(name, _)| *name);
        Self(cookies)
    }

    /// Names and values of those in the cache key, sorted by name.
    pub fn keyed<'b>(
        &'b self,
        behaviour: &'b Behaviour,
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + 'b {
        let wild = behaviour.forward.legacy;
        self.0.iter().copied().filter(move |(name, _)| chosen(&behaviour.cache.cookies, name, wild))
    }

    /// The `Cookie` header that the origin gets: none when no cookie is left.
    pub fn forwarded(&self, behaviour: &Behaviour) -> Option<HeaderValue> {
        let (cache, forward) = (&behaviour.cache.cookies, &behaviour.forward.cookies);
        let wild = behaviour.forward.legacy;
        let sent = |name| combined(cache, forward, |selection| chosen(selection, name, wild));
        let mut line = Vec::new();
        for (name, value) in self.0.iter().filter(|(name, _)| sent(name)) {
            if !line.is_empty() {
                line.extend_from_slice(b"; ");
            }
            line.extend_from_slice(name);
            line.push(b'=');
            line.extend_from_slice(value);
        }
        HeaderValue::from_bytes(&line).ok().filter(|line| !line.is_empty())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether a behaviour sends any cookie to its origin.
pub fn are_forwarded(behaviour: &Behaviour) -> bool {
    let some = |selection: &Selection| match selection {
        Selection::None => false,
        Selection::Only(names) => !names.is_empty(),
        Selection::Except(_) | Selection::All => true,
    };
    some(&behaviour.cache.cookies) || some(&behaviour.forward.cookies)
}

/// Whether the viewer gets the origin's `Set-Cookie`: where cookies are forwarded, and always under
/// the law of RFC 9111, which knows no such exception (§7.3).
pub fn may_be_set(behaviour: &Behaviour) -> bool {
    behaviour.cache.law == Law::Http || are_forwarded(behaviour)
}

fn parts(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter(|part| !part.is_empty())
}

fn pair(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let middle = part.iter().position(|byte| *byte == b'=').filter(|at| *at > 0)?;
    let (name, value) = part.split_at_checked(middle)?;
    Some((name.trim_ascii_end(), value.get(1..)?.trim_ascii_start()))
}

fn chosen(selection: &Selection, name: &[u8], wild: bool) -> bool {
    let listed = |names: &[String]| {
        let plain = |listed: &String| listed.as_bytes() == name;
        names.iter().any(|listed| plain(listed) || (wild && matches(listed.as_bytes(), name)))
    };
    match selection {
        Selection::None => false,
        Selection::All => true,
        Selection::Only(names) => listed(names),
        Selection::Except(names) => !listed(names),
    }
}

/// Whether `*` (any bytes) and `?` (one byte) of a pattern cover a name. Going back only ever to the
/// last star bounds this by the product of the two lengths.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = name.get(from) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(expected) if *expected == b'?' || expected == byte => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else {
                    return false;
                };
                star = Some((star_at, taken + 1));
                at = star_at + 1;
                from = taken + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{behaviour, except, headers, only};

    fn sent(lines: &[&str], cache: Selection, forward: Selection, legacy: bool) -> Option<String> {
        let pairs: Vec<_> = lines.iter().map(|line| ("cookie", *line)).collect();
        let headers = headers(&pairs);
        let mut behaviour = behaviour();
        behaviour.cache.cookies = cache;
        behaviour.forward.cookies = forward;
        behaviour.forward.legacy = legacy;
        let sent = Cookies::parse(&headers).forwarded(&behaviour)?;
        Some(sent.to_str().unwrap().to_owned())
    }

    /// Developer guide, caching based on cookies; RFC 9113 §8.2.3 for several lines.
    #[test]
    fn cookies_are_sorted_and_what_is_no_cookie_header_is_dropped() {
        let table: [(&[&str], Option<&str>); 11] = [
            (&["b=2; a=1"], Some("a=1; b=2")),
            (&["b=2;a=1;"], Some("a=1; b=2")),
            (&["b=2", "a=1"], Some("a=1; b=2")),
            (&["a=2; a=1"], Some("a=2; a=1")),
            (&["a=x=y; B="], Some("B=; a=x=y")),
            (&["$Version=1; a=1; $Path=/"], Some("a=1")),
            (&["CloudFront-Policy=x; CloudFront-Signature=y; a=1"], Some("a=1")),
            (&["a=1; b"], None),
            (&["a=1", "=1"], None),
            (&[""], None),
            (&[], None),
        ];
        for (lines, expected) in table {
            let sent = sent(lines, Selection::None, Selection::All, false);
            assert_eq!(sent.as_deref(), expected, "{lines:?}");
        }
    }

    #[test]
    fn both_policies_decide_what_the_origin_gets() {
        let lines = ["c=3; b=2; a=1"];
        let table = [
            (Selection::None, Selection::None, None),
            (Selection::None, only(&["b"]), Some("b=2")),
            (only(&["a"]), only(&["c"]), Some("a=1; c=3")),
            (only(&["a"]), except(&["a", "b"]), Some("a=1; c=3")),
            (except(&["a"]), except(&["b"]), Some("c=3")),
            (except(&["a"]), Selection::None, Some("b=2; c=3")),
            (Selection::All, except(&["a"]), Some("a=1; b=2; c=3")),
        ];
        for (cache, forward, expected) in table {
            let sent = sent(&lines, cache.clone(), forward.clone(), false);
            assert_eq!(sent.as_deref(), expected, "{cache:?} with {forward:?}");
        }
    }

    #[test]
    fn wildcards_are_for_legacy_settings() {
        let lines = ["user_1=a; user_22=b; a*=c; Auser_3=d"];
        let legacy = |list: &[&str]| sent(&lines, only(list), Selection::None, true);
        assert_eq!(legacy(&["user_*"]).as_deref(), Some("user_1=a; user_22=b"));
        assert_eq!(legacy(&["user_?"]).as_deref(), Some("user_1=a"));
        assert_eq!(legacy(&["*r_*"]).as_deref(), Some("Auser_3=d; user_1=a; user_22=b"));
        let policy = sent(&lines, only(&["user_*", "a*"]), Selection::None, false);
        assert_eq!(policy.as_deref(), Some("a*=c"));
    }

    #[test]
    fn patterns_cover_names() {
        let table = [
            ("", "", true),
            ("*", "", true),
            ("?", "", false),
            ("a*b*c", "axxbxxc", true),
            ("a*b*c", "axxbxx", false),
            ("*ab", "aab", true),
            ("**?", "x", true),
            ("ab", "abc", false),
            ("a?c*", "abcd", true),
        ];
        for (pattern, name, expected) in table {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn set_cookie_needs_forwarded_cookies_or_the_other_law() {
        let mut behaviour = behaviour();
        assert!(!may_be_set(&behaviour));
        behaviour.forward.cookies = only(&[]);
        assert!(!may_be_set(&behaviour));
        behaviour.forward.cookies = only(&["a"]);
        assert!(may_be_set(&behaviour));
        behaviour.forward.cookies = Selection::None;
        behaviour.cache.law = Law::Http;
        assert!(may_be_set(&behaviour));
    }
}
