//! Checkpoints on a real chain, read there by ethers with the ABI in the repository.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use blindprint_core::SystemEntropy;
use blindprint_log::{LogKey, WitnessKey};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Node, Running};

mod service;
mod story;

use story::{ORIGIN, Story};

/// A chain with a contract, and keys in files.
struct Chain {
    node: Running,
    folder: TempDir,
    contract: String,
}

/// The log misbehaves.
const MISBEHAVES: i32 = 3;
/// The chain holds nothing of the log.
const NOTHING: i32 = 4;

impl Chain {
    fn start() -> Self {
        let mut chain = Self {
            node: Node::program("anvil").start(),
            folder: tempfile::tempdir().unwrap(),
            contract: String::new(),
        };
        for account in 0..2 {
            let key = chain.node.json["keys"][account].as_str().unwrap();
            fs::write(chain.key(account), key).unwrap();
            let owner = fs::Permissions::from_mode(0o600);
            fs::set_permissions(chain.key(account), owner).unwrap();
        }
        let (code, said) = chain.run("deploy", 0, &[]);
        assert_eq!(code, 0, "{said}");
        said["contract"]
            .as_str()
            .unwrap()
            .clone_into(&mut chain.contract);
        chain
    }

    fn key(&self, account: usize) -> PathBuf {
        self.folder.path().join(format!("key-{account}"))
    }

    fn rpc(&self) -> &str {
        self.node.json["rpc"].as_str().unwrap()
    }

    fn command(&self, verb: &str, account: usize, more: &[&str]) -> Command {
        let mut command = Command::new(blindprint_tests::program("blindprint-anchor"));
        command.args([verb, "--rpc", self.rpc()]);
        if !more.contains(&"--chain") {
            command.args(["--chain", "31337"]);
        }
        if verb != "verify" {
            command.arg("--key-file").arg(self.key(account));
        }
        if verb != "deploy" {
            command.args(["--contract", &self.contract]);
        }
        command.args(more);
        command
    }

    /// Exit code, and what it said.
    fn run(&self, verb: &str, account: usize, more: &[&str]) -> (i32, Value) {
        let output = self.command(verb, account, more).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        let said = serde_json::from_str(&text).unwrap_or(Value::String(text + &errors));
        (output.status.code().unwrap(), said)
    }

    fn of(&self, verb: &str, account: usize, story: &Story, more: &[&str]) -> (i32, Value) {
        let vkey = story.key.verifier().to_string();
        let of = ["--log", &vkey, "--url", &story.url];
        self.run(verb, account, &[&of, more].concat())
    }

    #[track_caller]
    fn anchors(&self, story: &Story) {
        let (code, said) = self.of("watch", 0, story, &["--once"]);
        assert_eq!(code, 0, "{said}");
        assert_eq!(said["size"], story.size());
        let seen = self.seen("read", &[]);
        assert_eq!(seen["size"], story.size());
        assert_eq!(seen["root"], story.root());
    }

    /// Nothing is written, and this is why.
    #[track_caller]
    fn refuses(&self, account: usize, story: &Story, more: &[&str], code: i32, why: &str) {
        let before = self.seen("read", &[]);
        let (said_code, said) = self.of("watch", account, story, &[&["--once"], more].concat());
        assert_eq!(said_code, code, "{said}");
        assert!(said.as_str().unwrap().contains(why), "{said}");
        assert_eq!(self.seen("read", &[]), before);
    }

    #[track_caller]
    fn verifies(&self, story: &Story, anchored: usize) {
        let (code, said) = self.of("verify", 0, story, &[]);
        assert_eq!(code, 0, "{said}");
        assert_eq!(said["anchored"], anchored);
        assert_eq!(said["size"], story.size());
    }

    #[track_caller]
    fn convicts(&self, story: &Story, why: &str) {
        let (code, said) = self.of("verify", 0, story, &[]);
        assert_eq!(code, MISBEHAVES, "{said}");
        assert!(said.as_str().unwrap().contains(why), "{said}");
    }

    /// What ethers sees and does.
    fn seen(&self, verb: &str, more: &[&str]) -> Value {
        let arguments = [&[self.rpc(), &self.contract, verb, ORIGIN], more].concat();
        Node::program("anchored").args(&arguments).run("").ok()
    }
}

#[test]
fn the_bytecode_in_the_repository_is_the_source_compiled() {
    let kept = include_str!("../../../log/anchor/contracts/CheckpointAnchor.json");
    let kept: Value = serde_json::from_str(kept).unwrap();
    assert_eq!(
        Node::program("contracts").run("").ok(),
        kept,
        "run scripts/contracts"
    );
}

