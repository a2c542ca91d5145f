//! Whether the conversion is right: against outputs of the reference models that were converted
//! by other code, on inputs that arithmetic makes.
//!
//! The first run fetches the package with the weights into the user's cache (12.7 MB).

use std::{env, fs, path::Path};

use serde::Deserialize;

use super::*;
use crate::ModelStore;

/// Largest difference to a reference model, relative to the largest output.
const TOLERANCE: f32 = 1e-4;

/// Some outputs of the reference model, every `stride`th.
#[derive(Deserialize)]
struct KnownAnswer {
    pattern: usize,
    stride: usize,
    outputs: Vec<f32>,
}

#[derive(Deserialize)]
struct KnownAnswers {
    detector: Vec<KnownAnswer>,
    landmarks: Vec<KnownAnswer>,
    recognition: Vec<KnownAnswer>,
}

impl KnownAnswers {
    fn of(&self, net: Net) -> &[KnownAnswer] {
        match net {
            Net::Detector => &self.detector,
            Net::Landmarks => &self.landmarks,
            Net::Recognition => &self.recognition,
        }
    }
}

/// Waves, steps and texture of 0 to 255; `pattern` chooses how they mix.
#[expect(clippy::cast_precision_loss, reason = "bytes")]
fn procedural_view(size: usize, pattern: usize) -> View {
    let value = |channel: usize, y: usize, x: usize| match (pattern + channel) % 3 {
        0 => (x * x + y * y) / (8 + pattern) % 256,
        1 => (255 * x / size + 64 * (y / 16 % 2)) % 256,
        _ => (x * (7 + pattern) + y * 13 + x * y / 8) % 256,
    };
    let planes: Vec<f32> = (0..3 * size * size)
        .map(|at| value(at / (size * size), at / size % size, at % size) as f32)
        .collect();
    View {
        size,
        planes: planes.into(),
    }
}

const PATTERNS: usize = 3;

fn side(net: Net) -> usize {
    match net {
        Net::Detector => 416,
        Net::Landmarks => 112,
        Net::Recognition => 150,
    }
}

fn known_answers() -> KnownAnswers {
    serde_json::from_str(include_str!("../../data/known_answers.json")).unwrap()
}

fn assert_close(net: Net, pattern: usize, ours: &[f32], theirs: &[f32]) {
    assert_eq!(ours.len(), theirs.len());
    let range = theirs.iter().fold(0.0_f32, |max, v| max.max(v.abs()));
    for (index, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!(
            (a - b).abs() <= TOLERANCE * range,
            "{} net, pattern {pattern}, output {index}: {a} instead of {b}",
            net.name()
        );
    }
}

#[test]
fn the_converted_nets_give_the_known_answers() {
    let models = ModelStore::from_env().unwrap().models(&mut |_| {}).unwrap();
    let known = known_answers();
    for net in Net::ALL {
        let loaded = LoadedNet::load(net, models.onnx(net)).unwrap();
        assert_eq!(known.of(net).len(), PATTERNS);
        for answer in known.of(net) {
            let ours = loaded
                .run(&procedural_view(side(net), answer.pattern))
                .unwrap();
            let ours: Vec<f32> = ours.iter().copied().step_by(answer.stride).collect();
            assert_close(net, answer.pattern, &ours, &answer.outputs);
        }
    }
}

/// Runs when `BLINDPRINT_REFERENCE_MODELS` names the folder of the reference ONNX files.
#[test]
fn the_converted_nets_agree_with_the_reference_models() {
    let Some(folder) = env::var_os("BLINDPRINT_REFERENCE_MODELS") else {
        eprintln!("skipped: BLINDPRINT_REFERENCE_MODELS is not set");
        return;
    };
    let models = ModelStore::from_env().unwrap().models(&mut |_| {}).unwrap();
    let known = known_answers();
    for (net, file) in [
        (Net::Detector, "tiny_face_detector_416.onnx"),
        (Net::Landmarks, "face_landmark_68_model.onnx"),
        (Net::Recognition, "face_recognition.onnx"),
    ] {
        let reference = fs::read(Path::new(&folder).join(file)).unwrap();
        let reference = LoadedNet::load(net, &reference).unwrap();
        let ours = LoadedNet::load(net, models.onnx(net)).unwrap();
        for (pattern, answer) in known.of(net).iter().enumerate() {
            let view = procedural_view(side(net), pattern);
            let expected = reference.run(&view).unwrap();
            assert_close(net, pattern, &ours.run(&view).unwrap(), &expected);
            let listed: Vec<f32> = expected.iter().copied().step_by(answer.stride).collect();
            assert_close(net, pattern, &answer.outputs, &listed);
        }
    }
}
