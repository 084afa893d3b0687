//! The table itself.

use super::{Refusal, Row, Standing, When};
use model::api::ErrorCode;

const fn honoured(member: &'static str, shown_by: &'static str) -> Row {
    Row { member, standing: Standing::Honoured(shown_by), refusal: None }
}

/// `Quantity` counts `Items`, and has no other meaning.
const fn counted(member: &'static str) -> Row {
    honoured(member, "every_quantity_must_count_its_items")
}

const fn kept(member: &'static str, meaning: &'static str) -> Row {
    Row { member, standing: Standing::Kept(meaning), refusal: None }
}

const fn refused(member: &'static str, when: When, why: &'static str) -> Row {
    let code = ErrorCode::UnsupportedOperation;
    let refusal = Some(Refusal { when, code, kind: None, why });
    Row { member, standing: Standing::Refused, refusal }
}

impl Row {
    /// Some of its values are refused.
    const fn but(self, when: When, why: &'static str) -> Self {
        let code = ErrorCode::UnsupportedOperation;
        Self { refusal: Some(Refusal { when, code, kind: None, why }), ..self }
    }

    /// Refused with another error.
    const fn with(self, code: ErrorCode) -> Self {
        match self.refusal {
            Some(refusal) => Self { refusal: Some(Refusal { code, ..refusal }), ..self },
            None => self,
        }
    }

    /// It names a resource of this kind; the error is for those that do not exist.
    const fn naming(self, kind: &'static str, unknown: ErrorCode) -> Self {
        match self.refusal {
            Some(refusal) => {
                let refusal = Refusal { code: unknown, kind: Some(kind), ..refusal };
                Self { refusal: Some(refusal), ..self }
            }
            None => self,
        }
    }
}

const SITE: &str = "test_a_whole_site_comes_through_and_stays";
const TOLD: &str = "origins_are_told_who_asks_and_what_they_need";
const SCHEME: &str = "the_scheme_follows_the_policy_and_the_port_follows_the_scheme";
const PAGE: &str = "the_users_own_page_takes_the_place_of_an_error";
const BLOCKED: &str = "a_disabled_distribution_and_a_blocked_country_are_refused";
const OLDER: &str = "a_certificate_in_the_older_form_is_not_kept_and_ignored";
const FORWARDED: &str = "forwarded_values_say_what_is_keyed_and_what_is_forwarded";
const COOKIES: &str = "cookies_are_kept_from_origins_and_viewers_unless_they_are_forwarded";
const TTLS: &str = "the_expiration_table";
const OPTIONS: &str = "options_are_kept_where_the_behaviour_says_so_and_apart_from_get";
const TENANT: &str = "test_a_tenant_is_served_by_the_edge_with_its_own_parameters";
const REQUIRED: &str = "a_tenant_gives_what_is_required_and_nothing_that_is_not_defined";
const NO_LOGS: &str = "nothing is logged while `Logging.Enabled` is false";
const SHIELD: &str = "means nothing while `OriginShield.Enabled` is false";

