//! What is wrong with the shape of a body, all of it at once: members that are missing, unknown or
//! twice there, words and numbers that are none.
//!
//! For: telling. Whether a body is read is decided where it is read; this looks at what was refused.

use model::api::{Member, Shape, WORDS};
use quick_xml::{Reader, escape::unescape, events::Event};

/// How many faults are told.
const MOST_TOLD: usize = 50;
/// Longest value that a message repeats.
const LONGEST_TOLD: usize = 100;

/// Everything that is wrong with `plain`, a document of elements and text alone, as the shape that
/// is called like its root; none when nothing is, or when there is no such shape.
pub(super) fn faults(root: &str, plain: &str) -> Option<String> {
    Shape::named(root)?;
    let mut reader = Reader::from_str(plain);
    let mut walk = Walk { root, open: Vec::new(), strange: 0, found: Vec::new() };
    while walk.found.len() <= MOST_TOLD {
        match reader.read_event().ok()? {
            Event::Start(tag) => walk.enter(tag.local_name().as_ref()),
            Event::Empty(tag) => {
                walk.enter(tag.local_name().as_ref());
                walk.leave();
            }
            Event::End(_) => walk.leave(),
            Event::Text(text) => walk.text(&text),
            Event::GeneralRef(name) => walk.text(&format!("&{};", &*name)),
            Event::Eof => break,
            _ => {}
        }
    }
    walk.told()
}

struct Walk<'r> {
    root: &'r str,
    open: Vec<Open>,
    /// How deep below an element that nobody knows.
    strange: usize,
    found: Vec<String>,
}

/// An element that has begun.
struct Open {
    path: String,
    /// The name of its shape, or what kind of value it holds.
    kind: &'static str,
    shape: Option<&'static Shape>,
    /// Which members have been seen.
    seen: Vec<bool>,
    items: usize,
    text: String,
}

impl Open {
    fn new(path: String, kind: &'static str) -> Self {
        let shape = Shape::named(kind);
        let members = shape.map_or(0, |shape| shape.members.len());
        Self { path, kind, shape, seen: vec![false; members], items: 0, text: String::new() }
    }

    /// The member of this name, and its path.
    fn member(&mut self, name: &str) -> Result<(String, &'static Member), String> {
        let path = &self.path;
        let Some(shape) = self.shape else {
            return Err(format!("{path}: <{name}> stands where a value belongs"));
        };
        let place = shape.members.iter().position(|member| member.name == name);
        let found = place.and_then(|place| Some((place, shape.members.get(place)?)));
        let Some((place, member)) = found else {
            let known: Vec<_> = shape.members.iter().map(|member| member.name).collect();
            let known = known.join(", ");
            return Err(format!("{path}: unknown element <{name}>; there are: {known}"));
        };
        if shape.list {
            self.items += 1;
            return Ok((format!("{path}[{}]", self.items - 1), member));
        }
        match self.seen.get_mut(place) {
            Some(seen) if !*seen => *seen = true,
            _ => return Err(format!("{path}.{name}: stands there twice")),
        }
        Ok((format!("{path}.{name}"), member))
    }

    /// What is missing in it, or wrong with its value.
    fn faults(&self) -> Vec<String> {
        let Some(shape) = self.shape else {
            return value(self.kind, &self.text)
                .map(|why| format!("{}: {why}", self.path))
                .into_iter()
                .collect();
        };
        if !self.text.trim().is_empty() {
            return vec![format!("{}: text stands where elements belong", self.path)];
        }
        let members = shape.members.iter().zip(&self.seen);
        let missing = members.filter(|(member, seen)| member.required && !shape.list && !**seen);
        missing.map(|(member, _)| format!("{}.{}: is missing", self.path, member.name)).collect()
    }
}

