//! The only place that builds a status: codes, reasons and details of every refusal.
//!
//! The message says what, where and what to do next; `ErrorInfo` names the reason for programs;
//! a rejected graft carries what the verifier found as `vino.v1.GraftRejection`.

use std::collections::HashMap;

use sim_core::graft::GraftRejected;
use tokio::task::JoinError;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use vino_proto::{Any, GRAFT_REJECTION_TYPE_URL, Message as _, v1};

use crate::{
    host::HostError,
    store::{LogError, StoreError},
};

/// The domain of the reasons.
const DOMAIN: &str = "vino";
/// Longest message, in bytes: a status travels in HTTP headers, which clients limit to 16 KiB.
const MESSAGE_BYTES_MAX: usize = 2048;
/// Most bytes of violations in a status.
const REJECTION_BYTES_MAX: usize = 5 * 1024;

/// The status of a refused request.
pub(super) fn from_host(error: HostError) -> Status {
    if let HostError::Rejected(GraftRejected::Verify(rejection)) = &error {
        return verify_failed(&error, rejection);
    }
    let (code, reason) = classify(&error);
    if code == Code::Internal || code == Code::DataLoss {
        tracing::error!(%error, "request failed");
    }
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, metadata(&error));
    match &error {
        HostError::Invalid { field, .. } => {
            details.add_bad_request_violation(*field, error.to_string());
        }
        HostError::Limit { subject, .. } => {
            details.add_quota_failure_violation(*subject, error.to_string());
        }
        HostError::WrongState { reason, .. } => {
            details.add_precondition_failure_violation(*reason, "", error.to_string());
        }
        _ => {}
    }
    if let Some(help) = help(&error) {
        details.add_help_link(help, "");
    }
    Status::with_error_details(code, shorten(&error.to_string()), details)
}

/// The status of a malformed message.
pub(super) fn invalid(field: &'static str, problem: impl Into<String>) -> Status {
    let problem = problem.into();
    from_host(HostError::Invalid { field, problem })
}

/// The status when a task of ours has died, which is a defect of ours.
pub(super) fn task_failed(error: JoinError) -> Status {
    tracing::error!(%error, "a task failed");
    Status::internal("a task of vinod failed: its log says more")
}

/// The status when the daemon is on its way out.
pub(super) fn shutting_down() -> Status {
    from_host(HostError::ShuttingDown)
}

fn classify(error: &HostError) -> (Code, String) {
    let (code, reason) = match error {
        HostError::Invalid { .. } => (Code::InvalidArgument, "INVALID_ARGUMENT"),
        HostError::Config(_) => (Code::InvalidArgument, "KERNEL_CONFIG_INVALID"),
        HostError::NotFound { noun, .. } => {
            return (Code::NotFound, format!("{}_NOT_FOUND", capitals(noun)));
        }
        HostError::Exists { noun, .. } => {
            return (Code::AlreadyExists, format!("{}_EXISTS", capitals(noun)));
        }
        HostError::PointBusy { .. } => (Code::FailedPrecondition, "POINT_BUSY"),
        HostError::WrongState { reason, .. } => (Code::FailedPrecondition, *reason),
        HostError::Limit { .. } => (Code::ResourceExhausted, "RESOURCE_LIMIT"),
        HostError::Rejected(rejected) => (Code::InvalidArgument, rejection_reason(rejected)),
        HostError::Trace { .. } => (Code::InvalidArgument, "TRACE_MALFORMED"),
        HostError::Upload { .. } => (Code::InvalidArgument, "UPLOAD_MISMATCH"),
        HostError::Store(error) | HostError::Log(LogError::Store(error)) => classify_store(error),
        HostError::Log(_) => (Code::DataLoss, "LOG_DAMAGED"),
        HostError::TraceBytes(_) => (Code::DataLoss, "STORE_DAMAGED"),
        HostError::Machine { .. } => (Code::Internal, "MACHINE"),
        HostError::ShuttingDown => (Code::Unavailable, "SHUTTING_DOWN"),
    };
    (code, reason.to_owned())
}

fn classify_store(error: &StoreError) -> (Code, &'static str) {
    match error {
        StoreError::DiskFull { .. } => (Code::ResourceExhausted, "DISK_FULL"),
        StoreError::Damaged { .. } => (Code::DataLoss, "STORE_DAMAGED"),
        _ => (Code::Internal, "STORE_FAILED"),
    }
}

fn rejection_reason(rejected: &GraftRejected) -> &'static str {
    match rejected {
        GraftRejected::Decode(_) => "GRAFT_MALFORMED",
        GraftRejected::Undefined { .. } => "GRAFT_SYMBOL_UNRESOLVED",
        GraftRejected::Link(_) => "GRAFT_LINK_FAILED",
        GraftRejected::Verify(_) => "GRAFT_VERIFY_FAILED",
        GraftRejected::NoPoint { .. } => "GRAFT_POINT_MISSING",
        GraftRejected::UnknownPoint { .. } => "GRAFT_POINT_NOT_FOUND",
        GraftRejected::TwoDefinitions { .. } => "GRAFT_DEFINED_TWICE",
    }
}

