use std::{path::PathBuf, sync::Arc};

use blindprint_face::{
    CameraFrame, Capture, Embedding, EmbeddingFile, FacePipeline, ModelStore, Photo,
};
use blindprint_wallet::Error;
use clap::Args;

use super::{Bars, Result};

/// Exactly one capture of the person.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Source {
    /// A photograph with one face (JPEG or PNG)
    #[arg(long, value_name = "FILE")]
    photo: Option<PathBuf>,
    /// One frame of a camera (PPM, PNG or JPEG); - is standard input
    #[arg(long, value_name = "FILE")]
    camera_frame: Option<PathBuf>,
    /// An embedding as JSON {"modality", "model", "values"}; - is standard input
    #[arg(long, value_name = "FILE")]
    embedding: Option<PathBuf>,
}

impl Source {
    /// Computes the embedding, off the async threads.
    pub(crate) async fn capture(self, bars: &Arc<Bars>) -> Result<Embedding> {
        let bars = Arc::clone(bars);
        tokio::task::spawn_blocking(move || self.read(&bars))
            .await
            .map_err(|_| Error::Encryption("the capture was aborted".to_owned()))?
    }

    fn read(self, bars: &Bars) -> Result<Embedding> {
        if let Some(path) = &self.embedding {
            return Ok(EmbeddingFile::open(path)?.embedding()?);
        }
        bars.say("loading the face models");
        let store = ModelStore::from_env()?;
        let pipeline = FacePipeline::load(&store, &mut |step| bars.say(&step.to_string()))?;
        bars.say("finding the face");
        let pipeline = Arc::new(pipeline);
        match (&self.photo, &self.camera_frame) {
            (Some(path), _) => Ok(Photo::open(path, pipeline)?.embedding()?),
            (None, Some(path)) => Ok(CameraFrame::open(path, pipeline)?.embedding()?),
            (None, None) => Err(Error::Invalid("give a capture".to_owned())),
        }
    }
}
