//! What a daemon's refusal says.

use std::{collections::HashMap, fmt, time::Duration};

use tonic::{Code, Status};
use tonic_types::{HelpLink, StatusExt as _};
use vino_proto::{GRAFT_REJECTION_TYPE_URL, Message as _, v1::GraftRejection};

/// A call that the daemon refused, or that did not reach it.
#[derive(Clone, Debug)]
pub struct CallError {
    status: Box<Status>,
}

impl CallError {
    /// The gRPC status code.
    pub fn code(&self) -> Code {
        self.status.code()
    }

    /// What went wrong, for people.
    pub fn message(&self) -> &str {
        self.status.message()
    }

    /// What went wrong, for programs, such as `GRAFT_VERIFY_FAILED`.
    pub fn reason(&self) -> Option<String> {
        Some(self.status.get_details_error_info()?.reason)
    }

    /// Names and values that the reason is about.
    pub fn metadata(&self) -> HashMap<String, String> {
        let info = self.status.get_details_error_info();
        info.map(|info| info.metadata).unwrap_or_default()
    }

    /// What to do next, a sentence or a command each.
    pub fn help(&self) -> Vec<String> {
        let help = self.status.get_details_help();
        let links = help.map(|help| help.links).unwrap_or_default();
        links
            .into_iter()
            .map(|HelpLink { description, .. }| description)
            .collect()
    }

    /// What the verifier found, if it is what refused a graft.
    pub fn rejection(&self) -> Option<GraftRejection> {
        let status = tonic_types::Status::decode(self.status.details()).ok()?;
        let mut details = status.details.iter();
        let detail = details.find(|detail| detail.type_url == GRAFT_REJECTION_TYPE_URL)?;
        GraftRejection::decode(detail.value.as_slice()).ok()
    }

    /// Whether the connection broke, so that nobody knows what the daemon would have said.
    pub fn is_connection_lost(&self) -> bool {
        // tonic reports a stream that breaks off as unknown; what a daemon says has no source.
        let local = std::error::Error::source(&*self.status).is_some();
        self.code() == Code::Unavailable || (self.code() == Code::Unknown && local)
    }

    pub(crate) fn deadline(deadline: Duration) -> CallError {
        CallError::from(Status::deadline_exceeded(format!(
            "vinod did not answer within {deadline:?}: try again with a longer --timeout"
        )))
    }

    pub(crate) fn local(code: Code, message: impl Into<String>) -> CallError {
        CallError::from(Status::new(code, message))
    }
}

impl From<Status> for CallError {
    fn from(status: Status) -> CallError {
        CallError {
            status: Box::new(status),
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_connection_lost() {
            return write!(f, "lost the connection to vinod: {}", self.message());
        }
        f.write_str(self.message())
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.status.source()
    }
}