fn metadata(error: &HostError) -> HashMap<String, String> {
    let pairs: Vec<(&str, String)> = match error {
        HostError::Invalid { field, .. } => vec![("field", (*field).to_owned())],
        HostError::NotFound { noun, name, known } => vec![
            ("noun", (*noun).to_owned()),
            ("name", name.clone()),
            ("known", known.join(",")),
        ],
        HostError::Exists { noun, name, .. } => {
            vec![("noun", (*noun).to_owned()), ("name", name.clone())]
        }
        HostError::PointBusy {
            kernel,
            point,
            process,
            holder,
        } => vec![
            ("kernel", kernel.clone()),
            ("point", point.clone()),
            ("process", process.clone()),
            ("holder", holder.clone()),
        ],
        HostError::Limit { subject, .. } => vec![("subject", (*subject).to_owned())],
        HostError::Trace { name, .. } => vec![("name", name.clone())],
        _ => Vec::new(),
    };
    let owned = pairs
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value));
    owned.collect()
}

fn help(error: &HostError) -> Option<&'static str> {
    match error {
        HostError::NotFound { noun, .. } => match *noun {
            "kernel" => Some("vinoctl kernel list"),
            "graft" => Some("vinoctl graft list"),
            "graft point" => Some("vinoctl point list"),
            "trace" => Some("vinoctl trace list"),
            "run" => Some("vinoctl run list"),
            "process" => Some("vinoctl kernel get KERNEL"),
            _ => None,
        },
        HostError::Rejected(GraftRejected::Undefined { .. }) => Some("vinoctl point list"),
        HostError::Rejected(_) => Some("vinoctl graft build SOURCE -o OBJECT"),
        _ => None,
    }
}

/// The status of a graft that the verifier rejected: as many violations as fit.
fn verify_failed(error: &HostError, rejection: &vino_sandbox::Rejection) -> Status {
    let mut message = v1::GraftRejection {
        diagnosis: diagnosis(rejection.diagnosis).into(),
        violations: Vec::new(),
        total: rejection.total,
    };
    for violation in &rejection.violations {
        message.violations.push(v1::Violation {
            offset: violation.offset,
            rule: format!("{:?}", violation.rule),
            rule_text: violation.rule.sentence().to_owned(),
            symbol: violation.symbol.clone().unwrap_or_default(),
            instruction: violation.instruction.clone(),
            advice: violation.advice.to_owned(),
        });
        if message.encoded_len() > REJECTION_BYTES_MAX {
            message.violations.pop();
            break;
        }
    }
    let mut details = ErrorDetails::with_error_info(
        "GRAFT_VERIFY_FAILED",
        DOMAIN,
        [("violations".to_owned(), rejection.total.to_string())],
    );
    details.add_help_link("vinoctl graft verify OBJECT", "");
    let text = shorten(&error.to_string());
    // tonic-types encodes only the standard details, so ours is added to its encoding.
    let standard = Status::with_error_details(Code::InvalidArgument, text.clone(), details);
    let mut status = tonic_types::Status::decode(standard.details()).unwrap_or_default();
    status.details.push(Any {
        type_url: GRAFT_REJECTION_TYPE_URL.to_owned(),
        value: message.encode_to_vec(),
    });
    let details = status.encode_to_vec();
    Status::with_details(Code::InvalidArgument, text, details.into())
}

fn diagnosis(diagnosis: vino_sandbox::Diagnosis) -> v1::graft_rejection::Diagnosis {
    use v1::graft_rejection::Diagnosis as Message;
    match diagnosis {
        vino_sandbox::Diagnosis::NotInstrumented => Message::NotInstrumented,
        vino_sandbox::Diagnosis::WithoutReadProtection => Message::WithoutReadProtection,
        vino_sandbox::Diagnosis::Violations => Message::Violations,
    }
}

fn capitals(noun: &str) -> String {
    noun.to_ascii_uppercase().replace(' ', "_")
}

/// Cuts a message to what headers carry.
fn shorten(message: &str) -> String {
    if message.len() <= MESSAGE_BYTES_MAX {
        return message.to_owned();
    }
    let mut end = MESSAGE_BYTES_MAX;
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    format!("{} ...", &message[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_not_found_with_the_names_that_exist() {
        let status = from_host(HostError::NotFound {
            noun: "graft point",
            name: "vas_o::pick".to_owned(),
            known: vec!["vas_o::pick_victim".to_owned()],
        });
        assert_eq!(status.code(), Code::NotFound);
        assert_eq!(
            status.message(),
            "no graft point \"vas_o::pick\": there is vas_o::pick_victim"
        );
        let info = status.get_details_error_info().expect("it has a reason");
        assert_eq!(info.reason, "GRAFT_POINT_NOT_FOUND");
        assert_eq!(info.metadata["known"], "vas_o::pick_victim");
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let text = shorten(&"ä".repeat(MESSAGE_BYTES_MAX));
        assert!(text.len() <= MESSAGE_BYTES_MAX + 4 && text.ends_with(" ..."));
    }
}
