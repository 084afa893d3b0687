//! `nearfront env`: variables that point unmodified AWS tools at the running Nearfront.

use crate::{
    aws::{self, Access},
    cli::Env,
    remote,
};
use anyhow::Result;
use std::process::ExitCode;

/// Prints them.
///
/// # Errors
/// When no Nearfront with a management API runs in the data folder.
pub fn print(asked: &Env) -> Result<ExitCode> {
    let settings = asked.place.settings()?;
    let access = remote::access(&settings)?;
    println!("{}", text(&access, asked.json));
    Ok(ExitCode::SUCCESS)
}

fn text(access: &Access, json: bool) -> String {
    let contents = aws::contents_url(&access.endpoint);
    let variables = variables(access, &contents);
    if json {
        let object: serde_json::Map<_, _> =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        return serde_json::Value::Object(object).to_string();
    }
    let exports = variables.map(|(name, value)| format!("export {name}='{value}'"));
    // A token or profile of another account would win over, or be sent along with, the key.
    format!("unset AWS_SESSION_TOKEN AWS_PROFILE\n{}", exports.join("\n"))
}

fn variables<'a>(access: &'a Access, contents: &'a str) -> [(&'static str, &'a str); 8] {
    [
        ("AWS_ACCESS_KEY_ID", &access.id),
        ("AWS_SECRET_ACCESS_KEY", &access.secret),
        ("AWS_REGION", aws::REGION),
        ("AWS_DEFAULT_REGION", aws::REGION),
        ("AWS_ENDPOINT_URL", &access.endpoint),
        ("AWS_ENDPOINT_URL_CLOUDFRONT", &access.endpoint),
        ("AWS_ENDPOINT_URL_ACM", &access.endpoint),
        ("AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE", contents),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_for_a_shell_and_json_is_for_scripts() {
        let access = Access {
            endpoint: "http://127.0.0.1:9300".into(),
            id: "AKIA".into(),
            secret: "a/b+c".into(),
        };
        let shell = text(&access, false);
        assert!(shell.contains("\nexport AWS_SECRET_ACCESS_KEY='a/b+c'\n"), "{shell}");
        let json: serde_json::Value = serde_json::from_str(&text(&access, true)).unwrap();
        assert_eq!(json["AWS_ENDPOINT_URL_ACM"], "http://127.0.0.1:9300");
        assert_eq!(json["AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE"], "http://localhost:9300");
    }
}
