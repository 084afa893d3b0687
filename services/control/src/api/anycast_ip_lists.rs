//! Anycast address lists: addresses of the settings' pool, each in one list at most.
//!
//! Edges and DNS do not answer by list yet: one may be kept, but no distribution may name it
//! (`planning::distribution` refuses that).
//!
//! Source: CloudFront API reference, `AnycastIpList`.

use super::{
    resource::{self, Kind, Known, Record},
    tags,
};
use crate::{
    control::Control,
    ids,
    sigv4::Authorised,
    status::Progress,
    store::{self, Change, Kept, Stopped, key},
    wire::{
        call::Call,
        fault::Fault,
        page::Wanted,
        reply::{Answer, Reply},
    },
};
use model::api::{
    AnycastIpList, AnycastIpListCollection, AnycastIpListSummary, CreateAnycastIpListRequest,
    ErrorCode, IpAddressType, IpamCidrConfigList, OperationName as Name,
    UpdateAnycastIpListRequest,
};
use planning::{Faults, Quota, kind};
use ports::metastore::Check;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// How many addresses a list may have of each kind.
const SIZES: [i32; 2] = [3, 21];
/// Most addresses of all lists together.
const MOST_ADDRESSES: usize = 100_000;

/// A list as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct List {
    name: String,
    count: i32,
    kinds: IpAddressType,
    addresses: BTreeSet<IpAddr>,
}

/// Anycast lists as a kind.
pub struct AnycastIpLists;

impl Kind for AnycastIpLists {
    type Config = List;
    const NAME: &'static str = kind::ANYCAST_IP_LIST;
    const MISSING: ErrorCode = ErrorCode::EntityNotFound;
    const EXISTS: ErrorCode = ErrorCode::EntityAlreadyExists;
    const IN_USE: ErrorCode = ErrorCode::CannotDeleteEntityWhileInUse;
    const TOO_MANY: ErrorCode = ErrorCode::EntityLimitExceeded;
    const QUOTA: Quota = Quota::AnycastIpLists;
    const TOO_MANY_USERS: ErrorCode = ErrorCode::EntityLimitExceeded;

    fn known_by(config: &Self::Config) -> Known<'_> {
        Known::Name(&config.name)
    }

    fn check(config: &Self::Config) -> Result<(), Faults> {
        let mut faults = Faults::default();
        let code = ErrorCode::InvalidArgument;
        if config.name.len() > 64 || !ids::is_plain(&config.name) {
            faults.add("Name", code, "a name has 1 to 64 letters, digits, '-' or '_'");
        }
        if !SIZES.contains(&config.count) {
            faults.add("IpCount", code, "a list has 3 or 21 addresses");
        }
        faults.into_result()
    }

    fn new_id() -> String {
        ids::prefixed("aip")
    }

    /// Each address belongs to one list.
    fn beside(
        change: &mut Change,
        new: Option<&Record<List>>,
        old: Option<&Record<List>>,
    ) -> Result<(), Fault> {
        let of = |one: Option<&Record<List>>| {
            one.map(|record| record.config.addresses.clone()).unwrap_or_default()
        };
        let (now, before) = (of(new), of(old));
        for address in now.difference(&before) {
            let place = key::anycast_address(*address);
            change.when_or(Check::Absent(place.clone()), taken());
            change.put(place, &new.map(|record| &record.id))?;
        }
        for address in before.difference(&now) {
            change.delete(key::anycast_address(*address));
        }
        Ok(())
    }
}

/// Somebody was faster with an address that was free a moment ago.
fn taken() -> Fault {
    Fault::new(ErrorCode::EntityLimitExceeded, "an address was taken by another list")
}

/// Chooses again when an address was taken meanwhile.
fn again_if_taken(fault: Fault) -> Stopped {
    if fault == taken() { Stopped::Again } else { Stopped::Refused(fault) }
}

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::CreateAnycastIpList => create(control, call).await,
        Name::GetAnycastIpList => get(control, call).await,
        Name::UpdateAnycastIpList => update(control, call).await,
        Name::DeleteAnycastIpList => delete(control, call).await,
        Name::ListAnycastIpLists => list(control, call).await,
        _ => return None,
    })
}

