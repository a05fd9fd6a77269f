//! Renders machines for people: `docs/machines.md` is this text, and a test keeps it so.

use super::{Machine, Named};
use crate::{asset, plan, request, stock};
use std::{collections::BTreeSet, fmt::Write as _};

/// The page of the book on all machines but the order's.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Machines\n\n<!-- generated from schemas by schemas::machine::book::markdown; do not edit -->\n\n\
         What can happen to assets, parts, plans and purchases is said in one table each. A move that is not listed is refused with\n\
         `invalid-transition` and the list of those that are; a guard that does not agree refuses with `guard-failed`, its name and what\n\
         would satisfy it. The machine of [work orders](work-orders.md) has a page of its own.\n\n",
    );
    for chapter in [
        chapter::<asset::life::Life>(),
        chapter::<asset::claim::Claims>(),
        chapter::<stock::reservation::Reservations>(),
        chapter::<stock::count::Counts>(),
        chapter::<plan::machines::life::Plans>(),
        chapter::<plan::machines::occurrence::Occurrences>(),
        chapter::<request::Requests>(),
    ] {
        page.push_str(&chapter);
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

/// A chapter on one machine: a diagram, the moves, the guards.
pub fn chapter<M: Machine>() -> String {
    let mut page = String::new();
    let name = M::NAME;
    let (begins, first) = M::BEGINS;
    let title = name[..1].to_uppercase() + &name[1..];
    write!(page, "## {title}\n\n```mermaid\nstateDiagram-v2\n    [*] --> {}: {begins}\n", first.name()).expect(TAKES);
    for step in M::moves() {
        for from in step.from {
            writeln!(page, "    {} --> {}: {}", from.name(), step.to.name(), step.event.name()).expect(TAKES);
        }
    }
    for state in M::State::ALL.iter().filter(|state| M::moves().iter().all(|step| !step.from.contains(state))) {
        writeln!(page, "    {} --> [*]", state.name()).expect(TAKES);
    }
    page.push_str("```\n\n| from | event | to | guards |\n| --- | --- | --- | --- |\n");
    for step in M::moves() {
        let from = step.from.iter().map(|state| state.name()).collect::<Vec<_>>().join(", ");
        let guards = step.guards.iter().map(|guard| format!("`{}`", guard.name)).collect::<Vec<_>>().join(", ");
        writeln!(page, "| {from} | {} | {} | {guards} |", step.event.name(), step.to.name()).expect(TAKES);
    }
    let mut seen = BTreeSet::new();
    let guards = M::moves().iter().flat_map(|step| step.guards).filter(|guard| seen.insert(guard.name));
    let guards: Vec<_> = guards.map(|guard| format!("| `{}` | {} |", guard.name, guard.needs)).collect();
    if !guards.is_empty() {
        write!(page, "\n| guard | what satisfies it |\n| --- | --- |\n{}\n", guards.join("\n")).expect(TAKES);
    }
    page.push('\n');
    page
}

const TAKES: &str = "a string takes all that is written";

#[cfg(test)]
mod tests {
    /// `UPDATE_DOCS=1` with the tests of this crate writes the page anew.
    #[test]
    fn the_book_says_what_the_tables_say() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/machines.md");
        let page = super::markdown();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        assert!(std::fs::read_to_string(path).unwrap() == page, "docs/machines.md is not what the tables say; run with UPDATE_DOCS=1");
    }
}
