//! Secrets that settings only point to.

use super::{Fault, fault, values, walk::below};
use crate::settings::{Acme, Metadata, ObjectStore, Settings};
use model::feed::Secret;
use std::path::Path;

/// Longest secret in bytes.
const MOST: usize = 8192;

/// Reads every `…_file`; afterwards only the secrets themselves are looked at.
pub(super) fn fill(mut settings: Settings) -> Result<Settings, Vec<Fault>> {
    let mut faults = Vec::new();
    if let Some(file) = settings.metadata.url_file.clone() {
        match url(&file) {
            Ok(url) => settings.metadata.url = url,
            Err(problem) => faults.push(fault("metadata.url_file", problem)),
        }
    }
    if let Err(problem) = sealing(&mut settings.metadata) {
        faults.push(fault("metadata.key_file", problem));
    }
    if let Err(problem) = account(&mut settings.acme) {
        faults.push(fault("acme.eab_key_file", problem));
    }
    for (name, store) in &mut settings.object_stores {
        if let Err(problem) = key(store) {
            let path = below(&below("object_stores", name), "secret_access_key_file");
            faults.push(fault(path, problem));
        }
    }
    if faults.is_empty() { Ok(settings) } else { Err(faults) }
}

fn url(file: &Path) -> Result<String, String> {
    let url = read(file)?;
    values::metadata(&url)?;
    Ok(url)
}

fn sealing(metadata: &mut Metadata) -> Result<(), String> {
    if let Some(file) = &metadata.key_file {
        let keys = read(file)?;
        values::sealing_keys(&keys)?;
        metadata.key = Some(Secret(keys));
    }
    Ok(())
}

fn account(acme: &mut Acme) -> Result<(), String> {
    if let Some(file) = &acme.eab_key_file {
        acme.eab_key = Some(Secret(read(file)?));
    }
    Ok(())
}

fn key(store: &mut ObjectStore) -> Result<(), String> {
    if let Some(file) = &store.secret_access_key_file {
        store.secret_access_key = Some(Secret(read(file)?));
    }
    Ok(())
}

/// The text of a file without the white space around it.
fn read(file: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(file)
        .map_err(|why| format!("{} cannot be read: {why}", file.display()))?;
    let text = text.trim();
    if text.is_empty() || text.len() > MOST {
        return Err(format!("{} must hold 1 to {MOST} bytes", file.display()));
    }
    Ok(text.to_owned())
}
