//! `Cache-Status` (RFC 9211).

use crate::given::{NOW, copy, headers};
use http::StatusCode;
use model::units::Seconds;
use nearfront_caching::{
    reuse::Why,
    status::{CacheStatus, Reason},
};

#[test]
fn a_hit_says_what_is_left_of_its_lifetime_section_2_4() {
    let response = headers("");
    let stored = copy(&response, 100);
    let said = |later| CacheStatus::hit().of_copy(&stored, stored.received_at + Seconds(later));
    assert_eq!(said(0).to_string(), "hit; ttl=100");
    assert_eq!(said(100).to_string(), "hit; ttl=0");
    assert_eq!(said(130).to_string(), "hit; ttl=-30");
    let forever = copy(&response, u64::MAX);
    let said = CacheStatus::hit().of_copy(&forever, NOW).to_string();
    let ttl: i64 = said.strip_prefix("hit; ttl=").unwrap().parse().unwrap();
    assert!(ttl < 1_000_000_000_000_000, "more digits than a structured field has");
}

#[test]
fn what_went_on_says_why_and_what_came_of_it_sections_2_2_to_2_6() {
    let ok = Some(StatusCode::OK);
    let miss = CacheStatus::forwarded(Reason::UriMiss, ok);
    assert_eq!(miss.to_string(), "fwd=uri-miss; fwd-status=200");
    let kept = miss.stored(Seconds(60));
    assert_eq!(kept.to_string(), "fwd=uri-miss; fwd-status=200; stored; ttl=60");
    let waited = kept.collapsed().to_string();
    assert_eq!(waited, "fwd=uri-miss; fwd-status=200; stored; collapsed; ttl=60");
    let lost = CacheStatus::forwarded(Reason::Stale, None).to_string();
    assert_eq!(lost, "fwd=stale");
    assert_eq!(CacheStatus::hit().collapsed(), CacheStatus::hit());
}

#[test]
fn every_reason_to_ask_has_its_word_section_2_2() {
    let table = [
        (Why::Absent, "uri-miss"),
        (Why::Banned, "uri-miss"),
        (Why::OtherVariant, "vary-miss"),
        (Why::KeepsNothing, "bypass"),
        (Why::Method, "method"),
        (Why::Stale, "stale"),
        (Why::NoCache, "stale"),
        (Why::ViewerNoCache, "request"),
        (Why::ViewerMaxAge, "request"),
        (Why::ViewerMinFresh, "request"),
    ];
    for (why, word) in table {
        assert_eq!(Reason::from(why).as_str(), word, "{why:?}");
    }
}
