//! Policies that stand at a resource and say who of the account may do what with it.
//!
//! For: keeping them, and saying to whoever decides (`access`) what they say to a user.
//! Not for: other accounts: there are none, so a policy that names one is refused.
//!
//! Source: CloudFront API reference, `PutResourcePolicy`; IAM user guide, "Identity-based policies
//! and resource-based policies".

use super::{look_ups, resource::record_key};
use crate::{
    control::Control,
    iam::{self, User},
    ids,
    sigv4::Authorised,
    store::{self, Change, Kept, Otherwise, key},
    wire::{
        call::Call,
        fault::Fault,
        reply::{Answer, Reply},
    },
};
use ::iam::{Policy, Principal, ResourcePolicy};
use model::api::{
    DeleteResourcePolicyRequest, ErrorCode, GetResourcePolicyRequest, GetResourcePolicyResult,
    OperationName as Name, PutResourcePolicyRequest, PutResourcePolicyResult,
};
use ports::metastore::Check;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// As it is kept: `resource-policy/KIND-ID`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    /// As its user wrote it.
    document: String,
    /// Whom it names: ids of users by their ARNs. A later user of the same name has another id, and
    /// shall not find himself allowed.
    users: BTreeMap<String, String>,
}

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::PutResourcePolicy => put(control, call).await,
        Name::GetResourcePolicy => get(control, call).await,
        Name::DeleteResourcePolicy => delete(control, call).await,
        _ => return None,
    })
}

async fn put(control: &Control, call: &Authorised<Call>) -> Answer {
    let body: PutResourcePolicyRequest = call.body()?;
    let (kind, id) = look_ups::shared(control, &body.resource_arn).await?;
    let users = named(control, &body.policy_document).await?;
    let record = Record { document: body.policy_document.clone(), users };
    store::settle(|| async {
        let mut change = Change::default();
        let there = Check::Present(record_key(kind, id));
        change
            .when_or(there, look_ups::no_such_resource())
            .put(key::resource_policy(kind, id), &record)?;
        change.commit(control.store()).await
    })
    .await?;
    let resource_arn = Some(body.resource_arn.clone());
    Reply::shape(call, &PutResourcePolicyResult { resource_arn })
}

async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    let body: GetResourcePolicyRequest = call.body()?;
    let kept = kept(control, &body.resource_arn).await?;
    let shown = GetResourcePolicyResult {
        resource_arn: Some(body.resource_arn),
        policy_document: Some(kept.value.document),
    };
    Reply::shape(call, &shown)
}

async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let body: DeleteResourcePolicyRequest = call.body()?;
    store::settle(|| async {
        let kept = kept(control, &body.resource_arn).await?;
        let mut change = Change::default();
        change.when(kept.unchanged(), Otherwise::Again).delete(kept.key);
        change.commit(control.store()).await
    })
    .await?;
    Ok(Reply::empty(call))
}

async fn kept(control: &Control, arn: &str) -> Result<Kept<Record>, Fault> {
    let (kind, id) = look_ups::shared(control, arn).await?;
    let place = key::resource_policy(kind, id);
    store::get(control.store(), &place).await?.ok_or_else(|| {
        Fault::new(ErrorCode::EntityNotFound, "the resource has no policy: put one first")
    })
}

/// The users that a document names; it must be one, and name nobody but this account and users that
/// there are.
async fn named(control: &Control, document: &str) -> Result<BTreeMap<String, String>, Fault> {
    let wrong =
        |why: String| Fault::new(ErrorCode::InvalidArgument, format!("PolicyDocument: {why}"));
    let policy = ResourcePolicy::read(document).map_err(|faults| wrong(faults.to_string()))?;
    let mut users = BTreeMap::new();
    for principal in policy.principals() {
        match principal {
            Principal::Account(account) | Principal::User { account, .. }
                if *account != control.account =>
            {
                let message = format!("Principal: there is no account {account} here");
                return Err(wrong(message));
            }
            Principal::User { arn, .. } => {
                let user = iam::of_arn(control, arn).await?;
                let missing = || wrong(format!("Principal: there is no user {arn}"));
                users.insert(arn.clone(), user.ok_or_else(missing)?.id);
            }
            _ => {}
        }
    }
    Ok(users)
}

/// What the policy of a resource says to a user of the account; none when it has no policy.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn to_user(control: &Control, arn: &str, user: &User) -> Result<Option<Policy>, Fault> {
    let found = look_ups::SHARED.into_iter().find_map(|kind| {
        let id = arn.strip_prefix(&control.arn(kind, ""))?;
        ids::is_plain(id).then(|| key::resource_policy(kind, id))
    });
    let Some(place) = found else { return Ok(None) };
    let Some(kept) = store::get::<Record>(control.store(), &place).await? else {
        return Ok(None);
    };
    let Record { document, users } = kept.value;
    let policy = ResourcePolicy::read(&document)
        .map_err(|why| Fault::internal(format!("the policy of {arn}: {why}")))?;
    let mut name = user.arn(&control.account);
    if users.get(&name) != Some(&user.id) {
        name.clone_from(&user.id); // as in IAM: the policy means somebody who is gone
    }
    Ok(Some(policy.to_user(&control.account, &name)))
}
