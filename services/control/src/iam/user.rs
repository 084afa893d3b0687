//! A user as it is kept, and the rules for names.

use super::form::invalid;
use crate::{
    control::Control,
    store::{self, Kept},
    wire::fault::{Common, Fault},
};
use model::units::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Prefix of users' records.
pub const USERS: &str = "iam-user/";

/// A user: `iam-user/NAME`, the name in small letters, because no two names may differ by case only.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// As it was given.
    pub name: String,
    /// `/`, or `/team/part/`.
    pub path: String,
    /// `AIDA` and 16 characters.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// By key.
    pub tags: BTreeMap<String, String>,
    /// Ids of its access keys, the eldest first.
    pub keys: Vec<String>,
    /// Documents by name.
    pub policies: BTreeMap<String, String>,
}

impl User {
    /// `arn:aws:iam::ACCOUNT:user/PATH/NAME`.
    pub fn arn(&self, account: &str) -> String {
        format!("arn:aws:iam::{account}:user{}{}", self.path, self.name)
    }
}

/// The key of a user's record.
pub fn place(name: &str) -> String {
    format!("{USERS}{}", name.to_ascii_lowercase())
}

/// The user of this name.
///
/// # Errors
/// `NoSuchEntity`; `ServiceUnavailable`.
pub async fn find(control: &Control, name: &str) -> Result<Kept<User>, Fault> {
    let found = if check_name(name, 64).is_ok() {
        store::get(control.store(), &place(name)).await?
    } else {
        None
    };
    found.ok_or_else(|| {
        let name: String = name.chars().take(64).collect();
        Fault::common(Common::NoSuchEntity, format!("there is no user with name {name}"))
    })
}

/// The user with this ARN, if there is one.
///
/// # Errors
/// `ServiceUnavailable`.
pub async fn of_arn(control: &Control, arn: &str) -> Result<Option<User>, Fault> {
    let name = arn.rsplit('/').next().unwrap_or_default();
    if check_name(name, 64).is_err() {
        return Ok(None);
    }
    let found = store::get::<User>(control.store(), &place(name)).await?;
    Ok(found.map(|kept| kept.value).filter(|user| user.arn(&control.account) == arn))
}

/// Letters, digits and `_+=,.@-`.
///
/// # Errors
/// `ValidationError`.
pub fn check_name(name: &str, most: usize) -> Result<(), Fault> {
    let fine = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    if (1..=most).contains(&name.len()) && name.bytes().all(fine) {
        return Ok(());
    }
    Err(invalid(format!("a name has 1 to {most} letters, digits and _+=,.@-")))
}

/// `/`, or printable text between two slashes.
///
/// # Errors
/// `ValidationError`.
pub fn check_path(path: &str) -> Result<(), Fault> {
    let fine = path.len() <= 512
        && path.starts_with('/')
        && path.ends_with('/')
        && path.bytes().all(|b| b.is_ascii_graphic() && !b"*?:$".contains(&b));
    if fine {
        return Ok(());
    }
    Err(invalid("a path begins and ends with / and has at most 512 printable characters"))
}
