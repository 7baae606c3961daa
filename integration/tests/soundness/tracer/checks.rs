//! What must hold before, during and after each instruction that runs in a sandbox.

use iced_x86::{Code, Instruction, Register};
use nix::libc;
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use vino_abi::{BASE_SLOT, GATE_BYTES, GUARD_BYTES, IMPORT_GATES_OFFSET};
use vino_abi::{LABEL_RETURN, LABEL_TARGET, SANDBOX_BYTES, STACK_DRIFT_MAX};

use super::{Outcome, Place, Tracer};
use crate::judge::{self, Access};

/// How far from the sandbox `%rsp` may be: a probe may be 1 GiB from it, and 64 KiB of drift.
const STACK_DISTANCE_MAX: u64 = (1 << 30) + STACK_DRIFT_MAX as u64 + 8;
/// Flags that belong to the host: interrupts, direction, privilege, nesting, alignment checks.
const HOST_FLAGS: u64 = 1 << 9 | 1 << 10 | 3 << 12 | 1 << 14 | 1 << 17 | 1 << 18;
/// `mxcsr` without the status that any arithmetic leaves.
const MXCSR_MODES: u32 = 0xffc0;

impl Tracer {
    pub(super) fn check_mappings(&self) -> Outcome<()> {
        let sandbox = self.sandbox();
        let text = &sandbox.call.text;
        let code = u64::from(BASE_SLOT)..text.end;
        for mapping in &sandbox.mappings {
            let outside = mapping.start < self.base || mapping.end > self.base + SANDBOX_BYTES;
            let offset = mapping.start.wrapping_sub(self.base);
            let end = mapping.end.wrapping_sub(self.base);
            let both = mapping.write && mapping.execute;
            let stray = mapping.execute && !(code.contains(&offset) && end <= code.end);
            if outside || both || stray {
                return Err(self.escape(format!("mapped at {:#x}", mapping.start)));
            }
        }
        Ok(())
    }

    /// What the instruction that is about to run will do; refuses what it must not.
    pub(super) fn foresee(
        &mut self,
        registers: &libc::user_regs_struct,
    ) -> Outcome<(Instruction, Vec<Access>)> {
        let sandbox = self.sandbox();
        let start = self.base + sandbox.call.text.start;
        let position = usize::try_from(registers.rip - start).expect("in text");
        let Some(instruction) = sandbox.instructions[position] else {
            return Err(self.escape(format!("{:#x} is not the start of one", registers.rip)));
        };
        let rest = &sandbox.text[position..];
        let bytes = rest[..instruction.len()].to_vec();
        let name = format!(
            "{:?} {bytes:02x?} at {:#x}",
            instruction.code(),
            registers.rip
        );
        if let Some(why) = judge::forbidden(&instruction) {
            return Err(self.escape(format!("{name} {why}")));
        }
        let found = judge::accesses(&instruction, &bytes, registers, &mut self.information);
        let found = found.map_err(|why| self.escape(format!("{name} has {why}")))?;
        let reads_protected = self.sandbox().call.reads_protected;
        let reach = self.base - GUARD_BYTES..self.base + SANDBOX_BYTES + GUARD_BYTES;
        for access in &found {
            let end = access.address.wrapping_add(access.bytes);
            let inside = reach.contains(&access.address) && end <= reach.end;
            if !inside && (access.writes || reads_protected) {
                return Err(self.escape(format!("{name} would use {access:x?}")));
            }
        }
        self.check_stack_pointer(registers, &instruction, &name)?;
        self.statistics.executed.insert(instruction.code() as usize);
        self.statistics.accesses += found.len() as u64;
        Ok((instruction, found))
    }

    pub(super) fn check_stack_pointer(
        &self,
        registers: &libc::user_regs_struct,
        instruction: &Instruction,
        name: &str,
    ) -> Outcome<()> {
        let lowest = self.base - STACK_DISTANCE_MAX;
        let highest = self.base + SANDBOX_BYTES + STACK_DISTANCE_MAX;
        let rebases = instruction.code() == Code::Add_r64_rm64
            && instruction.op0_register() == Register::RSP
            && instruction.segment_prefix() == Register::GS
            && instruction.memory_base() == Register::None
            && instruction.memory_index() == Register::None
            && instruction.memory_displacement64() == u64::from(BASE_SLOT);
        let half_moved = registers.rsp < SANDBOX_BYTES && rebases;
        if (lowest..=highest).contains(&registers.rsp) || half_moved {
            return Ok(());
        }
        Err(self.escape(format!(
            "the stack is at {:#x} before {name}",
            registers.rsp
        )))
    }

