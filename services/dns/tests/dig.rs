//! The client that operators use: `dig`, of Debian's package dnsutils.
#![expect(clippy::expect_used, reason = "tests")]

mod common;

use common::{Running, fleet, plan, settings};
use serde_json::json;
use testkit::mmdb::write_mmdb;
use tokio::process::Command;

async fn dig(dns: &Running, arguments: &str) -> String {
    let port = dns.listen.port().to_string();
    let mut command = Command::new("dig");
    command.args(["@127.0.0.1", "-p", &port, "+tries=1", "+time=20", "+norecurse"]);
    command.args(arguments.split(' '));
    let output = command.output().await.expect("dig must be installed: apt-get install dnsutils");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn dig_is_satisfied() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("places.mmdb");
    let country = |code: &str| json!({"country": {"iso_code": code}});
    let places = [
        ("133.11.0.0/16", country("JP")),
        ("8.8.8.0/24", country("US")),
        ("193.99.144.0/24", country("DE")),
    ];
    write_mmdb(&path, &places).expect("a database");
    let mut settings = settings();
    settings.geo.databases = vec![path];
    let dns = Running::start(&settings, |store, registry| {
        store.put(&plan("E1", &["d1.cdn.test", "*.wild.example"]));
        registry.set(&fleet());
    })
    .await;
    for (arguments, wanted) in [
        ("+short d1.cdn.test A +subnet=133.11.0.0/16", "192.0.2.2"),
        ("+short d1.cdn.test A +subnet=8.8.8.0/24", "192.0.2.3"),
        ("+short d1.cdn.test A +subnet=193.99.144.0/24", "192.0.2.1"),
        ("+short d1.cdn.test AAAA +subnet=133.11.0.0/16 +tcp", "2001:db8::2"),
        ("d1.cdn.test A +subnet=133.11.200.1/16", "CLIENT-SUBNET: 133.11.0.0/16/16"),
        ("d1.cdn.test A +subnet=0", "CLIENT-SUBNET: 0.0.0.0/0/0"),
        ("d1.cdn.test A +ednsopt=8:00000000", "status: FORMERR"),
        ("d1.cdn.test A +edns=1 +noednsnegotiation", "status: BADVERS"),
        (
            "+short a.b.wild.example HTTPS",
            "1 . alpn=\"h2\" ipv4hint=192.0.2.1 ipv6hint=2001:db8::1",
        ),
        ("nope.cdn.test A", "status: NXDOMAIN"),
        ("example.org A", "status: REFUSED"),
        ("d1.cdn.test MX", "ANSWER: 0, AUTHORITY: 1"),
        ("+short cdn.test NS", "ns1.cdn.test."),
        ("+short cdn.test SOA", "ns1.cdn.test. hostmaster.cdn.test. 1 "),
        ("d1.cdn.test ANY", "HINFO"),
        ("cdn.test AXFR", "Transfer failed"),
        ("-c CH version.bind TXT", "status: REFUSED"),
    ] {
        let said = dig(&dns, arguments).await;
        assert!(said.contains(wanted), "dig {arguments} says\n{said}");
        assert!(!said.to_lowercase().contains("warning"), "dig {arguments} says\n{said}");
    }
}
