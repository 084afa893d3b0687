//! Secrets in the store are sealed, whatever stood there before.

use crate::harness::{NOON, Sent, Server, Signing};
use kit::{
    seal::{KEY_BYTES, Seals},
    settings::Settings,
};
use model::feed::{Sealed, Secret};
use ports::metastore::{Commit, MetaStore as _, Write};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;

/// The file that says that everything is sealed.
const MARK: &str = "metadata.sealed";
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

async fn put(server: &Server, place: &str, record: &Value) {
    let writes = vec![Write::Put(place.to_owned(), serde_json::to_vec(record).unwrap().into())];
    server.store.commit(Commit { checks: Vec::new(), writes }).await.unwrap();
}

async fn again(server: Server) -> Server {
    Server::start_in(server.stop().await, "nearfront.localhost", NOON).await
}

/// What `/readyz` says of secrets.
fn told(server: &Server) -> Option<String> {
    let all = server.health.conditions();
    all.into_iter().find(|(part, ..)| *part == "secrets").map(|(_, _, why)| why)
}

/// Status of a call with another key.
async fn called_with(server: &Server, key: &str, secret: &str) -> u16 {
    let signing = Signing { key, secret, ..server.signing() };
    let sent = Sent::new("GET", "/distribution", "");
    server.send_raw(&server.signed(sent, &signing)).await.status
}

/// Status of `DeleteAccessKey` by the account itself.
async fn deleted(server: &Server, key: &str) -> u16 {
    let mut sent = Sent::new("POST", "", format!("Action=DeleteAccessKey&AccessKeyId={key}"))
        .with("content-type", "application/x-www-form-urlencoded");
    "/".clone_into(&mut sent.target);
    let signing = Signing { service: "iam", ..server.signing() };
    server.send_raw(&server.signed(sent, &signing)).await.status
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
    let mark = server.folder.path().join(MARK);
    let id = std::fs::read_to_string(&mark).unwrap();
    assert_eq!(Some(id.trim()), seals(&server).sealing_id());
    assert_eq!(std::fs::metadata(mark).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn what_was_written_in_clear_before_is_sealed_at_the_next_start_and_still_good() {
    let server = Server::start().await;
    let (seals, key) = (seals(&server), server.key().clone());
    for (place, member, mut record) in secrets(&server).await {
        let sealed = Sealed(record[member].as_str().unwrap().into());
        let facts = if member == "secret" { "root=true inactive=false user=" } else { "" };
        record[member] = seals.open_with(&place, facts, &sealed).unwrap().0.into();
        put(&server, &place, &record).await;
    }
    std::fs::remove_file(server.folder.path().join(MARK)).unwrap();
    let server = again(server).await;
    assert_eq!(told(&server), None);
    assert!(server.folder.path().join(MARK).exists());
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
    put(&server, &place, &record).await;
    let server = again(server).await;
    assert_eq!(server.call("GET", "/distribution", "").await.status, 200);
    assert!(told(&server).unwrap().contains("certificate/zone spoilt"));
}

#[tokio::test]
async fn an_access_key_that_somebody_wrote_into_the_store_neither_signs_nor_is_sealed() {
    const PLANTED: &str = "AKIA0000000000000000";
    let server = Server::start().await;
    let key = server.key().clone();
    let place = format!("access-key/{PLANTED}");
    let record = json!({"secret": "x", "root": true, "created": 0});
    put(&server, &place, &record).await;
    assert_eq!(called_with(&server, PLANTED, "x").await, 403);
    let server = again(server).await;
    assert_eq!(server.key(), &key, "the account's own key is still found behind it");
    assert_eq!(called_with(&server, PLANTED, "x").await, 403);
    let entry = server.store.get(&place).await.unwrap().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&entry.value).unwrap(), record, "left as it is");
    let why = told(&server).unwrap();
    assert!(why.contains(&format!("{place} in clear")) && why.contains(MARK), "{why}");
    assert_eq!(server.call("GET", "/distribution", "").await.status, 200);
    assert_eq!(deleted(&server, PLANTED).await, 200);
    assert_eq!(told(&again(server).await), None);
}

#[tokio::test]
async fn nobody_makes_his_own_key_the_account_s_by_a_flag_in_the_store() {
    let server = Server::start().await;
    let (place, _, mut record) =
        secrets(&server).await.into_iter().find(|one| one.1 == "secret").unwrap();
    record["root"] = false.into();
    record["user"] = "ann".into();
    put(&server, &place, &record).await;
    assert_eq!(server.call("GET", "/distribution", "").await.status, 403);
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
