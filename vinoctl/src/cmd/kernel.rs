//! `kernel create|list|get|delete`.

use vino_proto::v1::{EvictionPolicy, KernelConfig, ProcessConfig};

use super::suggest;
use crate::args::{CreateArgs, Globals, KernelVerb, PolicyArg};
use crate::failure::Failure;
use crate::output::Output;
use crate::remote;

pub(super) async fn execute(
    verb: KernelVerb,
    globals: &Globals,
    output: &mut Output,
) -> Result<(), Failure> {
    let client = remote::connect(globals).await?;
    match verb {
        KernelVerb::Create(create) => {
            let kernel = client
                .create_kernel(&create.kernel, config(&create)?)
                .await?;
            output.item(&kernel)?;
            suggest(
                output,
                "vinoctl graft load POINT OBJECT, or vinoctl run submit --trace TRACE",
            );
            Ok(())
        }
        KernelVerb::List => output.list(&client.kernels().await?),
        KernelVerb::Get { kernel } => output.item(&client.kernel(&kernel).await?),
        KernelVerb::Delete { kernel } => {
            client.delete_kernel(&kernel).await?;
            output.deleted("kernel", &kernel)
        }
    }
}

/// The configuration that the arguments describe; the daemon judges it.
fn config(create: &CreateArgs) -> Result<KernelConfig, Failure> {
    let policy = match create.policy {
        PolicyArg::Clock => EvictionPolicy::TwoHandedClock,
        PolicyArg::Lru => EvictionPolicy::Lru,
    };
    let deadline = create
        .graft_deadline
        .map(|deadline| u64::try_from(deadline.as_micros()));
    let graft_deadline_us = deadline
        .transpose()
        .map_err(|_| Failure::usage("--graft-deadline is too long"))?;
    let processes = create.processes.iter();
    Ok(KernelConfig {
        frames: create.frames,
        swap_pages: create.swap_pages,
        policy: policy.into(),
        handspread: create.handspread,
        free_min: create.free_min,
        free_target: create.free_target,
        processes: processes
            .map(|name| ProcessConfig { name: name.clone() })
            .collect(),
        accept_without_read_protection: create.without_read_protection,
        graft_deadline_us,
        modified_on_first_touch: create.anonymous,
        ..KernelConfig::default()
    })
}
