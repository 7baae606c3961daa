//! The pass over text that applies the rules to each instruction.

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, OpKind, Register};
use vino_abi::{GATE_BYTES, IMPORT_GATES_OFFSET, LABEL_RETURN, LABEL_TARGET, STACK_DRIFT_MAX};

use super::allow::{self, Access, Class, Spec};
use super::bitmap::Bitmap;
use super::canonical::{Canonical, Known, WINDOW_BYTES, Window};
use super::groups::{self, HISTORY_LEN, History};
use super::operand::{self, Reach};
use super::report::{Rejection, Report};
use super::rule::Rule;
use super::{Policy, Text};

/// Positions that are searched for labels together.
const LABEL_BLOCK_BYTES: usize = 64;
/// What fills text where there is no code: `int3`.
const FILL: u8 = 0xcc;

/// A broken rule; `read` if the instruction merely reads without protection.
struct Finding {
    rule: Rule,
    read: bool,
}

impl From<Rule> for Finding {
    fn from(rule: Rule) -> Self {
        Self { rule, read: false }
    }
}

type Verdict = Result<(), Finding>;

pub(super) struct Scanner<'a> {
    text: &'a Text<'a>,
    policy: &'a Policy,
    history: History,
    canonical: Canonical,
    /// Positions at which an instruction starts.
    starts: Bitmap,
    /// Positions of the instructions of groups, but for the first of each.
    interiors: Bitmap,
    /// Positions to which a direct branch goes.
    targeted: Bitmap,
    /// How far constants may have moved `%rsp` since the stack was accessed, in bytes.
    drift: u64,
    /// Whether the last instruction left 32 bits in `%rsp`, to be re-based by the next.
    rebase_pending: bool,
    /// Relocations that are not before the current instruction.
    relocations: &'a [u32],
    report: Report<'a>,
    /// Whether anything shows that the code was instrumented.
    instrumented: bool,
    instructions: u64,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a Text<'a>, policy: &'a Policy) -> Self {
        let bits = text.bytes.len();
        Self {
            text,
            policy,
            history: History::new(),
            canonical: Canonical::new(),
            starts: Bitmap::new(bits),
            interiors: Bitmap::new(bits),
            targeted: Bitmap::new(bits),
            drift: 0,
            rebase_pending: false,
            relocations: text.relocations,
            report: Report::new(text.symbols),
            instrumented: false,
            instructions: 0,
        }
    }

    /// Applies every rule; returns how many instructions there are.
    pub(super) fn run(mut self) -> Result<u64, Rejection> {
        self.scan();
        self.check_end();
        self.check_labels();
        self.check_entries();
        if self.targeted.leaves(&self.starts, &self.interiors) {
            self.report_targets();
        }
        match self.report.finish(self.instrumented) {
            None => Ok(self.instructions),
            Some(rejection) => Err(rejection),
        }
    }

    fn decoder(&self) -> Decoder<'a> {
        let ip = u64::from(self.text.offset);
        Decoder::with_ip(64, self.text.bytes, ip, DecoderOptions::NONE)
    }

    /// Decodes text from its first byte to its last and judges each instruction.
    fn scan(&mut self) {
        let mut decoder = self.decoder();
        while decoder.can_decode() {
            let start = self.skip_fill(&mut decoder);
            decoder.decode_out(self.history.advance());
            let window = self.window(start);
            self.starts.insert(start);
            self.instructions += 1;
            let constants = decoder.get_constant_offsets(self.history.current());
            if let Err(finding) = self.judge(&window, &constants) {
                self.report
                    .add(self.history.current(), finding.rule, finding.read);
            }
        }
    }

    /// Skips all but the last instructions of a run of fill, each of which is a byte long and
    /// stops; returns the position of the next instruction to decode.
    fn skip_fill(&mut self, decoder: &mut Decoder<'_>) -> usize {
        let start = decoder.position();
        let run = self.text.bytes[start..]
            .iter()
            .take_while(|&&byte| byte == FILL)
            .count();
        // What remains is judged one by one, and replaces all that groups could look back at.
        let skipped = run.saturating_sub(HISTORY_LEN);
        let next = start + skipped;
        let next_ip = u64::from(self.text.offset) + next as u64;
        let relocated = self
            .relocations
            .first()
            .is_some_and(|&at| u64::from(at) < next_ip);
        if skipped == 0 || self.rebase_pending || relocated {
            return start;
        }
        if decoder.set_position(next).is_err() {
            return start;
        }
        decoder.set_ip(next_ip);
        (start..next).for_each(|position| self.starts.insert(position));
        self.instructions += skipped as u64;
        next
    }

    fn window(&self, start: usize) -> Window {
        let rest = &self.text.bytes[start..];
        if let Some(window) = rest.first_chunk() {
            return *window;
        }
        let mut window = [0; WINDOW_BYTES];
        window[..rest.len()].copy_from_slice(rest);
        window
    }

    fn judge(&mut self, window: &Window, constants: &iced_x86::ConstantOffsets) -> Verdict {
        let instruction = *self.history.current();
        self.settle_rebase(&instruction);
        let relocated = self.check_relocations(&instruction, constants);
        if instruction.is_invalid() {
            return Err(Rule::R1.into());
        }
        let known = self
            .canonical
            .check(window, &instruction, constants)
            .ok_or(Rule::R1)?;
        relocated?;
        match known {
            Known::Harmless => return Ok(()),
            Known::StackProbe => {
                self.drift = 0;
                return Ok(());
            }
            Known::Encoding => {}
        }
        let spec = allow::lookup(instruction.code()).ok_or(Rule::R2)?;
        check_prefixes(&instruction, spec)?;
        self.instrumented |= instruction.segment_prefix() == Register::GS;
        self.check_operands(&instruction, spec)?;
        self.check_class(&instruction, spec.class)?;
        if let Some(known) = operand::known_by_shape(&instruction, spec) {
            self.canonical.learn(known);
        }
        Ok(())
    }

    /// Reports the previous instruction if this one does not re-base what it left in `%rsp`.
    fn settle_rebase(&mut self, instruction: &Instruction) {
        if !self.rebase_pending {
            return;
        }
        self.rebase_pending = false;
        if groups::rebases(instruction, Register::RSP) {
            self.mark_interior(1);
            self.drift = 0;
        } else if let Some(previous) = self.history.back(1) {
            self.report.add(previous, Rule::R6, false);
        }
    }

    /// Marks the current instruction and `before - 1` before it as reachable only from the one
    /// before those.
    fn mark_interior(&mut self, before: usize) {
        for back in 0..before {
            if let Some(instruction) = self.history.back(back) {
                self.interiors
                    .insert((instruction.ip32() - self.text.offset) as usize);
            }
        }
    }

    fn check_relocations(
        &mut self,
        instruction: &Instruction,
        constants: &iced_x86::ConstantOffsets,
    ) -> Verdict {
        let (start, end) = (instruction.ip(), instruction.next_ip());
        let mut verdict = Ok(());
        while let Some((&relocation, rest)) = self.relocations.split_first() {
            let at = u64::from(relocation);
            if at >= end {
                break;
            }
            self.relocations = rest;
            let displacement = start + constants.displacement_offset() as u64;
            let branch = instruction.op0_kind() == OpKind::NearBranch64
                && constants.immediate_size() == size_of::<i32>()
                && at == start + constants.immediate_offset() as u64;
            let operand = instruction.memory_base() == Register::RIP && at == displacement;
            if !(branch || operand) {
                verdict = Err(Rule::R15.into());
            }
        }
        verdict
    }

    /// Applies the rules for operands: memory and the stack pointer.
    fn check_operands(&mut self, instruction: &Instruction, spec: &Spec) -> Verdict {
        for index in 0..instruction.op_count() {
            let access = spec
                .accesses
                .get(index as usize)
                .copied()
                .unwrap_or(Access::Absent);
            match instruction.op_kind(index) {
                OpKind::Register => {
                    let register = instruction.op_register(index);
                    if operand::is_stack_pointer(register) && access != Access::Read {
                        self.check_stack_pointer(instruction, index)?;
                    }
                }
                OpKind::Memory => self.check_memory(instruction, spec.class, access)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn check_memory(&mut self, instruction: &Instruction, class: Class, access: Access) -> Verdict {
        if access == Access::Address {
            return Ok(());
        }
        match class {
            Class::RegistersOnly => return Err(Rule::R4.into()),
            Class::IndirectCall | Class::IndirectJump => return Err(Rule::R9.into()),
            _ => {}
        }
        let reads = matches!(access, Access::Read | Access::MaybeRead | Access::Hint);
        let exempt = reads && !self.policy.read_protection && class_may_read_freely(class);
        match operand::reach(instruction, &self.text.image) {
            // `pop` finds its address after it has moved %rsp.
            Ok(Reach::StackProbe | Reach::Stack) if class == Class::Pop => Err(Rule::R6.into()),
            Ok(Reach::StackProbe) => {
                if access.is_certain() {
                    self.drift = 0;
                }
                Ok(())
            }
            Ok(Reach::Sandbox | Reach::Stack) => Ok(()),
            Ok(Reach::Anywhere) if exempt => Ok(()),
            Ok(Reach::Anywhere) => Err(Finding {
                rule: Rule::R4,
                read: reads,
            }),
            Err(Rule::R5) if exempt && instruction.memory_base() == Register::RIP => Ok(()),
            Err(rule) => Err(rule.into()),
        }
    }

    /// Judges an instruction that writes to `%rsp` or a part of it.
    fn check_stack_pointer(&mut self, instruction: &Instruction, operand: u32) -> Verdict {
        let constant = match instruction.code() {
            Code::Add_rm64_imm8
            | Code::Add_rm64_imm32
            | Code::Sub_rm64_imm8
            | Code::Sub_rm64_imm32 => {
                // The immediate is sign-extended; either direction is a drift.
                let moved = instruction.immediate(1);
                Some(moved.min(moved.wrapping_neg()))
            }
            Code::Lea_r64_m
                if instruction.memory_base() == Register::RSP
                    && instruction.memory_index() == Register::None =>
            {
                let moved = instruction.memory_displacement64();
                Some(moved.min(moved.wrapping_neg()))
            }
            Code::Add_r64_rm64 if groups::rebases(instruction, Register::RSP) => {
                // Accepted only as the second instruction of its group.
                let at = (instruction.ip32() - self.text.offset) as usize;
                return if self.interiors.contains(at) {
                    Ok(())
                } else {
                    Err(Rule::R6.into())
                };
            }
            _ => None,
        };
        if let Some(moved) = constant {
            self.drift = self.drift.saturating_add(moved);
            if self.drift > u64::from(STACK_DRIFT_MAX) {
                self.drift = 0;
                return Err(Rule::R7.into());
            }
            return Ok(());
        }
        let truncates = operand == 0
            && instruction.op0_register() == Register::ESP
            && may_truncate(instruction.code());
        self.rebase_pending = truncates;
        if truncates {
            Ok(())
        } else {
            Err(Rule::R6.into())
        }
    }

    fn check_class(&mut self, instruction: &Instruction, class: Class) -> Verdict {
        match class {
            Class::Plain | Class::RegistersOnly | Class::Lea | Class::Nop | Class::Prefetch => {
                Ok(())
            }
            Class::Push | Class::Pop => {
                self.drift = 0;
                Ok(())
            }
            Class::Call => {
                // Writing the return address is an access.
                self.drift = 0;
                self.check_target(instruction)
            }
            Class::Jump | Class::Branch => {
                let target = self.check_target(instruction);
                target.and(self.settle_drift())
            }
            Class::IndirectCall => {
                self.drift = 0;
                self.check_group(groups::indirect_group(&self.history), Rule::R9)
            }
            Class::IndirectJump => {
                let group = self.check_group(groups::indirect_group(&self.history), Rule::R9);
                group.and(self.settle_drift())
            }
            Class::Return => {
                let group = self.check_group(groups::return_group(&self.history), Rule::R10);
                group.and(self.settle_drift())
            }
            Class::MoveString => {
                let full = groups::move_string_group(&self.history);
                let group = match full {
                    // Where reads are free, the source needs no group.
                    None if !self.policy.read_protection => {
                        groups::store_string_group(&self.history)
                    }
                    group => group,
                };
                self.check_string(instruction, group)
            }
            Class::StoreString => {
                let group = groups::store_string_group(&self.history);
                self.check_string(instruction, group)
            }
            Class::Trap => {
                self.drift = 0;
                Ok(())
            }
        }
    }

    /// No constant may have moved `%rsp` unproved when control goes elsewhere.
    fn settle_drift(&mut self) -> Verdict {
        match std::mem::take(&mut self.drift) {
            0 => Ok(()),
            _ => Err(Rule::R7.into()),
        }
    }

    /// Accepts the current instruction as the last of a group that `before` more belong to.
    fn check_group(&mut self, before: Option<usize>, rule: Rule) -> Verdict {
        self.mark_interior(before.ok_or(rule)?);
        Ok(())
    }

    fn check_string(&mut self, instruction: &Instruction, group: Option<usize>) -> Verdict {
        // The address-size prefix would make the pointers 32-bit, and so host addresses.
        let full_width = (0..instruction.op_count()).all(|operand| {
            !matches!(
                instruction.op_kind(operand),
                OpKind::MemoryESEDI
                    | OpKind::MemorySegESI
                    | OpKind::MemoryESDI
                    | OpKind::MemorySegSI
            )
        });
        if full_width {
            self.check_group(group, Rule::R11)
        } else {
            Err(Rule::R11.into())
        }
    }

    /// Judges a direct target outside text, and remembers one inside.
    fn check_target(&mut self, instruction: &Instruction) -> Verdict {
        let target = instruction.near_branch64();
        let position = target.wrapping_sub(u64::from(self.text.offset));
        match usize::try_from(position) {
            Ok(position) if position < self.text.bytes.len() => {
                self.targeted.insert(position);
                Ok(())
            }
            _ if self.is_gate(target) => Ok(()),
            _ => Err(Rule::R8.into()),
        }
    }

    fn is_gate(&self, target: u64) -> bool {
        let Some(distance) = target.checked_sub(u64::from(IMPORT_GATES_OFFSET)) else {
            return false;
        };
        let import = u32::try_from(distance / u64::from(GATE_BYTES));
        distance % u64::from(GATE_BYTES) == 0
            && import.is_ok_and(|import| self.text.imports.binary_search(&import).is_ok())
    }

    /// The last byte must be a whole instruction that stops.
    fn check_end(&mut self) {
        let last = *self.history.current();
        if self.rebase_pending {
            self.report.add(&last, Rule::R6, false);
        }
        if self.text.bytes.is_empty() || last.code() != Code::Int3 {
            self.report.add(&last, Rule::R13, false);
        }
        if !self.relocations.is_empty() {
            self.report.add(&last, Rule::R15, false);
        }
    }

    fn check_labels(&mut self) {
        let bytes = self.text.bytes;
        for start in (0..bytes.len()).step_by(LABEL_BLOCK_BYTES) {
            let end = bytes
                .len()
                .min(start + LABEL_BLOCK_BYTES + size_of::<u64>() - 1);
            if may_hold_label(&bytes[start..end]) {
                for (position, window) in (start..).zip(bytes[start..end].windows(8)) {
                    if window == LABEL_RETURN || window == LABEL_TARGET {
                        self.check_label(position);
                    }
                }
            }
        }
    }

    fn check_label(&mut self, position: usize) {
        self.instrumented = true;
        if !self.is_outside_groups(position) {
            let holder = self.decode_at(self.start_before(position));
            self.report.add(&holder, Rule::R12, false);
        }
    }

    fn check_entries(&mut self) {
        for &entry in self.text.entries {
            let position = entry
                .checked_sub(self.text.offset)
                .map(|position| position as usize);
            let labelled = position.is_some_and(|position| {
                self.text
                    .bytes
                    .get(position..)
                    .is_some_and(|rest| rest.starts_with(&LABEL_TARGET))
                    && self.is_outside_groups(position)
            });
            if !labelled {
                let mut instruction = match position {
                    Some(position) if position < self.text.bytes.len() => self.decode_at(position),
                    _ => Instruction::default(),
                };
                instruction.set_ip(u64::from(entry));
                self.report.add(&instruction, Rule::R14, false);
            }
        }
    }

    fn is_outside_groups(&self, position: usize) -> bool {
        self.starts.contains(position) && !self.interiors.contains(position)
    }

    /// The start of the instruction that a position belongs to.
    fn start_before(&self, position: usize) -> usize {
        (0..=position)
            .rev()
            .find(|&start| self.starts.contains(start))
            .unwrap_or(0)
    }

    fn decode_at(&self, position: usize) -> Instruction {
        let ip = u64::from(self.text.offset) + position as u64;
        Decoder::with_ip(64, &self.text.bytes[position..], ip, DecoderOptions::NONE).decode()
    }

    /// Finds the branches with a bad target; only called if there is one.
    fn report_targets(&mut self) {
        for instruction in self.decoder() {
            if instruction.op0_kind() != OpKind::NearBranch64 {
                continue;
            }
            let position = instruction
                .near_branch64()
                .wrapping_sub(u64::from(self.text.offset));
            let bad = usize::try_from(position).is_ok_and(|position| {
                position < self.text.bytes.len()
                    && self.targeted.contains(position)
                    && !self.is_outside_groups(position)
            });
            if bad {
                self.report.add(&instruction, Rule::R8, false);
            }
        }
    }
}

/// Whether the first two bytes of a label occur; written so that it is done for many at once.
fn may_hold_label(bytes: &[u8]) -> bool {
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    pairs.fold(false, |found, (&first, &second)| {
        found | ((first == LABEL_RETURN[0]) & (second == LABEL_RETURN[1]))
    })
}

/// Whether reads of this class may go anywhere when reads are not protected.
fn class_may_read_freely(class: Class) -> bool {
    matches!(class, Class::Plain | Class::Push | Class::Prefetch)
}

/// 32-bit instructions that may leave an offset in `%esp` for the next one to re-base.
fn may_truncate(code: Code) -> bool {
    matches!(
        code,
        Code::Mov_r32_rm32
            | Code::Mov_rm32_r32
            | Code::Lea_r32_m
            | Code::Add_rm32_imm8
            | Code::Add_rm32_imm32
            | Code::Add_rm32_r32
            | Code::Add_r32_rm32
            | Code::Sub_rm32_imm8
            | Code::Sub_rm32_imm32
            | Code::Sub_rm32_r32
            | Code::Sub_r32_rm32
            | Code::And_rm32_imm8
            | Code::And_rm32_imm32
            | Code::And_rm32_r32
            | Code::And_r32_rm32
    )
}

/// Prefixes that are part of no form: `lock` and repetition where they do nothing, segments
/// without a memory operand that needs one.
fn check_prefixes(instruction: &Instruction, spec: &Spec) -> Verdict {
    let string = matches!(spec.class, Class::MoveString | Class::StoreString);
    if instruction.has_repne_prefix() || (instruction.has_rep_prefix() && !string) {
        return Err(Rule::R3.into());
    }
    let memory =
        (0..instruction.op_count()).any(|operand| instruction.op_kind(operand) == OpKind::Memory);
    if instruction.has_lock_prefix() && !(memory && spec.accesses[0] == Access::ReadWrite) {
        return Err(Rule::R3.into());
    }
    let computes = matches!(spec.class, Class::Lea | Class::Nop);
    if computes && operand::is_truncated(instruction) {
        return Err(Rule::R3.into());
    }
    match instruction.segment_prefix() {
        Register::None => Ok(()),
        // Part of the padding that assemblers write.
        Register::CS if spec.class == Class::Nop && memory => Ok(()),
        Register::GS if memory && !computes => Ok(()),
        _ => Err(Rule::R3.into()),
    }
}
