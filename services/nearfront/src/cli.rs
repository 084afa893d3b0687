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
    /// `DistributionConfig` refers to by id is taken to exist.
    Check(Check),
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
    /// Print the faults as JSON
    #[arg(long)]
    pub json: bool,
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
