//! `point list|get`.

use crate::args::{Globals, PointVerb};
use crate::failure::Failure;
use crate::output::Output;
use crate::remote;

pub(super) async fn execute(
    verb: PointVerb,
    globals: &Globals,
    output: &mut Output,
) -> Result<(), Failure> {
    let client = remote::connect(globals).await?;
    match verb {
        PointVerb::List => output.list(&client.points().await?),
        PointVerb::Get { point } => output.item(&client.point(&point).await?),
    }
}
