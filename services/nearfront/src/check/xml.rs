//! XML as a tree: elements are members, repeated ones lists, everything else text.

use quick_xml::{Reader, events::Event};
use serde_json::{Map, Value};

/// Deepest nesting that is read.
const MOST_DEPTH: usize = 64;

/// An element that is still open.
#[derive(Default)]
struct Open {
    members: Map<String, Value>,
    text: String,
}

impl Open {
    fn add(&mut self, name: String, value: Value) {
        match self.members.remove(&name) {
            None => self.members.insert(name, value),
            Some(Value::Array(mut all)) => {
                all.push(value);
                self.members.insert(name, Value::Array(all))
            }
            Some(one) => self.members.insert(name, Value::Array(vec![one, value])),
        };
    }

    fn value(self) -> Value {
        if self.members.is_empty() { Value::String(self.text) } else { Value::Object(self.members) }
    }
}

/// The tree of a whole document, with the root as the only member.
///
/// # Errors
/// What is wrong, with its position in bytes.
pub(super) fn tree(text: &str) -> Result<Value, String> {
    let mut reader = Reader::from_str(text);
    let mut open = vec![(String::new(), Open::default())];
    loop {
        let event = reader.read_event();
        let place = reader.buffer_position();
        let event = event.map_err(|why| format!("this is not XML (byte {place}): {why}"))?;
        if matches!(event, Event::Eof) {
            break;
        }
        step(&mut open, event).map_err(|why| format!("byte {place}: {why}"))?;
    }
    match (open.len(), open.pop()) {
        (1, Some((_, document))) => Ok(document.value()),
        _ => Err("this is not XML: it ends within an element".to_owned()),
    }
}

fn step(open: &mut Vec<(String, Open)>, event: Event<'_>) -> Result<(), String> {
    match event {
        Event::Start(start) => {
            if open.len() > MOST_DEPTH {
                return Err(format!("more than {MOST_DEPTH} elements are nested"));
            }
            open.push((start.local_name().as_ref().to_owned(), Open::default()));
        }
        Event::Empty(empty) => {
            let name = empty.local_name().as_ref().to_owned();
            add(open, name, Value::from(""));
        }
        Event::End(_) => {
            if let Some((name, ended)) = open.pop() {
                add(open, name, ended.value());
            }
        }
        Event::Text(text) => push(open, &text),
        Event::CData(text) => push(open, &text),
        Event::GeneralRef(name) => push(open, &resolved(&name)?),
        Event::DocType(_) => return Err("a document type is not accepted".to_owned()),
        _ => {}
    }
    Ok(())
}

fn add(open: &mut [(String, Open)], name: String, value: Value) {
    if let Some((_, parent)) = open.last_mut() {
        parent.add(name, value);
    }
}

fn push(open: &mut [(String, Open)], text: &str) {
    if let Some((_, element)) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// `&amp;` and its four siblings, and characters by number (XML 1.0 §4.1, §4.6).
fn resolved(name: &quick_xml::events::BytesRef<'_>) -> Result<String, String> {
    if let Some(character) = name.resolve_char_ref().map_err(|why| why.to_string())? {
        return Ok(character.to_string());
    }
    quick_xml::escape::resolve_predefined_entity(name)
        .map(str::to_owned)
        .ok_or_else(|| format!("there is no entity &{};", &**name))
}
