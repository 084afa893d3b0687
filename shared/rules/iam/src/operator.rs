//! The names of condition operators.
//!
//! Source: IAM user guide, "IAM JSON policy elements: Condition operators".

/// How several values of a key in one request are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// The key has one value.
    One,
    /// `ForAnyValue:`: at least one of them.
    Any,
    /// `ForAllValues:`: each of them; true when there are none.
    All,
}

/// What is compared, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Whether the key is there.
    Null,
    /// Text, letter by letter; or without regard to case; or with wildcards.
    Text {
        /// Without regard to case.
        fold: bool,
        /// `*` and `?` are wildcards.
        like: bool,
    },
    /// ARNs with wildcards.
    Arn,
    /// Numbers.
    Number(Order),
    /// Points in time.
    Date(Order),
    /// `true`, `false`.
    Bool,
    /// Addresses in networks.
    Address,
}

/// An order between what the request has and what the policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The same.
    Equal,
    /// Before.
    Less,
    /// Before or the same.
    AtMost,
    /// After.
    Greater,
    /// After or the same.
    AtLeast,
}

/// An operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operator {
    /// How several values are taken.
    pub quantifier: Quantifier,
    /// What is compared.
    pub test: Test,
    /// `…Not…`: the other way round.
    pub negated: bool,
    /// `…IfExists`: true when the request has no such key.
    pub if_exists: bool,
}

impl Operator {
    /// Reads `ForAnyValue:StringNotEqualsIfExists` and the like; none when there is no such one.
    pub fn read(name: &str) -> Option<Self> {
        let (quantifier, rest) = if let Some(rest) = name.strip_prefix("ForAnyValue:") {
            (Quantifier::Any, rest)
        } else if let Some(rest) = name.strip_prefix("ForAllValues:") {
            (Quantifier::All, rest)
        } else {
            (Quantifier::One, name)
        };
        let (name, if_exists) =
            rest.strip_suffix("IfExists").map_or((rest, false), |name| (name, true));
        let (test, negated) = known(name)?;
        let decorated = if_exists || quantifier != Quantifier::One;
        (test != Test::Null || !decorated).then_some(Self { quantifier, test, negated, if_exists })
    }
}

fn known(base: &str) -> Option<(Test, bool)> {
    let text = |fold, like| Test::Text { fold, like };
    Some(match base {
        "Null" => (Test::Null, false),
        "Bool" => (Test::Bool, false),
        "StringEquals" => (text(false, false), false),
        "StringNotEquals" => (text(false, false), true),
        "StringEqualsIgnoreCase" => (text(true, false), false),
        "StringNotEqualsIgnoreCase" => (text(true, false), true),
        "StringLike" => (text(false, true), false),
        "StringNotLike" => (text(false, true), true),
        "ArnEquals" | "ArnLike" => (Test::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Test::Arn, true),
        "IpAddress" => (Test::Address, false),
        "NotIpAddress" => (Test::Address, true),
        "NumericNotEquals" => (Test::Number(Order::Equal), true),
        "DateNotEquals" => (Test::Date(Order::Equal), true),
        other => {
            let ordered = |prefix: &str| other.strip_prefix(prefix).and_then(order);
            let number = ordered("Numeric").map(Test::Number);
            (number.or_else(|| ordered("Date").map(Test::Date))?, false)
        }
    })
}

fn order(name: &str) -> Option<Order> {
    Some(match name {
        "Equals" => Order::Equal,
        "LessThan" => Order::Less,
        "LessThanEquals" => Order::AtMost,
        "GreaterThan" => Order::Greater,
        "GreaterThanEquals" => Order::AtLeast,
        _ => return None,
    })
}

impl Order {
    /// Whether `given` stands in this order to `wanted`; what cannot be compared does not.
    pub fn holds<T: PartialOrd>(self, given: &T, wanted: &T) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let found = given.partial_cmp(wanted);
        match self {
            Self::Equal => found == Some(Equal),
            Self::Less => found == Some(Less),
            Self::AtMost => matches!(found, Some(Less | Equal)),
            Self::Greater => found == Some(Greater),
            Self::AtLeast => matches!(found, Some(Greater | Equal)),
        }
    }
}
