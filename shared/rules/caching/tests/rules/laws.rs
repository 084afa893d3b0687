//! Laws that hold whatever origins and viewers send.

use crate::given::{AT_ONCE, NOW, cloudfront, copy, date, rule, standard};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use model::{plan::Law, units::Seconds};
use nearfront_caching::{
    RequestView, ResponseView, StoredView, Terms,
    directives::Directives,
    range::{Asked, MOST_PARTS, parse},
    reuse::{self, Decision},
    stale::{Failure, on_error},
    storing::{self, Storing, Why},
    validate, vary,
};
use proptest::prelude::*;

/// Any bytes that a header value can have.
fn value() -> impl Strategy<Value = HeaderValue> {
    let byte = prop_oneof![8 => 0x20_u8..0x7f, 1 => Just(b'"'), 1 => Just(b','), 1 => 0x80_u8..];
    prop::collection::vec(byte, 0..80).prop_map(|bytes| HeaderValue::from_bytes(&bytes).unwrap())
}

fn directive() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "max-age",
        "s-maxage",
        "stale-while-revalidate",
        "stale-if-error",
        "min-fresh",
        "max-stale",
    ]);
    let flags = prop::sample::select(vec![
        "no-store",
        "no-cache",
        "private",
        "public",
        "must-revalidate",
        "immutable",
        "only-if-cached",
        "must-understand",
        "no-cache=\"set-cookie\"",
        "private=\"x-a\"",
    ]);
    prop_oneof![
        (names, 0_u64..400).prop_map(|(name, number)| format!("{name}={number}")),
        flags.prop_map(str::to_owned),
    ]
}

/// `Cache-Control` values that make sense, each directive at most once.
fn directives() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(directive(), 0..6).prop_map(|mut list| {
        list.sort_by_key(|one| one.split('=').next().map(str::to_owned));
        list.dedup_by_key(|one| one.split('=').next().map(str::to_owned));
        list
    })
}

fn text(name: HeaderName, value: &str) -> (HeaderName, HeaderValue) {
    (name, HeaderValue::from_str(value).unwrap())
}

fn dated() -> impl Strategy<Value = HeaderName> {
    prop::sample::select(vec![
        header::EXPIRES,
        header::DATE,
        header::LAST_MODIFIED,
        header::IF_MODIFIED_SINCE,
        header::IF_UNMODIFIED_SINCE,
        header::IF_RANGE,
    ])
}

fn tagged() -> impl Strategy<Value = HeaderName> {
    prop::sample::select(vec![
        header::ETAG,
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        header::IF_RANGE,
    ])
}

/// Headers with values that make sense and values that do not.
fn lines() -> impl Strategy<Value = HeaderMap> {
    let names = prop::sample::select(vec![
        header::CACHE_CONTROL,
        header::EXPIRES,
        header::DATE,
        header::AGE,
        header::LAST_MODIFIED,
        header::ETAG,
        header::VARY,
        header::PRAGMA,
        header::RANGE,
        header::IF_RANGE,
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        HeaderName::from_static("cdn-cache-control"),
    ]);
    let line = prop_oneof![
        3 => (names, value()),
        2 => directives().prop_map(|list| text(header::CACHE_CONTROL, &list.join(", "))),
        3 => (dated(), -900_i64..900).prop_map(|(name, after)| text(name, &date(after))),
        2 => (tagged(), "(W/)?\"[a-c]\"").prop_map(|(name, tag)| text(name, &tag)),
        1 => (0_u64..400).prop_map(|age| text(header::AGE, &age.to_string())),
    ];
    prop::collection::vec(line, 0..8).prop_map(|lines| {
        lines.into_iter().fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(name, value);
            map
        })
    })
}

fn ttls() -> impl Strategy<Value = (u64, u64, u64)> {
    (0_u64..300, 0_u64..300, 0_u64..300).prop_map(|(one, two, three)| {
        let mut sorted = [one, two, three];
        sorted.sort_unstable();
        (sorted[0], sorted[1], sorted[2])
    })
}

fn decide(terms: &Terms<'_>, status: u16, request: &HeaderMap, response: &HeaderMap) -> Storing {
    let request = RequestView { method: &Method::GET, headers: request };
    let status = StatusCode::from_u16(status).unwrap();
    storing::decide(terms, &request, &ResponseView { status, headers: response }, AT_ONCE)
}

