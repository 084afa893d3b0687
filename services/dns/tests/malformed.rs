//! Messages that are wrong in more than forty ways: each gets its documented code or silence, and
//! the service answers afterwards as before.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::{
    Running, SOON,
    ask::{answers, look, question},
    fleet, plan, settings,
};
use hickory_proto::rr::RecordType;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

const FORMERR: Option<u8> = Some(1);
const NOTIMP: Option<u8> = Some(4);
const REFUSED: Option<u8> = Some(5);
const SILENCE: Option<u8> = None;
const NAME: &[u8] = b"\x02d1\x03cdn\x04test\0";
const A_IN: &[u8] = &[0, 1, 0, 1];

/// A message: second and third byte of the header, counts, and everything after it.
fn message(flags: [u8; 2], counts: [u16; 4], parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![0x12, 0x34];
    bytes.extend(flags);
    bytes.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
    for part in parts {
        bytes.extend(*part);
    }
    bytes
}

/// A query with these counts and parts.
fn query(counts: [u16; 4], parts: &[&[u8]]) -> Vec<u8> {
    message([1, 0], counts, parts)
}

/// A good question followed by an EDNS record with these options, whose length is `length`.
fn with_options(length: u16, options: &[u8]) -> Vec<u8> {
    let head = [0, 0, 41, 4, 208, 0, 0, 0, 0];
    query([1, 0, 0, 1], &[NAME, A_IN, &head, &length.to_be_bytes(), options])
}

/// The same with one client subnet.
fn with_subnet(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    let mut option = vec![0, 8];
    option.extend(length.to_be_bytes());
    option.extend(data);
    with_options(length + 4, &option)
}

