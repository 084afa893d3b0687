//! The API's lists: `<Items><CNAME>a</CNAME></Items>` in XML, `["a"]` in JSON.

/// Declares a list shape: its type, its item's type, and the name that an item has on the wire.
macro_rules! list {
    ($name:ident, $item:ty, $member:literal) => {
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name(pub Vec<$item>);

        impl From<Vec<$item>> for $name {
            fn from(items: Vec<$item>) -> Self {
                Self(items)
            }
        }

        impl FromIterator<$item> for $name {
            fn from_iter<I: IntoIterator<Item = $item>>(items: I) -> Self {
                Self(items.into_iter().collect())
            }
        }

        impl std::ops::Deref for $name {
            type Target = [$item];
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeStruct as _;
                let mut list = out.serialize_struct(stringify!($name), 1)?;
                list.serialize_field($member, &self.0)?;
                list.end()
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let reader = super::list::Reader::new($member);
                from.deserialize_struct(stringify!($name), &[$member], reader).map(Self)
            }
        }
    };
}
pub(super) use list;

use serde::de::{Deserialize, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::{fmt, marker::PhantomData};

/// Most items that one list may hold: above any limit of the API, far below what memory minds.
const MOST_ITEMS: usize = 10_000;

/// Reads a list in either of its two forms.
pub(super) struct Reader<T> {
    member: &'static str,
    item: PhantomData<T>,
}

impl<T> Reader<T> {
    pub(super) fn new(member: &'static str) -> Self {
        Self { member, item: PhantomData }
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
    type Value = Vec<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a list of <{}>", self.member)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut found = Vec::new();
        while let Some(item) = items.next_element()? {
            bounded(&found)?;
            found.push(item);
        }
        Ok(found)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Vec<T>, A::Error> {
        let mut found = Vec::new();
        while let Some(name) = entries.next_key::<String>()? {
            if name != self.member {
                entries.next_value::<IgnoredAny>()?;
                return Err(A::Error::custom(format!(
                    "unknown element <{name}> in a list of <{}>",
                    self.member
                )));
            }
            found.append(&mut entries.next_value::<Vec<T>>()?);
            bounded(&found)?;
        }
        Ok(found)
    }
}

fn bounded<T, E: Error>(found: &[T]) -> Result<(), E> {
    if found.len() > MOST_ITEMS {
        return Err(E::custom(format!("a list of more than {MOST_ITEMS} items")));
    }
    Ok(())
}
