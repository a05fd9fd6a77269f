//! `dcmms init`: the first administrator of an installation.

use crate::{cli::InitArgs, config::Config, print, server};
use anyhow::{Context, bail};
use rand::{Rng, distr::Alphanumeric};
use std::{
    io::{BufRead, IsTerminal, Write},
    process::{Command, Stdio},
};

/// Letters and digits of a password that we make: 20 of 62 are 119 bits.
const PASSWORD_LETTERS: usize = 20;

/// Makes the administrator.
pub async fn command(config: &Config, args: &InitArgs) -> anyhow::Result<()> {
    let pool = server::reached(config).await?;
    let typed = if args.password_stdin { Some(line()?) } else { asked()? };
    let (password, made) = match typed {
        Some(password) => (password, false),
        None => (generated(), true),
    };
    let made_admin = dcmms_api::accounts::create_admin(&pool, &args.admin, &password).await;
    made_admin.with_context(|| format!("make the administrator {} (was `dcmms migrate` run?)", args.admin))?;
    print(&format!("administrator {} can log in now\n", args.admin))?;
    if made {
        print(&format!("password, shown this once: {password}\n"))?;
    }
    Ok(())
}

/// A password that nobody has seen yet.
pub fn generated() -> String {
    rand::rng().sample_iter(Alphanumeric).take(PASSWORD_LETTERS).map(char::from).collect()
}

/// Asks at a terminal, without showing what is typed; `None` where nobody types anything.
fn asked() -> anyhow::Result<Option<String>> {
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    let mut errors = std::io::stderr();
    let _ = write!(errors, "password (empty: make one): ");
    let shown = Echo::off();
    let first = line()?;
    if first.is_empty() {
        return Ok(None);
    }
    let _ = write!(errors, "\nonce more: ");
    let second = line()?;
    drop(shown);
    let _ = writeln!(errors);
    if first != second {
        bail!("the two passwords differ; nothing was changed");
    }
    Ok(Some(first))
}

fn line() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().lock().read_line(&mut text).context("read the password")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Keeps the terminal from showing what is typed for as long as it lives.
struct Echo;

impl Echo {
    fn off() -> Echo {
        stty("-echo");
        Echo
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        stty("echo");
    }
}

fn stty(setting: &str) {
    // Without stty the password is shown, which is a pity and no failure.
    let _ = Command::new("stty").arg(setting).stdin(Stdio::inherit()).stderr(Stdio::null()).status();
}
