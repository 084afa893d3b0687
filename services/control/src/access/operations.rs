//! What each of CloudFront's operations needs: the table.
//!
//! Source: service authorization reference, "Actions, resources, and condition keys for Amazon
//! CloudFront". Public keys, key groups and monitoring subscriptions are no resource types there:
//! whoever may use them may use all of them.

use super::{
    Need, Needs,
    about::{
        self, ACCESS_CONTROL, ANYCAST, CACHE, CONNECTION_FUNCTION, DEPLOYMENT, DISTRIBUTION,
        EDGE_FUNCTION, ENCRYPTION, GROUP, IDENTITY, In, ORIGIN_REQUEST, On, PROFILE,
        RESPONSE_HEADERS, STORE, STREAMING, TENANT, TRUST, VPC,
    },
};
use crate::{
    control::Control,
    wire::{call::Call, fault::Fault},
};
use model::api::{OperationName as Name, TagKeys, Tags};
use serde::Deserialize;

/// Operations whose action has their own name, by what the action is about.
static TABLE: &[(On, &[Name])] = &[
    (
        On::All,
        &[
            Name::CreateKeyGroup,
            Name::CreateMonitoringSubscription,
            Name::CreatePublicKey,
            Name::DeleteKeyGroup,
            Name::DeleteMonitoringSubscription,
            Name::DeletePublicKey,
            Name::GetKeyGroup,
            Name::GetKeyGroupConfig,
            Name::GetMonitoringSubscription,
            Name::GetPublicKey,
            Name::GetPublicKeyConfig,
            Name::ListAnycastIpLists,
            Name::ListCachePolicies,
            Name::ListCloudFrontOriginAccessIdentities,
            Name::ListConnectionFunctions,
            Name::ListConnectionGroups,
            Name::ListContinuousDeploymentPolicies,
            Name::ListDistributionTenants,
            Name::ListDistributionTenantsByCustomization,
            Name::ListDistributions,
            Name::ListDistributionsByAnycastIpListId,
            Name::ListDistributionsByCachePolicyId,
            Name::ListDistributionsByConnectionFunction,
            Name::ListDistributionsByConnectionMode,
            Name::ListDistributionsByKeyGroup,
            Name::ListDistributionsByOriginRequestPolicyId,
            Name::ListDistributionsByOwnedResource,
            Name::ListDistributionsByRealtimeLogConfig,
            Name::ListDistributionsByResponseHeadersPolicyId,
            Name::ListDistributionsByTrustStore,
            Name::ListDistributionsByVpcOriginId,
            Name::ListDistributionsByWebACLId,
            Name::ListFieldLevelEncryptionConfigs,
            Name::ListFieldLevelEncryptionProfiles,
            Name::ListFunctions,
            Name::ListKeyGroups,
            Name::ListKeyValueStores,
            Name::ListOriginAccessControls,
            Name::ListOriginRequestPolicies,
            Name::ListPublicKeys,
            Name::ListRealtimeLogConfigs,
            Name::ListResponseHeadersPolicies,
            Name::ListStreamingDistributions,
            Name::ListTrustStores,
            Name::ListVpcOrigins,
            Name::UpdateKeyGroup,
            Name::UpdatePublicKey,
        ],
    ),
    (On::Any(DISTRIBUTION), &[Name::CreateDistribution]),
    (
        On::Path(DISTRIBUTION, "Id"),
        &[
            Name::AssociateDistributionWebACL,
            Name::DeleteDistribution,
            Name::DisassociateDistributionWebACL,
            Name::GetDistribution,
            Name::GetDistributionConfig,
            Name::UpdateDistribution,
        ],
    ),
    (On::Path(DISTRIBUTION, "PrimaryDistributionId"), &[Name::CopyDistribution]),
    (On::Path(DISTRIBUTION, "TargetDistributionId"), &[Name::AssociateAlias]),
    (
        On::Path(DISTRIBUTION, "DistributionId"),
        &[Name::CreateInvalidation, Name::GetInvalidation, Name::ListInvalidations],
    ),
    (On::Query(DISTRIBUTION, "DistributionId"), &[Name::ListConflictingAliases]),
    (On::Any(STREAMING), &[Name::CreateStreamingDistribution]),
    (
        On::Path(STREAMING, "Id"),
        &[
            Name::DeleteStreamingDistribution,
            Name::GetStreamingDistribution,
            Name::GetStreamingDistributionConfig,
            Name::UpdateStreamingDistribution,
        ],
    ),
    (On::Any(TENANT), &[Name::CreateDistributionTenant]),
    (On::TenantOf("domain"), &[Name::GetDistributionTenantByDomain]),
    (
        On::Path(TENANT, "Id"),
        &[
            Name::AssociateDistributionTenantWebACL,
            Name::CreateInvalidationForDistributionTenant,
            Name::DeleteDistributionTenant,
            Name::DisassociateDistributionTenantWebACL,
            Name::ListInvalidationsForDistributionTenant,
            Name::UpdateDistributionTenant,
        ],
    ),
    (On::Path(TENANT, "DistributionTenantId"), &[Name::GetInvalidationForDistributionTenant]),
    (
        On::Known(TENANT, "Identifier"),
        &[Name::GetDistributionTenant, Name::GetManagedCertificateDetails],
    ),
    (On::Body(In::Tenant), &[Name::VerifyDnsConfiguration]),
    (On::Body(In::Target), &[Name::UpdateDomainAssociation]),
    (On::Body(In::Validation), &[Name::ListDomainConflicts]),
    (On::Any(GROUP), &[Name::CreateConnectionGroup]),
    (On::Endpoint("RoutingEndpoint"), &[Name::GetConnectionGroupByRoutingEndpoint]),
    (On::Known(GROUP, "Identifier"), &[Name::GetConnectionGroup]),
    (On::Path(GROUP, "Id"), &[Name::DeleteConnectionGroup, Name::UpdateConnectionGroup]),
    (On::Body(In::FunctionName), &[Name::CreateFunction]),
    (
        On::Path(EDGE_FUNCTION, "Name"),
        &[
            Name::DeleteFunction,
            Name::DescribeFunction,
            Name::GetFunction,
            Name::PublishFunction,
            Name::TestFunction,
            Name::UpdateFunction,
        ],
    ),
    (On::Any(CONNECTION_FUNCTION), &[Name::CreateConnectionFunction]),
    (
        On::Known(CONNECTION_FUNCTION, "Identifier"),
        &[Name::DescribeConnectionFunction, Name::GetConnectionFunction],
    ),
    (
        On::Path(CONNECTION_FUNCTION, "Id"),
        &[
            Name::DeleteConnectionFunction,
            Name::PublishConnectionFunction,
            Name::TestConnectionFunction,
            Name::UpdateConnectionFunction,
        ],
    ),
    (On::Any(STORE), &[Name::CreateKeyValueStore]),
    (
        On::Known(STORE, "Name"),
        &[Name::DeleteKeyValueStore, Name::DescribeKeyValueStore, Name::UpdateKeyValueStore],
    ),
    (On::Any(TRUST), &[Name::CreateTrustStore]),
    (On::Known(TRUST, "Identifier"), &[Name::GetTrustStore]),
    (On::Path(TRUST, "Id"), &[Name::DeleteTrustStore, Name::UpdateTrustStore]),
    (
        On::Body(In::RealtimeLog),
        &[
            Name::CreateRealtimeLogConfig,
            Name::DeleteRealtimeLogConfig,
            Name::GetRealtimeLogConfig,
            Name::UpdateRealtimeLogConfig,
        ],
    ),
    (
        On::Body(In::ResourceArn),
        &[Name::DeleteResourcePolicy, Name::GetResourcePolicy, Name::PutResourcePolicy],
    ),
    (On::Arn("Resource"), &[Name::ListTagsForResource, Name::TagResource, Name::UntagResource]),
    (On::Any(DEPLOYMENT), &[Name::CreateContinuousDeploymentPolicy]),
    (
        On::Path(DEPLOYMENT, "Id"),
        &[
            Name::DeleteContinuousDeploymentPolicy,
            Name::GetContinuousDeploymentPolicy,
            Name::GetContinuousDeploymentPolicyConfig,
            Name::UpdateContinuousDeploymentPolicy,
        ],
    ),
    (On::Any(ENCRYPTION), &[Name::CreateFieldLevelEncryptionConfig]),
    (
        On::Path(ENCRYPTION, "Id"),
        &[
            Name::DeleteFieldLevelEncryptionConfig,
            Name::GetFieldLevelEncryption,
            Name::GetFieldLevelEncryptionConfig,
            Name::UpdateFieldLevelEncryptionConfig,
        ],
    ),
    (On::Any(PROFILE), &[Name::CreateFieldLevelEncryptionProfile]),
    (
        On::Path(PROFILE, "Id"),
        &[
            Name::DeleteFieldLevelEncryptionProfile,
            Name::GetFieldLevelEncryptionProfile,
            Name::GetFieldLevelEncryptionProfileConfig,
            Name::UpdateFieldLevelEncryptionProfile,
        ],
    ),
    (On::Any(IDENTITY), &[Name::CreateCloudFrontOriginAccessIdentity]),
    (
        On::Path(IDENTITY, "Id"),
        &[
            Name::DeleteCloudFrontOriginAccessIdentity,
            Name::GetCloudFrontOriginAccessIdentity,
            Name::GetCloudFrontOriginAccessIdentityConfig,
            Name::UpdateCloudFrontOriginAccessIdentity,
        ],
    ),
    (On::Any(ACCESS_CONTROL), &[Name::CreateOriginAccessControl]),
    (
        On::Path(ACCESS_CONTROL, "Id"),
        &[
            Name::DeleteOriginAccessControl,
            Name::GetOriginAccessControl,
            Name::GetOriginAccessControlConfig,
            Name::UpdateOriginAccessControl,
        ],
    ),
    (On::Any(CACHE), &[Name::CreateCachePolicy]),
    (
        On::Path(CACHE, "Id"),
        &[
            Name::DeleteCachePolicy,
            Name::GetCachePolicy,
            Name::GetCachePolicyConfig,
            Name::UpdateCachePolicy,
        ],
    ),
    (On::Any(ORIGIN_REQUEST), &[Name::CreateOriginRequestPolicy]),
    (
        On::Path(ORIGIN_REQUEST, "Id"),
        &[
            Name::DeleteOriginRequestPolicy,
            Name::GetOriginRequestPolicy,
            Name::GetOriginRequestPolicyConfig,
            Name::UpdateOriginRequestPolicy,
        ],
    ),
    (On::Any(RESPONSE_HEADERS), &[Name::CreateResponseHeadersPolicy]),
    (
        On::Path(RESPONSE_HEADERS, "Id"),
        &[
            Name::DeleteResponseHeadersPolicy,
            Name::GetResponseHeadersPolicy,
            Name::GetResponseHeadersPolicyConfig,
            Name::UpdateResponseHeadersPolicy,
        ],
    ),
    (On::Any(ANYCAST), &[Name::CreateAnycastIpList]),
    (
        On::Path(ANYCAST, "Id"),
        &[Name::DeleteAnycastIpList, Name::GetAnycastIpList, Name::UpdateAnycastIpList],
    ),
    (On::Any(VPC), &[Name::CreateVpcOrigin]),
    (On::Path(VPC, "Id"), &[Name::DeleteVpcOrigin, Name::GetVpcOrigin, Name::UpdateVpcOrigin]),
];

