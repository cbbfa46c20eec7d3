//! When the certificate is read again, and what comes of it.

use std::{fs, path::PathBuf};

use rcgen::CertifiedKey as Made;
use tempfile::TempDir;
use tokio::{task::yield_now, time::timeout};

use super::*;

struct Pair {
    cert: String,
    key: String,
}

fn pair() -> Pair {
    let Made { cert, key_pair } = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    Pair { cert: cert.pem(), key: key_pair.serialize_pem() }
}

/// Replaces a file by a new one.
fn place(path: &PathBuf, text: &str) {
    let draft = path.with_extension("new");
    fs::write(&draft, text).unwrap();
    fs::rename(&draft, path).unwrap();
}

fn files(folder: &TempDir, pair: &Pair) -> TlsFiles {
    let files = TlsFiles { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
    place(&files.cert, &pair.cert);
    place(&files.key, &pair.key);
    files
}

/// What a new connection would get.
fn served(certificate: &Certificate) -> CertificateDer<'static> {
    certificate.current.read().unwrap().cert[0].clone()
}

fn is(certificate: &Certificate, pair: &Pair) -> bool {
    served(certificate) == CertificateDer::from_pem_slice(pair.cert.as_bytes()).unwrap()
}

#[test]
fn a_change_is_met_once_and_one_that_is_no_good_changes_nothing() {
    let (first, second, folder) = (pair(), pair(), tempfile::tempdir().unwrap());
    let files = files(&folder, &first);
    let certificate = Certificate::load(&files).unwrap();
    let mut seen = certificate.loaded;
    assert_eq!(certificate.look(&mut seen, false), None);
    assert_eq!(certificate.look(&mut seen, true), Some(Ok(())));

    place(&files.cert, &second.cert);
    let between = certificate.look(&mut seen, false).unwrap().unwrap_err();
    assert!(between.contains("does not fit TLS_CERT"), "{between}");
    assert_eq!(certificate.look(&mut seen, false), None);
    assert!(is(&certificate, &first));

    place(&files.key, &second.key);
    assert_eq!(certificate.look(&mut seen, false), Some(Ok(())));
    assert_eq!(certificate.look(&mut seen, false), None);
    assert!(is(&certificate, &second));

    fs::remove_file(&files.cert).unwrap();
    assert!(certificate.look(&mut seen, false).unwrap().unwrap_err().contains("can't be read"));
    assert_eq!(certificate.look(&mut seen, false), None);
    assert!(is(&certificate, &second));
}

#[tokio::test]
async fn files_that_change_are_read_without_being_asked() {
    let (first, second, folder) = (pair(), pair(), tempfile::tempdir().unwrap());
    let files = files(&folder, &first);
    let certificate = Certificate::load(&files).unwrap();
    let renewing = Arc::clone(&certificate).renew(Duration::from_millis(1)).unwrap();
    place(&files.key, &second.key);
    place(&files.cert, &second.cert);
    let renewed = async {
        while !is(&certificate, &second) {
            yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), renewed).await.unwrap();
    renewing.abort();
}
