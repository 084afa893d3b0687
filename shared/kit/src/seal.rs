//! Secrets sealed for the metadata store: whoever reads its file or its dump reads none of them.
//!
//! For: private keys of certificates, secrets of access keys: whatever must come back as it was.
//! Not for: transport, nor for keeping anything from who can read the settings.
//!
//! AES-256-GCM with a random nonce for each value (NIST SP 800-38D §8.2.2). The key of the record
//! is authenticated along with the value, so that a value moved to another record does not open; so
//! are facts of the record beside the secret, where somebody gains from changing them. Several keys
//! may be given: the first seals, all open. A value is text:
//! `sealed:1:KEY-ID:BASE64(nonce, ciphertext, tag)`. What has no such form does not open: whoever
//! can write the store and has no key must not be able to bring in secrets of his own.

mod keys;

pub(crate) use keys::read as read_keys;
pub use keys::{FILE, KeyError, prepare};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest::{SHA256, digest},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use model::feed::{Sealed, Secret};
use std::{fmt, sync::Arc};

/// Bytes of a sealing key.
pub const KEY_BYTES: usize = 32;
/// What a value of this form begins with; the digit is the version of the form.
const FORM: &str = "sealed:1:";

/// Why something cannot be sealed or opened. Never holds what was to be sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// No sealing key was given.
    #[error("{0} is sealed, and no sealing key is given: set metadata.key or metadata.key_file")]
    NoKey(String),
    /// It was sealed with a key that was not given.
    #[error(
        "{place} was sealed with the key {sealed_with}, and metadata.key has only {given}: add the key that is missing"
    )]
    OtherKey {
        /// Which record.
        place: String,
        /// Id of the key that it was sealed with.
        sealed_with: String,
        /// Ids of the keys that there are.
        given: String,
    },
    /// The key is right, and yet it does not open: changed, or brought from another record.
    #[error(
        "{0} does not open: what is sealed in it was changed, or what it is sealed with, or it belongs to another record"
    )]
    Spoilt(String),
    /// It is not sealed at all.
    #[error(
        "{0} holds a secret in clear, which is not used: start control, which seals once what is in clear from before; if it has done so already, somebody wrote this who has no sealing key: take the record away"
    )]
    Clear(String),
    /// The machine gives no random bytes.
    #[error("nothing can be sealed: the system gives no random bytes")]
    NoRandomness,
}

/// The sealing keys of an installation; clones share them.
#[derive(Clone, Default)]
pub struct Seals {
    keys: Arc<[One]>,
}

struct One {
    id: String,
    key: RandomizedNonceKey,
}

impl fmt::Debug for Seals {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Seals({})", self.ids())
    }
}

impl Seals {
    /// These keys; the first seals.
    pub fn of(keys: &[[u8; KEY_BYTES]]) -> Self {
        let one = |key: &[u8; KEY_BYTES]| {
            let id = id(key);
            RandomizedNonceKey::new(&AES_256_GCM, key).ok().map(|key| One { id, key })
        };
        Self { keys: keys.iter().filter_map(one).collect() }
    }

