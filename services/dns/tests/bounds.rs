//! TCP is bounded: in connections, and in patience.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod common;

use common::{
    Running, SOON,
    ask::{exchange, question},
    fleet, plan, settings, until,
};
use hickory_proto::rr::RecordType;
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

const NAME: &str = "d1.cdn.test";
/// As many as the service takes at once.
const MOST: usize = 256;

async fn running() -> Running {
    Running::start(&settings(), |store, registry| {
        store.put(&plan("E1", &[NAME]));
        registry.set(&fleet());
    })
    .await
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut left = Vec::new();
    let closed = timeout(SOON, stream.read_to_end(&mut left)).await;
    closed.expect("it must be closed").is_ok_and(|read| read == 0)
}

fn open(dns: &Running) -> i64 {
    let text = dns.metrics.text().unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("nearfront_dns_connections "));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn connections_beyond_the_bound_are_closed_and_room_comes_back() {
    let dns = running().await;
    let asked = question(NAME, RecordType::A).to_vec().unwrap();
    let mut held = Vec::new();
    for _ in 0..MOST {
        let mut stream = TcpStream::connect(dns.listen).await.unwrap();
        assert_eq!(exchange(&mut stream, &asked).await[3] & 0xF, 0);
        held.push(stream);
    }
    assert_eq!(open(&dns), 256);
    let mut one_more = TcpStream::connect(dns.listen).await.unwrap();
    assert!(is_closed(&mut one_more).await);
    held.clear();
    until(async || open(&dns) == 0).await;
    let mut again = TcpStream::connect(dns.listen).await.unwrap();
    assert_eq!(exchange(&mut again, &asked).await[3] & 0xF, 0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed() {
    let dns = running().await;
    let mut stream = TcpStream::connect(dns.listen).await.unwrap();
    assert!(is_closed(&mut stream).await);
}