/// All members but those of behaviours.
pub(super) const DISTRIBUTION: &[Row] = &[
    honoured(
        "CallerReference",
        "a_caller_reference_makes_one_distribution_even_when_many_ask_at_once",
    ),
    counted("Aliases.Quantity"),
    honoured(
        "Aliases.Items[]",
        "names_of_one_distribution_share_copies_and_queries_are_told_apart",
    ),
    honoured("DefaultRootObject", "the_root_object_goes_with_an_invalidation_of_the_root"),
    counted("Origins.Quantity"),
    honoured("Origins.Items[].Id", SITE),
    honoured("Origins.Items[].DomainName", SITE),
    honoured("Origins.Items[].OriginPath", TOLD),
    counted("Origins.Items[].CustomHeaders.Quantity"),
    honoured("Origins.Items[].CustomHeaders.Items[].HeaderName", TOLD),
    honoured("Origins.Items[].CustomHeaders.Items[].HeaderValue", TOLD),
    honoured(
        "Origins.Items[].S3OriginConfig.OriginAccessIdentity",
        "test_an_identity_reads_a_private_bucket",
    ),
    honoured(
        "Origins.Items[].S3OriginConfig.OriginReadTimeout",
        "timeouts_and_attempts_are_those_of_the_plan",
    ),
    honoured("Origins.Items[].CustomOriginConfig.HTTPPort", SCHEME),
    honoured("Origins.Items[].CustomOriginConfig.HTTPSPort", SCHEME),
    honoured("Origins.Items[].CustomOriginConfig.OriginProtocolPolicy", SCHEME),
    counted("Origins.Items[].CustomOriginConfig.OriginSslProtocols.Quantity"),
    kept(
        "Origins.Items[].CustomOriginConfig.OriginSslProtocols.Items[]",
        "must hold `TLSv1.2`; older ones are never spoken",
    ),
    honoured(
        "Origins.Items[].CustomOriginConfig.OriginReadTimeout",
        "a_head_that_trickles_is_late_all_the_same",
    ),
    honoured(
        "Origins.Items[].CustomOriginConfig.OriginKeepaliveTimeout",
        "an_idle_connection_is_kept_as_long_as_its_own_origin_says",
    ),
    kept(
        "Origins.Items[].CustomOriginConfig.IpAddressType",
        "`ipv4` and `dualstack`: all addresses of the name",
    )
    .but(When::Words(&["ipv6"]), "origins are not restricted to IPv6 yet: use dualstack"),
    refused(
        "Origins.Items[].CustomOriginConfig.OriginMtlsConfig",
        When::Given,
        "client certificates towards origins are not served yet",
    ),
    refused(
        "Origins.Items[].VpcOriginConfig.VpcOriginId",
        When::Given,
        "VPC origins are not served yet: name the server in a custom origin",
    )
    .naming("vpcorigin", ErrorCode::EntityNotFound),
    refused(
        "Origins.Items[].VpcOriginConfig",
        When::Given,
        "VPC origins are not served yet: name the server in a custom origin",
    ),
    honoured(
        "Origins.Items[].ConnectionAttempts",
        "a_get_without_answer_is_tried_as_often_as_the_plan_says",
    ),
    honoured("Origins.Items[].ConnectionTimeout", "a_server_that_never_shakes_hands_is_late"),
    honoured(
        "Origins.Items[].ResponseCompletionTimeout",
        "the_completion_timeout_ends_attempts_and_bodies",
    ),
    refused("Origins.Items[].OriginShield.Enabled", When::True, "Origin Shield is not served yet"),
    kept("Origins.Items[].OriginShield.OriginShieldRegion", SHIELD),
    honoured("Origins.Items[].OriginAccessControlId", "a_plan_that_does_not_sign_asks_anonymously"),
    refused("OriginGroups", When::Listed, "origin groups are not served yet"),
    counted("CacheBehaviors.Quantity"),
    honoured("CacheBehaviors.Items[].PathPattern", "test_what_is_written_goes_to_the_origin"),
    counted("CustomErrorResponses.Quantity"),
    honoured("CustomErrorResponses.Items[].ErrorCode", PAGE),
    honoured("CustomErrorResponses.Items[].ResponsePagePath", PAGE),
    honoured("CustomErrorResponses.Items[].ResponseCode", PAGE),
    honoured("CustomErrorResponses.Items[].ErrorCachingMinTTL", "a_404_is_kept_for_its_time"),
    kept("Comment", "for people"),
    refused("Logging.Enabled", When::True, "standard logs are not written yet"),
    kept("Logging.IncludeCookies", NO_LOGS),
    kept("Logging.Bucket", NO_LOGS),
    kept("Logging.Prefix", NO_LOGS),
    kept("PriceClass", "there is one price: every live edge serves every distribution"),
    honoured("Enabled", BLOCKED),
    honoured(
        "ViewerCertificate.CloudFrontDefaultCertificate",
        "http_2_is_spoken_over_tls_with_the_certificate_of_the_name",
    ),
    refused(
        "ViewerCertificate.IAMCertificateId",
        When::Given,
        "server certificates of IAM are not served yet: import it with aws acm import-certificate",
    ),
    honoured(
        "ViewerCertificate.ACMCertificateArn",
        "a_certificate_that_is_imported_later_is_served_at_once",
    ),
    honoured(
        "ViewerCertificate.SSLSupportMethod",
        "what_a_distribution_allows_in_tls_is_what_its_viewers_get",
    )
    .but(
        When::Checked("`vip`, `static-ip` with a certificate of your own"),
        "certificates are chosen by SNI only: use sni-only",
    ),
    honoured(
        "ViewerCertificate.MinimumProtocolVersion",
        "what_a_distribution_allows_in_tls_is_what_its_viewers_get",
    ),
    honoured("ViewerCertificate.Certificate", OLDER),
    honoured("ViewerCertificate.CertificateSource", OLDER),
    honoured("Restrictions.GeoRestriction.RestrictionType", BLOCKED),
    counted("Restrictions.GeoRestriction.Quantity"),
    honoured("Restrictions.GeoRestriction.Items[]", BLOCKED),
    refused("WebACLId", When::Given, "web ACLs are not served yet: leave it empty")
        .with(ErrorCode::InvalidWebACLId),
    honoured("HttpVersion", "the_http_version_says_what_is_spoken_beside_http_1"),
    honoured("IsIPV6Enabled", "ipv6_is_answered_only_where_the_distribution_has_it"),
    honoured("ContinuousDeploymentPolicyId", "test_what_is_attached_is_guarded"),
    honoured("Staging", "test_a_staging_distribution_has_no_viewers_by_itself"),
    refused("AnycastIpListId", When::Given, "Anycast addresses are not served yet")
        .naming("anycast-ip-list", ErrorCode::EntityNotFound),
    honoured("TenantConfig.ParameterDefinitions[].Name", TENANT),
    kept("TenantConfig.ParameterDefinitions[].Definition.StringSchema.Comment", "for people"),
    honoured("TenantConfig.ParameterDefinitions[].Definition.StringSchema.DefaultValue", TENANT),
    honoured("TenantConfig.ParameterDefinitions[].Definition.StringSchema.Required", REQUIRED),
    honoured("ConnectionMode", TENANT),
    refused(
        "ViewerMtlsConfig.TrustStoreConfig.TrustStoreId",
        When::Given,
        "client certificates of viewers are not asked for yet",
    )
    .naming("trust-store", ErrorCode::EntityNotFound),
    refused(
        "ViewerMtlsConfig",
        When::Given,
        "client certificates of viewers are not asked for yet",
    ),
    refused(
        "ConnectionFunctionAssociation.Id",
        When::Given,
        "connection functions are not run yet",
    )
    .naming("connection-function", ErrorCode::EntityNotFound),
    refused("CacheTagConfig", When::Given, "cache tags are not read yet"),
];

