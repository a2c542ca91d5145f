use std::collections::BTreeSet;

use super::*;
use crate::fixture::Seeded;

const NEXT: &str = "<http://example.org/vocab#next>";
const PREV: &str = "<http://example.org/vocab#prev>";

fn quad(subject: usize, predicate: &str, object: usize, graph: Option<usize>) -> Quad {
    Quad {
        subject: Term::Blank(subject),
        predicate: predicate.to_owned(),
        object: Term::Blank(object),
        graph: graph.map(Term::Blank),
    }
}

/// Both circles of three in a blank graph, with every escape: the example of crate `rdf-canon`.
#[test]
fn a_circle_in_a_blank_graph() {
    let mut quads: BTreeSet<Quad> = [(0, 1), (1, 2), (2, 0)]
        .into_iter()
        .flat_map(|(a, b)| [quad(a, NEXT, b, Some(9)), quad(b, PREV, a, Some(9))])
        .collect();
    quads.insert(Quad {
        subject: Term::Named("<urn:ex:s>".to_owned()),
        predicate: "<urn:ex:p>".to_owned(),
        object: Term::Named(format!("\"{}\"", escape("\u{8}\t\n\u{b}\u{c}\r\"\\\u{7f}"))),
        graph: Some(Term::Blank(9)),
    });
    assert_eq!(
        canonicalize(&quads).unwrap(),
        r#"<urn:ex:s> <urn:ex:p> "\b\t\n\u000B\f\r\"\\\u007F" _:c14n0 .
_:c14n1 <http://example.org/vocab#next> _:c14n2 _:c14n0 .
_:c14n1 <http://example.org/vocab#prev> _:c14n3 _:c14n0 .
_:c14n2 <http://example.org/vocab#next> _:c14n3 _:c14n0 .
_:c14n2 <http://example.org/vocab#prev> _:c14n1 _:c14n0 .
_:c14n3 <http://example.org/vocab#next> _:c14n1 _:c14n0 .
_:c14n3 <http://example.org/vocab#prev> _:c14n2 _:c14n0 .
"#
    );
}

fn nquads(quads: &BTreeSet<Quad>) -> oxrdf::Dataset {
    let node = |term: &Term| match term {
        Term::Blank(node) => oxrdf::BlankNode::new(format!("x{node}")).unwrap(),
        Term::Named(_) => panic!("only blank nodes here"),
    };
    quads
        .iter()
        .map(|quad| {
            let predicate = quad.predicate.trim_matches(['<', '>']);
            oxrdf::Quad::new(
                node(&quad.subject),
                oxrdf::NamedNode::new(predicate).unwrap(),
                node(&quad.object),
                quad.graph
                    .as_ref()
                    .map_or(oxrdf::GraphName::DefaultGraph, |graph| node(graph).into()),
            )
        })
        .collect()
}

/// Small random graphs, against an implementation by somebody else.
#[test]
fn another_implementation_agrees() {
    let random = Seeded::new(5);
    for _ in 0..300 {
        let nodes = 2 + random.below(4);
        let quads: BTreeSet<Quad> = (0..=random.below(7))
            .map(|_| {
                let predicate = [NEXT, PREV][random.below(2)];
                // Nodes apart from each other: of a quad that names one twice that implementation
                // hashes two copies, where section 4.4.3 step 2.1 and `rdf-canonize` have one.
                let graph = (random.below(4) == 0).then(|| nodes + random.below(2));
                let subject = random.below(nodes);
                let object = (subject + 1 + random.below(nodes - 1)) % nodes;
                quad(subject, predicate, object, graph)
            })
            .collect();
        let theirs = rdf_canon::canonicalize(&nquads(&quads)).unwrap();
        assert_eq!(canonicalize(&quads).unwrap(), theirs, "{quads:?}");
    }
}

/// However nodes are numbered, the form is the same.
#[test]
fn names_do_not_matter() {
    let circle = |order: [usize; 6]| {
        let quads = (0..6)
            .map(|n| quad(order[n], NEXT, order[(n + 1) % 6], None))
            .collect();
        canonicalize(&quads).unwrap()
    };
    assert_eq!(circle([0, 1, 2, 3, 4, 5]), circle([5, 0, 3, 2, 4, 1]));
}

#[test]
fn poison_is_refused_soon() {
    let clique = (0..12)
        .flat_map(|a| {
            (0..12)
                .filter(move |b| a != *b)
                .map(move |b| quad(a, NEXT, b, None))
        })
        .collect();
    assert_eq!(canonicalize(&clique), Err(VerifyError::TooComplex));
}
