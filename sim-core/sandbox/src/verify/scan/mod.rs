//! The pass over text that applies the rules to each instruction.
//!
//! Instructions are judged in order, each with the few before it at hand. What has to be known
//! about later ones (whether a branch target is an instruction) is marked, and settled at the end.

mod operands;
mod whole;

use iced_x86::{Decoder, DecoderOptions, Instruction, OpKind, Register};
use vino_abi::{GATE_BYTES, IMPORT_GATES_OFFSET};

use super::allow::{Class, Constants, Spec, Table};
use super::bitmap::Bitmap;
use super::canonical::{Canonical, Known, WINDOW_BYTES, Window};
use super::effort::spend;
use super::groups::{self, HISTORY_LEN, History};
use super::reach;
use super::report::{Rejection, Report};
use super::rule::Rule;
use super::{Policy, Text};

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

/// What a scan found.
pub(super) struct Scanned {
    /// How many instructions there are.
    pub(super) instructions: u64,
    /// Whether any may read or change a vector register.
    pub(super) names_vectors: bool,
    /// Positions of the instructions of groups, but for the first of each.
    pub(super) interiors: Bitmap,
    /// What is wrong, if anything is.
    pub(super) rejection: Option<Rejection>,
}

pub(super) struct Scanner<'a> {
    text: &'a Text<'a>,
    policy: &'a Policy,
    table: &'static Table,
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
    /// Whether an instruction may read or change a vector register.
    names_vectors: bool,
}

impl<'a> Scanner<'a> {
    /// Prepares a scan that describes at most `violations_max` violations, and counts the rest.
    pub(super) fn new(text: &'a Text<'a>, policy: &'a Policy, violations_max: usize) -> Self {
        let bits = text.bytes.len();
        Self {
            text,
            policy,
            table: Table::get(),
            history: History::new(),
            canonical: Canonical::new(),
            starts: Bitmap::new(bits),
            interiors: Bitmap::new(bits),
            targeted: Bitmap::new(bits),
            drift: 0,
            rebase_pending: false,
            relocations: text.relocations,
            report: Report::new(text, violations_max),
            instrumented: false,
            instructions: 0,
            names_vectors: false,
        }
    }

    /// Applies every rule.
    pub(super) fn run(mut self) -> Scanned {
        self.scan();
        self.check_whole();
        Scanned {
            instructions: self.instructions,
            names_vectors: self.names_vectors,
            interiors: self.interiors,
            rejection: self.report.finish(self.instrumented),
        }
    }

