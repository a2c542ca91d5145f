//! RDF Dataset Canonicalization (RDFC-1.0, W3C) with SHA-256, within a budget.
//!
//! The libraries at hand try every order of a list in which one node stands many times, as the name
//! of a blank graph does: nine properties in such a graph cost them 9! steps, and a presentation of
//! a credential without `id` never ends. Here equal orders count once, and all work is counted.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write as _,
};

use sha2::{Digest as _, Sha256};

use crate::VerifyError;

/// Quads looked at, nodes named and orders tried. Presentations of sixteen credentials take a
/// few thousand.
const BUDGET: usize = 200_000;

/// A node or value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// A blank node, by any number.
    Blank(usize),
    /// An IRI or literal as canonical N-Quads write it.
    Named(String),
}

/// One statement; the predicate is an IRI in angle brackets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quad {
    pub subject: Term,
    pub predicate: String,
    pub object: Term,
    pub graph: Option<Term>,
}

/// The canonical N-Quads of a dataset (section 4.4).
pub fn canonicalize(quads: &BTreeSet<Quad>) -> Result<String, VerifyError> {
    let mut quads_of: BTreeMap<usize, Vec<&Quad>> = BTreeMap::new();
    for quad in quads {
        let nodes: BTreeSet<usize> = quad.blanks().map(|(_, node)| node).collect();
        for node in nodes {
            quads_of.entry(node).or_default().push(quad);
        }
    }
    let mut state = State {
        first_degree: HashMap::new(),
        canonical: Issuer::new("c14n"),
        budget: BUDGET,
        quads_of,
    };
    let mut by_hash: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (&node, quads) in &state.quads_of {
        let hash = first_degree(node, quads);
        state.first_degree.insert(node, hash.clone());
        by_hash.entry(hash).or_default().push(node);
    }
    for nodes in by_hash.values() {
        if let [node] = nodes.as_slice() {
            state.canonical.issue(*node);
        }
    }
    for nodes in by_hash.values().filter(|nodes| nodes.len() > 1) {
        let mut paths = Vec::new();
        for &node in nodes {
            if state.canonical.name(node).is_none() {
                let mut issuer = Issuer::new("b");
                issuer.issue(node);
                paths.push(state.n_degree(node, issuer)?);
            }
        }
        paths.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (_, issuer) in paths {
            for node in issuer.order {
                state.canonical.issue(node);
            }
        }
    }
    let name = |node| state.canonical.name(node).unwrap_or_default().to_owned();
    let lines: BTreeSet<String> = quads.iter().map(|quad| quad.line(&name)).collect();
    Ok(lines.into_iter().collect())
}

/// Hash First Degree Quads (section 4.6).
fn first_degree(node: usize, quads: &[&Quad]) -> String {
    let name = |other| if other == node { "a" } else { "z" }.to_owned();
    let mut lines: Vec<String> = quads.iter().map(|quad| quad.line(&name)).collect();
    lines.sort_unstable();
    sha256(&lines.concat())
}

fn sha256(text: &str) -> String {
    let mut hash = String::with_capacity(64);
    for byte in Sha256::digest(text) {
        write!(hash, "{byte:02x}").expect("a string takes everything");
    }
    hash
}

struct State<'a> {
    quads_of: BTreeMap<usize, Vec<&'a Quad>>,
    first_degree: HashMap<usize, String>,
    canonical: Issuer,
    budget: usize,
}

