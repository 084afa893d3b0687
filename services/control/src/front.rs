//! Which service a request is for, and what every one of them has in common: a checked
//! signature, policies that allow it, and a record of the call.
//!
//! For: one listener that speaks for CloudFront, certificates, users and key value stores. The scope
//! of the credential says which one is meant.

use crate::{
    access::{self, Caller, Needs},
    acm, api,
    audit::{self, Trail},
    control::Control,
    history,
    iam::{self, Form},
    kvs,
    sigv4::{self, Proof, Service},
    wire::{
        asked::{Asked, OURS, Speech, TARGET, Written},
        call::Call,
        fault::{Code, Common, Fault},
        reply::Reply,
        route,
    },
    witness::Witness,
};
use kit::health::Severity;

/// The part of the process that ails when the store is away.
const PART: &str = "control";

/// Does what the request asks, once its signature is checked and policies allow it. `id` is the
/// request's own; `trail` learns who asked for what.
///
/// # Errors
/// Those of signatures and policies, and of the service.
pub async fn serve(
    control: &Control,
    asked: Asked,
    id: &str,
    trail: &mut Trail,
) -> Result<Written, Fault> {
    let answered = served(control, asked, id, trail).await;
    tell_health(control, answered.as_ref().err());
    answered
}

async fn served(
    control: &Control,
    asked: Asked,
    id: &str,
    trail: &mut Trail,
) -> Result<Written, Fault> {
    let (proof, caller) = match known(control, &asked).await {
        Ok(known) => known,
        Err(fault) => {
            control.counts.answered("refused", fault.status());
            return Err(fault);
        }
    };
    trail.is(&caller, &proof);
    let witness = Witness::of(control, &asked, proof.key_id(), &name(&asked), id)?;
    if witness.is_dry() {
        trail.is_dry();
    }
    let speech = asked.speech();
    let visit =
        Visit { base: control, control: witness.control(), caller, proof, trail: &mut *trail };
    let answered = watched(visit, asked, id).await;
    if !witness.is_dry() {
        trail.has_made(witness.made());
    }
    match answered {
        Ok(written) => Ok(witness.tell(written).await),
        // Nothing was written by real calls that are refused either; but only these ask to be told.
        Err(fault) if witness.is_dry() => {
            tell_health(control, Some(&fault));
            trail.refused(&fault);
            Ok(witness.tell(speech.refused(&fault, id)).await)
        }
        Err(fault) => Err(fault),
    }
}

/// What is asked for, as history names it.
fn name(asked: &Asked) -> String {
    let path = sigv4::normal_path(&asked.path);
    if path == history::ROLLBACK {
        return "Rollback".to_owned();
    }
    let target = asked.header(TARGET).map(|target| target.chars().take(64).collect());
    target.unwrap_or_else(|| match route::find(&asked.method, &path, &asked.query) {
        Ok((operation, _)) => operation.name.as_str().to_owned(),
        Err(_) => format!("{} {}", asked.method, path.chars().take(64).collect::<String>()),
    })
}

/// The service's own part, through the store of the witness.
async fn watched(visit: Visit<'_>, asked: Asked, id: &str) -> Result<Written, Fault> {
    match (visit.proof.service(), asked.speech()) {
        (Service::CloudFront, Speech::Xml) => operation(visit, asked).await.map(Written::from),
        (Service::CloudFront, Speech::RestJson) if asked.path.starts_with(OURS) => {
            versions(visit, asked).await
        }
        (Service::Acm, Speech::Json) => certificates(visit, asked).await,
        (Service::CloudTrail, Speech::Json) => records(visit, asked).await,
        (Service::Iam | Service::Sts, Speech::Form) => accounts(visit, asked, id).await,
        (Service::KeyValueStore, Speech::RestJson) => contents(visit, asked).await,
        (service, _) => Err(Fault::common(
            Common::UnknownOperation,
            format!("the credential is scoped to {}, which has no such request", service.as_str()),
        )),
    }
}

async fn known(control: &Control, asked: &Asked) -> Result<(Proof, Caller), Fault> {
    let proof = sigv4::check(&asked.signed(), &control.keys, control.now()).await?;
    let caller = control.people.caller(&proof, &control.account, control.now()).await?;
    Ok((proof, caller))
}

/// A request whose signature is good, on its way to its service.
struct Visit<'a> {
    /// What all share, with the store as it is.
    base: &'a Control,
    /// The same through the store of the witness.
    control: &'a Control,
    caller: Caller,
    proof: Proof,
    trail: &'a mut Trail,
}

impl Visit<'_> {
    /// Whether policies allow it.
    async fn permit(&mut self, asked: &Asked, needs: &Needs) -> Result<(), Fault> {
        self.trail.is_about(needs.resources());
        access::permit(self.control, &self.caller, &self.proof, asked, needs).await
    }
}

async fn operation(mut visit: Visit<'_>, asked: Asked) -> Result<Reply, Fault> {
    let call = call(&asked)?;
    let name = call.operation.name.as_str();
    visit.trail.asks(name);
    let answered = permitted(&mut visit, &asked, call).await;
    let status = answered.as_ref().map_or_else(Fault::status, |reply| reply.status);
    visit.control.counts.answered(name, status);
    answered
}

