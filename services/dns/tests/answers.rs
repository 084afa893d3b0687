//! Real questions by UDP and TCP, and what is answered.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{
    Running, SOON,
    ask::{answers, ask, denial, exchange, for_subnet, look, on_behalf, question, scope, tcp, udp},
    edge, fleet, plan, settings,
};
use hickory_proto::{
    op::{Edns, Message, ResponseCode},
    rr::{DNSClass, Name, RData, RecordType, rdata::svcb::SvcParamValue},
};
use kit::settings::Settings;
use serde_json::json;
use std::{collections::BTreeSet, net::SocketAddr};
use tempfile::TempDir;
use testkit::mmdb::write_mmdb;
use tokio::net::TcpStream;

const NAME: &str = "d1.cdn.test";

fn plans(store: &common::Store) {
    store.put(&plan("E1", &[NAME, "www.example.com", "*.wild.example"]));
    let mut four = plan("E2", &["d2.cdn.test", "alias.cdn.test"]);
    four.ipv6 = false;
    four.http.h3 = true;
    store.put(&four);
}

async fn running(settings: &Settings) -> Running {
    Running::start(settings, |store, registry| {
        plans(store);
        registry.set(&fleet());
    })
    .await
}

/// A country for most of the world and a place for some of it.
fn databases(settings: &mut Settings) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (countries, cities) = (folder.path().join("a.mmdb"), folder.path().join("b.mmdb"));
    let country = |code: &str| json!({"country_code": code});
    write_mmdb(
        &countries,
        &[
            ("133.11.0.0/16", country("JP")),
            ("8.0.0.0/9", country("US")),
            ("193.99.144.0/22", country("DE")),
            ("2a00::/12", country("DE")),
        ],
    )
    .unwrap();
    let seoul = json!({"location": {"latitude": 37.6, "longitude": 127.0}});
    write_mmdb(&cities, &[("193.99.147.0/24", seoul)]).unwrap();
    settings.geo.databases = vec![countries, cities];
    folder
}

#[tokio::test]
async fn three_subnets_are_sent_to_three_edges() {
    let mut settings = settings();
    let _folder = databases(&mut settings);
    let dns = running(&settings).await;
    for (subnet, address, scope) in [
        ("133.11.0.0/16", "192.0.2.2", 16),
        ("8.8.8.0/24", "192.0.2.3", 9),
        ("193.99.144.0/24", "192.0.2.1", 23),
        ("193.99.147.0/24", "192.0.2.2", 24),
        ("2a00:1::/32", "192.0.2.1", 12),
    ] {
        let (answers, found) = for_subnet(dns.listen, NAME, subnet).await;
        // The second database splits what the first one has as a whole: 23 bits, not 22.
        assert_eq!((answers, found), (vec![address.to_owned()], scope), "{subnet}");
    }
    let (answers, scope) = for_subnet(dns.listen, "x.y.wild.example", "133.11.0.0/16").await;
    assert_eq!((answers, scope), (vec!["192.0.2.2".to_owned()], 16));
}

#[tokio::test]
async fn whoever_is_not_known_is_sent_by_order() {
    let mut settings = settings();
    let _folder = databases(&mut settings);
    settings.dns.order = vec!["iad".into(), "fra".into()];
    settings.dns.answers = 2;
    let dns = running(&settings).await;
    let by_order = ["192.0.2.3", "192.0.2.1"];
    let (unknown, scope) = for_subnet(dns.listen, NAME, "203.0.113.0/24").await;
    assert_eq!(unknown, by_order);
    assert_eq!(scope, 24, "a neighbour may be known: the answer is for nobody else");
    let (private, scope) = for_subnet(dns.listen, NAME, "0.0.0.0/0").await;
    assert_eq!((private.as_slice(), scope), (&by_order.map(String::from)[..], 0));
    assert_eq!(answers(&look(dns.listen, NAME, RecordType::A).await), by_order);
}

#[tokio::test]
async fn without_databases_an_answer_is_for_everybody() {
    let dns = running(&settings()).await;
    let (answers, scope) = for_subnet(dns.listen, NAME, "133.11.0.0/16").await;
    assert_eq!((answers, scope), (vec!["192.0.2.1".to_owned()], 0)); // "fra" is first by id
}

#[tokio::test]
async fn addresses_come_with_the_ttl_of_the_settings() {
    let mut settings = settings();
    settings.dns.ttl = 17;
    let dns = running(&settings).await;
    let reply = look(dns.listen, NAME, RecordType::A).await;
    assert!(reply.metadata.authoritative);
    assert_eq!(reply.answers[0].ttl, 17);
    assert_eq!(reply.answers[0].name.to_ascii(), "d1.cdn.test.");
    let six = look(dns.listen, NAME, RecordType::AAAA).await;
    assert_eq!(answers(&six), ["2001:db8::1"]);
    assert_eq!(scope(&six), None, "nobody asked for a subnet");
}

