//! Distribution tenants: sites that share the configuration of a multi-tenant distribution, each with
//! names, parameters, a certificate and countries of its own.
//!
//! Source: CloudFront API reference, `DistributionTenant`; developer guide, "Understand how
//! multi-tenant distributions work".

mod shapes;

use super::{
    connection_groups,
    invalidations::{self, Whose},
    tags,
};
use crate::{
    control::Control,
    ids, names,
    publish::tenants::{self, KIND, Tenant},
    sigv4::Authorised,
    store::{self, Change, Kept, Otherwise, key},
    wire::{
        call::Call,
        etag,
        fault::Fault,
        reply::{Answer, Reply},
    },
};
use model::api::{
    CreateDistributionTenantRequest, CustomizationActionType, Customizations, DomainList,
    ErrorCode, ManagedCertificateRequest, OperationName as Name, UpdateDistributionTenantRequest,
};
use planning::Quota;
use ports::metastore::Check;
use std::collections::BTreeSet;

/// Longest domain: 253 of RFC 1035 §2.3.4 as text, and a wildcard's `*.`.
const MOST_DOMAIN: usize = 255;

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    let whose = |name| call.param(name).map(Whose::Tenant);
    Some(match call.operation.name {
        Name::CreateDistributionTenant => create(control, call).await,
        Name::GetDistributionTenant => shapes::get(control, call).await,
        Name::GetDistributionTenantByDomain => shapes::by_domain(control, call).await,
        Name::ListDistributionTenants => shapes::list(control, call).await,
        Name::ListDistributionTenantsByCustomization => {
            shapes::list_by_customization(control, call).await
        }
        Name::UpdateDistributionTenant => update(control, call).await,
        Name::DeleteDistributionTenant => delete(control, call).await,
        Name::GetManagedCertificateDetails => managed_certificate(control, call).await,
        Name::CreateInvalidationForDistributionTenant => match whose("Id") {
            Ok(whose) => invalidations::create_for(control, call, whose).await,
            Err(fault) => Err(fault),
        },
        Name::GetInvalidationForDistributionTenant => match whose("DistributionTenantId") {
            Ok(whose) => invalidations::get_for(control, call, whose).await,
            Err(fault) => Err(fault),
        },
        Name::ListInvalidationsForDistributionTenant => match whose("Id") {
            Ok(whose) => invalidations::list_for(control, call, whose).await,
            Err(fault) => Err(fault),
        },
        _ => return None,
    })
}

/// There is none.
pub fn missing() -> Fault {
    let message = "the distribution tenant does not exist: list them to see which do";
    Fault::new(ErrorCode::EntityNotFound, message)
}

/// The tenant of this id.
///
/// # Errors
/// `EntityNotFound`.
pub async fn find(control: &Control, id: &str) -> Result<Kept<Tenant>, Fault> {
    let known = if ids::is_plain(id) {
        store::get(control.store(), &tenants::place(id)).await?
    } else {
        None
    };
    known.ok_or_else(missing)
}

/// The tenant of this id, name or ARN.
///
/// # Errors
/// `EntityNotFound`.
pub async fn identified(control: &Control, text: &str) -> Result<Kept<Tenant>, Fault> {
    let text = text.strip_prefix(&control.arn(KIND, "")).unwrap_or(text);
    match find(control, text).await {
        Err(fault) if fault.status() == 404 => {}
        found => return found,
    }
    let known: Option<Kept<String>> = store::get(control.store(), &key::name(KIND, text)).await?;
    find(control, &known.ok_or_else(missing)?.value).await
}

/// The tenant that has this domain.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn by_domain(control: &Control, domain: &str) -> Result<Option<Kept<Tenant>>, Fault> {
    let name = domain.trim_end_matches('.').to_ascii_lowercase();
    if name.len() > MOST_DOMAIN {
        return Ok(None);
    }
    let Some(holder) = names::holder(control, &name).await? else { return Ok(None) };
    match find(control, &holder.value).await {
        Err(fault) if fault.status() == 404 => Ok(None),
        found => found.map(Some),
    }
}

async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    let body: CreateDistributionTenantRequest = call.body()?;
    check_name(&body.name)?;
    refuse_managed(body.managed_certificate_request.as_ref())?;
    let customizations = checked(body.customizations)?;
    let domains = domains(&body.domains)?;
    let group = match body.connection_group_id.filter(|id| !id.is_empty()) {
        Some(id) => id,
        None => connection_groups::default_group(control).await?,
    };
    let now = control.now();
    let new = Tenant {
        id: ids::prefixed("dt"),
        name: body.name,
        distribution: body.distribution_id,
        domains,
        inactive: BTreeSet::new(),
        customizations,
        parameters: body.parameters.map(|list| list.0).unwrap_or_default(),
        group,
        enabled: body.enabled.unwrap_or(true),
        etag: ids::entity(),
        created: now,
        modified: now,
    };
    store::settle(|| async {
        let mut change = Change::default();
        room(control, &mut change).await?;
        reserve(&mut change, &new)?;
        tenants::tenant(control, &mut change, &new, None).await?;
        tenants::take_names(control, &mut change, &new, None).await?;
        tags::attach(control, &mut change, KIND, &new.id, body.tags.as_ref())?;
        change.commit(control.store()).await
    })
    .await?;
    shapes::answer(control, call, &find(control, &new.id).await?).await
}

