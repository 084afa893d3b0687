//! Plans and edges that come and go, and a store that goes away.

mod common;

use bytes::Bytes;
use common::{
    Running,
    ask::{answers, look},
    fleet, plan, settings, until,
};
use hickory_proto::{op::ResponseCode, rr::RecordType};
use kit::health::Severity;
use ports::metastore::Write;
use std::net::SocketAddr;
use tokio::net::{TcpStream, UdpSocket};

const NAME: &str = "d1.cdn.test";

async fn running() -> Running {
    Running::start(&settings(), |store, registry| {
        store.put(&plan("E1", &[NAME]));
        registry.set(&fleet());
    })
    .await
}

async fn addresses(to: SocketAddr) -> Vec<String> {
    answers(&look(to, NAME, RecordType::A).await)
}

async fn code(to: SocketAddr, name: &str) -> ResponseCode {
    look(to, name, RecordType::A).await.metadata.response_code
}

#[tokio::test]
async fn an_edge_that_vanishes_leaves_the_answers_and_may_come_back() {
    let dns = running().await;
    let [fra, nrt, iad] = fleet();
    assert_eq!(addresses(dns.listen).await, ["192.0.2.1"]);
    dns.registry.set(&[nrt.clone(), iad.clone()]);
    until(async || addresses(dns.listen).await == ["192.0.2.3"]).await;
    dns.registry.set(&[fra, nrt, iad]);
    until(async || addresses(dns.listen).await == ["192.0.2.1"]).await;
    assert_eq!(dns.severity("dns-edges"), None);
}

#[tokio::test]
async fn when_nobody_seems_to_live_the_last_known_edges_stay() {
    let dns = running().await;
    let [fra, ..] = fleet();
    dns.registry.set(std::slice::from_ref(&fra));
    until(async || addresses(dns.listen).await == ["192.0.2.1"]).await;
    dns.registry.set(&[]);
    dns.until_severity("dns-edges", Some(Severity::Degraded)).await;
    assert_eq!(addresses(dns.listen).await, ["192.0.2.1"]);
    dns.registry.set(&[fra]);
    dns.until_severity("dns-edges", None).await;
    dns.registry.take_away();
    dns.until_severity("dns-edges", Some(Severity::Degraded)).await;
    assert_eq!(addresses(dns.listen).await, ["192.0.2.1"]);
}

#[tokio::test]
async fn without_any_edge_ever_the_answer_is_servfail() {
    let dns = Running::start(&settings(), |store, _| store.put(&plan("E1", &[NAME]))).await;
    assert_eq!(code(dns.listen, NAME).await, ResponseCode::ServFail);
    assert_eq!(dns.severity("dns-edges"), Some(Severity::Unready));
    dns.registry.set(&fleet());
    until(async || code(dns.listen, NAME).await == ResponseCode::NoError).await;
}

#[tokio::test]
async fn plans_come_change_and_go() {
    let dns = running().await;
    let new = "www.example.com";
    assert_eq!(code(dns.listen, new).await, ResponseCode::Refused);
    dns.store.put(&plan("E2", &["d2.cdn.test", new]));
    until(async || code(dns.listen, new).await == ResponseCode::NoError).await;
    let mut disabled = plan("E2", &["d2.cdn.test", "other.example.com"]);
    disabled.enabled = false;
    dns.store.put(&disabled);
    until(async || code(dns.listen, new).await == ResponseCode::Refused).await;
    assert_eq!(code(dns.listen, "other.example.com").await, ResponseCode::NoError);
    dns.store.delete("E2");
    until(async || code(dns.listen, "d2.cdn.test").await == ResponseCode::NXDomain).await;
    assert_eq!(code(dns.listen, NAME).await, ResponseCode::NoError);
}