#[tokio::test]
async fn ipv6_is_answered_only_where_the_distribution_has_it() {
    let dns = running(&settings()).await;
    let reply = look(dns.listen, "d2.cdn.test", RecordType::AAAA).await;
    assert!(reply.answers.is_empty());
    assert_eq!(denial(&reply), (ResponseCode::NoError, Some("cdn.test.".into())));
}

#[tokio::test]
async fn https_records_tell_versions_port_and_addresses() {
    let mut low = edge("a", None, &["127.0.0.1", "::1"]);
    low.https_port = Some(8443);
    let dns = Running::start(&settings(), |store, registry| {
        plans(store);
        registry.set(&[low, edge("b", None, &["192.0.2.9"])]);
    })
    .await;
    let wanted = ["alpn=h2", "port=8443", "ipv4hint=127.0.0.1", "ipv6hint=::1"];
    assert_eq!(parameters(dns.listen, NAME).await, wanted);
    let wanted = ["alpn=h3,h2", "port=8443", "ipv4hint=127.0.0.1"];
    assert_eq!(parameters(dns.listen, "d2.cdn.test").await, wanted);
    dns.registry.set(&[edge("b", None, &["192.0.2.9"])]);
    let wanted = ["alpn=h3,h2", "ipv4hint=192.0.2.9"]; // 443 goes without saying
    common::until(async || parameters(dns.listen, "d2.cdn.test").await == wanted).await;
}

/// Parameters of the one HTTPS record of a name.
async fn parameters(to: SocketAddr, name: &str) -> Vec<String> {
    let reply = look(to, name, RecordType::HTTPS).await;
    let [record] = reply.answers.as_slice() else {
        panic!("{reply}");
    };
    let RData::HTTPS(https) = &record.data else {
        panic!("{record}");
    };
    assert_eq!((https.svc_priority, &https.target_name), (1, &Name::root()));
    let text = |value: &SvcParamValue| value.to_string().trim_end_matches(',').to_owned();
    let all = https.svc_params.iter();
    all.map(|(key, value)| format!("{key}={}", text(value))).collect()
}

#[tokio::test]
async fn the_zone_knows_itself() {
    let mut settings = settings();
    settings.dns.caa = vec!["letsencrypt.org".into()];
    let dns = running(&settings).await;
    let ns = look(dns.listen, "cdn.test", RecordType::NS).await;
    assert_eq!(answers(&ns), ["ns1.cdn.test."]);
    assert_eq!(ns.additionals[0].data.to_string(), "127.0.0.1");
    let server = look(dns.listen, "ns1.cdn.test", RecordType::A).await;
    assert_eq!(answers(&server), ["127.0.0.1"]);
    let soa = look(dns.listen, "cdn.test", RecordType::SOA).await;
    let RData::SOA(soa) = &soa.answers[0].data else {
        panic!("not an SOA record");
    };
    assert_eq!(soa.serial, 2, "the revision");
    for name in ["cdn.test", NAME, "www.example.com"] {
        let caa = look(dns.listen, name, RecordType::CAA).await;
        assert!(answers(&caa)[0].contains("letsencrypt.org\""), "{:?}", answers(&caa));
    }
    let any = look(dns.listen, NAME, RecordType::ANY).await;
    assert_eq!(any.answers.len(), 1);
    assert!(matches!(any.answers[0].data, RData::HINFO(_)));
}

#[tokio::test]
async fn denials_carry_the_soa_of_the_innermost_zone() {
    let dns = running(&settings()).await;
    let (yes, no, out) = (ResponseCode::NoError, ResponseCode::NXDomain, ResponseCode::Refused);
    for (name, kind, code, soa) in [
        ("nope.cdn.test", RecordType::A, no, Some("cdn.test.")),
        ("nope.cdn.test", RecordType::ANY, no, Some("cdn.test.")),
        ("cdn.test", RecordType::A, yes, Some("cdn.test.")),
        (NAME, RecordType::TXT, yes, Some("cdn.test.")),
        (NAME, RecordType::NS, yes, Some("cdn.test.")),
        (NAME, RecordType::CAA, yes, Some("cdn.test.")),
        (NAME, RecordType::MX, yes, Some("cdn.test.")),
        ("_acme-challenge.d1.cdn.test", RecordType::TXT, yes, Some("cdn.test.")),
        ("_acme-challenge.www.example.com", RecordType::TXT, yes, Some("www.example.com.")),
        ("www.example.com", RecordType::TXT, yes, Some("www.example.com.")),
        ("x.www.example.com", RecordType::A, no, Some("www.example.com.")),
        ("wild.example", RecordType::A, yes, Some("wild.example.")),
        ("a.b.wild.example", RecordType::MX, yes, Some("wild.example.")),
        ("example.com", RecordType::A, out, None),
        ("test", RecordType::A, out, None),
        (".", RecordType::NS, out, None),
        ("notcdn.test", RecordType::A, out, None),
    ] {
        let reply = look(dns.listen, name, kind).await;
        assert_eq!(denial(&reply), (code, soa.map(Into::into)), "{name} {kind}");
        assert!(reply.answers.is_empty());
        assert_eq!(reply.metadata.authoritative, code != out, "{name} {kind}");
    }
}