/// Its id and its name are its own from now on.
fn reserve(change: &mut Change, new: &Tenant) -> Result<(), Fault> {
    let message = format!("another distribution tenant has the name {} already", new.name);
    let taken = Fault::new(ErrorCode::EntityAlreadyExists, message);
    let place = key::name(KIND, &new.name);
    change
        .when(Check::Absent(tenants::place(&new.id)), Otherwise::Again)
        .when_or(Check::Absent(place.clone()), taken)
        .put(place, &new.id)?;
    Ok(())
}

async fn room(control: &Control, change: &mut Change) -> Result<(), Fault> {
    let most = control.quotas.most(Quota::DistributionTenants);
    let made = format!("name/{KIND}/");
    if control.take_room(change, (&made, key::census(&made)), most).await? {
        return Ok(());
    }
    let message =
        format!("the account has {most} distribution tenants already, which is its quota");
    Err(Fault::new(ErrorCode::EntityLimitExceeded, message))
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(ErrorCode::InvalidArgument, message)
}

/// API reference, `CreateDistributionTenant`, `Name`.
fn check_name(name: &str) -> Result<(), Fault> {
    let outer = |c: char| c.is_ascii_alphanumeric();
    let fine = (3..=128).contains(&name.len())
        && name.starts_with(outer)
        && name.ends_with(outer)
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    let message =
        "Name: 3 to 128 of letters, digits, - and ., the first and the last a letter or digit";
    if fine { Ok(()) } else { Err(invalid(message)) }
}

fn domains(list: &DomainList) -> Result<Vec<String>, Fault> {
    if list.is_empty() {
        return Err(invalid("Domains: at least one domain is needed"));
    }
    Ok(list.iter().map(|item| item.domain.to_ascii_lowercase()).collect())
}

/// Certificates that the service obtains by itself.
fn refuse_managed(request: Option<&ManagedCertificateRequest>) -> Result<(), Fault> {
    if request.is_none() {
        return Ok(());
    }
    Err(invalid(
        "ManagedCertificateRequest: certificates are not obtained for tenants yet, so this is refused \
         rather than ignored: request or import one with aws acm, and name it in \
         Customizations.Certificate",
    ))
}

/// Customizations without what says nothing.
fn checked(given: Option<Customizations>) -> Result<Option<Customizations>, Fault> {
    let Some(mut given) = given else { return Ok(None) };
    let acl = given.web_acl.as_ref();
    if acl.is_some_and(|acl| acl.action == CustomizationActionType::Override) {
        return Err(invalid(
            "Customizations.WebAcl: web ACLs are not served yet, so this is refused rather than \
             ignored: leave it out",
        ));
    }
    if acl.is_some_and(|acl| acl.arn.as_ref().is_some_and(|arn| !arn.is_empty())) {
        return Err(invalid("Customizations.WebAcl.Arn: goes with the action override only"));
    }
    given.certificate = given.certificate.filter(|certificate| !certificate.arn.is_empty());
    Ok(Some(given).filter(|given| *given != Customizations::default()))
}

/// What is left out stays as it is.
async fn update(control: &Control, call: &Authorised<Call>) -> Answer {
    let body: UpdateDistributionTenantRequest = call.body_or_default()?;
    refuse_managed(body.managed_certificate_request.as_ref())?;
    let customizations = body.customizations.clone().map(|own| checked(Some(own))).transpose()?;
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let domains = body.domains.as_ref().map(domains).transpose()?;
    let id = call.param("Id")?;
    store::settle(|| async {
        let kept = find(control, id).await?;
        etag::check(call.if_match.as_deref(), &kept.value.etag)?;
        let old = &kept.value;
        let new = Tenant {
            distribution: given(&body.distribution_id).unwrap_or(old.distribution.clone()),
            domains: domains.clone().unwrap_or(old.domains.clone()),
            customizations: customizations.clone().unwrap_or(old.customizations.clone()),
            parameters: body.parameters.clone().map_or(old.parameters.clone(), |list| list.0),
            group: given(&body.connection_group_id).unwrap_or(old.group.clone()),
            enabled: body.enabled.unwrap_or(old.enabled),
            etag: ids::entity(),
            modified: control.now(),
            ..old.clone()
        };
        let mut change = Change::default();
        change.when(kept.unchanged(), Otherwise::Again);
        tenants::tenant(control, &mut change, &new, Some(old)).await?;
        tenants::take_names(control, &mut change, &new, Some(old)).await?;
        change.commit(control.store()).await
    })
    .await?;
    shapes::answer(control, call, &find(control, id).await?).await
}

async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let id = call.param("Id")?;
    store::settle(|| async {
        let kept = find(control, id).await?;
        etag::check(call.if_match.as_deref(), &kept.value.etag)?;
        if kept.value.enabled {
            let message = "the distribution tenant is enabled: update it with Enabled false first";
            return Err(Fault::new(ErrorCode::ResourceNotDisabled, message).into());
        }
        let mut change = Change::default();
        change.when(kept.unchanged(), Otherwise::Again);
        tenants::erase(&mut change, &kept.value);
        change.commit(control.store()).await
    })
    .await?;
    invalidations::forget(control, id).await;
    Ok(Reply::empty(call))
}

async fn managed_certificate(control: &Control, call: &Authorised<Call>) -> Answer {
    identified(control, call.param("Identifier")?).await?;
    let message = "the distribution tenant has no managed certificate";
    Err(Fault::new(ErrorCode::EntityNotFound, message))
}
