//! Random code that a graft might consist of: allowed instructions, and the groups of the ABI,
//! each now and then slightly wrong.

use iced_x86::{Code, Instruction, MemoryOperand, Register};
use vino_abi::{
    ARGUMENTS_OFFSET, BASE_SLOT, DATA_OFFSET, IMAGE_OFFSET, LABEL_RETURN, LABEL_RETURN_IMM,
    LABEL_TARGET,
};
use vino_abi::{LABEL_TARGET_IMM, PAGE_BYTES, STACK_DRIFT_MAX};

use crate::objects::{Object, Reference};
use crate::random::Random;
use crate::templates::{Care, POINTERS, Places, Template, encode};

/// Statements of a program, between these.
const STATEMENTS: [usize; 2] = [4, 18];
/// Statements that are changed for the worse, in percent.
const WRONG_PERCENT: usize = 3;
/// Registers that hold targets.
const TARGETS: [Register; 5] = [
    Register::RAX,
    Register::RCX,
    Register::RDX,
    Register::R11,
    Register::R13,
];

/// A place in a program: an item, and how many bytes behind its start.
#[derive(Clone, Copy)]
struct Target {
    item: usize,
    behind: usize,
}

/// One instruction.
#[derive(Clone)]
enum Item {
    Bytes(Vec<u8>),
    /// Opcode bytes, then the distance to a place.
    Branch {
        opcode: Vec<u8>,
        short: bool,
        choice: u64,
    },
    /// A branch to the trap at the start of the program.
    Fail,
    /// `lea place(%rip),%register`.
    Address {
        register: Register,
        choice: u64,
    },
    /// Opcode bytes, then the distance to a symbol.
    Reference {
        opcode: Vec<u8>,
        reference: Reference,
        behind: i64,
    },
    /// A label that starts a function.
    Function,
}

/// Writes one program.
pub(crate) struct Writer<'a> {
    random: &'a mut Random,
    templates: &'a [Template],
    places: Places,
    items: Vec<Item>,
    /// Items that start a statement: where a branch may go.
    starts: Vec<usize>,
}

/// Makes an object of random code.
pub(crate) fn program(random: &mut Random, templates: &[Template]) -> Object {
    let page = u32::try_from(PAGE_BYTES).expect("a page is small");
    let places = Places {
        fixed: vec![
            BASE_SLOT,
            IMAGE_OFFSET,
            IMAGE_OFFSET + page,
            ARGUMENTS_OFFSET,
            DATA_OFFSET,
        ],
    };
    let writer = Writer {
        random,
        templates,
        places,
        items: Vec::new(),
        starts: Vec::new(),
    };
    writer.write()
}

