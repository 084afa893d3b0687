//! What certificate authorities ask to see that a name is ours, and what they are answered.
//!
//! For: answers over HTTP and in TLS handshakes, before any distribution's own rules: a name may be
//! validated before a distribution has it. Not for: DNS, nor for getting certificates (`control`).
//!
//! Source: RFC 8555 §8.3, RFC 8737 §3.

use crate::{
    asked::{Asked, ReplyBody},
    pipeline::respond::{Answer, Telling},
    serve::certificates::Shared,
};
use bytes::Bytes;
use headers::names::Outcome;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use model::feed::{CHALLENGE_PATH, CHALLENGES, Challenge, Proof};
use rustls::{ServerConfig, server::ClientHello};
use std::{collections::BTreeMap, sync::Arc};

/// The protocol of validation in TLS handshakes (RFC 8737 §6.2).
pub const ALPN: &[u8] = b"acme-tls/1";

/// Every open challenge, ready to be answered.
#[derive(Default)]
pub struct Challenges {
    /// Bodies by token.
    bodies: BTreeMap<String, String>,
    /// Handshakes by name.
    handshakes: BTreeMap<String, Arc<ServerConfig>>,
}

impl Challenges {
    /// Makes these ready, which are kept under these names. What cannot be answered is left out,
    /// and the log says why.
    pub fn ready(entries: &BTreeMap<String, Challenge>, tls: &Shared) -> Self {
        let mut ready = Self::default();
        for (key, challenge) in entries {
            match &challenge.proof {
                Proof::Http { token, body } => {
                    ready.bodies.insert(token.clone(), body.clone());
                }
                Proof::TlsAlpn { chain, key: sealed } => {
                    match tls.challenge(&format!("{CHALLENGES}{key}"), chain, sealed) {
                        Ok(config) => drop(ready.handshakes.insert(challenge.name.clone(), config)),
                        Err(why) => tracing::error!(key, %why, "a challenge cannot be answered"),
                    }
                }
                Proof::Dns { .. } => {}
            }
        }
        ready
    }

    /// The answer, if this is one of the questions. The token alone decides, not the host: requests
    /// may have been sent here from elsewhere (RFC 8555 §8.3 lets authorities follow redirects).
    pub fn answer(&self, asked: &Asked) -> Option<Answer> {
        let token = asked.path.strip_prefix(CHALLENGE_PATH)?;
        let body = self.bodies.get(token)?;
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/octet-stream");
        headers.insert(header::CONTENT_TYPE, kind);
        let body = match asked.method {
            Method::GET => ReplyBody::Pieces(vec![Bytes::from(body.clone())]),
            Method::HEAD => {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
                ReplyBody::Empty
            }
            _ => return None,
        };
        let telling = Telling::made(Outcome::Miss);
        Some(Answer { status: StatusCode::OK, headers, body, telling })
    }

    /// How a viewer that asks for this server name only to see the proof is answered.
    pub fn handshake(&self, name: Option<&str>) -> Option<Arc<ServerConfig>> {
        self.handshakes.get(&name?.to_ascii_lowercase()).cloned()
    }
}

/// Whether a handshake is of that kind: it offers this protocol and no other (RFC 8737 §3).
pub fn is_asked(hello: &ClientHello<'_>) -> bool {
    let mut offered = hello.alpn().into_iter().flatten();
    offered.next() == Some(ALPN) && offered.next().is_none()
}
