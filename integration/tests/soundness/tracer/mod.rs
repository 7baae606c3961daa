//! Steps the watched process through its sandbox, one instruction at a time.
//!
//! ```text
//!  host code --run free--> [breakpoint: entry stub, return stub] --step by step--> host code
//!                                                   |- a signal: given to the process, which
//!                                                   |  must end the call
//!                                                   `- too long: sent to a trap, likewise
//! ```
//!
//! The processor's debug registers stop the process wherever the host enters a sandbox, so nothing
//! in it runs unseen. Host code and the instructions of the gates are trusted; where they are
//! entered and left is not.

mod checks;
mod interfere;

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::mem::offset_of;
use std::os::unix::fs::FileExt;
use std::process::{Child, ChildStdout, Command, Stdio};

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, InstructionInfoFactory};
use nix::libc;
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use vino_abi::SANDBOX_BYTES;
use vino_abi::{GATES_OFFSET, GUARD_BYTES, IMAGE_OFFSET, IMPORT_GATES_OFFSET};

use crate::child::{Announcement, MARK, ORDERS};
use crate::random::Random;
use crate::report::Statistics;

/// Instructions that one stay in a sandbox may take.
pub(crate) const STEPS_MAX: u64 = 200;
/// Instructions of the host from an import to the way back into the sandbox, at most.
const HOST_STEPS_MAX: u64 = 100_000;

/// What an image did that no accepted image may do.
#[derive(Debug)]
pub(crate) struct Escape {
    pub(crate) what: String,
    pub(crate) call: Option<Announcement>,
}

