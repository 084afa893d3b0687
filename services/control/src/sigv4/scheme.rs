//! The two versions of the signature, and where their requests differ.

use super::{
    asymmetric,
    form::{ALGORITHM, Service, TERMINATOR, incomplete, scope},
};
use crate::wire::fault::Fault;

/// The two versions of the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// With a key that both sides derive from the secret.
    Shared,
    /// With a key pair that is derived from the secret.
    Asymmetric,
}

impl Scheme {
    /// The one of this name.
    ///
    /// # Errors
    /// `IncompleteSignature` for other names.
    pub fn named(algorithm: &str) -> Result<Self, Fault> {
        [Self::Shared, Self::Asymmetric]
            .into_iter()
            .find(|one| one.algorithm() == algorithm)
            .ok_or_else(|| {
                let other = asymmetric::ALGORITHM;
                incomplete(format!("the algorithm must be {ALGORITHM} or {other}"))
            })
    }

    /// As it stands in requests.
    pub const fn algorithm(self) -> &'static str {
        match self {
            Self::Shared => ALGORITHM,
            Self::Asymmetric => asymmetric::ALGORITHM,
        }
    }

    /// Key, date, region and service of a credential. The second version's regions stand elsewhere
    /// in the request: `regions`.
    ///
    /// # Errors
    /// `IncompleteSignature` when a part is missing.
    pub fn scope<'c>(
        self,
        credential: &'c str,
        regions: Option<&'c str>,
    ) -> Result<[&'c str; 4], Fault> {
        if self == Self::Shared {
            return scope(credential);
        }
        let parts: Vec<&str> = credential.split('/').collect();
        match (parts.as_slice(), regions.filter(|regions| !regions.is_empty())) {
            (&[key_id, date, service, TERMINATOR], Some(regions))
                if !key_id.is_empty() && date.len() == 8 =>
            {
                Ok([key_id, date, regions, service])
            }
            (_, None) => Err(incomplete("X-Amz-Region-Set is missing: * means all regions")),
            _ => Err(incomplete(format!("Credential must be KEY/DATE/SERVICE/{TERMINATOR}"))),
        }
    }

    /// Whether this can be a signature, and for this service.
    ///
    /// # Errors
    /// `IncompleteSignature` when it cannot.
    pub fn check(self, service: Service, signature: &str) -> Result<(), Fault> {
        let in_form = match self {
            Self::Shared => {
                signature.len() == 64
                    && signature.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            }
            Self::Asymmetric => asymmetric::is_signature(signature),
        };
        if !in_form {
            return Err(incomplete("the signature must be hexadecimal digits of the right number"));
        }
        if self == Self::Asymmetric && service != Service::KeyValueStore {
            let message = format!("{} signs {ALGORITHM} here", service.as_str());
            return Err(incomplete(message));
        }
        Ok(())
    }
}
