//! The TensorFlow.js weight format: a JSON manifest that lists tensors, and one binary shard that
//! holds them back to back, as little-endian f32 or as bytes with `value = byte · scale + min`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::Error;

#[derive(Deserialize)]
struct Group {
    weights: Vec<Weight>,
}

#[derive(Deserialize)]
struct Weight {
    name: String,
    shape: Vec<usize>,
    dtype: String,
    quantization: Option<Quantization>,
}

#[derive(Deserialize)]
struct Quantization {
    dtype: String,
    scale: f64,
    min: f64,
}

/// One tensor in TensorFlow's order of dimensions, row-major.
pub(super) struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// The tensors of one net by name; each is taken out once.
pub(super) struct Tensors(BTreeMap<String, Tensor>);

fn malformed(reason: impl Into<String>) -> Error {
    Error::PackageMalformed {
        reason: reason.into(),
    }
}

impl Tensors {
    /// Dequantises the shard that the manifest describes; it must be used up exactly.
    pub fn parse(manifest: &[u8], shard: &[u8]) -> Result<Self, Error> {
        let groups: Vec<Group> =
            serde_json::from_slice(manifest).map_err(|e| malformed(format!("manifest: {e}")))?;
        let mut tensors = BTreeMap::new();
        let mut rest = shard;
        for weight in groups.into_iter().flat_map(|group| group.weights) {
            let values = weight.read(&mut rest)?;
            let tensor = Tensor {
                shape: weight.shape,
                values,
            };
            if let Some(_twice) = tensors.insert(weight.name.clone(), tensor) {
                return Err(malformed(format!("{} is listed twice", weight.name)));
            }
        }
        if rest.is_empty() {
            Ok(Self(tensors))
        } else {
            Err(malformed(format!(
                "{} bytes follow the last weight",
                rest.len()
            )))
        }
    }

    /// Takes the tensor of this name out; its shape must be the given one.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, Error> {
        let tensor = self
            .0
            .remove(name)
            .ok_or_else(|| malformed(format!("{name} is missing")))?;
        if tensor.shape == shape {
            Ok(tensor)
        } else {
            Err(malformed(format!(
                "{name} has shape {:?}, not {shape:?}",
                tensor.shape
            )))
        }
    }

    /// Confirms that the net used every tensor.
    pub fn expect_empty(&self) -> Result<(), Error> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(malformed(format!("nothing uses {name}"))),
        }
    }
}

impl Weight {
    fn read(&self, rest: &mut &[u8]) -> Result<Vec<f32>, Error> {
        let name = &self.name;
        if self.dtype != "float32" {
            return Err(malformed(format!("{name} has type {}", self.dtype)));
        }
        let width = match &self.quantization {
            None => 4,
            Some(q) if q.dtype == "uint8" => 1,
            Some(q) => return Err(malformed(format!("{name} is quantised as {}", q.dtype))),
        };
        let bytes = self
            .shape
            .iter()
            .try_fold(width, |size: usize, &side| size.checked_mul(side))
            .and_then(|size| rest.split_off(..size))
            .ok_or_else(|| malformed(format!("the shard ends within {name}")))?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "weights are f32, arithmetic in f64 keeps dequantisation exact"
        )]
        Ok(match &self.quantization {
            Some(q) => bytes
                .iter()
                .map(|&byte| (f64::from(byte) * q.scale + q.min) as f32)
                .collect(),
            None => bytes
                .chunks_exact(4)
                .map(|four| f32::from_le_bytes(four.try_into().expect("chunks of four")))
                .collect(),
        })
    }
}
