//! What the load is.

/// Parsed by hand: seven flags do not earn a parser crate here.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    pub(crate) brokers: String,
    pub(crate) database: String,
    pub(crate) rate_per_s: u64,
    pub(crate) points: u32,
    pub(crate) seconds: u64,
    pub(crate) job: String,
}

const USAGE: &str = "load --brokers HOST:PORT --database URL [--rate 72000] [--points 20000] [--seconds 300] [--job main]";

impl Arguments {
    pub(crate) fn parse() -> Result<Arguments, String> {
        let mut arguments = Arguments {
            brokers: String::new(),
            database: String::new(),
            rate_per_s: 72_000,
            points: 20_000,
            seconds: 300,
            job: "main".into(),
        };
        let mut words = std::env::args().skip(1);
        while let Some(flag) = words.next() {
            let value = words.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?;
            let number = || value.parse::<u64>().map_err(|_| format!("{flag} {value}: not a whole number"));
            match flag.as_str() {
                "--brokers" => arguments.brokers = value,
                "--database" => arguments.database = value,
                "--rate" => arguments.rate_per_s = number()?.max(100),
                "--points" => arguments.points = u32::try_from(number()?).map_err(|_| "--points: too many".to_owned())?.max(1),
                "--seconds" => arguments.seconds = number()?,
                "--job" => arguments.job = value,
                _ => return Err(format!("unknown flag {flag}\n{USAGE}")),
            }
        }
        if arguments.brokers.is_empty() || arguments.database.is_empty() {
            return Err(USAGE.to_owned());
        }
        Ok(arguments)
    }
}
