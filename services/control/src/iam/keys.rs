//! Access keys: of users, and of the account itself.
//!
//! The secret is shown when a key is made, and never again. The account always keeps one key that
//! works: without it nobody could make another.

use super::{
    Ask,
    answer::Answer,
    form::invalid,
    user::{self, User},
};
use crate::{
    control::Control,
    first, ids,
    sigv4::{AccessKeyRecord, Holder, PREFIX, is_key_id},
    store::{self, Change, Kept, Otherwise},
    wire::fault::{Common, Fault},
};
use model::feed::Secret;
use planning::Quota;
use ports::metastore::Check;
use serde::{Deserialize, Serialize};

/// The account's own keys, by id; there from the first time that they are changed.
const ROOT: &str = "iam-root";

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Root {
    keys: Vec<String>,
}

/// Whose keys they are, as it stood when it was read.
enum Ring {
    Root(Root, Check),
    User(Kept<User>),
}

impl Ring {
    /// Of the user that is named; of the caller when none is.
    async fn of(ask: &Ask<'_>) -> Result<Self, Fault> {
        let name = match (ask.form.get("UserName"), ask.caller.user()) {
            (Some(name), _) => name,
            (None, Some(person)) => &person.user().name,
            (None, None) => return Self::root(ask.control).await,
        };
        Ok(Self::User(user::find(ask.control, name).await?))
    }

    async fn root(control: &Control) -> Result<Self, Fault> {
        if let Some(kept) = store::get::<Root>(control.store(), ROOT).await? {
            let unchanged = kept.unchanged();
            return Ok(Self::Root(kept.value, unchanged));
        }
        let all = first::all_keys(control).await?.into_iter().filter(|kept| kept.value.root);
        let keys = all.filter_map(|kept| kept.key.strip_prefix(PREFIX).map(str::to_owned));
        Ok(Self::Root(Root { keys: keys.collect() }, Check::Absent(ROOT.to_owned())))
    }

    fn holder(&self) -> Holder {
        match self {
            Self::Root(..) => Holder::Root,
            Self::User(kept) => Holder::User(kept.value.name.to_ascii_lowercase()),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Root(..) => "root",
            Self::User(kept) => &kept.value.name,
        }
    }

    fn keys(&self) -> &[String] {
        match self {
            Self::Root(root, _) => &root.keys,
            Self::User(kept) => &kept.value.keys,
        }
    }

    /// Puts it with these keys, on the condition that it still is as it was.
    fn put(&self, change: &mut Change, keys: Vec<String>) -> Result<(), Fault> {
        match self {
            Self::Root(_, unchanged) => {
                let new = Root { keys };
                change.when(unchanged.clone(), Otherwise::Again).put(ROOT.to_owned(), &new)?;
            }
            Self::User(kept) => {
                let new = User { keys, ..kept.value.clone() };
                change.when(kept.unchanged(), Otherwise::Again).put(kept.key.clone(), &new)?;
            }
        }
        Ok(())
    }

    /// One of its keys; also one that is not on its list and yet says to be its own, so that what
    /// somebody else has written can be taken away.
    async fn key(&self, control: &Control, id: &str) -> Result<Kept<AccessKeyRecord>, Fault> {
        let known = self.keys().iter().any(|key| key == id);
        let kept = if is_key_id(id) {
            store::get::<AccessKeyRecord>(control.store(), &record(id)).await?
        } else {
            None
        };
        let found = kept.filter(|kept| known || kept.value.holder() == self.holder());
        found.ok_or_else(|| {
            let message = format!("{} has no such access key", self.name());
            Fault::common(Common::NoSuchEntity, message)
        })
    }

    /// Whether the account would still have a key that works without this one.
    async fn can_spare(&self, control: &Control, id: &str) -> Result<(), Fault> {
        if matches!(self, Self::User(_)) {
            return Ok(());
        }
        for other in self.keys().iter().filter(|key| *key != id) {
            let kept = store::get::<AccessKeyRecord>(control.store(), &record(other)).await?;
            let works = |kept: Kept<AccessKeyRecord>| {
                !kept.value.inactive && kept.value.open(&control.world.seals, &kept.key).is_ok()
            };
            if kept.is_some_and(works) {
                return Ok(());
            }
        }
        let message = "this is the account's only key that works: make another one first";
        Err(Fault::common(Common::DeleteConflict, message))
    }
}

fn record(id: &str) -> String {
    format!("{PREFIX}{id}")
}

