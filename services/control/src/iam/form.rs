//! The parameters of a call, as a form has them.
//!
//! Source: WHATWG URL, "application/x-www-form-urlencoded"; IAM API reference, "Making query
//! requests".

use crate::wire::{
    asked::Asked,
    fault::{Common, Fault},
};
use percent_encoding::percent_decode_str;

/// Most parameters of one call.
const MOST: usize = 2000;
/// Most and default items on one page.
const MOST_ITEMS: usize = 1000;
const ITEMS: usize = 100;

/// Parameters by name, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

/// Which page of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paging {
    /// The marker of the page before; empty for the first one.
    pub marker: String,
    /// How many items.
    pub most: usize,
}

/// A parameter that is missing or malformed.
pub fn invalid(message: impl Into<String>) -> Fault {
    Fault::common(Common::ValidationError, message)
}

impl Form {
    /// From the body, and from the query of presigned calls.
    ///
    /// # Errors
    /// `ValidationError` when it is no form or too long.
    pub fn of(asked: &Asked) -> Result<Self, Fault> {
        let body = std::str::from_utf8(&asked.body).map_err(|_| invalid("the form is no text"))?;
        let mut all = Vec::new();
        for part in body.split('&').filter(|part| !part.is_empty()) {
            if all.len() >= MOST {
                return Err(invalid(format!("a call has at most {MOST} parameters")));
            }
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            all.push((decoded(name)?, decoded(value)?));
        }
        let signing = |name: &str| name.starts_with("X-Amz-");
        all.extend(asked.query.0.iter().filter(|(name, _)| !signing(name)).cloned());
        let form = Self(all);
        form.once()?;
        Ok(form)
    }

    /// A parameter that stands twice could be read in two ways.
    fn once(&self) -> Result<(), Fault> {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| matches!(pair, [a, b] if a == b)) {
            Some(_) => Err(invalid("a parameter stands twice in the call")),
            None => Ok(()),
        }
    }

    /// The operation.
    ///
    /// # Errors
    /// `ValidationError` when there is none.
    pub fn action(&self) -> Result<&str, Fault> {
        self.required("Action")
    }

    /// A parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that must be there.
    ///
    /// # Errors
    /// `ValidationError` naming it.
    pub fn required(&self, name: &str) -> Result<&str, Fault> {
        self.get(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| invalid(format!("the parameter {name} is missing")))
    }

    /// Nothing but these, and what lies in them (`Tags` allows `Tags.member.1.Key`).
    ///
    /// # Errors
    /// `ValidationError` naming what would otherwise be passed over.
    pub fn only(&self, known: &[&str]) -> Result<(), Fault> {
        let fine = |name: &str| {
            let first = name.split('.').next().unwrap_or_default();
            ["Action", "Version"].contains(&first) || known.contains(&first)
        };
        match self.0.iter().find(|(name, _)| !fine(name)) {
            None => Ok(()),
            Some((name, _)) => {
                let name: String = name.chars().take(64).collect();
                Err(invalid(format!("the parameter {name} is not offered here: leave it out")))
            }
        }
    }

    /// `NAME.member.1`, `NAME.member.2` …
    pub fn members(&self, name: &str) -> Vec<&str> {
        let one = |number: usize| self.get(&format!("{name}.member.{number}"));
        (1..).map_while(one).collect()
    }

    /// `NAME.member.1.Key` and `….Value`.
    pub fn pairs(&self, name: &str) -> Vec<(String, String)> {
        let one = |number: usize| {
            let part = |what: &str| self.get(&format!("{name}.member.{number}.{what}"));
            Some((part("Key")?.to_owned(), part("Value").unwrap_or_default().to_owned()))
        };
        (1..).map_while(one).collect()
    }

    /// `Marker` and `MaxItems`.
    ///
    /// # Errors
    /// `ValidationError` when `MaxItems` is not within 1 to 1,000.
    pub fn paging(&self) -> Result<Paging, Fault> {
        let most = match self.get("MaxItems") {
            None => ITEMS,
            Some(text) => text
                .parse()
                .ok()
                .filter(|most| (1..=MOST_ITEMS).contains(most))
                .ok_or_else(|| invalid(format!("MaxItems must be 1 to {MOST_ITEMS}")))?,
        };
        Ok(Paging { marker: self.get("Marker").unwrap_or_default().to_owned(), most })
    }
}

fn decoded(text: &str) -> Result<String, Fault> {
    let text = text.replace('+', " ");
    let text = percent_decode_str(&text).decode_utf8();
    text.map(std::borrow::Cow::into_owned).map_err(|_| invalid("the form is no text"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::call::Query;

    fn form(body: &str) -> Result<Form, Fault> {
        Form::of(&Asked {
            method: "POST".into(),
            path: "/".into(),
            query: Query::default(),
            headers: Vec::new(),
            from: None,
            body: body.to_owned().into(),
        })
    }

    #[test]
    fn forms_are_read_as_forms_are_written() {
        let form = form(
            "Action=PutUserPolicy&UserName=a%2Bb&PolicyDocument=%7B+%7D&L.member.1=x&L.member.2=y",
        )
        .unwrap();
        assert_eq!(form.action().unwrap(), "PutUserPolicy");
        assert_eq!(form.get("UserName"), Some("a+b"));
        assert_eq!(form.get("PolicyDocument"), Some("{ }"));
        assert_eq!(form.members("L"), ["x", "y"]);
        assert!(form.only(&["UserName", "PolicyDocument", "L"]).is_ok());
        assert!(form.only(&["UserName", "PolicyDocument"]).is_err());
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for body in ["Action=a&UserName=x&UserName=y", "a=%ff", &"a&".repeat(MOST + 1)] {
            assert_eq!(form(body).unwrap_err().code.as_str(), "ValidationError");
        }
    }

    #[test]
    fn pages_are_bounded() {
        assert_eq!(form("").unwrap().paging().unwrap().most, ITEMS);
        for (given, fine) in
            [("0", false), ("1", true), ("1000", true), ("1001", false), ("x", false)]
        {
            assert_eq!(form(&format!("MaxItems={given}")).unwrap().paging().is_ok(), fine);
        }
    }
}
