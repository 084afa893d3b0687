//! Secrets sealed for the metadata store: whoever reads its file or its dump reads none of them.
//!
//! For: private keys of certificates, secrets of access keys: whatever must come back as it was.
//! Not for: transport, nor for keeping anything from who can read the settings.
//!
//! AES-256-GCM with a random nonce for each value (NIST SP 800-38D §8.2.2). The key of the record
//! is authenticated along with the value, so that a value moved to another record does not open.
//! Several keys may be given: the first seals, all open. A value is text:
//! `sealed:1:KEY-ID:BASE64(nonce, ciphertext, tag)`.

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
    #[error("{0} does not open: what is sealed in it was changed, or belongs to another record")]
    Spoilt(String),
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

    /// Seals a secret for the record whose key is `place`.
    ///
    /// # Errors
    /// Without a key or without randomness.
    pub fn seal(&self, place: &str, secret: &Secret) -> Result<Sealed, SealError> {
        let one = self.keys.first().ok_or_else(|| SealError::NoKey(place.to_owned()))?;
        let mut bytes = secret.0.clone().into_bytes();
        let nonce = one
            .key
            .seal_in_place_append_tag(bound_to(&one.id, place), &mut bytes)
            .map_err(|_| SealError::NoRandomness)?;
        let sealed = [nonce.as_ref().as_slice(), &bytes].concat();
        Ok(Sealed(format!("{FORM}{}:{}", one.id, STANDARD.encode(sealed))))
    }

    /// Opens what was sealed for this record. What was written before secrets were sealed is
    /// returned as it is.
    ///
    /// # Errors
    /// When its key is not there, or it is not what was sealed for this record.
    pub fn open(&self, place: &str, sealed: &Sealed) -> Result<Secret, SealError> {
        let Some(rest) = sealed.0.strip_prefix(FORM) else { return Ok(Secret(sealed.0.clone())) };
        let spoilt = || SealError::Spoilt(place.to_owned());
        let (id, text) = rest.split_once(':').ok_or_else(spoilt)?;
        let one = self.keys.iter().find(|one| one.id == id).ok_or_else(|| self.lacks(place, id))?;
        opened(one, place, text).map(Secret).ok_or_else(spoilt)
    }

    /// Whether this is sealed, and with the key that seals now.
    pub fn is_current(&self, sealed: &Sealed) -> bool {
        let id = sealed.0.strip_prefix(FORM).and_then(|rest| rest.split_once(':'));
        let sealing = self.keys.first().map(|one| one.id.as_str());
        id.is_some_and(|(id, _)| Some(id) == sealing)
    }

    fn lacks(&self, place: &str, id: &str) -> SealError {
        if self.keys.is_empty() {
            return SealError::NoKey(place.to_owned());
        }
        let plain: String = id.chars().filter(char::is_ascii_hexdigit).take(16).collect();
        SealError::OtherKey { place: place.to_owned(), sealed_with: plain, given: self.ids() }
    }
}

fn opened(one: &One, place: &str, text: &str) -> Option<String> {
    let mut bytes = STANDARD.decode(text).ok()?;
    let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let open = one.key.open_in_place(nonce, bound_to(&one.id, place), sealed).ok()?;
    String::from_utf8(open.to_vec()).ok()
}

/// What is authenticated along with the value: its form, its key and its record.
fn bound_to(id: &str, place: &str) -> Aad<String> {
    Aad::from(format!("{FORM}{id}:{place}"))
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
    fn what_was_never_sealed_is_read_as_it_is() {
        let clear = Sealed("-----BEGIN PRIVATE KEY-----".into());
        assert_eq!(Seals::default().open("a", &clear).unwrap().0, clear.0);
        assert!(!Seals::fresh().unwrap().is_current(&clear));
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
