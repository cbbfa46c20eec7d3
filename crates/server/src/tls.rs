//! TLS of our own: the certificate and its key, read at start, on SIGHUP, and when their files have changed.

use std::{
    fmt,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
    time::interval,
};
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::{failure::Failure, settings::TlsFiles};

/// How often a server looks at the files.
pub(crate) const LOOK: Duration = Duration::from_secs(60);

/// What tells that one of the two files was replaced or written to; nothing where it is away.
type Stamps = [Option<(u64, u64, i64, i64)>; 2];

/// The certificate that new connections get. Its `Debug` says nothing of the key.
pub(crate) struct Certificate {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    /// As the files were before they were read.
    loaded: Stamps,
    // A short critical section, once a handshake.
    current: RwLock<Arc<CertifiedKey>>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Certificate {
    /// Reads both files.
    ///
    /// # Errors
    /// One can't be read, holds something else, or they don't belong together.
    pub(crate) fn load(files: &TlsFiles) -> Result<Arc<Self>, Failure> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let loaded = stamps(files);
        let current = RwLock::new(read(files, &provider).map_err(Failure::Settings)?);
        Ok(Arc::new(Self { files: files.clone(), provider, loaded, current }))
    }

    /// What connections are accepted with: TLS 1.2 and 1.3, HTTP/1.1 only.
    ///
    /// # Errors
    /// The cryptography at hand lacks what these versions need.
    pub(crate) fn config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, Failure> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::run("TLS", error))?;
        let mut config =
            builder.with_no_client_auth().with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Reads the files again on every SIGHUP, and when they are found changed, `every` so often: new connections get what is
    /// in them, open ones stay as they are. Where the files are no good, what was read before stays.
    ///
    /// # Errors
    /// The signal can't be caught.
    pub(crate) fn renew(self: Arc<Self>, every: Duration) -> Result<JoinHandle<()>, Failure> {
        let mut hangups = signal(SignalKind::hangup()).map_err(|error| Failure::run("signals", error))?;
        Ok(tokio::spawn(async move {
            let (mut seen, mut looks) = (self.loaded, interval(every));
            loop {
                let asked = tokio::select! {
                    _hangup = hangups.recv() => true,
                    _tick = looks.tick() => false,
                };
                match self.look(&mut seen, asked) {
                    None => {}
                    Some(Ok(())) => tracing::info!("the certificate is read again"),
                    Some(Err(why)) => tracing::error!("the certificate stays as it was: {why}"),
                }
            }
        }))
    }

    /// Reads the files where that is asked for or they are not as they were `seen`; a change is met once, whatever comes of it.
    fn look(&self, seen: &mut Stamps, asked: bool) -> Option<Result<(), String>> {
        let stamps = stamps(&self.files);
        let before = std::mem::replace(seen, stamps);
        (asked || stamps != before).then(|| {
            let renewed = read(&self.files, &self.provider)?;
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = renewed;
            Ok(())
        })
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn stamps(files: &TlsFiles) -> Stamps {
    [&files.cert, &files.key].map(|path| {
        let found = std::fs::metadata(path).ok()?;
        Some((found.ino(), found.size(), found.mtime(), found.mtime_nsec()))
    })
}

/// The certificate and its key; or why not, in one line that names the setting and nothing of the content.
fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, String> {
    let wrong =
        |setting: &str, path: &Path, why: &dyn fmt::Display| format!("{setting}: {} {why}", path.display());
    let chain = std::fs::read(&files.cert)
        .map_err(|error| wrong("TLS_CERT", &files.cert, &format_args!("can't be read: {error}")))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&chain)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong("TLS_CERT", &files.cert, &format_args!("is not a PEM file: {error}")))?;
    if chain.is_empty() {
        return Err(wrong("TLS_CERT", &files.cert, &"holds no certificate in PEM"));
    }
    let key = std::fs::read(&files.key)
        .map_err(|error| wrong("TLS_KEY", &files.key, &format_args!("can't be read: {error}")))?;
    // What such an error says may quote the file.
    let key = PrivateKeyDer::from_pem_slice(&key)
        .or(Err(()))
        .and_then(|key| provider.key_provider.load_private_key(key).or(Err(())))
        .map_err(|()| wrong("TLS_KEY", &files.key, &"holds no private key in PEM that can be used"))?;
    let certified = CertifiedKey::new(chain, key);
    certified
        .keys_match()
        .map_err(|error| wrong("TLS_KEY", &files.key, &format_args!("does not fit TLS_CERT: {error}")))?;
    Ok(Arc::new(certified))
}

#[cfg(test)]
mod tests;
