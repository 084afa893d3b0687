//! Which operation a method, a path and a query mean.

use super::{
    call::Query,
    fault::{Common, Fault},
    version::Version,
};
use model::api::{OPERATIONS, Operation};
use percent_encoding::percent_decode_str;

/// The version that stands before every path.
pub const VERSION: &str = "/2020-05-31";

/// Path parameters, by the names of the template.
pub type Params = Vec<(&'static str, String)>;

/// Finds the operation. Shape: `path` as it stands in the request line, with the version.
///
/// # Errors
/// `UnknownOperationException` for paths that no operation has, `MethodNotAllowed` for others.
pub fn find(
    method: &str,
    path: &str,
    query: &Query,
) -> Result<(&'static Operation, Params), Fault> {
    let unknown = || {
        let message = format!("no operation of the API has the path of this request: {method}");
        Fault::common(Common::UnknownOperation, message)
    };
    let (version, bare) = Version::of_path(path).ok_or_else(unknown)?;
    let fitting: Vec<_> = OPERATIONS
        .iter()
        .filter(|operation| version.has(operation.name))
        .filter_map(|operation| Some((operation, params(operation.path, bare)?)))
        .collect();
    if fitting.is_empty() {
        return Err(unknown());
    }
    fitting
        .into_iter()
        .filter(|(operation, _)| operation.method == method && selected(operation, query))
        .max_by_key(|(operation, params)| (operation.select.len(), usize::MAX - params.len()))
        .ok_or_else(|| not_allowed(method))
}

fn not_allowed(method: &str) -> Fault {
    let message = format!("this path has no operation for {method} with these query parameters");
    Fault::common(Common::MethodNotAllowed, message)
}

/// Whether the query has what tells this operation from its siblings.
fn selected(operation: &Operation, query: &Query) -> bool {
    operation
        .select
        .iter()
        .all(|(key, value)| query.get(key).is_some_and(|given| value.is_empty() || given == *value))
}

/// The parameters of `path`, if it fits the template.
fn params(template: &'static str, path: &str) -> Option<Params> {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    let mut found = Vec::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(found),
            (Some(wanted), Some(given)) => match name_of(wanted) {
                Some(name) => found.push((name, decoded(given)?)),
                None if wanted == given => {}
                None => return None,
            },
            _ => return None,
        }
    }
}

fn name_of(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// A segment's text; none when it is empty or no UTF-8.
fn decoded(segment: &str) -> Option<String> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    Some(text.into_owned()).filter(|text| !text.is_empty())
}

/// The query string in its parts, decoded. `+` stands for itself, as signing has it.
pub fn query(raw: &str) -> Query {
    let parts = raw.split('&').filter(|part| !part.is_empty());
    let text = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    Query(
        parts
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .map(|(key, value)| (text(key), text(value)))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::api::{Body, OperationName};

    fn found(method: &str, path: &str, raw: &str) -> Result<(OperationName, Params), u16> {
        find(method, path, &query(raw))
            .map(|(operation, params)| (operation.name, params))
            .map_err(|fault| fault.status())
    }

    /// A path of the template with `x1`, `x2` … for its parameters.
    fn sample(operation: &Operation) -> (String, String) {
        let mut count = 0;
        let segments = operation.path.split('/').map(|segment| {
            if segment.starts_with('{') {
                count += 1;
                format!("x{count}")
            } else {
                segment.to_owned()
            }
        });
        let path = format!("{VERSION}{}", segments.collect::<Vec<_>>().join("/"));
        let query = operation.select.iter().map(|(key, value)| match *value {
            "" => (*key).to_owned(),
            value => format!("{key}={value}"),
        });
        (path, query.collect::<Vec<_>>().join("&"))
    }

    #[test]
    fn every_operation_of_the_model_is_found_by_its_own_path() {
        for operation in &OPERATIONS {
            let (path, query) = sample(operation);
            let (name, _) = found(operation.method, &path, &query).unwrap();
            let twins = [operation.name, name].map(OperationName::as_str);
            assert_eq!(name, operation.name, "{twins:?} {path}?{query}");
            assert!(!matches!(operation.request, Body::Xml("")), "{}", name.as_str());
        }
    }

    #[test]
    fn the_bare_key_selects_the_twin_with_tags() {
        let path = "/2020-05-31/distribution";
        assert_eq!(found("POST", path, "").unwrap().0, OperationName::CreateDistribution);
        let (name, _) = found("POST", path, "WithTags").unwrap();
        assert_eq!(name, OperationName::CreateDistributionWithTags);
    }

    #[test]
    fn older_versions_have_the_operations_of_their_time() {
        let (name, params) = found("GET", "/2018-11-05/distribution/E1", "").unwrap();
        assert_eq!((name, params), (OperationName::GetDistribution, vec![("Id", "E1".into())]));
        let (name, _) = found("POST", "/2016-08-01/distribution", "WithTags").unwrap();
        assert_eq!(name, OperationName::CreateDistributionWithTags);
        let (name, _) = found("POST", "/2014-05-31/distribution", "WithTags").unwrap();
        assert_eq!(name, OperationName::CreateDistribution);
    }

    #[test]
    fn parameters_are_decoded_once() {
        let (_, params) = found("GET", "/2020-05-31/distribution/a%252Fb%2Fc", "").unwrap();
        assert_eq!(params, [("Id", "a%2Fb/c".to_owned())]);
    }

    #[test]
    fn unknown_paths_and_methods_are_told_apart() {
        assert_eq!(found("GET", "/2020-05-31/nothing", "").unwrap_err(), 404);
        assert_eq!(found("GET", "/2018-11-06/distribution", "").unwrap_err(), 404);
        assert_eq!(found("GET", "/2018-11-05/cache-policy", "").unwrap_err(), 404);
        assert_eq!(found("GET", "/2020-05-31/distribution/", "").unwrap_err(), 404);
        assert_eq!(found("PATCH", "/2020-05-31/distribution", "").unwrap_err(), 405);
        assert_eq!(found("POST", "/2020-05-31/tagging", "Operation=Nap").unwrap_err(), 405);
    }
}