    fn decoder(&self) -> Decoder<'a> {
        let ip = u64::from(self.text.offset);
        Decoder::with_ip(64, self.text.bytes, ip, DecoderOptions::NONE)
    }

    /// Decodes text from its first byte to its last and judges each instruction.
    fn scan(&mut self) {
        let mut decoder = self.decoder();
        let mut instruction = Instruction::default();
        while decoder.can_decode() {
            let start = self.skip_fill(&mut decoder);
            decoder.decode_out(&mut instruction);
            let window = self.window(start);
            self.starts.insert(start);
            self.instructions += 1;
            spend(1);
            if let Err(finding) = self.judge(&instruction, &window) {
                self.report.add(&instruction, finding.rule, finding.read);
            }
            // Copied only now: right after decoding, the copy would wait for its stores.
            self.history.push(&instruction);
        }
    }

    /// Skips all but the last instructions of a run of fill, each of which is a byte long and
    /// stops; returns the position of the next instruction to decode.
    fn skip_fill(&mut self, decoder: &mut Decoder<'_>) -> usize {
        let start = decoder.position();
        if self.rebase_pending {
            // Judged with the instruction that left it pending, which the next one need not be.
            return start;
        }
        let run = self.fill_before_relocation(start);
        // What remains is judged one by one, and replaces all that groups could look back at.
        let skipped = run.saturating_sub(HISTORY_LEN);
        let next = start + skipped;
        if skipped == 0 || decoder.set_position(next).is_err() {
            return start;
        }
        decoder.set_ip(u64::from(self.text.offset) + next as u64);
        (start..next).for_each(|position| self.starts.insert(position));
        self.instructions += skipped as u64;
        next
    }

    /// Bytes of fill from a position on, up to the next relocation.
    ///
    /// No byte is looked at twice but the last few of a run: a run that is full of relocations
    /// would otherwise be counted again for each.
    fn fill_before_relocation(&self, start: usize) -> usize {
        let rest = &self.text.bytes[start..];
        let start = u64::from(self.text.offset) + start as u64;
        let limit = self.relocations.first().map_or(rest.len(), |&at| {
            let distance = u64::from(at).saturating_sub(start);
            usize::try_from(distance).map_or(rest.len(), |distance| distance.min(rest.len()))
        });
        let run = rest[..limit].iter().take_while(|&&byte| byte == FILL);
        let run = run.count();
        spend(run + 1);
        run
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

    fn judge(&mut self, instruction: &Instruction, window: &Window) -> Verdict {
        self.settle_rebase(instruction);
        let relocations = self.take_relocations(instruction);
        if instruction.is_invalid() {
            return Err(Rule::R1.into());
        }
        let spec = self.table.lookup(instruction.code()).ok_or(Rule::R2)?;
        self.names_vectors |= spec.names_vectors;
        let known = self
            .canonical
            .check(window, instruction, spec)
            .ok_or(Rule::R1)?;
        for &relocation in relocations {
            check_relocation(relocation, instruction, spec)?;
        }
        match known {
            Known::Harmless => return Ok(()),
            Known::StackProbe => {
                self.drift = 0;
                return Ok(());
            }
            Known::Encoding => {}
        }
        operands::check_prefixes(instruction, spec)?;
        self.instrumented |= instruction.segment_prefix() == Register::GS;
        self.check_operands(instruction, spec)?;
        self.check_class(instruction, spec.class)?;
        if let Some(known) = reach::known_by_shape(instruction, spec) {
            self.canonical.learn(known);
        }
        Ok(())
    }

    /// The relocations up to the end of an instruction that no earlier one had.
    fn take_relocations(&mut self, instruction: &Instruction) -> &'a [u32] {
        let end = instruction.next_ip();
        let before = |relocation: &&u32| u64::from(**relocation) < end;
        let count = self.relocations.iter().take_while(before).count();
        spend(count);
        let (taken, rest) = self.relocations.split_at(count);
        self.relocations = rest;
        taken
    }

    /// Marks an instruction and `before - 1` before it as reachable only from the one before
    /// those.
    fn mark_interior(&mut self, instruction: &Instruction, before: usize) {
        let others = (1..before).filter_map(|back| self.history.back(back));
        for instruction in others.chain([instruction]) {
            let position = instruction.ip32() - self.text.offset;
            self.interiors.insert(position as usize);
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
                self.check_group(
                    instruction,
                    groups::indirect_group(&self.history, instruction),
                    Rule::R9,
                )
            }
            Class::IndirectJump => {
                let group = self.check_group(
                    instruction,
                    groups::indirect_group(&self.history, instruction),
                    Rule::R9,
                );
                group.and(self.settle_drift())
            }
            Class::Return => {
                let group =
                    self.check_group(instruction, groups::return_group(&self.history), Rule::R10);
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

    /// Accepts an instruction as the last of a group that `before` more belong to.
    fn check_group(
        &mut self,
        instruction: &Instruction,
        before: Option<usize>,
        rule: Rule,
    ) -> Verdict {
        self.mark_interior(instruction, before.ok_or(rule)?);
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
            self.check_group(instruction, group, Rule::R11)
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
}

/// A relocation must cover exactly the distance of a branch or a displacement from `%rip`.
fn check_relocation(at: u32, instruction: &Instruction, spec: &Spec) -> Verdict {
    let Constants::Last { immediate_bytes } = spec.constants else {
        return Err(Rule::R15.into());
    };
    let field_bytes = size_of::<i32>();
    let behind = if instruction.op0_kind() == OpKind::NearBranch64 {
        (immediate_bytes == field_bytes).then_some(0)
    } else {
        (instruction.memory_base() == Register::RIP).then_some(immediate_bytes)
    };
    match behind {
        Some(behind) if u64::from(at) + (field_bytes + behind) as u64 == instruction.next_ip() => {
            Ok(())
        }
        _ => Err(Rule::R15.into()),
    }
}
