//! Which invalidation paths are accepted.

use nearfront_invalidation::{PathFault, check_path, is_wildcard};

#[test]
fn paths_begin_with_a_slash_and_hold_what_viewers_can_send() {
    let accepted = [
        "/",
        "/*",
        "/a.jpg",
        "/a.jpg?x=1&y=%20",
        "/a*b/*",
        "/a%7eb",
        "/dir/",
        "/a|b[c]\"'<>\\^`{}",
    ];
    for path in accepted {
        assert_eq!(check_path(path), Ok(()), "{path}");
    }
    let refused = [
        ("", PathFault::NoSlash),
        ("a.jpg", PathFault::NoSlash),
        ("*", PathFault::NoSlash),
        ("#tag", PathFault::NoSlash),
        ("https://example.com/a", PathFault::NoSlash),
        ("/~a", PathFault::Tilde),
        ("/a b", PathFault::Character(' ')),
        ("/a\n", PathFault::Character('\n')),
        ("/a\0", PathFault::Character('\0')),
        ("/caf\u{e9}", PathFault::Character('\u{e9}')),
        ("/a#b", PathFault::Character('#')),
    ];
    for (path, fault) in refused {
        assert_eq!(check_path(path), Err(fault), "{path:?}");
    }
}

#[test]
fn paths_have_up_to_4000_characters() {
    let path = format!("/{}", "a".repeat(3999));
    assert_eq!(check_path(&path), Ok(()));
    assert_eq!(check_path(&(path + "a")), Err(PathFault::TooLong));
}

#[test]
fn a_fault_says_what_to_do() {
    let text = PathFault::Character('\u{e9}').to_string();
    assert_eq!(text, "an invalidation path may not contain 'é'; percent-encode it");
}

#[test]
fn only_a_final_star_is_a_wildcard() {
    for (path, expected) in [("/*", true), ("/a*", true), ("/a*b", false), ("/a", false)] {
        assert_eq!(is_wildcard(path), expected, "{path}");
    }
}
