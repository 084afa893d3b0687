//! `<data>/ca.pem`: the certificate of the local authority, for clients that should trust it.

use anyhow::{Context, Result};
use model::feed::{AUTHORITY, CERTIFICATES, Certificate};
use ports::metastore::MetaStore;
use std::path::{Path, PathBuf};

/// Writes the certificate, without its key; none when the store holds no authority.
///
/// # Errors
/// When the store does not answer or the file cannot be written.
pub async fn write(data: &Path, store: &dyn MetaStore) -> Result<Option<PathBuf>> {
    let key = format!("{CERTIFICATES}{AUTHORITY}");
    let Some(entry) = store.get(&key).await? else {
        return Ok(None);
    };
    let certificate: Certificate =
        serde_json::from_slice(&entry.value).with_context(|| format!("the entry {key}"))?;
    let path = data.join("ca.pem");
    kit::whole::write(&path, certificate.chain.as_bytes())
        .with_context(|| path.display().to_string())?;
    Ok(Some(path))
}
