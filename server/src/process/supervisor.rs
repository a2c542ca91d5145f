use std::{ffi::OsString, path::PathBuf, process::ExitStatus, sync::Arc, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::Child,
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep},
};

use tracing::Level;

use super::launch::Launcher;
use crate::Result;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A process that lived this long starts again at once when it dies.
const STABLE: Duration = Duration::from_secs(30);
/// How long a process may take to end by itself.
const GRACE: Duration = Duration::from_secs(5);

/// A process to keep running.
#[derive(Debug, Clone)]
pub struct Spec {
    /// What logs call it.
    pub name: String,
    /// The executable.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// The socket that it will listen on; a stale one is removed before each start.
    pub socket: PathBuf,
    /// Wait for this file before the first start: the socket of what it depends on.
    pub after: Option<PathBuf>,
}

/// Keeps processes running until it is told to stop.
pub struct Supervisor {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Supervisor {
    /// Starts all of them, through the program `through`, which calls
    /// [`become_child`](super::become_child).
    pub fn start(through: PathBuf, specs: Vec<Spec>) -> Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let launcher = Arc::new(Launcher::start()?);
        let through = Arc::new(through);
        let mut tasks = JoinSet::new();
        for spec in specs {
            let keeper = Keeper {
                spec,
                through: Arc::clone(&through),
                launcher: Arc::clone(&launcher),
                stopped: stopped.clone(),
            };
            tasks.spawn(keeper.keep());
        }
        Ok(Self { stop, tasks })
    }

    /// Ends all of them and waits until they are gone.
    pub async fn stop(self) {
        // Without receivers there is nothing left to stop.
        let _ = self.stop.send(true);
        self.tasks.join_all().await;
    }
}

struct Keeper {
    spec: Spec,
    through: Arc<PathBuf>,
    launcher: Arc<Launcher>,
    stopped: watch::Receiver<bool>,
}

impl Keeper {
    async fn keep(mut self) {
        let mut stopped = self.stopped.clone();
        tokio::select! {
            () = wait_for(self.spec.after.clone()) => {}
            () = told(&mut stopped) => return,
        }
        let mut pause = FIRST_PAUSE;
        loop {
            let started = Instant::now();
            match self.run().await {
                End::Stopped => return,
                End::Died(how) => {
                    tracing::warn!(process = %self.spec.name, how, "a process ended");
                }
            }
            if started.elapsed() >= STABLE {
                pause = FIRST_PAUSE;
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = told(&mut stopped) => return,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// One life of the process.
    async fn run(&mut self) -> End {
        let Spec {
            name,
            program,
            arguments,
            socket,
            ..
        } = &self.spec;
        // What lies there belongs to a process that is gone; usually there is nothing.
        let _ = tokio::fs::remove_file(socket).await;
        let mut child = match self
            .launcher
            .launch(&self.through, program, arguments)
            .await
        {
            Ok(child) => child,
            Err(error) => return End::Died(error.to_string()),
        };
        metrics::counter!("blindprint_process_starts_total", "process" => name.clone())
            .increment(1);
        tracing::info!(process = %name, pid = child.id(), "started");
        let logs = [
            child
                .stdout
                .take()
                .map(|stream| forward(name.clone(), stream)),
            child
                .stderr
                .take()
                .map(|stream| forward(name.clone(), stream)),
        ];
        let mut stopped = self.stopped.clone();
        let end = tokio::select! {
            status = child.wait() => End::Died(describe(status)),
            () = told(&mut stopped) => {
                terminate(name, &mut child).await;
                End::Stopped
            }
        };
        for log in logs.into_iter().flatten() {
            // A grandchild might hold the pipe open; its last lines are not worth waiting for.
            let _ = tokio::time::timeout(Duration::from_secs(1), log).await;
        }
        end
    }
}

enum End {
    Died(String),
    Stopped,
}

fn describe(status: std::io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}

/// Asks a process to end, and kills it if it does not.
async fn terminate(name: &str, child: &mut Child) {
    let pid = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    // It may have ended by itself just now.
    let asked = pid.is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok());
    if asked && tokio::time::timeout(GRACE, child.wait()).await.is_ok() {
        tracing::info!(process = %name, "stopped");
        return;
    }
    if let Err(error) = child.kill().await {
        tracing::warn!(process = %name, error = &error as &dyn std::error::Error, "could not be killed");
    }
}

/// Passes a process' lines on to the log.
fn forward(name: String, stream: impl AsyncRead + Send + Unpin + 'static) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if line.trim().is_empty() {
                continue;
            }
            let (level, text) = told_by(&line);
            match level {
                Level::ERROR => {
                    tracing::error!(target: "blindprint_process", process = %name, "{text}");
                }
                Level::WARN => {
                    tracing::warn!(target: "blindprint_process", process = %name, "{text}");
                }
                _ => tracing::info!(target: "blindprint_process", process = %name, "{text}"),
            }
        }
    })
}

/// A line without the time and level that the child's own log gives it: this log says them again.
fn told_by(line: &str) -> (Level, &str) {
    let timed = |word: &str| word.ends_with('Z') && word.starts_with(|c: char| c.is_ascii_digit());
    let untimed = line
        .split_once(' ')
        .filter(|(time, _)| timed(time))
        .map_or(line, |(_, rest)| rest.trim_start());
    [Level::ERROR, Level::WARN, Level::INFO]
        .into_iter()
        .find_map(|level| {
            Some((
                level,
                untimed.strip_prefix(level.as_str())?.strip_prefix(' ')?,
            ))
        })
        .unwrap_or((Level::INFO, untimed))
}

/// Ends when the supervisor says stop, or is gone.
async fn told(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

async fn wait_for(file: Option<PathBuf>) {
    let Some(file) = file else { return };
    while !tokio::fs::try_exists(&file).await.unwrap_or(false) {
        sleep(Duration::from_millis(100)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_childs_line_is_logged_at_its_own_level_with_one_time() {
        for (line, level, text) in [
            (
                "2026-11-22T13:54:38.123456Z  WARN blindprint_matcher: a b",
                Level::WARN,
                "blindprint_matcher: a b",
            ),
            ("ERROR x: y", Level::ERROR, "x: y"),
            ("INFORMED of it", Level::INFO, "INFORMED of it"),
            (
                "blindprint-enclave: no",
                Level::INFO,
                "blindprint-enclave: no",
            ),
        ] {
            assert_eq!(told_by(line), (level, text));
        }
    }
}