    /// What happened without a fault must have been in mapped memory that allows it.
    pub(super) fn check_went(
        &self,
        before: &libc::user_regs_struct,
        place: Place,
        instruction: &Instruction,
        accesses: &[Access],
    ) -> Outcome<()> {
        if place == Place::Elsewhere {
            return Err(self.escape(format!("executed data at {:#x}", before.rip)));
        }
        let sandbox = self.sandbox();
        for access in accesses.iter().filter(|access| access.certain) {
            let allows = |address: u64| {
                sandbox.mappings.iter().any(|mapping| {
                    let allowed = if access.writes {
                        mapping.write
                    } else {
                        mapping.read
                    };
                    allowed && (mapping.start..mapping.end).contains(&address)
                })
            };
            let free = !access.writes && !sandbox.call.reads_protected;
            let last = access.address.wrapping_add(access.bytes - 1);
            let allowed = allows(access.address) && allows(last);
            if !free && !allowed {
                let code = instruction.code();
                return Err(self.escape(format!("{code:?} passed over {access:x?}")));
            }
        }
        Ok(())
    }

    /// Where control went must be a place that the text or the gates offer.
    pub(super) fn check_transfer(
        &self,
        before: &libc::user_regs_struct,
        from: Place,
        instruction: &Instruction,
        next: &libc::user_regs_struct,
        to: Place,
    ) -> Outcome<()> {
        let call = &self.sandbox().call;
        let offset = next.rip.wrapping_sub(self.base);
        let bad = |why: &str| {
            let (from, to) = (before.rip, next.rip);
            Err(self.escape(format!("{why}: {from:#x} to {to:#x}, {instruction:?}")))
        };
        match (from, to) {
            (Place::Text, Place::Text | Place::Elsewhere) => Ok(()),
            (Place::Text, Place::Host) => bad("left the sandbox past its gates"),
            (Place::Text, Place::Gate) => {
                let import = offset.checked_sub(IMPORT_GATES_OFFSET.into());
                let import = import.filter(|distance| distance % u64::from(GATE_BYTES) == 0);
                let import = import.map(|distance| distance / u64::from(GATE_BYTES));
                let label = self.read(next.rip, LABEL_RETURN.len());
                let imported = import.is_some_and(|import| {
                    import < 64 && call.imports >> import & 1 == 1 && label == LABEL_TARGET
                });
                let returns = import.is_none() && label == LABEL_RETURN;
                if imported || returns {
                    Ok(())
                } else {
                    bad("entered a gate midway")
                }
            }
            (Place::Gate, Place::Text) => {
                let enters = before.rip == self.entry_stub() + 2;
                let lands = self.read(next.rip, LABEL_RETURN.len()) == LABEL_RETURN;
                // The trap that a failed check goes to is a gate's.
                let entered = enters && offset == call.entry;
                if entered || (!enters && lands) {
                    Ok(())
                } else {
                    bad("a gate went astray")
                }
            }
            (Place::Gate, Place::Gate | Place::Host) => Ok(()),
            (Place::Gate, Place::Elsewhere) => Ok(()),
            (Place::Elsewhere | Place::Host, _) => bad("ran what is no code"),
        }
    }

    /// What belongs to the host must be as it was.
    pub(super) fn check_state(
        &self,
        before: &libc::user_regs_struct,
        after: &libc::user_regs_struct,
    ) -> Outcome<()> {
        let segments = |of: &libc::user_regs_struct| {
            [
                of.cs,
                of.ss,
                of.ds,
                of.es,
                of.fs,
                of.gs,
                of.fs_base,
                of.eflags & HOST_FLAGS,
            ]
        };
        if segments(before) == segments(after) && after.gs_base == self.base {
            return Ok(());
        }
        Err(self.escape(format!("state of the host changed before {:#x}", after.rip)))
    }

    /// A fault must be reported where it was, and at an address that a sandbox may touch.
    pub(super) fn check_fault(
        &self,
        before: &libc::user_regs_struct,
        after: &libc::user_regs_struct,
        signal: Signal,
    ) -> Outcome<()> {
        let breakpoint = u64::from(signal == Signal::SIGTRAP);
        if after.rip != before.rip + breakpoint {
            return Err(self.escape(format!("{signal} at {:#x}", after.rip)));
        }
        self.check_state(before, after)
    }

    /// Nothing of the floating-point environment may have changed but status and registers.
    pub(super) fn check_modes(&self) -> Outcome<()> {
        let state = ptrace::getregset::<ptrace::regset::NT_PRFPREG>(self.pid);
        let state = state.expect("it is stopped");
        // All exceptions masked, full precision, empty stack: what the ABI asks for.
        let clean = state.cwd == 0x37f && state.ftw == 0 && state.mxcsr & MXCSR_MODES == 0x1f80;
        if clean {
            return Ok(());
        }
        let (control, tags, mxcsr) = (state.cwd, state.ftw, state.mxcsr);
        Err(self.escape(format!("left modes {control:#x} {tags:#x} {mxcsr:#x}")))
    }
}
