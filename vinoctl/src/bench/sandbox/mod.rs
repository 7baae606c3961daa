//! The sandbox: code in it, calls into it and out of it, faults, loading, and very many of it.
//!
//! | module | measures |
//! |---|---|
//! | [`kernels`] | nine programs against the same source as native code |
//! | [`calls`] | calls in and out against native calls through a pointer |
//! | [`faults`] | a fault until it is an `Err`, and how late a deadline is |
//! | [`loading`] | the verifier, a load and its parts, new instances, growth of text |
//! | [`crowd`] | ten thousand sandboxes at once |
//! | [`system_calls`] | that calls make no system call |
//!
//! [`programs`] builds what is measured, [`native`] runs the native side in a child process.

mod calls;
mod crowd;
mod faults;
mod graft;
mod kernels;
mod loading;
mod native;
mod programs;
mod system_calls;

use std::sync::Arc;

use self::graft::Lab;
use self::native::Native;
use self::programs::Programs;
pub(super) use self::system_calls::make_calls as make_calls_without_system_calls;
use super::report::Measurement;
use super::{Bench, float};
use crate::failure::Failure;

/// Measures everything about the sandbox.
pub(super) async fn measure(bench: &Arc<Bench>) -> Result<Vec<Measurement>, Failure> {
    bench.progress.message("compiling the programs");
    let programs = Programs::build().await?;
    super::on_thread(bench, move |bench| {
        let lab = Lab::new()?;
        let mut native = Native::start(&programs.native)?;
        let mut results = kernels::measure(bench, &lab, &programs, &mut native)?;
        results.extend(calls::measure(bench, &lab, &programs)?);
        results.extend(faults::measure(bench, &lab, &programs, &mut native)?);
        results.extend(loading::measure(bench, &lab, &programs, &mut native)?);
        results.extend(crowd::measure(bench, &lab, &programs)?);
        results.push(system_calls::measure()?);
        Ok(results)
    })
    .await
}
