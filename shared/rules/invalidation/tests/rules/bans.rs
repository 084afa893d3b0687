//! Bans (CloudFront developer guide, "Invalidate files to remove content").

use nearfront_invalidation::Bans;
use proptest::prelude::*;

fn banned(path: &str, target: &str) -> bool {
    let mut bans = Bans::default();
    bans.add(1, [path]);
    assert!(!bans.banned_since(target, 1), "a copy that is as new as the ban stays");
    bans.banned_since(target, 0)
}

#[test]
fn what_a_path_bans() {
    let table = [
        ("/a.jpg", "/a.jpg", true),
        ("/a.jpg", "/a.jpg?x=1", false),
        ("/a.jpg", "/a.jpgx", false),
        ("/a.jpg", "/A.jpg", false),
        ("/a.jpg", "/b/a.jpg", false),
        ("/a.jpg?x=1", "/a.jpg?x=1", true),
        ("/a.jpg?x=1", "/a.jpg?x=2", false),
        ("/a.jpg?x=1", "/a.jpg", false),
        ("/a.jpg*", "/a.jpg", true),
        ("/a.jpg*", "/a.jpg?x=1", true),
        ("/a.jpg*", "/a.jpg/b", true),
        ("/a.jpg*", "/a.jp", false),
        ("/*", "/", true),
        ("/*", "/a/b?c", true),
        ("/images/*", "/images/", true),
        ("/images/*", "/images", false),
        ("/images*", "/images", true),
        ("/dir", "/dir/", false),
        ("/dir/", "/dir", false),
        ("/a*b", "/a*b", true),
        ("/a*b", "/axb", false),
        ("/a*b*", "/a*bc", true),
        ("/a*b*", "/axbc", false),
        ("/a**", "/a*", true),
        ("/a**", "/a", false),
        ("/a%20b", "/a b", false),
        ("/", "/", true),
        ("/", "/a", false),
    ];
    for (path, target, expected) in table {
        assert_eq!(banned(path, target), expected, "{path} {target}");
    }
}

#[test]
fn only_later_bans_count() {
    let mut bans = Bans::default();
    bans.add(3, ["/a", "/b/*"]);
    bans.add(7, ["/b/*"]);
    let table =
        [("/a", 0, true), ("/a", 2, true), ("/a", 3, false), ("/b/x", 6, true), ("/b/x", 7, false)];
    for (target, checked, expected) in table {
        assert_eq!(bans.banned_since(target, checked), expected, "{target} {checked}");
    }
    assert_eq!(bans.latest(), 7);
}

#[test]
fn a_ban_of_everything_needs_no_room() {
    let mut bans = Bans::default();
    bans.add(1, (0..100).map(|at| format!("/{at}")));
    bans.add(2, ["/*"]);
    assert!(bans.is_empty());
    assert!(bans.banned_since("/never-named", 1) && !bans.banned_since("/1", 2));
    bans.ban_all(9);
    assert!(bans.banned_since("/1", 8) && !bans.banned_since("/1", 9));
}

#[test]
fn beyond_the_limit_the_older_half_becomes_a_ban_of_everything_older() {
    let mut bans = Bans::with_limit(100);
    for number in 1..=101 {
        bans.add(number, [format!("/{number}")]);
    }
    assert!(bans.len() <= 50, "{}", bans.len());
    assert!(bans.banned_since("/other", 0), "what was not checked for long goes");
    assert!(!bans.banned_since("/other", 60), "what was checked lately stays");
    assert!(bans.banned_since("/101", 100));
}

#[test]
fn wildcards_that_are_younger_than_the_middle_go_on_banning() {
    let mut bans = Bans::with_limit(10);
    for number in 1..=11 {
        bans.add(number, [format!("/{number}/*")]);
    }
    assert!(bans.banned_since("/11/x", 10) && bans.banned_since("/9/x", 8));
    assert!(!bans.banned_since("/9/x", 9) && !bans.banned_since("/8/x", 8));
}

#[test]
fn one_batch_beyond_the_limit_bans_all_that_is_older() {
    let mut bans = Bans::with_limit(100);
    bans.add(5, (0..500).map(|at| format!("/{at}")));
    assert!(bans.is_empty());
    assert!(bans.banned_since("/other", 4) && !bans.banned_since("/1", 5));
}

#[test]
fn the_number_of_bans_does_not_change_what_is_looked_at() {
    let mut bans = Bans::default();
    for number in 1..=50_000 {
        bans.add(number, [format!("/x/{number}"), format!("/y/{number}/*")]);
    }
    assert_eq!(bans.len(), 100_000);
    assert!(bans.banned_since("/x/25000", 24_999) && bans.banned_since("/y/25000/z", 24_999));
    assert!(!bans.banned_since("/x/25000", 25_000) && !bans.banned_since("/x/0", 0));
}

/// The definition: one ban after the other.
fn naive(bans: &[(u64, String)], target: &str, checked: u64) -> bool {
    bans.iter().filter(|(number, _)| *number > checked).any(|(_, path)| {
        path.strip_suffix('*').map_or(path == target, |start| target.starts_with(start))
    })
}

/// Short texts over few letters, so that they often match.
fn path() -> impl Strategy<Value = String> {
    prop_oneof![30 => "/[ab/?]{0,5}\\*?", 1 => Just("/*".to_owned()), 1 => "/a{60,130}\\*"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_lookup_is_what_a_scan_says(
        batches in prop::collection::vec(prop::collection::vec(path(), 0..5), 0..12),
        target in prop_oneof![4 => "/[ab/?]{0,7}", 1 => "/a{55,135}"],
        checked in 0_u64..13,
    ) {
        let mut bans = Bans::default();
        let mut all = Vec::new();
        for (number, batch) in (1..).zip(batches) {
            bans.add(number, &batch);
            all.extend(batch.into_iter().map(|path| (number, path)));
        }
        prop_assert_eq!(bans.banned_since(&target, checked), naive(&all, &target, checked));
    }

    #[test]
    fn with_little_room_more_is_banned_but_never_less(
        limit in 0_usize..10,
        batches in prop::collection::vec(prop::collection::vec(path(), 0..5), 0..30),
        target in "/[ab/?]{0,7}",
        checked in 0_u64..31,
    ) {
        let mut bans = Bans::with_limit(limit);
        let mut all = Vec::new();
        for (number, batch) in (1..).zip(batches) {
            bans.add(number, &batch);
            prop_assert!(bans.len() <= limit.max(2));
            all.extend(batch.into_iter().map(|path| (number, path)));
        }
        if naive(&all, &target, checked) {
            prop_assert!(bans.banned_since(&target, checked));
        }
        prop_assert!(!bans.banned_since(&target, bans.latest()));
    }
}
