//! Key groups: thin handlers; what they share with their like is in `resource`.

use super::{
    public_keys::PublicKeys,
    resource::{self, Kind, Known, Record, Use, Which},
};
use crate::{
    control::Control,
    sigv4::Authorised,
    wire::{
        call::Call,
        fault::Fault,
        page::Wanted,
        reply::{Answer, Reply},
    },
};
use model::api::{
    ErrorCode, KeyGroup, KeyGroupConfig, KeyGroupList, KeyGroupSummary, OperationName as Name,
};
use planning::{Faults, Quota, Quotas};

/// Key groups as a kind.
pub struct KeyGroups;

impl Kind for KeyGroups {
    type Config = KeyGroupConfig;
    const NAME: &'static str = "key-group";
    const MISSING: ErrorCode = ErrorCode::NoSuchResource;
    const EXISTS: ErrorCode = ErrorCode::KeyGroupAlreadyExists;
    const IN_USE: ErrorCode = ErrorCode::ResourceInUse;
    const TOO_MANY: ErrorCode = ErrorCode::TooManyKeyGroups;
    const QUOTA: Quota = Quota::KeyGroups;
    const TOO_MANY_USERS: ErrorCode = ErrorCode::TooManyDistributionsAssociatedToKeyGroup;

    fn known_by(config: &Self::Config) -> Known<'_> {
        Known::Name(&config.name)
    }

    fn check(config: &Self::Config) -> Result<(), Faults> {
        Self::check_with(config, &Quotas::none())
    }

    fn check_with(config: &Self::Config, quotas: &Quotas) -> Result<(), Faults> {
        planning::resource::key_group::check(config, quotas)
    }

    fn uses(config: &Self::Config) -> Vec<Use> {
        let missing = |id: &String| {
            let message = format!("Items: there is no public key {id:?}");
            Fault::new(ErrorCode::InvalidArgument, message)
        };
        let key = |id| Use { kind: PublicKeys::NAME, missing: missing(id), id: id.clone() };
        config.items.iter().map(key).collect()
    }
}

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::CreateKeyGroup => create(control, call).await,
        Name::GetKeyGroup => get(control, call).await,
        Name::GetKeyGroupConfig => get_config(control, call).await,
        Name::UpdateKeyGroup => update(control, call).await,
        Name::DeleteKeyGroup => delete(control, call).await,
        Name::ListKeyGroups => list(control, call).await,
        _ => return None,
    })
}

async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::create::<KeyGroups>(control, call.body()?).await?;
    let path = format!("/key-group/{}", record.id);
    Ok(answer(call, record)?.located(call, &path))
}

async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    answer(call, resource::find::<KeyGroups>(control, call.param("Id")?).await?)
}

async fn get_config(control: &Control, call: &Authorised<Call>) -> Answer {
    let record = resource::find::<KeyGroups>(control, call.param("Id")?).await?;
    Ok(Reply::shape(call, &record.config)?.tagged(&record.etag))
}

async fn update(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    answer(call, resource::update::<KeyGroups>(control, id, tag, call.body()?).await?)
}

async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    resource::delete::<KeyGroups>(control, id, tag).await?;
    Ok(Reply::empty(call))
}

async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let wanted = Wanted::from(&call.query)?;
    let page = resource::page::<KeyGroups>(control, &wanted, Which::Custom).await?;
    let summary = |(_, record)| KeyGroupSummary { key_group: shape(record) };
    let shown = KeyGroupList {
        quantity: page.quantity(),
        next_marker: page.next,
        max_items: page.max_items,
        items: page.items.map(|items| items.into_iter().map(summary).collect()),
    };
    Reply::shape(call, &shown)
}

fn shape(record: Record<KeyGroupConfig>) -> KeyGroup {
    KeyGroup {
        last_modified_time: record.modified_iso(),
        id: record.id,
        key_group_config: record.config,
    }
}

fn answer(call: &Call, record: Record<KeyGroupConfig>) -> Answer {
    let tag = record.etag.clone();
    Ok(Reply::shape(call, &shape(record))?.tagged(&tag))
}
