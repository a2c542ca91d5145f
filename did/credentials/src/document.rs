use blindprint_did::json;
use serde_json::{Map, Value};

use crate::VerifyError;

/// A JSON object of bounded size and depth, whose members have distinct names and whose numbers
/// mean the same to every reader.
#[derive(Debug, Clone, PartialEq)]
pub struct Document(Map<String, Value>);

impl Document {
    /// The longest text that is read, in bytes.
    pub const MAX_LEN: usize = 256 * 1024;
    /// How deep objects and arrays may nest.
    pub const MAX_DEPTH: usize = 24;
    /// How many values it may hold in all.
    pub const MAX_VALUES: usize = 8192;

    /// Reads one object.
    pub fn parse(json: &[u8]) -> Result<Self, VerifyError> {
        Self::parse_within(json, Self::MAX_LEN)
    }

    /// Reads one object of at most `longest` bytes.
    pub(crate) fn parse_within(json: &[u8], longest: usize) -> Result<Self, VerifyError> {
        if json.len() > longest {
            return Err(VerifyError::TooLarge);
        }
        let object = json::object(json).ok_or(VerifyError::Malformed(
            "one JSON object whose members have distinct names",
        ))?;
        Self::within(object, longest)
    }

    /// This object, if it is within all bounds.
    pub(crate) fn within(object: Map<String, Value>, longest: usize) -> Result<Self, VerifyError> {
        let mut budget = Budget {
            bytes: longest,
            values: Self::MAX_VALUES,
        };
        budget.members(&object, Self::MAX_DEPTH)?;
        Ok(Self(object))
    }

    /// Its members.
    pub const fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// As a value.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// Takes the members out.
    pub fn into_members(self) -> Map<String, Value> {
        self.0
    }
}

impl TryFrom<Map<String, Value>> for Document {
    type Error = VerifyError;

    fn try_from(object: Map<String, Value>) -> Result<Self, VerifyError> {
        Self::within(object, Self::MAX_LEN)
    }
}

impl TryFrom<Value> for Document {
    type Error = VerifyError;

    fn try_from(value: Value) -> Result<Self, VerifyError> {
        match value {
            Value::Object(object) => Self::try_from(object),
            _ => Err(VerifyError::Malformed("a JSON object")),
        }
    }
}

struct Budget {
    bytes: usize,
    values: usize,
}

impl Budget {
    fn spend(&mut self, value: &Value, depth: usize) -> Result<(), VerifyError> {
        self.values = self.values.checked_sub(1).ok_or(VerifyError::TooLarge)?;
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => {
                // RFC 8785 section 3.2.2.3: beyond 2^53 readers disagree on integers.
                let exact = number.as_f64().is_some_and(f64::is_finite)
                    && number.as_i64().is_none_or(|n| n.unsigned_abs() <= 1 << 53)
                    && number.as_u64().is_none_or(|n| n <= 1 << 53);
                if !exact {
                    return Err(VerifyError::Malformed("an integer beyond 2^53"));
                }
            }
            Value::String(text) => self.text(text)?,
            Value::Array(items) => {
                let depth = depth.checked_sub(1).ok_or(VerifyError::TooLarge)?;
                for item in items {
                    self.spend(item, depth)?;
                }
            }
            Value::Object(members) => self.members(members, depth)?,
        }
        Ok(())
    }

    fn members(&mut self, members: &Map<String, Value>, depth: usize) -> Result<(), VerifyError> {
        let depth = depth.checked_sub(1).ok_or(VerifyError::TooLarge)?;
        for (name, member) in members {
            self.text(name)?;
            self.spend(member, depth)?;
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), VerifyError> {
        self.bytes = self
            .bytes
            .checked_sub(text.len())
            .ok_or(VerifyError::TooLarge)?;
        Ok(())
    }
}
