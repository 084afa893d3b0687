//! What is made on first start, and what stays the same on the next.

use crate::harness::{NOON, Server, batch, distribution};
use model::feed::Certificate;
use ports::metastore::{Commit, MetaStore as _, Write};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _};
use std::{sync::Arc, time::Duration};

const DAY: u64 = 86_400_000;

async fn certificate(server: &Server, name: &str) -> Certificate {
    let entry = server.store.get(&format!("certificate/{name}")).await.unwrap().unwrap();
    serde_json::from_slice(&entry.value).unwrap()
}

fn der(certificate: &Certificate) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(certificate.chain.as_bytes()).unwrap()
}

/// Whether a client that trusts the authority accepts the zone's certificate for this name.
fn accepted(authority: &Certificate, zone: &Certificate, name: &str, at: u64) -> bool {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(der(authority)).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        rustls::client::WebPkiServerVerifier::builder_with_provider(roots.into(), provider)
            .build()
            .unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let at = UnixTime::since_unix_epoch(Duration::from_millis(at));
    let verdict = rustls::client::danger::ServerCertVerifier::verify_server_cert(
        &*verifier,
        &der(zone),
        &[],
        &name,
        &[],
        at,
    );
    verdict.is_ok()
}

#[tokio::test]
async fn the_root_key_and_certificates_outlive_a_restart() {
    let server = Server::start().await;
    let key = server.key().clone();
    let zone = certificate(&server, "zone").await;
    assert!(key.id.starts_with("AKIA") && key.id.len() == 20 && key.secret.0.len() == 40);
    assert!(!format!("{:?}", server.running).contains(&key.secret.0));
    let folder = server.stop().await;
    let server = Server::start_in(folder, "nearfront.localhost", NOON + DAY).await;
    assert_eq!(server.key(), &key);
    assert_eq!(certificate(&server, "zone").await, zone);
    assert_eq!(server.call("GET", "/distribution", "").await.status, 200);
}

#[tokio::test]
async fn the_zone_and_one_label_below_are_covered_and_nothing_else() {
    let server = Server::start().await;
    let (authority, zone) =
        (certificate(&server, "authority").await, certificate(&server, "zone").await);
    for (name, good) in [
        ("nearfront.localhost", true),
        ("d111111abcdef8.nearfront.localhost", true),
        ("a.b.nearfront.localhost", false),
        ("example.com", false),
    ] {
        assert_eq!(accepted(&authority, &zone, name, NOON), good, "{name}");
    }
    assert!(!accepted(&authority, &zone, "nearfront.localhost", NOON + 398 * DAY));
}

#[tokio::test]
async fn a_certificate_near_its_end_is_made_anew_by_the_same_authority() {
    let server = Server::start().await;
    let (authority, zone) =
        (certificate(&server, "authority").await, certificate(&server, "zone").await);
    let later = NOON + 368 * DAY;
    let server = Server::start_in(server.stop().await, "nearfront.localhost", later).await;
    assert_eq!(certificate(&server, "authority").await, authority);
    let renewed = certificate(&server, "zone").await;
    assert_ne!(renewed, zone);
    assert!(accepted(&authority, &renewed, "x.nearfront.localhost", later + 390 * DAY));
}

#[tokio::test]
async fn another_zone_needs_another_authority() {
    let server = Server::start().await;
    let authority = certificate(&server, "authority").await;
    let server = Server::start_in(server.stop().await, "cdn.example", NOON).await;
    let (fresh, zone) =
        (certificate(&server, "authority").await, certificate(&server, "zone").await);
    assert_ne!(fresh, authority);
    assert!(accepted(&fresh, &zone, "d1.cdn.example", NOON));
}

/// A distribution of this caller reference with one invalidation; its id.
async fn invalidated(server: &Server, reference: &str) -> String {
    let made = server.call("POST", "/distribution", distribution(reference, &[])).await;
    let id = made.text("Id").to_owned();
    let batches = format!("/distribution/{id}/invalidation");
    assert_eq!(server.call("POST", &batches, batch("r", &["/a"])).await.status, 201);
    id
}

#[tokio::test]
async fn what_a_crash_left_of_a_deleted_distribution_is_swept_on_the_next_start() {
    let server = Server::start().await;
    let (gone, stays) = (invalidated(&server, "gone").await, invalidated(&server, "stays").await);
    // The record went, and then the process, before it could take the invalidations away.
    let writes = vec![Write::Delete(format!("distribution/{gone}"))];
    server.store.commit(Commit { checks: Vec::new(), writes }).await.unwrap();
    let server = Server::start_in(server.stop().await, "nearfront.localhost", NOON).await;
    loop {
        let left = server.store.snapshot(&["invalidation/", "reference/invalidation/"]).await;
        let left = left.unwrap();
        assert_eq!(left.entries.iter().filter(|entry| entry.key.contains(&stays)).count(), 2);
        if !left.entries.iter().any(|entry| entry.key.contains(&gone)) {
            return;
        }
        server.store.changed(left.revision).await.unwrap();
    }
}
