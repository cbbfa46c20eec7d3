//! REST calls: one short HTTP/1.1 connection each, JSON in and out.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncReadExt as _;

use crate::{ClientError, Endpoint, wire};

/// Longer answers than these are not read (16 MiB: far above any of the server's).
const MAX_ANSWER: usize = 16 << 20;

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
    let (mut read, write) = wire::connect(&server, None).await?;
    write.write_all(request.as_bytes()).await.map_err(failed())?;
    let mut answer = Vec::new();
    loop {
        let ended = read.read_buf(&mut answer).await.map_err(failed())? == 0;
        match parse(&answer, ended) {
            Some(answer) => return Ok(answer),
            None if ended || answer.len() > MAX_ANSWER => {
                return Err(ClientError::protocol("not an HTTP answer", path));
            }
            None => {}
        }
    }
}

/// The status and the body of an answer; none while it is not whole.
fn parse(answer: &[u8], ended: bool) -> Option<(u16, String)> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, body) = answer.split_at_checked(end + 4)?;
    let head = str::from_utf8(head).ok()?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let field = |name: &str| {
        let mut fields = head.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let body = if field("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        chunks(body)?
    } else if let Some(length) = field("content-length") {
        body.get(..length.parse().ok()?)?.to_vec()
    } else if ended || status == 204 {
        body.to_vec()
    } else {
        return None;
    };
    Some((status, String::from_utf8_lossy(&body).into_owned()))
}

/// A chunked body, as proxies send it; none while it is not whole.
fn chunks(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = str::from_utf8(rest.get(..end)?).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        rest = rest.get(end + 2..)?;
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.get(2..)?;
    }
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
    fn status_and_body_are_read_from_an_answer_once_it_is_whole() {
        for (answer, whole) in [
            ("HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}", Some((201, "{}"))),
            ("HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\n{}", None),
            ("HTTP/1.1 204 No Content\r\n\r\n", Some((204, ""))),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\n{\"a\"\r\nA\r\n:12345678}\r\n0\r\n\r\n",
                Some((200, "{\"a\":12345678}")),
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n", None),
            ("HTTP/1.1 200 OK\r\n", None),
            ("nonsense\r\n\r\n", None),
        ] {
            let whole = whole.map(|(status, body)| (status, body.to_owned()));
            assert_eq!(parse(answer.as_bytes(), false), whole, "{answer}");
        }
        let endless = b"HTTP/1.1 200 OK\r\n\r\nuntil the end";
        assert_eq!(parse(endless, false), None);
        assert_eq!(parse(endless, true), Some((200, "until the end".to_owned())));
    }
}
