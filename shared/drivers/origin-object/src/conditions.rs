//! Conditions of requests for local objects.
//!
//! Source: RFC 9110 §13.1, §13.2.2.

use crate::answer::Object;
use http::{
    HeaderMap, HeaderName,
    header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE},
};
use std::time::{SystemTime, UNIX_EPOCH};

/// What conditions say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Answer as if there were none.
    Proceed,
    /// The asker's copy is good: 304.
    NotModified,
    /// The asker wants another state of the object: 412.
    Failed,
}

/// In the order of §13.2.2. For GET and HEAD of an object that exists.
pub(crate) fn judge(asked: &HeaderMap, object: &Object) -> Verdict {
    let has = |name: HeaderName| asked.contains_key(name);
    let modified = seconds(object.modified);
    let kept = if has(IF_MATCH) {
        listed(asked, &IF_MATCH, |tag| tag == object.etag)
    } else {
        date(asked, &IF_UNMODIFIED_SINCE).is_none_or(|date| modified <= date)
    };
    if !kept {
        return Verdict::Failed;
    }
    let same = if has(IF_NONE_MATCH) {
        let strong = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag) == object.etag;
        listed(asked, &IF_NONE_MATCH, strong)
    } else {
        date(asked, &IF_MODIFIED_SINCE).is_some_and(|date| modified <= date)
    };
    if same { Verdict::NotModified } else { Verdict::Proceed }
}

/// Whether the list has `*` or a tag that matches. Our tags hold no commas.
fn listed(asked: &HeaderMap, name: &HeaderName, matches: impl Fn(&str) -> bool) -> bool {
    asked
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || matches(tag))
}

/// A date in whole seconds; none if it is absent, doubled or not a date (§13.1.3: ignored).
pub(crate) fn date(asked: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let mut values = asked.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    httpdate::parse_http_date(value.to_str().ok()?).ok().map(seconds)
}

/// Whole seconds since the epoch, as HTTP's dates have them.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use http::HeaderValue;
    use std::time::Duration;

    /// Ten bytes, written at second 1,000 and a half.
    pub(crate) fn object() -> Object {
        Object {
            length: 10,
            etag: "\"one\"".into(),
            modified: UNIX_EPOCH + Duration::from_millis(1_000_500),
            fields: HeaderMap::new(),
        }
    }

    pub(crate) fn fields(lines: &[(HeaderName, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    pub(crate) fn at(second: u64) -> String {
        httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(second))
    }

    fn verdict(lines: &[(HeaderName, &str)]) -> Verdict {
        judge(&fields(lines), &object())
    }

    #[test]
    fn tags_decide() {
        use Verdict::{Failed, NotModified, Proceed};
        for (name, value, expected) in [
            (IF_NONE_MATCH, "\"one\"", NotModified),
            (IF_NONE_MATCH, "W/\"one\"", NotModified),
            (IF_NONE_MATCH, "\"zero\", \"one\"", NotModified),
            (IF_NONE_MATCH, "*", NotModified),
            (IF_NONE_MATCH, "\"two\"", Proceed),
            (IF_NONE_MATCH, "one", Proceed),
            (IF_MATCH, "\"one\"", Proceed),
            (IF_MATCH, "*", Proceed),
            (IF_MATCH, "W/\"one\"", Failed),
            (IF_MATCH, "\"two\"", Failed),
        ] {
            assert_eq!(verdict(&[(name, value)]), expected, "{value}");
        }
    }

    #[test]
    fn dates_decide_in_whole_seconds() {
        use Verdict::{Failed, NotModified, Proceed};
        for (name, second, expected) in [
            (IF_MODIFIED_SINCE, 999, Proceed),
            (IF_MODIFIED_SINCE, 1000, NotModified),
            (IF_MODIFIED_SINCE, 1001, NotModified),
            (IF_UNMODIFIED_SINCE, 999, Failed),
            (IF_UNMODIFIED_SINCE, 1000, Proceed),
        ] {
            assert_eq!(verdict(&[(name, &at(second))]), expected, "{second}");
        }
        assert_eq!(verdict(&[(IF_MODIFIED_SINCE, "yesterday")]), Proceed);
    }

    #[test]
    fn a_tag_beats_a_date() {
        let old = at(0);
        let late = at(5000);
        let tag_differs = [(IF_NONE_MATCH, "\"two\""), (IF_MODIFIED_SINCE, &late)];
        assert_eq!(verdict(&tag_differs), Verdict::Proceed);
        let tag_is_same = [(IF_MATCH, "\"one\""), (IF_UNMODIFIED_SINCE, &old)];
        assert_eq!(verdict(&tag_is_same), Verdict::Proceed);
    }
}