#[tokio::test]
async fn aliases_are_zones_of_their_own() {
    let dns = running(&settings()).await;
    let soa = look(dns.listen, "www.example.com", RecordType::SOA).await;
    assert_eq!(soa.answers.len(), 1);
    assert_eq!(soa.answers[0].name.to_ascii(), "www.example.com.");
    let ns = look(dns.listen, "wild.example", RecordType::NS).await;
    assert_eq!(answers(&ns), ["ns1.cdn.test."]);
    assert_eq!(answers(&look(dns.listen, "www.example.com", RecordType::A).await), ["192.0.2.1"]);
    assert_eq!(answers(&look(dns.listen, "alias.cdn.test", RecordType::A).await), ["192.0.2.1"]);
}

#[tokio::test]
async fn the_case_of_the_question_comes_back() {
    let dns = running(&settings()).await;
    let asked = question("D1.cDn.TeSt", RecordType::A).to_vec().unwrap();
    let reply = udp(dns.listen, &asked).await;
    assert_eq!(reply[12..29], asked[12..29], "0x20 bits are the client's");
    let reply = Message::from_vec(&reply).unwrap();
    assert_eq!(answers(&reply), ["192.0.2.1"]);
    assert_eq!(reply.answers[0].name.to_ascii(), "D1.cDn.TeSt.");
}

#[tokio::test]
async fn edns_is_answered_with_edns() {
    let dns = running(&settings()).await;
    let mut message = question(NAME, RecordType::A);
    let mut edns = Edns::new();
    edns.set_dnssec_ok(true).set_max_payload(4096);
    message.edns = Some(edns.clone());
    let reply = ask(dns.listen, &message).await;
    let back = reply.edns.unwrap();
    assert!(back.flags().dnssec_ok && back.options().as_ref().is_empty());
    assert_eq!((back.version(), back.max_payload()), (0, 1232));
    edns.set_version(1);
    message.edns = Some(edns);
    let reply = ask(dns.listen, &message).await;
    let code = u16::from(reply.metadata.response_code);
    assert_eq!(code, 16, "BADVERS"); // 16 is also BADSIG, which hickory calls it
    assert_eq!(reply.edns.unwrap().version(), 0);
    assert!(ask(dns.listen, &question(NAME, RecordType::A)).await.edns.is_none());
}

#[tokio::test]
async fn other_classes_and_transfers_are_refused() {
    let dns = running(&settings()).await;
    for class in [DNSClass::CH, DNSClass::HS, DNSClass::ANY] {
        let mut message = question(NAME, RecordType::A);
        message.queries[0].set_query_class(class);
        let reply = ask(dns.listen, &message).await;
        assert_eq!(reply.metadata.response_code, ResponseCode::Refused, "{class}");
    }
    for kind in [RecordType::AXFR, RecordType::IXFR] {
        let bytes = question("cdn.test", kind).to_vec().unwrap();
        let reply = Message::from_vec(&tcp(dns.listen, &bytes).await).unwrap();
        assert_eq!(reply.metadata.response_code, ResponseCode::Refused, "{kind}");
    }
}

/// Forty edges with eight addresses each, which no datagram holds.
async fn crowd() -> Running {
    let mut settings = settings();
    settings.dns.answers = 40;
    Running::start(&settings, |store, registry| {
        plans(store);
        let beats: Vec<_> = (0..40)
            .map(|n| {
                let all: Vec<_> = (0..8).map(|k| format!("198.51.{n}.{k}")).collect();
                let all: Vec<_> = all.iter().map(String::as_str).collect();
                edge(&format!("e{n}"), None, &all)
            })
            .collect();
        registry.set(&beats);
    })
    .await
}

async fn payload(to: SocketAddr, limit: Option<u16>) -> (usize, Message) {
    let mut message = question(NAME, RecordType::A);
    message.edns = limit.map(|limit| {
        let mut edns = Edns::new();
        edns.set_max_payload(limit);
        edns
    });
    let bytes = udp(to, &message.to_vec().unwrap()).await;
    (bytes.len(), Message::from_vec(&bytes).unwrap())
}

