//! Firewalls of distributions and tenants. There is none yet, so none can be attached, and there is
//! nothing to take away.

use super::tenants;
use crate::{
    control::Control,
    publish,
    sigv4::Authorised,
    wire::{
        call::Call,
        etag,
        fault::Fault,
        reply::{Answer, Reply},
    },
};
use model::api::{
    AssociateDistributionTenantWebACLRequest, AssociateDistributionWebACLRequest,
    DisassociateDistributionTenantWebACLResult, DisassociateDistributionWebACLResult, ErrorCode,
    OperationName as Name,
};

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::AssociateDistributionWebACL => associate(control, call).await,
        Name::AssociateDistributionTenantWebACL => associate_tenant(control, call).await,
        Name::DisassociateDistributionWebACL => disassociate(control, call).await,
        Name::DisassociateDistributionTenantWebACL => disassociate_tenant(control, call).await,
        _ => return None,
    })
}

/// The entity tag of a distribution, which the caller's `If-Match` must be where there is one.
async fn distribution(control: &Control, call: &Call) -> Result<String, Fault> {
    let found = publish::find(control, call.param("Id")?).await.map_err(|fault| {
        if fault.status() != 404 {
            return fault;
        }
        Fault::new(ErrorCode::EntityNotFound, "the specified distribution does not exist")
    })?;
    matches(call, found.value.etag)
}

/// The same for a tenant.
async fn tenant(control: &Control, call: &Call) -> Result<String, Fault> {
    matches(call, tenants::find(control, call.param("Id")?).await?.value.etag)
}

fn matches(call: &Call, tag: String) -> Result<String, Fault> {
    if call.if_match.is_some() {
        etag::check(call.if_match.as_deref(), &tag)?;
    }
    Ok(tag)
}

async fn associate(control: &Control, call: &Authorised<Call>) -> Answer {
    let body: AssociateDistributionWebACLRequest = call.body()?;
    distribution(control, call).await?;
    Err(refused("WebACLId", &body.web_acl_arn))
}

async fn associate_tenant(control: &Control, call: &Authorised<Call>) -> Answer {
    let body: AssociateDistributionTenantWebACLRequest = call.body()?;
    tenant(control, call).await?;
    Err(refused("Customizations.WebAcl", &body.web_acl_arn))
}

fn refused(setting: &str, arn: &str) -> Fault {
    let shown: String = arn.chars().take(200).collect();
    let message = format!(
        "{setting}: web ACLs are not served yet, so {shown:?} is refused rather than ignored; nothing \
         was changed"
    );
    Fault::new(ErrorCode::InvalidArgument, message)
}

async fn disassociate(control: &Control, call: &Authorised<Call>) -> Answer {
    let tag = distribution(control, call).await?;
    let id = Some(call.param("Id")?.to_owned());
    let shown = DisassociateDistributionWebACLResult { id, e_tag: None };
    Ok(Reply::shape(call, &shown)?.tagged(&tag))
}

async fn disassociate_tenant(control: &Control, call: &Authorised<Call>) -> Answer {
    let tag = tenant(control, call).await?;
    let id = Some(call.param("Id")?.to_owned());
    let shown = DisassociateDistributionTenantWebACLResult { id, e_tag: None };
    Ok(Reply::shape(call, &shown)?.tagged(&tag))
}