async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    let body: CreateAnycastIpListRequest = call.body()?;
    no_ipam(body.ipam_cidr_configs.as_ref())?;
    let empty = List {
        name: body.name,
        count: body.ip_count,
        kinds: body.ip_address_type.unwrap_or(IpAddressType::Ipv4),
        addresses: BTreeSet::new(),
    };
    AnycastIpLists::check(&empty)?;
    let record = store::settle(|| async {
        let list = allocated(control, empty.clone(), ErrorCode::EntityLimitExceeded).await?;
        resource::create_with::<AnycastIpLists>(control, list, |change, record| {
            tags::attach(control, change, AnycastIpLists::NAME, &record.id, body.tags.as_ref())
        })
        .await
        .map_err(again_if_taken)
    })
    .await?;
    answer(control, call, &record.id).await
}

async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    answer(control, call, call.param("Id")?).await
}

/// Addresses that still fit stay; the others go back to the pool.
async fn update(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    let body: UpdateAnycastIpListRequest = call.body_or_default()?;
    no_ipam(body.ipam_cidr_configs.as_ref())?;
    store::settle(|| async {
        let mut list = resource::find::<AnycastIpLists>(control, id).await?.config;
        list.kinds = body.ip_address_type.unwrap_or(list.kinds);
        let list = allocated(control, list, ErrorCode::InvalidArgument).await?;
        let updated = resource::update::<AnycastIpLists>(control, id, tag, list).await;
        updated.map_err(again_if_taken)
    })
    .await?;
    answer(control, call, id).await
}

async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let (id, tag) = (call.param("Id")?, call.if_match.as_deref());
    resource::delete::<AnycastIpLists>(control, id, tag).await?;
    Ok(Reply::empty(call))
}

async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let wanted = Wanted::from(&call.query)?;
    let page = resource::kept::<AnycastIpLists>(control, &wanted).await?;
    let progress = Progress::of(&*control.world.registry).await?;
    let summary = |kept: Kept<Record<List>>| {
        let tag = kept.value.etag.clone();
        summary(shape(control, kept.value, progress.of_resource(kept.revision)), tag)
    };
    let shown = AnycastIpListCollection {
        quantity: page.quantity(),
        is_truncated: page.next.is_some(),
        marker: page.marker,
        next_marker: page.next,
        max_items: page.max_items,
        items: page.items.map(|items| items.into_iter().map(summary).collect()),
    };
    Reply::shape(call, &shown)
}

fn no_ipam(configs: Option<&IpamCidrConfigList>) -> Result<(), Fault> {
    if configs.is_none_or(|list| list.is_empty()) {
        return Ok(());
    }
    let message = "IpamCidrConfigs: there is no IPAM; addresses come from dns.anycast_addresses in \
                   the settings";
    Err(Fault::new(ErrorCode::UnsupportedOperation, message))
}

/// The list with as many addresses of each kind as it is to have.
async fn allocated(control: &Control, list: List, code: ErrorCode) -> Result<List, Fault> {
    let pool = &control.settings.dns.anycast_addresses;
    let entries = control.store().list(key::ANYCAST_ADDRESSES, None, MOST_ADDRESSES).await?;
    let taken: BTreeSet<IpAddr> = entries
        .iter()
        .filter_map(|entry| entry.key.strip_prefix(key::ANYCAST_ADDRESSES)?.parse().ok())
        .collect();
    let free: BTreeSet<IpAddr> = pool.iter().filter(|one| !taken.contains(one)).copied().collect();
    chosen(&list, &free).map(|addresses| List { addresses, ..list }).map_err(|short| {
        let message = format!(
            "dns.anycast_addresses in the settings holds too few free addresses, missing: {short}"
        );
        Fault::new(code, message)
    })
}

