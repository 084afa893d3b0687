//! VPC origins: servers in private networks.
//!
//! Source: CloudFront API reference, `VpcOriginEndpointConfig`; developer guide, "Restrict access
//! with VPC origins".

use crate::Faults;
use model::api::{
    ErrorCode, OriginSslProtocols, SslProtocol, SslProtocolsList, VpcIpAddressType,
    VpcOriginEndpointConfig,
};

/// Fills in what has a default, so that every answer is whole.
pub fn fill(config: &mut VpcOriginEndpointConfig) {
    config.ip_address_type.get_or_insert(VpcIpAddressType::Ipv4);
    config.origin_ssl_protocols.get_or_insert_with(|| OriginSslProtocols {
        quantity: 1,
        items: SslProtocolsList(vec![SslProtocol::TLSv12]),
    });
}

/// Whether this may be kept.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(config: &VpcOriginEndpointConfig) -> Result<(), Faults> {
    let mut faults = Faults::default();
    let code = ErrorCode::InvalidArgument;
    let fine = (1..=64).contains(&config.name.chars().count())
        && !config.name.chars().any(char::is_control);
    faults.require(fine, "Name", code, "a name has 1 to 64 characters");
    let message = "must be the ARN of a load balancer or of an instance";
    faults.require(is_endpoint(&config.arn), "Arn", code, message);
    for (path, port) in [("HTTPPort", config.http_port), ("HTTPSPort", config.https_port)] {
        let fine = matches!(port, 80 | 443 | 1024..=65_535);
        faults.require(fine, path, code, "a port is 80, 443 or 1024 to 65535");
    }
    if let Some(protocols) = &config.origin_ssl_protocols {
        faults.counted("OriginSslProtocols", protocols.quantity, protocols.items.len());
        faults.require(
            protocols.items.contains(&SslProtocol::TLSv12),
            "OriginSslProtocols",
            code,
            "must hold TLSv1.2: nothing older is spoken",
        );
    }
    faults.into_result()
}

/// `arn:PARTITION:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/…` or `arn:…:ec2:…:instance/…`.
fn is_endpoint(arn: &str) -> bool {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let [scheme, partition, service, region, account, resource] = parts.as_slice() else {
        return false;
    };
    let kind = match *service {
        "elasticloadbalancing" => "loadbalancer/",
        "ec2" => "instance/",
        _ => return false,
    };
    *scheme == "arn"
        && partition.starts_with("aws")
        && !region.is_empty()
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && resource.strip_prefix(kind).is_some_and(|name| !name.is_empty())
        && arn.len() <= 1024
        && arn.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_load_balancer_or_an_instance() {
        let fine = [
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/a/50dc6c495c0c9188",
            "arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc",
            "arn:aws-cn:ec2:cn-north-1:123456789012:instance/i-0abc",
        ];
        let wrong = [
            "",
            "arn:aws:s3:::bucket",
            "arn:aws:ec2:eu-west-1:123456789012:instance/",
            "arn:aws:ec2:eu-west-1:12345678901x:instance/i-0abc",
            "arn:aws:ec2::123456789012:instance/i-0abc",
            "arn:aws:ec2:eu-west-1:123456789012:volume/v",
            "urn:aws:ec2:eu-west-1:123456789012:instance/i-0abc",
        ];
        assert!(fine.iter().all(|arn| is_endpoint(arn)));
        assert_eq!(wrong.iter().find(|arn| is_endpoint(arn)), None);
    }
}
