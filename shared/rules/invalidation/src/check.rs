//! Whether an invalidation path is acceptable (CloudFront developer guide, "What you need to know
//! when invalidating files").
//!
//! For: control, before an invalidation is accepted. Not for: how many there may be at once.

/// Longest path, in bytes.
pub const LONGEST: usize = 4000;

/// What is wrong with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathFault {
    /// It does not begin with `/`.
    NoSlash,
    /// It is longer than [`LONGEST`].
    TooLong,
    /// It has a character that no viewer can send as it is, or `~`, which is not supported.
    Character(char),
}

impl std::fmt::Display for PathFault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSlash => out.write_str("an invalidation path must begin with /"),
            Self::TooLong => out.write_str("an invalidation path may have at most 4000 characters"),
            Self::Character('~') => out
                .write_str("an invalidation path may not contain ~; use a wildcard that covers it"),
            Self::Character(found) => {
                write!(
                    out,
                    "an invalidation path may not contain {found:?}; percent-encode it"
                )
            }
        }
    }
}

impl std::error::Error for PathFault {}

/// Whether a path may be invalidated: it begins with `/`, has at most [`LONGEST`] characters, all
/// of them visible ASCII, and neither `~` nor `#`. A query string may follow; a final `*` is a
/// wildcard, any other `*` is itself.
///
/// # Errors
/// What is wrong, in words for the user.
pub fn check_path(path: &str) -> Result<(), PathFault> {
    if !path.starts_with('/') {
        return Err(PathFault::NoSlash);
    }
    if path.len() > LONGEST {
        return Err(PathFault::TooLong);
    }
    let refused = |found: &char| !found.is_ascii_graphic() || matches!(found, '~' | '#');
    path.chars()
        .find(refused)
        .map_or(Ok(()), |found| Err(PathFault::Character(found)))
}

/// Whether a path counts against the limit of wildcard paths.
pub fn is_wildcard(path: &str) -> bool {
    path.ends_with('*')
}
