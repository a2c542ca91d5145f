//! Our own JSON Schemas, embedded. Others are not fetched: their outcome is "unchecked".
//!
//! The evaluator knows the part of JSON Schema 2020-12 that these four use, and refuses a schema
//! with any other keyword, so that none is passed over.

use serde_json::{Map, Value};

use crate::{Check, Contexts, Credential, CredentialType, VerifyError, credential, timestamp};

/// What can be said of the schemas that a credential names.
pub fn check(contexts: &Contexts, credential: &Credential) -> Result<Vec<Check>, VerifyError> {
    let members = credential.document().members();
    let mut checks = Vec::new();
    for schema in credential::objects(members, "credentialSchema")? {
        let id = schema
            .get("id")
            .and_then(Value::as_str)
            .ok_or(VerifyError::Malformed("credentialSchema has no id"))?
            .to_owned();
        let known = contexts
            .schema(&id)
            .filter(|_| schema.get("type").and_then(Value::as_str) == Some("JsonSchema"));
        checks.push(match known {
            Some(credential_type) => {
                satisfies(credential_type, members)?;
                Check::Schema { id }
            }
            None => Check::SchemaUnchecked { id },
        });
    }
    Ok(checks)
}

fn satisfies(
    credential_type: CredentialType,
    members: &Map<String, Value>,
) -> Result<(), VerifyError> {
    let schema: Value =
        serde_json::from_str(credential_type.schema()).expect("embedded schemas are JSON");
    object(&schema, members).map_err(|problem| VerifyError::Schema(problem.trim().to_owned()))
}

/// The first thing wrong, as a path and a keyword.
fn evaluate(schema: &Value, value: &Value) -> Result<(), String> {
    let Some(keywords) = schema.as_object() else {
        return Err(" schema".to_owned());
    };
    for (keyword, rule) in keywords {
        let holds = match keyword.as_str() {
            // Annotations, and what `properties` below looks at.
            "$schema" | "title" | "description" | "properties" | "additionalProperties" => true,
            "type" => rule.as_str().is_some_and(|name| is_of_type(name, value)),
            "const" => value == rule,
            "enum" => rule.as_array().is_some_and(|values| values.contains(value)),
            "format" => value.as_str().is_none_or(|text| is_of_format(rule, text)),
            "minLength" => length(value).is_none_or(|length| rule.as_u64() <= Some(length)),
            "maxLength" => length(value).is_none_or(|length| rule.as_u64() >= Some(length)),
            "minimum" => value
                .as_f64()
                .is_none_or(|number| rule.as_f64() <= Some(number)),
            "maximum" => value
                .as_f64()
                .is_none_or(|number| rule.as_f64() >= Some(number)),
            "contains" => value
                .as_array()
                .is_none_or(|items| items.iter().any(|item| evaluate(rule, item).is_ok())),
            "required" => value.as_object().is_none_or(|members| {
                rule.as_array().is_some_and(|names| {
                    names
                        .iter()
                        .all(|name| name.as_str().is_some_and(|name| members.contains_key(name)))
                })
            }),
            _ => false,
        };
        if !holds {
            return Err(format!(" {keyword}"));
        }
    }
    match value.as_object() {
        Some(members) => properties(schema, members),
        None => Ok(()),
    }
}

fn object(schema: &Value, members: &Map<String, Value>) -> Result<(), String> {
    evaluate(schema, &Value::Object(members.clone()))
}

fn properties(schema: &Value, members: &Map<String, Value>) -> Result<(), String> {
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    for (name, member) in members {
        match schema.get("properties").and_then(|rules| rules.get(name)) {
            Some(rule) => {
                evaluate(rule, member).map_err(|problem| format!("/{name}{problem}"))?;
            }
            None if closed => return Err(format!("/{name} additionalProperties")),
            None => {}
        }
    }
    Ok(())
}

fn is_of_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        _ => false,
    }
}

fn is_of_format(rule: &Value, text: &str) -> bool {
    match rule.as_str() {
        Some("date") => timestamp::Date::try_from(text.to_owned()).is_ok(),
        Some("date-time") => timestamp::parse(text).is_some(),
        Some("uri") => credential::is_url(text),
        _ => false,
    }
}

fn length(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

#[cfg(test)]
mod tests;
