//! A policy document, read and checked.
//!
//! Source: IAM user guide, "IAM JSON policy reference", "Grammar of the IAM JSON policy language".

use crate::{
    arn::ArnPattern,
    condition::Condition,
    context::Context,
    faults::Faults,
    node::Node,
    operator::Operator,
    pattern::{Meaning, Pattern},
};

/// Longest document in bytes.
pub const MOST_BYTES: usize = 6144;

/// A policy document.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) statements: Vec<Statement>,
}

/// What a statement does with the requests that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

/// One statement.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub effect: Effect,
    actions: Choice<Pattern>,
    resources: Choice<ArnPattern>,
    conditions: Vec<Condition>,
}

/// These, or all but these.
#[derive(Clone, Debug)]
struct Choice<T> {
    all_but: bool,
    listed: Vec<T>,
}

impl<T> Choice<T> {
    fn has(&self, fits: impl Fn(&T) -> bool) -> bool {
        self.listed.iter().any(fits) != self.all_but
    }
}

impl Policy {
    /// Reads a document.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(text: &str) -> Result<Self, Faults> {
        whole(&parsed(text)?, &mut Faults::default())
    }

    pub(crate) fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The condition keys that it asks requests for, in small letters; some may stand twice.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.statements.iter().flat_map(Statement::keys)
    }
}

impl Statement {
    /// Whether it is about this request.
    pub fn is_about(&self, action: &str, resource: &str, context: &Context) -> bool {
        self.actions.has(|one| one.fits(action, context, true))
            && self.resources.has(|one| one.fits(resource, context))
            && self.conditions.iter().all(|one| one.holds(context))
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        let resources = self.resources.listed.iter().flat_map(ArnPattern::keys);
        resources.chain(self.conditions.iter().flat_map(Condition::keys))
    }
}

type Members = [(String, Node)];

/// The members of a document that is JSON of bounded length, not looked at yet.
pub(crate) fn parsed(text: &str) -> Result<Vec<(String, Node)>, Faults> {
    let mut faults = Faults::default();
    if text.len() > MOST_BYTES {
        let message = format!("a policy has at most {MOST_BYTES} bytes, this one {}", text.len());
        faults.add("", message);
        return Err(faults);
    }
    match serde_json::from_str::<Node>(text) {
        Ok(Node::Object(members)) => return Ok(members),
        Ok(_) => faults.add("", "a policy is a JSON object with Version and Statement"),
        Err(error) => faults.add("", format!("the policy is no JSON: {error}")),
    }
    Err(faults)
}

/// What the members of a document say, if nothing was wrong with it before either.
pub(crate) fn whole(members: &Members, faults: &mut Faults) -> Result<Policy, Faults> {
    only("", members, &["Version", "Id", "Statement"], faults);
    let variables = match member(members, "Version") {
        None => false,
        Some(Node::Text(version)) if version == "2012-10-17" => true,
        Some(Node::Text(version)) if version == "2008-10-17" => false,
        Some(_) => {
            faults.add("Version", "must be \"2012-10-17\" or \"2008-10-17\"");
            false
        }
    };
    if member(members, "Id").is_some_and(|id| !matches!(id, Node::Text(_))) {
        faults.add("Id", "must be text");
    }
    let statements = statements(members, variables, faults);
    if faults.0.is_empty() { Ok(Policy { statements }) } else { Err(std::mem::take(faults)) }
}

fn statements(members: &Members, variables: bool, faults: &mut Faults) -> Vec<Statement> {
    let Some(found) = member(members, "Statement") else {
        faults.add("Statement", "is missing");
        return Vec::new();
    };
    if found.each().is_empty() {
        faults.add("Statement", "must hold at least one statement");
    }
    let mut sids: Vec<&str> = Vec::new();
    let mut read = Vec::new();
    for (index, one) in found.each().iter().enumerate() {
        let path = if matches!(found, Node::List(_)) {
            format!("Statement[{index}]")
        } else {
            "Statement".to_owned()
        };
        let Node::Object(members) = one else {
            faults.add(path, "must be an object");
            continue;
        };
        sid(&path, members, &mut sids, faults);
        read.extend(statement(&path, members, variables, faults));
    }
    read
}

fn sid<'d>(path: &str, members: &'d Members, seen: &mut Vec<&'d str>, faults: &mut Faults) {
    match member(members, "Sid") {
        None => {}
        Some(Node::Text(sid)) if sid.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            if !sid.is_empty() && seen.contains(&sid.as_str()) {
                faults.add(format!("{path}.Sid"), format!("{sid} stands twice in the policy"));
            }
            seen.push(sid);
        }
        Some(_) => faults.add(format!("{path}.Sid"), "must be letters and digits only"),
    }
}

