//! Public keys: thin handlers; what they share with their like is in `resource`.

mod encoded;

use super::resource::{self, Kind, Known, Record, Which};
use crate::{
    control::Control,
    ids,
    sigv4::Authorised,
    wire::{
        call::Call,
        page::Wanted,
        reply::{Answer, Reply},
    },
};
use model::api::{
    ErrorCode, OperationName as Name, PublicKey, PublicKeyConfig, PublicKeyList, PublicKeySummary,
};
use planning::{Faults, Quota};

pub use encoded::{Algorithm, Encoded};

/// Public keys as a kind.
pub struct PublicKeys;

impl Kind for PublicKeys {
    type Config = PublicKeyConfig;
    const NAME: &'static str = "public-key";
    const MISSING: ErrorCode = ErrorCode::NoSuchPublicKey;
    const EXISTS: ErrorCode = ErrorCode::PublicKeyAlreadyExists;
    const IN_USE: ErrorCode = ErrorCode::PublicKeyInUse;
    const TOO_MANY: ErrorCode = ErrorCode::TooManyPublicKeys;
    const QUOTA: Quota = Quota::PublicKeys;
    /// No distribution names a key: key groups and encryption profiles do.
    const TOO_MANY_USERS: ErrorCode = ErrorCode::InvalidArgument;

    fn known_by(config: &Self::Config) -> Known<'_> {
        Known::Name(&config.name)
    }

    fn reference(config: &Self::Config) -> Option<&str> {
        Some(&config.caller_reference)
    }

    fn check(config: &Self::Config) -> Result<(), Faults> {
        let mut faults = planning::resource::public_key::check(config).err().unwrap_or_default();
        if let Err(why) = Encoded::parse(&config.encoded_key) {
            faults.add("EncodedKey", ErrorCode::InvalidArgument, why);
        }
        faults.into_result()
    }

    /// Only the comment may differ.
    fn check_update(old: &Self::Config, new: &Self::Config) -> Result<(), Faults> {
        let mut faults = Faults::default();
        let code = ErrorCode::CannotChangeImmutablePublicKeyFields;
        if Encoded::parse(&old.encoded_key) != Encoded::parse(&new.encoded_key) {
            let message = "cannot be changed: make another public key for another key";
            faults.add("EncodedKey", code, message);
        }
        if old.name != new.name {
            faults.add("Name", code, "cannot be changed: only the comment can");
        }
        faults.into_result()
    }

    fn new_id() -> String {
        ids::lettered('K')
    }
}

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::CreatePublicKey => create(control, call).await,
        Name::GetPublicKey => get(control, call).await,
        Name::GetPublicKeyConfig => get_config(control, call).await,
        Name::UpdatePublicKey => update(control, call).await,
        Name::DeletePublicKey => delete(control, call).await,
        Name::ListPublicKeys => list(control, call).await,
        _ => return None,
    })
}

async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::create::<PublicKeys>(control, call.body()?).await?;
    let path = format!("/public-key/{}", record.id);
    Ok(answer(call, record)?.located(call, &path))
}

async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    answer(call, resource::find::<PublicKeys>(control, call.param("Id")?).await?)
}

async fn get_config(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::find::<PublicKeys>(control, call.param("Id")?).await?;
    Ok(Reply::shape(call, &record.config)?.tagged(&record.etag))
}

async fn update(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    answer(call, resource::update::<PublicKeys>(control, id, tag, call.body()?).await?)
}

async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    resource::delete::<PublicKeys>(control, id, tag).await?;
    Ok(Reply::empty(call))
}

async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let wanted = Wanted::from(&call.query)?;
    let page = resource::page::<PublicKeys>(control, &wanted, Which::Custom).await?;
    let shown = PublicKeyList {
        quantity: page.quantity(),
        next_marker: page.next,
        max_items: page.max_items,
        items: page.items.map(|items| items.into_iter().map(summary).collect()),
    };
    Reply::shape(call, &shown)
}

fn summary((_, record): (bool, Record<PublicKeyConfig>)) -> PublicKeySummary {
    PublicKeySummary {
        created_time: record.created_iso(),
        id: record.id,
        name: record.config.name,
        encoded_key: record.config.encoded_key,
        comment: record.config.comment,
    }
}

fn answer(call: &Call, record: Record<PublicKeyConfig>) -> Answer {
    let tag = record.etag.clone();
    let shown = PublicKey {
        created_time: record.created_iso(),
        id: record.id,
        public_key_config: record.config,
    };
    Ok(Reply::shape(call, &shown)?.tagged(&tag))
}
