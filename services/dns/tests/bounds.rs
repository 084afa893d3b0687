//! TCP is bounded: in connections, and in patience.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod common;

use common::{
    Running, SOON,
    ask::{exchange, question},
    fleet, plan, settings, until,
};
use hickory_proto::rr::RecordType;
use std::net::SocketAddr;
use tokio::{
    io::AsyncReadExt,
    net::{TcpSocket, TcpStream},
    time::timeout,
};

const NAME: &str = "d1.cdn.test";
/// As many as the service takes at once.
const MOST: usize = 256;
/// As many as it takes of one client.
const MOST_OF_ONE: usize = 64;

/// Connects from `127.0.0.CLIENT`.
async fn connect(client: usize, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    let from = format!("127.0.0.{client}:0");
    socket.bind(from.parse().unwrap()).unwrap();
    socket.connect(to).await.unwrap()
}

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
    for client in 1..=MOST / MOST_OF_ONE {
        for _ in 0..MOST_OF_ONE {
            let mut stream = connect(client, dns.listen).await;
            assert_eq!(exchange(&mut stream, &asked).await[3] & 0xF, 0);
            held.push(stream);
        }
        let mut one_more = connect(client, dns.listen).await;
        assert!(is_closed(&mut one_more).await);
    }
    assert_eq!(open(&dns), 256);
    let mut one_more = connect(77, dns.listen).await;
    assert!(is_closed(&mut one_more).await);
    held.clear();
    until(async || open(&dns) == 0).await;
    let mut again = connect(77, dns.listen).await;
    assert_eq!(exchange(&mut again, &asked).await[3] & 0xF, 0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed() {
    let dns = running().await;
    let mut stream = TcpStream::connect(dns.listen).await.unwrap();
    assert!(is_closed(&mut stream).await);
}
