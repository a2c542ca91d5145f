//! Whose faces the demo uses: several captures of each person.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use blindprint_face::{Capture as _, Embedding, FACE_MODEL, FacePipeline, Modality, Photo};

use crate::{Error, Result};

/// Embeddings of pictures of consenting people, CC BY 4.0 and CC0; see the README beside the file.
const COMMITTED: &str = include_str!("../../face/data/london_canada_lisa.csv");

/// One capture of one person.
pub(crate) struct Taken {
    /// `person_number`.
    pub(crate) name: String,
    /// What the recognition net made of it.
    pub(crate) values: Vec<f32>,
}

/// A person and their captures.
pub(crate) struct Person {
    /// As the data set calls them.
    pub(crate) label: String,
    /// At least one.
    pub(crate) captures: Vec<Taken>,
}

/// Those who enrol, and everybody for the distributions.
pub(crate) struct People {
    /// Positions in `all` of those who take part, each with at least two captures.
    pub(crate) chosen: Vec<usize>,
    /// Everybody in the data set or folder.
    pub(crate) all: Vec<Arc<Person>>,
}

impl Taken {
    /// As the wallet takes it.
    pub(crate) fn embedding(&self) -> Result<Embedding> {
        Ok(Embedding::new(
            Modality::Face,
            FACE_MODEL,
            self.values.clone(),
        )?)
    }
}

impl People {
    /// The first `count` people of the embeddings that come with the project.
    pub(crate) fn committed(count: usize) -> Result<Self> {
        let mut captures = Vec::new();
        for line in COMMITTED.lines().skip(1) {
            let mut fields = line.split(',');
            let (Some(label), Some(name)) = (fields.next(), fields.next()) else {
                return Err(Error::Setup(
                    "the committed embeddings are damaged".to_owned(),
                ));
            };
            let values: Result<Vec<f32>, _> = fields.map(str::parse).collect();
            let values = values
                .map_err(|_| Error::Setup(format!("the committed embedding {name} is damaged")))?;
            captures.push((
                label.to_owned(),
                Taken {
                    name: name.to_owned(),
                    values,
                },
            ));
        }
        Self::of(captures, count)
    }

    /// People from a folder of photographs called `person_number.jpg`.
    pub(crate) fn photographed(
        folder: &Path,
        pipeline: &Arc<FacePipeline>,
        count: usize,
    ) -> Result<Self> {
        let unreadable = |e| Error::Setup(format!("{}: {e}", folder.display()));
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let extension = path
                .extension()
                .and_then(|e| e.to_str())
                .unwrap_or_default();
            if ["jpg", "jpeg", "png"].contains(&extension.to_ascii_lowercase().as_str()) {
                paths.push(path);
            }
        }
        paths.sort();
        let mut captures = Vec::new();
        for path in paths {
            let name = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let label = name.split('_').next().unwrap_or_default().to_owned();
            match Photo::open(&path, Arc::clone(pipeline)).and_then(|photo| photo.embedding()) {
                Ok(embedding) => {
                    captures.push((
                        label,
                        Taken {
                            name,
                            values: embedding.values().to_vec(),
                        },
                    ));
                }
                Err(error) => crate::say(&format!("{name} is left out: {error}")),
            }
        }
        Self::of(captures, count)
    }

    fn of(captures: Vec<(String, Taken)>, count: usize) -> Result<Self> {
        let mut by_label: BTreeMap<String, Vec<Taken>> = BTreeMap::new();
        for (label, taken) in captures {
            by_label.entry(label).or_default().push(taken);
        }
        let all: Vec<Arc<Person>> = by_label
            .into_iter()
            .map(|(label, captures)| Arc::new(Person { label, captures }))
            .collect();
        let chosen: Vec<usize> = (0..all.len())
            .filter(|at| all[*at].captures.len() >= 2)
            .take(count)
            .collect();
        if chosen.len() < 3 {
            return Err(Error::Setup(format!(
                "at least 3 people with two captures each are needed (person_1.jpg, person_2.jpg); \
                 there are {}",
                chosen.len()
            )));
        }
        Ok(Self { chosen, all })
    }

    /// Those who take part.
    pub(crate) fn participants(&self) -> impl ExactSizeIterator<Item = &Arc<Person>> {
        self.chosen.iter().map(|at| &self.all[*at])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_committed_people_have_several_captures() {
        let people = People::committed(8).unwrap();
        assert_eq!(
            people.all.iter().map(|p| p.captures.len()).sum::<usize>(),
            252
        );
        assert_eq!(people.participants().len(), 8);
        for person in people.participants() {
            assert!(person.captures.len() >= 2, "{}", person.label);
            assert_eq!(person.captures[0].embedding().unwrap().values().len(), 128);
        }
    }
}
