//! Bodies that botocore 1.44.5 writes, one for each operation that takes XML, every member of every
//! shape filled in: each is read into its shape and written again to the same bytes.

use super::{read, xml};
use model::api::{Body, OPERATIONS, Operation, OperationName, *};
use serde::{Serialize, de::DeserializeOwned};
use std::path::PathBuf;

fn golden(operation: &Operation) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    PathBuf::from(folder).join(format!("{}.xml", operation.name.as_str()))
}

fn round_trip<T: Serialize + DeserializeOwned>(name: OperationName) {
    let operation = OPERATIONS.iter().find(|one| one.name == name).unwrap();
    let Body::Xml(root) = operation.request else { panic!("{name:?} takes no XML") };
    let body = std::fs::read_to_string(golden(operation)).unwrap();
    let shape: T = read::read(root, body.as_bytes()).unwrap();
    let written = xml::write(root, &shape).unwrap();
    assert_eq!(written.split_once('\n').unwrap().1, body, "{name:?}");
    let pretty = body.replace("><", ">\n    <");
    let again: T = read::read(root, pretty.as_bytes()).unwrap();
    assert_eq!(xml::write(root, &again).unwrap(), written, "{name:?}");
}

/// Runs the round trip for every operation, each with its request shape.
macro_rules! round_trips {
    ($($operation:ident: $shape:ty),+ $(,)?) => {
        /// The operations that are tried.
        const TRIED: &[OperationName] = &[$(OperationName::$operation),+];

        #[test]
        fn what_botocore_writes_is_read_and_written_alike() {
            $(round_trip::<$shape>(OperationName::$operation);)+
        }
    };
}

round_trips! {
    AssociateDistributionTenantWebACL: AssociateDistributionTenantWebACLRequest,
    AssociateDistributionWebACL: AssociateDistributionWebACLRequest,
    CopyDistribution: CopyDistributionRequest,
    CreateAnycastIpList: CreateAnycastIpListRequest,
    CreateCachePolicy: CachePolicyConfig,
    CreateCloudFrontOriginAccessIdentity: CloudFrontOriginAccessIdentityConfig,
    CreateConnectionFunction: CreateConnectionFunctionRequest,
    CreateConnectionGroup: CreateConnectionGroupRequest,
    CreateContinuousDeploymentPolicy: ContinuousDeploymentPolicyConfig,
    CreateDistribution: DistributionConfig,
    CreateDistributionTenant: CreateDistributionTenantRequest,
    CreateDistributionWithTags: DistributionConfigWithTags,
    CreateFieldLevelEncryptionConfig: FieldLevelEncryptionConfig,
    CreateFieldLevelEncryptionProfile: FieldLevelEncryptionProfileConfig,
    CreateFunction: CreateFunctionRequest,
    CreateInvalidation: InvalidationBatch,
    CreateInvalidationForDistributionTenant: InvalidationBatch,
    CreateKeyGroup: KeyGroupConfig,
    CreateKeyValueStore: CreateKeyValueStoreRequest,
    CreateMonitoringSubscription: MonitoringSubscription,
    CreateOriginAccessControl: OriginAccessControlConfig,
    CreateOriginRequestPolicy: OriginRequestPolicyConfig,
    CreatePublicKey: PublicKeyConfig,
    CreateRealtimeLogConfig: CreateRealtimeLogConfigRequest,
    CreateResponseHeadersPolicy: ResponseHeadersPolicyConfig,
    CreateStreamingDistribution: StreamingDistributionConfig,
    CreateStreamingDistributionWithTags: StreamingDistributionConfigWithTags,
    CreateTrustStore: CreateTrustStoreRequest,
    CreateVpcOrigin: CreateVpcOriginRequest,
    DeleteRealtimeLogConfig: DeleteRealtimeLogConfigRequest,
    DeleteResourcePolicy: DeleteResourcePolicyRequest,
    GetRealtimeLogConfig: GetRealtimeLogConfigRequest,
    GetResourcePolicy: GetResourcePolicyRequest,
    ListConnectionFunctions: ListConnectionFunctionsRequest,
    ListConnectionGroups: ListConnectionGroupsRequest,
    ListDistributionTenants: ListDistributionTenantsRequest,
    ListDistributionTenantsByCustomization: ListDistributionTenantsByCustomizationRequest,
    ListDistributionsByRealtimeLogConfig: ListDistributionsByRealtimeLogConfigRequest,
    ListDomainConflicts: ListDomainConflictsRequest,
    ListTrustStores: ListTrustStoresRequest,
    PutResourcePolicy: PutResourcePolicyRequest,
    TagResource: Tags,
    TestConnectionFunction: TestConnectionFunctionRequest,
    TestFunction: TestFunctionRequest,
    UntagResource: TagKeys,
    UpdateAnycastIpList: UpdateAnycastIpListRequest,
    UpdateCachePolicy: CachePolicyConfig,
    UpdateCloudFrontOriginAccessIdentity: CloudFrontOriginAccessIdentityConfig,
    UpdateConnectionFunction: UpdateConnectionFunctionRequest,
    UpdateConnectionGroup: UpdateConnectionGroupRequest,
    UpdateContinuousDeploymentPolicy: ContinuousDeploymentPolicyConfig,
    UpdateDistribution: DistributionConfig,
    UpdateDistributionTenant: UpdateDistributionTenantRequest,
    UpdateDomainAssociation: UpdateDomainAssociationRequest,
    UpdateFieldLevelEncryptionConfig: FieldLevelEncryptionConfig,
    UpdateFieldLevelEncryptionProfile: FieldLevelEncryptionProfileConfig,
    UpdateFunction: UpdateFunctionRequest,
    UpdateKeyGroup: KeyGroupConfig,
    UpdateKeyValueStore: UpdateKeyValueStoreRequest,
    UpdateOriginAccessControl: OriginAccessControlConfig,
    UpdateOriginRequestPolicy: OriginRequestPolicyConfig,
    UpdatePublicKey: PublicKeyConfig,
    UpdateRealtimeLogConfig: UpdateRealtimeLogConfigRequest,
    UpdateResponseHeadersPolicy: ResponseHeadersPolicyConfig,
    UpdateStreamingDistribution: StreamingDistributionConfig,
    UpdateTrustStore: CaCertificatesBundleSource,
    UpdateVpcOrigin: VpcOriginEndpointConfig,
    VerifyDnsConfiguration: VerifyDnsConfigurationRequest,
}

#[test]
fn no_operation_is_left_out() {
    for operation in &OPERATIONS {
        let takes_xml = matches!(operation.request, Body::Xml(_));
        assert_eq!(TRIED.contains(&operation.name), takes_xml, "{:?}", operation.name);
    }
}
