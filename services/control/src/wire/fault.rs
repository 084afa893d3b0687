//! What can be wrong with a request, as the API names it.

use model::api::ErrorCode;
use ports::metastore::StoreError;
use std::fmt;

/// An error that the API answers with: a code, its status, and a text that says what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Fault {
    /// Which error.
    pub code: Code,
    /// For the caller; holds no secret.
    pub message: String,
}

/// An error code: one of the service's own, or one that all AWS services share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// From the API's public model.
    Model(ErrorCode),
    /// From the common errors of AWS services.
    Common(Common),
    /// From the API of what key value stores hold.
    Contents(Contents),
}

/// Errors of what key value stores hold (Amazon CloudFront `KeyValueStore` API reference).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Not what may be asked for.
    Validation,
    /// More than a store may hold.
    TooMuch,
    /// No such store or key.
    NotFound,
    /// The store is not as the caller saw it.
    Conflict,
}

impl Contents {
    const fn table(self) -> (&'static str, u16) {
        match self {
            Self::Validation => ("ValidationException", 400),
            Self::TooMuch => ("ServiceQuotaExceededException", 402),
            Self::NotFound => ("ResourceNotFoundException", 404),
            Self::Conflict => ("ConflictException", 409),
        }
    }
}

/// Errors that the model does not list (CloudFront API reference, Common Errors).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Common {
    /// What services that speak JSON say when a policy does not allow it.
    AccessDeniedException,
    /// Something still belongs to it (IAM API reference).
    DeleteConflict,
    /// A form without an operation that is known (IAM API reference).
    InvalidAction,
    /// A parameter that cannot be (IAM API reference).
    InvalidInput,
    /// An attribute that cannot be looked up (CloudTrail API reference).
    InvalidLookupAttributes,
    /// A number of results out of bounds (CloudTrail API reference).
    InvalidMaxResults,
    /// A token that was not given out (CloudTrail API reference).
    InvalidNextToken,
    /// An end before its beginning (CloudTrail API reference).
    InvalidTimeRange,
    /// The key is not the certificate's (IAM API reference).
    KeyPairMismatch,
    /// A quota of the account (IAM API reference).
    LimitExceeded,
    /// A certificate that cannot be read (IAM API reference).
    MalformedCertificate,
    /// A policy that is none (IAM API reference).
    MalformedPolicyDocument,
    /// There is no such user, key, policy or certificate (IAM API reference).
    NoSuchEntity,
    /// A parameter that is missing or malformed (IAM API reference).
    ValidationError,
    /// The signature lacks a part, or a part is unreadable.
    IncompleteSignature,
    /// Our fault.
    InternalError,
    /// The access key is not known.
    InvalidClientTokenId,
    /// The same caller reference with other paths (`InvalidationBatch`, `CallerReference`).
    InvalidationBatchAlreadyExists,
    /// A body that is not the XML which the operation expects.
    MalformedXml,
    /// The path is known, the method is not.
    MethodNotAllowed,
    /// Not signed at all.
    MissingAuthenticationToken,
    /// A known operation that this server does not offer.
    NotImplemented,
    /// A body beyond the limit.
    RequestEntityTooLarge,
    /// Signed too long ago, or in the future.
    RequestExpired,
    /// The body did not come in time.
    RequestTimeout,
    /// The metadata store cannot be reached.
    ServiceUnavailable,
    /// The signature does not match.
    SignatureDoesNotMatch,
    /// No operation has this path.
    UnknownOperation,
}

impl Common {
    const fn table(self) -> (&'static str, u16) {
        match self {
            Self::AccessDeniedException => ("AccessDeniedException", 403),
            Self::DeleteConflict => ("DeleteConflict", 409),
            Self::InvalidAction => ("InvalidAction", 400),
            Self::InvalidInput => ("InvalidInput", 400),
            Self::InvalidLookupAttributes => ("InvalidLookupAttributesException", 400),
            Self::InvalidMaxResults => ("InvalidMaxResultsException", 400),
            Self::InvalidNextToken => ("InvalidNextTokenException", 400),
            Self::InvalidTimeRange => ("InvalidTimeRangeException", 400),
            Self::KeyPairMismatch => ("KeyPairMismatch", 400),
            Self::LimitExceeded => ("LimitExceeded", 409),
            Self::MalformedCertificate => ("MalformedCertificate", 400),
            Self::MalformedPolicyDocument => ("MalformedPolicyDocument", 400),
            Self::NoSuchEntity => ("NoSuchEntity", 404),
            Self::ValidationError => ("ValidationError", 400),
            Self::IncompleteSignature => ("IncompleteSignature", 400),
            Self::InternalError => ("InternalError", 500),
            Self::InvalidClientTokenId => ("InvalidClientTokenId", 403),
            Self::InvalidationBatchAlreadyExists => ("InvalidationBatchAlreadyExists", 409),
            Self::MalformedXml => ("MalformedXML", 400),
            Self::MethodNotAllowed => ("MethodNotAllowed", 405),
            Self::MissingAuthenticationToken => ("MissingAuthenticationToken", 403),
            Self::NotImplemented => ("NotImplemented", 501),
            Self::RequestEntityTooLarge => ("RequestEntityTooLarge", 413),
            Self::RequestExpired => ("RequestExpired", 400),
            Self::RequestTimeout => ("RequestTimeout", 408),
            Self::ServiceUnavailable => ("ServiceUnavailable", 503),
            Self::SignatureDoesNotMatch => ("SignatureDoesNotMatch", 403),
            Self::UnknownOperation => ("UnknownOperationException", 404),
        }
    }
}

impl Code {
    /// As it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model(code) => code.as_str(),
            Self::Common(code) => code.table().0,
            Self::Contents(code) => code.table().0,
        }
    }

    /// HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::Model(code) => code.status(),
            Self::Common(code) => code.table().1,
            Self::Contents(code) => code.table().1,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl Fault {
    /// An error of the service's own.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code: Code::Model(code), message: message.into() }
    }

    /// An error that all services share.
    pub fn common(code: Common, message: impl Into<String>) -> Self {
        Self { code: Code::Common(code), message: message.into() }
    }

    /// An error of what key value stores hold.
    pub fn contents(code: Contents, message: impl Into<String>) -> Self {
        Self { code: Code::Contents(code), message: message.into() }
    }

    /// Our own failure: the text goes to the log, the caller learns only that it was us.
    pub fn internal(why: impl fmt::Display) -> Self {
        tracing::error!(%why, "a request failed inside the management API");
        Self::common(
            Common::InternalError,
            "an internal error occurred; the server's log says more under this request id",
        )
    }

    /// HTTP status.
    pub const fn status(&self) -> u16 {
        self.code.status()
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unreachable(why) => {
                tracing::warn!(why, "the metadata store cannot be reached");
                Self::common(
                    Common::ServiceUnavailable,
                    "the metadata store did not answer, so it is not known whether a change took \
                     place: read the resource, then try again",
                )
            }
            StoreError::Refused(why) => Self::new(
                ErrorCode::EntitySizeLimitExceeded,
                format!("the change is too large to be written at once: {why}"),
            ),
            damaged @ StoreError::Damaged(_) => Self::internal(damaged),
        }
    }
}

impl From<planning::Faults> for Fault {
    fn from(faults: planning::Faults) -> Self {
        Self::new(faults.code(), faults.to_string())
    }
}
