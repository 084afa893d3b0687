//! What a resource refers to: that it is there, and that it is marked as used.
//!
//! For: the marks `use/KIND/ID/USER` of resources that are no distributions (those have theirs from
//! `publish`), and who stands in the way of a deletion.
//! Not for: what may be referred to (`rules/planning` decides).

use super::resource::{Kind, Record, record_key, words};
use crate::{
    control::Control,
    ids, publish,
    store::{Change, key},
    wire::fault::Fault,
};
use ports::metastore::Check;
use std::collections::BTreeMap;

fn used<K: Kind>(config: &K::Config) -> BTreeMap<(&'static str, String), Fault> {
    K::uses(config).into_iter().map(|one| ((one.kind, one.id), one.missing)).collect()
}

/// Everything that it refers to must be there; what is not is told all at once.
pub(super) async fn all_there<K: Kind>(control: &Control, config: &K::Config) -> Result<(), Fault> {
    let mut missing: Option<Fault> = None;
    for ((kind, id), fault) in used::<K>(config) {
        let known =
            ids::is_plain(&id) && control.store().get(&record_key(kind, &id)).await?.is_some();
        match &mut missing {
            _ if known => {}
            None => missing = Some(fault),
            Some(first) => first.message = format!("{}; {}", first.message, fault.message),
        }
    }
    missing.map_or(Ok(()), Err)
}

/// Marks what a resource uses from now on, and no longer.
pub(super) fn mark<K: Kind>(
    change: &mut Change,
    new: &Record<K::Config>,
    old: Option<&Record<K::Config>>,
) -> Result<(), Fault> {
    let now = used::<K>(&new.config);
    let before = old.map(|old| used::<K>(&old.config)).unwrap_or_default();
    let user = user_of::<K>(&new.id);
    for ((kind, id), missing) in &now {
        if !ids::is_plain(id) {
            return Err(missing.clone());
        }
        let there = Check::Present(record_key(kind, id));
        change.when_or(there, missing.clone());
        if !before.contains_key(&(*kind, id.clone())) {
            change.mark(key::used_by(kind, id, &user));
        }
    }
    for (kind, id) in before.keys().filter(|one| !now.contains_key(*one)) {
        change.delete(key::used_by(kind, id, &user));
    }
    Ok(())
}

/// How a resource that is no distribution stands in the marks of who uses what.
fn user_of<K: Kind>(id: &str) -> String {
    format!("{}:{id}", K::NAME)
}

/// Takes the marks away of a resource that goes.
pub(super) fn unmark<K: Kind>(change: &mut Change, old: &Record<K::Config>) {
    let user = user_of::<K>(&old.id);
    for (kind, id) in used::<K>(&old.config).keys() {
        change.delete(key::used_by(kind, id, &user));
    }
}

/// Says who uses it, so that nobody has to search.
pub(super) async fn in_use<K: Kind>(control: &Control, id: &str) -> Result<Fault, Fault> {
    let users = publish::all_users_of(control, K::NAME, id, 5).await?.join(", ");
    let message = format!("this {} is in use: change that first ({users})", words::<K>());
    Ok(Fault::new(K::IN_USE, message))
}
