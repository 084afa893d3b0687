//! The names of condition keys.
//!
//! Source: IAM user guide, "AWS global condition context keys".

/// Set for every request, or whenever the request has what they are about.
const SET: &[&str] = &[
    "aws:currenttime",
    "aws:epochtime",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalisawsservice",
    "aws:principaltype",
    "aws:referer",
    "aws:requestedregion",
    "aws:resourceaccount",
    "aws:securetransport",
    "aws:sourceip",
    "aws:tagkeys",
    "aws:useragent",
    "aws:userid",
    "aws:username",
    "aws:viaawsservice",
];

/// About things that this server has not: roles, organisations, VPCs, second factors. They are
/// never in a request, which is what a condition about them then says.
const NEVER: &[&str] = &[
    "aws:assumedroot",
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:chatbotsourcearn",
    "aws:ec2instancesourceprivateipv4",
    "aws:ec2instancesourcevpc",
    "aws:federatedprovider",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:resourceorgid",
    "aws:resourceorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceidentity",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourcevpc",
    "aws:sourcevpcarn",
    "aws:sourcevpce",
    "aws:tokenissuetime",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "aws:vpcsourceip",
];

/// Each names a tag after the slash.
const OF_TAGS: &[&str] = &["aws:principaltag/", "aws:requesttag/", "aws:resourcetag/"];

/// Keys that may have several values at once.
const SEVERAL: &[&str] = &["aws:tagkeys"];

/// Services of this server; it knows no condition keys of their own.
const OURS: &[&str] =
    &["acm", "cloudfront", "cloudfront-keyvaluestore", "cloudtrail", "iam", "sts"];

/// Whether a key may have several values in one request.
pub fn has_several(key: &str) -> bool {
    SEVERAL.contains(&key.to_lowercase().as_str())
}

/// Whether there can be such a key.
///
/// # Errors
/// A text that says what is wrong.
pub fn check(key: &str) -> Result<(), String> {
    let small = key.to_lowercase();
    let Some((service, name)) =
        small.split_once(':').filter(|(s, n)| !s.is_empty() && !n.is_empty())
    else {
        return Err(format!("{key:?} is no condition key: aws:SourceIp is one"));
    };
    if service == "aws" {
        let tag =
            OF_TAGS.iter().filter_map(|one| small.strip_prefix(one)).any(|tag| !tag.is_empty());
        if tag || SET.contains(&small.as_str()) || NEVER.contains(&small.as_str()) {
            return Ok(());
        }
        return Err(format!("there is no global condition key {key}"));
    }
    if OURS.contains(&service) {
        return Err(format!("{key} is not evaluated by this server ({service}: has no keys here)"));
    }
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
    if plain(service) && plain(name) { Ok(()) } else { Err(format!("{key:?} is no condition key")) }
}
