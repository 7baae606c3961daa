//! A refused graft: what is wrong with it, where, and what to do.
//!
//! The same text and JSON whether the object was judged here (`graft verify`) or by the daemon
//! (`graft load`).

use serde::Serialize;
use sim_core::graft::GraftRejected;
use vino_proto::v1::graft_rejection::Diagnosis;
use vino_proto::v1::{GraftRejection, Violation};

use crate::failure::{Exit, Failure};
use crate::output::{Column, Output, grouped, text};

/// A refused object.
#[derive(Debug, Serialize)]
pub(crate) struct Refused {
    object: String,
    accepted: bool,
    reason: String,
    rejection: Option<GraftRejection>,
}

impl Refused {
    /// An object that the daemon's verifier refused.
    pub(crate) fn by_daemon(object: String, rejection: GraftRejection) -> Refused {
        let reason = match rejection.total {
            1 => "the verifier found a violation".to_string(),
            total => format!("the verifier found {} violations", grouped(total)),
        };
        Refused {
            object,
            accepted: false,
            reason,
            rejection: Some(rejection),
        }
    }

    /// An object that was refused here.
    pub(crate) fn here(object: String, rejected: &GraftRejected) -> Refused {
        match rejected {
            GraftRejected::Verify(rejection) => Refused::by_daemon(object, to_proto(rejection)),
            other => {
                let reason = other.to_string();
                Refused {
                    object,
                    accepted: false,
                    reason,
                    rejection: None,
                }
            }
        }
    }

    /// Prints what was found, and is the failure to end the command with.
    pub(crate) fn print(self, output: &mut Output) -> Failure {
        let printed = match &self.rejection {
            _ if !output.is_table() => output.document(&self),
            Some(rejection) => print_violations(rejection, output),
            None => Ok(()),
        };
        match printed {
            Ok(()) => self.failure(),
            Err(failure) => failure,
        }
    }

    /// The failure to end the command with, once what was found has been printed.
    pub(crate) fn failure(self) -> Failure {
        let Refused {
            object,
            reason,
            rejection,
            ..
        } = self;
        let failure = Failure::new(Exit::GraftRejected, format!("{object}: {reason}"));
        match rejection {
            Some(rejection) => failure.with_advice(advice(rejection.diagnosis())),
            None => failure,
        }
    }
}

/// What to run next.
fn advice(diagnosis: Diagnosis) -> &'static str {
    match diagnosis {
        Diagnosis::NotInstrumented => {
            "the object was not passed through misfit: build it with `vinoctl graft build SOURCE`, \
             or run `misfit -crws` between the compiler and the assembler"
        }
        Diagnosis::WithoutReadProtection => {
            "misfit ran without -r: build with `misfit -crws`, as `vinoctl graft build SOURCE` \
             does, or load it on a kernel created with --without-read-protection"
        }
        Diagnosis::Violations | Diagnosis::Unspecified => {
            "`vinoctl graft build SOURCE --save-temps` keeps the assembly of these instructions"
        }
    }
}

/// Each violation as a line, then each rule that was broken with what to do about it.
fn print_violations(rejection: &GraftRejection, output: &mut Output) -> Result<(), Failure> {
    const COLUMNS: &[Column] = &[
        text("OFFSET"),
        text("WHERE"),
        text("INSTRUCTION"),
        text("BREAKS"),
    ];
    let rows = rejection.violations.iter().map(|violation| {
        vec![
            format!("{:#010x}", violation.offset),
            violation.symbol.clone(),
            violation.instruction.clone(),
            violation.rule.clone(),
        ]
    });
    output.table(COLUMNS, rows)?;
    let left_out = rejection
        .total
        .saturating_sub(rejection.violations.len() as u64);
    if left_out > 0 {
        output.line(&format!("and {} more", grouped(left_out)))?;
    }
    output.line("")?;
    let mut rules: Vec<(&str, Vec<&str>)> = Vec::new();
    for Violation { rule, advice, .. } in &rejection.violations {
        match rules.iter_mut().find(|(known, _)| known == rule) {
            Some((_, advices)) if advices.contains(&advice.as_str()) => {}
            Some((_, advices)) => advices.push(advice),
            None => rules.push((rule, vec![advice])),
        }
    }
    for (rule, advices) in rules {
        let broken = rejection
            .violations
            .iter()
            .find(|violation| violation.rule == rule);
        let sentence = broken.map_or("", |violation| &violation.rule_text);
        output.line(&format!("{rule}: {sentence}"))?;
        advices
            .into_iter()
            .try_for_each(|advice| output.line(&format!("     {advice}")))?;
    }
    output.flush()
}

/// The verifier's findings in the form that the daemon sends.
fn to_proto(rejection: &vino_sandbox::Rejection) -> GraftRejection {
    let diagnosis = match rejection.diagnosis {
        vino_sandbox::Diagnosis::NotInstrumented => Diagnosis::NotInstrumented,
        vino_sandbox::Diagnosis::WithoutReadProtection => Diagnosis::WithoutReadProtection,
        vino_sandbox::Diagnosis::Violations => Diagnosis::Violations,
    };
    let violations = rejection.violations.iter().map(|violation| Violation {
        offset: violation.offset,
        rule: format!("{:?}", violation.rule),
        rule_text: violation.rule.sentence().to_string(),
        symbol: violation.symbol.clone().unwrap_or_default(),
        instruction: violation.instruction.clone(),
        advice: violation.advice.to_string(),
    });
    GraftRejection {
        diagnosis: diagnosis.into(),
        violations: violations.collect(),
        total: rejection.total,
    }
}
