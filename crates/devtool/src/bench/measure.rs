//! One measurement: what a step moved, and what it took of time, processors and memory.
//!
//! It knows how to measure, not what.

use std::time::Instant;

use anyhow::Result;
use serde::Serialize;

use super::child::Used;
use super::processor::{ProcessorTime, ServerTicks, Servers};

/// What one step of one round took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Sample {
    /// By the clock on the wall.
    pub(crate) seconds: f64,
    pub(crate) rows: u64,
    /// Size of the CSV files that the step wrote or read, or that hold the same rows.
    pub(crate) bytes: u64,
    /// Of converge, or of the benchmark itself where it is the client.
    pub(crate) client: ProcessorTime,
    /// Of converge; none for the benchmark itself, which keeps the peak of what it did before.
    pub(crate) peak_memory_bytes: Option<u64>,
    /// User and system time of the source server.
    pub(crate) source_processor_seconds: f64,
    /// The same of the target server.
    pub(crate) target_processor_seconds: f64,
}

/// What a step moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

/// An open measurement of the servers.
#[derive(Debug)]
pub(crate) struct Meter {
    servers: Servers,
    before: ServerTicks,
}

/// An open measurement of this process and the servers.
#[derive(Debug)]
pub(crate) struct OwnMeter {
    meter: Meter,
    client: ProcessorTime,
    started: Instant,
}

impl Meter {
    /// Begins.
    pub(crate) fn start(servers: Servers) -> Result<Self> {
        let before = servers.ticks()?;
        Ok(Self { servers, before })
    }

    /// Ends it with what the child used meanwhile; what it moved is known only later.
    pub(crate) fn finish(self, used: &Used) -> Result<Sample> {
        self.sample(used.seconds, used.processor, Some(used.peak_memory_bytes))
    }

    fn sample(
        self,
        seconds: f64,
        client: ProcessorTime,
        peak_memory_bytes: Option<u64>,
    ) -> Result<Sample> {
        let (source, target) = self.servers.ticks()?.seconds_since(self.before);
        Ok(Sample {
            seconds,
            rows: 0,
            bytes: 0,
            client,
            peak_memory_bytes,
            source_processor_seconds: source,
            target_processor_seconds: target,
        })
    }
}

impl OwnMeter {
    /// Begins.
    pub(crate) fn start(servers: Servers) -> Result<Self> {
        Ok(Self {
            meter: Meter::start(servers)?,
            client: ProcessorTime::own()?,
            started: Instant::now(),
        })
    }

    /// Ends it.
    pub(crate) fn finish(self, moved: Moved) -> Result<Sample> {
        let seconds = self.started.elapsed().as_secs_f64();
        let client = ProcessorTime::own()?.since(self.client);
        let sample = self.meter.sample(seconds, client, None)?;
        Ok(sample.moving(moved))
    }
}

impl Sample {
    /// Of what was done one after the other.
    pub(crate) fn and_then(self, next: Self) -> Self {
        Self {
            seconds: self.seconds + next.seconds,
            client: self.client.plus(next.client),
            peak_memory_bytes: self.peak_memory_bytes.max(next.peak_memory_bytes),
            source_processor_seconds: self.source_processor_seconds + next.source_processor_seconds,
            target_processor_seconds: self.target_processor_seconds + next.target_processor_seconds,
            ..self
        }
    }

    /// With what was moved.
    pub(crate) fn moving(self, moved: Moved) -> Self {
        Self {
            rows: moved.rows,
            bytes: moved.bytes,
            ..self
        }
    }
}
