//! REST calls: one short HTTP/1.1 connection each, JSON in and out.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{ClientError, Endpoint};

/// Posts `body` as JSON and reads the answer, which must have status `expected`.
///
/// # Errors
/// [`ClientError::Status`] for any other status, else what failed.
pub async fn post<T: DeserializeOwned>(
    server: impl Into<Endpoint>,
    path: &str,
    body: &impl Serialize,
    expected: u16,
) -> Result<T, ClientError> {
    let body = serde_json::to_string(body).map_err(|error| ClientError::Protocol(error.to_string()))?;
    let head = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    decode(path, exchange(server, "POST", path, &head, &body).await?, expected)
}

/// Gets `path` with a token and reads the answer, which must have status 200.
///
/// # Errors
/// [`ClientError::Status`] for any other status, else what failed.
pub async fn get<T: DeserializeOwned>(
    server: impl Into<Endpoint>,
    path: &str,
    token: &str,
) -> Result<T, ClientError> {
    let head = format!("Authorization: Bearer {token}\r\n");
    decode(path, exchange(server, "GET", path, &head, "").await?, 200)
}

/// The status with which `path` is answered.
///
/// # Errors
/// When there is no server, or its answer is not HTTP.
pub async fn status(server: impl Into<Endpoint>, path: &str) -> Result<u16, ClientError> {
    Ok(exchange(server, "GET", path, "", "").await?.0)
}

async fn exchange(
    server: impl Into<Endpoint>,
    method: &str,
    path: &str,
    head: &str,
    body: &str,
) -> Result<(u16, String), ClientError> {
    let server = server.into();
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{head}\r\n{body}", server.host);
    let failed = || ClientError::io(format!("{method} {path}"));
    let mut stream = TcpStream::connect(server.address).await.map_err(failed())?;
    stream.write_all(request.as_bytes()).await.map_err(failed())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.map_err(failed())?;
    parse(&String::from_utf8_lossy(&answer)).ok_or_else(|| ClientError::protocol("not an HTTP answer", path))
}

fn parse(answer: &str) -> Option<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some((status, body.to_owned()))
}

fn decode<T: DeserializeOwned>(path: &str, answer: (u16, String), expected: u16) -> Result<T, ClientError> {
    let (status, body) = answer;
    if status != expected {
        return Err(ClientError::Status { path: path.to_owned(), status, body });
    }
    serde_json::from_str(&body).map_err(|error| ClientError::protocol(&error.to_string(), &body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_body_are_read_from_an_answer() {
        let answer = "HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(parse(answer), Some((201, "{}".to_owned())));
        assert_eq!(parse("nonsense"), None);
    }
}
