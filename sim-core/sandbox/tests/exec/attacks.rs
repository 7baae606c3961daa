//! What a hostile graft tries at run time, with everything that the verifier lets it write.
//!
//! The other modules show what each rule and each gate does; here the aim is to get out, to learn
//! or change something of the host, to stay longer than allowed, or to tell two runs apart.

use std::time::Duration;

use vino_sandbox::{
    DecodedImage, FaultKind, GraftFault, GraftMemory, GraftSlice, Instance, InstanceConfig, Limits,
    NoHost, Policy, SandboxAddr, VerifiedImage,
};

use crate::fixture::{ENGINE, With, assemble, config, load, load_with, main_of, rerun_alone};

/// What guards' neighbours and the host's heap hold.
const CANARY: u64 = 0xc0a1_f00d_5ca1_ab1e;
const PAGE: u32 = 4096;
const ARGUMENTS: u32 = vino_abi::ARGUMENTS_OFFSET;

/// Memory that no graft but its own may change: that of sandboxes around, and the host's.
struct Canaries {
    instances: Vec<Instance>,
    heap: Vec<u64>,
}

impl Canaries {
    const WORDS: usize = 1 << 16;

    /// Sandboxes are handed out from the lowest address, so these have neighbours.
    fn plant(count: usize) -> Self {
        let mut instances: Vec<Instance> =
            (0..count).map(|_| load("FUNCTION main\n RETURN")).collect();
        for instance in &mut instances {
            for at in (0..PAGE).step_by(8) {
                let addr = SandboxAddr::of_pointer((ARGUMENTS + at).into());
                instance.write_u64(addr, CANARY).expect("writable");
            }
        }
        Self {
            instances,
            heap: vec![CANARY; Self::WORDS],
        }
    }

    fn check(&self) {
        assert!(self.heap.iter().all(|word| *word == CANARY), "the heap");
        for instance in &self.instances {
            for at in (0..PAGE).step_by(8) {
                let addr = SandboxAddr::of_pointer((ARGUMENTS + at).into());
                assert_eq!(instance.read_u64(addr), Some(CANARY), "a neighbour");
            }
        }
    }
}

/// Every byte of a sandbox that can be read, by page.
fn readable(instance: &Instance) -> Vec<Page> {
    // The null guard to the end of constants, the top of the stack to data and heap, the views.
    let ranges = [
        0..0x12_0000,
        0x2000_0000..0x2020_0000,
        0xb000_0000..0xb001_0000_u32,
    ];
    let pages = ranges
        .into_iter()
        .flat_map(|range| range.step_by(PAGE as usize));
    pages
        .filter_map(|page| {
            let mut bytes = vec![0; PAGE as usize];
            let addr = SandboxAddr::of_pointer(page.into());
            instance.read(addr, &mut bytes).ok()?;
            Some((page, bytes))
        })
        .collect()
}

/// Ranges that hold anything in this process, but for sandboxes.
fn host_ranges(base: u64) -> Vec<(u64, u64)> {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("this system has them");
    let ranges = maps.lines().filter_map(|line| {
        let mut fields = line.split_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let accessible = !fields.next()?.starts_with("---");
        let number = |text| u64::from_str_radix(text, 16).ok();
        let (start, end) = (number(start)?, number(end)?);
        let arena = start.abs_diff(base) < 1 << 39;
        (accessible && !arena).then_some((start, end))
    });
    ranges.collect()
}

