//! Operations on users.

use super::{
    Ask,
    answer::Answer,
    form::invalid,
    user::{self, USERS, User, check_name, check_path, place},
};
use crate::{
    api::tags,
    control::Control,
    ids,
    store::{self, Change, Kept, Otherwise, key},
    wire::fault::{Common, Fault},
};
use model::api::{ErrorCode, Tag};
use planning::Quota;
use ports::metastore::Check;

/// `CreateUser`.
pub async fn create(ask: &Ask<'_>) -> Result<Answer, Fault> {
    ask.form.only(&["UserName", "Path", "Tags"])?;
    let name = ask.form.required("UserName")?;
    check_name(name, 64)?;
    let path = ask.form.get("Path").unwrap_or("/");
    check_path(path)?;
    let user = User {
        name: name.to_owned(),
        path: path.to_owned(),
        id: ids::user(),
        created: ask.control.now(),
        tags: checked_tags(ask)?,
        keys: Vec::new(),
        policies: std::collections::BTreeMap::new(),
    };
    let most = ask.control.quotas.most(Quota::Users);
    store::settle(|| async {
        let mut change = Change::default();
        let message = format!("a user with name {name} already exists");
        let taken = Fault::new(ErrorCode::EntityAlreadyExists, message);
        change.when_or(Check::Absent(place(name)), taken).put(place(name), &user)?;
        let room = (USERS, key::census(USERS));
        if !ask.control.take_room(&mut change, room, most).await? {
            let message = format!("the account has {most} users already, which is its quota");
            return Err(Fault::common(Common::LimitExceeded, message).into());
        }
        change.commit(ask.control.store()).await
    })
    .await?;
    Ok(shown(ask.control, &user, true))
}

fn checked_tags(ask: &Ask<'_>) -> Result<std::collections::BTreeMap<String, String>, Fault> {
    let given = ask.form.pairs("Tags");
    let as_tags = |(key, value)| Tag { key, value: Some(value) };
    let merged = tags::merged(ask.control, Vec::new(), given.into_iter().map(as_tags).collect())
        .map_err(|fault| invalid(fault.message))?;
    Ok(merged.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())).collect())
}

/// `GetUser`: the caller itself when no name is given.
pub async fn get(ask: &Ask<'_>) -> Result<Answer, Fault> {
    ask.form.only(&["UserName"])?;
    let name = match (ask.form.get("UserName"), ask.caller.user()) {
        (Some(name), _) => name.to_owned(),
        (None, Some(person)) => person.user().name.clone(),
        (None, None) => return Ok(shown_root(ask)),
    };
    let kept = user::find(ask.control, &name).await?;
    Ok(shown(ask.control, &kept.value, true))
}

/// `ListUsers`.
pub async fn list(ask: &Ask<'_>) -> Result<Answer, Fault> {
    ask.form.only(&["PathPrefix", "Marker", "MaxItems"])?;
    let prefix = ask.form.get("PathPrefix").unwrap_or("/");
    let paging = ask.form.paging()?;
    let mut after = (!paging.marker.is_empty()).then(|| place(&paging.marker));
    let mut found: Vec<User> = Vec::new();
    while found.len() <= paging.most {
        let page: Vec<Kept<User>> =
            store::list(ask.control.store(), USERS, after.as_deref(), 200).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        let users = page.into_iter().map(|kept| kept.value);
        found.extend(users.filter(|user| user.path.starts_with(prefix)));
    }
    let more = found.len() > paging.most;
    found.truncate(paging.most);
    let next = found.last().filter(|_| more).map(|user| user.name.to_ascii_lowercase());
    let mut answer = Answer::with_result();
    answer
        .list("Users", &found, |member, user| write(member, ask.control, user, false))
        .paged(next.as_deref());
    Ok(answer)
}

/// `DeleteUser`: one that has neither keys nor policies.
pub async fn delete(ask: &Ask<'_>) -> Result<Answer, Fault> {
    ask.form.only(&["UserName"])?;
    let name = ask.form.required("UserName")?;
    store::settle(|| async {
        let kept = user::find(ask.control, name).await?;
        for (left, what) in [
            (kept.value.keys.is_empty(), "access keys: delete them first (list-access-keys)"),
            (kept.value.policies.is_empty(), "policies: delete them first (list-user-policies)"),
        ] {
            if !left {
                let message = format!("the user {name} still has {what}");
                return Err(Fault::common(Common::DeleteConflict, message).into());
            }
        }
        let mut change = Change::default();
        change.when(kept.unchanged(), Otherwise::Again).delete(kept.key.clone());
        change.commit(ask.control.store()).await
    })
    .await?;
    ask.control.people.forget(name);
    Ok(Answer::empty())
}

fn shown(control: &Control, user: &User, whole: bool) -> Answer {
    let mut answer = Answer::with_result();
    answer.inside("User", |element| write(element, control, user, whole));
    answer
}

/// The account itself, as `GetUser` shows it to its own keys.
fn shown_root(ask: &Ask<'_>) -> Answer {
    let mut answer = Answer::with_result();
    let created = ids::iso(model::units::Timestamp(0));
    answer.inside("User", |element| {
        element
            .text("Path", "/")
            .text("UserName", "root")
            .text("UserId", &ask.control.account)
            .text("Arn", &ask.caller.arn())
            .text("CreateDate", &created);
    });
    answer
}

fn write(element: &mut Answer, control: &Control, user: &User, whole: bool) {
    element
        .text("Path", &user.path)
        .text("UserName", &user.name)
        .text("UserId", &user.id)
        .text("Arn", &user.arn(&control.account))
        .text("CreateDate", &ids::iso(user.created));
    if whole && !user.tags.is_empty() {
        element.list("Tags", &user.tags, |member, (key, value)| {
            member.text("Key", key).text("Value", value);
        });
    }
}