proptest! {
    #[test]
    fn nothing_that_is_sent_makes_a_decision_panic(
        (request, response, fresh) in (lines(), lines(), lines()),
        status in 100_u16..=999,
        later in any::<u64>(),
        length in any::<u64>(),
        fresh_for in any::<u64>(),
    ) {
        let view = RequestView { method: &Method::GET, headers: &request };
        let stored = StoredView { initial_age: Seconds(later), ..copy(&response, fresh_for) };
        for terms in [cloudfront(0, 50, 100), cloudfront(1, 50, u64::MAX), standard()] {
            decide(&terms, status, &request, &response);
            for now in [NOW, model::units::Timestamp(later)] {
                reuse::decide(&terms, &view, Some(&stored), now);
                on_error(&terms, &view, &stored, Failure::Unreachable, now);
            }
        }
        validate::precondition(&Method::GET, &request, &stored);
        validate::for_not_modified(&validate::merge(&response, &fresh));
        for law in [Law::Http, Law::CloudFront] {
            nearfront_caching::range::asked(law, &Method::GET, &request, &response, length);
        }
        if let vary::Vary::On(names) = vary::of(&response) {
            prop_assert!(vary::matches(&names, &request, &request));
        }
    }

    #[test]
    fn cloudfront_keeps_objects_between_minimum_and_maximum(
        (min, default, max) in ttls(),
        (request, response) in (lines(), lines()),
    ) {
        let terms = cloudfront(min, default, max);
        match decide(&terms, 200, &request, &response) {
            Storing::Keep(keep) => {
                prop_assert!((min..=max).contains(&keep.fresh_for.0), "{keep:?}");
                prop_assert_eq!(keep.initial_age, Seconds(0));
            }
            Storing::Pass(why) => {
                prop_assert!(min == 0, "passed for {} though there is a minimum", why.as_str());
            }
        }
    }

    #[test]
    fn cloudfront_keeps_errors_no_longer_than_their_rule_or_the_maximum(
        (min, default, max) in ttls(),
        (status, least) in (400_u16..600, 0_u64..300),
        response in lines(),
    ) {
        let rules = [rule(status, least)];
        let terms = Terms { errors: &rules, ..cloudfront(min, default, max) };
        if let Storing::Keep(keep) = decide(&terms, status, &HeaderMap::new(), &response) {
            prop_assert!((least..=least.max(max)).contains(&keep.fresh_for.0), "{keep:?}");
        }
    }

    #[test]
    fn nothing_is_kept_longer_than_the_maximum_under_rfc_9111(
        max in 1_u64..300,
        status in 200_u16..600,
        (request, response) in (lines(), lines()),
    ) {
        let mut terms = standard();
        terms.ttl.max = Seconds(max);
        if let Storing::Keep(keep) = decide(&terms, status, &request, &response) {
            prop_assert!(keep.fresh_for.0 <= max, "{keep:?}");
        }
    }

    #[test]
    fn order_case_and_lines_of_directives_do_not_matter(
        (list, seed) in directives().prop_flat_map(|list| {
            (Just(list.clone()), Just(list).prop_shuffle())
        }),
        upper in any::<bool>(),
    ) {
        let plain = HeaderMap::from_iter([(
            header::CACHE_CONTROL,
            HeaderValue::from_str(&list.join(",")).unwrap(),
        )]);
        let mut other = HeaderMap::new();
        for one in &seed {
            let (name, argument) = one.split_once('=').map_or((&**one, None), |(name, rest)| (name, Some(rest)));
            let name = if upper { name.to_ascii_uppercase() } else { name.to_owned() };
            let text = argument.map_or(name.clone(), |argument| format!("{name}={argument}"));
            other.append(header::CACHE_CONTROL, HeaderValue::from_str(&format!(" {text} ,")).unwrap());
        }
        let (mut one, mut two) = (Directives::of(&plain), Directives::of(&other));
        one.withheld.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        two.withheld.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        prop_assert_eq!(one, two);
    }

    #[test]
    fn no_store_is_never_kept_under_rfc_9111_unless_must_understand(
        status in 200_u16..600,
        (request, mut response) in (lines(), lines()),
    ) {
        response.remove("cdn-cache-control");
        response.append(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let said = Directives::of(&response);
        prop_assume!(!said.has(nearfront_caching::directives::Flag::MustUnderstand));
        prop_assert!(matches!(decide(&standard(), status, &request, &response), Storing::Pass(_)));
    }

    #[test]
    fn what_is_kept_is_served_until_it_is_stale_and_not_after(
        (min, default, max) in ttls(),
        response in lines(),
        later in 0_u64..700,
    ) {
        let terms = cloudfront(min, default, max);
        let Storing::Keep(keep) = decide(&terms, 200, &HeaderMap::new(), &response) else {
            return Ok(());
        };
        let request = HeaderMap::new();
        let view = RequestView { method: &Method::GET, headers: &request };
        let stored = copy(&response, keep.fresh_for.0);
        let decision = reuse::decide(&terms, &view, Some(&stored), NOW + Seconds(later));
        let served = matches!(decision, Decision::Serve { .. });
        prop_assert_eq!(served, later < keep.fresh_for.0);
        if let Decision::ServeStale { age, .. } = decision {
            prop_assert!(age < Seconds(max), "never beyond the maximum");
        }
    }

    #[test]
    fn a_copy_that_is_not_fresh_is_never_served_fresh_under_rfc_9111(
        (request, response) in (lines(), lines()),
        later in 0_u64..700,
    ) {
        let Storing::Keep(keep) = decide(&standard(), 200, &request, &response) else {
            return Ok(());
        };
        let view = RequestView { method: &Method::GET, headers: &request };
        let stored = StoredView { initial_age: keep.initial_age, ..copy(&response, keep.fresh_for.0) };
        let decision = reuse::decide(&standard(), &view, Some(&stored), NOW + Seconds(later));
        if let Decision::Serve { .. } = decision {
            prop_assert!(later < keep.fresh_for.0);
        }
    }

    #[test]
    fn parts_lie_within_the_body_and_apart(
        text in prop_oneof![
            "bytes=[0-9]{0,4}-[0-9]{0,4}(,[0-9]{0,3}-[0-9]{0,3}){0,6}",
            "bytes=([0-9]{0,2}-[0-9]{1,2},){0,20}",
            ".{0,20}",
        ],
        length in 0_u64..5_000,
    ) {
        for law in [Law::Http, Law::CloudFront] {
            let parts = match parse(law, text.as_bytes(), length) {
                Asked::One(part) => vec![part],
                Asked::Several(parts) => {
                    prop_assert!((2..=MOST_PARTS).contains(&parts.len()));
                    parts
                }
                Asked::Whole | Asked::Unsatisfiable => Vec::new(),
            };
            prop_assert!(parts.iter().all(|part| part.start <= part.end && part.end < length));
            prop_assert!(parts.iter().map(|part| part.length()).sum::<u64>() <= length);
            for (at, one) in parts.iter().enumerate() {
                let mut others = parts.iter().take(at);
                prop_assert!(others.all(|other| one.end < other.start || other.end < one.start));
            }
        }
    }

    #[test]
    fn a_304_from_the_same_headers_changes_nothing_but_age_and_date(stored in lines()) {
        let mut expected = stored.clone();
        let merged = validate::merge(&stored, &stored);
        prop_assert_eq!(&merged, &expected);
        expected.remove(header::AGE);
        expected.remove(header::DATE);
        prop_assert_eq!(validate::merge(&stored, &HeaderMap::new()), expected);
    }

    #[test]
    fn our_own_question_finds_our_own_copy_unchanged(stored in lines()) {
        let validators = validate::Validators::of(&stored);
        prop_assume!(!validators.is_empty());
        let mut request = HeaderMap::new();
        validators.write(&mut request);
        let found = validate::precondition(&Method::GET, &request, &copy(&stored, 0));
        prop_assert_eq!(found, validate::Precondition::NotModified);
    }
}

#[test]
fn reasons_have_names_of_their_own() {
    let storing = [
        Why::Method,
        Why::CachingDisabled,
        Why::AllHeaders,
        Why::Status,
        Why::Partial,
        Why::ErrorWithoutMaxAge,
        Why::NoStore,
        Why::NoCache,
        Why::Private,
        Why::VaryAny,
        Why::ViewerNoStore,
        Why::Authorization,
        Why::NotUnderstood,
        Why::NotCacheable,
    ];
    let names: std::collections::HashSet<_> = storing.iter().map(|why| why.as_str()).collect();
    assert_eq!(names.len(), storing.len());
    let sound = |name: &&str| name.chars().all(|one| one.is_ascii_lowercase() || one == '_');
    assert!(names.iter().all(sound));
}
