//! `SimulatePrincipalPolicy`: what a user's policies would say.
//!
//! Source: IAM API reference, `SimulatePrincipalPolicy`.

use super::{Ask, answer::Answer, user};
use crate::{
    access::Person,
    ids,
    wire::fault::{Common, Fault},
};
use ::iam::{Context, Decision, Policy, Verdict, decide};

/// Most pairs of action and resource in one call.
const MOST: usize = 1000;
/// Most policies that a call may bring; a user has ten.
const MOST_POLICIES: usize = 10;
/// Longest ARN.
const LONGEST_TEXT: usize = 2048;
/// Most bytes of the context: more than real requests have, and few enough that deciding one pair,
/// which takes as long as pattern times text, cannot hold the others up.
const MOST_CONTEXT: usize = 4096;

/// One pair, and what policies say of it.
struct Finding<'a> {
    action: &'a str,
    resource: &'a str,
    verdict: Verdict,
}

/// Asks the policies of a user, and others beside them, about actions on resources.
pub async fn run(ask: &Ask<'_>) -> Result<Answer, Fault> {
    ask.form.only(&[
        "PolicySourceArn",
        "PolicyInputList",
        "ActionNames",
        "ResourceArns",
        "ContextEntries",
        "Marker",
        "MaxItems",
    ])?;
    let person = person(ask).await?;
    let (names, policies) = policies(ask, &person)?;
    let context = context(ask, &person)?;
    let pairs = pairs(ask)?;
    let findings = findings(&pairs, &policies, &context).await;
    let paging = ask.form.paging()?;
    let start: usize = match paging.marker.as_str() {
        "" => 0,
        text => text.parse().map_err(|_| input("Marker must be that of the page before"))?,
    };
    let end = start.saturating_add(paging.most);
    let next = (findings.len() > end).then(|| end.to_string());
    let missing = missing(&policies, &context);
    let mut answer = Answer::with_result();
    answer
        .list("EvaluationResults", findings.iter().skip(start).take(paging.most), |member, one| {
            write(member, one, &names, &missing);
        })
        .paged(next.as_deref());
    Ok(answer)
}

fn input(message: impl Into<String>) -> Fault {
    Fault::common(Common::InvalidInput, message)
}

async fn person(ask: &Ask<'_>) -> Result<Person, Fault> {
    let arn = ask.form.required("PolicySourceArn")?;
    let users = format!("arn:aws:iam::{}:user/", ask.control.account);
    let rest = arn
        .strip_prefix(&users)
        .ok_or_else(|| input(format!("PolicySourceArn must be that of a user: {users}NAME")))?;
    let name = rest.rsplit('/').next().unwrap_or_default();
    let user = user::find(ask.control, name).await?.value;
    if user.arn(&ask.control.account) != arn {
        return Err(Fault::common(Common::NoSuchEntity, "there is no user with this ARN"));
    }
    Person::of(user)
}

/// The user's policies, then those that the call brings, each with a name.
fn policies(ask: &Ask<'_>, person: &Person) -> Result<(Vec<String>, Vec<Policy>), Fault> {
    let mut names: Vec<String> = person.user().policies.keys().cloned().collect();
    let mut policies = person.policies().to_vec();
    let brought = ask.form.members("PolicyInputList");
    if brought.len() > MOST_POLICIES {
        return Err(input(format!("PolicyInputList: at most {MOST_POLICIES} policies")));
    }
    for (index, text) in brought.into_iter().enumerate() {
        let number = index + 1;
        let wrong = |why| input(format!("PolicyInputList.member.{number}: {why}"));
        policies.push(Policy::read(text).map_err(wrong)?);
        names.push(format!("PolicyInputList.{number}"));
    }
    Ok((names, policies))
}

/// What is known of the user and the time, unless the call says otherwise.
fn context(ask: &Ask<'_>, person: &Person) -> Result<Context, Fault> {
    let (control, user) = (ask.control, person.user());
    let mut context = Context::default();
    context
        .add("aws:username", &user.name)
        .add("aws:userid", &user.id)
        .add("aws:PrincipalArn", user.arn(&control.account))
        .add("aws:PrincipalAccount", control.account.as_str())
        .add("aws:PrincipalType", "User")
        .add("aws:CurrentTime", ids::iso(control.now()))
        .add("aws:EpochTime", control.now().seconds().to_string());
    for (key, value) in &user.tags {
        context.add(&format!("aws:PrincipalTag/{key}"), value);
    }
    let mut bytes = 0;
    for number in 1.. {
        let entry = format!("ContextEntries.member.{number}");
        let Some(key) = ask.form.get(&format!("{entry}.ContextKeyName")) else { break };
        let values = ask.form.members(&format!("{entry}.ContextKeyValues"));
        if values.is_empty() {
            return Err(input(format!("{entry}.ContextKeyValues: must not be empty")));
        }
        bytes += values.iter().map(|value| key.len() + value.len()).sum::<usize>();
        if bytes > MOST_CONTEXT {
            return Err(input(format!(
                "{entry}: keys and values have {MOST_CONTEXT} bytes at most"
            )));
        }
        context.remove(key);
        for value in values {
            context.add(key, value);
        }
    }
    Ok(context)
}

/// What is asked about: actions with resources.
fn pairs<'a>(ask: &'a Ask<'_>) -> Result<Vec<(&'a str, &'a str)>, Fault> {
    let actions = ask.form.members("ActionNames");
    let mut resources = ask.form.members("ResourceArns");
    if resources.is_empty() {
        resources.push("*");
    }
    if actions.is_empty() || actions.iter().any(|action| !action.contains(':')) {
        return Err(input("ActionNames must hold actions: cloudfront:GetDistribution"));
    }
    if actions.iter().chain(&resources).any(|text| text.len() > LONGEST_TEXT) {
        return Err(input(format!("an action or an ARN has at most {LONGEST_TEXT} bytes")));
    }
    if actions.len().saturating_mul(resources.len()) > MOST {
        return Err(input(format!("ask about at most {MOST} pairs of action and resource")));
    }
    let with_all = |action| resources.iter().map(move |resource| (action, *resource));
    Ok(actions.iter().copied().flat_map(with_all).collect())
}

async fn findings<'a>(
    pairs: &[(&'a str, &'a str)],
    policies: &[Policy],
    context: &Context,
) -> Vec<Finding<'a>> {
    let mut found = Vec::new();
    for (action, resource) in pairs {
        tokio::task::yield_now().await; // others have their turn
        let verdict = decide(policies, action, resource, context);
        found.push(Finding { action, resource, verdict });
    }
    found
}

/// Condition keys that policies ask for and nobody has given.
fn missing(policies: &[Policy], context: &Context) -> Vec<String> {
    let asked = policies.iter().flat_map(Policy::keys);
    let mut missing: Vec<String> =
        asked.filter(|key| !context.has(key)).map(str::to_owned).collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

fn write(member: &mut Answer, one: &Finding<'_>, names: &[String], missing: &[String]) {
    let decision = match one.verdict.decision {
        Decision::Allowed => "allowed",
        Decision::ExplicitDeny => "explicitDeny",
        Decision::ImplicitDeny => "implicitDeny",
    };
    member
        .text("EvalActionName", one.action)
        .text("EvalResourceName", one.resource)
        .text("EvalDecision", decision)
        .list("MatchedStatements", &one.verdict.matched, |statement, (policy, _)| {
            let name = names.get(*policy).map(String::as_str);
            statement.maybe("SourcePolicyId", name).text("SourcePolicyType", "user");
        })
        .texts("MissingContextValues", missing.iter().map(String::as_str));
}
