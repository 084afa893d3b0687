//! Certificates that were requested: how far each has come. What edges serve is elsewhere
//! (`certificate/ID`), written once there is something to serve.

use super::place;
use crate::{
    control::Control,
    store::{self, Change, Kept, Otherwise, key},
    wire::fault::Fault,
};
use model::{
    feed::{CHALLENGE_LABEL, Certificate, Sealed},
    units::Timestamp,
};
use planning::Quota;
use serde::{Deserialize, Serialize};

/// Prefix of the keys of cards.
pub const CARDS: &str = "acm/";
/// Prefix of the marks of those that something is to be done for.
pub const WORK: &str = "acm-work/";
/// Prefix of the marks of all certificates, imported and requested, which are counted.
const COUNTED: &str = "acm-id/";

/// A certificate that was requested: `acm/ID`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Card {
    /// Its ARN.
    pub arn: String,
    /// The names that it is for, lower case, the first as `DomainName`.
    pub names: Vec<String>,
    /// How the names are proved to be ours.
    pub method: Method,
    /// In ACM's words.
    pub key_algorithm: String,
    /// When it was requested.
    pub created: Timestamp,
    /// When it was first issued.
    pub issued: Option<Timestamp>,
    /// When it was last renewed.
    pub renewed: Option<Timestamp>,
    /// When it is to be renewed next.
    pub renew_at: Option<Timestamp>,
    /// When the authority was last asked when that should be (RFC 9773).
    pub consulted: Option<Timestamp>,
    /// What is being done for it.
    pub work: Option<Work>,
    /// What went wrong last, until something goes right.
    pub failure: Option<Failure>,
}

/// `ValidationMethod`, ACM API reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// By a TXT record, ours or by way of a CNAME.
    Dns,
    /// By an answer of our edges, over HTTP or in a TLS handshake.
    Http,
}

/// The first certificate, or its renewal, on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Work {
    /// When it was begun.
    pub since: Timestamp,
    /// Not before then.
    pub next: Timestamp,
    /// URL of the order with the authority, once there is one.
    pub order: Option<String>,
    /// The key of the certificate that is ordered, PEM, sealed for the card.
    pub key: Option<Sealed>,
    /// How often the authority found a name not to be ours.
    pub denials: u32,
    /// How often something else went wrong, one after another.
    pub troubles: u32,
}

/// What is known of a card's work without reading the card: `acm-work/ID`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mark {
    /// Not before then.
    pub next: Timestamp,
    /// There is a certificate already, which ends.
    pub renewal: bool,
}

impl Mark {
    /// The mark of a card, if something is to be done for it.
    pub fn of(card: &Card) -> Option<Self> {
        let next = card.work.as_ref()?.next;
        Some(Self { next, renewal: card.issued.is_some() })
    }
}

/// Why there is no certificate, or no new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// `FailureReason`, ACM API reference.
    pub reason: String,
    /// What the authority said, or what we know.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// Nothing more will be tried.
    pub last: bool,
}

impl Work {
    /// Nothing is done yet.
    pub const fn new(now: Timestamp) -> Self {
        Self { since: now, next: now, order: None, key: None, denials: 0, troubles: 0 }
    }
}

impl Card {
    /// Whether the request came to nothing.
    pub fn has_failed(&self) -> bool {
        self.issued.is_none() && self.failure.as_ref().is_some_and(|failure| failure.last)
    }
}

/// The key of a card.
pub fn card(id: &str) -> String {
    format!("{CARDS}{id}")
}

/// The key of a mark.
pub fn work(id: &str) -> String {
    format!("{WORK}{id}")
}

/// A certificate, whole: imported ones have no card, requested ones have no record before they are
/// issued.
#[derive(Debug)]
pub struct Whole {
    /// Its id.
    pub id: String,
    /// How its request fares.
    pub card: Option<Kept<Card>>,
    /// What is served.
    pub record: Option<Kept<Certificate>>,
}

impl Whole {
    /// Its ARN.
    pub fn arn(&self) -> &str {
        let card = self.card.as_ref().map(|kept| kept.value.arn.as_str());
        card.or_else(|| self.record.as_ref().map(|kept| kept.value.arn.as_str()))
            .unwrap_or_default()
    }

    /// When it was made.
    pub fn created(&self) -> Timestamp {
        let card = self.card.as_ref().map(|kept| kept.value.created);
        card.or_else(|| self.record.as_ref().map(|kept| kept.value.created)).unwrap_or_default()
    }
}

/// The certificate of this id.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn whole(control: &Control, id: &str) -> Result<Option<Whole>, Fault> {
    let card = store::get(control.store(), &card(id)).await?;
    let record = store::get(control.store(), &place(id)).await?;
    let there = card.is_some() || record.is_some();
    Ok(there.then(|| Whole { id: id.to_owned(), card, record }))
}

/// Adds a card to a change, if it is still as it was; with a mark while there is work.
///
/// # Errors
/// An internal fault when it has no JSON form.
pub fn put(change: &mut Change, old: &Kept<Card>, new: &Card) -> Result<(), Fault> {
    let id = old.key.strip_prefix(CARDS).unwrap_or_default();
    change.when(old.unchanged(), Otherwise::Again).put(old.key.clone(), new)?;
    match Mark::of(new) {
        Some(mark) => change.put(work(id), &mark)?,
        None => change.delete(work(id)),
    };
    Ok(())
}

/// The key under which a certificate is counted.
pub fn counted(id: &str) -> String {
    format!("{COUNTED}{id}")
}

/// Adds one more certificate to a change; whether there is room for it.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn take_room(control: &Control, change: &mut Change, id: &str) -> Result<bool, Fault> {
    let most = control.quotas.most(Quota::Certificates);
    let room = control.take_room(change, (COUNTED, key::census(COUNTED)), most).await?;
    change.mark(counted(id));
    Ok(room)
}

/// Where the text of a proof by DNS stands in our own zone: what the user's CNAME leads to. Always
/// the same for a name, so that it is set once.
pub fn target(control: &Control, name: &str) -> String {
    let digest = crate::sigv4::sha256_hex(bare(name).as_bytes());
    let label = digest.get(..32).unwrap_or_default();
    format!("{label}.{CHALLENGE_LABEL}.{}", control.zone)
}

/// A name without `*.`.
pub fn bare(name: &str) -> &str {
    name.strip_prefix("*.").unwrap_or(name)
}
