//! A client: writes questions by hand, so that they can be wrong, and reads replies with hickory.

use super::SOON;
use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, Query, ResponseCode},
    rr::{
        Name, RData, RecordType,
        rdata::opt::{ClientSubnet, EdnsCode, EdnsOption},
    },
};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

/// One question; `edns` and the rest may be changed before it is sent.
pub fn question(name: &str, kind: RecordType) -> Message {
    let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
    let mut name = Name::from_ascii(name).unwrap();
    name.set_fqdn(true);
    message.queries.push(Query::query(name, kind));
    message
}

/// A question for addresses on behalf of a subnet.
pub fn on_behalf(name: &str, subnet: &str) -> Message {
    let mut message = question(name, RecordType::A);
    let mut edns = Edns::new();
    let subnet: ClientSubnet = subnet.parse().unwrap();
    edns.options_mut().insert(EdnsOption::Subnet(subnet));
    message.edns = Some(edns);
    message
}

/// Sends bytes in a datagram; the reply's bytes.
pub async fn udp(to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let from = if to.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
    let socket = UdpSocket::bind(from).await.unwrap();
    socket.connect(to).await.unwrap();
    socket.send(bytes).await.unwrap();
    let mut buffer = vec![0; 65535];
    let received = timeout(SOON, socket.recv(&mut buffer)).await;
    let length = received.expect("there must be a reply").unwrap();
    buffer.truncate(length);
    buffer
}

/// Sends bytes over TCP; the reply's bytes.
pub async fn tcp(to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(to).await.unwrap();
    exchange(&mut stream, bytes).await
}

/// One question and reply on an open connection.
pub async fn exchange(stream: &mut TcpStream, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    stream.write_all(&length.to_be_bytes()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let length = timeout(SOON, stream.read_u16()).await.unwrap().unwrap();
    let mut reply = vec![0; usize::from(length)];
    stream.read_exact(&mut reply).await.unwrap();
    reply
}

/// Asks by UDP.
pub async fn ask(to: SocketAddr, message: &Message) -> Message {
    let reply = udp(to, &message.to_vec().unwrap()).await;
    let reply = Message::from_vec(&reply).unwrap();
    assert_eq!(reply.metadata.id, message.metadata.id);
    assert_eq!(reply.metadata.message_type, MessageType::Response);
    reply
}

/// Asks for one type of one name.
pub async fn look(to: SocketAddr, name: &str, kind: RecordType) -> Message {
    ask(to, &question(name, kind)).await
}

/// The answer section as text, in its order.
pub fn answers(message: &Message) -> Vec<String> {
    message.answers.iter().map(|record| record.data.to_string()).collect()
}

/// Addresses of a name for a subnet, and the scope that came back.
pub async fn for_subnet(to: SocketAddr, name: &str, subnet: &str) -> (Vec<String>, u8) {
    let reply = ask(to, &on_behalf(name, subnet)).await;
    (answers(&reply), scope(&reply).expect("the subnet must come back"))
}

/// The scope of the subnet in a reply.
pub fn scope(reply: &Message) -> Option<u8> {
    let edns = reply.edns.as_ref()?;
    match edns.option(EdnsCode::Subnet)? {
        EdnsOption::Subnet(subnet) => Some(subnet.scope_prefix()),
        _ => None,
    }
}

/// The code, and the name of the SOA record in the authority section.
pub fn denial(reply: &Message) -> (ResponseCode, Option<String>) {
    let soa = reply.authorities.iter().find(|record| matches!(record.data, RData::SOA(_)));
    (reply.metadata.response_code, soa.map(|record| record.name.to_ascii()))
}