/// What is wrong, the message, and the code that must come back.
type Case = (&'static str, Vec<u8>, Option<u8>);

fn headers() -> Vec<Case> {
    let asked: &[&[u8]] = &[NAME, A_IN];
    vec![
        ("nothing at all", vec![], SILENCE),
        ("one byte", vec![0], SILENCE),
        ("eleven bytes of a header", vec![0; 11], SILENCE),
        ("a response", message([0x80, 0], [1, 0, 0, 0], asked), SILENCE),
        ("a response with a code", message([0x84, 3], [1, 0, 0, 0], asked), SILENCE),
        ("a broken response", message([0x80, 0], [9, 9, 9, 9], &[&[0xFF; 40]]), SILENCE),
        ("a response to an update", message([0xA8, 0], [1, 0, 0, 0], asked), SILENCE),
        ("a header alone", query([0; 4], &[]), FORMERR),
        ("a header that promises a question", query([1, 0, 0, 0], &[]), FORMERR),
        ("an inverse query", message([0x08, 0], [0, 1, 0, 0], &[]), NOTIMP),
        ("a status request", message([0x10, 0], [1, 0, 0, 0], asked), NOTIMP),
        ("an opcode that nobody has", message([0x18, 0], [1, 0, 0, 0], asked), NOTIMP),
        ("a notification", message([0x20, 0], [1, 0, 0, 0], asked), NOTIMP),
        ("an update", message([0x28, 0], [1, 0, 0, 0], asked), NOTIMP),
        ("a stateful operation", message([0x30, 0], [0; 4], &[]), NOTIMP),
        ("the last opcode, with garbage", message([0x78, 0xFF], [9; 4], &[&[1; 9]]), NOTIMP),
    ]
}

fn questions() -> Vec<Case> {
    let (long, most): (Vec<u8>, Vec<u8>) = ([&[63; 64][..]; 5].concat(), [1; 300].into());
    vec![
        ("two questions", query([2, 0, 0, 0], &[NAME, A_IN, NAME, A_IN]), FORMERR),
        ("two promised, one there", query([2, 0, 0, 0], &[NAME, A_IN]), FORMERR),
        ("no question but a body", query([0; 4], &[NAME, A_IN]), FORMERR),
        ("65535 questions", query([65535, 0, 0, 0], &[NAME, A_IN]), FORMERR),
        ("a name cut within a label", query([1, 0, 0, 0], &[b"\x02d"]), FORMERR),
        ("a name without its end", query([1, 0, 0, 0], &[b"\x02d1\x03cdn"]), FORMERR),
        ("no type", query([1, 0, 0, 0], &[NAME]), FORMERR),
        ("half a type", query([1, 0, 0, 0], &[NAME, &[0]]), FORMERR),
        ("no class", query([1, 0, 0, 0], &[NAME, &[0, 1]]), FORMERR),
        ("half a class", query([1, 0, 0, 0], &[NAME, &[0, 1, 0]]), FORMERR),
        ("a name that points to itself", query([1, 0, 0, 0], &[&[0xC0, 12], A_IN]), FORMERR),
        ("a name that points ahead", query([1, 0, 0, 0], &[&[0xC0, 20], A_IN, NAME]), FORMERR),
        ("a name that points to the header", query([1, 0, 0, 0], &[&[0xC0, 0], A_IN]), FORMERR),
        ("labels, then a loop", query([1, 0, 0, 0], &[b"\x02d1\xC0\x0C", A_IN]), FORMERR),
        ("half a pointer", query([1, 0, 0, 0], &[&[0xC0]]), FORMERR),
        ("a label type of 01", query([1, 0, 0, 0], &[&[0x41, 1, 0], A_IN]), FORMERR),
        ("a label type of 10", query([1, 0, 0, 0], &[&[0x80, 1, 0], A_IN]), FORMERR),
        ("a label of 64", query([1, 0, 0, 0], &[&[64], &[b'a'; 64], &[0], A_IN]), FORMERR),
        ("a name over 255", query([1, 0, 0, 0], &[&long, &[0], A_IN]), FORMERR),
        ("150 labels", query([1, 0, 0, 0], &[&most, &[0], A_IN]), FORMERR),
        ("a byte too many", query([1, 0, 0, 0], &[NAME, A_IN, &[0]]), FORMERR),
        ("a question for EDNS", query([1, 0, 0, 0], &[NAME, &[0, 41, 0, 1]]), FORMERR),
        ("a class of 0", query([1, 0, 0, 0], &[NAME, &[0, 1, 0, 0]]), REFUSED),
        ("a class that nobody has", query([1, 0, 0, 0], &[NAME, &[0, 1, 9, 9]]), REFUSED),
        ("the root", query([1, 0, 0, 0], &[&[0], A_IN]), REFUSED),
        ("bytes that are no text", query([1, 0, 0, 0], &[b"\x04\xFF\0.\x07\0", A_IN]), REFUSED),
    ]
}

fn records() -> Vec<Case> {
    let (opt, empty): (&[u8], &[u8]) = (&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0], &[0; 11]);
    let named: &[u8] = &[1, b'x', 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];
    vec![
        ("a record that is not there", query([1, 0, 0, 1], &[NAME, A_IN]), FORMERR),
        ("65535 records", query([1, 65535, 65535, 65535], &[NAME, A_IN, opt]), FORMERR),
        ("65 records", query([1, 65, 0, 0], &[NAME, A_IN, &empty.repeat(65)]), FORMERR),
        ("a record cut short", query([1, 0, 0, 1], &[NAME, A_IN, &opt[..7]]), FORMERR),
        ("a record with half a pointer", query([1, 0, 0, 1], &[NAME, A_IN, &[0xC0]]), FORMERR),
        ("EDNS twice", query([1, 0, 0, 2], &[NAME, A_IN, opt, opt]), FORMERR),
        ("EDNS among the answers", query([1, 1, 0, 0], &[NAME, A_IN, opt]), FORMERR),
        ("EDNS with a name", query([1, 0, 0, 1], &[NAME, A_IN, named]), FORMERR),
        ("EDNS that is longer than the message", with_options(9, &[]), FORMERR),
        ("half an option", with_options(3, &[0, 8, 0]), FORMERR),
        ("an option longer than its record", with_options(4, &[0, 10, 0, 9]), FORMERR),
        ("a subnet of family 0", with_subnet(&[0, 0, 0, 0]), FORMERR),
        ("a subnet of family 3", with_subnet(&[0, 3, 8, 0, 1]), FORMERR),
        ("a subnet of three bytes", with_subnet(&[0, 1, 16]), FORMERR),
        ("a subnet without an address", with_subnet(&[0, 1, 16, 0]), FORMERR),
        ("a subnet with too much of it", with_subnet(&[0, 1, 8, 0, 133, 11]), FORMERR),
        ("a subnet of 33 bits", with_subnet(&[0, 1, 33, 0, 1, 1, 1, 1, 1]), FORMERR),
        (
            "a subnet of 129 bits",
            with_subnet(&[[0, 2, 129, 0].as_slice(), &[1; 17]].concat()),
            FORMERR,
        ),
        ("a subnet with a scope", with_subnet(&[0, 1, 8, 8, 133]), FORMERR),
        ("a subnet with host bits", with_subnet(&[0, 1, 7, 0, 133]), FORMERR),
        (
            "two subnets",
            with_options(18, &[0, 8, 0, 5, 0, 1, 8, 0, 133, 0, 8, 0, 5, 0, 1, 8, 0, 133]),
            FORMERR,
        ),
        ("a datagram of 60000 bytes", query([1, 0, 0, 0], &[NAME, A_IN, &[0; 60000]]), FORMERR),
    ]
}

