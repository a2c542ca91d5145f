//! Embeddings of real faces, and what is known about the people.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::error::{Error, Result};

/// One picture's embedding.
pub struct Capture {
    /// Index of the person in [`Dataset::subjects`].
    pub subject: u16,
    /// The embedding.
    pub embedding: Vec<f32>,
}

/// A table of embeddings.
pub struct Dataset {
    /// File name without its ending.
    pub name: String,
    /// People, by label, each once.
    pub subjects: Vec<String>,
    /// Captures in the order of the file.
    pub captures: Vec<Capture>,
}

impl Dataset {
    /// The embeddings that the repository carries.
    pub fn of_repository() -> Result<Self> {
        Self::parse(
            Path::new("london_canada_lisa.csv"),
            include_str!("../../../clients/face/data/london_canada_lisa.csv"),
        )
    }

    /// Every table in `folder/embeddings`, by name.
    pub fn all_in(folder: &Path) -> Result<Vec<Self>> {
        tables(&folder.join("embeddings"))?
            .iter()
            .map(|path| Self::parse(path, &fs::read_to_string(path).map_err(Error::file(path))?))
            .collect()
    }

    /// Reads lines `label,name,v0,…` under a header. The path is for the set's name and messages.
    fn parse(path: &Path, text: &str) -> Result<Self> {
        let mut indices: BTreeMap<&str, u16> = BTreeMap::new();
        let mut subjects: Vec<String> = Vec::new();
        let mut captures = Vec::new();
        for (number, line) in text.lines().enumerate().skip(1) {
            let row = || Error::Row {
                path: path.to_owned(),
                line: number + 1,
            };
            let mut fields = line.split(',');
            let label = fields.next().ok_or_else(row)?;
            fields.next().ok_or_else(row)?;
            let embedding = fields
                .map(str::parse)
                .collect::<std::result::Result<Vec<f32>, _>>()
                .map_err(|_| row())?;
            let next = u16::try_from(subjects.len()).map_err(|_| row())?;
            let subject = *indices.entry(label).or_insert(next);
            if subject == next {
                subjects.push(label.to_owned());
            }
            captures.push(Capture { subject, embedding });
        }
        let dataset = Self {
            name: path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            subjects,
            captures,
        };
        if dataset.subjects.len() < 2 || dataset.captures.len() <= dataset.subjects.len() {
            return Err(Error::TooSmall(path.to_owned()));
        }
        Ok(dataset)
    }

    /// The first two captures of the first person who has two.
    pub fn two_captures(&self) -> (&[f32], &[f32]) {
        self.captures
            .iter()
            .enumerate()
            .find_map(|(i, first)| {
                let second = self.captures[i + 1..]
                    .iter()
                    .find(|other| other.subject == first.subject)?;
                Some((&*first.embedding, &*second.embedding))
            })
            .expect("a data set has more captures than people")
    }
}

/// Published attributes of people, by attribute and label: `sex`, `age` and `ethnicity`.
pub type Attributes = BTreeMap<&'static str, BTreeMap<String, String>>;

/// Reads every `<set>_info.csv` in `folder`. Labels are the set's initial and the table's id.
pub fn attributes_in(folder: &Path) -> Result<Attributes> {
    let mut attributes = Attributes::new();
    for path in tables(folder)? {
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let Some(initial) = stem
            .strip_suffix("_info")
            .and_then(|set| set.chars().next())
        else {
            continue;
        };
        let text = fs::read_to_string(&path).map_err(Error::file(&path))?;
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
        for (number, line) in lines.enumerate() {
            let fields: Vec<&str> = line.split(',').collect();
            if fields.len() != header.len() {
                return Err(Error::Row {
                    path,
                    line: number + 2,
                });
            }
            let label = format!("{}{}", initial.to_ascii_uppercase(), fields[0]);
            for (column, value) in header
                .iter()
                .zip(&fields)
                .filter(|(_, value)| **value != "NA")
            {
                let (attribute, value) = match *column {
                    "face_gender" => ("sex", (*value).to_owned()),
                    "face_eth" => ("ethnicity", (*value).to_owned()),
                    "face_age" => ("age", age_band(value)),
                    _ => continue,
                };
                attributes
                    .entry(attribute)
                    .or_default()
                    .insert(label.clone(), value);
            }
        }
    }
    Ok(attributes)
}

fn age_band(years: &str) -> String {
    match years.parse::<f32>() {
        Ok(years) if years < 25.0 => "below 25",
        Ok(years) if years < 35.0 => "25 to 34",
        Ok(_) => "35 and above",
        Err(_) => "unknown",
    }
    .to_owned()
}

fn tables(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(Error::file(folder))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(Error::file(folder))?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "csv"));
    paths.sort();
    Ok(paths)
}
