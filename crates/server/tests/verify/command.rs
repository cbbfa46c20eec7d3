//! `chat-server verify` as operators run it: over TLS, and as users that it signs for.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use rcgen::CertifiedKey;
use tempfile::TempDir;

use super::server::Server;

const SECRET: &str = "9f2c7d51e0b84a6d3c1f5e7a9b0d2c4e";

/// Runs `chat-server` in a folder, with nothing of this process's environment.
fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
    command.current_dir(folder).args(arguments).env_clear().envs(variables.iter().copied());
    command.output().unwrap()
}

/// All that was printed.
fn text(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert!(!text.contains(SECRET) && !text.contains("eyJ"), "secrets and tokens are not printed: {text}");
    text
}

fn kept(output: &Output) -> String {
    let text = text(output);
    assert!(output.status.success() && text.contains("every promise was kept"), "{text}");
    text
}

/// The one line of a failure.
fn failed(output: &Output) -> String {
    let text = text(output);
    assert!(output.status.code() == Some(1) && text.trim_end().lines().count() == 1, "{text}");
    text
}

/// A server with the secret that speaks TLS, and its certificate's file.
fn in_tls(files: &TempDir) -> (Server, String) {
    let CertifiedKey { cert, key_pair } =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let place = |name: &str, pem: String| {
        let path = files.path().join(name);
        fs::write(&path, pem).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (cert, key) = (place("cert.pem", cert.pem()), place("key.pem", key_pair.serialize_pem()));
    let secret = ("JWT_SECRET", SECRET.to_owned());
    (Server::start_with(vec![secret, ("TLS_CERT", cert.clone()), ("TLS_KEY", key)]), cert)
}

#[test]
fn a_server_is_verified_over_tls_where_its_certificate_is_trusted() {
    let files = tempfile::tempdir().unwrap();
    let (server, ca) = in_tls(&files);
    let url = format!("https://localhost:{}", server.port());
    let verify = ["verify", "--url", &url, "--seconds", "1", "--users", "2"];
    kept(&run(files.path(), &[&verify[..], &["--ca", &ca]].concat(), &[]));

    let line = failed(&run(files.path(), &verify, &[]));
    assert!(line.contains("UnknownIssuer"), "{line}");
    let line = failed(&run(files.path(), &[&verify[..], &["--ca", "none.pem"]].concat(), &[]));
    assert!(line.contains("none.pem"), "{line}");
}

#[test]
fn the_secret_of_the_settings_signs_for_accounts_of_its_own_or_for_given_ones() {
    let files = tempfile::tempdir().unwrap();
    let (server, ca) = in_tls(&files);
    let url = format!("https://localhost:{}", server.port());
    let verify = ["verify", "--url", &url, "--ca", &ca, "--seconds", "1", "--secret-from-settings"];
    let secret = [("JWT_SECRET", SECRET)];
    // On the server's machine: added the first time, found the second time.
    for _time in 0..2 {
        let said = kept(&run(server.folder(), &[&verify[..], &["--users", "2"]].concat(), &secret));
        assert!(said.contains(", 2 users"), "{said}");
    }

    // Anywhere: the secret alone is needed, here from a file.
    fs::write(files.path().join(".env"), format!("JWT_SECRET={SECRET}\n")).unwrap();
    let ids: Vec<_> = ["ann", "bob"].map(|name| add(&server, name)).into();
    kept(&run(files.path(), &[&verify[..], &["--user-ids", &ids.join(",")]].concat(), &[]));

    let line = failed(&run(files.path(), &verify, &[]));
    assert!(line.contains("no server runs on it"), "{line}");
    let alone = [&verify[..], &["--user-ids", &ids[0]]].concat();
    let line = failed(&run(files.path(), &alone, &[]));
    assert!(line.contains("two to five users"), "{line}");
    let empty = tempfile::tempdir().unwrap();
    let line = failed(&run(empty.path(), &verify, &[]));
    assert!(line.contains("JWT_SECRET: is not set"), "{line}");
    assert!(fs::read_dir(empty.path()).unwrap().next().is_none(), "no store and no secret were made");
    let other = [("JWT_SECRET", "another secret, which is long enough")];
    let line = failed(&run(files.path(), &[&verify[..], &["--user-ids", &ids.join(",")]].concat(), &other));
    assert!(line.contains("401"), "{line}");
}

/// Adds an account; its id.
fn add(server: &Server, name: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
    command.current_dir(server.folder()).args(["user", "add", name, &format!("{name}@example.com")]);
    let mut child = command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"long enough\n").unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    said.trim_end().strip_prefix(&format!("added {name} (")).unwrap().trim_end_matches(')').to_owned()
}