impl fmt::Display for Escape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.call {
            Some(call) => write!(f, "{}; in {call:x?}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// Code that the tracer plants in place of what was accepted.
pub(crate) type Plant = Option<Vec<u8>>;

/// A mapping near the sandbox.
struct Mapping {
    start: u64,
    end: u64,
    read: bool,
    write: bool,
    execute: bool,
}

/// What is known of the sandbox that the process is in.
struct Sandbox {
    call: Announcement,
    text: Vec<u8>,
    instructions: Vec<Option<Instruction>>,
    mappings: Vec<Mapping>,
}

pub(crate) struct Tracer {
    child: Child,
    pid: Pid,
    lines: BufReader<ChildStdout>,
    /// Where the process writes what it is about to enter.
    announcements: File,
    memory: File,
    base: u64,
    return_stub: Option<u64>,
    /// Where sandboxes left to, in the host.
    exits: BTreeSet<u64>,
    sandbox: Option<Sandbox>,
    random: Random,
    information: InstructionInfoFactory,
    plant: Plant,
    pub(crate) statistics: Statistics,
}

/// Where an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Text,
    Gate,
    Elsewhere,
    Host,
}

type Outcome<T> = Result<T, Escape>;

impl Tracer {
    /// Starts a process that makes and runs `count` images.
    pub(crate) fn start(seed: u64, count: u64, objects: &std::path::Path, plant: Plant) -> Self {
        let announcements = tempfile::NamedTempFile::new().expect("a temporary file");
        let orders = format!(
            "{seed} {count} {} {}",
            announcements.path().display(),
            objects.display()
        );
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args([
                "--exact",
                "the_watched_process",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(ORDERS, orders)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test starts again");
        let mut lines = BufReader::new(child.stdout.take().expect("piped"));
        let ready = next_line(&mut lines, "ready").expect("the process says that it is ready");
        let pid = Pid::from_raw(i32::try_from(ready[0]).expect("a thread"));
        ptrace::seize(pid, ptrace::Options::PTRACE_O_EXITKILL).expect("a child may be traced");
        ptrace::interrupt(pid).expect("it is traced");
        let memory = File::options()
            .read(true)
            .write(true)
            .open(format!("/proc/{pid}/mem"))
            .expect("a traced process's memory may be used");
        let tracer = Self {
            child,
            pid,
            lines,
            announcements: announcements.into_file(),
            memory,
            base: ready[1],
            return_stub: None,
            exits: BTreeSet::new(),
            sandbox: None,
            random: Random::new(seed.rotate_left(32)),
            information: InstructionInfoFactory::new(),
            plant,
            statistics: Statistics::default(),
        };
        tracer.wait();
        tracer.set_breakpoint(0, tracer.entry_stub());
        tracer.go(None);
        let stdin = tracer.child.stdin.as_ref().expect("piped");
        let mut stdin = stdin;
        stdin
            .write_all(b"go\n")
            .expect("the process waits for this");
        tracer
    }

    fn entry_stub(&self) -> u64 {
        self.base + u64::from(GATES_OFFSET)
    }

    fn set_breakpoint(&self, index: usize, address: u64) {
        let registers = offset_of!(libc::user, u_debugreg);
        let put = |register: usize, value: u64| {
            let place = std::ptr::without_provenance_mut(registers + 8 * register);
            ptrace::write_user(self.pid, place, value.cast_signed())
                .expect("the processor has debug registers");
        };
        put(index, address);
        // Each breakpoint has two bits; the lower enables it for this thread.
        put(7, if index == 0 { 0b01 } else { 0b101 });
    }

    fn wait(&self) -> WaitStatus {
        waitpid(self.pid, Some(WaitPidFlag::__WALL)).expect("it is traced")
    }

    fn go(&self, signal: Option<Signal>) {
        ptrace::cont(self.pid, signal).expect("it is stopped");
    }

    fn registers(&self) -> libc::user_regs_struct {
        ptrace::getregs(self.pid).expect("it is stopped")
    }

    fn read(&self, address: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        let read = self.memory.read_at(&mut bytes, address).unwrap_or(0);
        bytes.truncate(read);
        bytes
    }

    fn escape(&self, what: impl Into<String>) -> Escape {
        let call = self.sandbox.as_ref().map(|sandbox| sandbox.call.clone());
        Escape {
            what: what.into(),
            call,
        }
    }

    /// Watches the process to its end.
    pub(crate) fn watch(mut self) -> Outcome<Statistics> {
        let outcome = self.watch_stops();
        if outcome.is_err() {
            // The process may be stopped in the middle of an escape.
            drop(self.child.kill());
        }
        outcome?;
        let status = self.child.wait().expect("it is a child");
        if !status.success() {
            return Err(self.escape(format!("the process ended with {status}")));
        }
        let done = next_line(&mut self.lines, "done");
        let Some(&[made, images, returned]) = done.as_deref() else {
            return Err(self.escape("the process did not finish"));
        };
        self.statistics.made = made;
        self.statistics.images = images;
        if returned != self.statistics.returns {
            let seen = self.statistics.returns;
            return Err(self.escape(format!("{returned} calls returned, {seen} were seen")));
        }
        if self.exits.len() > 2 {
            return Err(self.escape(format!("more than two ways out: {:x?}", self.exits)));
        }
        Ok(self.statistics)
    }

    fn watch_stops(&mut self) -> Outcome<()> {
        loop {
            match self.wait() {
                WaitStatus::Stopped(_, Signal::SIGTRAP) => {
                    let registers = self.registers();
                    if registers.rip == self.entry_stub() {
                        self.learn_call()?;
                    } else if Some(registers.rip) != self.return_stub {
                        return Err(self.escape(format!("stopped at {:#x}", registers.rip)));
                    }
                    self.supervise(registers)?;
                }
                WaitStatus::Stopped(_, signal) => self.go(Some(signal)),
                WaitStatus::PtraceEvent(..) => self.go(None),
                WaitStatus::Exited(..) => return Ok(()),
                other => return Err(self.escape(format!("the process ended: {other:?}"))),
            }
        }
    }

    /// Reads what the process is about to enter, and looks at it.
    fn learn_call(&mut self) -> Outcome<()> {
        let Some(call) = Announcement::read(&self.announcements) else {
            return Err(self.escape("a call was not announced"));
        };
        self.statistics.calls += 1;
        *self.statistics.origins.entry(call.origin).or_default() += 1;
        let same = self
            .sandbox
            .as_ref()
            .is_some_and(|known| known.call.image == call.image);
        if same {
            // What runs must be what was there before.
            let text = self.read(self.base + call.text.start, self.text_len());
            let sandbox = self.sandbox.as_mut().expect("there is one");
            sandbox.call = call;
            return if text == sandbox.text {
                Ok(())
            } else {
                Err(self.escape("the text changed"))
            };
        }
        let len = usize::try_from(call.text.end - call.text.start).expect("short");
        let start = self.base + call.text.start;
        if self.plant.is_some() && call.image > 0 {
            self.replace_text(&call);
        }
        let text = self.read(start, len);
        let instructions = decode(&text, start);
        let sandbox = Sandbox {
            call,
            text,
            instructions,
            mappings: self.mappings(),
        };
        self.sandbox = Some(sandbox);
        self.check_mappings()
    }

    fn text_len(&self) -> usize {
        self.sandbox
            .as_ref()
            .map_or(0, |sandbox| sandbox.text.len())
    }

    /// What is mapped in the sandbox and its guards.
    fn mappings(&self) -> Vec<Mapping> {
        let maps = std::fs::read_to_string(format!("/proc/{}/maps", self.pid));
        let maps = maps.expect("it is stopped");
        let reach = self.base - GUARD_BYTES..self.base + SANDBOX_BYTES + GUARD_BYTES;
        let parse = |line: &str| {
            let (range, rest) = line.split_once(' ')?;
            let (start, end) = range.split_once('-')?;
            let start = u64::from_str_radix(start, 16).ok()?;
            let end = u64::from_str_radix(end, 16).ok()?;
            let has = |letter| rest[..3].contains(letter);
            let (read, write, execute) = (has('r'), has('w'), has('x'));
            let near = start < reach.end && end > reach.start;
            let used = read || write || execute;
            (near && used).then_some(Mapping {
                start,
                end,
                read,
                write,
                execute,
            })
        };
        maps.lines().filter_map(parse).collect()
    }

    fn sandbox(&self) -> &Sandbox {
        self.sandbox.as_ref().expect("a call was announced")
    }

    fn place(&self, address: u64) -> Place {
        let offset = address.wrapping_sub(self.base);
        let gates = u64::from(GATES_OFFSET)..u64::from(IMAGE_OFFSET);
        match offset {
            _ if self.sandbox().call.text.contains(&offset) => Place::Text,
            _ if gates.contains(&offset) => Place::Gate,
            0..SANDBOX_BYTES => Place::Elsewhere,
            _ => Place::Host,
        }
    }

    /// Steps until the process leaves the sandbox, one way or another.
    fn supervise(&mut self, mut registers: libc::user_regs_struct) -> Outcome<()> {
        let entered = registers;
        let mut place = self.place(registers.rip);
        for _ in 0..STEPS_MAX {
            let (instruction, accesses) = match place {
                Place::Text => self.foresee(&registers)?,
                _ => (Instruction::default(), Vec::new()),
            };
            let (next, signal) = self.step(&registers, &instruction)?;
            if let Some(signal) = signal {
                self.check_fault(&registers, &next, signal)?;
                self.statistics.faults += 1;
                self.go(Some(signal));
                return Ok(());
            }
            self.check_went(&registers, place, &instruction, &accesses)?;
            let next_place = self.place(next.rip);
            self.check_transfer(&registers, place, &instruction, &next, next_place)?;
            if next_place == Place::Host {
                return self.leave(registers.rip, &next);
            }
            self.check_state(&entered, &next)?;
            let starts = registers.rip == self.entry_stub() + 2 && place == Place::Gate;
            registers = next;
            if starts && self.random.chance(50) {
                self.scramble(&mut registers);
            }
            place = next_place;
        }
        self.statistics.cut_short += 1;
        // The last byte of text is a trap; going there is stopping the graft where it is.
        let mut stopped = registers;
        stopped.rip = self.base + self.sandbox().call.text.end - 1;
        ptrace::setregs(self.pid, stopped).expect("it is stopped");
        self.go(None);
        match self.wait() {
            WaitStatus::Stopped(_, signal) => self.go(Some(signal)),
            other => return Err(self.escape(format!("a trap did not stop it: {other:?}"))),
        }
        Ok(())
    }

    /// Runs one instruction; returns the registers after it, and the signal if it faulted.
    fn step(
        &mut self,
        before: &libc::user_regs_struct,
        instruction: &Instruction,
    ) -> Outcome<(libc::user_regs_struct, Option<Signal>)> {
        ptrace::step(self.pid, None).expect("it is stopped");
        self.statistics.steps += 1;
        let WaitStatus::Stopped(_, signal) = self.wait() else {
            return Err(self.escape("the process ended in its sandbox"));
        };
        let after = self.registers();
        let trapped = instruction.code() == Code::Int3 && after.rip == before.rip + 1;
        let stepped = signal == Signal::SIGTRAP && !trapped;
        Ok((after, (!stepped).then_some(signal)))
    }

    /// Lets the process run on in the host, having looked at what it leaves behind.
    fn leave(&mut self, from: u64, registers: &libc::user_regs_struct) -> Outcome<()> {
        self.exits.insert(registers.rip);
        self.check_modes()?;
        let imports = self.base + u64::from(IMPORT_GATES_OFFSET);
        if from < imports {
            self.statistics.returns += 1;
        } else if self.return_stub.is_none() {
            return self.follow_host();
        } else {
            self.statistics.host_calls += 1;
        }
        self.go(None);
        Ok(())
    }

    /// Steps through the host to find where it comes back, and watches that place from then on.
    fn follow_host(&mut self) -> Outcome<()> {
        for _ in 0..HOST_STEPS_MAX {
            ptrace::step(self.pid, None).expect("it is stopped");
            self.wait();
            let registers = self.registers();
            if self.place(registers.rip) != Place::Host {
                self.return_stub = Some(registers.rip);
                self.set_breakpoint(1, registers.rip);
                return self.supervise(registers);
            }
        }
        Err(self.escape("the host never came back"))
    }
}

/// The instructions of text, by position; none but at those where one starts.
fn decode(text: &[u8], address: u64) -> Vec<Option<Instruction>> {
    let mut found = vec![None; text.len()];
    let mut decoder = Decoder::with_ip(64, text, address, DecoderOptions::NONE);
    while decoder.can_decode() {
        let position = decoder.position();
        let instruction = decoder.decode();
        found[position] = Some(instruction);
    }
    found
}

/// The numbers of the next line that starts with the word; `None` at the end, or at another word.
fn next_line(lines: &mut BufReader<ChildStdout>, expected: &str) -> Option<Vec<u64>> {
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line).ok()? == 0 {
            return None;
        }
        // The test harness writes on the same stream, without a newline at its end.
        if let Some((_, marked)) = line.split_once(MARK) {
            let (word, fields) = marked.trim_end().split_once(' ')?;
            let fields = fields
                .split(' ')
                .map(|field| u64::from_str_radix(field, 16).ok());
            return if word == expected {
                fields.collect()
            } else {
                None
            };
        }
    }
}