#[test]
fn a_log_that_grows_is_anchored_and_verified() {
    let chain = Chain::start();
    let story = Story::of(3);
    assert_eq!(chain.of("verify", 0, &story, &[]).0, NOTHING);
    chain.anchors(&story);
    chain.verifies(&story, 1);
    for more in [1, 300, 255] {
        story.tell(story.size(), more);
        chain.anchors(&story);
    }
    let (code, said) = chain.of("watch", 0, &story, &["--once"]);
    assert_eq!((code, said), (0, json!({ "size": 559 })), "nothing new");
    story.tell(story.size(), 7);
    chain.verifies(&story, 4);
    let events = chain.seen("read", &[]);
    assert_eq!(events["events"].as_array().unwrap().len(), 4);
}

#[test]
fn histories_that_the_chain_knows_better_are_convicted() {
    let chain = Chain::start();
    let story = Story::of(40);
    chain.anchors(&story);
    story.tell(40, 20);
    chain.anchors(&story);

    story.tell(0, 100);
    chain.convicts(&story, "two histories");
    chain.refuses(0, &story, &[], MISBEHAVES, "two histories");
    // With the other story anchored too, nothing but the earlier anchors contradicts it.
    let (size, root) = (story.size().to_string(), story.root());
    chain.seen("write", &[&size, &root]);
    chain.convicts(&story, "two histories");

    story.tell(30, 0);
    chain.convicts(&story, "shorter than it was");
    chain.refuses(0, &story, &[], MISBEHAVES, "shorter than it was");
}

#[test]
fn several_checkpoints_in_one_block_are_all_found() {
    let chain = Chain::start();
    let story = Story::of(5);
    let mut all = Vec::new();
    for _ in 0..3 {
        all.extend([story.size().to_string(), story.root()]);
        story.tell(story.size(), 4);
    }
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let written = chain.seen("write", &all);
    assert_eq!(written["blocks"].as_array().unwrap().len(), 1);
    chain.verifies(&story, 3);
    chain.anchors(&story);
    chain.verifies(&story, 4);
}

#[test]
fn only_the_owner_writes_and_only_growth() {
    let chain = Chain::start();
    let story = Story::of(5);
    chain.anchors(&story);
    let refused = chain.seen("misuse", &[]);
    assert_eq!(refused["stranger"][0], "NotOwner");
    assert_eq!(refused["again"], json!(["NotGrown", "5"]));
    assert_eq!(refused["smaller"], json!(["NotGrown", "5"]));
    assert_eq!(refused["nothing"], json!(["NotGrown", "0"]));
    story.tell(5, 1);
    chain.refuses(1, &story, &[], 1, "belongs to");
}

#[test]
fn what_the_log_did_not_sign_or_the_witness_not_cosign_is_not_written() {
    let chain = Chain::start();
    let story = Story::of(5);
    let stranger = LogKey::generate(ORIGIN, &SystemEntropy).unwrap();
    story.sign_with(&stranger);
    chain.refuses(0, &story, &[], 1, "not signed");
    story.tell(5, 0);
    let witness = WitnessKey::generate("witness.example", &SystemEntropy).unwrap();
    let vkey = witness.verifier().to_string();
    chain.refuses(0, &story, &["--witness", &vkey], 1, "not cosigned");
    chain.anchors(&story);
}

#[test]
fn gas_that_costs_too_much_and_wrong_places_are_refused() {
    let chain = Chain::start();
    let story = Story::of(5);
    chain.refuses(0, &story, &["--max-fee", "0"], 1, "gas costs");
    chain.refuses(0, &story, &["--chain", "1"], 1, "of chain 31337");
    let nowhere = Chain {
        contract: format!("0x{}", "11".repeat(20)),
        ..chain
    };
    let (code, said) = nowhere.of("watch", 0, &story, &["--once"]);
    assert_eq!(code, 1);
    assert!(said.as_str().unwrap().contains("no contract"), "{said}");
    assert_eq!(nowhere.of("verify", 0, &story, &[]).0, 1);
    fs::set_permissions(nowhere.key(0), fs::Permissions::from_mode(0o644)).unwrap();
    let (code, said) = nowhere.run("deploy", 0, &[]);
    assert_eq!(code, 1);
    assert!(said.as_str().unwrap().contains("others may read"), "{said}");
}

#[test]
fn watching_outlasts_failures_and_ends_with_a_lie() {
    let chain = Chain::start();
    let story = Story::of(5);
    // Somebody answers in the log's place for a while.
    story.sign_with(&LogKey::generate(ORIGIN, &SystemEntropy).unwrap());
    let vkey = story.key.verifier().to_string();
    let mut watch = chain
        .command(
            "watch",
            0,
            &["--log", &vkey, "--url", &story.url, "--every", "1"],
        )
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_millis(300));
    assert_eq!(chain.seen("read", &[])["size"], 0);
    for kept in [5, 9] {
        story.tell(kept, 4);
        wait_for(&chain, story.size());
    }
    story.tell(8, 90);
    assert_eq!(watch.wait().unwrap().code(), Some(MISBEHAVES));
    assert_eq!(chain.seen("read", &[])["size"], 13);
}

fn wait_for(chain: &Chain, size: usize) {
    for _ in 0..40 {
        if chain.seen("read", &[])["size"] == size {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("{size} entries were not anchored");
}