/// Actions that operations need under other names than their own.
static OTHERS: &[(Name, Name, On)] = &[
    (Name::CreateDistributionWithTags, Name::CreateDistribution, On::Any(DISTRIBUTION)),
    (Name::CreateDistributionWithTags, Name::TagResource, On::Any(DISTRIBUTION)),
    (
        Name::CreateStreamingDistributionWithTags,
        Name::CreateStreamingDistribution,
        On::Any(STREAMING),
    ),
    (Name::CreateStreamingDistributionWithTags, Name::TagResource, On::Any(STREAMING)),
    (
        Name::AssociateAlias,
        Name::UpdateDistribution,
        On::Path(DISTRIBUTION, "TargetDistributionId"),
    ),
    (
        Name::CopyDistribution,
        Name::GetDistribution,
        On::Path(DISTRIBUTION, "PrimaryDistributionId"),
    ),
    (Name::CopyDistribution, Name::CreateDistribution, On::Any(DISTRIBUTION)),
    (
        Name::UpdateDistributionWithStagingConfig,
        Name::UpdateDistribution,
        On::Path(DISTRIBUTION, "Id"),
    ),
    (
        Name::UpdateDistributionWithStagingConfig,
        Name::GetDistribution,
        On::StagingOf("Id", "StagingDistributionId"),
    ),
];

