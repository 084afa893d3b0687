//! Writes small MaxMind-format databases, so that tests know where every address is.
//!
//! Source: the MaxMind DB file format specification, version 2.0. Records of 32 bits; values are
//! written out each time, without pointers among them. Not for databases of millions of networks.

use serde_json::Value as Json;
use std::{collections::BTreeMap, io, net::IpAddr, path::Path};

/// What a record may hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Names and values.
    Map(BTreeMap<String, Value>),
    /// In order.
    Array(Vec<Value>),
    /// UTF-8.
    Text(String),
    /// 64-bit float.
    Double(f64),
    /// 32-bit float, as ip-location-db keeps degrees.
    Float(f32),
    /// Unsigned, 16 bits.
    Short(u16),
    /// Unsigned, 32 bits.
    Number(u32),
    /// Unsigned, 64 bits.
    Long(u64),
    /// Yes or no.
    Bool(bool),
}

/// JSON as a record: numbers with a point become doubles, and `{"f32": 1.5}` a 32-bit float.
impl From<Json> for Value {
    fn from(json: Json) -> Self {
        match json {
            Json::Null => Self::Map(BTreeMap::new()),
            Json::Bool(yes) => Self::Bool(yes),
            Json::String(text) => Self::Text(text),
            Json::Number(number) => Self::number(&number),
            Json::Array(items) => Self::Array(items.into_iter().map(Self::from).collect()),
            Json::Object(fields) => match fields.get("f32").and_then(Json::as_f64) {
                Some(degrees) => Self::Float(narrow(degrees)),
                None => Self::Map(fields.into_iter().map(|(k, v)| (k, v.into())).collect()),
            },
        }
    }
}

