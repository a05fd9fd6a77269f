//! `dcmms rules import`: alarm rules from a file.

use crate::{
    config::Config,
    print,
    replay::{
        map::{RuleMap, check_rule},
        plan,
    },
    server, setup,
};
use anyhow::{Context, anyhow};
use dcmms_api::setup::Plan;
use serde::Deserialize;
use std::path::PathBuf;

#[derive(Debug, clap::Subcommand)]
pub enum RulesCommand {
    /// Creates the `[[rules]]` of a TOML file, such as a mapping; a rule whose name exists is left as it is.
    #[command(after_help = "Example:\n  dcmms rules import deploy/samples/wind-t1.toml")]
    Import {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// What of the file is looked at; a mapping's other tables are for `dcmms replay`.
#[derive(Debug, Deserialize)]
struct RulesFile {
    #[serde(default)]
    rules: Vec<RuleMap>,
}

pub async fn command(config: Config, command: RulesCommand) -> anyhow::Result<()> {
    let RulesCommand::Import { file } = command;
    let rules = read(&std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?);
    let rules = rules.with_context(|| format!("the rules of {}", file.display()))?;
    let plan = Plan { rules: plan::rules(&rules), ..Plan::default() };
    let created = setup::create(&server::reached(&config).await?, &plan).await?;
    print(&format!("created {} rules; {} were there already\n", created.rules, rules.len() - created.rules))
}

fn read(text: &str) -> anyhow::Result<Vec<RuleMap>> {
    let file: RulesFile = toml::from_str(text).map_err(|error| anyhow!("{error}"))?;
    if file.rules.is_empty() {
        return Err(anyhow!("it has no [[rules]]"));
    }
    for rule in &file.rules {
        check_rule(rule).map_err(|(_, what)| anyhow!("{what}"))?;
    }
    Ok(file.rules)
}
