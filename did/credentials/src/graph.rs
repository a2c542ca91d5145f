//! JSON-LD to canonical RDF, such that nothing is lost on the way and readers of the JSON see what
//! readers of the RDF see.
//!
//! RDF forgets the form of its JSON. Whoever holds a credential signed over RDF may therefore write
//! the same graph differently: a property under its full IRI, which a reader of the JSON looks for in
//! vain under its name (`credentialStatus`, `validUntil`), or moved to a second object with the same
//! `id`. So one spelling only is accepted: terms, no keywords, one object to a node.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures_util::FutureExt as _;
use iref::IriBuf;
use json_ld::{
    Expand as _, ExpandedDocument, Id, IndexedObject, Node, Object, RdfQuads as _, ValidId,
    expansion::{self, Action},
    object::Value as LdValue,
    rdf,
};
use rdf_types::{BlankIdBuf, LiteralType};
use serde_json::{Map, Value};

use crate::{
    Contexts, VerifyError,
    rdfc::{self, Quad, Term},
};

/// A JSON-LD document that was expanded without loss.
pub struct Graph(ExpandedDocument);

impl Graph {
    /// Expands `document`. An unknown context, an undefined term and whatever else would be
    /// dropped is an error.
    pub fn of(contexts: &Contexts, document: &Map<String, Value>) -> Result<Self, VerifyError> {
        let mut ids = HashSet::new();
        check_spelling(contexts, document, &mut ids)?;
        let value = object(document);
        let options = expansion::Options {
            policy: expansion::Policy {
                invalid: Action::Reject,
                allow_undefined: false,
                ..expansion::Policy::default()
            },
            ..expansion::Options::default()
        };
        let expanded = value
            .expand_full(
                &mut (),
                json_ld::Context::default(),
                None,
                contexts.loader(),
                options,
                (),
            )
            .now_or_never()
            .ok_or_else(|| VerifyError::JsonLd("a context was not at hand".to_owned()))?
            .map_err(|error| match error {
                expansion::Error::KeyExpansionFailed(term) => VerifyError::UndefinedTerm(term),
                error => VerifyError::JsonLd(error.to_string()),
            })?;
        if expanded.len() != 1 {
            return Err(VerifyError::JsonLd("not one object".to_owned()));
        }
        expanded.iter().try_for_each(check_object)?;
        Ok(Self(expanded))
    }

    /// The canonical N-Quads (RDFC-1.0 with SHA-256).
    pub fn canonical(mut self) -> Result<String, VerifyError> {
        let mut generator = rdf_types::generator::Blank::new();
        self.0
            .relabel_and_canonicalize_with(&mut (), &mut generator);
        let mut numbers = HashMap::new();
        let mut quads = BTreeSet::new();
        for quad in self.0.rdf_quads(&mut generator, None).cloned() {
            let rdf_types::Quad(subject, predicate, object, graph) = quad;
            let ValidId::Iri(predicate) = predicate else {
                return Err(lost("a property without a name"));
            };
            quads.insert(Quad {
                subject: node(subject, &mut numbers),
                predicate: bracketed(&predicate),
                object: match object {
                    rdf::Value::Id(id) => node(id, &mut numbers),
                    rdf::Value::Literal(literal) => Term::Named(literal_text(&literal)),
                },
                graph: graph.map(|graph| node(graph, &mut numbers)),
            });
        }
        rdfc::canonicalize(&quads)
    }
}

/// Refuses every spelling but the one that readers of the JSON expect.
fn check_spelling<'a>(
    contexts: &Contexts,
    object: &'a Map<String, Value>,
    ids: &mut HashSet<&'a str>,
) -> Result<(), VerifyError> {
    let is_text = object.contains_key("@value");
    for (name, value) in object {
        match name.as_str() {
            "@context" => contexts.know(value)?,
            // Text in a language, VCDM 2.0 section 11.1. A direction would be lost in RDF.
            "@value" | "@language" if is_text && value.is_string() => {}
            "id" => {
                let id = value
                    .as_str()
                    .ok_or(VerifyError::Malformed("an id must be one URL"))?;
                if id.starts_with("_:") {
                    return Err(VerifyError::Malformed("an id of no meaning elsewhere"));
                }
                if !ids.insert(id) {
                    return Err(VerifyError::Malformed("two objects have one id"));
                }
            }
            // Each credential is a graph of its own.
            "verifiableCredential" => match value {
                Value::Array(items) => items
                    .iter()
                    .try_for_each(|item| check_value(contexts, item, true, &mut HashSet::new()))?,
                item => check_value(contexts, item, true, &mut HashSet::new())?,
            },
            name if is_text || name.starts_with('@') || name.contains(':') || name.is_empty() => {
                return Err(VerifyError::UndefinedTerm(name.to_owned()));
            }
            _ => check_value(contexts, value, false, ids)?,
        }
    }
    Ok(())
}

