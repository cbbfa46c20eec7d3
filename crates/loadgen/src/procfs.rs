//! What the kernel says about a process and about this machine.

use std::fs;
use std::path::Path;

use serde::Serialize;

use chat_client::ClientError as LoadError;

/// CPU time, user and system together, that process `pid` has used so far, in microseconds (the kernel
/// counts in ticks, usually of 10 ms).
///
/// # Errors
/// When there is no such process.
pub(crate) fn cpu_micros(pid: u32) -> Result<u64, LoadError> {
    let path = format!("/proc/{pid}/stat");
    let text = read(&path)?;
    let ticks = ticks_of(&text).ok_or_else(|| LoadError::protocol("not understood", &path))?;
    Ok(ticks * 1_000_000 / rustix::param::clock_ticks_per_second())
}

/// Memory of process `pid` that is resident, in KiB.
///
/// # Errors
/// When there is no such process.
pub(crate) fn rss_kib(pid: u32) -> Result<u64, LoadError> {
    let path = format!("/proc/{pid}/status");
    let text = read(&path)?;
    field(&text, "VmRSS:")
        .and_then(|value| value.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| LoadError::protocol("no VmRSS", &path))
}

/// The machine that a run was measured on.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Machine {
    /// The processor's name.
    pub(crate) cpu: String,
    /// How many processors the system has.
    pub(crate) processors: usize,
    /// Main memory, in MiB.
    pub(crate) memory_mib: u64,
    /// The kernel's release.
    pub(crate) kernel: String,
    /// Processes that wanted to run in the last minute: well above zero, the machine was not quiet.
    pub(crate) load_average: f64,
    /// The file system that holds the store.
    pub(crate) file_system: String,
}

impl Machine {
    /// Looks at this machine; `dir` tells which file system matters.
    ///
    /// # Errors
    /// When `/proc` or `dir` cannot be read.
    pub(crate) fn look(dir: &Path) -> Result<Machine, LoadError> {
        let cpus = read("/proc/cpuinfo")?;
        let dir = dir.canonicalize().map_err(LoadError::io(format!("look at {}", dir.display())))?;
        let memory = read("/proc/meminfo")?;
        Ok(Machine {
            cpu: field(&cpus, "model name\t:").unwrap_or("unknown").to_owned(),
            processors: cpus.lines().filter(|line| line.starts_with("processor")).count(),
            memory_mib: field(&memory, "MemTotal:")
                .and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok())
                .map_or(0, |kib| kib / 1024),
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            load_average: read("/proc/loadavg")?
                .split(' ')
                .next()
                .and_then(|average| average.parse().ok())
                .unwrap_or_default(),
            file_system: file_system(&read("/proc/mounts")?, &dir).unwrap_or("unknown").to_owned(),
        })
    }

    /// True when the store would not be on a disk, so that a sync costs nothing.
    pub(crate) fn is_memory_only(&self) -> bool {
        matches!(self.file_system.as_str(), "tmpfs" | "ramfs")
    }
}

fn read(path: &str) -> Result<String, LoadError> {
    fs::read_to_string(path).map_err(LoadError::io(format!("read {path}")))
}

/// `utime` and `stime` are the 14th and 15th field; the second, the name, may hold spaces and brackets.
fn ticks_of(stat: &str) -> Option<u64> {
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

fn file_system<'a>(mounts: &'a str, dir: &Path) -> Option<&'a str> {
    let parse = |line: &'a str| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    };
    let holding = mounts.lines().filter_map(parse).filter(|(point, _)| dir.starts_with(point));
    holding.max_by_key(|(point, _)| point.len()).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_ticks_are_found_behind_an_odd_name() {
        let stat = "42 (a) b) S 1 2 3 4 5 6 7 8 9 10 300 77 0 0 20 0 1 0 5";
        assert_eq!(ticks_of(stat), Some(377));
    }

    #[test]
    fn the_deepest_mount_names_the_file_system() {
        let mounts = "/dev/a / ext4 rw 0 0\nnone /tmp tmpfs rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/tmp/x")), Some("tmpfs"));
        assert_eq!(file_system(mounts, Path::new("/home")), Some("ext4"));
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(rss_kib(std::process::id()).unwrap() > 100);
        assert!(cpu_micros(std::process::id()).is_ok());
    }
}
