//! Which action on which resource each of IAM's operations needs.
//!
//! Source: service authorization reference, "AWS Identity and Access Management".

use super::{Form, certificates, known_action, unknown, user};
use crate::{
    access::{Caller, Need, Needs},
    control::Control,
    sigv4::Service,
    wire::fault::Fault,
};

/// What a call needs; nothing for `GetCallerIdentity`, which everybody may ask.
///
/// # Errors
/// `InvalidAction` for operations that are not offered; `ServiceUnavailable`.
pub async fn of(
    control: &Control,
    caller: &Caller,
    service: Service,
    form: &Form,
) -> Result<Needs, Fault> {
    let action = known_action(form.action()?)
        .ok_or_else(|| unknown(form.get("Action").unwrap_or_default()))?;
    if service == Service::Sts {
        return Ok(Needs::default());
    }
    let resource = match action {
        "ListUsers" | "ListServerCertificates" => "*".to_owned(),
        "SimulatePrincipalPolicy" => form.get("PolicySourceArn").unwrap_or("*").to_owned(),
        "GetServerCertificate" | "DeleteServerCertificate" => {
            let name = form.get("ServerCertificateName").unwrap_or("*");
            let otherwise =
                || format!("arn:aws:iam::{}:server-certificate/{name}", control.account);
            certificates::arn_of(control, name).await?.unwrap_or_else(otherwise)
        }
        "UploadServerCertificate" => {
            let path = form.get("Path").unwrap_or("/");
            let name = form.get("ServerCertificateName").unwrap_or("*");
            format!("arn:aws:iam::{}:server-certificate{path}{name}", control.account)
        }
        "CreateUser" => {
            let path = form.get("Path").unwrap_or("/");
            format!(
                "arn:aws:iam::{}:user{path}{}",
                control.account,
                form.get("UserName").unwrap_or("*")
            )
        }
        _ => of_user(control, caller, form.get("UserName")).await?,
    };
    let mut needs = Needs::one(format!("iam:{action}"), resource.clone());
    needs.tags = form.pairs("Tags");
    let tagging = match action {
        "CreateUser" => Some("iam:TagUser"),
        "UploadServerCertificate" => Some("iam:TagServerCertificate"),
        _ => None,
    };
    let tagging = tagging.filter(|_| !needs.tags.is_empty());
    needs.all.extend(tagging.map(|action| Need::new(action, resource)));
    Ok(needs)
}

/// The ARN of the user that is named, with its path; of the caller when none is.
async fn of_user(control: &Control, caller: &Caller, name: Option<&str>) -> Result<String, Fault> {
    let Some(name) = name else { return Ok(caller.arn()) };
    match user::find(control, name).await {
        Ok(kept) => Ok(kept.value.arn(&control.account)),
        Err(fault) if fault.status() < 500 => {
            Ok(format!("arn:aws:iam::{}:user/{name}", control.account))
        }
        Err(fault) => Err(fault),
    }
}
