//! Runs with every eviction logged durably, through an embedded daemon.

use vino_client::Client;
use vino_proto::v1::{
    KernelConfig, LogLevel, ProcessConfig, RunSpec, TraceFormat, Workload as ProtoWorkload,
};

use super::run::PROCESS;
use super::workload::Workload;
use super::{Bench, Series, float};
use crate::failure::{Exit, Failure};
use crate::follow::follow;
use crate::{embedded, samples};

/// Name of the trace in the embedded daemon.
const TRACE: &str = "bench";

/// Millions of references a second, the last event durable.
#[derive(Debug)]
pub(super) struct Rates {
    pub(super) default_policy: f64,
    pub(super) example_graft: f64,
}

impl Rates {
    /// Measures the default policy and the example graft.
    pub(super) async fn measure(
        bench: &Bench,
        workload: &Workload,
        frames: u32,
        example: &[u8],
    ) -> Result<Rates, Failure> {
        bench
            .progress
            .message("importing the trace into an embedded daemon");
        let daemon = embedded::Daemon::start("vino-bench-").await?;
        let client = daemon.client();
        let (file_name, bytes) = workload.upload()?;
        client
            .import_trace(TRACE, &file_name, TraceFormat::Unspecified, &bytes)
            .await?;
        bench.progress.message("the default policy, log durable");
        let default_policy = rate(bench, client, frames, "default", None).await?;
        bench.progress.message("the example graft, log durable");
        let example_graft = rate(bench, client, frames, "example", Some(example)).await?;
        daemon.shutdown().await?;
        Ok(Rates {
            default_policy,
            example_graft,
        })
    }
}

/// The median rate of runs on a kernel of their own.
async fn rate(
    bench: &Bench,
    client: &Client,
    frames: u32,
    kernel: &str,
    graft: Option<&[u8]>,
) -> Result<f64, Failure> {
    let config = KernelConfig {
        frames,
        processes: vec![ProcessConfig {
            name: PROCESS.to_string(),
        }],
        ..KernelConfig::default()
    };
    client.create_kernel(kernel, config).await?;
    if let Some(object) = graft {
        client
            .load_graft(samples::upload(kernel, PROCESS, "example"), object)
            .await?;
    }
    let workload = ProtoWorkload {
        process: PROCESS.to_string(),
        trace: TRACE.to_string(),
    };
    let mut rates = Vec::new();
    // The first repetition warms caches up and does not count.
    for repetition in 0..=bench.repetitions {
        let spec = RunSpec {
            kernel: kernel.to_string(),
            workloads: vec![workload.clone()],
            log_level: LogLevel::Evictions.into(),
            ..RunSpec::default()
        };
        let run = client.submit_run(spec).await?;
        let run = follow(client, &run.id, &bench.progress).await?;
        let summary = run.summary.ok_or_else(|| {
            Failure::new(
                Exit::Error,
                format!("run {} ended without a summary", run.id),
            )
        })?;
        if repetition > 0 {
            rates.push(float(summary.references) / float(summary.elapsed_us.max(1)));
        }
        client.delete_run(&run.id).await?;
    }
    Ok(Series::of(rates).median())
}