    /// One new key that nobody else has: for tests, and for what does not outlive the process.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn fresh() -> Result<Self, SealError> {
        Ok(Self::of(&[keys::random()?]))
    }

    /// Ids of the keys, the one that seals first; they tell nothing of the keys.
    pub fn ids(&self) -> String {
        let ids: Vec<_> = self.keys.iter().map(|one| one.id.as_str()).collect();
        ids.join(", ")
    }

    /// Id of the key that seals, if there is one.
    pub fn sealing_id(&self) -> Option<&str> {
        self.keys.first().map(|one| one.id.as_str())
    }

    /// Seals a secret for the record whose key is `place`.
    ///
    /// # Errors
    /// Without a key or without randomness.
    pub fn seal(&self, place: &str, secret: &Secret) -> Result<Sealed, SealError> {
        self.seal_with(place, "", secret)
    }

    /// The same, bound to these facts of the record as well: it opens with the same ones only.
    ///
    /// # Errors
    /// Those of [`Seals::seal`].
    pub fn seal_with(
        &self,
        place: &str,
        facts: &str,
        secret: &Secret,
    ) -> Result<Sealed, SealError> {
        let one = self.keys.first().ok_or_else(|| SealError::NoKey(place.to_owned()))?;
        let mut bytes = secret.0.clone().into_bytes();
        let nonce = one
            .key
            .seal_in_place_append_tag(bound_to(&one.id, place, facts), &mut bytes)
            .map_err(|_| SealError::NoRandomness)?;
        let sealed = [nonce.as_ref().as_slice(), &bytes].concat();
        Ok(Sealed(format!("{FORM}{}:{}", one.id, STANDARD.encode(sealed))))
    }

    /// Opens what was sealed for this record.
    ///
    /// # Errors
    /// When its key is not there, it is not what was sealed for this record, or it is in clear.
    pub fn open(&self, place: &str, sealed: &Sealed) -> Result<Secret, SealError> {
        self.open_with(place, "", sealed)
    }

    /// The same, of what was sealed with these facts.
    ///
    /// # Errors
    /// Those of [`Seals::open`]; [`SealError::Spoilt`] when the facts are others.
    pub fn open_with(
        &self,
        place: &str,
        facts: &str,
        sealed: &Sealed,
    ) -> Result<Secret, SealError> {
        let rest = sealed.0.strip_prefix(FORM).ok_or_else(|| SealError::Clear(place.to_owned()))?;
        let spoilt = || SealError::Spoilt(place.to_owned());
        let (id, text) = rest.split_once(':').ok_or_else(spoilt)?;
        let one = self.keys.iter().find(|one| one.id == id).ok_or_else(|| self.lacks(place, id))?;
        opened(one, (place, facts), text).map(Secret).ok_or_else(spoilt)
    }

    /// Whether this is sealed, and with the key that seals now.
    pub fn is_current(&self, sealed: &Sealed) -> bool {
        let id = sealed.0.strip_prefix(FORM).and_then(|rest| rest.split_once(':'));
        id.is_some_and(|(id, _)| Some(id) == self.sealing_id())
    }

    fn lacks(&self, place: &str, id: &str) -> SealError {
        if self.keys.is_empty() {
            return SealError::NoKey(place.to_owned());
        }
        let plain: String = id.chars().filter(char::is_ascii_hexdigit).take(16).collect();
        SealError::OtherKey { place: place.to_owned(), sealed_with: plain, given: self.ids() }
    }
}

fn opened(one: &One, (place, facts): (&str, &str), text: &str) -> Option<String> {
    let mut bytes = STANDARD.decode(text).ok()?;
    let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let open = one.key.open_in_place(nonce, bound_to(&one.id, place, facts), sealed).ok()?;
    String::from_utf8(open.to_vec()).ok()
}

/// What is authenticated along with the value: its form, its key, its record, and facts of that, if
/// there are any, after a byte that no place has.
fn bound_to(id: &str, place: &str, facts: &str) -> Aad<String> {
    let mark = if facts.is_empty() { "" } else { "\0" };
    Aad::from(format!("{FORM}{id}:{place}{mark}{facts}"))
}

