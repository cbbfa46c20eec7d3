//! The binary from outside: commands, exit codes, the one line of a failure, start and end.
#![expect(clippy::unwrap_used, reason = "the helpers of these tests may panic as tests do")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;

const SECRET: &str = "3f0d9a7c5b1e2846f0a9d8c7b6e5f4a3";

/// The binary in a folder of its own, with nothing of this process's environment.
fn command(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
    command.current_dir(folder).args(arguments).env_clear();
    command.envs([("HOST", "127.0.0.1"), ("PORT", "0"), ("BCRYPT_COST", "4"), ("DRAIN_GRACE_MS", "50")]);
    command.envs(variables.iter().copied());
    command
}

fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    command(folder, arguments, variables).output().unwrap()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

/// The exit code and the one line on standard error.
fn failure(output: &Output) -> (i32, String) {
    let line = std::str::from_utf8(&output.stderr).unwrap().trim_end();
    assert!(!line.is_empty() && !line.contains('\n'), "{line:?}");
    (output.status.code().unwrap(), line.to_owned())
}

/// A running server.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts it and waits for its line.
    fn start(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let mut child = command(folder, &[], variables).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.find(|line| line.as_ref().unwrap().contains("http://")).unwrap().unwrap();
        let (_, after) = line.split_once("http://").unwrap();
        let address = after.split([' ', '"']).next().unwrap().to_owned();
        // Its further lines are read away, so that it never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    fn end(mut self) -> Option<i32> {
        self.signal("TERM");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed leaves nothing behind.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

#[test]
fn wrong_settings_end_with_2_and_one_line_that_names_the_setting() {
    let folder = folder();
    let production = ("APP_ENV", "production");
    for (name, variables) in [
        ("PORT", vec![("PORT", "70000")]),
        ("BCRYPT_COST", vec![("BCRYPT_COST", "3")]),
        ("NODE_ENV", vec![("NODE_ENV", "test")]),
        ("JWT_SECRET", vec![production]),
        ("JWT_SECRET", vec![production, ("JWT_SECRET", "hunter2")]),
        ("MONGODB_URI", vec![("MONGODB_URI", "mongodb://u:hunter2@h")]),
        ("REDIS_URL", vec![production, ("JWT_SECRET", SECRET), ("REDIS_URL", "redis://:hunter2@h")]),
        ("none.toml", vec![("CONFIG_FILE", "none.toml")]),
    ] {
        for arguments in [&[][..], &["serve"], &["check-config"]] {
            let (code, line) = failure(&run(folder.path(), arguments, &variables));
            assert_eq!(code, 2, "{line}");
            assert!(line.starts_with(&format!("chat-server: {name}: ")), "{line}");
            assert!(!line.contains("hunter2"), "{line}");
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn check_config_shows_settings_with_their_places_and_no_secret() {
    let folder = folder();
    std::fs::write(folder.path().join("chat.toml"), "bcrypt_threads = 3\n").unwrap();
    std::fs::write(folder.path().join(".env"), "TOKEN_TTL_SECONDS=60\n").unwrap();
    let output = run(folder.path(), &["check-config", "--config", "chat.toml"], &[("JWT_SECRET", SECRET)]);
    assert!(output.status.success());
    for line in [
        "PORT = 0  # environment",
        "TOKEN_TTL_SECONDS = 60  # .env",
        "BCRYPT_THREADS = 3  # chat.toml",
        "MAX_MESSAGE_CHARS = 4000  # default",
        "JWT_SECRET = (32 bytes)  # environment",
    ] {
        assert!(out(&output).lines().any(|shown| shown == line), "{line}\n{}", out(&output));
    }
    assert!(!out(&output).contains(SECRET));
}

#[test]
fn gen_secret_makes_what_production_accepts() {
    let folder = folder();
    let output = run(folder.path(), &["gen-secret"], &[("PORT", "nonsense")]);
    let secret = out(&output).trim_end();
    assert_eq!(secret.len(), 96);
    let accepted =
        run(folder.path(), &["check-config"], &[("APP_ENV", "production"), ("JWT_SECRET", secret)]);
    assert!(accepted.status.success());
}

#[test]
fn a_folder_that_can_not_be_used_ends_with_1_and_names_it() {
    let folder = folder();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let (code, line) = failure(&run(folder.path(), &[], &[("DATA_DIR", "file/below")]));
    assert_eq!(code, 1);
    assert!(line.starts_with("chat-server: DATA_DIR file/below: "), "{line}");
}

#[test]
fn a_busy_port_ends_with_1_and_names_it() {
    let folder = folder();
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let (code, line) = failure(&run(folder.path(), &[], &[("PORT", &port)]));
    assert_eq!(code, 1);
    assert!(line.contains(&format!("127.0.0.1, port {port}: ")), "{line}");
    assert!(!folder.path().join("data").exists(), "the store was not touched");
}

#[test]
fn unknown_commands_end_with_2() {
    assert_eq!(run(folder().path(), &["frobnicate"], &[]).status.code(), Some(2));
}

#[test]
fn it_serves_page_and_health_keeps_its_files_private_and_ends_with_0() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    assert!(server.get("/").contains("content-security-policy"));
    assert!(server.get("/health").starts_with("HTTP/1.1 200"));
    assert!(server.get("/ready").starts_with("HTTP/1.1 200"));
    assert!(server.get("/nowhere").contains(r#""code":"not_found""#));
    let data = folder.path().join("data");
    for entry in std::fs::read_dir(&data).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", entry.file_name());
    }
    assert_eq!(server.end(), Some(0));
    assert!(!data.join("control.sock").exists());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = folder();
    let mut server =
        Server::start(folder.path(), &[("DRAIN_GRACE_MS", "60000"), ("DRAIN_DEADLINE_MS", "90000")]);
    server.signal("TERM");
    while !server.get("/ready").starts_with("HTTP/1.1 503") {}
    server.signal("INT");
    assert_eq!(server.child.wait().unwrap().code(), Some(130));
}

#[test]
fn the_deadline_ends_it_with_0_whatever_hangs() {
    let folder = folder();
    let variables = [("DRAIN_GRACE_MS", "100"), ("DRAIN_DEADLINE_MS", "300")];
    let server = Server::start(folder.path(), &variables);
    let mut half = TcpStream::connect(&server.address).unwrap();
    half.write_all(b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{").unwrap();
    assert_eq!(server.end(), Some(0));
}

#[test]
fn users_tokens_and_backups_are_made_with_a_server_and_without_one() {
    let folder = folder();
    let add = |name: &str| {
        let mut child = command(folder.path(), &["user", "add", name, &format!("{name}@example.org")], &[])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"correct horse\n").unwrap();
        child.wait_with_output().unwrap()
    };
    assert!(out(&add("before")).starts_with("added before ("));

    let server = Server::start(folder.path(), &[]);
    assert!(out(&add("during")).starts_with("added during ("));
    assert_eq!(run(folder.path(), &["user", "add", "during", "x@example.org"], &[]).status.code(), Some(1));
    assert!(run(folder.path(), &["backup", "chat.backup"], &[]).status.success());
    let (code, line) = failure(&run(folder.path(), &["backup", "chat.backup"], &[]));
    assert_eq!(code, 1);
    assert!(line.ends_with("chat.backup exists already"), "{line}");
    assert_eq!(server.end(), Some(0));

    let elsewhere = [("DATA_DIR", "restored")];
    assert!(run(folder.path(), &["restore", "chat.backup"], &elsewhere).status.success());
    for name in ["before", "during"] {
        let output = run(folder.path(), &["gen-token", name], &elsewhere);
        assert_eq!(out(&output).trim_end().split('.').count(), 3, "{name}");
    }
    assert_eq!(failure(&run(folder.path(), &["gen-token", "nobody"], &elsewhere)).0, 1);
    assert_eq!(failure(&run(folder.path(), &["restore", "chat.backup"], &elsewhere)).0, 1);
}

#[test]
fn a_mistyped_folder_is_not_read_as_an_empty_store() {
    let folder = folder();
    let mistyped = [("DATA_DIR", "dtaa")];
    for args in [&["backup", "chat.backup"][..], &["gen-token", "alice"], &["export", "chat.export"]] {
        let (code, line) = failure(&run(folder.path(), args, &mistyped));
        assert_eq!(code, 1, "{args:?}");
        assert!(line.ends_with("DATA_DIR dtaa: there is no store in it"), "{line}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was begun");
}

#[test]
fn gen_token_for_an_id_looks_nothing_up() {
    let folder = folder();
    let id = "65a1b2c3d4e5f60718293a4b";
    let output = run(folder.path(), &["gen-token", "--id", id, "--ttl", "60"], &[("JWT_SECRET", SECRET)]);
    assert_eq!(out(&output).trim_end().split('.').count(), 3);
    assert!(!folder.path().join("data").exists());
    assert_eq!(run(folder.path(), &["gen-token", "--id", "alice"], &[]).status.code(), Some(2));
    assert_eq!(run(folder.path(), &["gen-token"], &[]).status.code(), Some(2));
}

#[test]
fn a_store_is_exported_and_imported_into_another_folder() {
    let folder = folder();
    let (code, line) = failure(&run(folder.path(), &["export", "chat.jsonl"], &[]));
    assert_eq!(code, 1);
    assert!(line.ends_with("DATA_DIR ./data: there is no store in it"), "{line}");
    let server = Server::start(folder.path(), &[]);
    let (code, line) = failure(&run(folder.path(), &["export", "chat.jsonl"], &[]));
    assert_eq!(code, 1);
    assert!(line.ends_with("another process has this folder open"), "{line}");
    assert_eq!(server.end(), Some(0));

    let exported = run(folder.path(), &["export", "chat.jsonl"], &[]);
    assert!(out(&exported).starts_with("exported 0 users and 0 messages (sha256 "), "{}", out(&exported));
    let mode = std::fs::metadata(folder.path().join("chat.jsonl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let elsewhere = [("DATA_DIR", "elsewhere")];
    let imported = run(folder.path(), &["import", "chat.jsonl"], &elsewhere);
    assert!(out(&imported).trim_end().ends_with("the store holds the same"), "{}", out(&imported));
    assert_eq!(failure(&run(folder.path(), &["import", "none.jsonl"], &elsewhere)).0, 1);
    assert_eq!(failure(&run(folder.path(), &["export", "chat.jsonl"], &[])).0, 1);
}
