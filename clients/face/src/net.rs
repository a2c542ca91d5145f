//! A converted net, optimised for this machine and ready to run.

use std::{io::Cursor, sync::Arc};

use tract_onnx::prelude::*;
use zeroize::Zeroizing;

use crate::{Error, resample::View, weights::Net};

/// A net that runs on one view at a time; it can be shared between threads.
pub(crate) struct LoadedNet {
    net: Net,
    plan: Arc<TypedRunnableModel>,
}

impl LoadedNet {
    pub fn load(net: Net, onnx: &[u8]) -> Result<Self, Error> {
        let plan = tract_onnx::onnx()
            .model_for_read(&mut Cursor::new(onnx))
            .and_then(InferenceModelExt::into_optimized)
            .and_then(IntoRunnable::into_runnable)
            .map_err(|reason| failed(net, &reason))?;
        Ok(Self { net, plan })
    }

    /// The net's only output, flat.
    pub fn run(&self, view: &View) -> Result<Zeroizing<Vec<f32>>, Error> {
        let run = || {
            let input = Tensor::from_shape(&[1, 3, view.size, view.size], &view.planes)?;
            let outputs = self.plan.run(tvec!(input.into()))?;
            let values = outputs[0].to_plain_array_view::<f32>()?;
            Ok(Zeroizing::new(values.iter().copied().collect()))
        };
        run().map_err(|reason: TractError| failed(self.net, &reason))
    }
}

fn failed(net: Net, reason: &TractError) -> Error {
    Error::NetFailed {
        net: net.name(),
        reason: format!("{reason:#}"),
    }
}

#[cfg(test)]
mod tests;