/// A key's name: the beginning of a digest of it.
fn id(key: &[u8; KEY_BYTES]) -> String {
    let named = [b"nearfront sealing key".as_slice(), key].concat();
    digest(&SHA256, &named).as_ref().iter().take(4).fold(String::new(), |id, byte| {
        use fmt::Write as _;
        let mut id = id;
        let _ = write!(id, "{byte:02x}");
        id
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secret(text: &str) -> Secret {
        Secret(text.to_owned())
    }

    #[test]
    fn the_same_secret_is_never_sealed_twice_the_same() {
        let seals = Seals::fresh().unwrap();
        let sealed = seals.seal("a", &secret("hush")).unwrap();
        assert_ne!(sealed, seals.seal("a", &secret("hush")).unwrap());
        assert!(!sealed.0.contains("hush") && !format!("{sealed:?}").contains(&sealed.0));
    }

    #[test]
    fn a_value_opens_in_its_own_record_only() {
        let seals = Seals::fresh().unwrap();
        let sealed = seals.seal("certificate/a", &secret("hush")).unwrap();
        assert_eq!(seals.open("certificate/a", &sealed), Ok(secret("hush")));
        let moved = seals.open("certificate/b", &sealed);
        assert_eq!(moved, Err(SealError::Spoilt("certificate/b".into())));
    }

    #[test]
    fn the_first_key_seals_and_all_open() {
        let (old, new) = ([1; KEY_BYTES], [2; KEY_BYTES]);
        let sealed = Seals::of(&[old]).seal("a", &secret("hush")).unwrap();
        let both = Seals::of(&[new, old]);
        assert_eq!(both.open("a", &sealed), Ok(secret("hush")));
        assert!(!both.is_current(&sealed) && Seals::of(&[old]).is_current(&sealed));
        let again = both.seal("a", &secret("hush")).unwrap();
        assert_eq!(Seals::of(&[new]).open("a", &again), Ok(secret("hush")));
    }

    #[test]
    fn a_wrong_key_is_told_by_the_ids_of_both() {
        let sealed = Seals::of(&[[1; KEY_BYTES]]).seal("a", &secret("hush")).unwrap();
        let other = Seals::of(&[[2; KEY_BYTES]]);
        let why = other.open("a", &sealed).unwrap_err().to_string();
        assert!(why.contains(&id(&[1; KEY_BYTES])) && why.contains(&other.ids()), "{why}");
        let none = Seals::default();
        assert_eq!(none.open("a", &sealed), Err(SealError::NoKey("a".into())));
        assert_eq!(none.seal("a", &secret("x")), Err(SealError::NoKey("a".into())));
    }

    #[test]
    fn whoever_writes_the_store_without_a_key_brings_in_no_secret_of_his_own() {
        let seals = Seals::fresh().unwrap();
        for clear in ["-----BEGIN PRIVATE KEY-----", "", "x", "sealed:", "sealed:0:a:b"] {
            let planted = Sealed(clear.into());
            let refused = seals.open("access-key/A", &planted).unwrap_err();
            assert_eq!(refused, SealError::Clear("access-key/A".into()), "{clear}");
            assert!(refused.to_string().contains("start control"), "{refused}");
            assert!(!seals.is_current(&planted));
        }
    }

    #[test]
    fn a_value_opens_with_the_facts_only_that_it_was_sealed_with() {
        let seals = Seals::fresh().unwrap();
        let sealed = seals.seal_with("a", "root=false", &secret("hush")).unwrap();
        assert_eq!(seals.open_with("a", "root=false", &sealed), Ok(secret("hush")));
        for (place, facts) in [("a", "root=true"), ("a", ""), ("b", "root=false")] {
            let bent = seals.open_with(place, facts, &sealed);
            assert_eq!(bent, Err(SealError::Spoilt(place.into())), "{place} {facts}");
        }
        let bare = seals.seal("a", &secret("hush")).unwrap();
        assert!(seals.open_with("a", "root=true", &bare).is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_sealed_comes_back(text in ".*", place in "[a-z/]{1,40}") {
            let seals = Seals::of(&[[7; KEY_BYTES]]);
            let sealed = seals.seal(&place, &Secret(text.clone())).unwrap();
            prop_assert_eq!(seals.open(&place, &sealed).unwrap().0, text);
        }

        #[test]
        fn no_changed_byte_goes_unnoticed(place in 0_usize..400, to in any::<char>()) {
            let seals = Seals::of(&[[7; KEY_BYTES]]);
            let sealed = seals.seal("a", &secret("a secret of some length")).unwrap();
            let mut chars: Vec<char> = sealed.0.chars().collect();
            let at = FORM.len() + place % (chars.len() - FORM.len());
            prop_assume!(chars[at] != to);
            chars[at] = to;
            prop_assert!(seals.open("a", &Sealed(chars.into_iter().collect())).is_err());
        }
    }
}
