//! Paths as patterns see them (RFC 3986 §5.2.4, §6.2.2).

use nearfront_invalidation::normalise;
use proptest::prelude::*;
use std::borrow::Cow;

#[test]
fn dots_slashes_and_needless_escapes_go() {
    let table = [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a/b/", "/a/b/"),
        ("//", "/"),
        ("///a//b///", "/a/b/"),
        ("/./a", "/a"),
        ("/a/.", "/a/"),
        ("/a/b/..", "/a/"),
        ("/a/b/../c", "/a/c"),
        ("/a/b/../../..", "/"),
        ("/../../a", "/a"),
        ("/a/./b/../../mid/6", "/mid/6"),
        ("/.well-known/x", "/.well-known/x"),
        ("/a/..b/...", "/a/..b/..."),
        ("/a/%2e%2E/b", "/b"),
        ("/%70rivate/x", "/private/x"),
        ("/a%2Fb", "/a%2Fb"),
        ("/a%2fb%20c", "/a%2fb%20c"),
        ("/a%7Eb%5F%2D", "/a~b_-"),
        ("/%", "/%"),
        ("/%4", "/%4"),
        ("/%zz%+1", "/%zz%+1"),
        ("/%2541", "/%2541"),
        ("/%\u{e9}", "/%\u{e9}"),
        ("", "/"),
        ("*", "/*"),
        ("a/b", "/a/b"),
    ];
    for (path, expected) in table {
        assert_eq!(normalise(path), expected, "{path:?}");
    }
}

#[test]
fn a_normal_path_is_borrowed() {
    for path in ["/", "/index.html", "/a/b.c/d..e/"] {
        assert!(matches!(normalise(path), Cow::Borrowed(_)), "{path}");
    }
}

proptest! {
    #[test]
    fn the_result_is_rooted_and_without_empty_or_dot_segments(
        path in prop_oneof!["[/.a%2eE]{0,30}", ".{0,30}"],
    ) {
        let normal = normalise(&path).into_owned();
        prop_assert!(normal.starts_with('/'));
        let inner = normal.trim_start_matches('/').trim_end_matches('/');
        let segments: Vec<_> = inner.split('/').filter(|_| !inner.is_empty()).collect();
        prop_assert!(!segments.iter().any(|one| matches!(*one, "" | "." | "..")), "{normal:?}");
    }

    #[test]
    fn without_escapes_a_second_time_changes_nothing(path in "[/.ab]{0,30}") {
        let once = normalise(&path).into_owned();
        prop_assert_eq!(normalise(&once), once.as_str());
    }

    #[test]
    fn escaping_unreserved_characters_changes_nothing(path in "/[/.a-c~_-]{0,20}") {
        let escaped: String = path
            .chars()
            .map(|one| if one == '/' { one.to_string() } else { format!("%{:02x}", one as u32) })
            .collect();
        prop_assert_eq!(normalise(&escaped), normalise(&path));
    }
}