/// What it has as far as it fits, and the first free ones.
///
/// # Errors
/// How many are missing, in words.
fn chosen(list: &List, free: &BTreeSet<IpAddr>) -> Result<BTreeSet<IpAddr>, String> {
    let count = usize::try_from(list.count).unwrap_or(0);
    let wanted = [
        (list.kinds != IpAddressType::Ipv6, "IPv4", IpAddr::is_ipv4 as fn(&IpAddr) -> bool),
        (list.kinds != IpAddressType::Ipv4, "IPv6", IpAddr::is_ipv6),
    ];
    let (mut found, mut missing) = (BTreeSet::new(), BTreeMap::new());
    for (_, name, fits) in wanted.into_iter().filter(|(wanted, ..)| *wanted) {
        let fitting = list.addresses.iter().chain(free).filter(|one| fits(one));
        let fitting: Vec<IpAddr> = fitting.take(count).copied().collect();
        if fitting.len() < count {
            missing.insert(name, count - fitting.len());
        }
        found.extend(fitting);
    }
    if missing.is_empty() {
        return Ok(found);
    }
    let words = missing.iter().map(|(name, count)| format!("{count} of {name}"));
    Err(words.collect::<Vec<_>>().join(", "))
}

async fn answer(control: &Control, call: &Call, id: &str) -> Answer {
    let kept = resource::custom::<AnycastIpLists>(control, id).await?;
    let kept = kept.ok_or_else(resource::missing::<AnycastIpLists>)?;
    let progress = Progress::of(&*control.world.registry).await?;
    let (tag, status) = (kept.value.etag.clone(), progress.of_resource(kept.revision));
    Ok(Reply::shape(call, &shape(control, kept.value, status))?.tagged(&tag))
}

fn shape(control: &Control, record: Record<List>, status: &str) -> AnycastIpList {
    AnycastIpList {
        arn: control.arn(AnycastIpLists::NAME, &record.id),
        status: status.to_owned(),
        last_modified_time: record.modified_iso(),
        id: record.id,
        name: record.config.name,
        ip_address_type: Some(record.config.kinds),
        ipam_config: None,
        anycast_ips: record.config.addresses.iter().map(ToString::to_string).collect(),
        ip_count: record.config.count,
    }
}

fn summary(list: AnycastIpList, tag: String) -> AnycastIpListSummary {
    AnycastIpListSummary {
        id: list.id,
        name: list.name,
        status: list.status,
        arn: list.arn,
        ip_count: list.ip_count,
        last_modified_time: list.last_modified_time,
        ip_address_type: list.ip_address_type,
        e_tag: Some(tag),
        ipam_config: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(kinds: IpAddressType, addresses: &[&str]) -> List {
        let addresses = addresses.iter().map(|one| one.parse().unwrap()).collect();
        List { name: "a".to_owned(), count: 3, kinds, addresses }
    }

    fn free() -> BTreeSet<IpAddr> {
        let all = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2"];
        all.iter().map(|one| one.parse().unwrap()).collect()
    }

    fn texts(addresses: &BTreeSet<IpAddr>) -> Vec<String> {
        addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_list_keeps_what_it_has_and_takes_the_rest_from_the_pool() {
        let had = list(IpAddressType::Ipv4, &["203.0.113.9"]);
        let now = chosen(&had, &free()).unwrap();
        assert_eq!(texts(&now), ["192.0.2.1", "192.0.2.2", "203.0.113.9"]);
        let had = list(IpAddressType::Ipv6, &["203.0.113.9", "2001:db8::9"]);
        let now = chosen(&had, &free()).unwrap();
        assert_eq!(texts(&now), ["2001:db8::1", "2001:db8::2", "2001:db8::9"]);
    }

    #[test]
    fn it_says_how_many_are_missing() {
        let both = list(IpAddressType::Dualstack, &[]);
        assert_eq!(chosen(&both, &free()).unwrap_err(), "1 of IPv6");
        assert_eq!(chosen(&both, &BTreeSet::new()).unwrap_err(), "3 of IPv4, 3 of IPv6");
    }
}
