//! What a stretch of a run cost: time, and CPU of the server and of the load tool itself.

use crate::procfs;
use crate::stats::round;
use chat_client::ClientError as LoadError;
use chat_client::clock;

/// Readings at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    server: Option<u32>,
    at: u64,
    server_cpu: u64,
    own_cpu: u64,
}

/// What passed since a [`Meter`] was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// Seconds of the clock.
    pub(crate) seconds: f64,
    /// Microseconds of CPU that the server used, if its process is known.
    pub(crate) server_micros: Option<f64>,
    /// Microseconds of CPU that the load tool used.
    pub(crate) own_micros: f64,
}

impl Meter {
    /// Reads the clock, and the CPU times of the process `server` and of this one.
    ///
    /// # Errors
    /// When the server's process is gone.
    pub(crate) fn read(server: Option<u32>) -> Result<Meter, LoadError> {
        let server_cpu = server.map(procfs::cpu_micros).transpose()?.unwrap_or(0);
        let own_cpu = procfs::cpu_micros(std::process::id())?;
        Ok(Meter { server, at: clock::nanos(), server_cpu, own_cpu })
    }

    /// What passed since this reading.
    ///
    /// # Errors
    /// When the server's process is gone.
    pub(crate) fn cost(&self) -> Result<Cost, LoadError> {
        let now = Meter::read(self.server)?;
        Ok(Cost {
            seconds: (now.at - self.at) as f64 / 1e9,
            server_micros: self.server.map(|_| (now.server_cpu - self.server_cpu) as f64),
            own_micros: (now.own_cpu - self.own_cpu) as f64,
        })
    }
}

impl Cost {
    /// The server's CPU for each of `units`, in microseconds with two decimals.
    pub(crate) fn server_each(&self, units: u64) -> Option<f64> {
        self.server_micros.filter(|_| units > 0).map(|micros| round(micros / units as f64, 2))
    }

    /// The load tool's own CPU for each of `units`, in microseconds with two decimals.
    pub(crate) fn own_each(&self, units: u64) -> f64 {
        round(self.own_micros / (units.max(1)) as f64, 2)
    }

    /// How many of `units` passed in a second.
    pub(crate) fn rate(&self, units: u64) -> f64 {
        round(units as f64 / self.seconds.max(1e-9), 0)
    }
}
