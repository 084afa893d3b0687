//! Secrets in the store are sealed, whatever stood there before.

use crate::harness::{NOON, Server};
use kit::{
    seal::{KEY_BYTES, Seals},
    settings::Settings,
};
use model::feed::{Sealed, Secret};
use ports::metastore::{Commit, MetaStore as _, Write};
use serde_json::Value;

const SECRETS: [(&str, &str); 2] = [("certificate/", "key"), ("access-key/", "secret")];

/// Every secret in the store: its record, its member, and as it stands there.
async fn secrets(server: &Server) -> Vec<(String, &'static str, Value)> {
    let mut found = Vec::new();
    for (prefix, member) in SECRETS {
        for entry in server.store.list(prefix, None, 100).await.unwrap() {
            found.push((entry.key, member, serde_json::from_slice(&entry.value).unwrap()));
        }
    }
    found
}

fn seals(server: &Server) -> Seals {
    let data_dir = server.folder.path().to_owned();
    kit::seal::prepare(&Settings { data_dir, ..Settings::default() }).unwrap()
}

#[tokio::test]
async fn what_the_first_start_makes_is_sealed() {
    let server = Server::start().await;
    let all = secrets(&server).await;
    assert_eq!(all.len(), 3, "the authority, the zone's certificate, the root key");
    for (key, member, record) in all {
        let sealed = Sealed(record[member].as_str().unwrap().into());
        assert!(seals(&server).is_current(&sealed), "{key}");
    }
}

#[tokio::test]
async fn what_was_written_in_clear_is_sealed_at_the_next_start_and_still_good() {
    let server = Server::start().await;
    let (seals, key) = (seals(&server), server.key().clone());
    let mut writes = Vec::new();
    for (place, member, mut record) in secrets(&server).await {
        let sealed = Sealed(record[member].as_str().unwrap().into());
        record[member] = seals.open(&place, &sealed).unwrap().0.into();
        writes.push(Write::Put(place, serde_json::to_vec(&record).unwrap().into()));
    }
    server.store.commit(Commit { checks: Vec::new(), writes }).await.unwrap();
    let server = Server::start_in(server.stop().await, "nearfront.localhost", NOON).await;
    for (place, member, record) in secrets(&server).await {
        assert!(seals.is_current(&Sealed(record[member].as_str().unwrap().into())), "{place}");
    }
    assert_eq!(server.key(), &key);
    assert_eq!(server.call("GET", "/distribution", "").await.status, 200);
}

#[tokio::test]
async fn one_spoilt_secret_does_not_keep_the_others_from_use() {
    let server = Server::start().await;
    let (place, member, mut record) =
        secrets(&server).await.into_iter().find(|one| one.0 == "certificate/zone").unwrap();
    let other = seals(&server).seal("certificate/other", &Secret("x".into())).unwrap();
    record[member] = other.0.clone().into();
    let writes = vec![Write::Put(place.clone(), serde_json::to_vec(&record).unwrap().into())];
    server.store.commit(Commit { checks: Vec::new(), writes }).await.unwrap();
    let server = Server::start_in(server.stop().await, "nearfront.localhost", NOON).await;
    assert_eq!(server.call("GET", "/distribution", "").await.status, 200);
}

#[tokio::test]
async fn a_store_of_another_key_is_refused_by_the_ids_of_both_keys() {
    let server = Server::start().await;
    let first = seals(&server).ids();
    let folder = server.stop().await;
    let key = [9; KEY_BYTES];
    let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key);
    std::fs::write(folder.path().join(kit::seal::FILE), text).unwrap();
    let why = Server::refuses(folder).await;
    assert!(why.contains(&first) && why.contains(&Seals::of(&[key]).ids()), "{why}");
    assert!(why.contains("add the key that is missing"), "{why}");
}
