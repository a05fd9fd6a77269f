//! What a running job says of itself, for people and for what watches it.

use crate::time::{Moment, Tick};
use serde::{Deserialize, Serialize};

/// All of it, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub workers: usize,
    /// Of the process that the job runs in.
    pub memory_bytes: Option<u64>,
    pub uptime_s: f64,
    /// The newest tick with a durable binding, and the one up to which the tables are true.
    pub bound_tick: Tick,
    pub durable_tick: Tick,
    pub partitions: Vec<Partition>,
    pub graph: Graph,
}

/// How far one input partition is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    pub topic: String,
    pub partition: i32,
    pub domain: bool,
    /// The offset after the last one that a tick covers.
    pub upto: i64,
    /// The offset after the last one that waits in our queue.
    pub fetched: i64,
    /// Where the broker says the partition ends; nothing while it does not answer.
    pub high: Option<i64>,
    /// For how long the broker has had something that no tick covers: at least, where it had it before the job started.
    pub lag_s: Option<f64>,
    /// The event time up to which it is believed complete; nothing before the first reading.
    pub watermark: Option<Moment>,
    /// Caught up and quiet, so that it does not hold back the others.
    pub idle: bool,
}

impl Partition {
    /// Messages that no tick covers.
    pub fn lag(&self) -> Option<i64> {
        self.high.map(|high| (high - self.upto).max(0))
    }
}

/// The dataflow as it runs, all workers of the process added up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

/// An operator, or a scope of operators.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its address, from the outermost scope: `0.3`.
    pub id: String,
    pub name: String,
    /// What channels carried in and out since the start; a record may be a chunk of many readings.
    pub records_in: u64,
    pub records_out: u64,
    /// Records in, over the last seconds.
    pub records_per_s: f64,
    /// Time spent in it since the start.
    pub busy_us: u64,
    /// Rows that its arrangements hold; 0 where it keeps its state otherwise.
    pub rows_held: i64,
    /// True for a scope, whose time is that of what is inside.
    pub scope: bool,
}

/// A channel between two operators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    pub from: String,
    pub to: String,
    pub records: u64,
}

impl Graph {
    /// For Graphviz.
    pub fn dot(&self) -> String {
        use std::fmt::Write;
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let mut text = String::from("digraph job {\n  rankdir=LR;\n  node [shape=box];\n");
        for node in self.nodes.iter().filter(|node| !node.scope) {
            let busy_ms = node.busy_us / 1_000;
            let (id, name) = (quoted(&node.id), quoted(&node.name));
            let _ = writeln!(text, "  \"{id}\" [label=\"{name}\\n{} in, {} out\\n{busy_ms} ms\"];", node.records_in, node.records_out);
        }
        for edge in &self.edges {
            let _ = writeln!(text, "  \"{}\" -> \"{}\" [label=\"{}\"];", quoted(&edge.from), quoted(&edge.to), edge.records);
        }
        text.push_str("}\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_is_drawn_without_its_scopes() {
        let node = |id: &str, name: &str, scope| Node {
            id: id.into(),
            name: name.into(),
            records_in: 3,
            busy_us: 5_500,
            scope,
            ..Node::default()
        };
        let edge = Edge { from: "0.1".into(), to: "0.2".into(), records: 7 };
        let graph = Graph {
            nodes: vec![node("0", "job", true), node("0.1", "Decode", false), node("0.2", "Seal \"x\"", false)],
            edges: vec![edge],
        };
        let expected = "digraph job {\n  rankdir=LR;\n  node [shape=box];\n  \"0.1\" [label=\"Decode\\n3 in, 0 out\\n5 ms\"];\n  \
            \"0.2\" [label=\"Seal \\\"x\\\"\\n3 in, 0 out\\n5 ms\"];\n  \"0.1\" -> \"0.2\" [label=\"7\"];\n}\n";
        assert_eq!(graph.dot(), expected);
    }
}
