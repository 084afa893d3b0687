//! XML in: bytes to one of the API's shapes, strictly.
//!
//! A first pass accepts only plain elements and text in UTF-8 (no document type, no attributes but
//! namespaces, bounded depth, no character that XML 1.0 forbids) and writes them out again; a second
//! pass reads the shape from that. Whatever gets through can be sent back as XML.

use super::{
    fault::{Common, Fault},
    shapes,
    version::Version,
};
use model::api::ErrorCode;
use quick_xml::{
    Reader,
    events::{BytesDecl, BytesRef, BytesStart, Event},
};
use serde::de::DeserializeOwned;

/// Longest body in bytes.
pub const MOST_BODY: usize = 1 << 20;
/// Deepest nesting of elements; the API's own shapes have less than 16.
const MOST_DEPTH: usize = 64;

/// Reads the shape whose root element is `root`.
///
/// # Errors
/// `MissingBody` when there is none; `MalformedXML` naming the element that is wrong.
pub fn read<T: DeserializeOwned>(root: &str, body: &[u8]) -> Result<T, Fault> {
    let text = utf8(body)?;
    let plain = plain(root, text)?;
    let mut from = quick_xml::de::Deserializer::from_str(&plain);
    serde_path_to_error::deserialize(&mut from).map_err(|error| {
        // Reading stops at the first fault: the model's own shape tells all of them.
        if let Some(faults) = shapes::faults(root, &plain) {
            return malformed(faults);
        }
        let path = error.path().to_string();
        let place = if path == "." { root.to_owned() } else { format!("{root}.{path}") };
        malformed(format!("{place}: {}", error.inner()))
    })
}

/// Whether XML 1.0 can hold this character (XML 1.0, production 2).
pub const fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn malformed(message: impl Into<String>) -> Fault {
    Fault::common(Common::MalformedXml, message)
}

fn utf8(body: &[u8]) -> Result<&str, Fault> {
    let text =
        std::str::from_utf8(body).map_err(|_| malformed("the body is not UTF-8, as it must be"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        let message = "this operation needs a body, but the request has none";
        return Err(Fault::new(ErrorCode::MissingBody, message));
    }
    if let Some(bad) = text.chars().find(|c| !is_xml(*c)) {
        return Err(malformed(format!("XML cannot hold the character U+{:04X}", u32::from(bad))));
    }
    Ok(text)
}

/// The document with nothing left but elements and text.
fn plain(root: &str, text: &str) -> Result<String, Fault> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut walk =
        Walk { root, depth: 0, seen_root: false, out: String::with_capacity(text.len()) };
    loop {
        let event = reader.read_event().map_err(|error| {
            malformed(format!("not well-formed at byte {}: {error}", reader.error_position()))
        })?;
        if matches!(event, Event::Eof) {
            return walk.finish();
        }
        walk.step(event)?;
    }
}

/// How far the first pass has come.
struct Walk<'r> {
    root: &'r str,
    depth: usize,
    seen_root: bool,
    out: String,
}

