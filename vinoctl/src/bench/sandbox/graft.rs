//! Objects of the benchmark as instances that can be called.

use std::error::Error;
use std::time::Duration;

use vino_sandbox::{
    DecodedImage, Engine, Entry, Host, Instance, InstanceConfig, Limits, LinkedImage, Policy,
    VerifiedImage,
};

use crate::failure::{Exit, Failure};

/// How long an invocation may take that is not about deadlines.
const DEADLINE: Duration = Duration::from_secs(60);

/// The process's side of all sandboxes.
#[derive(Debug)]
pub(super) struct Lab {
    pub(super) engine: Engine,
}

impl Lab {
    pub(super) fn new() -> Result<Lab, Failure> {
        let engine = Engine::new().map_err(failed("cannot start the sandbox engine"))?;
        Ok(Lab { engine })
    }

    /// Decodes and links an object whose only import is `bench_host`.
    pub(super) fn link(object: &[u8]) -> Result<LinkedImage, Failure> {
        DecodedImage::decode(object, &Limits::default())
            .map_err(failed("cannot decode the benchmark's graft"))?
            .link(&mut |name| (name == "bench_host").then_some(0))
            .map_err(failed("cannot link the benchmark's graft"))
    }

    /// Prepares an image of which any number of instances can be made.
    pub(super) fn prepare(&self, object: &[u8]) -> Result<VerifiedImage, Failure> {
        self.verify(Lab::link(object)?)
    }

    /// Places an image, verifies it in place and seals it.
    pub(super) fn verify(&self, image: LinkedImage) -> Result<VerifiedImage, Failure> {
        VerifiedImage::verify(&self.engine, image, &Policy::default())
            .map_err(failed("cannot verify the benchmark's graft"))
    }

    /// Makes an instance.
    pub(super) fn instance(
        image: &VerifiedImage,
        config: InstanceConfig,
    ) -> Result<Instance, Failure> {
        Instance::new(image, config)
            .map_err(failed("cannot make an instance of the benchmark's graft"))
    }

    /// Loads an object from first to last.
    pub(super) fn load(&self, object: &[u8], config: InstanceConfig) -> Result<Instance, Failure> {
        Lab::instance(&self.prepare(object)?, config)
    }
}

/// The configuration of an instance that is measured for speed.
pub(super) fn patient() -> InstanceConfig {
    InstanceConfig {
        deadline: DEADLINE,
        ..InstanceConfig::default()
    }
}

/// A function of the benchmark.
pub(super) fn entry(instance: &Instance, name: &str) -> Result<Entry, Failure> {
    instance.entry(name).ok_or_else(|| {
        let message = format!("the graft of the benchmark lost its function {name}");
        Failure::new(Exit::Error, message)
    })
}

/// Calls a function that must return.
pub(super) fn call<H: Host>(
    instance: &mut Instance,
    entry: Entry,
    args: &[u64],
    host: &mut H,
) -> Result<u64, Failure> {
    instance
        .call(entry, args, host)
        .map_err(failed("the graft of the benchmark faulted"))
}

/// Turns an error of the sandbox into a failure of the command.
pub(super) fn failed<E: Error>(context: &'static str) -> impl Fn(E) -> Failure {
    move |error| Failure::from_error(context, &error)
}
