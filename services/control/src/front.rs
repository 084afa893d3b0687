//! Which service a request is for, and what every one of them has in common: a checked signature.
//!
//! For: one listener that speaks for CloudFront, certificates, users and key value stores. The scope
//! of the credential says which one is meant.

use crate::{
    acm, api,
    control::Control,
    history, iam, kvs,
    sigv4::{self, Authorised, Proof, Service},
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

/// Does what the request asks, once its signature is checked. `id` is the request's own.
///
/// # Errors
/// Those of signatures, and of the service.
pub async fn serve(control: &Control, asked: Asked, id: &str) -> Result<Written, Fault> {
    let answered = served(control, asked, id).await;
    tell_health(control, answered.as_ref().err());
    answered
}

async fn served(control: &Control, asked: Asked, id: &str) -> Result<Written, Fault> {
    let proof = match sigv4::check(&asked.signed(), &control.keys, control.now()).await {
        Ok(proof) => proof,
        Err(fault) => {
            control.counts.answered("refused", fault.status());
            return Err(fault);
        }
    };
    let witness = Witness::of(control, &asked, proof.key_id(), &name(&asked), id)?;
    let speech = asked.speech();
    match watched(witness.control(), proof, asked, id).await {
        Ok(written) => Ok(witness.tell(written).await),
        // Nothing was written by real calls that are refused either; but only these ask to be told.
        Err(fault) if witness.is_dry() => {
            tell_health(control, Some(&fault));
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
async fn watched(
    control: &Control,
    proof: Proof,
    asked: Asked,
    id: &str,
) -> Result<Written, Fault> {
    match (proof.service(), asked.speech()) {
        (Service::CloudFront, Speech::Xml) => {
            operation(control, proof, asked).await.map(Written::from)
        }
        (Service::CloudFront, Speech::RestJson) if asked.path.starts_with(OURS) => {
            history::serve(control, proof.permit(asked)).await
        }
        (Service::Acm, Speech::Json) => certificates(control, proof, asked).await,
        (Service::Iam | Service::Sts, Speech::Form) => {
            iam::serve(control, proof.permit(asked), id).await
        }
        (Service::KeyValueStore, Speech::RestJson) => {
            kvs::serve(control, proof.permit(asked)).await
        }
        (service, _) => Err(Fault::common(
            Common::UnknownOperation,
            format!("the credential is scoped to {}, which has no such request", service.as_str()),
        )),
    }
}

async fn operation(control: &Control, proof: Proof, asked: Asked) -> Result<Reply, Fault> {
    let call = call(&asked)?;
    let name = call.operation.name.as_str();
    let answered = api::serve(control, proof.permit(call)).await;
    let status = answered.as_ref().map_or_else(Fault::status, |reply| reply.status);
    control.counts.answered(name, status);
    answered
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

async fn certificates(control: &Control, proof: Proof, asked: Asked) -> Result<Written, Fault> {
    if asked.method != "POST" || asked.path != "/" {
        let message = "X-Amz-Target belongs to POST / with a credential for the service acm";
        return Err(Fault::common(Common::UnknownOperation, message));
    }
    let target = asked.header(TARGET).unwrap_or_default().to_owned();
    let region = sigv4::region(&asked.signed());
    let call: Authorised<_> = proof.permit(acm::Call { target, region, body: asked.body });
    let (status, body) = match acm::serve(control, call).await {
        Ok(body) => (200, body),
        Err(refusal) => {
            let body = serde_json::json!({"__type": refusal.code, "message": refusal.message});
            (refusal.status, body)
        }
    };
    Ok(Written::json(status, "application/x-amz-json-1.1", &body))
}
