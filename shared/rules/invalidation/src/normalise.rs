//! A path as patterns see it (RFC 3986 §6.2.2).
//!
//! For: matching only; origins get the path as the viewer sent it.
//! Not for: cache keys, in which paths are raw.

use std::borrow::Cow;

/// The path without dot segments (§5.2.4) and repeated slashes, and with unreserved characters that
/// came as `%XX` written plainly (§6.2.2.2), so that `/a/%2e%2e/private/x` and `/%70rivate/x` meet
/// the same behaviour as `/private/x`.
///
/// Shape:  the path alone, without query; the result begins with `/`. Other `%XX` stay as they are.
/// Errors: none. A path that needs no change is borrowed.
pub fn normalise(path: &str) -> Cow<'_, str> {
    if is_normal(path) {
        return Cow::Borrowed(path);
    }
    let plain = decode_unreserved(path);
    Cow::Owned(without_dots(&plain))
}

fn is_normal(path: &str) -> bool {
    let mut after_slash = false;
    path.starts_with('/')
        && path.bytes().all(|byte| {
            let odd = byte == b'%' || (after_slash && matches!(byte, b'/' | b'.'));
            after_slash = byte == b'/';
            !odd
        })
}

fn decode_unreserved(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        let (before, escaped) = rest.split_at(at);
        plain.push_str(before);
        if let Some(byte) = unreserved(escaped) {
            plain.push(char::from(byte));
            rest = escaped.get(3..).unwrap_or_default();
        } else {
            plain.push('%');
            rest = escaped.get(1..).unwrap_or_default();
        }
    }
    plain + rest
}

/// The unreserved character (RFC 3986 §2.3) that `%XX` at the start of this text stands for.
///
/// `%+1`, which the parser of numbers would take, is at most 15 and so never unreserved.
fn unreserved(escaped: &str) -> Option<u8> {
    let digits = escaped.get(1..3)?;
    let byte = u8::from_str_radix(digits, 16).ok()?;
    (byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)).then_some(byte)
}

fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut folder = true;
    for segment in path.split('/') {
        folder = matches!(segment, "" | "." | "..");
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    let mut normal = String::with_capacity(path.len() + 1);
    for segment in &kept {
        normal.push('/');
        normal.push_str(segment);
    }
    if folder {
        normal.push('/');
    }
    normal
}
