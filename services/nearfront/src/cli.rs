//! What may stand on the command line.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Content delivery that you run yourself, with CloudFront's semantics and management API.
///
/// Start with `nearfront up`, then in another shell `eval "$(nearfront env)"` and use the AWS CLI:
/// `aws cloudfront list-distributions`.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, after_help = EXIT)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT: &str = "Exit status: 0 good, 1 failed, 2 wrong usage.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start control, edge and DNS in one process; no other server is needed
    ///
    /// Metadata is kept in a file of the data folder. Prints, once ready, where everything
    /// listens and what to try. SIGTERM or Ctrl-C lets answers under way finish; a second one does
    /// not wait.
    Up(Up),
    /// Start one edge of a fleet: answers viewers from its cache or fetches from origins
    Edge(Service),
    /// Start the management API of a fleet
    Control(Service),
    /// Start the DNS service of a fleet: answers with the nearest live edge
    Dns(Service),
    /// Print `export` lines that point the AWS CLI and SDKs at the running Nearfront
    ///
    /// Use it as `eval "$(nearfront env)"`. It reads what the running process left in the data
    /// folder.
    Env(Env),
    /// Check settings (TOML) or a `DistributionConfig` (JSON or XML), reporting every fault at once
    ///
    /// JSON may be a `DistributionConfig`, what `aws cloudfront get-distribution-config` prints, or
    /// the CLI's own `--cli-input-json`. Nothing is started and nothing is changed. What a
    /// `DistributionConfig` refers to by id is taken to exist, unless it is held against one that stands.
    /// Lints are told as well; they do not make it fail.
    Check(Check),
    /// Show who changed a resource, when and how; without one, what was deleted and can be made anew
    ///
    /// Speaks to the Nearfront that runs in the data folder.
    History(History),
    /// Show what differs between two versions of a resource, by path
    ///
    /// With one version: what it changed. Without any: what the last change was.
    Diff(Diff),
    /// Make a resource what it was in an earlier version
    ///
    /// The earlier version is sent through the resource's own operation: it is validated, and it makes
    /// a version of its own. What was deleted is made anew, with another id. Tags stay as they are.
    Rollback(Rollback),
    /// Recreate here what another CloudFront or Nearfront has: distributions and all they refer to
    ///
    /// Credentials for the other one are found as all AWS tools find theirs. What stands here already
    /// under the same name or caller reference is left alone, or updated if so told; so the command can
    /// be run again.
    Import(Import),
}

/// Where settings and data are.
#[derive(Args, Clone, Debug)]
pub struct Place {
    /// Settings file [default: nearfront.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data folder, instead of what settings say [default: ./.nearfront]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// `nearfront up`.
#[derive(Args, Clone, Debug)]
pub struct Up {
    /// Where settings and data are.
    #[command(flatten)]
    pub place: Place,
    /// Also serve this folder: makes a distribution for it, once, and prints its URL
    #[arg(long, value_name = "DIR")]
    pub site: Option<PathBuf>,
    /// Print one line of JSON, once ready, instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// A service of a fleet.
#[derive(Args, Clone, Debug)]
#[command(after_help = FLEET)]
pub struct Service {
    /// Where settings and data are.
    #[command(flatten)]
    pub place: Place,
    /// Print one line of JSON, once ready, instead of text for people
    #[arg(long)]
    pub json: bool,
}

const FLEET: &str = "A fleet shares its metadata: metadata.url must be redis://, rediss://, \
    redis+cluster:// or redis+sentinel://. Every process on a machine needs a --data folder of its own.";

/// `nearfront env`.
#[derive(Args, Clone, Debug)]
pub struct Env {
    /// Where settings and data are.
    #[command(flatten)]
    pub place: Place,
    /// Print one JSON object of the variables
    #[arg(long)]
    pub json: bool,
}

/// `nearfront check`.
#[derive(Args, Clone, Debug)]
pub struct Check {
    /// The file; its ending tells its kind: .toml, .json, .xml
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Hold it against this distribution, which stands in the running Nearfront: what would differ, and
    /// what the management API would say
    #[arg(long, value_name = "ID")]
    pub against: Option<String>,
    /// Where settings and data are.
    #[command(flatten)]
    pub place: Place,
    /// Print the faults as JSON
    #[arg(long)]
    pub json: bool,
}

/// What a command is about.
#[derive(Args, Clone, Debug)]
pub struct Resource {
    /// An ARN, KIND/ID, an id, a name, or an alternate domain name
    #[arg(value_name = "RESOURCE")]
    pub name: Option<String>,
    /// Where settings and data are.
    #[command(flatten)]
    pub place: Place,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `nearfront history`.
#[derive(Args, Clone, Debug)]
pub struct History {
    /// What it is about.
    #[command(flatten)]
    pub resource: Resource,
}

/// `nearfront diff`.
#[derive(Args, Clone, Debug)]
pub struct Diff {
    /// An ARN, KIND/ID, an id, a name, or an alternate domain name
    #[arg(value_name = "RESOURCE")]
    pub resource: String,
    /// The version to start from; alone: the one whose change is shown
    #[arg(value_name = "V1")]
    pub first: Option<u64>,
    /// The version to compare it with
    #[arg(value_name = "V2")]
    pub second: Option<u64>,
    /// Where settings and data are.
    #[command(flatten)]
    pub place: Place,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `nearfront rollback`.
#[derive(Args, Clone, Debug)]
pub struct Rollback {
    /// An ARN, KIND/ID, an id, a name, or an alternate domain name
    #[arg(value_name = "RESOURCE")]
    pub resource: String,
    /// The version to go back to
    #[arg(value_name = "VERSION")]
    pub version: u64,
    /// Only if the resource's entity tag is still this one
    #[arg(long, value_name = "ETAG")]
    pub if_match: Option<String>,
    /// Say what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Where settings and data are.
    #[command(flatten)]
    pub place: Place,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `nearfront import`.
#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub struct Import {
    /// Where from: CloudFront itself, or the management API of another Nearfront
    #[arg(long, value_name = "URL", default_value = "https://cloudfront.amazonaws.com")]
    pub from: String,
    /// The profile in the AWS configuration whose credentials are used there
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Only this distribution; may be given several times
    #[arg(long, value_name = "ID")]
    pub distribution: Vec<String>,
    /// The ARN of a certificate there, and that of the one to use here in its place: keys cannot be
    /// read. Without it, alternate domain names are left off
    #[arg(long, value_name = "OLD=NEW", value_parser = pair)]
    pub certificate: Vec<(String, String)>,
    /// Leave out what is not served here, instead of refusing the distribution. Where that takes away
    /// protection, the distribution is made disabled
    #[arg(long)]
    pub skip_unsupported: bool,
    /// Make what stands here already what it is there
    #[arg(long)]
    pub update: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub plan: bool,
    /// Where settings and data are.
    #[command(flatten)]
    pub place: Place,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let both = text.split_once('=').filter(|(old, new)| !old.is_empty() && !new.is_empty());
    both.map(|(old, new)| (old.to_owned(), new.to_owned()))
        .ok_or_else(|| "OLD=NEW is needed".into())
}

impl Place {
    /// Settings as they stand, with the data folder of the command line.
    ///
    /// # Errors
    /// All faults of the settings together.
    pub fn settings(&self) -> Result<kit::settings::Settings, kit::load::LoadError> {
        let mut settings = kit::load::load(self.config.as_deref())?;
        if let Some(data) = &self.data {
            settings.data_dir.clone_from(data);
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent_and_every_command_is_explained() {
        Cli::command().debug_assert();
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
    }
}
