//! The commands and what their help says.

use crate::{replay::ReplayArgs, rules::RulesCommand, seed::SeedArgs, simulate::SimulateArgs, train::TrainArgs};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Turns plant telemetry into maintenance.
#[derive(Debug, Parser)]
#[command(name = "dcmms", version, propagate_version = true, arg_required_else_help = true, after_help = AFTER_HELP)]
pub struct Cli {
    /// Configuration file; without it `dcmms.toml` in the current directory, where there is one.
    #[arg(long, global = true, env = "DCMMS_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Sets one key for this run; may be given several times.
    #[arg(long, global = true, value_name = "TABLE.KEY=VALUE")]
    pub set: Vec<String>,
    /// What to log: error, warn, info, debug, trace, or target=level pairs.
    #[arg(long, global = true, env = "DCMMS_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// `text` for people, `json` for collectors.
    #[arg(long, global = true, env = "DCMMS_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<String>,
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
Look at it, on a machine with nothing running:
  dcmms demo

Run it on servers of your own:
  export DATABASE_URL=postgres://dcmms:secret@db.example/dcmms DCMMS_KAFKA__BROKERS=kafka.example:9092
  dcmms migrate
  dcmms init --admin you@example.com
  dcmms job run &
  dcmms serve

Every key of the configuration with its reason: dcmms config --default
Figures of this machine: make bench, in the sources";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs everything on this machine: PostgreSQL, a broker, a simulated plant, the engine and the API.
    Demo(DemoArgs),
    /// Serves the API, carries out the engine's commands and publishes what people change.
    Serve(ServeArgs),
    /// Runs dataflow jobs and says how they do.
    #[command(subcommand)]
    Job(JobCommand),
    Simulate(SimulateArgs),
    Replay(ReplayArgs),
    Seed(SeedArgs),
    Train(TrainArgs),
    /// Alarm rules from files.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Points, as telemetry names them.
    #[command(subcommand)]
    Points(PointsCommand),
    /// What the engine refused, and sending it through again after a fix.
    #[command(subcommand)]
    Rejects(RejectsCommand),
    /// Readings that came too late for the correction horizon, by point and hour.
    LateReadings(LateArgs),
    /// Brings the database to the present shape.
    #[command(after_help = "Forward only, and the release still running survives it. Run it before the new `serve` and `job run`.")]
    Migrate,
    /// Prepares a real installation: the first administrator.
    Init(InitArgs),
    /// Prints the OpenAPI document of the API.
    #[command(after_help = "Example:\n  dcmms openapi > openapi.json")]
    Openapi,
    /// Prints the configuration in force, secrets masked.
    Config(ConfigArgs),
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  dcmms demo                                 # broker in the process; started again it goes on where it stopped
  dcmms demo --kafka                         # real Apache Kafka; what was in flight survives a kill as well
  dcmms demo --listen 127.0.0.1:9090 --data /var/tmp/dcmms
  DATABASE_URL=postgres://… dcmms demo --brokers kafka.example:9092

Ctrl-C stops everything that it started; a second Ctrl-C does not wait.")]
pub struct DemoArgs {
    /// Where to serve HTTP.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Directory for everything that the demo keeps.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Starts a real Apache Kafka broker on this machine (needs Java; its jars are fetched once with Maven).
    #[arg(long, conflicts_with = "brokers")]
    pub kafka: bool,
    /// Uses these brokers instead of one of its own.
    #[arg(long, value_name = "HOST:PORT,…")]
    pub brokers: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  dcmms serve
  dcmms serve --listen 0.0.0.0:8080          # behind a proxy that speaks TLS

The process answers /healthz, /readyz, /metrics and /openapi.json; people look at /docs.")]
pub struct ServeArgs {
    /// Where to serve HTTP.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum JobCommand {
    /// Runs the job of engine.job until it is told to stop.
    #[command(after_help = "\
Examples:
  dcmms job run
  dcmms job run --workers 2 --set engine.tick_ms=100

Started a second time under the same name it fences the first off, which then stops itself. After a crash it goes on from
its newest checkpoint, reads again what came since, and writes only what is not in the tables yet.")]
    Run(RunArgs),
    /// Lists the jobs that the database knows.
    List(ShownArgs),
    /// Asks a running job to keep its state now, and waits until a start could go on from it.
    #[command(after_help = "Examples:\n  dcmms job checkpoint\n  dcmms job checkpoint main")]
    Checkpoint(CheckpointArgs),
    /// Says how far a job is, what it has read and refused, and how far the broker is ahead.
    Status(StatusArgs),
    /// Asks a running job to stop, on whatever machine it runs.
    #[command(after_help = "\
Examples:
  dcmms job stop --drain --wait
  dcmms job stop other

With --drain it first reads all that its topics hold when it hears of it, and makes that durable; without it what is under
way is finished. It looks twice a second. A start afterwards is a new matter.")]
    Stop(StopArgs),
    /// Prints the dataflow of a running job for Graphviz: operators, channels, records.
    #[command(after_help = "Example:\n  dcmms job graph | dot -Tsvg > job.svg")]
    Graph(GraphArgs),
}

#[derive(Args, Debug)]
pub struct StopArgs {
    /// The job; without it the one of engine.job.
    pub job: Option<String>,
    /// Reads on to the end of its topics first.
    #[arg(long)]
    pub drain: bool,
    /// Waits until it has stopped.
    #[arg(long)]
    pub wait: bool,
}

#[derive(Args, Debug)]
pub struct GraphArgs {
    /// The job; without it the one of engine.job.
    pub job: Option<String>,
    /// Prints JSON instead.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct LateArgs {
    /// Only points of the site with this code.
    #[arg(long)]
    pub site: Option<String>,
    /// Only the point with this key.
    #[arg(long)]
    pub point: Option<String>,
    /// How many rows.
    #[arg(long, default_value_t = 50)]
    pub limit: u16,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct RunArgs {
    /// Threads of the dataflow.
    #[arg(long, short = 'w')]
    pub workers: Option<usize>,
    /// Raises orders also for causes that began long ago, as in a replay of old files.
    #[arg(long)]
    pub with_actions: bool,
    /// Goes on from the beginning of a topic that was made anew, instead of refusing to start.
    #[arg(long)]
    pub accept_new_source: bool,
}

#[derive(Args, Debug)]
pub struct CheckpointArgs {
    /// The job; without it the one of engine.job.
    pub job: Option<String>,
}

#[derive(Args, Debug)]
pub struct ShownArgs {
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  dcmms job status\n  dcmms job status main --json")]
pub struct StatusArgs {
    /// The job; without it the one of engine.job.
    pub job: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  dcmms init --admin you@example.com                       # asks for a password; empty: makes one and shows it once
  pass dcmms | dcmms init --admin you@example.com --password-stdin

Run `dcmms migrate` first. Further people are made by this one, in the API.")]
pub struct InitArgs {
    /// The administrator's e-mail address, which is the login.
    #[arg(long, value_name = "EMAIL")]
    pub admin: String,
    /// Reads the password from the standard input.
    #[arg(long)]
    pub password_stdin: bool,
}

#[derive(Debug, Subcommand)]
pub enum PointsCommand {
    /// Makes points of keys that telemetry named and nobody knew, and sends their readings through again.
    #[command(after_help = "\
Examples:
  dcmms points adopt-unknown RJ01/B03/INV07:ac.power
  dcmms points adopt-unknown --prefix RJ01/B03/

Site, position, quantity and unit are read from the key; what cannot be understood is listed with the reason.
`dcmms serve` then sends what the points had said before; without it that waits.")]
    AdoptUnknown(AdoptArgs),
}

#[derive(Args, Debug)]
pub struct AdoptArgs {
    /// These keys.
    #[arg(required_unless_present = "prefix", conflicts_with = "prefix")]
    pub keys: Vec<String>,
    /// All unknown keys that begin so.
    #[arg(long)]
    pub prefix: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum RejectsCommand {
    /// Counts what was refused, by reason and partition.
    List(RejectsListArgs),
    /// Shows the newest ones with their bytes.
    #[command(after_help = "\
Examples:
  dcmms rejects show --reason bad_time
  dcmms rejects show --limit 100 --json

The bytes are in the data directory of the machine that ran the job; run this there.")]
    Show(RejectsShowArgs),
    /// Sends what was refused through again, each once.
    #[command(after_help = "\
Examples:
  dcmms rejects replay --reason unknown_point --after-fix
  dcmms rejects replay --reason bad_time,future --partition 3 --after-fix --wait

`dcmms serve` on the machine that has the job's files does it; without it that waits. What was sent by an earlier replay is
left alone. What is refused once more is a new reject.")]
    Replay(RejectsReplayArgs),
    /// Says how far a replay is.
    Progress(RejectsProgressArgs),
}

#[derive(Args, Debug)]
pub struct RejectsListArgs {
    /// Only these reasons.
    #[arg(long, value_name = "REASON,…", value_delimiter = ',')]
    pub reason: Vec<String>,
    /// Only this job's.
    #[arg(long)]
    pub job: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct RejectsShowArgs {
    /// Only these reasons.
    #[arg(long, value_name = "REASON,…", value_delimiter = ',')]
    pub reason: Vec<String>,
    /// Only this job's.
    #[arg(long)]
    pub job: Option<String>,
    /// How many.
    #[arg(long, default_value_t = 10)]
    pub limit: usize,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct RejectsReplayArgs {
    /// For these reasons it was refused, and they are mended.
    #[arg(long, value_name = "REASON,…", value_delimiter = ',', required = true)]
    pub reason: Vec<String>,
    /// Says that the cause is mended. Without it nothing is sent, and what there is is counted.
    #[arg(long)]
    pub after_fix: bool,
    /// Only readings of these points.
    #[arg(long, value_name = "KEY")]
    pub key: Vec<String>,
    /// Only what this job refused.
    #[arg(long)]
    pub job: Option<String>,
    /// Only what came over this partition.
    #[arg(long)]
    pub partition: Option<i32>,
    /// Waits until it is done.
    #[arg(long)]
    pub wait: bool,
}

#[derive(Args, Debug)]
pub struct RejectsProgressArgs {
    /// As `dcmms rejects replay` printed it.
    pub id: uuid::Uuid,
    /// Waits until it is done.
    #[arg(long)]
    pub wait: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  dcmms config\n  dcmms config --default > dcmms.toml")]
pub struct ConfigArgs {
    /// Prints the defaults with the reason of each key instead.
    #[arg(long)]
    pub default: bool,
}