/// Everything that a call needs. `with_tags`: with the tags that its body brings, as policies ask
/// for them; they are read as the handler reads them.
///
/// # Errors
/// An internal fault for an operation without a row; `ServiceUnavailable`.
pub async fn needs(control: &Control, call: &Call, with_tags: bool) -> Result<Needs, Fault> {
    let mut needs = Needs::default();
    for (action, on) in rows(call.operation.name) {
        for resource in about::resources(control, call, on).await? {
            needs.all.push(Need::new(format!("cloudfront:{}", action.as_str()), resource));
        }
    }
    if needs.all.is_empty() {
        let name = call.operation.name.as_str();
        return Err(Fault::internal(format!("no policy can allow {name}: it has no row")));
    }
    needs.all.extend(of_the_holder(control, call).await?);
    if with_tags {
        bring_tags(call, &mut needs);
    }
    Ok(needs)
}

/// The actions of an operation, each with what it is about.
fn rows(name: Name) -> Vec<(Name, On)> {
    let own = TABLE.iter().filter(|(_, names)| names.contains(&name)).map(|(on, _)| (name, *on));
    let others = OTHERS.iter().filter(|(one, ..)| *one == name);
    own.chain(others.map(|(_, action, on)| (*action, *on))).collect()
}

/// What an operation needs on a resource that is found in another way than from its call.
pub fn on(name: Name, arn: &str) -> Vec<Need> {
    let resource = |on| if on == On::All { "*" } else { arn };
    rows(name)
        .into_iter()
        .map(|(action, on)| Need::new(format!("cloudfront:{}", action.as_str()), resource(on)))
        .collect()
}

