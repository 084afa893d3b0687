//! Whether an invalidation path is acceptable (CloudFront developer guide, "What you need to know
//! when invalidating files").
//!
//! For: control, before an invalidation is accepted. Not for: how many there may be at once.

/// Longest path, in bytes.
pub const LONGEST: usize = 4000;

/// What is wrong with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    /// It does not begin with `/`.
    #[error("an invalidation path must begin with /")]
    NoSlash,
    /// It is longer than [`LONGEST`].
    #[error("an invalidation path may have at most 4000 characters")]
    TooLong,
    /// It has `~`, which CloudFront does not support in invalidation paths.
    #[error("an invalidation path may not contain ~; use a wildcard path that covers it")]
    Tilde,
    /// It has a character that no viewer can send as it is.
    #[error("an invalidation path may not contain {0:?}; percent-encode it")]
    Character(char),
}

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
    match path.chars().find(|found| !found.is_ascii_graphic() || matches!(found, '~' | '#')) {
        None => Ok(()),
        Some('~') => Err(PathFault::Tilde),
        Some(found) => Err(PathFault::Character(found)),
    }
}

/// Whether a path counts against the limit of wildcard paths.
pub fn is_wildcard(path: &str) -> bool {
    path.ends_with('*')
}