fn statement(
    path: &str,
    members: &Members,
    variables: bool,
    faults: &mut Faults,
) -> Option<Statement> {
    const KNOWN: &[&str] =
        &["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    const PRINCIPALS: [&str; 2] = ["Principal", "NotPrincipal"];
    for principal in PRINCIPALS {
        if member(members, principal).is_some() {
            let message = "does not belong into the policy of a user: who it is for is its user";
            faults.add(format!("{path}.{principal}"), message);
        }
    }
    let others: Vec<_> =
        members.iter().filter(|(name, _)| !PRINCIPALS.contains(&name.as_str())).cloned().collect();
    only(path, &others, KNOWN, faults);
    let effect = effect(path, members, faults);
    let actions = choice(path, members, ["Action", "NotAction"], faults, action);
    let read = |text: &str| ArnPattern::read(text, variables);
    let resources = choice(path, members, ["Resource", "NotResource"], faults, read);
    let conditions = conditions(path, members, variables, faults);
    Some(Statement { effect: effect?, actions: actions?, resources: resources?, conditions })
}

fn effect(path: &str, members: &Members, faults: &mut Faults) -> Option<Effect> {
    match member(members, "Effect") {
        Some(Node::Text(text)) if text == "Allow" => Some(Effect::Allow),
        Some(Node::Text(text)) if text == "Deny" => Some(Effect::Deny),
        _ => {
            faults.add(format!("{path}.Effect"), "must be \"Allow\" or \"Deny\"");
            None
        }
    }
}

/// `Action` or `NotAction`, `Resource` or `NotResource`: one of both, with at least one text.
fn choice<T>(
    path: &str,
    members: &Members,
    [these, but]: [&str; 2],
    faults: &mut Faults,
    read: impl Fn(&str) -> Result<T, String>,
) -> Option<Choice<T>> {
    let (name, found, all_but) = match (member(members, these), member(members, but)) {
        (Some(found), None) => (these, found, false),
        (None, Some(found)) => (but, found, true),
        _ => {
            faults.add(path, format!("must have either {these} or {but}"));
            return None;
        }
    };
    let path = format!("{path}.{name}");
    if found.each().is_empty() {
        faults.add(&path, "must not be empty");
    }
    let mut listed = Vec::new();
    for one in found.each() {
        match one {
            Node::Text(text) => match read(text) {
                Ok(read) => listed.push(read),
                Err(why) => faults.add(&path, why),
            },
            _ => faults.add(&path, "must be text or a list of texts"),
        }
    }
    Some(Choice { all_but, listed })
}

/// `*`, or `service:Name` with wildcards in the name. Variables have no place here.
fn action(text: &str) -> Result<Pattern, String> {
    let (service, name) = text.split_once(':').unwrap_or((text, ""));
    let fine = |text: &str, more: &[u8]| {
        let one = |b: u8| b.is_ascii_alphanumeric() || more.contains(&b);
        !text.is_empty() && text.bytes().all(one)
    };
    if text != "*" && !(service == "*" || fine(service, b"-"))
        || (text != "*" && !fine(name, b"*?-_"))
    {
        return Err(format!("{text:?} is neither * nor an action: cloudfront:Get* is one"));
    }
    Pattern::read(text, Meaning { wildcards: true, variables: false })
}

fn conditions(
    path: &str,
    members: &Members,
    variables: bool,
    faults: &mut Faults,
) -> Vec<Condition> {
    let path = format!("{path}.Condition");
    let mut read = Vec::new();
    let Some(found) = member(members, "Condition") else { return read };
    for (name, keys) in object(&path, found, faults) {
        let path = format!("{path}.{name}");
        let Some(operator) = Operator::read(name) else {
            faults.add(path, "there is no such condition operator");
            continue;
        };
        for (key, values) in object(&path, keys, faults) {
            match Condition::read(operator, key, values, variables) {
                Ok(one) => read.push(one),
                Err(all) => {
                    for why in all {
                        faults.add(format!("{path}.{key}"), why);
                    }
                }
            }
        }
    }
    read
}

/// The members of an object, none of which may stand twice.
fn object<'n>(path: &str, node: &'n Node, faults: &mut Faults) -> &'n Members {
    let Node::Object(members) = node else {
        faults.add(path, "must be an object");
        return &[];
    };
    twice(path, members, faults);
    members
}

fn only(path: &str, members: &Members, known: &[&str], faults: &mut Faults) {
    let dot = if path.is_empty() { "" } else { "." };
    for (name, _) in members.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
        faults.add(format!("{path}{dot}{name}"), "there is no such element");
    }
    twice(path, members, faults);
}

fn twice(path: &str, members: &Members, faults: &mut Faults) {
    let mut seen: Vec<&str> = Vec::new();
    for (name, _) in members {
        if seen.contains(&name.as_str()) {
            faults.add(path, format!("{name} stands twice"));
        }
        seen.push(name);
    }
}

fn member<'m>(members: &'m Members, name: &str) -> Option<&'m Node> {
    members.iter().find(|(one, _)| one == name).map(|(_, node)| node)
}