/// Calls, faults, host functions and a deadline, after each of which all that the graft can read
/// is searched for words that are addresses of the host.
#[test]
fn nothing_that_a_graft_can_read_is_an_address_of_the_host() {
    let source = "FUNCTION main
        subq $8, %rsp
        DIRECT_CALL ask
        addq $8, %rsp
        RETURN
FUNCTION bad
        pushq $0
        ud2
FUNCTION endless
1:      jmp 1b";
    let hasty = InstanceConfig {
        deadline: Duration::from_millis(5),
        ..config()
    };
    let mut instance = load_with(source, &["ask"], hasty);
    let main = main_of(&instance);
    let [bad, endless] = ["bad", "endless"].map(|name| instance.entry(name).expect("defined"));
    let mut host = With(|memory: &mut GraftMemory<'_>, _, _: &[u64; 6]| {
        let called_back = memory.call_back(bad, &[], &mut NoHost);
        assert!(called_back.is_err());
        Ok(0)
    });
    instance.call(main, &[], &mut host).expect("returns");
    instance.call(bad, &[], &mut NoHost).expect_err("traps");
    instance
        .call(endless, &[], &mut NoHost)
        .expect_err("is late");
    let hosts = host_ranges(instance.base());
    assert!(hosts.len() > 10);
    for (page, bytes) in readable(&instance) {
        for (at, window) in bytes.windows(8).enumerate() {
            let word = u64::from_le_bytes(window.try_into().expect("eight bytes"));
            let leak = hosts
                .iter()
                .any(|(start, end)| (*start..*end).contains(&word));
            assert!(!leak, "{word:#x} at {page:#x}+{at:#x}");
        }
    }
}

/// Of all places in the gates, a call may reach the imports' and a return the exit, and no other.
#[test]
fn no_byte_of_the_gates_is_a_target_but_those_that_are_meant() {
    let source = "FUNCTION main
        pushq %rbx
        CHECKED %edi, %rdi
        call *%rdi
        RETSITE
        movl $1, %eax
        popq %rbx
        RETURN
FUNCTION back
        movq %rdi, (%rsp)
        RETURN
FUNCTION import
        jmp ask";
    let mut instance = load_with(source, &["unused", "ask"], config());
    let main = main_of(&instance);
    let back = instance.entry("back").expect("defined");
    let mut host = With(|_: &mut GraftMemory<'_>, import, _: &[u64; 6]| {
        assert_eq!(import, 1);
        Ok(0)
    });
    let (mut called, mut returned) = (Vec::new(), Vec::new());
    for target in 0x1_1000..0x1_1400_u64 {
        for pointer in [target, target + instance.base(), target | u64::MAX << 32] {
            match instance.call(main, &[pointer], &mut host) {
                Ok(_) => called.push(target),
                Err(fault) => assert_eq!(fault.kind, FaultKind::BadControlTransfer, "{target:#x}"),
            }
            match instance.call(back, &[pointer], &mut host) {
                Ok(_) => returned.push(target),
                Err(fault) => assert_eq!(fault.kind, FaultKind::BadControlTransfer, "{target:#x}"),
            }
        }
    }
    assert_eq!(called, [0x1_1120; 3]);
    assert_eq!(returned, [0x1_1005; 3]);
}

/// A host function is called and jumped to with the stack anywhere, and called back from there.
#[test]
fn a_stack_anywhere_at_a_gate_harms_nobody() {
    let source = "FUNCTION main
        movl %edi, %esp
        addq %gs:0x10000, %rsp
        DIRECT_CALL ask
        ud2
FUNCTION jump
        movl %edi, %esp
        addq %gs:0x10000, %rsp
        jmp ask
FUNCTION back
        pushq %rax
        popq %rax
        RETURN
FUNCTION fine
        movl $7, %eax
        RETURN";
    let mut instance = load_with(source, &["ask"], config());
    let names = ["main", "jump", "back", "fine"];
    let [main, jump, back, fine] = names.map(|name| instance.entry(name).expect("defined"));
    let canaries = Canaries::plant(2);
    let edges = [
        0,
        0x1_0000,
        0x1_1000,
        0x1_1080,
        0x1_6000,
        0x1_7000,
        0x1000_0000,
        0x200c_0000,
        0x200c_1000,
        0x2010_0000,
        0x2010_1000,
        0x2010_2000,
        0xb000_0000,
        0xf000_0000,
        0xffff_fff8,
    ];
    let mut host = With(|memory: &mut GraftMemory<'_>, _, _: &[u64; 6]| {
        // It returns, or there is no stack for it; in neither case does the host suffer.
        if let Ok(value) = memory.call_back(back, &[], &mut NoHost) {
            assert_eq!(value, 0);
        }
        Ok(0)
    });
    for edge in edges {
        for near in -17_i64..=17 {
            let stack = (edge + near).cast_unsigned();
            for entry in [main, jump] {
                let outcome = instance.call(entry, &[stack], &mut host);
                // The way out is still on the stack where the entry's call left it.
                let way_out = entry == jump && stack == 0x200f_fff8;
                assert_eq!(outcome.is_ok(), way_out, "{stack:#x}: {outcome:?}");
            }
        }
    }
    canaries.check();
    assert_eq!(instance.call(fine, &[], &mut NoHost).expect("returns"), 7);
}

