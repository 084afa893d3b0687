//! What a checked signature proves, in a form that cannot be made otherwise.

use super::{form::Service, keys::Holder};
use std::ops::Deref;

/// Proof that a request's signature was checked. Only [`super::check`] makes one.
#[derive(Clone, Debug)]
pub struct Proof {
    pub(super) key_id: String,
    pub(super) service: Service,
    pub(super) region: String,
    pub(super) holder: Holder,
}

/// Something that a caller with a good signature asked for.
#[derive(Debug)]
pub struct Authorised<T> {
    proof: Proof,
    what: T,
}

impl Proof {
    /// The service that the signature is good for.
    pub const fn service(&self) -> Service {
        self.service
    }

    /// The id of the key that signed.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Whose key it is.
    pub const fn holder(&self) -> &Holder {
        &self.holder
    }

    /// The region that the credential is scoped to.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// This, as asked for by who gave the proof.
    pub const fn permit<T>(self, what: T) -> Authorised<T> {
        Authorised { proof: self, what }
    }
}

impl<T> Authorised<T> {
    /// Something else that the same caller asks for with it.
    pub fn instead<U>(self, what: U) -> Authorised<U> {
        Authorised { proof: self.proof, what }
    }

    /// The id of the key that signed.
    pub fn key_id(&self) -> &str {
        &self.proof.key_id
    }
}

impl<T> Deref for Authorised<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.what
    }
}
