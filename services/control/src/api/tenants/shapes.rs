//! Distribution tenants as they are shown.

use super::{identified, missing};
use crate::{
    acm,
    api::{connection_groups, resource::record_key, tags},
    control::Control,
    ids,
    publish::{
        self,
        tenants::{self, KIND, Tenant},
    },
    sigv4::Authorised,
    status::Progress,
    store::{self, Kept},
    wire::{
        call::Call,
        fault::Fault,
        page::Wanted,
        reply::{Answer, Reply},
    },
};
use model::api::{
    DistributionTenant, DistributionTenantAssociationFilter, DistributionTenantList,
    DistributionTenantSummary, DomainResult, DomainResultList, DomainStatus, ErrorCode,
    ListDistributionTenantsByCustomizationRequest, ListDistributionTenantsByCustomizationResult,
    ListDistributionTenantsRequest, ListDistributionTenantsResult, Tags,
};

/// `GetDistributionTenant`.
pub(super) async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    answer(control, call, &identified(control, call.param("Identifier")?).await?).await
}

/// `GetDistributionTenantByDomain`.
pub(super) async fn by_domain(control: &Control, call: &Authorised<Call>) -> Answer {
    let domain = call.required("domain")?;
    let found = super::by_domain(control, domain).await?.ok_or_else(|| {
        let shown: String = domain.chars().take(300).collect();
        Fault::new(ErrorCode::EntityNotFound, format!("no tenant has the domain {shown}"))
    })?;
    answer(control, call, &found).await
}

/// `ListDistributionTenants`, ordered by id.
pub(super) async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let body: ListDistributionTenantsRequest = call.body_or_default()?;
    let most = body.max_items.map(|most| most.to_string());
    let wanted = Wanted::of(body.marker.as_deref(), most.as_deref())?;
    let found = if let Some((kind, id)) = filter(control, body.association_filter).await? {
        users(control, kind, &id, &wanted).await?
    } else {
        let after = record_key(KIND, &wanted.marker);
        let after = (!wanted.marker.is_empty()).then_some(after.as_str());
        store::list(control.store(), &record_key(KIND, ""), after, wanted.most + 1).await?
    };
    let (next_marker, list) = page(control, &wanted, found).await?;
    let shown = ListDistributionTenantsResult { next_marker, distribution_tenant_list: Some(list) };
    Reply::shape(call, &shown)
}

/// What all tenants of a list use, if it says so.
async fn filter(
    control: &Control,
    filter: Option<DistributionTenantAssociationFilter>,
) -> Result<Option<(&'static str, String)>, Fault> {
    let Some(filter) = filter else { return Ok(None) };
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    match (given(filter.distribution_id), given(filter.connection_group_id)) {
        (None, None) => Ok(None),
        (Some(id), None) => {
            let found = publish::find(control, &id).await;
            let none = |_| {
                let message = format!("there is no distribution {id}");
                Fault::new(ErrorCode::EntityNotFound, message)
            };
            found.map_err(none)?;
            Ok(Some(("distribution", id)))
        }
        (None, Some(id)) => {
            connection_groups::of_id(control, &id).await?;
            Ok(Some((connection_groups::KIND, id)))
        }
        (Some(_), Some(_)) => {
            let message = "AssociationFilter: DistributionId or ConnectionGroupId, not both";
            Err(Fault::new(ErrorCode::InvalidArgument, message))
        }
    }
}

