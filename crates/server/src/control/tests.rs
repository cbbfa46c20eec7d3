//! The control socket, from both ends, against a chat on a real store.

use std::{fs, io::Write, os::unix::fs::PermissionsExt, os::unix::net::UnixStream, sync::Arc};

use super::*;
use crate::{
    compose,
    settings::{Settings, Sources},
};

/// A chat on a store in a folder.
fn built(folder: &Path) -> Arc<compose::Built> {
    let mut sources = Sources::default();
    let variables = [("DATA_DIR", folder.to_str().unwrap()), ("BCRYPT_COST", "4")];
    sources.add_environment(variables.map(|(name, value)| (name.into(), value.into())).into_iter()).unwrap();
    Arc::new(compose::chat(&Settings::load(&sources).unwrap()).unwrap())
}

fn add(username: &str) -> Request {
    Request::AddUser {
        username: username.into(),
        email: format!("{username}@example.org"),
        password: "correct horse".into(),
    }
}

#[tokio::test]
async fn a_command_is_done_by_the_server_that_runs_on_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let built = built(folder.path());
    assert!(ask(folder.path(), &add("alice")).await.unwrap().is_none(), "nobody listens yet");

    let server = ControlServer::start(folder.path(), built.desk()).unwrap();
    let mode = fs::metadata(path(folder.path())).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (id, username) = ask(folder.path(), &add("Alice")).await.unwrap().unwrap().user().unwrap();
    assert_eq!(username, "Alice");
    let find = Request::FindUser { username: "aLICE".into() };
    assert_eq!(ask(folder.path(), &find).await.unwrap().unwrap().user().unwrap().0, id);

    drop(server);
    assert!(!path(folder.path()).exists());
    assert!(ask(folder.path(), &find).await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_refused_comes_back_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let built = built(folder.path());
    let _server = ControlServer::start(folder.path(), built.desk()).unwrap();
    let failure = |answer: Answer| answer.user().unwrap_err().to_string();
    ask(folder.path(), &add("bob")).await.unwrap();
    let taken = failure(ask(folder.path(), &add("BOB")).await.unwrap().unwrap());
    let bad = failure(ask(folder.path(), &add("b b")).await.unwrap().unwrap());
    let unknown = Request::FindUser { username: "nobody".into() };
    assert_eq!(failure(ask(folder.path(), &unknown).await.unwrap().unwrap()), "there is no user \"nobody\"");
    assert!(bad.contains("username"), "{bad}");
    for line in [taken, bad] {
        assert!(!line.contains('\n') && !line.contains("correct horse"), "{line}");
    }
}

#[tokio::test]
async fn a_dead_servers_socket_counts_as_none_and_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    drop(std::os::unix::net::UnixListener::bind(path(folder.path())).unwrap());
    assert!(ask(folder.path(), &add("carol")).await.unwrap().is_none());
    let built = built(folder.path());
    let _server = ControlServer::start(folder.path(), built.desk()).unwrap();
    assert!(ask(folder.path(), &add("carol")).await.unwrap().unwrap().user().is_ok());
}

#[tokio::test]
async fn garbage_is_answered_and_disturbs_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let built = built(folder.path());
    let _server = ControlServer::start(folder.path(), built.desk()).unwrap();
    let mut silent = Vec::new();
    for garbage in [&b"{}\n"[..], b"\n", b"\xff\xfe\n", &[b'x'; 200_000]] {
        let mut stream = UnixStream::connect(path(folder.path())).unwrap();
        // The server may have closed before all is written.
        let _cut = stream.set_nonblocking(true).and_then(|()| stream.write_all(garbage));
        silent.push(stream);
    }
    assert!(ask(folder.path(), &add("dave")).await.unwrap().unwrap().user().is_ok());
}

#[tokio::test]
async fn a_folder_whose_path_is_too_long_has_no_socket_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("x".repeat(120));
    fs::create_dir(&deep).unwrap();
    let built = built(&deep);
    let error = ControlServer::start(&deep, built.desk()).err().unwrap();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(ask(&deep, &add("erin")).await.unwrap().is_none());
}
