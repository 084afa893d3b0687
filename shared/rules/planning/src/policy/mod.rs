//! Policies: whether one may be kept, and what it means once a behaviour uses it.

pub mod access_control;
pub mod cache;
pub mod continuous_deployment;
pub mod origin_request;
pub mod response_headers;

use crate::{Faults, Quota, Quotas};
use model::{
    api::{CookieNames, ErrorCode, Headers, QueryStringNames},
    plan::Selection,
};
use std::collections::BTreeSet;

/// Longest name and comment of a policy.
pub(crate) const LONGEST_NAME: usize = 128;

/// The names in a policy's list of headers, cookies or query strings.
pub(crate) trait Names {
    /// What `Quantity` says.
    fn quantity(&self) -> i32;
    /// What `Items` holds.
    fn names(&self) -> &[String];
}

macro_rules! names {
    ($($list:ty),*) => {$(
        impl Names for $list {
            fn quantity(&self) -> i32 {
                self.quantity
            }
            fn names(&self) -> &[String] {
                crate::faults::items!(self)
            }
        }
    )*};
}
names!(CookieNames, Headers, QueryStringNames);

/// The names of a list that may be left out.
pub(crate) fn names_of<L: Names>(list: Option<&L>) -> &[String] {
    list.map(Names::names).unwrap_or_default()
}

/// How a policy chooses among names; the three kinds of policy spell the same four choices.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    None,
    Only,
    Except,
    All,
}

impl Choice {
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "none" => Self::None,
            "allExcept" => Self::Except,
            "all" => Self::All,
            _ => Self::Only,
        }
    }

    pub(crate) fn select<L: Names>(self, list: Option<&L>) -> Selection {
        let names = || names_of(list).to_vec();
        match self {
            Self::None => Selection::None,
            Self::Only => Selection::Only(names()),
            Self::Except => Selection::Except(names()),
            Self::All => Selection::All,
        }
    }
}

/// A list of names goes with a choice that needs one, and only with such a choice.
pub(crate) fn check_names<L: Names>(
    faults: &mut Faults,
    path: &str,
    needs_names: bool,
    list: Option<&L>,
    too_many: ErrorCode,
    quotas: &Quotas,
) {
    if let Some(list) = list {
        faults.counted(path, list.quantity(), list.names().len());
    }
    let names = names_of(list);
    let (fine, message) = if needs_names {
        (!names.is_empty(), "this behavior needs at least one name")
    } else {
        (names.is_empty(), "this behavior takes no names: leave the list out")
    };
    faults.require(fine, path, ErrorCode::InvalidArgument, message);
    let most = quotas.most(Quota::NamesInPolicy);
    if !quotas.allow(Quota::NamesInPolicy, names.len()) {
        return faults.add(path, too_many, format!("at most {most} names"));
    }
    let total: usize = names.iter().map(String::len).sum();
    faults.require(
        total <= 1024 || most > Quota::NamesInPolicy.default_most(),
        path,
        too_many,
        "the names together have more than 1024 characters",
    );
    check_once(faults, path, names);
    for (index, name) in names.iter().enumerate() {
        let fine = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        let place = format!("{path}.Items[{index}]");
        faults.require(fine, &place, ErrorCode::InvalidArgument, "not a name");
    }
}

/// Nothing may stand twice in a list.
pub(crate) fn check_once<T: Ord + AsRef<str>>(faults: &mut Faults, path: &str, names: &[T]) {
    let mut seen = BTreeSet::new();
    for (index, name) in names.iter().enumerate() {
        let place = format!("{path}.Items[{index}]");
        let first = seen.insert(name.as_ref());
        faults.require(first, place, ErrorCode::InvalidArgument, "stands twice in the list");
    }
}

/// Whether every name is an HTTP field name (RFC 9110 §5.1), whose case makes no difference.
pub(crate) fn check_field_names(faults: &mut Faults, path: &str, names: &[String]) {
    let mut exactly: Vec<&str> = names.iter().map(String::as_str).collect();
    exactly.sort_unstable();
    let alike = exactly.windows(2).any(|pair| pair.first() == pair.last());
    if !alike {
        let lower: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        check_once(faults, path, &lower);
    }
    for (index, name) in names.iter().enumerate() {
        faults.require(
            http::HeaderName::from_bytes(name.as_bytes()).is_ok(),
            format!("{path}.Items[{index}]"),
            ErrorCode::InvalidArgument,
            format!("{name:?} is not the name of a header"),
        );
    }
}

/// A policy's own name and comment.
pub(crate) fn check_label(faults: &mut Faults, name: &str, comment: Option<&String>) {
    let fine = (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    faults.require(
        fine,
        "Name",
        ErrorCode::InvalidArgument,
        "a name has 1 to 128 letters, digits, '-', '_' or '.'",
    );
    let short = comment.is_none_or(|comment| comment.chars().count() <= LONGEST_NAME);
    faults.require(short, "Comment", ErrorCode::InvalidArgument, "longer than 128 characters");
}

/// Names of headers, lower case and sorted, as plans hold them.
pub(crate) fn lower_case(names: &[String]) -> Vec<String> {
    let mut lower: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    lower.sort();
    lower.dedup();
    lower
}
