//! How the tracer changes the watched process: its registers, and code that was never verified.

use std::os::unix::fs::FileExt;

use nix::libc;
use nix::sys::ptrace;
use vino_abi::{DATA_OFFSET, SANDBOX_BYTES};

use super::Tracer;
use crate::child::Announcement;

impl Tracer {
    /// Fills the registers, but for the stack pointer, with what a graft might make harm of.
    pub(super) fn scramble(&mut self, registers: &mut libc::user_regs_struct) {
        let host = *self.exits.first().unwrap_or(&registers.fs_base);
        let (base, text) = (self.base, self.sandbox().call.text.clone());
        let random = &mut self.random;
        let mut word = || {
            let near = random.next() % 512;
            match random.below(8) {
                0 => host.wrapping_add(near),
                1 => random.next(),
                2 => base.wrapping_sub(near),
                3 => base + SANDBOX_BYTES - near,
                4 => text.start + near,
                5 => base + text.start + near,
                6 => near,
                _ => base + u64::from(DATA_OFFSET) + near,
            }
        };
        for register in [
            &mut registers.rax,
            &mut registers.rbx,
            &mut registers.rcx,
            &mut registers.rdx,
            &mut registers.rsi,
            &mut registers.rdi,
            &mut registers.rbp,
            &mut registers.r8,
            &mut registers.r9,
            &mut registers.r10,
            &mut registers.r11,
            &mut registers.r12,
            &mut registers.r13,
            &mut registers.r14,
            &mut registers.r15,
        ] {
            *register = word();
        }
        ptrace::setregs(self.pid, *registers).expect("it is stopped");
    }

    /// Puts the plant where the process is about to enter, as if the verifier had accepted it.
    ///
    /// Nobody can write to verified text, so the process is made to map other memory in its place.
    pub(super) fn replace_text(&self, call: &Announcement) {
        let start = self.base + call.text.start;
        let len = usize::try_from(call.text.end - call.text.start).expect("short");
        let mut text = self.read(start, len);
        let at = usize::try_from(call.entry - call.text.start).expect("in text");
        let code = self.plant.as_ref().expect("there is one");
        text[at..at + code.len()].copy_from_slice(code);
        let saved = self.registers();
        let mut mmap = saved;
        mmap.rip = self.system_call();
        mmap.rax = libc::SYS_mmap.cast_unsigned();
        mmap.rdi = start;
        mmap.rsi = len as u64;
        mmap.rdx = (libc::PROT_READ | libc::PROT_EXEC).cast_unsigned().into();
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        mmap.r10 = flags.cast_unsigned().into();
        mmap.r8 = u64::MAX;
        mmap.r9 = 0;
        ptrace::setregs(self.pid, mmap).expect("it is stopped");
        ptrace::step(self.pid, None).expect("it is stopped");
        self.wait();
        assert_eq!(self.registers().rax, start, "the process maps memory");
        ptrace::setregs(self.pid, saved).expect("it is stopped");
        self.memory
            .write_all_at(&text, start)
            .expect("a traced process's memory may be written");
    }

    /// The address of a system call instruction in the process.
    pub(super) fn system_call(&self) -> u64 {
        let maps = std::fs::read_to_string(format!("/proc/{}/maps", self.pid));
        let maps = maps.expect("it is stopped");
        let mut code = maps
            .lines()
            .filter(|line| line.contains(" r-xp "))
            .filter_map(|line| {
                let (start, end) = line.split(' ').next()?.split_once('-')?;
                let number = |text| u64::from_str_radix(text, 16).ok();
                let (start, end) = (number(start)?, number(end)?);
                let bytes = self.read(start, usize::try_from(end - start).ok()?);
                let at = bytes.windows(2).position(|window| window == [0x0f, 0x05])?;
                Some(start + at as u64)
            });
        code.next().expect("the C library makes system calls")
    }
}
