//! Origin access controls: how requests to an origin are signed.
//!
//! Source: CloudFront API reference, `OriginAccessControlConfig`.

use super::check_label;
use crate::Faults;
use model::api::{
    ErrorCode, OriginAccessControlConfig, OriginAccessControlOriginTypes as Kind,
    OriginAccessControlSigningBehaviors as Signing,
};

/// Whether this control may be kept.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(config: &OriginAccessControlConfig) -> Result<(), Faults> {
    let mut faults = Faults::default();
    let name = &config.name;
    if (1..=64).contains(&name.len()) && !name.chars().any(char::is_control) {
        let long = config.description.as_ref().is_some_and(|text| text.chars().count() > 256);
        faults.require(
            !long,
            "Description",
            ErrorCode::InvalidArgument,
            "longer than 256 characters",
        );
    } else {
        check_label(&mut faults, "", None);
    }
    faults.require(
        config.signing_behavior != Signing::AlwaysAmzAuth,
        "SigningBehavior",
        ErrorCode::InvalidArgument,
        "always-amz-auth is not served here: use always or never",
    );
    faults.into_result()
}

/// Whether requests to an S3 origin with this control are signed, or why they cannot be.
///
/// # Errors
/// What stands in the way, in words for the user.
pub fn signs(config: &OriginAccessControlConfig) -> Result<bool, String> {
    if config.origin_access_control_origin_type != Kind::S3 {
        let kind = config.origin_access_control_origin_type.as_str();
        return Err(format!(
            "an origin access control of type {kind} cannot sign for an S3 origin"
        ));
    }
    if config.signing_protocol.as_str() != "sigv4" {
        return Err("origins are signed for with sigv4 only".to_owned());
    }
    match config.signing_behavior {
        Signing::Always => Ok(true),
        Signing::Never => Ok(false),
        Signing::NoOverride | Signing::AlwaysAmzAuth => {
            Err(format!("SigningBehavior {} is not served yet", config.signing_behavior.as_str()))
        }
    }
}
