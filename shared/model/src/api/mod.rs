//! The wire shapes of the management API, as its public model names them.
//!
//! For: reading and writing what users send and get, and knowing every operation and error code.
//! Not for: deciding whether a value is acceptable (`rules/planning`), nor for edges, which only
//! ever see a [`Plan`](crate::plan::Plan).
//!
//! Lists are `{Quantity, Items}` on the wire, and `Items` holds named members; in JSON, as the AWS
//! CLI prints it, `Items` is a plain array. Both read into the same type.

#[expect(
    missing_docs,
    clippy::too_many_lines,
    reason = "tables of names: the vendor's prose is not ours to copy, and a table is as long as it is"
)]
mod generated;
mod list;
mod word;

pub use generated::*;
use list::list;
use word::word;

/// One operation of the API: where it is called and what it carries.
///
/// Shape: `path` has no version prefix and names its parameters in braces: `/distribution/{Id}`.
#[derive(Debug)]
pub struct Operation {
    /// Which one.
    pub name: OperationName,
    /// HTTP method, upper case.
    pub method: &'static str,
    /// Path template without the `/2020-05-31` prefix.
    pub path: &'static str,
    /// Query parameters that tell this operation from its siblings on one path; an empty value
    /// means that the bare key suffices (`?WithTags`).
    pub select: &'static [(&'static str, &'static str)],
    /// Names of the query parameters it takes.
    pub query: &'static [&'static str],
    /// Names of the request headers it takes.
    pub headers: &'static [&'static str],
    /// Status of success.
    pub status: u16,
    /// Request body.
    pub request: Body,
    /// Response body.
    pub response: Body,
    /// Errors that the model lists for it.
    pub errors: &'static [ErrorCode],
}

/// What a request or a response carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    None,
    /// XML with this root element.
    Xml(&'static str),
    /// Raw bytes.
    Blob,
}

/// A structure or a list of the model and what it holds, for walking the model.
#[derive(Debug)]
pub struct Shape {
    /// Its name: `DistributionConfig`.
    pub name: &'static str,
    /// Whether it is a list; it has one member then, named as the items' element.
    pub list: bool,
    /// What stands in bodies; headers, paths and queries are left out.
    pub members: &'static [Member],
}

/// One member of a [`Shape`].
#[derive(Debug)]
pub struct Member {
    /// Its element's name.
    pub name: &'static str,
    /// The name of its [`Shape`] or of its fixed words; else `string`, `integer`, `boolean` and so on.
    pub shape: &'static str,
    /// Whether the model requires it.
    pub required: bool,
}

impl Shape {
    /// The shape of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        SHAPES.iter().find(|shape| shape.name == name)
    }

    /// The paths of everything below the shape `name` that holds a value of its own:
    /// `Aliases.Items[]`. Shapes that hold themselves are not followed twice.
    pub fn leaves(name: &str) -> Vec<String> {
        let mut found = Vec::new();
        follow(name, "", &mut Vec::new(), &mut found);
        found
    }
}

fn follow(name: &str, path: &str, above: &mut Vec<&'static str>, found: &mut Vec<String>) {
    let shape = Shape::named(name).filter(|shape| !above.contains(&shape.name));
    let Some(shape) = shape else {
        found.push(path.to_owned());
        return;
    };
    above.push(shape.name);
    for member in shape.members {
        let dot = if path.is_empty() { "" } else { "." };
        let place =
            if shape.list { format!("{path}[]") } else { format!("{path}{dot}{}", member.name) };
        follow(member.shape, &place, above, found);
    }
    above.pop();
}
