/// A value from outside that does not have the form its type requires.
///
/// It names the type and the rule, never the value: values may be personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {rule}")]
pub struct Invalid {
    /// The type that refused, in the words of the API.
    pub what: &'static str,
    /// The rule that was broken.
    pub rule: &'static str,
}

impl Invalid {
    pub(crate) const fn new(what: &'static str, rule: &'static str) -> Self {
        Self { what, rule }
    }
}