/// Whoever takes a name from somebody changes him as well.
async fn of_the_holder(control: &Control, call: &Call) -> Result<Vec<Need>, Fault> {
    let name = match call.operation.name {
        Name::AssociateAlias => call.query.get("Alias").map(str::to_owned),
        Name::UpdateDomainAssociation => about::body::<Moved>(call).and_then(|moved| moved.domain),
        _ => None,
    };
    let Some(name) = name else { return Ok(Vec::new()) };
    Ok(match about::holder(control, &name).await? {
        Some((DISTRIBUTION, arn)) => on(Name::UpdateDistribution, &arn),
        Some((STREAMING, arn)) => on(Name::UpdateStreamingDistribution, &arn),
        Some((_, arn)) => on(Name::UpdateDistributionTenant, &arn),
        None => Vec::new(),
    })
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Moved {
    domain: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Tagged {
    tags: Option<Tags>,
}

/// A resource that is made with tags is tagged as well.
fn bring_tags(call: &Call, needs: &mut Needs) {
    if call.operation.name == Name::UntagResource {
        let keys: Option<TagKeys> = about::body(call);
        needs.tag_keys = keys.and_then(|keys| keys.items).map(|keys| keys.0).unwrap_or_default();
        return;
    }
    let found = if call.operation.name == Name::TagResource {
        about::body(call)
    } else {
        about::body::<Tagged>(call).and_then(|tagged| tagged.tags)
    };
    let Some(Tags { items: Some(found) }) = found else { return };
    needs.tags = found.0.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())).collect();
    let tags = |need: &Need| need.action == "cloudfront:TagResource";
    if needs.tags.is_empty() || needs.all.iter().any(tags) {
        return;
    }
    if let Some(resource) = needs.all.first().map(|need| need.resource.clone()) {
        needs.all.push(Need::new("cloudfront:TagResource", resource));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::api::{Body, OPERATIONS};

    #[test]
    fn every_operation_of_the_model_has_its_row() {
        for operation in &OPERATIONS {
            let name = operation.name.as_str();
            let rows = rows(operation.name);
            assert!(!rows.is_empty(), "{name}");
            let own = TABLE.iter().filter(|(_, names)| names.contains(&operation.name)).count();
            assert!(own <= 1, "{name} stands twice");
            for (_, on) in rows {
                let (On::Path(_, parameter) | On::Known(_, parameter)) = on else { continue };
                let there = operation.path.contains(&format!("{{{parameter}}}"));
                assert!(there, "{name} has no path parameter {parameter}");
            }
        }
    }

    #[test]
    fn queries_and_bodies_that_are_asked_for_a_resource_have_it() {
        for operation in &OPERATIONS {
            for (_, on) in rows(operation.name) {
                match on {
                    On::Query(_, parameter) | On::Arn(parameter) => {
                        assert!(operation.query.contains(&parameter));
                    }
                    On::Body(_) => assert!(matches!(operation.request, Body::Xml(_))),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn what_is_made_with_tags_needs_to_be_tagged() {
        let needed: Vec<_> = rows(Name::CreateDistributionWithTags)
            .into_iter()
            .map(|(action, _)| action.as_str())
            .collect();
        assert_eq!(needed, ["CreateDistribution", "TagResource"]);
    }
}
