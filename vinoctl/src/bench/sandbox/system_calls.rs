//! Whether calls into grafts make system calls: a process that may make none makes calls.
//!
//! The child loads a graft, calls it once, and gives up every system call but `write` to a filter
//! of the kernel that kills it at the first other one. It then makes its calls, directly and
//! through the simulated kernel's transactions, writes how many returned, and last makes a system
//! call on purpose. The parent wants the numbers, and the child killed for that last call: a filter
//! that does not bite proves nothing.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::Arc;

use seccompiler::{SeccompAction, SeccompFilter, TargetArch};
use sim_core::run::{NoMeter, Run};
use sim_core::workload::generate;
use vino_sandbox::NoHost;

use super::graft::{self, Lab, failed};
use crate::bench::report::{Measurement, Unit};
use crate::bench::run::{self, Discard};
use crate::bench::series::Series;
use crate::failure::{Exit, Failure};
use crate::samples::{self, Sample};

/// Calls of the graft, one by one.
const CALLS: u64 = 1_000_000;
/// The loop whose every reference evicts a page: pages, frames, references before and under the
/// filter.
const PAGES: u64 = 2_048;
const FRAMES: u32 = 1_024;
const WARM_REFERENCES: u64 = 100_000;
const FILTERED_REFERENCES: u64 = 400_000;
/// The number of `write`, the same on all x86-64 Linux.
const SYS_WRITE: i64 = 1;
/// The signal that the filter kills with, the same on all x86-64 Linux.
const SIGSYS: i32 = 31;

/// The graft that is called one by one.
const CALLS_GRAFT: Sample = Sample {
    name: "calls",
    file_name: "calls.c",
    tries: "to be quick",
    text: super::programs::CALLS,
};

/// What the child writes when all its calls returned.
const DONE: &str = "calls without system calls:";

/// Starts the child and reports what became of it.
pub(super) fn measure() -> Result<Measurement, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::from_error("cannot find this program", &error))?;
    let output = Command::new(program)
        .args(["bench", "system-calls"])
        .output()
        .map_err(|error| Failure::from_error("cannot run a child process", &error))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let done = text.lines().find_map(|line| line.strip_prefix(DONE));
    let killed = output.status.signal() == Some(SIGSYS);
    let name = "system calls of a committed call";
    match (done, killed) {
        (Some(calls), true) => {
            let row = Measurement::of(name, Unit::Count, &Series::single(0.0)).bar(0.0);
            Ok(row.note(format!("over{calls}; a filter kills at the first")))
        }
        (None, true) => {
            let row = Measurement::of(name, Unit::Count, &Series::single(1.0)).bar(0.0);
            Ok(row.note("or more: the filter killed a process at the first"))
        }
        (_, false) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            let message = format!(
                "the child was to be killed by its filter: {}",
                errors.trim()
            );
            Err(Failure::new(Exit::Error, message))
        }
    }
}

/// What the child does; does not return unless something is wrong.
pub(in crate::bench) async fn make_calls() -> Result<(), Failure> {
    let object: Arc<[u8]> = samples::DEFAULT_VICTIM.build().await?.into();
    let lab = Lab::new()?;
    let mut instance = lab.load(&CALLS_GRAFT.build().await?, graft::patient())?;
    let empty = graft::entry(&instance, "bench_empty")?;
    graft::call(&mut instance, empty, &[], &mut NoHost)?;
    let references = usize::try_from(WARM_REFERENCES + FILTERED_REFERENCES)
        .map_err(failed("too many references"))?;
    let trace = generate::cyclic(references, PAGES).map_err(failed("cannot generate a trace"))?;
    let spec = run::spec(&Arc::new(trace), FRAMES, Some(&object));
    let mut run = Run::new(spec, &lab.engine).map_err(failed("cannot start a run"))?;
    let mut step = |references| {
        run.step(references, &mut Discard, &mut NoMeter)
            .map_err(failed("a run stopped"))?;
        Ok::<u64, Failure>(run.summary().counters.commits)
    };
    let warm = step(WARM_REFERENCES)?;
    forbid_system_calls()?;
    for _ in 0..CALLS {
        black_box(graft::call(&mut instance, empty, &[], &mut NoHost)?);
    }
    let commits = step(FILTERED_REFERENCES)? - warm;
    if commits == 0 {
        return Err(Failure::new(
            Exit::Error,
            "no invocation of the graft committed",
        ));
    }
    println!("{DONE} {CALLS} direct calls and {commits} committed transactions");
    // The control: this must kill.
    black_box(rustix::process::getppid());
    Err(Failure::new(
        Exit::Error,
        "a forbidden system call did not kill",
    ))
}

/// Lets this thread write, and be killed for any other system call.
fn forbid_system_calls() -> Result<(), Failure> {
    let filter = SeccompFilter::new(
        BTreeMap::from([(SYS_WRITE, Vec::new())]),
        SeccompAction::KillProcess,
        SeccompAction::Allow,
        TargetArch::x86_64,
    );
    let program: seccompiler::BpfProgram = filter
        .and_then(TryInto::try_into)
        .map_err(failed("cannot compile the filter of system calls"))?;
    seccompiler::apply_filter(&program).map_err(failed("cannot apply the filter of system calls"))
}
