//! Whether a caller may do what was asked.
//!
//! For: which actions on which resources an operation needs (`operations` for CloudFront's own,
//! `about` for what a call names, `services` for the others), what is known about the request
//! (`context`), and the refusal that names who, what and on what. The account's own keys may do
//! everything.
//! Not for: what policies mean (`rules/iam`), nor for keeping users and policies (`iam`).
//!
//! Source: service authorization reference, "Actions, resources, and condition keys for Amazon
//! CloudFront" and its siblings.

mod about;
mod caller;
mod context;
mod operations;
mod services;

pub use caller::{Caller, People, Person};
pub use operations::{needs as of_operation, on as of_change};
pub use services::{of_acm, of_contents, of_history, of_version_call};

use crate::{
    acm,
    api::{resource_policies, tags},
    control::Control,
    history,
    sigv4::{Proof, Service},
    store::{self, key},
    wire::{
        asked::Asked,
        fault::{Common, Fault},
    },
};
use ::iam::{Context, Decision, Policy, decide};
use model::api::{ErrorCode, Tag};

/// Condition keys of the tags that the resource has begin with this.
const RESOURCE_TAGS: &str = "aws:resourcetag/";

/// One action on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// `cloudfront:GetDistribution`.
    pub action: String,
    /// An ARN, or `*` for actions that are about no single thing.
    pub resource: String,
}

impl Need {
    /// From its parts.
    pub fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into() }
    }
}

/// All that a request needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Each of them must be allowed.
    pub all: Vec<Need>,
    /// Tags that the request brings.
    pub tags: Vec<(String, String)>,
    /// Keys of tags that the request takes away.
    pub tag_keys: Vec<String>,
}

impl Needs {
    /// One action on one resource.
    pub fn one(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { all: vec![Need::new(action, resource)], ..Self::default() }
    }

    /// What it is about, for the record: every ARN once.
    pub fn resources(&self) -> Vec<String> {
        let mut arns: Vec<String> = self.all.iter().map(|need| need.resource.clone()).collect();
        arns.retain(|arn| arn != "*");
        arns.dedup();
        arns
    }
}

/// Whether a caller may do what it asks.
///
/// # Errors
/// `AccessDenied`, with who, what and on what; `ServiceUnavailable` when the store does not answer.
pub async fn permit(
    control: &Control,
    caller: &Caller,
    proof: &Proof,
    asked: &Asked,
    needs: &Needs,
) -> Result<(), Fault> {
    let Some(user) = caller.user() else { return Ok(()) };
    let about_tags = user.asks_for(RESOURCE_TAGS);
    for need in &needs.all {
        let mut context = context::of(control, caller, proof, asked, needs);
        let there = resource_policies::to_user(control, &need.resource, user.user()).await?;
        let mut keys = there.iter().flat_map(Policy::keys);
        if about_tags || keys.any(|key| key.starts_with(RESOURCE_TAGS)) {
            add_resource_tags(control, &mut context, need).await?;
        }
        let policies = user.policies().iter().chain(&there);
        let verdict = decide(policies, &need.action, &need.resource, &context);
        if verdict.decision != Decision::Allowed {
            return Err(denied(caller, proof.service(), need, verdict.decision));
        }
    }
    Ok(())
}

async fn add_resource_tags(
    control: &Control,
    context: &mut Context,
    need: &Need,
) -> Result<(), Fault> {
    for (key, value) in resource_tags(control, need).await? {
        context.add(&format!("{RESOURCE_TAGS}{key}"), value);
    }
    Ok(())
}

/// A resource that is not there, or of a kind without tags, has none. Versions outlive what was
/// deleted: they are as secret as it was.
async fn resource_tags(control: &Control, need: &Need) -> Result<Vec<(String, String)>, Fault> {
    let arn = &need.resource;
    let found: Vec<Tag> = match acm::id_of(arn).filter(|_| arn.starts_with("arn:aws:acm:")) {
        Some(id) => {
            let place = key::resource_tags(acm::KIND, id);
            let kept = store::get(control.store(), &place).await?;
            kept.map(|kept| kept.value).unwrap_or_default()
        }
        None => match tags::of(control, arn).await {
            Err(fault) if fault.status() < 500 && need.action.starts_with("nearfront:") => {
                return history::last_tags(control, arn).await;
            }
            Err(fault) if fault.status() < 500 => Vec::new(),
            found => found?,
        },
    };
    Ok(found.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())).collect())
}

/// The refusal, with the code that the service's own clients know.
fn denied(caller: &Caller, service: Service, need: &Need, why: Decision) -> Fault {
    let reason = match why {
        Decision::ExplicitDeny => "a policy denies it",
        Decision::Allowed | Decision::ImplicitDeny => "no policy allows it",
    };
    let message = format!(
        "User: {} is not authorized to perform: {} on resource: {} because {reason}",
        caller.arn(),
        need.action,
        need.resource
    );
    match service {
        Service::CloudFront | Service::Iam | Service::Sts => {
            Fault::new(ErrorCode::AccessDenied, message)
        }
        Service::Acm | Service::KeyValueStore | Service::CloudTrail => {
            Fault::common(Common::AccessDeniedException, message)
        }
    }
}