impl Writer<'_> {
    fn write(mut self) -> Object {
        self.items.push(Item::Bytes(vec![0x0f, 0x0b]));
        self.function();
        let count = STATEMENTS[0] + self.random.below(STATEMENTS[1] - STATEMENTS[0]);
        for _ in 0..count {
            self.statement();
        }
        self.begin();
        if self.random.chance(80) {
            self.checked_return();
        }
        self.items.push(Item::Bytes(vec![0xcc]));
        self.assemble()
    }

    fn begin(&mut self) {
        self.starts.push(self.items.len());
    }

    fn function(&mut self) {
        self.begin();
        self.items.push(Item::Function);
    }

    fn statement(&mut self) {
        self.begin();
        let first = self.items.len();
        match self.random.below(100) {
            0..58 => self.plain(),
            58..66 => self.stack_word(),
            66..71 => self.stack_frame(),
            71..75 => self.stack_group(),
            75..81 => self.branch(),
            81..86 => self.direct_call(),
            86..91 => self.indirect(),
            91..94 => self.string(),
            94..96 => self.forged_return(),
            96..98 => self.data(),
            98 => self.function(),
            _ => self.items.push(Item::Bytes(LABEL_RETURN.to_vec())),
        }
        if self.random.chance(WRONG_PERCENT) {
            self.spoil(first);
        }
    }

    fn push(&mut self, instruction: Result<Instruction, iced_x86::IcedError>) {
        let position = 0;
        if let Some(bytes) = instruction.ok().and_then(|found| encode(&found, position)) {
            self.items.push(Item::Bytes(bytes));
        }
    }

    /// An instruction of any kind on the list.
    fn plain(&mut self) {
        let care = if self.random.chance(90) {
            Care::Careful
        } else {
            Care::Careless
        };
        let template = self.templates[self.random.below(self.templates.len())];
        let built = template.build(self.random, &self.places, care);
        if let Some(mut instruction) = built {
            let memory = instruction.segment_prefix() != Register::None;
            if memory && self.random.chance(2) {
                instruction.set_has_lock_prefix(true);
            }
            self.push(Ok(instruction));
        }
    }

    fn stack_word(&mut self) {
        let register = self.random.pick(&TARGETS);
        let pops = self.random.chance(45);
        let code = if pops { Code::Pop_r64 } else { Code::Push_r64 };
        self.push(Instruction::with1(code, register));
    }

    /// Moves the stack by a constant, and mostly accesses it then.
    fn stack_frame(&mut self) {
        let limit = i32::try_from(STACK_DRIFT_MAX).expect("64 KiB");
        let bytes = match self.random.below(10) {
            0 => limit,
            1 => limit - 8,
            2 => 4096,
            _ => 8 * i32::try_from(self.random.below(16)).expect("small"),
        };
        let code = self
            .random
            .pick(&[Code::Sub_rm64_imm32, Code::Add_rm64_imm32]);
        let frame = self.random.chance(85);
        if frame {
            self.push(Instruction::with2(code, Register::RSP, bytes));
        } else {
            let top = MemoryOperand::with_base_displ(Register::RSP, bytes.into());
            self.push(Instruction::with2(Code::Lea_r64_m, Register::RSP, top));
        }
        if self.random.chance(97) {
            let displacement = 8 * i64::try_from(self.random.below(8)).expect("small");
            let top = MemoryOperand::with_base_displ(Register::RSP, displacement);
            self.push(Instruction::with2(Code::Mov_rm64_r64, top, Register::RAX));
        }
    }

    /// Puts a 32-bit value in the stack pointer and re-bases it.
    fn stack_group(&mut self) {
        let source = self.random.pick(&POINTERS).full_register32();
        match self.random.below(4) {
            0 => self.push(Instruction::with2(
                Code::Mov_r32_rm32,
                Register::ESP,
                source,
            )),
            1 => self.push(Instruction::with2(Code::And_rm32_imm8, Register::ESP, -32)),
            2 => {
                let operand = MemoryOperand::with_base_displ(source.full_register(), 64);
                self.push(Instruction::with2(Code::Lea_r32_m, Register::ESP, operand));
            }
            _ => {
                let eax = self.random.pick(&TARGETS).full_register32();
                self.push(Instruction::with2(Code::Sub_rm32_r32, Register::ESP, eax));
            }
        }
        self.rebase(Register::RSP);
    }

    fn rebase(&mut self, register: Register) {
        let slot = MemoryOperand::new(
            Register::None,
            Register::None,
            1,
            BASE_SLOT.into(),
            8,
            false,
            Register::GS,
        );
        self.push(Instruction::with2(Code::Add_r64_rm64, register, slot));
    }

    fn compare(&mut self, register: Register, label: u32) {
        let operand = MemoryOperand::new(
            register.full_register32(),
            Register::None,
            1,
            0,
            0,
            false,
            Register::GS,
        );
        let label = label.cast_signed();
        self.push(Instruction::with2(Code::Cmp_rm64_imm32, operand, label));
        self.items.push(Item::Fail);
    }

    fn branch(&mut self) {
        let short = self.random.chance(40);
        let condition = u8::try_from(self.random.below(16)).expect("below 16");
        let opcode = match (self.random.chance(20), short) {
            (true, true) => vec![0xeb],
            (true, false) => vec![0xe9],
            (false, true) => vec![0x70 | condition],
            (false, false) => vec![0x0f, 0x80 | condition],
        };
        let choice = self.random.next();
        self.items.push(Item::Branch {
            opcode,
            short,
            choice,
        });
    }

    fn direct_call(&mut self) {
        if self.random.chance(35) {
            let import = self.random.below(2);
            self.items.push(Item::Reference {
                opcode: vec![0xe8],
                reference: Reference::Import(import),
                behind: 0,
            });
        } else {
            let choice = self.random.next();
            self.items.push(Item::Branch {
                opcode: vec![0xe8],
                short: false,
                choice,
            });
        }
        if self.random.chance(95) {
            self.items.push(Item::Bytes(LABEL_RETURN.to_vec()));
        }
    }

    /// Goes through a register, which mostly was given the address of a label.
    fn indirect(&mut self) {
        let register = self.random.pick(&TARGETS);
        if self.random.chance(80) {
            let choice = self.random.next();
            self.items.push(Item::Address { register, choice });
        }
        let truncated = register.full_register32();
        if self.random.chance(80) {
            self.push(Instruction::with2(Code::Mov_r32_rm32, truncated, truncated));
        } else {
            let source = MemoryOperand::with_base_displ(Register::RSP, 8);
            self.push(Instruction::with2(Code::Mov_r32_rm32, truncated, source));
        }
        self.compare(register, LABEL_TARGET_IMM);
        self.rebase(register);
        let code = self.random.pick(&[Code::Call_rm64, Code::Jmp_rm64]);
        self.push(Instruction::with1(code, register));
        self.items.push(Item::Bytes(LABEL_RETURN.to_vec()));
    }

    fn string(&mut self) {
        let moves = self.random.chance(50);
        let registers: &[Register] = if moves {
            &[Register::RSI, Register::RDI]
        } else {
            &[Register::RDI]
        };
        if self.random.chance(70) {
            self.push(Instruction::with2(Code::Mov_r32_imm32, Register::ECX, 3));
        }
        for &register in registers {
            let truncated = register.full_register32();
            self.push(Instruction::with2(Code::Mov_r32_rm32, truncated, truncated));
            self.rebase(register);
        }
        let opcode = self
            .random
            .pick(if moves { &[0xa4, 0xa5] } else { &[0xaa, 0xab] });
        let wide = self.random.chance(50).then_some(0x48);
        let repeated = self.random.chance(50).then_some(0xf3);
        let wide = if opcode & 1 == 1 { wide } else { None };
        let bytes = repeated.into_iter().chain(wide).chain([opcode]).collect();
        self.items.push(Item::Bytes(bytes));
    }

    fn checked_return(&mut self) {
        self.items.push(Item::Bytes(vec![0x44, 0x8b, 0x1c, 0x24]));
        self.compare(Register::R11, LABEL_RETURN_IMM);
        self.rebase(Register::R11);
        self.items.push(Item::Bytes(vec![0x4c, 0x89, 0x1c, 0x24]));
        self.items.push(Item::Bytes(vec![0xc3]));
    }

    /// Returns to an address that no call left.
    fn forged_return(&mut self) {
        let register = self.random.pick(&TARGETS);
        let choice = self.random.next();
        self.items.push(Item::Address { register, choice });
        self.push(Instruction::with1(Code::Push_r64, register));
        self.checked_return();
    }

    /// Loads, stores or takes the address of data through the instruction pointer.
    fn data(&mut self) {
        let opcode =
            self.random
                .pick(&[[0x48, 0x8b, 0x05], [0x48, 0x89, 0x05], [0x48, 0x8d, 0x3d]]);
        let reference = self.random.pick(&[Reference::Data, Reference::ReadOnly]);
        let behind = self.random.pick(&[0, 8, 64, 4088, 4096]);
        self.items.push(Item::Reference {
            opcode: opcode.to_vec(),
            reference,
            behind,
        });
    }

    /// Makes the items from `first` on slightly wrong.
    fn spoil(&mut self, first: usize) {
        let count = self.items.len() - first;
        if count == 0 {
            return;
        }
        let at = first + self.random.below(count);
        match self.random.below(5) {
            0 => drop(self.items.remove(at)),
            1 => self.items.insert(at, self.items[at].clone()),
            2 => self.items.swap(first, at),
            3 => {
                self.plain();
                let last = self.items.len() - 1;
                self.items.swap(at, last);
            }
            _ => {
                if let Item::Bytes(bytes) = &mut self.items[at] {
                    let byte = self.random.below(bytes.len());
                    bytes[byte] ^= 1 << self.random.below(8);
                }
            }
        }
    }

    /// Chooses where an item goes: mostly to the start of a statement.
    fn target(&self, choice: u64, labelled: bool) -> Target {
        let mut random = Random::new(choice);
        let is_label = |item: &Item| match item {
            Item::Function => true,
            Item::Bytes(bytes) => *bytes == LABEL_RETURN,
            _ => false,
        };
        let labels: Vec<usize> = (0..self.items.len())
            .filter(|&item| is_label(&self.items[item]))
            .collect();
        let item = match random.below(100) {
            _ if labelled && random.chance(90) && !labels.is_empty() => random.pick(&labels),
            0..97 => random.pick(&self.starts),
            _ => random.below(self.items.len()),
        };
        let behind = if random.chance(1) {
            1 + random.below(7)
        } else {
            0
        };
        Target {
            item: item.min(self.items.len() - 1),
            behind,
        }
    }

    fn assemble(self) -> Object {
        let mut positions = Vec::with_capacity(self.items.len());
        let mut end = 0;
        for item in &self.items {
            positions.push(end);
            end += length(item);
        }
        let mut object = Object::new();
        for (item, &position) in self.items.iter().zip(&positions) {
            let next = position + length(item);
            let distance = |target: Target| {
                let place = positions[target.item] + target.behind;
                i32::try_from(place).expect("short") - i32::try_from(next).expect("short")
            };
            match item {
                Item::Bytes(bytes) => object.text.extend(bytes),
                Item::Function => {
                    object.functions.push(position);
                    object.text.extend(LABEL_TARGET);
                }
                Item::Fail => {
                    object.text.extend([0x0f, 0x85]);
                    let distance = distance(Target { item: 0, behind: 0 });
                    object.text.extend(distance.to_le_bytes());
                }
                Item::Branch {
                    opcode,
                    short,
                    choice,
                } => {
                    object.text.extend(opcode);
                    let distance = distance(self.target(*choice, *opcode == [0xe8]));
                    match i8::try_from(distance) {
                        Ok(near) if *short => object.text.extend(near.to_le_bytes()),
                        _ if *short => object.text.push(0),
                        _ => object.text.extend(distance.to_le_bytes()),
                    }
                }
                Item::Address { register, choice } => {
                    let number = u8::try_from(register.number()).expect("below 16");
                    let prefix = 0x48 | (number >> 3) << 2;
                    object.text.extend([prefix, 0x8d, 0x05 | (number & 7) << 3]);
                    object
                        .text
                        .extend(distance(self.target(*choice, true)).to_le_bytes());
                }
                Item::Reference {
                    opcode,
                    reference,
                    behind,
                } => {
                    object.text.extend(opcode);
                    object
                        .references
                        .push((object.text.len(), *reference, behind - 4));
                    object.text.extend([0; 4]);
                }
            }
        }
        object
    }
}

fn length(item: &Item) -> usize {
    match item {
        Item::Bytes(bytes) => bytes.len(),
        Item::Branch { opcode, short, .. } => opcode.len() + if *short { 1 } else { 4 },
        Item::Fail => 6,
        Item::Address { .. } => 7,
        Item::Reference { opcode, .. } => opcode.len() + 4,
        Item::Function => LABEL_TARGET.len(),
    }
}
