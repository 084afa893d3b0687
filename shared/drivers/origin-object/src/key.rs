//! From a viewer's path to an object's key, and from a key to the path in a request to S3.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// All but what URIs call unreserved (RFC 3986 §2.3), as S3's signatures want it.
pub(crate) const STRICT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same, but slashes stay.
const STRICT_PATH: &AsciiSet = &STRICT.remove(b'/');

/// An object's key and the query that came with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Decoded once, without the first slash. Not necessarily UTF-8; may be empty: the bucket.
    pub bytes: Vec<u8>,
    /// As it came, without `?`.
    pub query: Option<String>,
}

impl Key {
    /// Of `/path?query`. `+` is a plus sign, as URIs have it (RFC 3986), not a space.
    pub fn of(path_and_query: &str) -> Self {
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (path_and_query, None),
        };
        let path = path.strip_prefix('/').unwrap_or(path);
        Self { bytes: percent_decode_str(path).collect(), query }
    }

    /// Whether its `..` lead out of the bucket when they are read from left to right. S3 refuses
    /// such keys; a server that takes keys for file names would follow them.
    ///
    /// Source: Amazon S3 user guide, "Naming Amazon S3 objects", relative path elements.
    pub fn climbs(&self) -> bool {
        self.depths().any(|depth| depth < 0)
    }

    /// Whether it is the bucket itself, for a server that takes keys for file names if not for all.
    pub fn is_root(&self) -> bool {
        self.depths().last().unwrap_or_default() == 0
    }

    /// How deep in the bucket each part of it leads.
    fn depths(&self) -> impl Iterator<Item = i64> {
        self.bytes.split(|b| *b == b'/').scan(0, |depth, part| {
            *depth += match part {
                b".." => -1,
                b"" | b"." => 0,
                _ => 1,
            };
            Some(*depth)
        })
    }

    /// As text, if it is UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// The path in a request: encoded once, strictly, without a first slash.
    pub fn encoded(&self) -> String {
        encode_path(&self.bytes)
    }
}

/// Encodes what S3's signatures want encoded, slashes excepted.
pub(crate) fn encode_path(bytes: &[u8]) -> String {
    percent_encode(bytes, STRICT_PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(path: &str) -> String {
        Key::of(path).encoded()
    }

    #[test]
    fn a_path_is_decoded_once_and_encoded_strictly() {
        assert_eq!(encoded("/a%20b"), "a%20b");
        assert_eq!(encoded("/a+b"), "a%2Bb");
        assert_eq!(encoded("/a%2Fb"), "a/b");
        assert_eq!(encoded("/a%252Fb"), "a%252Fb");
        assert_eq!(encoded("/%C3%A9t%c3%a9"), "%C3%A9t%C3%A9");
        assert_eq!(encoded("/a//b/"), "a//b/");
        assert_eq!(encoded("//a"), "/a");
        assert_eq!(encoded("/(a)!*'~.-_"), "%28a%29%21%2A%27~.-_");
        assert_eq!(encoded("/%zz%"), "%25zz%25");
        assert_eq!(encoded("/%FF"), "%FF");
    }

    #[test]
    fn the_query_stays_as_it_is() {
        let key = Key::of("/a?b=%2F&c?d");
        assert_eq!(key.query.as_deref(), Some("b=%2F&c?d"));
        assert_eq!(Key::of("/a").query, None);
    }

    #[test]
    fn only_keys_that_leave_the_bucket_climb() {
        for path in ["/a/../b", "/..a", "/a/./../b", "/a//../b", "/a/.."] {
            assert!(!Key::of(path).climbs(), "{path}");
        }
        for path in ["/..", "/../a", "/a/../../b", "/%2e%2e/a", "/a/..%2F..%2Fb", "/.//../a"] {
            assert!(Key::of(path).climbs(), "{path}");
        }
    }

    #[test]
    fn the_bucket_itself_is_known_in_disguise() {
        for path in ["/", "", "//", "/.", "/a/..", "/%2e/", "/?list-type=2"] {
            assert!(Key::of(path).is_root(), "{path}");
        }
        for path in ["/a", "/a/", "/...", "/a/../b"] {
            assert!(!Key::of(path).is_root(), "{path}");
        }
    }

    proptest! {
        #[test]
        fn encoding_undoes_decoding(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let path = format!("/{}", encode_path(&bytes));
            prop_assert_eq!(Key::of(&path).bytes, bytes);
        }
    }
}
