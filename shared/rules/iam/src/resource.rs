//! Policies that stand at a resource, and so name whom they are for.
//!
//! Source: IAM user guide, "Identity-based policies and resource-based policies", "AWS JSON policy
//! elements: Principal".

use crate::{
    document::{Effect, Policy, parsed, whole},
    faults::Faults,
    node::Node,
};

/// Whom a statement is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// `*`: everybody.
    Anybody,
    /// An account, by its twelve digits: it may be denied something as a whole, but what it is
    /// allowed it still has to allow its users itself.
    Account(String),
    /// A user, by its ARN.
    User {
        /// The account's twelve digits.
        account: String,
        /// `arn:aws:iam::ACCOUNT:user/PATH/NAME`.
        arn: String,
    },
}

/// A document that names whom its statements are for.
#[derive(Clone, Debug)]
pub struct ResourcePolicy {
    policy: Policy,
    /// As many as there are statements.
    principals: Vec<Vec<Principal>>,
}

impl ResourcePolicy {
    /// Reads a document.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(text: &str) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let mut members = parsed(text)?;
        let mut principals = Vec::new();
        for (_, found) in members.iter_mut().filter(|(name, _)| name == "Statement") {
            let listed = matches!(found, Node::List(_));
            for (index, one) in each(found).iter_mut().enumerate() {
                let path = if listed { format!("Statement[{index}]") } else { "Statement".into() };
                principals.push(taken(&path, one, &mut faults));
            }
        }
        let policy = whole(&members, &mut faults)?;
        Ok(Self { policy, principals })
    }

    /// Everybody it names.
    pub fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.principals.iter().flatten()
    }

    /// What it says to a user of an account.
    pub fn to_user(&self, account: &str, arn: &str) -> Policy {
        let statements = self.policy.statements.iter().zip(&self.principals);
        let about = |effect, principal: &Principal| match principal {
            Principal::Anybody => true,
            Principal::Account(one) => effect == Effect::Deny && one == account,
            Principal::User { arn: one, .. } => one == arn,
        };
        let own = statements.filter(|(statement, named)| {
            named.iter().any(|principal| about(statement.effect, principal))
        });
        Policy { statements: own.map(|(statement, _)| statement.clone()).collect() }
    }
}

fn each(node: &mut Node) -> &mut [Node] {
    match node {
        Node::List(all) => all,
        one => std::slice::from_mut(one),
    }
}

/// Takes the principals out of a statement, which is then one like a user's.
fn taken(path: &str, statement: &mut Node, faults: &mut Faults) -> Vec<Principal> {
    let Node::Object(members) = statement else { return Vec::new() };
    let place = format!("{path}.Principal");
    let (found, rest): (Vec<_>, Vec<_>) =
        std::mem::take(members).into_iter().partition(|(name, _)| name == "Principal");
    *members = rest;
    match found.as_slice() {
        [(_, Node::Text(text))] if text == "*" => vec![Principal::Anybody],
        [(_, Node::Object(kinds))] if !kinds.is_empty() => of_kinds(&place, kinds, faults),
        _ => {
            faults.add(place, "must be \"*\" or {\"AWS\": …}: whom the statement is for, once");
            Vec::new()
        }
    }
}

fn of_kinds(place: &str, kinds: &[(String, Node)], faults: &mut Faults) -> Vec<Principal> {
    let mut named = Vec::new();
    for (kind, found) in kinds {
        if kind != "AWS" {
            faults.add(format!("{place}.{kind}"), "only principals of the kind AWS are known");
            continue;
        }
        if found.each().is_empty() {
            faults.add(format!("{place}.AWS"), "must not be empty");
        }
        for one in found.each() {
            match one.text().as_deref().and_then(principal) {
                Some(one) => named.push(one),
                None => faults.add(
                    format!("{place}.AWS"),
                    "must be \"*\", an account, or the ARN of an account or of a user: \
                     arn:aws:iam::ACCOUNT:root, arn:aws:iam::ACCOUNT:user/NAME",
                ),
            }
        }
    }
    named
}

fn principal(text: &str) -> Option<Principal> {
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if text == "*" {
        return Some(Principal::Anybody);
    }
    if is_account(text) {
        return Some(Principal::Account(text.to_owned()));
    }
    let (account, who) = text.strip_prefix("arn:aws:iam::")?.split_once(':')?;
    let name = who.strip_prefix("user/").and_then(|path| path.rsplit('/').next());
    let fine = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&b);
    match (is_account(account), who, name) {
        (true, "root", _) => Some(Principal::Account(account.to_owned())),
        (true, _, Some(name)) if !name.is_empty() && who.bytes().all(fine) => {
            Some(Principal::User { account: account.to_owned(), arn: text.to_owned() })
        }
        _ => None,
    }
}