async fn running() -> Running {
    Running::start(&settings(), |store, registry| {
        store.put(&plan("E1", &["d1.cdn.test"]));
        registry.set(&fleet());
    })
    .await
}

/// Sends the message and then a good question from the same socket: what comes first tells whether
/// the message was answered.
async fn code(to: SocketAddr, bytes: &[u8]) -> Option<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(to).await.unwrap();
    socket.send(bytes).await.unwrap();
    let mut buffer = [0; 4097];
    if bytes.len() >= 12 && bytes[2] & 0x80 == 0 {
        let length = timeout(SOON, socket.recv(&mut buffer)).await.expect("a reply").unwrap();
        assert!((12..=4096).contains(&length));
        assert_eq!(buffer[..2], bytes[..2], "the id comes back");
        assert!(buffer[2] & 0x80 != 0);
        return Some(buffer[3] & 0xF);
    }
    // Silence cannot be waited for: ask until the good question has been answered several times.
    let good = question("d1.cdn.test", RecordType::A).to_vec().unwrap();
    for _ in 0..8 {
        socket.send(&good).await.unwrap();
        timeout(SOON, socket.recv(&mut buffer)).await.expect("a reply").unwrap();
        if buffer[..2] != good[..2] {
            return Some(buffer[3] & 0xF);
        }
    }
    None
}

#[tokio::test]
async fn every_wrong_message_gets_its_code_or_silence() {
    let dns = running().await;
    let cases = [headers(), questions(), records()].concat();
    assert!(cases.len() >= 40);
    for (what, bytes, wanted) in &cases {
        assert_eq!(code(dns.listen, bytes).await, *wanted, "{what}");
    }
    let reply = look(dns.listen, "d1.cdn.test", RecordType::A).await;
    assert_eq!(answers(&reply), ["192.0.2.1"], "and serves as before");
}

#[tokio::test]
async fn wrong_messages_by_tcp_get_the_same_and_the_connection_lives_on() {
    let dns = running().await;
    let mut stream = TcpStream::connect(dns.listen).await.unwrap();
    for (what, bytes, wanted) in [headers(), questions(), records()].concat() {
        let Some(wanted) = wanted else { continue };
        let reply = common::ask::exchange(&mut stream, &bytes).await;
        assert_eq!(reply[3] & 0xF, wanted, "{what}");
    }
}

#[tokio::test]
async fn nonsense_by_tcp_closes_its_connection_and_no_other() {
    let dns = running().await;
    let mut good = TcpStream::connect(dns.listen).await.unwrap();
    for nonsense in [&b"\0\0"[..], b"\0\x05hello", b"\0\x0C\x12\x34\x80\0\0\0\0\0\0\0\0\0"] {
        let mut stream = TcpStream::connect(dns.listen).await.unwrap();
        stream.write_all(nonsense).await.unwrap();
        let mut left = Vec::new();
        let closed = timeout(SOON, stream.read_to_end(&mut left)).await;
        closed.expect("it must be closed").unwrap();
        assert!(left.is_empty());
    }
    let mut half = TcpStream::connect(dns.listen).await.unwrap();
    half.write_all(b"\xFF\xFFabc").await.unwrap();
    drop(half);
    let bytes = question("d1.cdn.test", RecordType::A).to_vec().unwrap();
    let reply = common::ask::exchange(&mut good, &bytes).await;
    assert_eq!(reply[3] & 0xF, 0);
}