/// String instructions run until something stops them: the end of what is mapped.
#[test]
fn a_string_instruction_without_end_stops_at_the_end_of_what_is_mapped() {
    let source = "FUNCTION store
        movl %edi, %edi
        addq %gs:0x10000, %rdi
        rep stosb
        RETURN
FUNCTION move
        movl %esi, %esi
        addq %gs:0x10000, %rsi
        movl %edi, %edi
        addq %gs:0x10000, %rdi
        rep movsb
        RETURN";
    let heap = InstanceConfig {
        heap_bytes: 1 << 20,
        heap_bytes_max: 1 << 20,
        ..config()
    };
    let mut instance = load_with(source, &[], heap);
    let [store, copy] = ["store", "move"].map(|name| instance.entry(name).expect("defined"));
    let canaries = Canaries::plant(3);
    let count = u64::MAX;
    for (start, end) in [
        (0x200c_0000, 0x2020_1000),
        (0x2010_0000, 0x2020_1000),
        (0x2010_1000, 0x2020_1000_u64),
        (0xffff_ffff, 0xffff_ffff),
    ] {
        let base = instance.base();
        for pointer in [start, start | 0x7fff << 32] {
            let fault = instance
                .call(store, &[pointer, 0, 0, count], &mut NoHost)
                .expect_err("it has no end");
            assert_eq!(fault.address, Some(base + end), "{fault}");
            let fault = instance
                .call(copy, &[pointer, 0x2010_0000, 0, count], &mut NoHost)
                .expect_err("it has no end");
            let address = fault.address.expect("a page fault has one");
            assert!(
                [base + end, base + 0x2020_1000].contains(&address),
                "{fault}"
            );
        }
    }
    canaries.check();
}

/// Between the two instructions that move the stack `%rsp` is no address; signals come there too.
#[test]
fn a_deadline_while_the_stack_pointer_is_half_moved_harms_nobody() {
    // Each instruction waits for the one before, so each is as likely to be interrupted.
    let source = "FUNCTION main
        .rept 100
        subl %esi, %esp
        addq %gs:0x10000, %rsp
        .endr
        jmp main
FUNCTION fine
        movl $7, %eax
        RETURN";
    let hasty = InstanceConfig {
        deadline: Duration::from_millis(1),
        ..config()
    };
    let mut instance = load_with(source, &[], hasty);
    let main = main_of(&instance);
    let fine = instance.entry("fine").expect("defined");
    let mut half_moved = 0;
    for _ in 0..40 {
        let fault = instance
            .call(main, &[], &mut NoHost)
            .expect_err("never returns");
        assert_eq!(fault.kind, FaultKind::Deadline);
        half_moved += u32::from(fault.registers.get("rsp") < Some(1 << 32));
        assert_eq!(instance.call(fine, &[], &mut NoHost).expect("returns"), 7);
    }
    assert!(half_moved > 0, "no signal came between the two");
}

#[test]
fn a_long_string_instruction_does_not_outlive_its_deadline() {
    const HEAP_BYTES: u32 = 1 << 27;
    let source = "FUNCTION main
1:      movl %edx, %ecx
        movl %esi, %edi
        movl %edi, %edi
        addq %gs:0x10000, %rdi
        rep stosb
        jmp 1b";
    let config = InstanceConfig {
        heap_bytes: HEAP_BYTES,
        heap_bytes_max: HEAP_BYTES,
        deadline: Duration::from_millis(20),
        ..config()
    };
    let mut instance = load_with(source, &[], config);
    let main = main_of(&instance);
    let fault = instance
        .call(main, &[0, 0x2010_1000, HEAP_BYTES.into()], &mut NoHost)
        .expect_err("never returns");
    assert_eq!(fault.kind, FaultKind::Deadline);
}

