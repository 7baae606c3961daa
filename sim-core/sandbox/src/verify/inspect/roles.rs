//! What each instruction of text is there for.

use iced_x86::{Decoder, DecoderOptions, Instruction, OpKind, Register};
use vino_abi::{LABEL_RETURN, LABEL_TARGET};

use super::import_of;
use crate::verify::Text;
use crate::verify::allow::{Access, Class, Table};
use crate::verify::bitmap::Bitmap;
use crate::verify::groups;
use crate::verify::reach;
use crate::verify::rule::Rule;

/// What an instruction is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The graft's own work.
    Graft,
    /// Loads, truncates or compares what the group will use, or ends the graft if it is wrong.
    Check,
    /// Makes an address of the sandbox of what was checked.
    Rebase,
    /// Marks where an indirect transfer may go.
    Label,
    /// Transfers control to a host function.
    GateCall,
    /// Fills text where there is no code.
    Fill,
}

impl Role {
    /// Every role, in order.
    pub const ALL: [Self; 6] = [
        Self::Graft,
        Self::Check,
        Self::Rebase,
        Self::Label,
        Self::GateCall,
        Self::Fill,
    ];

    /// The name of the role.
    pub fn name(self) -> &'static str {
        match self {
            Self::Graft => "graft",
            Self::Check => "check",
            Self::Rebase => "re-base",
            Self::Label => "label",
            Self::GateCall => "gate-call",
            Self::Fill => "fill",
        }
    }

    /// Whether such an instruction is there only because of the sandbox.
    pub fn is_instrumentation(self) -> bool {
        matches!(self, Self::Check | Self::Rebase | Self::Label)
    }
}

/// How much there is of one role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoleCount {
    /// Instructions.
    pub instructions: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What text consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    counts: [RoleCount; Role::ALL.len()],
    prefix_bytes: u64,
}

impl Summary {
    /// How much there is of a role.
    pub fn count(&self, role: Role) -> RoleCount {
        self.counts[role as usize]
    }

    /// Bytes of code, without fill.
    pub fn code_bytes(&self) -> u64 {
        let roles = Role::ALL.into_iter().filter(|role| *role != Role::Fill);
        roles.map(|role| self.count(role).bytes).sum()
    }

    /// Bytes of the prefixes that keep the graft's own memory accesses in the sandbox.
    pub fn prefix_bytes(&self) -> u64 {
        self.prefix_bytes
    }

    /// Bytes that are there only because of the sandbox: checks, re-bases, labels and prefixes.
    pub fn instrumentation_bytes(&self) -> u64 {
        let roles = Role::ALL.into_iter();
        let roles = roles.filter(|role| role.is_instrumentation());
        self.prefix_bytes + roles.map(|role| self.count(role).bytes).sum::<u64>()
    }

    fn add(&mut self, role: Role, instruction: &Instruction) {
        let count = &mut self.counts[role as usize];
        count.instructions += 1;
        count.bytes += instruction.len() as u64;
        if role == Role::Graft && instruction.segment_prefix() == Register::GS {
            self.prefix_bytes += 1 + u64::from(reach::is_truncated(instruction));
        }
    }
}

/// What is known of the instruction that starts at a position of text.
#[derive(Clone, Copy, Debug)]
struct Mark {
    role: Role,
    /// The rule that made the group which it belongs to.
    rule: Option<Rule>,
}

/// The role of every instruction of text.
#[derive(Debug)]
pub(super) struct Roles {
    /// By position; `None` where no instruction starts.
    marks: Vec<Option<Mark>>,
    summary: Summary,
}

impl Roles {
    /// Finds the groups that the verifier recognised, and gives each instruction its role.
    pub(super) fn assign(text: &Text<'_>, interiors: &Bitmap) -> Self {
        let mut roles = Self {
            marks: vec![None; text.bytes.len()],
            summary: Summary::default(),
        };
        let ip = u64::from(text.offset);
        let decoder = || Decoder::with_ip(64, text.bytes, ip, DecoderOptions::NONE);
        let position = |instruction: &Instruction| position_of(instruction, ip);
        let mut traps = Bitmap::new(text.bytes.len());
        let mut group: Vec<Instruction> = Vec::new();
        for instruction in decoder() {
            if !interiors.contains(position(&instruction)) {
                roles.mark_group(&group, ip, &mut traps);
                group.clear();
            }
            group.push(instruction);
            let mark = Mark {
                role: role_alone(text, position(&instruction), &instruction),
                rule: None,
            };
            roles.marks[position(&instruction)] = Some(mark);
        }
        roles.mark_group(&group, ip, &mut traps);
        for instruction in decoder() {
            let at = position(&instruction);
            if let Some(mark) = &mut roles.marks[at] {
                let fails = traps.contains(at) && class_of(&instruction) == Some(Class::Trap);
                if fails {
                    mark.role = Role::Check;
                }
                roles.summary.add(mark.role, &instruction);
            }
        }
        roles
    }

