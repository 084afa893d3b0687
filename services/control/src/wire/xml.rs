//! XML out: the declaration, the namespace, the error body.

use super::fault::Fault;
use serde::Serialize;

/// Namespace of every body, both ways.
pub const NAMESPACE: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// `value` under this root element.
///
/// # Errors
/// An internal fault when the value has no XML form, which no shape of the API lacks.
pub fn write<T: Serialize>(root: &str, value: &T) -> Result<String, Fault> {
    let body = quick_xml::se::to_string_with_root(root, value).map_err(Fault::internal)?;
    Ok(with_namespace(root, &body))
}

/// The body of an error (CloudFront API reference, error responses).
pub fn write_fault(fault: &Fault, request: &str) -> String {
    let side = if fault.status() < 500 { "Sender" } else { "Receiver" };
    let message = escape(&fault.message);
    format!(
        "{DECLARATION}<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{side}</Type>\
         <Code>{}</Code><Message>{message}</Message></Error>\
         <RequestId>{request}</RequestId></ErrorResponse>",
        fault.code
    )
}

/// The body of an error in the form of IAM and STS (IAM API reference, "Common errors").
pub fn write_form_fault(fault: &Fault, request: &str) -> String {
    let side = if fault.status() < 500 { "Sender" } else { "Receiver" };
    let message = escape(&fault.message);
    format!(
        "{DECLARATION}<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error>\
         <Type>{side}</Type><Code>{}</Code><Message>{message}</Message></Error>\
         <RequestId>{request}</RequestId></ErrorResponse>",
        fault.code
    )
}

fn with_namespace(root: &str, body: &str) -> String {
    let rest = body.get(root.len() + 1..).unwrap_or_default();
    format!("{DECLARATION}<{root} xmlns=\"{NAMESPACE}\"{rest}")
}

/// Text of an error: markup escaped, and what XML cannot hold replaced.
pub fn escape(text: &str) -> String {
    let clean: String =
        text.chars().map(|c| if super::read::is_xml(c) { c } else { '\u{fffd}' }).collect();
    quick_xml::escape::escape(&clean).into_owned()
}