/// `ListDistributionTenantsByCustomization`, ordered by id.
pub(super) async fn list_by_customization(control: &Control, call: &Authorised<Call>) -> Answer {
    let body: ListDistributionTenantsByCustomizationRequest = call.body_or_default()?;
    let most = body.max_items.map(|most| most.to_string());
    let wanted = Wanted::of(body.marker.as_deref(), most.as_deref())?;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let found = match (given(body.web_acl_arn), given(body.certificate_arn)) {
        // No tenant can have one: there are none.
        (Some(_), None) => Vec::new(),
        (None, Some(arn)) => {
            let Some(certificate) = acm::find(control, &arn).await? else {
                let message = format!("CertificateArn: there is no certificate {arn}");
                return Err(Fault::new(ErrorCode::EntityNotFound, message));
            };
            let id = acm::id_of(&certificate.value.arn).unwrap_or_default().to_owned();
            users(control, acm::KIND, &id, &wanted).await?
        }
        _ => {
            let message = "exactly one of WebACLArn and CertificateArn is needed";
            return Err(Fault::new(ErrorCode::InvalidArgument, message));
        }
    };
    let (next_marker, list) = page(control, &wanted, found).await?;
    let shown = ListDistributionTenantsByCustomizationResult {
        next_marker,
        distribution_tenant_list: Some(list),
    };
    Reply::shape(call, &shown)
}

/// The tenants that use something, as many as a page wants and one more.
async fn users(
    control: &Control,
    kind: &str,
    id: &str,
    wanted: &Wanted,
) -> Result<Vec<Kept<Tenant>>, Fault> {
    let mut found = Vec::new();
    for id in tenants::of(control, kind, id, &wanted.marker, wanted.most + 1).await? {
        // One that has gone since is left out.
        found.extend(store::get(control.store(), &tenants::place(&id)).await?);
    }
    Ok(found)
}

async fn page(
    control: &Control,
    wanted: &Wanted,
    found: Vec<Kept<Tenant>>,
) -> Result<(Option<String>, DistributionTenantList), Fault> {
    let page = wanted.page(found, |kept| kept.value.id.clone());
    let progress = Progress::of(&*control.world.registry).await?;
    let items = page.items.unwrap_or_default().into_iter();
    Ok((page.next, items.map(|kept| summary(control, kept, progress)).collect()))
}

fn results(tenant: &Tenant) -> DomainResultList {
    let status = |name: &String| {
        if tenant.inactive.contains(name) { DomainStatus::Inactive } else { DomainStatus::Active }
    };
    let one = |name: &String| DomainResult { domain: name.clone(), status: Some(status(name)) };
    tenant.domains.iter().map(one).collect()
}

fn summary(control: &Control, kept: Kept<Tenant>, progress: Progress) -> DistributionTenantSummary {
    let tenant = kept.value;
    DistributionTenantSummary {
        arn: control.arn(KIND, &tenant.id),
        domains: results(&tenant),
        id: tenant.id,
        distribution_id: tenant.distribution,
        name: tenant.name,
        connection_group_id: Some(tenant.group),
        customizations: tenant.customizations,
        created_time: ids::iso(tenant.created),
        last_modified_time: ids::iso(tenant.modified),
        e_tag: tenant.etag,
        enabled: Some(tenant.enabled),
        status: Some(progress.of_distribution(kept.revision).to_owned()),
    }
}

/// A tenant as a whole.
pub(super) async fn answer(control: &Control, call: &Call, kept: &Kept<Tenant>) -> Answer {
    let progress = Progress::of(&*control.world.registry).await?;
    let tenant = &kept.value;
    let arn = control.arn(KIND, &tenant.id);
    let tags = tags::of(control, &arn).await.map_err(|fault| match fault.status() {
        404 => missing(),
        _ => fault,
    })?;
    let shown = DistributionTenant {
        id: Some(tenant.id.clone()),
        distribution_id: Some(tenant.distribution.clone()),
        name: Some(tenant.name.clone()),
        arn: Some(arn),
        domains: Some(results(tenant)),
        tags: Some(Tags { items: Some(tags.into_iter().collect()) }),
        customizations: tenant.customizations.clone(),
        parameters: Some(tenant.parameters.clone().into()),
        connection_group_id: Some(tenant.group.clone()),
        created_time: Some(ids::iso(tenant.created)),
        last_modified_time: Some(ids::iso(tenant.modified)),
        enabled: Some(tenant.enabled),
        status: Some(progress.of_distribution(kept.revision).to_owned()),
    };
    Ok(Reply::shape(call, &shown)?.tagged(&tenant.etag))
}
