//! How far captures lie apart, for the same person and for different ones, in clear. This is what
//! a wallet could see of its own captures, never a server.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use blindprint_core::{ProfileId, SystemEntropy};
use blindprint_template::EncodingKey;

use crate::{Error, Result, people::Person};

/// Hamming distances within the data set, each person's codes under a key of their own.
pub(crate) struct Distribution {
    /// The profile whose threshold applies.
    pub(crate) profile: ProfileId,
    /// Pairs of captures of one person.
    pub(crate) genuine: Vec<u16>,
    /// A person's first capture with every capture of everybody else.
    pub(crate) impostor: Vec<u16>,
}

/// Draws a key for each person and measures, on all cores.
pub(crate) async fn measure(all: &[Arc<Person>], profile: ProfileId) -> Result<Distribution> {
    let all = all.to_vec();
    tokio::task::spawn_blocking(move || on_all_cores(&all, profile))
        .await
        .map_err(|e| Error::Broken(e.to_string()))?
}

fn on_all_cores(all: &[Arc<Person>], profile: ProfileId) -> Result<Distribution> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<(Vec<u16>, Vec<u16>)> {
        let (mut genuine, mut impostor) = (Vec::new(), Vec::new());
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= all.len() {
                return Ok((genuine, impostor));
            }
            compare(all, at, profile, &mut genuine, &mut impostor)?;
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let parts: Vec<Result<(Vec<u16>, Vec<u16>)>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let stopped = |_| Err(Error::Broken("a thread stopped".to_owned()));
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(stopped))
            .collect()
    });
    let mut distribution = Distribution {
        profile,
        genuine: Vec::new(),
        impostor: Vec::new(),
    };
    for part in parts {
        let (genuine, impostor) = part?;
        distribution.genuine.extend(genuine);
        distribution.impostor.extend(impostor);
    }
    Ok(distribution)
}

/// The person at `at`, under a key of theirs, with themselves and with everybody else.
fn compare(
    all: &[Arc<Person>],
    at: usize,
    profile: ProfileId,
    genuine: &mut Vec<u16>,
    impostor: &mut Vec<u16>,
) -> Result<()> {
    let key = EncodingKey::generate(&SystemEntropy);
    let own = all[at].captures.iter();
    let others = all.iter().enumerate().filter(|(other, _)| *other != at);
    let strangers = others.flat_map(|(_, person)| person.captures.iter());
    let captures: Vec<&[f32]> = own
        .chain(strangers)
        .map(|taken| taken.values.as_slice())
        .collect();
    let codes = blindprint_template::encode_all(profile, &key, &captures)
        .map_err(|e| Error::Broken(format!("{}: {e}", all[at].label)))?;
    let (own, strangers) = codes.split_at(all[at].captures.len());
    for (first, one) in own.iter().enumerate() {
        genuine.extend(own[first + 1..].iter().map(|other| one.hamming(other)));
    }
    impostor.extend(strangers.iter().map(|stranger| own[0].hamming(stranger)));
    Ok(())
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tau = self.profile.profile().tau;
        let beyond = self
            .genuine
            .iter()
            .filter(|distance| **distance > tau)
            .count();
        let within = self
            .impostor
            .iter()
            .filter(|distance| **distance <= tau)
            .count();
        writeln!(
            f,
            "  {} genuine pairs, {} to {} bits apart, {beyond} beyond τ = {tau}\n  \
             {} impostor pairs, {} to {} bits apart, {within} within τ",
            self.genuine.len(),
            self.genuine.iter().min().unwrap_or(&0),
            self.genuine.iter().max().unwrap_or(&0),
            self.impostor.len(),
            self.impostor.iter().min().unwrap_or(&0),
            self.impostor.iter().max().unwrap_or(&0),
        )
    }
}
