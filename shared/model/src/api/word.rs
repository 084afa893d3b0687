//! The API's fixed words: one of a few, as text.
//!
//! Serde's own way with such types is to take an element's name for the word where they stand in a
//! list (`<Method>GET</Method>` would mean the word "Method"), so they are read as text instead.

/// Reads a type of these fixed words, which tells each one's text by `as_str`.
macro_rules! word {
    ($name:ident: $($word:ident),+) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                super::word::read(from, &[$(Self::$word),+], Self::as_str)
            }
        }
    };
}
pub(super) use word;

use serde::{Deserialize as _, Deserializer, de::Error as _};

/// The one of `all` whose text this is.
pub(super) fn read<'de, W: Copy, D: Deserializer<'de>>(
    from: D,
    all: &[W],
    text: impl Fn(W) -> &'static str,
) -> Result<W, D::Error> {
    let given = String::deserialize(from)?;
    all.iter().copied().find(|word| text(*word) == given).ok_or_else(|| {
        let words: Vec<_> = all.iter().map(|word| text(*word)).collect();
        D::Error::custom(format!("{given:?} is none of: {}", words.join(", ")))
    })
}
