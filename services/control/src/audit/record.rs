//! One call, as it is recorded.

use crate::{
    access::Caller,
    ids,
    sigv4::Proof,
    wire::{asked::Asked, fault::Fault},
};
use model::units::Timestamp;
use serde::{Deserialize, Serialize};

/// Longest text of one field that the caller chooses, in characters.
const MOST_TEXT: usize = 256;
/// Most resources of one call that are named.
const MOST_RESOURCES: usize = 20;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When it came, ISO 8601.
    pub time: String,
    /// The request's id, as the answer has it.
    pub request: String,
    /// ARN of who signed; empty when the signature did not verify.
    pub principal: String,
    /// Name of who signed: a user's, or `root`.
    pub user: String,
    /// The key that was claimed, or that signed.
    pub key: String,
    /// Address that it came from.
    pub from: String,
    /// `User-Agent`.
    pub agent: String,
    /// `cloudfront`, `iam` …; empty when it is not known.
    pub service: String,
    /// The region that the credential is scoped to.
    pub region: String,
    /// `UpdateDistribution`; empty when it is not known.
    pub operation: String,
    /// Whether it changes something.
    pub write: bool,
    /// ARNs of what it is about.
    pub resources: Vec<String>,
    /// HTTP status of the answer.
    pub status: u16,
    /// Error code of the answer; empty when it succeeded.
    pub error: String,
    /// It was a dry run: whatever it asked for, nothing was written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// Which records share a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The signature verified.
    Known,
    /// It did not.
    Stranger,
}

impl Record {
    /// Whose bounds it counts for.
    pub const fn class(&self) -> Class {
        if self.principal.is_empty() { Class::Stranger } else { Class::Known }
    }

    /// As JSON on one line, with its end.
    pub fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// A call that is being answered.
#[derive(Debug)]
pub struct Trail(Record);

impl Trail {
    /// A call has come. `id` is the request's own.
    pub fn start(now: Timestamp, id: &str, asked: &Asked) -> Self {
        let from = asked.from.map(|from| from.to_canonical().to_string());
        Self(Record {
            time: ids::iso(now),
            request: id.to_owned(),
            principal: String::new(),
            user: String::new(),
            key: claimed(asked).unwrap_or_default(),
            from: from.unwrap_or_default(),
            agent: short(asked.header("user-agent").unwrap_or_default()),
            service: String::new(),
            region: String::new(),
            operation: String::new(),
            write: asked.method != "GET",
            resources: Vec::new(),
            status: 0,
            error: String::new(),
            dry_run: false,
        })
    }

    /// The signature verified.
    pub fn is(&mut self, caller: &Caller, proof: &Proof) {
        self.0.principal = caller.arn();
        caller.name().clone_into(&mut self.0.user);
        proof.key_id().clone_into(&mut self.0.key);
        proof.service().as_str().clone_into(&mut self.0.service);
        self.0.region = short(proof.region());
    }

    /// The operation is known.
    pub fn asks(&mut self, operation: &str) {
        const READS: [&str; 6] = ["Describe", "Get", "List", "Lookup", "Simulate", "Verify"];
        operation.clone_into(&mut self.0.operation);
        self.0.write = !READS.iter().any(|read| operation.starts_with(read));
    }

    /// Nothing is written for it.
    pub const fn is_dry(&mut self) {
        self.0.dry_run = true;
    }

    /// What it is about.
    pub fn is_about(&mut self, resources: impl IntoIterator<Item = String>) {
        for arn in resources {
            let arn = short(&arn);
            if self.0.resources.len() < MOST_RESOURCES && !self.0.resources.contains(&arn) {
                self.0.resources.push(arn);
            }
        }
    }

    /// What it has made, which it could not name: in place of `…/*`.
    pub fn has_made(&mut self, resources: Vec<String>) {
        if !resources.is_empty() {
            self.0.resources.retain(|arn| !arn.ends_with("/*"));
            self.is_about(resources);
        }
    }

    /// It came to nothing.
    pub fn failed(&mut self, code: &str) {
        code.clone_into(&mut self.0.error);
    }

    /// The same, from a fault.
    pub fn refused(&mut self, fault: &Fault) {
        self.failed(fault.code.as_str());
    }

    /// It is answered with this status.
    pub fn end(mut self, status: u16) -> Record {
        self.0.status = status;
        self.0
    }
}

/// The key that is claimed, if that can be a key at all.
fn claimed(asked: &Asked) -> Option<String> {
    let header = asked.header("authorization").and_then(|value| value.split_once("Credential="));
    let credential =
        header.map(|(_, rest)| rest).or_else(|| asked.query.get("X-Amz-Credential"))?;
    let key = credential.split('/').next()?;
    let fine = key.len() <= 128 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    fine.then(|| key.to_owned())
}

fn short(text: &str) -> String {
    text.chars().take(MOST_TEXT).collect()
}
