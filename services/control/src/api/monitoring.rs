//! Monitoring subscriptions: whether a distribution has additional metrics.
//!
//! Source: CloudFront API reference, `CreateMonitoringSubscription`.

use super::distributions;
use crate::{
    control::Control,
    publish,
    sigv4::Authorised,
    store::{self, Change, Kept, Otherwise, key},
    wire::{
        call::Call,
        fault::Fault,
        reply::{Answer, Reply},
    },
};
use model::api::{
    ErrorCode, MonitoringSubscription, OperationName as Name,
    RealtimeMetricsSubscriptionStatus as Status,
};
use ports::metastore::Check;

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    Some(match call.operation.name {
        Name::CreateMonitoringSubscription => create(control, call).await,
        Name::GetMonitoringSubscription => get(control, call).await,
        Name::DeleteMonitoringSubscription => delete(control, call).await,
        _ => return None,
    })
}

async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    let distribution = call.param("DistributionId")?;
    let wanted: MonitoringSubscription = call.body()?;
    publish::find(control, distribution).await?;
    check(&wanted)?;
    let place = key::monitoring(distribution);
    let message = "the distribution has a monitoring subscription: delete that first";
    let taken = Fault::new(ErrorCode::MonitoringSubscriptionAlreadyExists, message);
    store::settle(|| async {
        let mut change = Change::default();
        distributions::must_exist(&mut change, distribution);
        change.when_or(Check::Absent(place.clone()), taken.clone()).put(place.clone(), &wanted)?;
        change.commit(control.store()).await
    })
    .await?;
    Reply::shape(call, &wanted)
}

/// Edges do not measure these metrics yet, so that only being without them can be kept.
fn check(wanted: &MonitoringSubscription) -> Result<(), Fault> {
    let path = "RealtimeMetricsSubscriptionConfig.RealtimeMetricsSubscriptionStatus";
    let config = wanted.realtime_metrics_subscription_config.as_ref();
    match config.map(|config| config.realtime_metrics_subscription_status) {
        Some(Status::Disabled) => Ok(()),
        Some(Status::Enabled) => Err(Fault::new(
            ErrorCode::UnsupportedOperation,
            format!(
                "{path}: the additional metrics are not measured yet, so Enabled is refused rather \
                 than ignored"
            ),
        )),
        None => Err(Fault::new(ErrorCode::InvalidArgument, format!("{path}: Enabled or Disabled"))),
    }
}

async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    Reply::shape(call, &kept(control, call.param("DistributionId")?).await?.value)
}

async fn delete(control: &Control, call: &Authorised<Call>) -> Answer {
    let distribution = call.param("DistributionId")?;
    store::settle(|| async {
        let kept = kept(control, distribution).await?;
        let mut change = Change::default();
        change.when(kept.unchanged(), Otherwise::Again).delete(kept.key.clone());
        change.commit(control.store()).await
    })
    .await?;
    Ok(Reply::empty(call))
}

/// The subscription of a distribution that is there.
async fn kept(
    control: &Control,
    distribution: &str,
) -> Result<Kept<MonitoringSubscription>, Fault> {
    publish::find(control, distribution).await?;
    let kept = store::get(control.store(), &key::monitoring(distribution)).await?;
    kept.ok_or_else(|| {
        let message = "the distribution has no monitoring subscription";
        Fault::new(ErrorCode::NoSuchMonitoringSubscription, message)
    })
}