/// How calls ended, and what they left in memory.
type Survey = (Vec<Result<u64, String>>, Vec<Page>);
/// Where a page is and what it holds.
type Page = (u32, Vec<u8>);

/// What one run of a graft that looks at everything leaves behind.
fn survey(instance: &mut Instance, noise: u64) -> Survey {
    let main = main_of(instance);
    let bad = instance.entry("bad").expect("defined");
    let mut host = With(|memory: &mut GraftMemory<'_>, _, _: &[u64; 6]| {
        // The host works between a graft's calls, with whatever it has at hand.
        let noise: f64 = (0..noise % 97).map(|n| (n as f64).sqrt()).sum();
        let called_back = memory.call_back(bad, &[], &mut NoHost);
        assert!(called_back.is_err() && std::hint::black_box(noise) >= 0.0);
        Ok(5)
    });
    let mut outcomes = Vec::new();
    for entry in [main, bad, main] {
        std::hint::black_box(noise.wrapping_mul(noise));
        let outcome = instance.call(entry, &[1, 2, 3], &mut host);
        outcomes.push(outcome.map_err(|fault: GraftFault| format!("{fault:?}")));
    }
    (outcomes, readable(instance))
}

/// Registers, flags, what is below the stack pointer: all is the same each time, at one base.
#[test]
fn two_runs_of_the_same_calls_cannot_be_told_apart() {
    let name = "attacks::two_runs_of_the_same_calls_cannot_be_told_apart";
    if let Some(output) = rerun_alone(name) {
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        return;
    }
    let source = "
        .local dump
        .comm dump, 1024, 32
        .macro LOOK at
        movq %rax, dump+\\at(%rip)
        setc dump+\\at+8(%rip)
        setz dump+\\at+9(%rip)
        sets dump+\\at+10(%rip)
        seto dump+\\at+11(%rip)
        setp dump+\\at+12(%rip)
        movq %rcx, dump+\\at+16(%rip)
        movq %rdx, dump+\\at+24(%rip)
        movq %rsi, dump+\\at+32(%rip)
        movq %rdi, dump+\\at+40(%rip)
        movq %r8, dump+\\at+48(%rip)
        movq %r9, dump+\\at+56(%rip)
        movq %r10, dump+\\at+64(%rip)
        movq %r11, dump+\\at+72(%rip)
        movq %rsp, dump+\\at+80(%rip)
        movq -8(%rsp), %rax
        movq %rax, dump+\\at+88(%rip)
        movq -64(%rsp), %rax
        movq %rax, dump+\\at+96(%rip)
        movups %xmm0, dump+\\at+112(%rip)
        movups %xmm7, dump+\\at+128(%rip)
        movups %xmm15, dump+\\at+144(%rip)
        .endm
FUNCTION main
        LOOK 0
        subq $8, %rsp
        DIRECT_CALL ask
        LOOK 256
        DIRECT_CALL ask
        LOOK 512
        addq $8, %rsp
        movq dump(%rip), %rax
        RETURN
FUNCTION bad
        pushq %rsp
        divl %eax
        RETURN";
    let mut first = load_with(source, &["ask"], config());
    let base = first.base();
    let expected = survey(&mut first, 3);
    drop(first);
    for noise in [0, 12_345, u64::MAX] {
        let again = InstanceConfig {
            base_hint: Some(base),
            ..config()
        };
        let mut instance = load_with(source, &["ask"], again);
        assert_eq!(
            instance.base(),
            base,
            "nothing else runs here that could take it"
        );
        let seen = survey(&mut instance, noise);
        assert_eq!(seen.0, expected.0);
        assert!(seen.1 == expected.1, "memory differs");
    }
}

/// A generator of numbers that is the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("below a usize")
    }
}

/// Code with every form and group, so that a changed byte makes another attempt of each.
const VICTIM: &str = "
        .local data
        .comm data, 256, 32