#[tokio::test]
async fn what_does_not_fit_is_truncated_and_comes_whole_by_tcp() {
    let dns = crowd().await;
    for (limit, most) in [(None, 512), (Some(512), 512), (Some(1232), 1232), (Some(65535), 1232)] {
        let (length, reply) = payload(dns.listen, limit).await;
        assert!(length <= most, "{limit:?}: {length}");
        assert!(reply.metadata.truncation && reply.answers.is_empty());
        assert_eq!(reply.edns.is_some(), limit.is_some(), "EDNS stays");
    }
    let bytes = question(NAME, RecordType::A).to_vec().unwrap();
    let mut stream = TcpStream::connect(dns.listen).await.unwrap();
    for _ in 0..3 {
        let reply = Message::from_vec(&exchange(&mut stream, &bytes).await).unwrap();
        assert!(!reply.metadata.truncation);
        assert_eq!(reply.answers.len(), 320);
    }
}

#[tokio::test]
async fn an_unmasked_subnet_is_refused_and_the_reply_says_to_what() {
    let dns = running(&settings()).await;
    let mut bytes = on_behalf(NAME, "133.11.0.0/15").to_vec().unwrap();
    let last = bytes.len() - 1;
    bytes[last] = 11; // the sixteenth bit, beyond the prefix
    let reply = Message::from_vec(&udp(dns.listen, &bytes).await).unwrap();
    assert_eq!(reply.metadata.response_code, ResponseCode::FormErr);
    assert_eq!(reply.queries[0].name(), &Name::from_ascii("d1.cdn.test.").unwrap());
    assert!(reply.edns.is_some());
}

#[tokio::test]
async fn questions_are_counted() {
    let dns = running(&settings()).await;
    look(dns.listen, NAME, RecordType::A).await;
    look(dns.listen, "nope.cdn.test", RecordType::AAAA).await;
    let text = dns.metrics.text().unwrap();
    for line in [
        "nearfront_dns_queries_total{qtype=\"A\",transport=\"udp\"} 1",
        "nearfront_dns_queries_total{qtype=\"AAAA\",transport=\"udp\"} 1",
        "nearfront_dns_replies_total{rcode=\"NXDOMAIN\"} 1",
        "nearfront_dns_edges 3",
        "nearfront_dns_names 5",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
}

#[tokio::test]
async fn a_taken_port_is_a_clear_error() {
    let dns = running(&settings()).await;
    let mut settings = settings();
    settings.dns.listen = dns.listen;
    let (_stopper, drain) = kit::drain::channel();
    let world = kit::service::World {
        seals: kit::seal::Seals::default(),
        store: dns.store.clone(),
        registry: dns.registry.clone(),
        clock: std::sync::Arc::new(kit::service::SystemClock),
        drain,
        health: kit::health::Health::default(),
        metrics: kit::metrics::Metrics::default(),
    };
    let error = nearfront_dns::start(&settings, world).await.unwrap_err();
    assert!(error.to_string().contains("dns.listen"), "{error}");
}

#[tokio::test]
async fn a_reply_leaves_from_the_address_that_was_asked() {
    let asked = question(NAME, RecordType::A).to_vec().unwrap();
    for (listen, addresses) in
        [("0.0.0.0:0", &["127.0.0.1", "127.0.0.2"][..]), ("[::]:0", &["::1", "127.0.0.2"])]
    {
        if std::net::UdpSocket::bind((addresses[0], 0)).is_err() {
            continue; // this machine has no IPv6
        }
        let mut settings = settings();
        settings.dns.listen = listen.parse().unwrap();
        let dns = running(&settings).await;
        for address in addresses {
            let to = SocketAddr::new(address.parse().unwrap(), dns.listen.port());
            // The client's socket is connected: it takes replies from there alone.
            assert_eq!(udp(to, &asked).await[3] & 0xF, 0, "{listen} {address}");
        }
    }
}

#[tokio::test]
async fn every_datagram_of_a_burst_is_answered() {
    let dns = running(&settings()).await;
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(dns.listen).await.unwrap();
    let mut asked = question(NAME, RecordType::A);
    let mut missing: BTreeSet<u16> = (0..50).collect();
    for id in &missing {
        asked.metadata.id = *id;
        socket.send(&asked.to_vec().unwrap()).await.unwrap();
    }
    while !missing.is_empty() {
        let mut buffer = [0; 512];
        let received = tokio::time::timeout(SOON, socket.recv(&mut buffer)).await;
        let reply = Message::from_vec(&buffer[..received.unwrap().unwrap()]).unwrap();
        assert!(missing.remove(&reply.metadata.id));
    }
}
