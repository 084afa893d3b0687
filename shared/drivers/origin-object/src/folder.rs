//! A folder as a bucket: a file is an object, read-only.
//!
//! Content types go by the file's extension; `text/*` and JavaScript are said to be UTF-8, JSON is
//! by definition (RFC 8259 §8.1) and has no charset parameter. The tag is made of the time of the
//! last change and the length, so that two edges over equal copies give equal tags.
//!
//! Nothing outside the folder is served: `.` and `..` are no names here, and a file whose real
//! path, symbolic links followed, is not below the folder does not exist. A link that somebody
//! swaps between that check and the opening is not caught: who may write to the folder is trusted.

use crate::{
    Asked,
    answer::{self, Object, Outline},
};
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, Method, header::CONTENT_TYPE};
use ports::origin::{Body, BodyError, OriginError, OriginResponse};
use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// How much is read at once.
const PIECE: usize = 64 * 1024;

/// A folder, or a folder of folders by bucket.
pub(crate) struct Folder {
    root: PathBuf,
    every_bucket: bool,
}

/// A file that may be served.
struct Found {
    file: fs::File,
    length: u64,
    modified: SystemTime,
}

impl Folder {
    /// Of this full path; it need not exist yet.
    pub fn new(root: PathBuf, every_bucket: bool) -> Self {
        Self { root, every_bucket }
    }

    /// GET and HEAD of a file.
    ///
    /// Errors: [`OriginError::Connect`] when the disk fails us.
    pub async fn answer(&self, asked: Asked<'_>) -> Result<OriginResponse, OriginError> {
        let method = &asked.request.method;
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Ok(answer::not_allowed(method, "GET, HEAD"));
        }
        let Some((root, path)) = self.path(&asked) else {
            return Ok(answer::not_found(method));
        };
        let fields = content_type(&path);
        match open(root, path).await {
            Ok(Some(found)) => respond(method, &asked.request.headers, fields, found).await,
            Ok(None) => Ok(answer::not_found(method)),
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                Ok(answer::access_denied(method))
            }
            Err(e) => Err(broken(&e)),
        }
    }

    /// The bucket's folder and the file's path; none for keys that no file can have.
    fn path(&self, asked: &Asked<'_>) -> Option<(PathBuf, PathBuf)> {
        let root = if self.every_bucket {
            self.root.join(&asked.bucket.as_ref()?.name)
        } else {
            self.root.clone()
        };
        let mut path = root.clone();
        for name in asked.key.text()?.split('/') {
            let odd = matches!(name, "" | "." | "..") || name.contains(['\0', '\\']);
            if odd {
                return None;
            }
            path.push(name);
        }
        Some((root, path))
    }
}

fn broken(error: &io::Error) -> OriginError {
    OriginError::Connect(format!("the folder cannot be read: {error}"))
}

async fn open(root: PathBuf, path: PathBuf) -> io::Result<Option<Found>> {
    tokio::task::spawn_blocking(move || find(&root, &path))
        .await
        .unwrap_or_else(|e| Err(io::Error::other(e)))
}

/// Opens what is a plain file within `root`. Its kind is looked at before it is opened: opening a
/// named pipe would wait for a writer.
fn find(root: &Path, path: &Path) -> io::Result<Option<Found>> {
    let (Some(root), Some(path)) = (real(root)?, real(path)?) else {
        return Ok(None);
    };
    if !path.starts_with(&root) || !fs::metadata(&path)?.is_file() {
        return Ok(None);
    }
    let file = fs::File::open(&path)?;
    let about = file.metadata()?;
    Ok(Some(Found { length: about.len(), modified: about.modified()?, file }))
}

/// Where a path really leads; none if nowhere: no such file, a name too long, links in a circle.
fn real(path: &Path) -> io::Result<Option<PathBuf>> {
    match fs::canonicalize(path) {
        Err(e) if e.kind() != io::ErrorKind::PermissionDenied => Ok(None),
        real => real.map(Some),
    }
}

async fn respond(
    method: &Method,
    asked: &HeaderMap,
    fields: HeaderMap,
    found: Found,
) -> Result<OriginResponse, OriginError> {
    let object =
        Object { length: found.length, etag: tag(&found), modified: found.modified, fields };
    let outline = Outline::of(method, asked, object);
    let body = match outline.bytes.clone() {
        Some(bytes) => Some(read(found.file, bytes).await.map_err(|e| broken(&e))?),
        None => None,
    };
    Ok(outline.with(body))
}

fn tag(found: &Found) -> String {
    let since = found.modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("\"{:x}-{:x}\"", since.as_nanos(), found.length)
}

fn content_type(path: &Path) -> HeaderMap {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let text = kind.type_() == "text" || kind.essence_str() == "application/javascript";
    let value =
        if text { format!("{}; charset=utf-8", kind.essence_str()) } else { kind.to_string() };
    HeaderValue::from_str(&value).map(|value| (CONTENT_TYPE, value)).into_iter().collect()
}

/// A file that is being read, and how much of it is still to come.
struct Reading {
    file: tokio::fs::File,
    left: u64,
}

impl Reading {
    async fn piece(&mut self) -> Result<Bytes, BodyError> {
        let size = usize::try_from(self.left).map_or(PIECE, |left| left.min(PIECE));
        let mut piece = BytesMut::with_capacity(size);
        let limited = (&mut self.file).take(size as u64).read_buf(&mut piece).await;
        let read = limited.map_err(|e| BodyError::Cut(e.to_string()))?;
        if read == 0 {
            return Err(BodyError::Cut("the file became shorter".into()));
        }
        self.left -= read as u64;
        Ok(piece.freeze())
    }
}

/// These bytes of a file, read as they are asked for.
async fn read(file: fs::File, bytes: Range<u64>) -> io::Result<Body> {
    let mut file = tokio::fs::File::from_std(file);
    file.seek(io::SeekFrom::Start(bytes.start)).await?;
    let reading = Reading { file, left: bytes.end - bytes.start };
    let pieces = stream::unfold(Some(reading), |state| async {
        let mut reading = state.filter(|reading| reading.left > 0)?;
        match reading.piece().await {
            Ok(piece) => Some((Ok(piece), Some(reading))),
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(pieces.boxed())
}