impl State<'_> {
    /// Hash N-Degree Quads (section 4.8).
    fn n_degree(
        &mut self,
        node: usize,
        mut issuer: Issuer,
    ) -> Result<(String, Issuer), VerifyError> {
        let mut related: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let quads = self.quads_of.get(&node).cloned().unwrap_or_default();
        self.spend(quads.len())?;
        for quad in quads {
            for (position, other) in quad.blanks().filter(|(_, other)| *other != node) {
                let hash = self.hash_related(other, quad, &issuer, position);
                related.entry(hash).or_default().push(other);
            }
        }
        let mut data = String::new();
        for (hash, mut nodes) in related {
            data.push_str(&hash);
            nodes.sort_unstable();
            let mut chosen: Option<(String, Issuer)> = None;
            loop {
                self.spend(nodes.len() + issuer.order.len())?;
                if let Some(better) = self.path(&nodes, issuer.clone(), chosen.as_ref())? {
                    chosen = Some(better);
                }
                if !next_order(&mut nodes) {
                    break;
                }
            }
            if let Some((path, chosen)) = chosen {
                data.push_str(&path);
                issuer = chosen;
            }
        }
        Ok((sha256(&data), issuer))
    }

    /// Steps 5.4.1 to 5.4.6 for one order of nodes, if it comes before the one chosen so far.
    fn path(
        &mut self,
        nodes: &[usize],
        mut issuer: Issuer,
        chosen: Option<&(String, Issuer)>,
    ) -> Result<Option<(String, Issuer)>, VerifyError> {
        let worse = |path: &str| {
            chosen.is_some_and(|(chosen, _)| path.len() >= chosen.len() && path > chosen.as_str())
        };
        let mut path = String::new();
        let mut recursion = Vec::new();
        for &node in nodes {
            path.push_str("_:");
            if let Some(name) = self.canonical.name(node) {
                path.push_str(name);
            } else {
                if issuer.name(node).is_none() {
                    recursion.push(node);
                }
                path.push_str(issuer.issue(node));
            }
            if worse(&path) {
                return Ok(None);
            }
        }
        for node in recursion {
            let (hash, next) = self.n_degree(node, issuer.clone())?;
            path.push_str("_:");
            path.push_str(issuer.issue(node));
            write!(path, "<{hash}>").expect("a string takes everything");
            issuer = next;
            if worse(&path) {
                return Ok(None);
            }
        }
        let better = chosen.is_none_or(|(chosen, _)| path < *chosen);
        Ok(better.then_some((path, issuer)))
    }

    /// Hash Related Blank Node (section 4.7).
    fn hash_related(&self, node: usize, quad: &Quad, issuer: &Issuer, position: char) -> String {
        let mut input = position.to_string();
        if position != 'g' {
            input.push_str(&quad.predicate);
        }
        match self.canonical.name(node).or_else(|| issuer.name(node)) {
            Some(name) => {
                input.push_str("_:");
                input.push_str(name);
            }
            None => input.push_str(self.first_degree.get(&node).map_or("", String::as_str)),
        }
        sha256(&input)
    }

    fn spend(&mut self, steps: usize) -> Result<(), VerifyError> {
        // A call costs a step even where there is nothing to look at.
        self.budget = self
            .budget
            .checked_sub(steps + 1)
            .ok_or(VerifyError::TooComplex)?;
        Ok(())
    }
}

/// Issue Identifier (section 4.5).
#[derive(Debug, Clone)]
struct Issuer {
    prefix: &'static str,
    names: HashMap<usize, String>,
    order: Vec<usize>,
}

impl Issuer {
    fn new(prefix: &'static str) -> Self {
        Self {
            prefix,
            names: HashMap::new(),
            order: Vec::new(),
        }
    }

    fn name(&self, node: usize) -> Option<&str> {
        self.names.get(&node).map(String::as_str)
    }

    fn issue(&mut self, node: usize) -> &str {
        let (prefix, order) = (self.prefix, &mut self.order);
        self.names.entry(node).or_insert_with(|| {
            order.push(node);
            format!("{prefix}{}", order.len() - 1)
        })
    }
}

impl Quad {
    /// Its blank nodes with their positions.
    fn blanks(&self) -> impl Iterator<Item = (char, usize)> {
        [
            ('s', Some(&self.subject)),
            ('o', Some(&self.object)),
            ('g', self.graph.as_ref()),
        ]
        .into_iter()
        .filter_map(|(position, term)| match term {
            Some(Term::Blank(node)) => Some((position, *node)),
            _ => None,
        })
    }

    fn line(&self, name: &impl Fn(usize) -> String) -> String {
        let text = |term: &Term| match term {
            Term::Blank(node) => format!("_:{}", name(*node)),
            Term::Named(text) => text.clone(),
        };
        let graph = self
            .graph
            .as_ref()
            .map_or(String::new(), |graph| text(graph) + " ");
        let (subject, object) = (text(&self.subject), text(&self.object));
        format!("{subject} {} {object} {graph}.\n", self.predicate)
    }
}

/// The next order of `items`, of which equal ones cannot be told apart; false after the last.
fn next_order(items: &mut [usize]) -> bool {
    let Some(pivot) = items.windows(2).rposition(|pair| pair[0] < pair[1]) else {
        return false;
    };
    let successor = items
        .iter()
        .rposition(|item| *item > items[pivot])
        .expect("the item after the pivot is greater");
    items.swap(pivot, successor);
    items[pivot + 1..].reverse();
    true
}

/// An IRI or literal's text, escaped as canonical N-Quads want it (section 5).
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{8}' => escaped.push_str("\\b"),
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\u{c}' => escaped.push_str("\\f"),
            '\r' => escaped.push_str("\\r"),
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\0'..='\u{1f}' | '\u{7f}' => {
                write!(escaped, "\\u{:04X}", u32::from(character))
                    .expect("a string takes everything");
            }
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
