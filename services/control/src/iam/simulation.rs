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
    let findings = findings(ask, &policies, &context)?;
    let paging = ask.form.paging()?;
    let start = match paging.marker.as_str() {
        "" => 0,
        text => text.parse().map_err(|_| input("Marker must be that of the page before"))?,
    };
    let end = start + paging.most;
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
    for (index, text) in ask.form.members("PolicyInputList").into_iter().enumerate() {
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
    for number in 1.. {
        let entry = format!("ContextEntries.member.{number}");
        let Some(key) = ask.form.get(&format!("{entry}.ContextKeyName")) else { break };
        let values = ask.form.members(&format!("{entry}.ContextKeyValues"));
        if values.is_empty() {
            return Err(input(format!("{entry}.ContextKeyValues: must not be empty")));
        }
        context.remove(key);
        for value in values {
            context.add(key, value);
        }
    }
    Ok(context)
}

fn findings<'a>(
    ask: &'a Ask<'_>,
    policies: &[Policy],
    context: &Context,
) -> Result<Vec<Finding<'a>>, Fault> {
    let actions = ask.form.members("ActionNames");
    let mut resources = ask.form.members("ResourceArns");
    if resources.is_empty() {
        resources.push("*");
    }
    if actions.is_empty() || actions.iter().any(|action| !action.contains(':')) {
        return Err(input("ActionNames must hold actions: cloudfront:GetDistribution"));
    }
    if actions.len().saturating_mul(resources.len()) > MOST {
        return Err(input(format!("ask about at most {MOST} pairs of action and resource")));
    }
    let mut found = Vec::new();
    for action in &actions {
        for resource in &resources {
            let verdict = decide(policies, action, resource, context);
            found.push(Finding { action, resource, verdict });
        }
    }
    Ok(found)
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