/// The members of the default behaviour and of all others.
pub(super) const BEHAVIOUR: &[Row] = &[
    honoured("TargetOriginId", SITE),
    refused(
        "TrustedSigners.Items[]",
        When::Given,
        "signed URLs are not served yet, so no account is a signer",
    )
    .with(ErrorCode::TrustedSignerDoesNotExist),
    refused("TrustedSigners.Enabled", When::True, "signed URLs are not served yet")
        .with(ErrorCode::TrustedSignerDoesNotExist),
    counted("TrustedSigners.Quantity"),
    refused("TrustedKeyGroups.Items[]", When::Given, "signed URLs are not served yet")
        .naming("key-group", ErrorCode::TrustedKeyGroupDoesNotExist),
    refused("TrustedKeyGroups.Enabled", When::True, "signed URLs are not served yet"),
    counted("TrustedKeyGroups.Quantity"),
    honoured("ViewerProtocolPolicy", "plain_http_is_sent_to_https"),
    counted("AllowedMethods.Quantity"),
    honoured("AllowedMethods.Items[]", "requests_that_are_refused_say_why"),
    counted("AllowedMethods.CachedMethods.Quantity"),
    honoured("AllowedMethods.CachedMethods.Items[]", OPTIONS),
    refused("SmoothStreaming", When::True, "Smooth Streaming is not served yet"),
    honoured("Compress", "what_is_compressed_on_a_miss_is_held_so_and_has_a_length_on_a_hit"),
    refused("LambdaFunctionAssociations", When::Listed, "functions are not run yet")
        .with(ErrorCode::InvalidLambdaFunctionAssociation),
    refused("FunctionAssociations.Items[].FunctionARN", When::Given, "functions are not run yet")
        .naming("function", ErrorCode::InvalidFunctionAssociation),
    refused("FunctionAssociations.Items[].EventType", When::Given, "functions are not run yet"),
    counted("FunctionAssociations.Quantity"),
    refused("FieldLevelEncryptionId", When::Given, "fields are not encrypted yet")
        .naming("field-level-encryption-config", ErrorCode::NoSuchFieldLevelEncryptionConfig),
    refused("RealtimeLogConfigArn", When::Given, "real-time logs are not written yet")
        .naming("realtime-log-config", ErrorCode::NoSuchRealtimeLogConfig),
    honoured("CachePolicyId", "the_second_request_is_a_hit_until_the_lifetime_is_over"),
    honoured(
        "OriginRequestPolicyId",
        "where_cookies_reach_the_origin_conditions_are_not_answered_here",
    ),
    honoured(
        "ResponseHeadersPolicyId",
        "every_reply_says_where_it_comes_from_and_obeys_the_policy",
    ),
    honoured(
        "GrpcConfig.Enabled",
        "a_grpc_call_reaches_the_origin_with_all_that_it_needs_and_its_trailers_come_back",
    ),
    honoured("ForwardedValues.QueryString", FORWARDED),
    honoured("ForwardedValues.Cookies.Forward", COOKIES),
    counted("ForwardedValues.Cookies.WhitelistedNames.Quantity"),
    honoured("ForwardedValues.Cookies.WhitelistedNames.Items[]", COOKIES),
    counted("ForwardedValues.Headers.Quantity"),
    honoured("ForwardedValues.Headers.Items[]", FORWARDED),
    counted("ForwardedValues.QueryStringCacheKeys.Quantity"),
    honoured("ForwardedValues.QueryStringCacheKeys.Items[]", FORWARDED),
    honoured("MinTTL", TTLS),
    honoured("DefaultTTL", TTLS),
    honoured("MaxTTL", TTLS),
];
