//! Policies of users.

use super::{
    Ask,
    answer::Answer,
    user::{self, User, check_name},
};
use crate::{
    store::{self, Change, Otherwise},
    wire::fault::{Common, Fault},
};
use ::iam::Policy;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use planning::Quota;

/// Documents are shown as RFC 3986 encodes them.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `PutUserPolicy`: adds a policy, or replaces the one of this name.
pub async fn put(ask: &Ask<'_>) -> Result<Answer, Fault> {
    ask.form.only(&["UserName", "PolicyName", "PolicyDocument"])?;
    let (user, name) = names(ask)?;
    let document = ask.form.required("PolicyDocument")?;
    Policy::read(document)
        .map_err(|faults| Fault::common(Common::MalformedPolicyDocument, faults.to_string()))?;
    let most = ask.control.quotas.most(Quota::UserPolicies);
    change(ask, user, |kept| {
        kept.policies.insert(name.to_owned(), document.to_owned());
        if kept.policies.len() as u64 > most {
            let message = format!("the user has {most} policies already, which is its quota");
            return Err(Fault::common(Common::LimitExceeded, message));
        }
        Ok(())
    })
    .await
}

/// `GetUserPolicy`.
pub async fn get(ask: &Ask<'_>) -> Result<Answer, Fault> {
    ask.form.only(&["UserName", "PolicyName"])?;
    let (user, name) = names(ask)?;
    let kept = user::find(ask.control, user).await?.value;
    let document = kept.policies.get(name).ok_or_else(|| missing(name))?;
    let mut answer = Answer::with_result();
    answer
        .text("UserName", &kept.name)
        .text("PolicyName", name)
        .text("PolicyDocument", &utf8_percent_encode(document, RESERVED).to_string());
    Ok(answer)
}

/// `ListUserPolicies`.
pub async fn list(ask: &Ask<'_>) -> Result<Answer, Fault> {
    ask.form.only(&["UserName", "Marker", "MaxItems"])?;
    let paging = ask.form.paging()?;
    let kept = user::find(ask.control, ask.form.required("UserName")?).await?.value;
    let rest = kept.policies.keys().filter(|name| **name > paging.marker);
    let mut found: Vec<&str> = rest.map(String::as_str).take(paging.most + 1).collect();
    let more = found.len() > paging.most;
    found.truncate(paging.most);
    let next = found.last().filter(|_| more).copied();
    let mut answer = Answer::with_result();
    answer.texts("PolicyNames", found.iter().copied()).paged(next);
    Ok(answer)
}

/// `DeleteUserPolicy`.
pub async fn delete(ask: &Ask<'_>) -> Result<Answer, Fault> {
    ask.form.only(&["UserName", "PolicyName"])?;
    let (user, name) = names(ask)?;
    change(ask, user, |kept| kept.policies.remove(name).map(drop).ok_or_else(|| missing(name)))
        .await
}

fn names<'a>(ask: &'a Ask<'_>) -> Result<(&'a str, &'a str), Fault> {
    let name = ask.form.required("PolicyName")?;
    check_name(name, 128)?;
    Ok((ask.form.required("UserName")?, name))
}

fn missing(name: &str) -> Fault {
    Fault::common(Common::NoSuchEntity, format!("the user has no policy with name {name}"))
}

async fn change(
    ask: &Ask<'_>,
    name: &str,
    rule: impl Fn(&mut User) -> Result<(), Fault>,
) -> Result<Answer, Fault> {
    store::settle(|| async {
        let mut kept = user::find(ask.control, name).await?;
        rule(&mut kept.value)?;
        let mut change = Change::default();
        change.when(kept.unchanged(), Otherwise::Again).put(kept.key.clone(), &kept.value)?;
        change.commit(ask.control.store()).await
    })
    .await?;
    ask.control.people.forget(name);
    Ok(Answer::empty())
}
