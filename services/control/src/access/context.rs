//! What conditions can ask about a request.
//!
//! Source: IAM user guide, "AWS global condition context keys".

use super::{Caller, Needs};
use crate::{control::Control, ids, sigv4::Proof, wire::asked::Asked};
use ::iam::Context;

/// Everything but the tags of the resource.
pub fn of(
    control: &Control,
    caller: &Caller,
    proof: &Proof,
    asked: &Asked,
    needs: &Needs,
) -> Context {
    let mut context = Context::default();
    add_caller(&mut context, control, caller);
    add_request(&mut context, proof, asked);
    let now = control.now();
    context
        .add("aws:CurrentTime", ids::iso(now))
        .add("aws:EpochTime", now.seconds().to_string())
        .add("aws:ResourceAccount", control.account.as_str());
    for (key, value) in &needs.tags {
        context.add(&format!("aws:RequestTag/{key}"), value).add("aws:TagKeys", key);
    }
    for key in &needs.tag_keys {
        context.add("aws:TagKeys", key);
    }
    context
}

fn add_caller(context: &mut Context, control: &Control, caller: &Caller) {
    let kind = if caller.user().is_some() { "User" } else { "Account" };
    context
        .add("aws:PrincipalAccount", control.account.as_str())
        .add("aws:PrincipalArn", caller.arn())
        .add("aws:PrincipalIsAWSService", "false")
        .add("aws:PrincipalType", kind)
        .add("aws:ViaAWSService", "false")
        .add("aws:userid", caller.id());
    if let Some(person) = caller.user() {
        context.add("aws:username", &person.user().name);
        for (key, value) in &person.user().tags {
            context.add(&format!("aws:PrincipalTag/{key}"), value);
        }
    }
}

/// The listener speaks plain HTTP: whatever stands in front of it cannot be asked.
fn add_request(context: &mut Context, proof: &Proof, asked: &Asked) {
    context.add("aws:SecureTransport", "false").add("aws:RequestedRegion", proof.region());
    if let Some(from) = asked.from {
        context.add("aws:SourceIp", from.to_canonical().to_string());
    }
    for (key, header) in [("aws:UserAgent", "user-agent"), ("aws:Referer", "referer")] {
        if let Some(value) = asked.header(header) {
            context.add(key, value);
        }
    }
}
