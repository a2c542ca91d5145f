//! Real faces: the committed embeddings, and, when `BLINDPRINT_PHOTOS` names a folder of
//! `subject_index.jpg` photographs with one face each, the pipeline on some of them.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{collections::HashMap, env, fs, path::PathBuf, sync::Arc};

use blindprint_face::{Capture, Embedding, FacePipeline, ModelStore, Photo};

/// Subjects that are compared, two photographs of each.
const SUBJECTS: usize = 12;

/// The committed embeddings: label and values by name.
fn committed() -> HashMap<String, (String, Vec<f32>)> {
    include_str!("../data/london_canada_lisa.csv")
        .lines()
        .skip(1)
        .map(|line| {
            let mut fields = line.split(',');
            let label = fields.next().unwrap().to_owned();
            let name = fields.next().unwrap().to_owned();
            (name, (label, fields.map(|v| v.parse().unwrap()).collect()))
        })
        .collect()
}

/// Two photographs of each of the first subjects that have two.
fn photographs() -> Option<Vec<(String, PathBuf)>> {
    let Some(folder) = env::var_os("BLINDPRINT_PHOTOS") else {
        eprintln!("skipped: BLINDPRINT_PHOTOS is not set");
        return None;
    };
    let mut all: Vec<(String, PathBuf)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name.split('_').next().unwrap().to_owned(), path)
        })
        .collect();
    all.sort();
    let pairs: Vec<_> = all
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|group| group.len() > 1)
        .flat_map(|group| group[..2].to_vec())
        .take(2 * SUBJECTS)
        .collect();
    assert!(
        pairs.len() >= 4,
        "fewer than two subjects with two photographs"
    );
    Some(pairs)
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    let squares = a.iter().zip(b).map(|(a, b)| (a - b).powi(2));
    squares.sum::<f32>().sqrt()
}

#[test]
fn the_committed_embeddings_tell_people_apart() {
    let embeddings: Vec<_> = committed().into_values().collect();
    assert_eq!(embeddings.len(), 252);
    let (mut genuine, mut impostors) = (Vec::new(), Vec::new());
    for (index, (label, values)) in embeddings.iter().enumerate() {
        assert_eq!(values.len(), 128);
        for (other_label, other) in &embeddings[..index] {
            let pairs = if label == other_label {
                &mut genuine
            } else {
                &mut impostors
            };
            pairs.push(distance(values, other));
        }
    }
    assert_eq!((genuine.len(), impostors.len()), (130, 31_496));
    impostors.sort_by(f32::total_cmp);
    let threshold = impostors[impostors.len() / 10_000];
    let missed = genuine.iter().filter(|apart| **apart >= threshold).count();
    assert_eq!(missed, 0, "at FMR 10^-4, threshold {threshold}");
}

#[test]
fn photographs_of_one_person_are_near_and_of_others_far() {
    let Some(photographs) = photographs() else {
        return;
    };
    let store = ModelStore::from_env().unwrap();
    let pipeline = Arc::new(FacePipeline::load(&store, &mut |_| {}).unwrap());
    let committed = committed();
    let embeddings: Vec<(String, Embedding)> = photographs
        .into_iter()
        .map(|(subject, path)| {
            let photo = Photo::open(&path, pipeline.clone()).unwrap();
            let embedding = photo.embedding().unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            if let Some((_, values)) = committed.get(&name) {
                let apart = distance(values, embedding.values());
                assert!(apart < 1e-3, "{name} was committed {apart} away");
            }
            (subject, embedding)
        })
        .collect();
    for (index, (subject, embedding)) in embeddings.iter().enumerate() {
        for (other_subject, other) in &embeddings[..index] {
            let apart = distance(embedding.values(), other.values());
            assert_eq!(
                apart < 0.48,
                subject == other_subject,
                "{subject} and {other_subject} are {apart} apart"
            );
        }
    }
}
