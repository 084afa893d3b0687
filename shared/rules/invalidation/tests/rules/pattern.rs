//! Path patterns of behaviours (CloudFront developer guide, "Path pattern").

use nearfront_invalidation::{PathPattern, PatternFault};
use proptest::prelude::*;

fn matches(pattern: &str, path: &str) -> bool {
    PathPattern::new(pattern).unwrap().matches(path)
}

#[test]
fn what_patterns_match() {
    let table = [
        ("*", "/", true),
        ("*", "/a/b", true),
        ("/*", "/a/b", true),
        ("images/*.jpg", "/images/a.jpg", true),
        ("/images/*.jpg", "/images/a.jpg", true),
        ("/images/*.jpg", "/images/a/b/c.jpg", true),
        ("/images/*.jpg", "/images/.jpg", true),
        ("/images/*.jpg", "/images/a.JPG", false),
        ("/images/*.jpg", "/x/images/a.jpg", false),
        ("/images/*.jpg", "/images/a.jpg/", false),
        ("a*.jpg", "/abra/cadabra/magic.jpg", true),
        ("*.jpg", "/a/b.jpg", true),
        ("*.jpg", "/a/b.jpeg", false),
        ("/images/*", "/images/", true),
        ("/images/*", "/images", false),
        ("/images", "/images", true),
        ("/images", "/images/", false),
        ("/images", "/Images", false),
        ("index.html", "/index.html", true),
        ("index.html", "/a/index.html", false),
        ("a??.jpg", "/ant.jpg", true),
        ("a??.jpg", "/abe.jpg", true),
        ("a??.jpg", "/at.jpg", false),
        ("a??.jpg", "/anta.jpg", false),
        ("a?b", "/a/b", true),
        ("/a?", "/a", false),
        ("?", "/a", true),
        ("?", "/", false),
        ("*?", "/", true),
        ("*a*b*", "/xaybz", true),
        ("*a*b*", "/xbya", false),
        ("/a*a", "/a", false),
        ("/a*a", "/aa", true),
        ("/**/b", "/a/b", true),
        ("/a**", "/a", true),
        ("*/private/*", "/x/private/y", true),
        ("/a.c", "/abc", false),
        ("/$&+", "/$&+", true),
    ];
    for (pattern, path, expected) in table {
        assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
    }
}

#[test]
fn patterns_have_1_to_255_allowed_characters() {
    assert_eq!(PathPattern::new("").unwrap_err(), PatternFault::Empty);
    assert!(PathPattern::new(&"a".repeat(255)).is_ok());
    assert_eq!(PathPattern::new(&"a".repeat(256)).unwrap_err(), PatternFault::TooLong);
    assert!(PathPattern::new("/AZaz09_-.*$/~\"'@:+&?").is_ok());
    for bad in [' ', '%', '#', '(', '[', '\\', '|', ',', ';', '=', '!', '<', '\u{e9}', '\n'] {
        let fault = PathPattern::new(&format!("/a{bad}")).unwrap_err();
        assert_eq!(fault, PatternFault::Character(bad));
    }
}

#[test]
fn the_longest_patterns_use_every_state() {
    let (signs, path) = ("?".repeat(255), "/".to_owned() + &"x".repeat(255));
    assert!(matches(&signs, &path));
    assert!(!matches(&signs, &(path.clone() + "x")));
    assert!(!matches(&signs, &path[..255]));
    let stars = "*a".repeat(127) + "?";
    assert!(matches(&stars, &("/".to_owned() + &"ba".repeat(127) + "c")));
    assert!(!matches(&stars, &("/".to_owned() + &"ba".repeat(126) + "c")));
}

#[test]
fn a_path_that_makes_naive_matchers_explode_is_no_work() {
    let (pattern, path) = ("*a".repeat(127), "/".to_owned() + &"a".repeat(8_000) + "b");
    assert!(!matches(&pattern, &path));
    assert!(matches(&(pattern + "*"), &path));
}

/// The definition, said as plainly as can be: a table over both texts.
fn naive(pattern: &str, path: &str) -> bool {
    let slash = if pattern.starts_with(['/', '*']) { "" } else { "/" };
    let pattern = [slash, pattern].concat().into_bytes();
    let mut reached = vec![false; pattern.len() + 1];
    reached[0] = true;
    let mut stars = 0;
    while pattern.get(stars) == Some(&b'*') {
        stars += 1;
        reached[stars] = true;
    }
    for byte in path.bytes() {
        let mut next = vec![false; pattern.len() + 1];
        for (at, sign) in pattern.iter().enumerate() {
            next[at + 1] = match sign {
                b'*' => reached[at + 1] || next[at],
                b'?' => reached[at],
                sign => reached[at] && *sign == byte,
            };
        }
        reached = next;
    }
    reached[pattern.len()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn matching_is_what_the_definition_says(
        pattern in prop_oneof!["[ab/*?]{1,8}", "[ab/*?.]{1,90}", "[a-c]{0,3}\\*?[a-c]{1,3}\\*?"],
        path in prop_oneof!["/[ab/]{0,10}", "/[ab/.]{0,100}"],
    ) {
        prop_assert_eq!(matches(&pattern, &path), naive(&pattern, &path), "{} {}", pattern, path);
    }

    #[test]
    fn a_path_made_from_a_pattern_matches_it(
        parts in prop::collection::vec(("[a-c/]{0,5}", "[a-z/]{0,6}", any::<bool>()), 1..12),
    ) {
        let (mut pattern, mut path) = ("/".to_owned(), "/".to_owned());
        for (text, filler, star) in parts {
            let wild = if star { "*".to_owned() } else { "?".repeat(filler.len()) };
            pattern += &(text.clone() + &wild);
            path += &(text + &filler);
        }
        prop_assert!(matches(&pattern, &path), "{} {}", pattern, path);
    }
}