fn check_value<'a>(
    contexts: &Contexts,
    value: &'a Value,
    in_array: bool,
    ids: &mut HashSet<&'a str>,
) -> Result<(), VerifyError> {
    match value {
        Value::Null => Err(VerifyError::Malformed("null says nothing")),
        Value::Array(items) if in_array || items.is_empty() => {
            Err(VerifyError::Malformed("an empty array or one in another"))
        }
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| check_value(contexts, item, true, ids)),
        Value::Object(object) if object.is_empty() => {
            Err(VerifyError::Malformed("an empty object says nothing"))
        }
        Value::Object(object) => check_spelling(contexts, object, ids),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn check_object(object: &IndexedObject<IriBuf, BlankIdBuf>) -> Result<(), VerifyError> {
    if object.index().is_some() {
        return Err(lost("an index"));
    }
    match object.inner() {
        Object::Value(LdValue::Json(_)) => Err(lost("the exact form of a JSON literal")),
        Object::Value(LdValue::LangString(text)) => {
            let well_formed = text
                .language()
                .is_none_or(|tag| tag.as_well_formed().is_some());
            if text.direction().is_some() || !well_formed {
                return Err(lost("a direction or language"));
            }
            Ok(())
        }
        Object::Value(LdValue::Literal(_, _)) => Ok(()),
        Object::List(list) => list.iter().try_for_each(check_object),
        Object::Node(node) => check_node(node),
    }
}

fn check_node(node: &Node) -> Result<(), VerifyError> {
    if node.reverse_properties_entry().is_some() || node.included_entry().is_some() {
        return Err(lost("a node that is written elsewhere"));
    }
    let absolute = |id: &Id| matches!(id, Id::Valid(ValidId::Iri(_)));
    if node.id.as_ref().is_some_and(|id| !absolute(id)) {
        return Err(lost("a relative id"));
    }
    if let Some(relative) = node.types().iter().find(|id| !absolute(id)) {
        return Err(VerifyError::UndefinedTerm(relative.to_string()));
    }
    for (property, objects) in node.properties() {
        if !absolute(property) {
            return Err(VerifyError::UndefinedTerm(property.to_string()));
        }
        if objects.is_empty() {
            return Err(lost("a property without value"));
        }
        objects.iter().try_for_each(check_object)?;
    }
    if let Some(graph) = node.graph_entry() {
        graph.iter().try_for_each(check_object)?;
    }
    Ok(())
}

fn lost(what: &str) -> VerifyError {
    VerifyError::JsonLd(format!("{what} would be lost"))
}

fn node(id: ValidId, numbers: &mut HashMap<BlankIdBuf, usize>) -> Term {
    match id {
        ValidId::Iri(iri) => Term::Named(bracketed(&iri)),
        ValidId::Blank(id) => {
            let next = numbers.len();
            Term::Blank(*numbers.entry(id).or_insert(next))
        }
    }
}

fn bracketed(iri: &IriBuf) -> String {
    format!("<{iri}>")
}

fn literal_text(literal: &rdf_types::Literal) -> String {
    const STRING: &str = "http://www.w3.org/2001/XMLSchema#string";
    let text = rdfc::escape(&literal.value);
    match &literal.type_ {
        LiteralType::Any(iri) if iri.as_str() == STRING => format!("\"{text}\""),
        LiteralType::Any(iri) => format!("\"{text}\"^^<{iri}>"),
        LiteralType::LangString(tag) => format!("\"{text}\"@{tag}"),
    }
}

/// The same JSON in the other library's types.
fn object(members: &Map<String, Value>) -> json_syntax::Value {
    let mut object = json_syntax::Object::new();
    for (name, value) in members {
        object.push(name.as_str().into(), value_of(value));
    }
    json_syntax::Value::Object(object)
}

fn value_of(value: &Value) -> json_syntax::Value {
    match value {
        Value::Null => json_syntax::Value::Null,
        Value::Bool(value) => json_syntax::Value::Boolean(*value),
        Value::Number(number) => {
            // As JavaScript writes it, where 1.0 and 1 are one number (JSON-LD 1.1 API section 8.6).
            let text = serde_json_canonicalizer::to_string(number).unwrap_or_default();
            json_syntax::NumberBuf::new(text.into_bytes().into_iter().collect())
                .map_or(json_syntax::Value::Null, json_syntax::Value::Number)
        }
        Value::String(text) => json_syntax::Value::String(text.as_str().into()),
        Value::Array(items) => json_syntax::Value::Array(items.iter().map(value_of).collect()),
        Value::Object(members) => object(members),
    }
}
