//! Where the sealing keys come from: settings, or a file of our own beside embedded metadata.

use super::{KEY_BYTES, SealError, Seals};
use crate::settings::Settings;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{io, path::PathBuf};

/// Name of the file in the data folder that holds the key of embedded metadata.
pub const FILE: &str = "metadata.key";
/// Most keys that can be given.
const MOST: usize = 16;

/// How to make a key, for whoever has none.
const ADVICE: &str =
    "make one with `openssl rand -base64 32` and give the same to control and every edge";

/// Why there are no sealing keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A store that others share, and no key.
    #[error(
        "metadata.key is missing: secrets in a shared metadata store are sealed with it; {ADVICE}, as metadata.key (NEARFRONT__METADATA__KEY) or in the file metadata.key_file"
    )]
    Missing,
    /// It is no key.
    #[error("{place}: {problem}")]
    Bad {
        /// Which setting or file.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The file of our own cannot be read or made.
    #[error("{}: {why}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        why: io::Error,
    },
    /// No key can be made.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// The sealing keys that settings give. With embedded metadata and none given, that of the file
/// [`FILE`] in the data folder, which is made, readable for its owner only, if it is not there.
///
/// # Errors
/// When none is given for a store that is shared, or what is given is no key.
pub fn prepare(settings: &Settings) -> Result<Seals, KeyError> {
    if let Some(given) = &settings.metadata.key {
        return read(&given.0)
            .map(|keys| Seals::of(&keys))
            .map_err(|problem| bad("metadata.key", problem));
    }
    if settings.metadata.url != "embedded" {
        return Err(KeyError::Missing);
    }
    own(settings)
}

fn own(settings: &Settings) -> Result<Seals, KeyError> {
    let path = settings.data_dir.join(FILE);
    let failed = |why| KeyError::File { path: path.clone(), why };
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let keys = read(&text).map_err(|problem| bad(&path.display().to_string(), problem))?;
            Ok(Seals::of(&keys))
        }
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            let key = random()?;
            let text = format!("{}\n", STANDARD.encode(key));
            crate::whole::write(&path, text.as_bytes()).map_err(failed)?;
            Ok(Seals::of(&[key]))
        }
        Err(why) => Err(failed(why)),
    }
}

fn bad(place: &str, problem: String) -> KeyError {
    KeyError::Bad { place: place.to_owned(), problem }
}

/// Keys in base64 with commas or white space between them. The text of an error quotes nothing.
pub(crate) fn read(text: &str) -> Result<Vec<[u8; KEY_BYTES]>, String> {
    let parts = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty());
    let keys: Option<Vec<_>> = parts.take(MOST + 1).map(one).collect();
    keys.filter(|keys| (1..=MOST).contains(&keys.len())).ok_or_else(|| {
        format!(
            "must be 1 to {MOST} keys of {KEY_BYTES} bytes in base64, with commas or lines between them, the one that seals first; {ADVICE}"
        )
    })
}

fn one(text: &str) -> Option<[u8; KEY_BYTES]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// A new key.
pub(super) fn random() -> Result<[u8; KEY_BYTES], SealError> {
    let mut key = [0; KEY_BYTES];
    aws_lc_rs::rand::fill(&mut key).map_err(|_| SealError::NoRandomness)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::feed::Secret;
    use std::os::unix::fs::PermissionsExt as _;

    fn embedded(folder: &tempfile::TempDir) -> Settings {
        Settings { data_dir: folder.path().to_owned(), ..Settings::default() }
    }

    #[test]
    fn embedded_metadata_makes_its_key_once_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let first = prepare(&embedded(&folder)).unwrap();
        let sealed = first.seal("a", &Secret("hush".into())).unwrap();
        let again = prepare(&embedded(&folder)).unwrap();
        assert_eq!(again.open("a", &sealed).unwrap().0, "hush");
        let path = folder.path().join(FILE);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(&path, "no key").unwrap();
        let why = prepare(&embedded(&folder)).unwrap_err().to_string();
        assert!(why.contains(FILE) && why.contains("openssl rand -base64 32"), "{why}");
    }

    #[test]
    fn a_shared_store_wants_a_key_and_says_how_to_make_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = embedded(&folder);
        settings.metadata.url = "redis://127.0.0.1".into();
        let why = prepare(&settings).unwrap_err().to_string();
        assert!(
            why.contains("openssl rand -base64 32") && why.contains("metadata.key_file"),
            "{why}"
        );
        assert!(!folder.path().join(FILE).exists());
    }

    #[test]
    fn keys_are_told_from_what_is_none() {
        let key = STANDARD.encode([1; KEY_BYTES]);
        assert_eq!(read(&key), Ok(vec![[1; KEY_BYTES]]));
        let two = format!("{key},\n{}\n", STANDARD.encode([2; KEY_BYTES]));
        assert_eq!(read(&two), Ok(vec![[1; KEY_BYTES], [2; KEY_BYTES]]));
        let many = format!("{key} ").repeat(MOST + 1);
        for bad in ["", " , ", "hush", &STANDARD.encode([1; 31]), &many] {
            let why = read(bad).unwrap_err();
            assert!(!why.contains("hush") && !why.contains(&key), "{why}");
        }
    }
}
