//! What the load tool asks of the system for itself: its core, and enough file descriptors.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};

use chat_client::ClientError as LoadError;

/// Binds this thread, and what it starts from now on, to processor `core`.
///
/// # Errors
/// When there is no such processor.
pub(crate) fn pin_to(core: usize) -> Result<(), LoadError> {
    if core >= CpuSet::MAX_CPU {
        return Err(LoadError::Usage(format!("there is no processor {core}")));
    }
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set)
        .map_err(|errno| LoadError::io(format!("pin to processor {core}"))(errno.into()))
}

/// Raises the number of files this process may open to all that the system allows, and checks that it
/// suffices for `connections`. What is started later inherits it.
///
/// # Errors
/// When the system's limit is too low; the message names it.
pub(crate) fn allow_connections(connections: usize) -> Result<(), LoadError> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .map_err(|errno| LoadError::io("raise the limit of open files")(errno.into()))?;
    let needed = connections as u64 + 100;
    match maximum {
        Some(limit) if limit < needed => Err(LoadError::Usage(format!(
            "{connections} connections need {needed} open files, the hard limit is {limit} (ulimit -Hn)"
        ))),
        _ => Ok(()),
    }
}
