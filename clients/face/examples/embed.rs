//! Embeds every picture of a folder: `embed <dir> <out.csv>`.
//!
//! A picture is called `subject_index.jpg`. The CSV has one line a picture: label (the subject),
//! name, and the values so that they are read back exactly. Pictures that cannot be used are
//! named on standard error, and the exit status is 1.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use blindprint_face::{FacePipeline, ModelStore};

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [folder, output] = arguments.as_slice() else {
        eprintln!("usage: embed <dir> <out.csv>");
        return ExitCode::from(2);
    };
    match embed_folder(folder, output) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(refused) => {
            eprintln!("{refused} pictures were refused");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("embed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn embed_folder(folder: &Path, output: &Path) -> Result<usize, Box<dyn std::error::Error>> {
    let pipeline = FacePipeline::load(&ModelStore::from_env()?, &mut |step| eprintln!("{step}"))?;
    let mut pictures: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_, std::io::Error>>()?;
    pictures.retain(|path| {
        path.extension()
            .is_some_and(|e| e == "jpg" || e == "jpeg" || e == "png")
    });
    pictures.sort();

    let mut csv = String::new();
    let mut refused = 0;
    let started = Instant::now();
    for path in &pictures {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        match pipeline.embed(&fs::read(path)?) {
            Ok((embedding, quality)) => {
                let values = embedding.values();
                if csv.is_empty() {
                    csv.push_str("label,name");
                    for index in 0..values.len() {
                        write!(csv, ",v{index}")?;
                    }
                    csv.push('\n');
                }
                let label = name.split('_').next().unwrap_or_default();
                write!(csv, "{label},{name}")?;
                for value in values {
                    write!(csv, ",{value}")?;
                }
                csv.push('\n');
                eprintln!(
                    "{name}: face {} pixels wide, sharpness {:.1}, score {:.2}",
                    quality.face_width, quality.sharpness, quality.score
                );
            }
            Err(error) => {
                eprintln!("{name}: {error}");
                refused += 1;
            }
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    eprintln!("{} pictures in {seconds:.1} s", pictures.len());
    fs::write(output, csv)?;
    Ok(refused)
}
