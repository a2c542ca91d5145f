use std::fmt;

use blindprint_core::Modality;
use zeroize::Zeroizing;

use crate::Error;

/// Fewest values that an embedding may have.
pub const MIN_DIMENSION: usize = 2;
/// Most values that an embedding may have.
pub const MAX_DIMENSION: usize = 4096;
/// Longest name of a model, in bytes.
const MAX_MODEL_NAME: usize = 64;

/// A biometric feature vector in clear: the secret that never leaves the wallet.
///
/// It is finite and holds 2 to 4096 values. It can be neither cloned nor serialized, its `Debug`
/// shows no value, and the memory is overwritten on drop.
pub struct Embedding {
    modality: Modality,
    model: String,
    values: Zeroizing<Vec<f32>>,
}

impl Embedding {
    /// Takes the values that `model` gave for one capture.
    ///
    /// # Errors
    /// [`Error::BadEmbedding`] if the model's name is not 1 to 64 of `a–z 0–9 . _ -`, if there
    /// are fewer than 2 or more than 4096 values, or if one is not finite. The values are
    /// overwritten in that case too.
    pub fn new(modality: Modality, model: &str, values: Vec<f32>) -> Result<Self, Error> {
        let values = Zeroizing::new(values);
        let bad = |reason: String| Err(Error::BadEmbedding { reason });
        let named = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"._-".contains(&c);
        if model.is_empty() || model.len() > MAX_MODEL_NAME || !model.bytes().all(named) {
            return bad(format!(
                "the model's name must be 1 to {MAX_MODEL_NAME} of a-z 0-9 . _ -"
            ));
        }
        if !(MIN_DIMENSION..=MAX_DIMENSION).contains(&values.len()) {
            return bad(format!(
                "{} values, not {MIN_DIMENSION} to {MAX_DIMENSION}",
                values.len()
            ));
        }
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return bad(format!("value {index} is not finite"));
        }
        Ok(Self {
            modality,
            model: model.to_owned(),
            values,
        })
    }

    /// What was captured.
    pub fn modality(&self) -> Modality {
        self.modality
    }

    /// The model that gave the values; only embeddings of one model can be compared.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The values, in the model's order and scale.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// A second embedding with the same content, for a capture that is read more than once.
    pub(crate) fn duplicate(&self) -> Self {
        Self {
            modality: self.modality,
            model: self.model.clone(),
            values: self.values.clone(),
        }
    }
}

impl fmt::Debug for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedding")
            .field("modality", &self.modality)
            .field("model", &self.model)
            .field("dimension", &self.values.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_value() {
        let embedding = Embedding::new(Modality::Face, "m", vec![0.123_456, -7.5]).unwrap();
        let shown = format!("{embedding:?}");
        assert!(shown.contains("dimension: 2"), "{shown}");
        assert!(!shown.contains("0.12") && !shown.contains("7.5"), "{shown}");
    }

    #[test]
    fn refuses_what_breaks_a_bound() {
        let face = |model: &str, values: Vec<f32>| Embedding::new(Modality::Face, model, values);
        assert!(face("m", vec![0.0; MIN_DIMENSION]).is_ok());
        assert!(face("m", vec![0.0; MAX_DIMENSION]).is_ok());
        for (model, values) in [
            ("m", vec![0.0]),
            ("m", vec![0.0; MAX_DIMENSION + 1]),
            ("m", vec![0.0, f32::NAN]),
            ("m", vec![f32::INFINITY, 0.0]),
            ("", vec![0.0; 2]),
            ("with space", vec![0.0; 2]),
            (&"m".repeat(MAX_MODEL_NAME + 1), vec![0.0; 2]),
        ] {
            assert!(matches!(
                face(model, values),
                Err(Error::BadEmbedding { .. })
            ));
        }
    }
}