async fn permitted(visit: &mut Visit<'_>, asked: &Asked, call: Call) -> Result<Reply, Fault> {
    let control = visit.control;
    let needs = access::of_operation(control, &call, visit.caller.user().is_some()).await?;
    visit.permit(asked, &needs).await?;
    api::serve(control, visit.proof.clone().permit(call)).await
}

async fn accounts(mut visit: Visit<'_>, asked: Asked, id: &str) -> Result<Written, Fault> {
    let service = visit.proof.service();
    let form = Form::of(&asked)?;
    if let Some(action) = iam::known_action(form.action()?) {
        visit.trail.asks(action);
    }
    let needs = iam::needs(visit.control, &visit.caller, service, &form).await?;
    visit.permit(&asked, &needs).await?;
    let call = visit.proof.permit((service, form));
    iam::serve(visit.control, &visit.caller, call, id).await
}

async fn contents(mut visit: Visit<'_>, asked: Asked) -> Result<Written, Fault> {
    let (operation, arn) = kvs::about_what(visit.control, &asked)?;
    visit.trail.asks(operation);
    visit.permit(&asked, &access::of_contents(operation, arn)).await?;
    kvs::serve(visit.control, visit.proof.permit(asked)).await
}

/// Our own calls: what is known of versions, and going back to them.
async fn versions(mut visit: Visit<'_>, asked: Asked) -> Result<Written, Fault> {
    let Some(operation) = access::of_version_call(&asked.method, &asked.path) else {
        let message = "there is no such call under /nearfront/";
        return Err(Fault::common(Common::UnknownOperation, message));
    };
    visit.trail.asks(operation);
    let about = history::about(visit.control, &asked).await?;
    let arn = about.as_ref().map(|(resource, _)| history::owner_arn(visit.control, resource));
    let arn = arn.as_deref().unwrap_or("*");
    let mut needs = Needs::one(format!("nearfront:{operation}"), arn);
    let change = about.and_then(|(_, change)| change);
    needs.all.extend(change.into_iter().flat_map(|change| access::of_change(change, arn)));
    visit.permit(&asked, &needs).await?;
    history::serve(visit.control, visit.proof.permit(asked)).await
}

/// The operation that `X-Amz-Target` names; letters only, so that records hold nothing else.
fn target(asked: &Asked) -> Result<String, Fault> {
    if asked.method != "POST" || asked.path != "/" {
        let message = "X-Amz-Target belongs to POST / with a credential for its service";
        return Err(Fault::common(Common::UnknownOperation, message));
    }
    let target = asked.header(TARGET).unwrap_or_default();
    let name = target.rsplit('.').next().unwrap_or_default();
    if name.is_empty() || name.len() > 64 || !name.bytes().all(|b| b.is_ascii_alphabetic()) {
        let message = "X-Amz-Target names no operation";
        return Err(Fault::common(Common::UnknownOperation, message));
    }
    Ok(name.to_owned())
}

async fn records(mut visit: Visit<'_>, asked: Asked) -> Result<Written, Fault> {
    let operation = target(&asked)?;
    visit.trail.asks(&operation);
    visit.permit(&asked, &access::of_history(&operation)).await?;
    if operation != "LookupEvents" {
        let message = format!("this server does not offer {operation}");
        return Err(Fault::common(Common::UnknownOperation, message));
    }
    let body = audit::serve_history(visit.base, &asked.body).await?;
    Ok(Written::json(200, "application/x-amz-json-1.1", &body))
}

fn call(asked: &Asked) -> Result<Call, Fault> {
    let path = sigv4::normal_path(&asked.path);
    let (operation, params) = route::find(&asked.method, &path, &asked.query)?;
    let header = |name: &str| asked.header(name).map(str::to_owned);
    Ok(Call {
        operation,
        params,
        if_match: header("if-match"),
        host: header("host").unwrap_or_default(),
        query: asked.query.clone(),
        headers: asked.headers.clone(),
        body: asked.body.clone(),
    })
}

/// `/readyz` says when the store is away.
fn tell_health(control: &Control, fault: Option<&Fault>) {
    match fault {
        None => control.world.health.heal(PART),
        Some(fault) if fault.code == Code::Common(Common::ServiceUnavailable) => {
            control.world.health.ail(PART, Severity::Degraded, fault.message.clone());
        }
        Some(_) => {}
    }
}

async fn certificates(mut visit: Visit<'_>, asked: Asked) -> Result<Written, Fault> {
    let operation = target(&asked)?;
    visit.trail.asks(&operation);
    let region = sigv4::region(&asked.signed());
    let needs = access::of_acm(visit.control, &operation, &region, &asked.body);
    visit.permit(&asked, &needs).await?;
    let target = asked.header(TARGET).unwrap_or_default().to_owned();
    let call = acm::Call { target, region, body: asked.body };
    let (status, body) = match acm::serve(visit.control, visit.proof.permit(call)).await {
        Ok(body) => (200, body),
        Err(refusal) => {
            visit.trail.failed(refusal.code);
            let body = serde_json::json!({"__type": refusal.code, "message": refusal.message});
            (refusal.status, body)
        }
    };
    Ok(Written::json(status, "application/x-amz-json-1.1", &body))
}
