//! Users, access keys and policies, in the form that IAM's and STS's clients speak.
//!
//! For: making and taking away what `access` decides by. A user is one record with its policies and
//! the ids of its keys, so that each change is atomic.
//! Not for: what policies mean (`rules/iam`).
//!
//! Source: IAM API reference, 2010-05-08; STS API reference, 2011-06-15.

mod answer;
mod certificates;
mod form;
mod keys;
mod needs;
mod policies;
mod simulation;
mod user;
mod users;

pub use form::Form;
pub use needs::of as needs;
pub use user::{User, of_arn, place};

use crate::{
    access::Caller,
    control::Control,
    sigv4::{Authorised, Service},
    wire::{
        asked::Written,
        fault::{Common, Fault},
    },
};
use answer::Answer;

/// What an operation works with.
pub struct Ask<'a> {
    /// The management API.
    pub control: &'a Control,
    /// Who asks.
    pub caller: &'a Caller,
    /// With which parameters.
    pub form: &'a Form,
}

/// Does what the form asks. `id` is the request's own.
///
/// # Errors
/// Those of the operation.
pub async fn serve(
    control: &Control,
    caller: &Caller,
    call: Authorised<(Service, Form)>,
    id: &str,
) -> Result<Written, Fault> {
    let (service, form) = &*call;
    let ask = Ask { control, caller, form };
    let action = form.action()?;
    let done = match service {
        Service::Sts => sts(&ask, action)?,
        _ => iam(&ask, action).await?,
    };
    Ok(done.written(*service, action, id))
}

async fn iam(ask: &Ask<'_>, action: &str) -> Result<Answer, Fault> {
    match action {
        "CreateUser" => users::create(ask).await,
        "GetUser" => users::get(ask).await,
        "ListUsers" => users::list(ask).await,
        "DeleteUser" => users::delete(ask).await,
        "CreateAccessKey" => keys::create(ask).await,
        "ListAccessKeys" => keys::list(ask).await,
        "UpdateAccessKey" => keys::update(ask).await,
        "DeleteAccessKey" => keys::delete(ask).await,
        "PutUserPolicy" => policies::put(ask).await,
        "GetUserPolicy" => policies::get(ask).await,
        "ListUserPolicies" => policies::list(ask).await,
        "DeleteUserPolicy" => policies::delete(ask).await,
        "SimulatePrincipalPolicy" => simulation::run(ask).await,
        "UploadServerCertificate" => certificates::upload(ask).await,
        "GetServerCertificate" => certificates::get(ask).await,
        "ListServerCertificates" => certificates::list(ask).await,
        "DeleteServerCertificate" => certificates::delete(ask).await,
        other => Err(unknown(other)),
    }
}

fn sts(ask: &Ask<'_>, action: &str) -> Result<Answer, Fault> {
    if action != "GetCallerIdentity" {
        return Err(unknown(action));
    }
    ask.form.only(&[])?;
    let mut answer = Answer::with_result();
    answer
        .text("Arn", &ask.caller.arn())
        .text("UserId", ask.caller.id())
        .text("Account", &ask.control.account);
    Ok(answer)
}

/// Names of operations that are known, for the record; nothing that a caller makes up.
pub fn known_action(action: &str) -> Option<&str> {
    const ALL: &[&str] = &[
        "CreateUser",
        "GetUser",
        "ListUsers",
        "DeleteUser",
        "CreateAccessKey",
        "ListAccessKeys",
        "UpdateAccessKey",
        "DeleteAccessKey",
        "PutUserPolicy",
        "GetUserPolicy",
        "ListUserPolicies",
        "DeleteUserPolicy",
        "SimulatePrincipalPolicy",
        "UploadServerCertificate",
        "GetServerCertificate",
        "ListServerCertificates",
        "DeleteServerCertificate",
        "GetCallerIdentity",
    ];
    ALL.contains(&action).then_some(action)
}

fn unknown(action: &str) -> Fault {
    let known = action.bytes().all(|b| b.is_ascii_alphanumeric()) && action.len() <= 64;
    let action = if known { action } else { "that operation" };
    Fault::common(Common::InvalidAction, format!("this server does not offer {action}"))
}
