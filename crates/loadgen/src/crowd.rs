//! Many connections at once: opened with bounded concurrency, driven until the crowd is dropped.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::rc::Rc;

use futures_util::{StreamExt as _, stream};
use tokio::task::JoinSet;

use chat_client::ClientError as LoadError;
use chat_client::packets::Packet;
use chat_client::{Endpoint, Link, Session};

/// Connections that are being opened at the same time.
const AT_ONCE: usize = 64;
/// Connections from one loopback address; well under the number of ephemeral ports.
const PER_ADDRESS: usize = 20_000;

/// Owns the tasks of its connections; dropping it closes them.
#[derive(Default)]
pub(crate) struct Crowd {
    tasks: JoinSet<()>,
    broken: Rc<RefCell<BTreeMap<String, u64>>>,
}

impl Crowd {
    /// Opens one connection for each token, in order, and drives each from then on with what `handler` makes
    /// for it. From the twenty thousandth on they come from 127.0.0.2 and so on, when the server is on the
    /// loopback.
    ///
    /// # Errors
    /// The first connection that failed.
    pub(crate) async fn open<H>(
        &mut self,
        server: SocketAddr,
        tokens: impl Iterator<Item = Rc<str>>,
        mut handler: impl FnMut(usize, Rc<Link>) -> H,
    ) -> Result<(), LoadError>
    where
        H: FnMut(Packet<'_>, u64) -> Result<(), LoadError> + 'static,
    {
        let opened = stream::iter(tokens.enumerate())
            .map(|(index, token)| async move {
                Session::open(&Endpoint::from(server), &token, source(server, index)).await
            })
            .buffered(AT_ONCE)
            .enumerate();
        let mut opened = pin!(opened);
        while let Some((index, session)) = opened.next().await {
            let session = session?;
            let handler = handler(index, session.link());
            self.drive(session, handler);
        }
        Ok(())
    }

    fn drive<H>(&mut self, session: Session, handler: H)
    where
        H: FnMut(Packet<'_>, u64) -> Result<(), LoadError> + 'static,
    {
        let broken = Rc::clone(&self.broken);
        self.tasks.spawn_local(async move {
            let end = session.run(handler).await;
            *broken.borrow_mut().entry(end.to_string()).or_default() += 1;
        });
    }

    /// Why connections ended so far, each with its count.
    pub(crate) fn broken(&self) -> BTreeMap<String, u64> {
        self.broken.borrow().clone()
    }

    /// Fails when a connection has ended.
    ///
    /// # Errors
    /// Names the first reason and the number of connections that ended with it.
    pub(crate) fn check_unbroken(&self) -> Result<(), LoadError> {
        match self.broken.borrow().iter().next() {
            None => Ok(()),
            Some((why, count)) => Err(LoadError::Protocol(format!("{count} connections ended early: {why}"))),
        }
    }
}

fn source(server: SocketAddr, index: usize) -> Option<Ipv4Addr> {
    let extra = u32::try_from(index / PER_ADDRESS).ok()?;
    let usable = server.ip().is_loopback() && extra > 0;
    usable.then(|| Ipv4Addr::from(u32::from(Ipv4Addr::LOCALHOST) + extra))
}
