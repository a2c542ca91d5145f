use std::{
    io::{BufRead as _, BufReader, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
};

use serde_json::Value;

/// A program of `tests/interop` or `tests/browser`, about to be run.
pub struct Node(Command);

/// What a program printed, and how it ended.
#[derive(Debug)]
pub struct Answer {
    code: Option<i32>,
    json: Value,
    errors: String,
}

/// A program that goes on until this value is dropped.
pub struct Running {
    process: Child,
    input: Option<ChildStdin>,
    /// Its first line.
    pub json: Value,
}

impl Node {
    /// Of `tests/interop`; `name` is the file's, without ending.
    pub fn program(name: &str) -> Self {
        Self::of("interop", name)
    }

    /// Of `tests/browser`.
    pub fn browser(name: &str) -> Self {
        Self::of("browser", name)
    }

    fn of(folder: &str, name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        assert!(
            folder.join("node_modules/.complete").is_file(),
            "what the tests need is missing: run scripts/interop"
        );
        let own = folder.join("node_modules/.bin/node");
        let node = if own.is_file() {
            own
        } else {
            PathBuf::from("node")
        };
        let mut command = Command::new(node);
        command.arg(folder.join(name).with_extension("mjs"));
        Self(command)
    }

    /// More arguments.
    #[must_use]
    pub fn args<S: AsRef<str>>(mut self, arguments: &[S]) -> Self {
        self.0.args(arguments.iter().map(AsRef::as_ref));
        self
    }

    /// Trusts this authority for HTTPS, beside those of the system.
    #[must_use]
    pub fn trusting(mut self, authority: &Path) -> Self {
        self.0.env("NODE_EXTRA_CA_CERTS", authority);
        self
    }

    /// Runs it to its end.
    pub fn run(mut self, input: &str) -> Answer {
        let mut process = self.spawn();
        let mut stdin = process.stdin.take().unwrap();
        // One that fails early reads nothing; its exit code tells why.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = process.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        Answer {
            code: output.status.code(),
            json: serde_json::from_str(&text).unwrap_or(Value::String(text)),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs it to its end: tells it `given`, then `answer`s whatever it asks, one line each. The last line
    /// is what it has done, with `done` in it.
    pub fn converse(mut self, given: &Value, mut answer: impl FnMut(&Value)) -> Answer {
        let mut said = tempfile::tempfile().unwrap();
        let mut process = self
            .0
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(said.try_clone().unwrap())
            .spawn()
            .expect("install Node.js 20 or later (scripts/prepare does)");
        let mut stdin = process.stdin.take().unwrap();
        // One that fails early reads nothing; its exit code tells why.
        let _ = writeln!(stdin, "{given}");
        let mut json = Value::Null;
        for line in BufReader::new(process.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            json = serde_json::from_str(&line).unwrap_or_else(|_| panic!("it says {line:?}"));
            if json.get("done").is_none() {
                answer(&json);
                let _ = writeln!(stdin, "{{}}");
            }
        }
        let code = process.wait().unwrap().code();
        let mut errors = String::new();
        said.rewind().unwrap();
        said.read_to_string(&mut errors).unwrap();
        Answer { code, json, errors }
    }

    /// Starts it and waits for its first line.
    pub fn start(mut self) -> Running {
        let mut process = self.spawn();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        Running {
            input: process.stdin.take(),
            json: serde_json::from_str(&line).unwrap_or_else(|_| panic!("it says {line:?}")),
            process,
        }
    }

    fn spawn(&mut self) -> Child {
        self.0
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("install Node.js 20 or later (scripts/prepare does)")
    }
}

impl Answer {
    /// What it printed; it must have succeeded.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.code, Some(0), "{} {}", self.json, self.errors);
        self.json
    }

    /// What it printed; it must have refused, and not merely failed.
    #[track_caller]
    pub fn refused(self) -> Value {
        assert_eq!(self.code, Some(1), "{} {}", self.json, self.errors);
        self.json
    }

    /// As [`Self::refused`], for this reason among others.
    #[track_caller]
    pub fn refused_as(self, reason: &str) {
        let json = self.refused().to_string();
        assert!(json.contains(reason), "{json}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.wait();
    }
}