impl Walk<'_> {
    fn step(&mut self, event: Event<'_>) -> Result<(), Fault> {
        match event {
            Event::Start(tag) => self.open(&tag),
            Event::Empty(tag) => {
                self.open(&tag)?;
                self.close(tag.local_name().as_ref());
                Ok(())
            }
            Event::End(tag) => {
                self.close(tag.local_name().as_ref());
                Ok(())
            }
            Event::Text(text) => self.text(&text),
            Event::CData(data) => self.text(&quick_xml::escape::escape(&*data)),
            Event::GeneralRef(reference) => self.reference(&reference),
            Event::Decl(declaration) => encoding(&declaration),
            Event::DocType(_) => Err(malformed("a document type is not allowed")),
            Event::Comment(_) | Event::PI(_) | Event::Eof => Ok(()),
        }
    }

    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), Fault> {
        let name = tag.local_name();
        let name = name.as_ref();
        if self.depth == 0 {
            self.enter(name)?;
        }
        attributes(tag)?;
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(malformed(format!("elements are nested deeper than {MOST_DEPTH}")));
        }
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
        Ok(())
    }

    fn enter(&mut self, name: &str) -> Result<(), Fault> {
        if self.seen_root {
            return Err(malformed(format!("a second root element <{name}>")));
        }
        if name != self.root {
            return Err(malformed(format!("expected <{}>, found <{name}>", self.root)));
        }
        self.seen_root = true;
        Ok(())
    }

    fn close(&mut self, name: &str) {
        self.depth = self.depth.saturating_sub(1);
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    fn text(&mut self, escaped: &str) -> Result<(), Fault> {
        if escaped.contains("]]>") {
            return Err(malformed("]]> stands in text: write ]]&gt;"));
        }
        if self.depth > 0 {
            self.out.push_str(escaped);
            return Ok(());
        }
        if escaped.trim().is_empty() {
            return Ok(());
        }
        Err(malformed(format!("text outside <{}>", self.root)))
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), Fault> {
        let name: &str = reference;
        let known = matches!(name, "lt" | "gt" | "amp" | "apos" | "quot");
        let character = reference.resolve_char_ref().ok().flatten();
        if !known && !character.is_some_and(is_xml) {
            return Err(malformed(format!("&{name}; is not a reference that XML knows")));
        }
        self.text(&format!("&{name};"))
    }

    fn finish(self) -> Result<String, Fault> {
        if self.seen_root && self.depth == 0 {
            return Ok(self.out);
        }
        Err(malformed(format!("the document ends before </{}>", self.root)))
    }
}

fn encoding(declaration: &BytesDecl<'_>) -> Result<(), Fault> {
    let text: &str = declaration;
    let Some((_, rest)) = text.split_once("encoding") else { return Ok(()) };
    let named = rest.trim_start_matches([' ', '=', '"', '\'']);
    if named.len() >= 5
        && named.as_bytes().get(..5).is_some_and(|n| n.eq_ignore_ascii_case(b"utf-8"))
    {
        return Ok(());
    }
    Err(malformed("the body must be in UTF-8"))
}

/// Only namespaces may stand in a tag, and only the API's own.
fn attributes(tag: &BytesStart<'_>) -> Result<(), Fault> {
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| malformed(format!("an attribute: {error}")))?;
        let name = attribute.key.as_ref();
        let binding = attribute.key.as_namespace_binding().is_some();
        let value: &str = &attribute.value;
        let instance = "http://www.w3.org/2001/XMLSchema-instance";
        if !binding || (!Version::is_namespace(value) && value != instance) {
            let place = tag.local_name();
            return Err(malformed(format!("<{}> has the attribute {name}", place.as_ref())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::xml;
    use model::api::{InvalidationBatch, PathList, Paths};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_that_is_sent_makes_it_panic(body: Vec<u8>) {
            let _ = read::<InvalidationBatch>("InvalidationBatch", &body);
        }

        #[test]
        fn no_markup_makes_it_panic(body in "[<>/&;!\\[\\]?=\"'a-d# -]{0,60}") {
            let body = format!("<InvalidationBatch>{body}</InvalidationBatch>");
            let _ = read::<InvalidationBatch>("InvalidationBatch", body.as_bytes());
        }

        #[test]
        fn what_is_written_is_read_again(
            paths in prop::collection::vec("/[^\\p{C}\\s]{0,20}", 1..5),
            reference in "[!-~]([ -~]{0,20}[!-~])?",
        ) {
            let batch = InvalidationBatch {
                paths: Paths { quantity: 1, items: Some(PathList(paths)) },
                caller_reference: reference,
            };
            let body = xml::write("InvalidationBatch", &batch).unwrap();
            let again: InvalidationBatch = read("InvalidationBatch", body.as_bytes()).unwrap();
            prop_assert_eq!(again, batch);
        }
    }
}
