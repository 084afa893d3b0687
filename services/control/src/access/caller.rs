//! Who calls: the account itself, or one of its users with what its policies say.

use crate::{
    iam::{self, User},
    sigv4::{Holder, Proof, Remembered, unknown_key},
    store,
    wire::fault::Fault,
};
use ::iam::Policy;
use model::units::Timestamp;
use ports::metastore::MetaStore;
use std::sync::Arc;

/// A caller whose signature was checked.
#[derive(Clone, Debug)]
pub struct Caller {
    account: String,
    user: Option<Arc<Person>>,
}

/// A user with its policies, read.
#[derive(Debug)]
pub struct Person {
    user: User,
    policies: Vec<Policy>,
}

impl Person {
    /// Reads the policies of a user.
    ///
    /// # Errors
    /// An internal fault when one that was accepted once is not any more: nothing is allowed then.
    pub fn of(user: User) -> Result<Self, Fault> {
        let read = |(name, text): (&String, &String)| {
            Policy::read(text).map_err(|why| Fault::internal(format!("the policy {name}: {why}")))
        };
        let policies = user.policies.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { user, policies })
    }

    /// The user as it is kept.
    pub const fn user(&self) -> &User {
        &self.user
    }

    /// Its policies, by name.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// Whether a policy asks for a condition key that begins so, in small letters.
    pub fn asks_for(&self, prefix: &str) -> bool {
        self.policies.iter().flat_map(Policy::keys).any(|key| key.starts_with(prefix))
    }
}

impl Caller {
    /// The user; none when it is the account itself.
    pub fn user(&self) -> Option<&Person> {
        self.user.as_deref()
    }

    /// `arn:aws:iam::ACCOUNT:user/PATH/NAME`, or `…:root`.
    pub fn arn(&self) -> String {
        match &self.user {
            None => format!("arn:aws:iam::{}:root", self.account),
            Some(person) => person.user.arn(&self.account),
        }
    }

    /// The user's id, or the account's.
    pub fn id(&self) -> &str {
        self.user.as_ref().map_or(&self.account, |person| &person.user.id)
    }

    /// The user's name; `root` for the account itself.
    pub fn name(&self) -> &str {
        self.user.as_ref().map_or("root", |person| &person.user.name)
    }
}

/// Looks users up; safe to share.
pub struct People {
    store: Arc<dyn MetaStore>,
    remembered: Remembered<Arc<Person>>,
}

impl People {
    /// Users of this store.
    pub fn of(store: Arc<dyn MetaStore>) -> Self {
        Self { store, remembered: Remembered::default() }
    }

    /// Who signed.
    ///
    /// # Errors
    /// `InvalidClientTokenId` when the user is gone; `ServiceUnavailable`.
    pub async fn caller(
        &self,
        proof: &Proof,
        account: &str,
        now: Timestamp,
    ) -> Result<Caller, Fault> {
        let user = match proof.holder() {
            Holder::Root => None,
            Holder::User(name) => Some(self.person(name, now).await?.ok_or_else(unknown_key)?),
        };
        Ok(Caller { account: account.to_owned(), user })
    }

    async fn person(&self, name: &str, now: Timestamp) -> Result<Option<Arc<Person>>, Fault> {
        let turn = match self.remembered.get(name, now) {
            Ok(person) => return Ok(Some(person)),
            Err(turn) => turn,
        };
        let Some(kept) = store::get::<User>(&*self.store, &iam::place(name)).await? else {
            return Ok(None);
        };
        let person = Arc::new(Person::of(kept.value)?);
        self.remembered.keep(turn, name, Arc::clone(&person), now);
        Ok(Some(person))
    }

    /// A user has just been changed: it is looked up anew from now on.
    pub fn forget(&self, name: &str) {
        self.remembered.forget(&name.to_ascii_lowercase());
    }
}
