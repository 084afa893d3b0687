//! Names: who holds which, moving them, and whether the DNS leads there.
//!
//! Source: CloudFront developer guide, "Move an alternate domain name to a different standard
//! distribution or distribution tenant".

mod parties;
mod verify;

use crate::{
    control::Control,
    names::{self, Held},
    sigv4::Authorised,
    store::{self, Change},
    wire::{
        call::Call,
        etag,
        fault::{Code, Fault},
        page::{MOST_ITEMS, Wanted},
        reply::{Answer, Reply},
    },
};
use model::api::{
    ConflictingAlias, ConflictingAliasesList, DistributionResourceId, DistributionResourceType,
    DomainConflict, ErrorCode, ListDomainConflictsRequest, ListDomainConflictsResult,
    OperationName as Name, UpdateDomainAssociationRequest, UpdateDomainAssociationResult,
};
use parties::Party;

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::AssociateAlias => associate(control, call).await,
        Name::ListConflictingAliases => conflicting(control, call).await,
        Name::ListDomainConflicts => conflicts(control, call).await,
        Name::UpdateDomainAssociation => update(control, call).await,
        Name::VerifyDnsConfiguration => verify::verify(control, call).await,
        _ => return None,
    })
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(ErrorCode::InvalidArgument, message)
}

/// A domain name as names are kept; a leading `*.` is a wildcard.
///
/// # Errors
/// `InvalidArgument` for what is none, naming `what` it stands in.
pub fn domain_name(what: &str, text: &str) -> Result<String, Fault> {
    let name = text.to_ascii_lowercase();
    let host = name.strip_prefix("*.").unwrap_or(&name);
    if planning::distribution::is_host_name(host) && host.contains('.') {
        return Ok(name);
    }
    let shown: String = text.chars().take(300).collect();
    Err(invalid(format!("{what}: {shown:?} is not a domain name; a wildcard is a leading *. only")))
}

/// `AssociateAlias`: within one account a name moves at once, whoever of its distributions has it.
async fn associate(control: &Control, call: &Authorised<Call>) -> Answer {
    let name = domain_name("Alias", call.required("Alias")?)?;
    let id = call.param("TargetDistributionId")?;
    let moved = store::settle(|| async {
        let target = Party::distribution(control, id).await?;
        let held = names::holder(control, &name).await?;
        if held.as_ref().is_some_and(|held| names::is_tenant(&held.value)) {
            let message = format!(
                "the name {name} belongs to a distribution tenant: move it with \
                 UpdateDomainAssociation"
            );
            return Err(Fault::new(ErrorCode::IllegalUpdate, message).into());
        }
        give(control, &target, &name, held).await
    });
    let listed = [
        ErrorCode::NoSuchDistribution,
        ErrorCode::InvalidArgument,
        ErrorCode::TooManyDistributionCNAMEs,
    ];
    moved.await.map_err(|fault| or_illegal(fault, &listed))?;
    Ok(Reply::empty(call))
}

/// `UpdateDomainAssociation`: the same between distributions and tenants.
async fn update(control: &Control, call: &Authorised<Call>) -> Answer {
    let body: UpdateDomainAssociationRequest = call.body()?;
    let name = domain_name("Domain", &body.domain)?;
    let moved = store::settle(|| async {
        let target = Party::named(control, "TargetResource", &body.target_resource).await?;
        if call.if_match.is_some() {
            etag::check(call.if_match.as_deref(), target.etag())?;
        }
        let held = names::holder(control, &name).await?;
        give(control, &target, &name, held).await?;
        Ok(target.id().to_owned())
    });
    let listed = [
        ErrorCode::EntityNotFound,
        ErrorCode::InvalidArgument,
        ErrorCode::PreconditionFailed,
        ErrorCode::InvalidIfMatchVersion,
    ];
    let id = moved.await.map_err(|fault| or_illegal(fault, &listed))?;
    let target = Party::find(control, &id).await?;
    let shown =
        UpdateDomainAssociationResult { domain: Some(name), resource_id: Some(id), e_tag: None };
    Ok(Reply::shape(call, &shown)?.tagged(target.etag()))
}

/// Whatever the move would make wrong with one of the two is an update that is not allowed.
fn or_illegal(fault: Fault, listed: &[ErrorCode]) -> Fault {
    match fault.code {
        Code::Model(code) if !listed.contains(&code) => {
            Fault { code: Code::Model(ErrorCode::IllegalUpdate), ..fault }
        }
        _ => fault,
    }
}

