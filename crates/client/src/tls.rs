//! Whom a client trusts.

use std::{fmt, sync::Arc};

use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use crate::ClientError;

/// TLS with one server.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) connector: TlsConnector,
    /// What the server's certificate must be for.
    pub(crate) name: ServerName<'static>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Tls {
    /// TLS 1.2 or 1.3 with a server of this name or address, which the public authorities vouch for, or those in the PEM
    /// text `ca`.
    ///
    /// # Errors
    /// It is no name that a certificate can be for, or `ca` holds no certificate.
    pub(crate) fn new(name: &str, ca: Option<&[u8]>) -> Result<Self, ClientError> {
        let wrong = |what: &str, why: &dyn fmt::Display| ClientError::Usage(format!("{what}: {why}"));
        let server = ServerName::try_from(name.to_owned()).map_err(|error| wrong(name, &error))?;
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(pem) = ca {
            let bad = |error: &dyn fmt::Display| wrong("the certificates of the authority", error);
            let public = roots.len();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| bad(&error))?;
                roots.add(certificate).map_err(|error| bad(&error))?;
            }
            if roots.len() == public {
                return Err(bad(&"there is none in PEM"));
            }
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong("TLS", &error))?;
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name: server })
    }
}