impl Value {
    /// Whole numbers take 32 bits where they fit, else 64; all others are doubles.
    fn number(number: &serde_json::Number) -> Self {
        match number.as_u64() {
            Some(whole) => u32::try_from(whole).map_or(Self::Long(whole), Self::Number),
            None => Self::Double(number.as_f64().unwrap_or_default()),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "losing precision is what is asked for")]
const fn narrow(degrees: f64) -> f32 {
    degrees as f32
}

/// Writes a database for IPv6 with IPv4 in it: networks as `133.11.0.0/16` or `2001:db8::/32`, each
/// with its record. A network inside another one takes its part away from it.
///
/// # Errors
/// When a network is not one, or the file cannot be written.
pub fn write_mmdb<R: Into<Value> + Clone>(path: &Path, records: &[(&str, R)]) -> io::Result<()> {
    write(path, 6, records)
}

/// The same for IPv4 alone.
///
/// # Errors
/// As [`write_mmdb`], and when a network is an IPv6 one.
pub fn write_mmdb_v4<R: Into<Value> + Clone>(path: &Path, records: &[(&str, R)]) -> io::Result<()> {
    write(path, 4, records)
}

fn write<R: Into<Value> + Clone>(
    path: &Path,
    version: u16,
    records: &[(&str, R)],
) -> io::Result<()> {
    let mut networks = Vec::new();
    for (network, record) in records {
        networks.push((bits(network, version)?, record.clone().into()));
    }
    networks.sort_by_key(|(bits, _)| bits.len()); // the wider first: the narrower split them
    let (mut tree, mut data) = (Tree::new(), Vec::new());
    for (bits, record) in networks {
        tree.insert(&bits, data.len());
        encode(&record, &mut data);
    }
    let mut file = tree.bytes()?;
    file.extend([0; 16]);
    file.extend(data);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    encode(&metadata(version, tree.nodes.len()), &mut file);
    std::fs::write(path, file)
}

/// The metadata section, each number in the size that the specification gives it.
fn metadata(version: u16, nodes: usize) -> Value {
    let fields = [
        ("binary_format_major_version", Value::Short(2)),
        ("binary_format_minor_version", Value::Short(0)),
        ("build_epoch", Value::Long(1_750_000_000)),
        ("database_type", Value::Text("Nearfront-Test".into())),
        ("description", serde_json::json!({"en": "made for a test"}).into()),
        ("ip_version", Value::Short(version)),
        ("languages", serde_json::json!(["en"]).into()),
        ("node_count", Value::Number(u32::try_from(nodes).unwrap_or(u32::MAX))),
        ("record_size", Value::Short(32)),
    ];
    Value::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The path through the tree; IPv4 lies under `::/96` of an IPv6 tree.
fn bits(network: &str, version: u16) -> io::Result<Vec<bool>> {
    let wrong = || io::Error::other(format!("not a network of IPv{version}: {network}"));
    let (address, length) = network.split_once('/').ok_or_else(wrong)?;
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let length: usize = length.parse().map_err(|_| wrong())?;
    let (number, skipped) = match (address, version) {
        (IpAddr::V4(v4), 4) => (u128::from(v4.to_bits()) << 96, 0),
        (IpAddr::V4(v4), _) => (u128::from(v4.to_bits()), 96),
        (IpAddr::V6(v6), 6) => (v6.to_bits(), 0),
        (IpAddr::V6(_), _) => return Err(wrong()),
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    if length > most {
        return Err(wrong());
    }
    let path = (0..skipped + length).map(|at| number >> (127 - at) & 1 == 1);
    Ok(path.collect())
}

#[derive(Clone, Copy)]
enum Branch {
    Empty,
    Node(usize),
    Data(usize),
}

struct Tree {
    nodes: Vec<[Branch; 2]>,
}

impl Tree {
    fn new() -> Self {
        Self { nodes: vec![[Branch::Empty; 2]] }
    }

    /// Puts a record at the end of a path. Wider networks must have come before.
    fn insert(&mut self, path: &[bool], record: usize) {
        let Some((last, way)) = path.split_last() else {
            if let Some(root) = self.nodes.first_mut() {
                *root = [Branch::Data(record); 2];
            }
            return;
        };
        let mut node = 0;
        for right in way {
            node = self.step(node, *right);
        }
        self.put(node, *last, Branch::Data(record));
    }

    /// The node below; made when there is none, and a record that stood there goes to both sides.
    fn step(&mut self, node: usize, right: bool) -> usize {
        let below = self
            .nodes
            .get(node)
            .map_or(Branch::Empty, |sides| if right { sides[1] } else { sides[0] });
        if let Branch::Node(next) = below {
            return next;
        }
        let next = self.nodes.len();
        self.nodes.push([below; 2]);
        self.put(node, right, Branch::Node(next));
        next
    }

    fn put(&mut self, node: usize, right: bool, branch: Branch) {
        if let Some(sides) = self.nodes.get_mut(node) {
            let [left, beside] = sides;
            *if right { beside } else { left } = branch;
        }
    }

    fn bytes(&self) -> io::Result<Vec<u8>> {
        let count = self.nodes.len();
        let mut bytes = Vec::with_capacity(count * 8);
        for branch in self.nodes.iter().flatten() {
            let value = match branch {
                Branch::Empty => count,
                Branch::Node(node) => *node,
                Branch::Data(at) => count + 16 + at,
            };
            bytes.extend(u32::try_from(value).map_err(io::Error::other)?.to_be_bytes());
        }
        Ok(bytes)
    }
}

fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Map(fields) => {
            control(7, fields.len(), out);
            for (name, value) in fields {
                encode(&Value::Text(name.clone()), out);
                encode(value, out);
            }
        }
        Value::Array(items) => {
            control(11, items.len(), out);
            for item in items {
                encode(item, out);
            }
        }
        Value::Text(text) => sized(2, text.as_bytes(), out),
        Value::Double(number) => sized(3, &number.to_be_bytes(), out),
        Value::Float(number) => sized(15, &number.to_be_bytes(), out),
        Value::Short(number) => whole(5, u64::from(*number), out),
        Value::Number(number) => whole(6, u64::from(*number), out),
        Value::Long(number) => whole(9, *number, out),
        Value::Bool(yes) => control(14, usize::from(*yes), out),
    }
}

/// Without leading zero bytes.
fn whole(kind: u8, number: u64, out: &mut Vec<u8>) {
    let bytes = number.to_be_bytes();
    let start = bytes.iter().take_while(|byte| **byte == 0).count();
    sized(kind, bytes.get(start..).unwrap_or_default(), out);
}

fn sized(kind: u8, bytes: &[u8], out: &mut Vec<u8>) {
    control(kind, bytes.len(), out);
    out.extend(bytes);
}

/// Type and size: types above 7 stand in a byte of their own, sizes from 29 in one or two more.
fn control(kind: u8, size: usize, out: &mut Vec<u8>) {
    let low = |number: usize| u8::try_from(number & 0xFF).unwrap_or_default();
    let (mark, more) = match size {
        0..29 => (low(size), vec![]),
        29..285 => (29, vec![low(size - 29)]),
        _ => (30, vec![low((size - 285) >> 8), low(size - 285)]),
    };
    if kind <= 7 {
        out.push(kind << 5 | mark);
    } else {
        out.extend([mark, kind - 7]);
    }
    out.extend(more);
}
