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
use blindprint_log::{
    AddCheckpoint, Commitment, Entry, Kind, LogKey, Salt, SignedCheckpoint, TilePath, Tree,
};

pub const ORIGIN: &str = "log.example/log";

/// A log's entries, and the key that signs them.
pub struct Story {
    pub key: LogKey,
    pub tree: Tree,
    pub entries: Vec<Vec<u8>>,
}

impl Story {
    pub fn of(size: usize) -> Self {
        let mut story = Self {
            key: LogKey::generate(ORIGIN, &SystemEntropy).unwrap(),
            tree: Tree::default(),
            entries: Vec::new(),
        };
        story.grow(size);
        story
    }

    pub fn grow(&mut self, more: usize) {
        for _ in 0..more {
            let salt = Salt::random(&SystemEntropy);
            let commitment = Commitment::to(&salt, b"a verdict");
            let entry = Entry::committed(Kind::Verdict, UnixTime(1_800_000_000), commitment);
            let entry = entry.unwrap().encode();
            self.tree.append_bytes(&entry);
            self.entries.push(entry);
        }
    }

    /// The same log with the first `kept` entries, and `more` others.
    pub fn fork(&self, kept: usize, more: usize) -> Self {
        let mut fork = Self {
            key: LogKey::from_seed(ORIGIN, &self.key.to_seed()).unwrap(),
            tree: Tree::default(),
            entries: self.entries[..kept].to_vec(),
        };
        for entry in &fork.entries {
            fork.tree.append_bytes(entry);
        }
        fork.grow(more);
        fork
    }

    pub fn head(&self) -> SignedCheckpoint {
        self.head_at(self.tree.size())
    }

    pub fn head_at(&self, size: u64) -> SignedCheckpoint {
        let root = self.tree.root_at(size).unwrap();
        self.key.sign(size, root).unwrap()
    }

    /// The body of a request to cosign the head at `newer`.
    pub fn request(&self, older: u64, newer: u64) -> String {
        let proof = self.tree.consistency(older, newer).unwrap();
        AddCheckpoint::new(proof, &self.head_at(newer))
            .unwrap()
            .to_string()
    }

    pub fn vkey(&self) -> String {
        self.key.verifier().to_string()
    }
}

/// What is shown at an address.
#[derive(Default)]
struct Shown {
    checkpoint: String,
    entries: Vec<Vec<u8>>,
}

/// An address where a log, or what claims to be one, is shown.
pub struct Served {
    pub url: String,
    shown: Arc<Mutex<Shown>>,
}

impl Served {
    pub fn new(story: &Story) -> Self {
        let shown = Arc::new(Mutex::new(Shown::default()));
        let router = Router::new()
            .route("/log/checkpoint", get(checkpoint))
            .route("/log/tile/entries/{*path}", get(bundle))
            .with_state(Arc::clone(&shown));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}/log", listener.local_addr().unwrap());
        thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        let served = Self { url, shown };
        served.show(story);
        served
    }

    pub fn show(&self, story: &Story) {
        self.show_under(story.head().to_string(), story.entries.clone());
    }

    /// Shows these entries under this checkpoint, whether they belong there or not.
    pub fn show_under(&self, checkpoint: String, entries: Vec<Vec<u8>>) {
        *self.shown.lock().unwrap() = Shown {
            checkpoint,
            entries,
        };
    }
}

async fn checkpoint(State(shown): State<Arc<Mutex<Shown>>>) -> String {
    shown.lock().unwrap().checkpoint.clone()
}

async fn bundle(
    State(shown): State<Arc<Mutex<Shown>>>,
    Path(path): Path<String>,
) -> Result<Vec<u8>, StatusCode> {
    let path: TilePath = format!("tile/entries/{path}")
        .parse()
        .map_err(|_| StatusCode::BAD_REQUEST)?;
    let start = usize::try_from(path.start()).unwrap();
    let shown = shown.lock().unwrap();
    let entries = shown
        .entries
        .get(start..start + usize::from(path.width()))
        .ok_or(StatusCode::NOT_FOUND)?;
    Ok(TilePath::encode_entries(entries).unwrap())
}