/// Moves a name from whoever holds it, in one commit with both sides' records and plans.
async fn give(
    control: &Control,
    target: &Party,
    name: &str,
    held: Option<store::Kept<String>>,
) -> Result<(), store::Stopped> {
    if held.as_ref().is_some_and(|held| held.value == target.id()) {
        return Ok(());
    }
    target.must_cover(control, name).await?;
    let mut change = Change::default();
    if let Some(held) = &held {
        if names::kind_of(control, &held.value).await? == names::STREAMING {
            let holder = &held.value;
            let message = format!(
                "the name {name} belongs to the streaming distribution {holder}: take it away there \
                 first"
            );
            return Err(Fault::new(ErrorCode::IllegalUpdate, message).into());
        }
        // Who has gone since holds nothing any more.
        let source = Party::find(control, &held.value).await.map_err(gone)?;
        source.without(control, &mut change, name).await?;
    }
    target.with(control, &mut change, name).await?;
    names::hand_over(&mut change, name, held.as_ref(), target.id())?;
    change.commit(control.store()).await?;
    Ok(())
}

fn gone(fault: Fault) -> store::Stopped {
    if fault.status() == 404 { store::Stopped::Again } else { fault.into() }
}

/// `ListConflictingAliases`, ordered by name. Ids are half hidden, as those of strangers would be.
async fn conflicting(control: &Control, call: &Authorised<Call>) -> Answer {
    let name = domain_name("Alias", call.required("Alias")?)?;
    let wanted = page(call.query.get("Marker"), call.query.get("MaxItems"))?;
    let target = Party::distribution(control, call.required("DistributionId")?).await?;
    target.must_cover(control, &name).await?;
    let standard = |held: &Held| !names::is_tenant(&held.by);
    let found =
        names::overlapping(control, &name, &wanted.marker, wanted.most + 1, standard).await?;
    let page = wanted.page(found, |held| held.name.clone());
    let one = |held: Held| ConflictingAlias {
        alias: Some(held.name),
        distribution_id: Some(half_hidden(&held.by)),
        account_id: Some(half_hidden(&control.account)),
    };
    let shown = ConflictingAliasesList {
        quantity: Some(page.quantity()),
        next_marker: page.next,
        max_items: Some(page.max_items),
        items: page.items.map(|items| items.into_iter().map(one).collect()),
    };
    Reply::shape(call, &shown)
}

/// Markers are names here.
fn page(marker: Option<&str>, most: Option<&str>) -> Result<Wanted, Fault> {
    let most = most.filter(|text| !text.is_empty());
    let small = |text: &str| text.parse::<u32>().is_ok_and(|most| most as usize <= MOST_ITEMS);
    if !most.is_none_or(small) {
        return Err(invalid("MaxItems must be a whole number from 1 to 100"));
    }
    let wanted = Wanted::of(None, most)?;
    match marker.filter(|marker| !marker.is_empty()) {
        None => Ok(wanted),
        Some(marker) => Ok(Wanted { marker: domain_name("Marker", marker)?, ..wanted }),
    }
}

/// The first half as stars (developer guide, "Find the source standard distribution or distribution
/// tenant").
fn half_hidden(id: &str) -> String {
    let hidden = id.chars().count() / 2;
    id.chars().enumerate().map(|(place, c)| if place < hidden { '*' } else { c }).collect()
}

/// `ListDomainConflicts`, ordered by name.
async fn conflicts(control: &Control, call: &Authorised<Call>) -> Answer {
    let body: ListDomainConflictsRequest = call.body()?;
    let name = domain_name("Domain", &body.domain)?;
    let most = body.max_items.map(|most| most.to_string());
    let wanted = page(body.marker.as_deref(), most.as_deref())?;
    let resource: &DistributionResourceId = &body.domain_control_validation_resource;
    let target = Party::named(control, "DomainControlValidationResource", resource).await?;
    target.must_cover(control, &name).await?;
    let found =
        names::overlapping(control, &name, &wanted.marker, wanted.most + 1, |_| true).await?;
    let page = wanted.page(found, |held| held.name.clone());
    let kind = |held: &Held| {
        if names::is_tenant(&held.by) {
            DistributionResourceType::DistributionTenant
        } else {
            DistributionResourceType::Distribution
        }
    };
    let one = |held: Held| DomainConflict {
        resource_type: kind(&held),
        domain: held.name,
        resource_id: held.by,
        account_id: control.account.clone(),
    };
    let items = page.items.unwrap_or_default().into_iter();
    let shown = ListDomainConflictsResult {
        domain_conflicts: Some(items.map(one).collect()),
        next_marker: page.next,
    };
    Reply::shape(call, &shown)
}
