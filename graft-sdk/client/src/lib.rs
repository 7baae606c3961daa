//! Typed asynchronous client of `vinod`.
//!
//! [`Client`] speaks `vino.v1` over the daemon's unix socket: every call has a deadline, uploads
//! are streamed with their digest, and a watched run is resumed where its stream broke. The
//! manual's names for loading grafts are methods too: [`Client::vino_graft_lookup`],
//! [`GraftPoint::vino_graft_load`], [`GraftPoint::vino_graft_unload`].
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = vino_client::Client::connect(&vino_client::default_socket_path()).await?;
//! let point = client.vino_graft_lookup("kernel", "database", "vas_o::pick_victim").await?;
//! let graft = point.vino_graft_load("victim.o".as_ref()).await?;
//! println!("{} serves {}", graft.name, graft.point);
//! # Ok(())
//! # }
//! ```
#![deny(missing_docs)]

mod calls;
mod connect;
mod error;
mod graft_point;
mod streams;
mod upload;

pub use connect::{Client, ConnectError};
pub use error::CallError;
pub use graft_point::{GraftFileError, GraftPoint};
pub use upload::GraftUpload;
pub use vino_proto::default_socket_path;
