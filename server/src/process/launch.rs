//! Children that cannot outlive the server, even if it is killed: each starts as this program,
//! asks the kernel to be killed with its parent, and then becomes what it is to be. (Doing so
//! between fork and exec would need unsafe code.)

use std::{
    ffi::OsString,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    sync::mpsc,
};

use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};
use tokio::{
    process::{Child, Command},
    runtime::Handle,
    sync::oneshot,
};

use super::with_little_environment;
use crate::{Error, Result, error::io};

/// The first argument that makes this program a launcher. It is followed by the server's process
/// id, the program and its arguments.
pub const ARGUMENT: &str = "__child";

/// Becomes the program that `arguments` name, tied to the life of the server. Returns only if
/// that fails.
pub fn become_child(arguments: &[OsString]) -> Error {
    let [parent, program, arguments @ ..] = arguments else {
        return Error::Setup(format!("{ARGUMENT} is for the server's own use"));
    };
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return io("tying a process to the server")(error.into());
    }
    // The server may have died before the kernel knew.
    let alive = getppid().map(|pid| pid.as_raw_nonzero().to_string());
    if alive.as_deref() != parent.to_str() {
        return Error::Setup("the server is gone".to_owned());
    }
    io("starting a process")(std::process::Command::new(program).args(arguments).exec())
}

/// Starts processes from one thread that lives as long as the server: the kernel kills children
/// with the thread that started them.
pub(super) struct Launcher {
    orders: mpsc::Sender<Order>,
}

struct Order {
    command: Command,
    started: oneshot::Sender<std::io::Result<Child>>,
}

impl Launcher {
    pub(super) fn start() -> Result<Self> {
        let (orders, received) = mpsc::channel::<Order>();
        let runtime = Handle::current();
        std::thread::Builder::new()
            .name("launcher".to_owned())
            .spawn(move || {
                let _entered = runtime.enter();
                for Order {
                    mut command,
                    started,
                } in received
                {
                    // Nobody waits any more if the server is stopping; dropping the child kills it.
                    let _ = started.send(command.spawn());
                }
            })
            .map_err(io("starting the launcher"))?;
        Ok(Self { orders })
    }

    /// Starts `program`, with its output piped.
    pub(super) async fn launch(
        &self,
        through: &Path,
        program: &Path,
        arguments: &[OsString],
    ) -> std::io::Result<Child> {
        let mut command = Command::new(PathBuf::from(through));
        with_little_environment(&mut command)
            .arg(ARGUMENT)
            .arg(getpid().as_raw_nonzero().to_string())
            .arg(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let (started, answer) = oneshot::channel();
        let gone = || std::io::Error::other("the launcher is gone");
        self.orders
            .send(Order { command, started })
            .map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}