impl Walk<'_> {
    fn enter(&mut self, name: &str) {
        if self.strange > 0 {
            self.strange += 1;
            return;
        }
        let Some(parent) = self.open.last_mut() else {
            let kind = Shape::named(self.root).map_or("", |shape| shape.name);
            return self.open.push(Open::new(self.root.to_owned(), kind));
        };
        match parent.member(name) {
            Ok((path, member)) => self.open.push(Open::new(path, member.shape)),
            Err(fault) => {
                self.found.push(fault);
                self.strange = 1;
            }
        }
    }

    fn leave(&mut self) {
        if self.strange > 0 {
            self.strange -= 1;
        } else if let Some(ended) = self.open.pop() {
            self.found.extend(ended.faults());
        }
    }

    fn text(&mut self, escaped: &str) {
        if let Some(open) = self.open.last_mut().filter(|_| self.strange == 0) {
            open.text.push_str(escaped);
        }
    }

    fn told(mut self) -> Option<String> {
        let more = self.found.len() > MOST_TOLD;
        self.found.truncate(MOST_TOLD);
        let all = self.found.join("; ");
        (!all.is_empty()).then(|| if more { format!("{all}; and more") } else { all })
    }
}

/// Why this text is no value of its kind.
fn value(kind: &str, escaped: &str) -> Option<String> {
    let text = unescape(escaped).unwrap_or_default();
    let text = text.trim();
    let shown: String = text.chars().take(LONGEST_TOLD).collect();
    let fine = match kind {
        "integer" => text.parse::<i32>().is_ok(),
        "long" => text.parse::<i64>().is_ok(),
        "float" | "double" => text.parse::<f64>().is_ok_and(f64::is_finite),
        "boolean" => matches!(text, "true" | "false"),
        _ => return word(kind, text, &shown),
    };
    let wanted = match kind {
        "integer" => "a whole number of 32 bits",
        "long" => "a whole number of 64 bits",
        "boolean" => "true or false",
        _ => "a number",
    };
    (!fine).then(|| format!("{shown:?} is not {wanted}"))
}

fn word(kind: &str, text: &str, shown: &str) -> Option<String> {
    let (_, words) = WORDS.iter().find(|(name, _)| *name == kind)?;
    (!words.contains(&text)).then(|| format!("{shown:?} is none of: {}", words.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_told_by_its_path() {
        let body = "<CachePolicyConfig><Comment>a<b>c</b></Comment><MinTTL>soon</MinTTL><Colour/>\
                    <MinTTL>1</MinTTL><ParametersInCacheKeyAndForwardedToOrigin>\
                    <HeadersConfig><HeaderBehavior>some</HeaderBehavior><Headers><Quantity>1</Quantity>\
                    <Items><Name>A</Name><Nom>B</Nom></Items></Headers></HeadersConfig>\
                    </ParametersInCacheKeyAndForwardedToOrigin></CachePolicyConfig>";
        let told = faults("CachePolicyConfig", body).unwrap();
        for part in [
            "CachePolicyConfig.Comment: <b> stands where a value belongs",
            "CachePolicyConfig.MinTTL: \"soon\" is not a whole number of 64 bits",
            "CachePolicyConfig: unknown element <Colour>; there are: Comment, Name,",
            "CachePolicyConfig.MinTTL: stands there twice",
            "HeadersConfig.HeaderBehavior: \"some\" is none of: none, whitelist",
            "HeadersConfig.Headers.Items: unknown element <Nom>; there are: Name",
            "CachePolicyConfig.ParametersInCacheKeyAndForwardedToOrigin.CookiesConfig: is missing",
            "CachePolicyConfig.Name: is missing",
        ] {
            assert!(told.contains(part), "{part} is not in {told}");
        }
    }

    #[test]
    fn where_nothing_is_wrong_nothing_is_told() {
        let body = "<InvalidationBatch><Paths><Quantity>1</Quantity><Items><Path>/&amp;</Path></Items>\
                    </Paths><CallerReference>r</CallerReference></InvalidationBatch>";
        assert_eq!(faults("InvalidationBatch", body), None);
        assert_eq!(faults("NoShapeIsCalledSo", "<NoShapeIsCalledSo/>"), None);
    }

    #[test]
    fn what_is_told_is_bounded() {
        let many = "<x/>".repeat(10_000);
        let long = "y".repeat(100_000);
        for inside in [many, format!("<MinTTL>{long}</MinTTL>")] {
            let body = format!("<CachePolicyConfig>{inside}</CachePolicyConfig>");
            assert!(faults("CachePolicyConfig", &body).unwrap().len() < 20_000);
        }
    }
}