#[tokio::test]
async fn routing_endpoints_come_and_go_and_tenants_have_their_own_names_only() {
    let dns = running().await;
    let endpoint = |ipv6: bool| {
        let value = format!("{{\"domain\":\"d9.cdn.test\",\"ipv6\":{ipv6}}}");
        dns.store.write(Write::Put("endpoint/cg_1".into(), Bytes::from(value)));
    };
    endpoint(true);
    until(async || code(dns.listen, "d9.cdn.test").await == ResponseCode::NoError).await;
    let aaaa = async || look(dns.listen, "d9.cdn.test", RecordType::AAAA).await;
    assert!(!answers(&aaaa().await).is_empty());
    endpoint(false);
    until(async || answers(&aaaa().await).is_empty()).await;
    dns.store.put(&plan("dt_1", &["dt_1.cdn.test", "shop.cdn.test"]));
    until(async || code(dns.listen, "shop.cdn.test").await == ResponseCode::NoError).await;
    assert_eq!(code(dns.listen, "dt_1.cdn.test").await, ResponseCode::NXDomain);
    dns.store.write(Write::Delete("endpoint/cg_1".into()));
    until(async || code(dns.listen, "d9.cdn.test").await == ResponseCode::NXDomain).await;
}

#[tokio::test]
async fn other_keys_and_broken_plans_change_nothing() {
    let dns = running().await;
    dns.store.write(Write::Put("plan/E1".into(), Bytes::from_static(b"{not a plan")));
    dns.store.write(Write::Put("invalidation/E1/I1".into(), Bytes::from_static(b"{}")));
    dns.store.put(&plan("E2", &["d2.cdn.test"]));
    until(async || code(dns.listen, "d2.cdn.test").await == ResponseCode::NoError).await;
    assert_eq!(code(dns.listen, NAME).await, ResponseCode::NoError);
}

#[tokio::test]
async fn answers_go_on_while_the_store_is_away_and_catch_up_afterwards() {
    let dns = running().await;
    dns.store.set_away(true);
    dns.until_severity("dns-plans", Some(Severity::Degraded)).await;
    assert_eq!(addresses(dns.listen).await, ["192.0.2.1"]);
    dns.store.put(&plan("E2", &["d2.cdn.test"]));
    dns.store.set_away(false);
    until(async || code(dns.listen, "d2.cdn.test").await == ResponseCode::NoError).await;
    dns.until_severity("dns-plans", None).await;
}

#[tokio::test]
async fn a_lost_feed_is_taken_up_from_a_snapshot() {
    let dns = running().await;
    dns.store.set_away(true);
    dns.until_severity("dns-plans", Some(Severity::Degraded)).await;
    dns.store.delete("E1");
    dns.store.put(&plan("E2", &["d2.cdn.test"]));
    dns.store.forget();
    dns.store.set_away(false);
    until(async || code(dns.listen, "d2.cdn.test").await == ResponseCode::NoError).await;
    assert_eq!(code(dns.listen, NAME).await, ResponseCode::NXDomain);
}

#[tokio::test]
async fn nothing_is_denied_before_plans_have_been_read() {
    let dns = Running::start(&settings(), |store, registry| {
        store.set_away(true);
        registry.set(&fleet());
    })
    .await;
    for name in [NAME, "www.example.com"] {
        assert_eq!(code(dns.listen, name).await, ResponseCode::ServFail, "{name}");
    }
    let soa = look(dns.listen, "cdn.test", RecordType::SOA).await;
    assert_eq!(soa.answers.len(), 1);
    dns.until_severity("dns-plans", Some(Severity::Unready)).await;
    dns.store.put(&plan("E1", &[NAME]));
    dns.store.set_away(false);
    until(async || code(dns.listen, NAME).await == ResponseCode::NoError).await;
    assert_eq!(code(dns.listen, "www.example.com").await, ResponseCode::Refused);
}

#[tokio::test]
async fn draining_ends_everything_and_frees_the_port() {
    let dns = running().await;
    let idle = TcpStream::connect(dns.listen).await.unwrap();
    dns.stopper.stop().await; // returns once no task holds the world any more
    until(async || UdpSocket::bind(dns.listen).await.is_ok()).await;
    until(async || TcpStream::connect(dns.listen).await.is_err()).await;
    drop(idle);
}