FUNCTION main
        pushq %rbx
        pushq %rbp
        movl %esp, %ebp
        subq $64, %rsp
        movq %rdi, 8(%rsp)
        movl %esi, %eax
        movq %rax, data(%rip)
        movq %gs:(%edi), %rbx
        movq %rbx, %gs:8(%edi,%esi,4)
        lock xaddq %rbx, %gs:16(%edi)
        movl %edi, %edi
        addq %gs:0x10000, %rdi
        stosq
        leaq helper(%rip), %rax
        CHECKED %eax, %rax
        call *%rax
        RETSITE
        DIRECT_CALL helper
        DIRECT_CALL ask
        movl %ebp, %esp
        addq %gs:0x10000, %rsp
        popq %rbp
        popq %rbx
        RETURN
FUNCTION helper
        leaq 1(%rdi,%rsi), %rax
        movups data(%rip), %xmm0
        vaddps %xmm0, %xmm0, %xmm1
        movups %xmm1, data+16(%rip)
        subq $40, %rsp
        movl %eax, 36(%rsp)
        addq $40, %rsp
        RETURN
";
/// Objects that are changed and, where they still pass, run.
const MUTANTS: usize = 4_000;
/// Of those, at least this many must pass, or the test shows nothing.
const SURVIVORS_MIN: usize = 200;

/// One to three bytes of code are changed; whatever is accepted runs, and may hurt only itself.
#[test]
fn whatever_is_accepted_stays_in_its_sandbox() {
    let object = assemble(VICTIM);
    let start = object
        .windows(12)
        .position(|window| window.starts_with(&[0x0f, 0x1f, 0x84, 0x6e, 0, 0, 0, 0, 0x53, 0x55]))
        .expect("the code of main is in the object");
    let canaries = Canaries::plant(2);
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut survivors = 0;
    for mutant in 0..MUTANTS {
        let mut changed = object.clone();
        for _ in 0..=numbers.below(3) {
            // Mostly code, else headers, symbols, relocations.
            let at = match numbers.below(4) {
                0 => numbers.below(changed.len()),
                _ => start + numbers.below(0x110),
            };
            changed[at] = numbers.next().to_le_bytes()[3];
        }
        let Ok(decoded) = DecodedImage::decode(&changed, &Limits::default()) else {
            continue;
        };
        let Ok(image) = decoded.link(&mut |_| Some(0)) else {
            continue;
        };
        let read_protection = numbers.below(2) == 0;
        let hasty = InstanceConfig {
            deadline: Duration::from_millis(2),
            ..InstanceConfig::default()
        };
        let policy = Policy { read_protection };
        let Ok(image) = VerifiedImage::verify(&ENGINE, image, &policy) else {
            continue;
        };
        let mut instance = Instance::new(&image, hasty).expect("a sandbox");
        survivors += 1;
        let base = instance.base();
        let mut host = With(|memory: &mut GraftMemory<'_>, _, args: &[u64; 6]| {
            if let Some(slice) = GraftSlice::claim(args[0], args[1] % 64) {
                let mut copy = vec![0; slice.len() as usize];
                if memory.read(slice, &mut copy).is_ok() && memory.write(slice, &copy).is_err() {
                    return Ok(1);
                }
            }
            Ok(0)
        });
        for name in ["main", "helper"] {
            let Some(entry) = instance.entry(name) else {
                continue;
            };
            for args in [
                [base + u64::from(ARGUMENTS), 1],
                [u64::MAX, u64::MAX],
                [0x200f_ff00, 8],
            ] {
                if let Err(fault) = instance.call(entry, &args, &mut host) {
                    let address = fault.address.unwrap_or(base);
                    let reach = base.wrapping_sub(1 << 32)..base + (2 << 32);
                    let free = !read_protection && fault.kind == FaultKind::Memory { write: false };
                    assert!(free || reach.contains(&address), "mutant {mutant}: {fault}");
                }
            }
        }
    }
    canaries.check();
    assert!(survivors > SURVIVORS_MIN, "only {survivors} were accepted");
}
