//! ARNs with wildcards, compared part by part.
//!
//! Source: IAM user guide, "IAM JSON policy elements: Resource", "Condition operators", ARN.

use crate::{
    context::Context,
    pattern::{Meaning, Pattern},
};

/// `arn`, partition, service, region, account, resource.
const PARTS: usize = 6;

/// A pattern of ARNs. `*` alone fits whatever there is, `*` as the resource of a request included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArnPattern {
    /// `*`.
    Anything,
    /// Six parts, of which the last may hold colons.
    Parts(Vec<Pattern>),
}

impl ArnPattern {
    /// Reads a pattern. One that ends in `*` early stands for the rest as well.
    ///
    /// # Errors
    /// A text that says what is wrong.
    pub fn read(text: &str, variables: bool) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Anything);
        }
        let wrong = || {
            format!("{text:?} is neither * nor an ARN: arn:aws:cloudfront::ACCOUNT:distribution/ID")
        };
        let parts = split(text, variables);
        let starts = parts.first().is_some_and(|part| *part == "arn");
        let open = parts.last().is_some_and(|part| part.ends_with('*'));
        if !starts || parts.len() < 2 || (parts.len() < PARTS && !open) {
            return Err(wrong());
        }
        let meaning = Meaning { wildcards: true, variables };
        let read: Result<Vec<_>, _> =
            parts.into_iter().map(|part| Pattern::read(part, meaning)).collect();
        let mut read = read?;
        read.resize(PARTS, Pattern::anything());
        Ok(Self::Parts(read))
    }

    /// Whether an ARN fits.
    pub fn fits(&self, arn: &str, context: &Context) -> bool {
        let Self::Parts(wanted) = self else { return true };
        let given: Vec<&str> = arn.splitn(PARTS, ':').collect();
        given.len() == PARTS
            && wanted.iter().zip(given).all(|(one, part)| one.fits(part, context, false))
    }

    /// Keys of its variables, in small letters.
    pub fn keys(&self) -> Vec<&str> {
        match self {
            Self::Anything => Vec::new(),
            Self::Parts(parts) => parts.iter().flat_map(Pattern::keys).collect(),
        }
    }
}

/// At colons that do not stand in a variable, into at most six parts.
fn split(text: &str, variables: bool) -> Vec<&str> {
    let (mut parts, mut start, mut inside) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        match c {
            '{' if variables && text.get(..at).is_some_and(|before| before.ends_with('$')) => {
                inside = true;
            }
            '}' => inside = false,
            ':' if !inside && parts.len() < PARTS - 1 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, arn: &str) -> bool {
        let mut context = Context::default();
        context.add("aws:username", "bob").add("aws:userid", "a:b");
        ArnPattern::read(pattern, true).unwrap().fits(arn, &context)
    }

    #[test]
    fn each_part_is_compared_with_its_own() {
        let one = "arn:aws:cloudfront::123456789012:distribution/E1";
        for (pattern, yes) in [
            ("*", true),
            ("arn:aws:cloudfront::123456789012:distribution/E1", true),
            ("arn:aws:cloudfront::123456789012:distribution/*", true),
            ("arn:aws:cloudfront::123456789012:distribution/E?", true),
            ("arn:*:cloudfront:*:*:*", true),
            ("arn:aws:cloudfront:*", true),
            ("arn:aws:*", true),
            ("arn:aws:cloudfront::999999999999:*", false),
            ("arn:aws:cloudfront::123456789012:distribution/E12", false),
            ("arn:aws:*/E1:::distribution/E1", false),
            ("arn:aws:cloudfront::123456789012:distribution/e1", false),
            ("arn:aws:cloudfront::123456789012:user/${aws:username}", false),
        ] {
            assert_eq!(fits(pattern, one), yes, "{pattern}");
        }
        assert!(fits("arn:aws:iam::1:user/${aws:username}", "arn:aws:iam::1:user/bob"));
        assert!(!fits("arn:aws:iam::${aws:userid}:x", "arn:aws:iam::a:b:x"));
        assert!(fits("*", "*") && !fits("arn:aws:cloudfront:*", "*"));
    }

    #[test]
    fn what_is_no_arn_is_refused() {
        for text in ["", "**", "distribution/E1", "arn", "arn:aws:s3", "arn:aws:s3::", "a:*"] {
            assert!(ArnPattern::read(text, true).is_err(), "{text}");
        }
    }
}
