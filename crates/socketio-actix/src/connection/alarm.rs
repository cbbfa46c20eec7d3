//! A timer that is set again rarely: when the next thing to do moves to a later time, it rings early once
//! instead.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use tokio::time::{Sleep, sleep_until};

/// A timer for the next thing to do.
#[derive(Default)]
pub(super) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
    at: Option<Instant>,
}

impl Alarm {
    /// Ready when it is time to look again; registers the waker otherwise.
    pub(super) fn poll(&mut self, next: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(next) = next else { return Poll::Pending };
        if self.at.is_none_or(|at| next < at) {
            match &mut self.sleep {
                Some(sleep) => sleep.as_mut().reset(next.into()),
                None => self.sleep = Some(Box::pin(sleep_until(next.into()))),
            }
            self.at = Some(next);
        }
        let Some(sleep) = &mut self.sleep else { return Poll::Pending };
        if sleep.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.at = None;
        Poll::Ready(())
    }
}
