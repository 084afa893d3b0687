//! What can be wrong with a call, as ACM names it.

use crate::{control::Control, store::Stopped, wire::fault::Fault};
use kit::seal::SealError;
use planning::Quota;

/// An error in ACM's form.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// As ACM names it.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// For the caller.
    pub message: String,
}

impl Refusal {
    /// This error, with a text that says what to do next.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, status: 400, message: message.into() }
    }

    /// The body does not hold what it must.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    /// A parameter has a value that cannot be.
    pub fn parameter(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    /// There is none.
    pub fn missing() -> Self {
        Self::new("ResourceNotFoundException", "no certificate has this ARN")
    }

    /// There are as many as there may be.
    pub fn full(control: &Control) -> Self {
        let most = control.quotas.most(Quota::Certificates);
        let message = format!("the account has {most} certificates already, which is its quota");
        Self::new("LimitExceededException", message)
    }

    /// It is being made.
    pub fn in_progress() -> Self {
        let message = "the certificate authority has not issued the certificate yet: ask again \
                       when DescribeCertificate says ISSUED";
        Self::new("RequestInProgressException", message)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self { code: fault.code.as_str(), status: fault.status(), message: fault.message }
    }
}

impl From<SealError> for Refusal {
    fn from(error: SealError) -> Self {
        Fault::internal(error).into()
    }
}

/// Takes a refusal through [`crate::store::settle`], which knows faults only.
#[derive(Debug)]
pub enum Settled<T> {
    /// Done.
    Done(T),
    /// Refused, and nothing was written.
    Refused(Refusal),
}

impl<T> Settled<T> {
    /// What came of it.
    ///
    /// # Errors
    /// The refusal.
    pub fn end(self) -> Result<T, Refusal> {
        match self {
            Self::Done(done) => Ok(done),
            Self::Refused(refusal) => Err(refusal),
        }
    }

    /// Refused, and not to be tried again.
    #[expect(clippy::unnecessary_wraps, reason = "it is what an attempt returns")]
    pub fn refused(refusal: Refusal) -> Result<Self, Stopped> {
        Ok(Self::Refused(refusal))
    }
}
