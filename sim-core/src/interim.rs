//! Names of vino-sandbox that have not landed yet.

/// The process-wide executor of grafts.
#[derive(Clone, Debug)]
pub struct Engine;

impl Engine {
    /// Starts it.
    pub fn new() -> Result<Engine, std::io::Error> {
        Ok(Engine)
    }
}

/// Why an image was refused.
#[derive(Clone, Debug, thiserror::Error)]
#[error("rejected")]
pub struct Rejection;
