//! Pages of lists: `Marker` is the last id of the page before, `MaxItems` how many are wanted.

use super::{call::Query, fault::Fault};
use model::api::ErrorCode;

/// Most and default items on one page.
pub const MOST_ITEMS: usize = 100;

/// Which page is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Everything up to this id, and the id itself, is left out; empty for the first page.
    pub marker: String,
    /// 1 to [`MOST_ITEMS`].
    pub most: usize,
}

/// One page, in the parts that the API's wrappers have.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// As the caller gave it.
    pub marker: String,
    /// Where the next page begins; none when this is the last.
    pub next: Option<String>,
    /// As the caller gave it, bounded.
    pub max_items: i32,
    /// None when there are no items, as the API leaves `Items` out then.
    pub items: Option<Vec<T>>,
}

impl Wanted {
    /// From the query parameters `Marker` and `MaxItems`.
    ///
    /// # Errors
    /// `InvalidArgument` when `MaxItems` is no number of at least 1. More than [`MOST_ITEMS`] means
    /// [`MOST_ITEMS`].
    pub fn from(query: &Query) -> Result<Self, Fault> {
        let most = query.get("MaxItems").filter(|text| !text.is_empty());
        Self::of(query.get("Marker"), most)
    }

    /// From a marker and a number of items, as lists that are asked for by POST carry them.
    ///
    /// # Errors
    /// Those of [`Wanted::from`].
    pub fn of(marker: Option<&str>, most: Option<&str>) -> Result<Self, Fault> {
        let most = most.map_or(Ok(MOST_ITEMS), at_most)?;
        let marker = marker.unwrap_or_default().to_owned();
        if !marker.is_empty() && !crate::ids::is_plain(&marker) {
            let message = "Marker must be the NextMarker of the page before";
            return Err(Fault::new(ErrorCode::InvalidArgument, message));
        }
        Ok(Self { marker, most })
    }

    /// The page of `items`, of which there may be one more than wanted, to show that it goes on.
    pub fn page<T>(&self, mut items: Vec<T>, id: impl Fn(&T) -> String) -> Page<T> {
        let more = items.len() > self.most;
        items.truncate(self.most);
        Page {
            marker: self.marker.clone(),
            next: items.last().filter(|_| more).map(id),
            max_items: i32::try_from(self.most).unwrap_or(i32::MAX),
            items: Some(items).filter(|items| !items.is_empty()),
        }
    }
}

impl<T> Page<T> {
    /// How many items stand here.
    pub fn quantity(&self) -> i32 {
        let items = self.items.as_ref().map_or(0, Vec::len);
        i32::try_from(items).unwrap_or(i32::MAX)
    }
}

fn at_most(text: &str) -> Result<usize, Fault> {
    match text.parse::<u32>() {
        Ok(most) if most >= 1 => Ok(usize::try_from(most).unwrap_or(MOST_ITEMS).min(MOST_ITEMS)),
        _ => Err(Fault::new(
            ErrorCode::InvalidArgument,
            "MaxItems must be a whole number from 1 to 100",
        )),
    }
}
