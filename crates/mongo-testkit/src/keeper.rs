//! A server process that can't outlive this one: a shell holds the pipe, and kills the server when it closes.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{program::program, wait::until};

/// `$1`: a folder to remove when all is over, or nothing. SIGKILL reaches a stopped process as well.
const SCRIPT: &str = r#"remove=$1; shift
"$@" >&2 </dev/null & server=$!
echo $server; exec >&-
cat >/dev/null
kill -KILL $server; wait $server
[ -z "$remove" ] || rm -rf "$remove""#;

const START: Duration = Duration::from_secs(60);
const END: Duration = Duration::from_secs(10);

/// A running server and its keeper. Dropped, the server is killed.
#[derive(Debug)]
pub(crate) struct Kept {
    keeper: Child,
    server: Pid,
    port: u16,
}

impl Kept {
    /// Starts a server and waits until it listens. `remove`: the folder goes away with the process.
    pub(crate) fn start(port: u16, folder: &Path, remove: bool) -> Self {
        let log = folder.with_extension("log");
        let mut keeper = Command::new("sh")
            .args(["-c", SCRIPT, "keeper"])
            .arg(if remove { folder.as_os_str() } else { "".as_ref() })
            .args(program().command(port, folder))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(&log).unwrap())
            .spawn()
            .expect("there is a shell");
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let server = Pid::from_raw(line.trim().parse().unwrap()).unwrap();
        let kept = Self { keeper, server, port };
        let listens = until(START, || kept.accepts());
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        assert!(listens, "{:?} did not listen in {START:?}:\n{said}", program().kind);
        if remove {
            // Whatever it still says goes to a file without a name.
            let _ = std::fs::remove_file(&log);
        }
        kept
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.server, signal).expect("the server runs");
    }

    /// Kills the server, and waits until nobody listens on its port.
    pub(crate) fn kill(mut self) {
        self.end();
        assert!(until(END, || !self.accepts()), "the server outlived SIGKILL");
    }

    fn accepts(&self) -> bool {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
    }

    fn end(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.end();
    }
}

/// A free port, outside the range that outgoing connections take theirs from, so that none takes it before a restart.
pub(crate) fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let base = 10_000 + u16::try_from(std::process::id() % 90).unwrap_or(0) * 100;
    loop {
        let port = base + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
