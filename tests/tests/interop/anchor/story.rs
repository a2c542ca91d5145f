use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use blindprint_core::{SystemEntropy, UnixTime};
use blindprint_log::{Commitment, Entry, Kind, LogKey, Salt, TilePath, Tree};

pub const ORIGIN: &str = "log.example/log";

/// A log that its owner can make tell another story, served over HTTP.
pub struct Story {
    pub key: LogKey,
    pub url: String,
    told: Arc<Mutex<Told>>,
}

#[derive(Default)]
struct Told {
    checkpoint: String,
    entries: Vec<Vec<u8>>,
}

impl Story {
    /// A log of `size` entries at an address of its own.
    pub fn of(size: usize) -> Self {
        let told = Arc::new(Mutex::new(Told::default()));
        let router = Router::new()
            .route("/log/checkpoint", get(checkpoint))
            .route("/log/tile/entries/{*path}", get(bundle))
            .with_state(Arc::clone(&told));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}/log", listener.local_addr().unwrap());
        thread::spawn(|| {
            blindprint_tests::block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        let key = LogKey::generate(ORIGIN, &SystemEntropy).unwrap();
        let story = Self { key, url, told };
        story.tell(0, size);
        story
    }

    /// Keeps the first `kept` entries, and goes on with `more` others.
    pub fn tell(&self, kept: usize, more: usize) {
        let mut told = self.told.lock().unwrap();
        told.entries.truncate(kept);
        for _ in 0..more {
            let salt = Salt::random(&SystemEntropy);
            let commitment = Commitment::to(&salt, b"a verdict");
            let entry = Entry::committed(Kind::Verdict, UnixTime(1_800_000_000), commitment);
            told.entries.push(entry.unwrap().encode());
        }
        let tree = tree(&told.entries);
        told.checkpoint = self.key.sign(tree.size(), tree.root()).unwrap().to_string();
    }

    /// What goes on is signed by somebody else.
    pub fn sign_with(&self, key: &LogKey) {
        let mut told = self.told.lock().unwrap();
        let tree = tree(&told.entries);
        told.checkpoint = key.sign(tree.size(), tree.root()).unwrap().to_string();
    }

    pub fn size(&self) -> usize {
        self.told.lock().unwrap().entries.len()
    }

    /// In hexadecimal, as chains write it.
    pub fn root(&self) -> String {
        let root = tree(&self.told.lock().unwrap().entries).root();
        let digits = root.as_bytes().iter().map(|byte| format!("{byte:02x}"));
        format!("0x{}", digits.collect::<String>())
    }
}

fn tree(entries: &[Vec<u8>]) -> Tree {
    let mut tree = Tree::default();
    for entry in entries {
        tree.append_bytes(entry);
    }
    tree
}

async fn checkpoint(State(told): State<Arc<Mutex<Told>>>) -> String {
    told.lock().unwrap().checkpoint.clone()
}

async fn bundle(
    State(told): State<Arc<Mutex<Told>>>,
    Path(path): Path<String>,
) -> Result<Vec<u8>, StatusCode> {
    let path: TilePath = format!("tile/entries/{path}")
        .parse()
        .map_err(|_| StatusCode::BAD_REQUEST)?;
    let start = usize::try_from(path.start()).unwrap();
    let told = told.lock().unwrap();
    let entries = told
        .entries
        .get(start..start + usize::from(path.width()))
        .ok_or(StatusCode::NOT_FOUND)?;
    Ok(TilePath::encode_entries(entries).unwrap())
}
