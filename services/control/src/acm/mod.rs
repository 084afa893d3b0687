//! Certificates: imported or requested through the operations of AWS Certificate Manager, or our own
//! authority's.
//!
//! For: what `aws acm` needs, on the same port as the rest; requested certificates are got from an
//! authority that speaks ACME (`acme`) and renewed in time.
//! Not for: which certificate a distribution may use (`rules/planning`).

mod acme;
mod api;
pub mod authority;
mod card;
mod describe;
mod import;
mod list;
mod pem;
mod refusal;
mod request;
mod tags;

pub use acme::{ACCOUNTS, run as obtain};
pub use api::{Call, serve};
pub use card::CARDS;
pub use import::upload;
pub use refusal::Refusal;

use crate::{
    control::Control,
    ids,
    store::{self, Kept},
    wire::fault::Fault,
};
use model::feed::{CERTIFICATES, Certificate};
use planning::CertificateFacts;

/// In the keys of who uses a certificate.
pub const KIND: &str = "certificate";

/// The key of a certificate's record.
pub fn record_key(id: &str) -> String {
    place(id)
}

/// A certificate's leaf and the rest of its chain, as PEM.
///
/// # Errors
/// An internal fault when what was checked once cannot be read any more.
pub fn parts(certificate: &Certificate) -> Result<(String, String), Fault> {
    pem::split(&certificate.chain).map_err(Fault::internal)
}

fn place(id: &str) -> String {
    format!("{CERTIFICATES}{id}")
}

/// The id in a certificate's ARN.
pub fn id_of(arn: &str) -> Option<&str> {
    let (_, id) = arn.split_once(":certificate/")?;
    Some(id).filter(|id| ids::is_plain(id))
}

/// The imported certificate of this ARN.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn find(control: &Control, arn: &str) -> Result<Option<Kept<Certificate>>, Fault> {
    let Some(id) = id_of(arn) else { return Ok(None) };
    let kept: Option<Kept<Certificate>> = store::get(control.store(), &place(id)).await?;
    Ok(kept.filter(|kept| kept.value.arn == arn))
}

/// What plans need to know of it.
pub fn facts(certificate: &Certificate) -> CertificateFacts {
    CertificateFacts { names: certificate.names.clone(), not_after: certificate.not_after }
}
