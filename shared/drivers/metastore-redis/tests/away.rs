//! What happens when Redis is away, slow, another one, or not as we left it.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use model::units::Revision;
use nearfront_metastore_redis::RedisStore;
use ports::{
    metastore::{Changes, Commit, CommitError, MetaStore, StoreError, Write},
    registry::EdgeRegistry,
};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use testkit::redis::Redis;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

fn put(key: &str, value: &str) -> Commit {
    let writes = vec![Write::Put(key.to_owned(), value.to_owned().into())];
    Commit { checks: Vec::new(), writes }
}

fn unreachable<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Unreachable(_)))
}

/// Asks until Redis is reached; only being away is excused.
async fn insist<T, F: Future<Output = Result<T, StoreError>>>(ask: impl Fn() -> F) -> T {
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(StoreError::Unreachable(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(other) => panic!("{other}"),
        }
    }
}

async fn next(store: &RedisStore, after: Revision) -> Vec<Revision> {
    match store.changes(after, 100).await.unwrap() {
        Changes::Next(next) => next.into_iter().map(|change| change.revision).collect(),
        Changes::Lost => panic!("lost after {after}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_outlives_a_restart_of_redis() {
    let mut redis = Redis::start().await;
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let first = store.commit(put("k", "1")).await.unwrap();
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.changed(first).await }
    });
    redis.kill().await;
    assert!(unreachable(&waiting.await.unwrap()));
    assert!(unreachable(&store.get("k").await));
    assert!(unreachable(&store.list("", None, 1).await));
    assert!(unreachable(&store.snapshot(&[""]).await));
    assert!(unreachable(&store.changes(first, 1).await));
    assert!(unreachable(&store.changed(first).await));
    assert!(unreachable(&store.edges().await));
    let commit = store.commit(put("k", "2")).await;
    assert!(matches!(commit, Err(CommitError::Store(StoreError::Unreachable(_)))));

    redis.start_again().await;
    assert_eq!(insist(|| store.get("k")).await.unwrap().value, "1");
    let second = store.commit(put("k", "3")).await.unwrap();
    assert_eq!(second, Revision(first.0 + 1));
    assert_eq!(next(&store, first).await, [second]);
    let other = RedisStore::connect(&redis.url()).await.unwrap();
    let (rung, third) = tokio::join!(store.changed(second), other.commit(put("k", "4")));
    rung.unwrap();
    assert_eq!(next(&store, second).await, [third.unwrap()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_is_given_up_and_found_again() {
    let redis = Redis::start().await;
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let first = store.commit(put("k", "1")).await.unwrap();
    redis.signal("STOP").await;
    let (get, commit) = tokio::join!(store.get("k"), store.commit(put("l", "2")));
    redis.signal("CONT").await;
    assert!(unreachable(&get));
    let Err(CommitError::Store(StoreError::Unreachable(why))) = commit else {
        panic!("{commit:?}")
    };
    assert!(why.contains("may or may not"), "{why}");
    assert_eq!(insist(|| store.get("k")).await.unwrap().revision, first);
    // Redis may have read the commit once it went on; if so, exactly once.
    assert!(next(&store, first).await.len() <= 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_happens_once() {
    let redis = Redis::start().await;
    let (port, cuts) = cutting_proxy(redis.port(), b"cut me").await;
    let store = RedisStore::connect(&format!("redis://127.0.0.1:{port}")).await.unwrap();
    let first = store.commit(put("k", "1")).await.unwrap();
    let second = store.commit(put("k", "cut me")).await.unwrap();
    assert_eq!(cuts.load(Ordering::SeqCst), 1, "the answer was lost once");
    assert_eq!(next(&store, first).await, [second]);
    assert_eq!(store.commit(put("k", "3")).await.unwrap(), Revision(second.0 + 1));
}

/// Passes everything on, but the first time that a request has this in it, it cuts the connection
/// when the answer comes.
async fn cutting_proxy(to: u16, word: &'static [u8]) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (port, cuts) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&cuts);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            tokio::spawn(pass_on(client, server, word, Arc::clone(&counter)));
        }
    });
    (port, cuts)
}

async fn pass_on(
    mut client: TcpStream,
    mut server: TcpStream,
    word: &[u8],
    cuts: Arc<AtomicUsize>,
) {
    let (mut asked, mut answered, mut cut) = (vec![0; 65536], vec![0; 65536], false);
    loop {
        tokio::select! {
            Ok(length @ 1..) = client.read(&mut asked) => {
                let asked = &asked[..length];
                let has_word = asked.windows(word.len()).any(|some| some == word);
                cut = cut || has_word && cuts.load(Ordering::SeqCst) == 0;
                server.write_all(asked).await.unwrap();
            }
            Ok(length @ 1..) = server.read(&mut answered) => {
                if cut {
                    cuts.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                client.write_all(&answered[..length]).await.unwrap();
            }
            else => return,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_of_the_lost_history_is_told_and_woken() {
    let redis = Redis::start().await;
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let writer = RedisStore::connect(&redis.url()).await.unwrap();
    writer.commit(put("k", "1")).await.unwrap();
    let stands = store.snapshot(&[""]).await.unwrap().revision;
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.changed(stands).await }
    });
    redis.cli(&["flushall"]).await;
    writer.commit(put("k", "other")).await.unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(store.changes(stands, 10).await.unwrap(), Changes::Lost);
    assert_eq!(store.snapshot(&["k"]).await.unwrap().entries[0].value, "other");
    assert_eq!(store.changes(stands, 10).await.unwrap(), Changes::Next(vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bell_rings_without_its_messages() {
    let redis = Redis::start().await;
    let deaf = ["acl", "setuser", "deaf", "on", ">pw", "~*", "+@all", "resetchannels"];
    redis.cli(&deaf).await;
    let url = redis.url().replace("://", "://deaf:pw@");
    let store = RedisStore::connect(&url).await.unwrap();
    let first = store.commit(put("k", "1")).await.unwrap();
    let other = RedisStore::connect(&redis.url()).await.unwrap();
    let (rung, second) = tokio::join!(store.changed(first), other.commit(put("k", "2")));
    rung.unwrap();
    assert_eq!(next(&store, first).await, [second.unwrap()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_is_cut_is_made_again() {
    let redis = Redis::start().await;
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let mut seen = store.commit(put("k", "1")).await.unwrap();
    let subscribers = async || redis.cli(&["pubsub", "numsub", "{nearfront}:bell:0"]).await;
    while !subscribers().await.ends_with("\n1\n") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    redis.cli(&["client", "kill", "type", "pubsub"]).await;
    while !subscribers().await.ends_with("\n1\n") {
        let (rung, next) = tokio::join!(store.changed(seen), store.commit(put("k", "2")));
        rung.unwrap();
        seen = next.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_fails_is_refused_without_naming_the_password() {
    let redis = Redis::start_with(&["--requirepass", "pa@ss"]).await;
    let url = |login: &str| redis.url().replace("://", &format!("://{login}"));
    for login in ["", ":hush@", "nobody:hush@"] {
        let why = RedisStore::connect(&url(login)).await.err().unwrap();
        assert!(matches!(why, StoreError::Refused(_)), "{login}: {why:?}");
        assert!(!why.to_string().contains("hush"), "{why}");
    }
    let store = RedisStore::connect(&url(":pa%40ss@")).await.unwrap();
    store.commit(put("k", "1")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_server_is_no_cluster() {
    let redis = Redis::start().await;
    let url = redis.url().replace("redis://", "redis+cluster://");
    let why = RedisStore::connect(&url).await.err().unwrap();
    assert!(matches!(&why, StoreError::Refused(why) if why.contains("redis://")), "{why:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn databases_of_one_server_do_not_meet() {
    let redis = Redis::start().await;
    let one = RedisStore::connect(&redis.url()).await.unwrap();
    let other = RedisStore::connect(&format!("{}/7", redis.url())).await.unwrap();
    one.commit(put("k", "1")).await.unwrap();
    assert_eq!(other.get("k").await.unwrap(), None);
    assert_eq!(other.commit(put("k", "2")).await.unwrap(), Revision(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_wrote_under_our_keys_is_damage() {
    let redis = Redis::start().await;
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    store.commit(put("k", "1")).await.unwrap();
    redis.cli(&["hset", "{nearfront}:entries", "k", "garbage"]).await;
    redis.cli(&["xadd", "{nearfront}:log", "2-0", "mark", "m", "writes", "garbage"]).await;
    redis.cli(&["set", "{nearfront}:revision", "2"]).await;
    assert!(matches!(store.get("k").await, Err(StoreError::Damaged(_))));
    assert!(matches!(store.list("", None, 1).await, Err(StoreError::Damaged(_))));
    assert!(matches!(store.snapshot(&[""]).await, Err(StoreError::Damaged(_))));
    assert!(matches!(store.changes(Revision(1), 9).await, Err(StoreError::Damaged(_))));
    redis.cli(&["set", "{nearfront}:entries", "text"]).await;
    assert!(matches!(store.get("k").await, Err(StoreError::Damaged(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_trusts_the_authority_that_the_url_names() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let certificate = file("cert.pem", &made.cert.pem());
    let key = file("key.pem", &made.signing_key.serialize_pem());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let tls = port.to_string();
    let _redis = Redis::start_with(&[
        "--tls-port",
        &tls,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &certificate,
        "--tls-auth-clients",
        "no",
    ])
    .await;
    let url = format!("rediss://127.0.0.1:{port}");
    let why = RedisStore::connect(&url).await.err().expect("nobody knows this authority");
    assert!(matches!(why, StoreError::Unreachable(_)), "{why:?}");
    let store = RedisStore::connect(&format!("{url}?ca_file={certificate}")).await.unwrap();
    assert_eq!(store.commit(put("k", "1")).await.unwrap(), Revision(1));
    let (rung, second) = tokio::join!(store.changed(Revision(1)), store.commit(put("k", "2")));
    rung.unwrap();
    assert_eq!(second.unwrap(), Revision(2));
}
