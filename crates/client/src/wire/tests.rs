//! TLS with a server that sends back what it gets, and whom it is refused.

use std::{sync::Arc, time::Duration};

use rcgen::CertifiedKey;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy, split},
    net::TcpListener,
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

use super::*;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server for `localhost` alone.
struct Echo {
    port: u16,
    /// Its certificate.
    pem: String,
    task: JoinHandle<()>,
}

impl Echo {
    async fn start() -> Self {
        let CertifiedKey { cert, key_pair } =
            rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(key_pair.serialize_der()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key);
        let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                // A client that looks whether somebody listens, or that refuses us, is passed over.
                if let Ok(tls) = acceptor.accept(tcp).await {
                    let (mut read, mut write) = split(tls);
                    let _gone = copy(&mut read, &mut write).await;
                    let _gone = write.shutdown().await;
                }
            }
        });
        Self { port, pem: cert.pem(), task }
    }

    async fn endpoint(&self, name: &str, ca: Option<&str>) -> Result<Endpoint, ClientError> {
        Endpoint::resolve(&format!("https://{name}:{}", self.port), ca.map(str::as_bytes)).await
    }

    /// Why no connection comes about.
    async fn refusal(&self, name: &str, ca: Option<&str>) -> String {
        let endpoint = self.endpoint(name, ca).await.unwrap();
        match timeout(PATIENCE, connect(&endpoint, None)).await.unwrap() {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn more_than_the_system_holds_goes_there_and_back_whole() {
    let echo = Echo::start().await;
    let endpoint = echo.endpoint("localhost", Some(&echo.pem)).await.unwrap();
    let (mut read, write) = connect(&endpoint, None).await.unwrap();
    let sent: Vec<u8> = (0..16_u32 << 20).map(|number| number.to_le_bytes()[1]).collect();
    let mut came = vec![0; sent.len()];
    let both = async { tokio::join!(write.write_all(&sent), read.read_exact(&mut came)) };
    let (written, read) = timeout(PATIENCE, both).await.unwrap();
    assert!(written.is_ok() && read.is_ok() && came == sent);
}

#[tokio::test]
async fn a_server_whom_nobody_vouches_for_is_refused() {
    let echo = Echo::start().await;
    assert!(echo.refusal("localhost", None).await.contains("UnknownIssuer"));
    let of_another = echo.refusal("127.0.0.1", Some(&echo.pem)).await;
    assert!(of_another.contains("not valid for name"), "{of_another}");
    assert_eq!(echo.refusal("localhost", Some(&echo.pem)).await, "");
}

#[tokio::test]
async fn an_authority_that_is_none_is_told() {
    let echo = Echo::start().await;
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for ca in ["", "no PEM", broken] {
        let error = echo.endpoint("localhost", Some(ca)).await.unwrap_err().to_string();
        assert!(error.starts_with("the certificates of the authority: "), "{error}");
    }
}
