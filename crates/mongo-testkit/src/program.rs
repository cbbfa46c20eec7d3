//! Which server program there is, and how it is started.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// What kind of server the tests run against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The one that `TEST_MONGODB_URI` names.
    Given,
    /// A `mongod` from PATH.
    Mongod,
    /// FerretDB on SQLite: no `explain` of an index, no `$jsonSchema`, no replica set; lost updates.
    FerretDb,
}

/// A server program.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) kind: Kind,
    binary: PathBuf,
}

/// The program that servers are started from: looked for, and built where need be, once.
pub(crate) fn program() -> &'static Program {
    static PROGRAM: OnceLock<Program> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let mongod = env::var_os("PATH").and_then(|path| {
            env::split_paths(&path).map(|folder| folder.join("mongod")).find(|file| file.is_file())
        });
        match mongod {
            Some(binary) => Program { kind: Kind::Mongod, binary },
            None => Program { kind: Kind::FerretDb, binary: ferretdb() },
        }
    })
}

impl Program {
    /// The command that starts it on this port and folder.
    pub(crate) fn command(&self, port: u16, folder: &Path) -> Vec<PathBuf> {
        let port = port.to_string();
        let mut command = vec![self.binary.clone()];
        let mut add = |words: &[&str]| command.extend(words.iter().map(PathBuf::from));
        match self.kind {
            Kind::Mongod => add(&["--bind_ip", "127.0.0.1", "--port", &port, "--nounixsocket", "--dbpath"]),
            Kind::FerretDb | Kind::Given => add(&["-detached", "-port", &port, "-state"]),
        }
        command.push(folder.to_owned());
        command
    }
}

fn ferretdb() -> PathBuf {
    if let Some(binary) = env::var_os("MONGO_SERVER_BIN") {
        let binary = PathBuf::from(binary);
        assert!(binary.is_file(), "MONGO_SERVER_BIN names no file: {}", binary.display());
        return binary;
    }
    // target/debug/deps/test-0123 → target/mongo-server
    let test = env::current_exe().expect("a process knows its file");
    let deps = test.ancestors().find(|folder| folder.ends_with("deps")).unwrap_or(&test);
    let target = deps.ancestors().nth(2).expect("tests lie in the target folder");
    let binary = target.join("mongo-server");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/mongo-server/build");
    let built = Command::new(&script).arg(&binary).output();
    let built = built.unwrap_or_else(|error| panic!("{}: {error}", script.display()));
    assert!(
        built.status.success(),
        "the tests of the MongoDB store need a server, and there is none:\n{}",
        String::from_utf8_lossy(&built.stderr)
    );
    binary
}
