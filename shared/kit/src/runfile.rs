//! `<data>/run.json`: where the services of this process really listen, for tests and scripts.
//!
//! One process owns a data folder at a time: it holds a lock, which the system takes away when the
//! process ends in whatever way. So a run file left by a killed process is known to be old.

use crate::whole;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// Name of the run file in the data folder.
pub const NAME: &str = "run.json";
const LOCK: &str = "lock";

/// What the run file says: only services that run are in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    /// This process.
    pub pid: u32,
    /// Edge, HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edge_http: Option<SocketAddr>,
    /// Edge, HTTPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edge_https: Option<SocketAddr>,
    /// Management API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<SocketAddr>,
    /// DNS, UDP and TCP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<SocketAddr>,
    /// RTMP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtmp: Option<SocketAddr>,
    /// Health and metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin: Option<SocketAddr>,
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Another process has it.
    #[error(
        "another nearfront{} already runs in {}: stop it, or give this one a folder of its own with --data",
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default(), folder.display()
    )]
    Taken {
        /// Which folder.
        folder: PathBuf,
        /// Which process, when it has said so already.
        pid: Option<u32>,
    },
    /// No process runs there.
    #[error("no nearfront runs in {}: start one with `nearfront up`, or name its folder with --data", .0.display())]
    NotRunning(PathBuf),
    /// The system refuses.
    #[error("{}: {why}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// The system's reason.
        why: io::Error,
    },
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> RunError + use<'_> {
    |why| RunError::Io { path: path.to_owned(), why }
}

/// A data folder that is ours until this is dropped; dropping takes the run file away.
#[derive(Debug)]
pub struct Claim {
    folder: PathBuf,
    _lock: File,
}

impl Claim {
    /// Makes the folder if need be and claims it. What a dead process left is taken away.
    ///
    /// # Errors
    /// [`RunError::Taken`] while another process has it.
    pub fn take(folder: &Path) -> Result<Self, RunError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(folder).map_err(io_error(folder))?;
        let lock = lock(folder)?;
        let _ = fs::remove_file(folder.join(NAME));
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

    /// Says where everything listens.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn publish(&self, run: &Run) -> Result<(), RunError> {
        let path = self.folder.join(NAME);
        let text = serde_json::to_vec(run).unwrap_or_default();
        whole::write(&path, &text).map_err(io_error(&path))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.folder.join(NAME));
    }
}

fn lock(folder: &Path) -> Result<File, RunError> {
    let path = folder.join(LOCK);
    let file = File::create(&path).map_err(io_error(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::Error(why)) => Err(io_error(&path)(why)),
        Err(TryLockError::WouldBlock) => Err(RunError::Taken {
            folder: folder.to_owned(),
            pid: parsed(folder).ok().map(|run| run.pid),
        }),
    }
}

/// What runs in this folder.
///
/// # Errors
/// [`RunError::NotRunning`] when nothing does, also when a dead process left its run file.
pub fn read(folder: &Path) -> Result<Run, RunError> {
    let run = parsed(folder)?;
    let held = File::open(folder.join(LOCK)).map(|file| file.try_lock());
    match held {
        Ok(Err(TryLockError::WouldBlock)) => Ok(run),
        _ => Err(RunError::NotRunning(folder.to_owned())),
    }
}

fn parsed(folder: &Path) -> Result<Run, RunError> {
    let path = folder.join(NAME);
    let not_running = || RunError::NotRunning(folder.to_owned());
    match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|_| not_running()),
        // Somebody else's folder: whether anything runs there cannot be known.
        Err(why) if why.kind() == io::ErrorKind::PermissionDenied => Err(io_error(&path)(why)),
        Err(_) => Err(not_running()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> Run {
        Run { pid: 7, edge_http: Some(([127, 0, 0, 1], 41001).into()), ..Run::default() }
    }

    #[test]
    fn only_services_that_run_are_named_and_a_clean_end_takes_the_file_away() {
        let folder = tempfile::tempdir().unwrap();
        let claim = Claim::take(folder.path()).unwrap();
        claim.publish(&run()).unwrap();
        let text = fs::read_to_string(folder.path().join(NAME)).unwrap();
        assert_eq!(text, r#"{"pid":7,"edge_http":"127.0.0.1:41001"}"#);
        assert_eq!(read(folder.path()).unwrap(), run());
        drop(claim);
        assert!(!folder.path().join(NAME).exists());
    }

    #[test]
    fn a_folder_has_one_owner() {
        let folder = tempfile::tempdir().unwrap();
        let claim = Claim::take(folder.path()).unwrap();
        claim.publish(&run()).unwrap();
        let why = Claim::take(folder.path()).unwrap_err().to_string();
        assert!(why.contains("process 7"), "{why}");
        drop(claim);
        Claim::take(folder.path()).unwrap();
    }

    #[test]
    fn what_a_dead_process_left_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let left = r#"{"pid":1,"control":"127.0.0.1:1"}"#;
        fs::write(folder.path().join(NAME), left).unwrap();
        fs::write(folder.path().join(LOCK), "").unwrap();
        assert!(matches!(read(folder.path()), Err(RunError::NotRunning(_))));
        let _claim = Claim::take(folder.path()).unwrap();
        assert!(!folder.path().join(NAME).exists());
    }
}
