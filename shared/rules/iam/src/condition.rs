//! One line of a condition block: an operator, a key, and the values that it may have.
//!
//! Source: IAM user guide, "IAM JSON policy elements: Condition", "Conditions with multiple context
//! keys or values".

use crate::{
    arn::ArnPattern,
    context::Context,
    instant, keys,
    node::Node,
    operator::{Operator, Order, Quantifier, Test},
    pattern::{Meaning, Pattern},
};
use ipnet::IpNet;
use std::net::IpAddr;

/// One line.
#[derive(Clone, Debug)]
pub struct Condition {
    operator: Operator,
    /// In small letters.
    key: String,
    wanted: Wanted,
}

/// The values of a line, read as its operator wants them.
#[derive(Clone, Debug)]
enum Wanted {
    Absent(Vec<bool>),
    Text(Vec<Pattern>, bool),
    Arn(Vec<ArnPattern>),
    Number(Vec<f64>, Order),
    Date(Vec<i128>, Order),
    Bool(Vec<bool>),
    Address(Vec<IpNet>),
}

impl Condition {
    /// Reads one line.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(
        operator: Operator,
        key: &str,
        values: &Node,
        variables: bool,
    ) -> Result<Self, Vec<String>> {
        let mut wrong: Vec<String> = keys::check(key).err().into_iter().collect();
        let bare = operator.quantifier == Quantifier::One && operator.test != Test::Null;
        if bare && keys::has_several(key) {
            wrong.push(format!("{key} has several values: say ForAllValues: or ForAnyValue:"));
        }
        if values.each().is_empty() {
            wrong.push("the list of values is empty".to_owned());
        }
        let mut texts = Vec::new();
        for value in values.each() {
            match value.text() {
                Some(text) => texts.push(text),
                None => wrong.push("a value must be text, a number or a boolean".to_owned()),
            }
        }
        let wanted = Wanted::read(operator.test, &texts, variables, &mut wrong);
        if wrong.is_empty() {
            Ok(Self { operator, key: key.to_lowercase(), wanted })
        } else {
            Err(wrong)
        }
    }

    /// Whether it holds for a request.
    pub fn holds(&self, context: &Context) -> bool {
        let Operator { quantifier, negated, if_exists, .. } = self.operator;
        let given = context.get(&self.key);
        if let Wanted::Absent(wanted) = &self.wanted {
            return wanted.contains(&given.is_empty());
        }
        let fits = |value: &String| self.wanted.fits(value, context);
        match quantifier {
            Quantifier::All => given.iter().all(|value| fits(value) != negated),
            _ if given.is_empty() => if_exists || (negated && quantifier == Quantifier::One),
            Quantifier::Any => given.iter().any(|value| fits(value) != negated),
            Quantifier::One => given.iter().any(fits) != negated,
        }
    }

    /// The keys that it asks the request for, in small letters.
    pub fn keys(&self) -> Vec<&str> {
        let mut keys = vec![self.key.as_str()];
        match &self.wanted {
            Wanted::Text(patterns, _) => keys.extend(patterns.iter().flat_map(Pattern::keys)),
            Wanted::Arn(patterns) => keys.extend(patterns.iter().flat_map(ArnPattern::keys)),
            _ => {}
        }
        keys
    }
}

impl Wanted {
    fn read(test: Test, texts: &[String], variables: bool, wrong: &mut Vec<String>) -> Self {
        match test {
            Test::Null => Self::Absent(each(texts, wrong, boolean)),
            Test::Bool => Self::Bool(each(texts, wrong, boolean)),
            Test::Text { fold, like } => {
                let meaning = Meaning { wildcards: like, variables };
                Self::Text(each(texts, wrong, |text| Pattern::read(text, meaning)), fold)
            }
            Test::Arn => Self::Arn(each(texts, wrong, |text| ArnPattern::read(text, variables))),
            Test::Number(order) => Self::Number(each(texts, wrong, number), order),
            Test::Date(order) => Self::Date(each(texts, wrong, date), order),
            Test::Address => Self::Address(each(texts, wrong, network)),
        }
    }

    /// Whether a value of the request fits any of them.
    fn fits(&self, value: &str, context: &Context) -> bool {
        match self {
            Self::Absent(_) => false,
            Self::Text(all, fold) => all.iter().any(|one| one.fits(value, context, *fold)),
            Self::Arn(all) => all.iter().any(|one| one.fits(value, context)),
            Self::Number(all, order) => {
                number(value).is_ok_and(|given| all.iter().any(|one| order.holds(&given, one)))
            }
            Self::Date(all, order) => {
                date(value).is_ok_and(|given| all.iter().any(|one| order.holds(&given, one)))
            }
            Self::Bool(all) => boolean(value).is_ok_and(|given| all.contains(&given)),
            Self::Address(all) => {
                let given = value.parse().map(|given: IpAddr| given.to_canonical());
                given.is_ok_and(|given| all.iter().any(|one| one.contains(&given)))
            }
        }
    }
}

fn each<T>(
    texts: &[String],
    wrong: &mut Vec<String>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Vec<T> {
    let mut all = Vec::new();
    for text in texts {
        match read(text) {
            Ok(one) => all.push(one),
            Err(why) => wrong.push(why),
        }
    }
    all
}

fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

fn number(text: &str) -> Result<f64, String> {
    let found = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
    found.ok_or_else(|| format!("{text:?} is no number"))
}

fn date(text: &str) -> Result<i128, String> {
    instant::read(text)
        .ok_or_else(|| format!("{text:?} is no point in time: 2026-01-31T23:59:59Z is one"))
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    let wrong = || format!("{text:?} is no network: 203.0.113.0/24 and 2001:db8::/32 are");
    text.parse::<IpNet>().or_else(|_| address()).map_err(|_| wrong())
}
