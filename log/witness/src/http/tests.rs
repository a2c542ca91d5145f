use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use blindprint_core::{ManualClock, SystemEntropy, UnixTime};
use blindprint_log::{LogKey, Tree, WitnessKey};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::*;
use crate::folder::Folder;

struct Site {
    router: Router,
    log: LogKey,
    tree: Tree,
    _folder: TempDir,
}

struct Answer {
    status: u16,
    media_type: String,
    body: String,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = LogKey::generate("log.example/log", &SystemEntropy).unwrap();
        let mut tree = Tree::default();
        for entry in ["one", "two", "three", "four", "five"] {
            tree.append_bytes(entry.as_bytes());
        }
        let witness = Witness::start(
            WitnessKey::generate("witness.example", &SystemEntropy).unwrap(),
            vec![log.verifier()],
            Folder::claim(folder.path()).unwrap(),
            false,
            Arc::new(ManualClock::at(UnixTime(1_800_000_000))),
        );
        Self {
            router: router(Arc::new(witness.unwrap())),
            log,
            tree,
            _folder: folder,
        }
    }

    fn body(&self, older: u64, newer: u64) -> String {
        let head = self.log.sign(newer, self.tree.root_at(newer).unwrap());
        let proof = self.tree.consistency(older, newer).unwrap();
        AddCheckpoint::new(proof, &head.unwrap())
            .unwrap()
            .to_string()
    }

    async fn post(&self, body: impl Into<Body>) -> Answer {
        self.ask(Request::post("/add-checkpoint").body(body.into()).unwrap())
            .await
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let media_type = answer.headers().get(CONTENT_TYPE);
        Answer {
            status: answer.status().as_u16(),
            media_type: media_type
                .map(|value| value.to_str().unwrap().to_owned())
                .unwrap_or_default(),
            body: String::from_utf8(to_bytes(answer.into_body(), 4096).await.unwrap().to_vec())
                .unwrap(),
        }
    }
}

#[tokio::test]
async fn answers_are_those_of_tlog_witness() {
    let site = Site::new();
    let cosigned = site.post(site.body(0, 3)).await;
    assert_eq!(cosigned.status, 200);
    assert!(cosigned.body.starts_with("— witness.example "));
    assert!(cosigned.body.ends_with('\n'));

    let conflict = site.post(site.body(0, 5)).await;
    assert_eq!(conflict.status, 409);
    assert_eq!(conflict.media_type, "text/x.tlog.size");
    assert_eq!(conflict.body, "3\n");

    let shrunk = site.body(0, 3).replacen("old 0\n", "old 4\n", 1);
    assert_eq!(site.post(shrunk).await.status, 400);
    let unproven = site.body(0, 5).replacen("old 0\n", "old 3\n", 1);
    assert_eq!(site.post(unproven).await.status, 422);
    let fork = site.log.sign(3, site.tree.root_at(4).unwrap()).unwrap();
    assert_eq!(site.post(format!("old 3\n\n{fork}")).await.status, 409);
    let other = LogKey::generate("log.example/log", &SystemEntropy).unwrap();
    let unsigned = other.sign(3, site.tree.root_at(3).unwrap()).unwrap();
    assert_eq!(site.post(format!("old 3\n\n{unsigned}")).await.status, 403);
    let other = LogKey::generate("log.example/other", &SystemEntropy).unwrap();
    let unknown = other.sign(3, site.tree.root_at(3).unwrap()).unwrap();
    assert_eq!(site.post(format!("old 0\n\n{unknown}")).await.status, 404);
    assert_eq!(site.post(site.body(3, 5)).await.status, 200);
}

#[tokio::test]
async fn what_is_malformed_or_too_long_is_refused() {
    let site = Site::new();
    let good = site.body(0, 3);
    let malformed = [
        "",
        "old 0",
        "old 0\n\n",
        &good.replacen("old 0", "old 00", 1),
        &good.replacen("old 0", "old -1", 1),
        &good.replacen("old 0", "old 0 ", 1),
        &good.replacen("old 0\n", "old 0\r\n", 1),
        &good.replacen("old 0\n", "old 0\nAAAA\n", 1),
        &good.replacen("\n3\n", "\n03\n", 1),
        good.trim_end(),
    ];
    for body in malformed {
        let answer = site.post(body.to_owned()).await;
        assert_eq!(answer.status, 400, "{body:?}");
    }
    assert_eq!(site.post(vec![0xff; 64]).await.status, 400);
    let long = vec![b'a'; AddCheckpoint::MAX_LEN + 1];
    assert_eq!(site.post(long).await.status, 413);
    assert_eq!(site.post(good).await.status, 200);
}

#[tokio::test]
async fn it_says_that_it_is_well_and_nothing_else() {
    let site = Site::new();
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(site.ask(get("/healthz")).await.status, 200);
    assert_eq!(site.ask(get("/add-checkpoint")).await.status, 405);
    assert_eq!(site.ask(get("/")).await.status, 404);
}