    /// Gives the instructions of a group their roles; `group` may also be a single instruction.
    fn mark_group(&mut self, group: &[Instruction], ip: u64, traps: &mut Bitmap) {
        let [first, .., last] = group else { return };
        let rule = match class_of(last) {
            Some(Class::Return) => Rule::R10,
            Some(Class::IndirectCall | Class::IndirectJump) => Rule::R9,
            Some(Class::MoveString | Class::StoreString) => Rule::R11,
            _ => Rule::R6,
        };
        for instruction in group {
            let rebases = groups::rebases(instruction, instruction.op0_register());
            let writes_back = rule == Rule::R10
                && instruction.op0_kind() == OpKind::Memory
                && instruction.op1_kind() == OpKind::Register;
            let own = match rule {
                Rule::R6 => first,
                _ => last,
            };
            let role = if rebases || writes_back {
                Role::Rebase
            } else if instruction.ip() == own.ip() {
                Role::Graft
            } else {
                Role::Check
            };
            let position = position_of(instruction, ip);
            self.marks[position] = Some(Mark {
                role,
                rule: Some(rule),
            });
            if class_of(instruction) == Some(Class::Branch) {
                let target = instruction.near_branch64().wrapping_sub(ip);
                if let Ok(target) = usize::try_from(target)
                    && target < self.marks.len()
                {
                    traps.insert(target);
                }
            }
        }
    }

    pub(super) fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The role of the instruction at a position, and the rule of its group.
    pub(super) fn at(&self, position: usize) -> (Role, Option<Rule>) {
        match self.marks.get(position) {
            Some(Some(mark)) => (mark.role, mark.rule),
            _ => (Role::Graft, None),
        }
    }

    /// The start of the instruction that a position belongs to.
    pub(super) fn start_at(&self, position: usize) -> usize {
        let mut before = (0..=position).rev();
        let start = before.find(|&start| matches!(self.marks.get(start), Some(Some(_))));
        start.unwrap_or(0)
    }

    /// How many instructions of fill follow each other from a position on.
    pub(super) fn fill_run(&self, position: usize) -> usize {
        let run = self.marks[position..].iter();
        let is_fill = |mark: &&Option<Mark>| mark.is_some_and(|mark| mark.role == Role::Fill);
        run.take_while(is_fill).count().max(1)
    }
}

/// The position in text that starts at `ip`, which has less than 4 GiB.
fn position_of(instruction: &Instruction, ip: u64) -> usize {
    usize::try_from(instruction.ip() - ip).unwrap_or(usize::MAX)
}

/// The role of an instruction outside of groups.
fn role_alone(text: &Text<'_>, position: usize, instruction: &Instruction) -> Role {
    let rest = &text.bytes[position..];
    let is_label = rest.starts_with(&LABEL_RETURN) || rest.starts_with(&LABEL_TARGET);
    match class_of(instruction) {
        Some(Class::Nop) if is_label => Role::Label,
        Some(Class::Trap) if instruction.len() == 1 => Role::Fill,
        Some(Class::Call | Class::Jump | Class::Branch) => {
            let target = u32::try_from(instruction.near_branch64()).ok();
            match target.and_then(import_of) {
                Some(_) => Role::GateCall,
                None => Role::Graft,
            }
        }
        _ => Role::Graft,
    }
}

fn class_of(instruction: &Instruction) -> Option<Class> {
    Table::get()
        .lookup(instruction.code())
        .map(|spec| spec.class)
}

/// The rules that bind an instruction because of its operands and its class.
pub(super) fn rules_of(instruction: &Instruction) -> Vec<Rule> {
    let Some(spec) = Table::get().lookup(instruction.code()) else {
        return vec![Rule::R2];
    };
    let mut rules = Vec::new();
    for (index, &access) in (0..instruction.op_count()).zip(&spec.accesses) {
        match instruction.op_kind(index) {
            OpKind::Register
                if access != Access::Read
                    && reach::is_stack_pointer(instruction.op_register(index)) =>
            {
                rules.extend([Rule::R6, Rule::R7]);
            }
            OpKind::Memory if access != Access::Address => {
                let fixed = instruction.memory_base() == Register::RIP
                    || (instruction.memory_base() == Register::None
                        && instruction.memory_index() == Register::None);
                rules.push(if fixed { Rule::R5 } else { Rule::R4 });
            }
            _ => {}
        }
    }
    match spec.class {
        Class::Call => rules.push(Rule::R8),
        Class::Jump | Class::Branch => rules.extend([Rule::R7, Rule::R8]),
        Class::IndirectCall => rules.push(Rule::R9),
        Class::IndirectJump => rules.extend([Rule::R7, Rule::R9]),
        Class::Return => rules.extend([Rule::R7, Rule::R10]),
        Class::MoveString | Class::StoreString => rules.push(Rule::R11),
        _ => {}
    }
    rules
}
