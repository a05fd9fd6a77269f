//! Renders the machine for people: `docs/work-orders.md` is this text, and a test keeps it so.

use crate::order::{
    kinds::HoldReason,
    stage::{MOVES, Stage},
};
use std::fmt::Write as _;

/// The page of the book on work orders: a diagram, the moves, the guards.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Work orders\n\n<!-- generated from schemas/src/order/stage.rs by schemas::order::book::markdown; do not edit -->\n\n\
         An order moves through eleven stages. Every move is a line of one table; a move that is not listed is refused with\n\
         `invalid-transition`, and a guard that does not agree refuses with `guard-failed`, its name and what would satisfy it.\n\n",
    );
    diagram(&mut page);
    moves(&mut page);
    guards(&mut page);
    page
}

fn diagram(page: &mut String) {
    page.push_str("```mermaid\nstateDiagram-v2\n    [*] --> draft: create\n");
    for step in MOVES {
        for from in step.from {
            writeln!(page, "    {from} --> {}: {}", step.to, step.event).expect("a string takes all that is written");
        }
    }
    for stage in Stage::ALL.iter().filter(|stage| stage.is_final()) {
        writeln!(page, "    {stage} --> [*]").expect("a string takes all that is written");
    }
    page.push_str("```\n\n");
}

fn moves(page: &mut String) {
    page.push_str("## Moves\n\n| from | event | to | guards |\n| --- | --- | --- | --- |\n");
    for step in MOVES {
        let from = step.from.iter().map(|stage| stage.name()).collect::<Vec<_>>().join(", ");
        let guards = step.guards.iter().map(|guard| format!("`{}`", guard.name)).collect::<Vec<_>>().join(", ");
        writeln!(page, "| {from} | {} | {} | {guards} |", step.event, step.to).expect("a string takes all that is written");
    }
    let reasons = HoldReason::ALL.iter().map(|reason| format!("`{reason}`")).collect::<Vec<_>>().join(", ");
    writeln!(page, "\nHold reasons: {reasons}. Whether one stops an SLA clock is a matter of the policy.\n")
        .expect("a string takes all that is written");
}

fn guards(page: &mut String) {
    page.push_str("## Guards\n\n| guard | what satisfies it |\n| --- | --- |\n");
    let mut seen = std::collections::BTreeSet::new();
    for guard in MOVES.iter().flat_map(|step| step.guards) {
        if seen.insert(guard.name) {
            writeln!(page, "| `{}` | {} |", guard.name, guard.needs).expect("a string takes all that is written");
        }
    }
}