/// `CreateAccessKey`.
pub async fn create(ask: &Ask<'_>) -> Result<Answer, Fault> {
    ask.form.only(&["UserName"])?;
    let control = ask.control;
    let most = control.quotas.most(Quota::AccessKeysPerUser);
    let (name, id, secret) = store::settle(|| async {
        let ring = Ring::of(ask).await?;
        if ring.keys().len() as u64 >= most {
            let message = format!("{} has {most} access keys already, its quota", ring.name());
            return Err(Fault::common(Common::LimitExceeded, message).into());
        }
        let (id, secret) = (ids::access_key(), Secret(ids::secret_key()));
        let (seals, now) = (&control.world.seals, control.now());
        let key = AccessKeyRecord::new(seals, &record(&id), &ring.holder(), &secret, now)
            .map_err(Fault::internal)?;
        let mut change = Change::default();
        change.when(Check::Absent(record(&id)), Otherwise::Again).put(record(&id), &key)?;
        ring.put(&mut change, [ring.keys(), std::slice::from_ref(&id)].concat())?;
        change.commit(control.store()).await?;
        Ok((ring.name().to_owned(), id, secret))
    })
    .await?;
    control.people.forget(&name);
    let mut answer = Answer::with_result();
    answer.inside("AccessKey", |element| {
        element
            .text("UserName", &name)
            .text("AccessKeyId", &id)
            .text("Status", "Active")
            .text("SecretAccessKey", &secret.0)
            .text("CreateDate", &ids::iso(control.now()));
    });
    Ok(answer)
}

/// `ListAccessKeys`: without secrets.
pub async fn list(ask: &Ask<'_>) -> Result<Answer, Fault> {
    ask.form.only(&["UserName", "Marker", "MaxItems"])?;
    let paging = ask.form.paging()?;
    let ring = Ring::of(ask).await?;
    let mut ids: Vec<&String> = ring.keys().iter().collect();
    ids.sort_unstable();
    ids.retain(|id| **id > paging.marker);
    let more = ids.len() > paging.most;
    ids.truncate(paging.most);
    let next = ids.last().filter(|_| more).map(|id| id.as_str());
    let mut found = Vec::new();
    for id in &ids {
        let kept = store::get::<AccessKeyRecord>(ask.control.store(), &record(id)).await?;
        found.extend(kept.map(|kept| (id.as_str(), kept.value)));
    }
    let mut answer = Answer::with_result();
    answer
        .list("AccessKeyMetadata", found, |member, (id, key)| {
            member
                .text("UserName", ring.name())
                .text("AccessKeyId", id)
                .text("Status", if key.inactive { "Inactive" } else { "Active" })
                .text("CreateDate", &ids::iso(key.created));
        })
        .paged(next);
    Ok(answer)
}

/// `UpdateAccessKey`: switches a key off and on again.
pub async fn update(ask: &Ask<'_>) -> Result<Answer, Fault> {
    ask.form.only(&["UserName", "AccessKeyId", "Status"])?;
    let (control, id) = (ask.control, ask.form.required("AccessKeyId")?);
    let inactive = match ask.form.required("Status")? {
        "Active" => false,
        "Inactive" => true,
        _ => return Err(invalid("Status must be Active or Inactive")),
    };
    store::settle(|| async {
        let ring = Ring::of(ask).await?;
        let kept = ring.key(control, id).await?;
        if inactive {
            ring.can_spare(control, id).await?;
        }
        let new = kept.value.switched(&control.world.seals, &kept.key, inactive);
        let new = new.map_err(Fault::internal)?;
        let mut change = Change::default();
        change.when(kept.unchanged(), Otherwise::Again).put(kept.key.clone(), &new)?;
        ring.put(&mut change, ring.keys().to_vec())?;
        change.commit(control.store()).await
    })
    .await?;
    control.keys.forget(id);
    Ok(Answer::empty())
}

/// `DeleteAccessKey`.
pub async fn delete(ask: &Ask<'_>) -> Result<Answer, Fault> {
    ask.form.only(&["UserName", "AccessKeyId"])?;
    let (control, id) = (ask.control, ask.form.required("AccessKeyId")?);
    let name = store::settle(|| async {
        let ring = Ring::of(ask).await?;
        let kept = ring.key(control, id).await?;
        ring.can_spare(control, id).await?;
        let mut change = Change::default();
        change.when(kept.unchanged(), Otherwise::Again).delete(kept.key.clone());
        let rest = ring.keys().iter().filter(|key| *key != id).cloned();
        ring.put(&mut change, rest.collect())?;
        change.commit(control.store()).await?;
        Ok(ring.name().to_owned())
    })
    .await?;
    control.keys.forget(id);
    control.people.forget(&name);
    Ok(Answer::empty())
}
