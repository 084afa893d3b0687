//! Real-time log configurations: which fields of how many requests go to which stream.
//!
//! Source: CloudFront API reference, `CreateRealtimeLogConfig`; developer guide, "Use real-time
//! access logs".

use super::check_distinct;
use crate::Faults;
use model::api::{CreateRealtimeLogConfigRequest, EndPoint, ErrorCode};

/// Longest name, in characters.
const LONGEST_NAME: usize = 64;

/// Every field that there is, in the order in which they stand in a record.
pub const FIELDS: [&str; 69] = [
    "timestamp",
    "c-ip",
    "s-ip",
    "time-to-first-byte",
    "sc-status",
    "sc-bytes",
    "cs-method",
    "cs-protocol",
    "cs-host",
    "cs-uri-stem",
    "cs-bytes",
    "x-edge-location",
    "x-edge-request-id",
    "x-host-header",
    "time-taken",
    "cs-protocol-version",
    "c-ip-version",
    "cs-user-agent",
    "cs-referer",
    "cs-cookie",
    "cs-uri-query",
    "x-edge-response-result-type",
    "x-forwarded-for",
    "ssl-protocol",
    "ssl-cipher",
    "x-edge-result-type",
    "fle-encrypted-fields",
    "fle-status",
    "sc-content-type",
    "sc-content-len",
    "sc-range-start",
    "sc-range-end",
    "c-port",
    "x-edge-detailed-result-type",
    "c-country",
    "cs-accept-encoding",
    "cs-accept",
    "cache-behavior-path-pattern",
    "cs-headers",
    "cs-header-names",
    "cs-headers-count",
    "primary-distribution-id",
    "primary-distribution-dns-name",
    "origin-fbl",
    "origin-lbl",
    "asn",
    "cmcd-encoded-bitrate",
    "cmcd-buffer-length",
    "cmcd-buffer-starvation",
    "cmcd-content-id",
    "cmcd-object-duration",
    "cmcd-deadline",
    "cmcd-measured-throughput",
    "cmcd-next-object-request",
    "cmcd-next-range-request",
    "cmcd-object-type",
    "cmcd-playback-rate",
    "cmcd-requested-maximum-throughput",
    "cmcd-streaming-format",
    "cmcd-session-id",
    "cmcd-stream-type",
    "cmcd-startup",
    "cmcd-top-bitrate",
    "cmcd-version",
    "r-host",
    "sr-reason",
    "x-edge-mqcs",
    "distribution-tenant-id",
    "connection-id",
];

/// Whether this configuration may be kept.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(config: &CreateRealtimeLogConfigRequest) -> Result<(), Faults> {
    let mut faults = Faults::default();
    let code = ErrorCode::InvalidArgument;
    let message = "a name has 1 to 64 letters, digits, '-' or '_'";
    faults.require(is_name(&config.name), "Name", code, message);
    faults.within("SamplingRate", &config.sampling_rate, 1..=100, code);
    let message = "name at least one field";
    faults.require(!config.fields.is_empty(), "Fields", code, message);
    for (index, field) in config.fields.iter().enumerate() {
        let message = format!("{field:?} is no field of real-time logs");
        faults.require(place(field).is_some(), format!("Fields[{index}]"), code, message);
    }
    check_distinct(&mut faults, "Fields", "", config.fields.iter().map(String::as_str));
    let message = "there must be exactly one Kinesis data stream";
    faults.require(config.end_points.len() == 1, "EndPoints", code, message);
    for (index, end) in config.end_points.iter().enumerate() {
        check_end(&mut faults, &format!("EndPoints[{index}]"), end);
    }
    faults.into_result()
}

fn check_end(faults: &mut Faults, path: &str, end: &EndPoint) {
    let code = ErrorCode::InvalidArgument;
    let message = format!("{:?} is not Kinesis, the only type of stream", end.stream_type);
    faults.require(end.stream_type == "Kinesis", format!("{path}.StreamType"), code, message);
    let Some(stream) = &end.kinesis_stream_config else {
        let message = "needs the ARNs of a role and of a stream";
        return faults.add(format!("{path}.KinesisStreamConfig"), code, message);
    };
    let path = format!("{path}.KinesisStreamConfig");
    let message = "must be an ARN like arn:aws:iam::111122223333:role/NAME";
    let fine = is_arn(&stream.role_arn, "iam", "role/");
    faults.require(fine, format!("{path}.RoleARN"), code, message);
    let message = "must be an ARN like arn:aws:kinesis:us-east-1:111122223333:stream/NAME";
    let fine = is_arn(&stream.stream_arn, "kinesis", "stream/");
    faults.require(fine, format!("{path}.StreamARN"), code, message);
}

/// `arn:PARTITION:SERVICE:REGION:ACCOUNT:KIND/NAME`; the region may be left out.
fn is_arn(text: &str, service: &str, kind: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, named, region, account, resource] = parts.as_slice() else {
        return false;
    };
    let word = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let account_fine = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let name = resource.strip_prefix(kind).unwrap_or_default();
    text.len() <= 2048
        && partition.starts_with("aws")
        && word(partition)
        && word(region)
        && *named == service
        && account_fine
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether a configuration can have this name.
pub fn is_name(name: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(fine)
}

/// The name in `arn:aws:cloudfront::ACCOUNT:realtime-log-config/NAME`.
pub fn name_in(arn: &str) -> Option<&str> {
    let name = arn.strip_prefix("arn:aws:cloudfront::")?.split_once(":realtime-log-config/")?.1;
    is_name(name).then_some(name)
}

fn place(field: &str) -> Option<usize> {
    FIELDS.iter().position(|known| *known == field)
}

/// The fields as records have them, whatever order they were given in.
pub fn in_order(fields: &[String]) -> Vec<String> {
    let mut fields = fields.to_vec();
    fields.sort_by_key(|field| place(field));
    fields
}
