//! Which operation on which store a request means.

use crate::{
    control::Control,
    ids, sigv4,
    wire::{
        asked::Asked,
        fault::{Common, Contents, Fault},
    },
};
use percent_encoding::percent_decode_str;

/// The operations (Amazon CloudFront `KeyValueStore` API reference, "Actions").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// How much a store holds.
    DescribeKeyValueStore,
    /// A page of pairs.
    ListKeys,
    /// One pair.
    GetKey,
    /// Puts one pair.
    PutKey,
    /// Takes one pair away.
    DeleteKey,
    /// Puts and takes away several at once.
    UpdateKeys,
}

impl Operation {
    /// As the API calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DescribeKeyValueStore => "DescribeKeyValueStore",
            Self::ListKeys => "ListKeys",
            Self::GetKey => "GetKey",
            Self::PutKey => "PutKey",
            Self::DeleteKey => "DeleteKey",
            Self::UpdateKeys => "UpdateKeys",
        }
    }
}

/// What a request wants, before its body is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Which operation.
    pub operation: Operation,
    /// The store's ARN.
    pub arn: String,
    /// The store's id; there may be no such store.
    pub store: String,
    /// The key, for operations on one.
    pub key: Option<String>,
}

impl Wish {
    /// Reads method and path: `/key-value-stores/ARN[/keys[/KEY]]`, each part encoded.
    ///
    /// # Errors
    /// `UnknownOperationException` for other paths, `ResourceNotFoundException` for ARNs of others.
    pub fn of(control: &Control, asked: &Asked) -> Result<Self, Fault> {
        // What policies were asked about is what is done: no path that can be read in two ways.
        if sigv4::normal_path(&asked.path) != asked.path || asked.path.ends_with('/') {
            return Err(unknown());
        }
        let parts: Vec<&str> = asked.path.trim_start_matches('/').split('/').collect();
        let (operation, arn, key) = match (asked.method.as_str(), parts.as_slice()) {
            ("GET", ["key-value-stores", arn]) => (Operation::DescribeKeyValueStore, arn, None),
            ("GET", ["key-value-stores", arn, "keys"]) => (Operation::ListKeys, arn, None),
            ("POST", ["key-value-stores", arn, "keys"]) => (Operation::UpdateKeys, arn, None),
            ("GET", ["key-value-stores", arn, "keys", key]) => (Operation::GetKey, arn, Some(*key)),
            ("PUT", ["key-value-stores", arn, "keys", key]) => (Operation::PutKey, arn, Some(*key)),
            ("DELETE", ["key-value-stores", arn, "keys", key]) => {
                (Operation::DeleteKey, arn, Some(*key))
            }
            _ => return Err(unknown()),
        };
        let arn = decoded(arn)?;
        let store = store_of(control, &arn)?;
        let key = key.map(decoded).transpose()?;
        Ok(Self { operation, arn, store, key })
    }
}

fn unknown() -> Fault {
    let message = "key value stores have no operation of this method and path";
    Fault::common(Common::UnknownOperation, message)
}

fn decoded(part: &str) -> Result<String, Fault> {
    let text = percent_decode_str(part).decode_utf8().map_err(|_| {
        Fault::contents(Contents::Validation, "a part of the path is not UTF-8, as it must be")
    })?;
    Ok(text.into_owned())
}

fn store_of(control: &Control, arn: &str) -> Result<String, Fault> {
    let own = control.arn("key-value-store", "");
    let id = arn.strip_prefix(&own).filter(|id| ids::is_plain(id));
    id.map(str::to_owned).ok_or_else(|| no_such_store(arn))
}

/// There is no such store.
pub fn no_such_store(arn: &str) -> Fault {
    let message = format!("no key value store of this account has the ARN {arn:?}");
    Fault::contents(Contents::NotFound, message)
}
