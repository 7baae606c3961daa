//! Runs a library's glue in a child process and in a sandbox.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use vino_sandbox::{
    DecodedImage, Engine, GraftMemory, GraftSlice, Host, HostAbort, Instance, InstanceConfig,
    Limits, Policy, SandboxAddr, VerifiedImage,
};

/// No library takes a tenth of it, on any machine.
const DEADLINE: Duration = Duration::from_secs(300);
/// Interpreters recurse.
const STACK_BYTES: u32 = 8 << 20;
/// Compressors keep tables.
const HEAP_BYTES: u32 = 512 << 20;
/// The name of the function that every glue defines.
const ENTRY: &str = "library_run";

/// What a run wrote, and how long it took.
pub(crate) struct Run {
    pub(crate) output: Vec<u8>,
    pub(crate) seconds: f64,
}

/// Runs the native program.
pub(crate) fn natively(program: &Path, input: &str, seed: u32) -> Result<Run, String> {
    let fail = |error: std::io::Error| format!("{}: {error}", program.display());
    let mut child = Command::new(program)
        .arg(seed.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(fail)?;
    let mut stdin = child.stdin.take().ok_or("the child has no input")?;
    // It reads its input before it writes, or not at all.
    let written = stdin.write_all(input.as_bytes());
    drop(stdin);
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().map_err(fail)?;
    let messages = String::from_utf8_lossy(&stderr);
    if !status.success() {
        return Err(format!("natively: {status}\n{messages}"));
    }
    written.map_err(fail)?;
    let seconds = messages.trim().parse();
    Ok(Run {
        output: stdout,
        seconds: seconds.map_err(|_| format!("natively: not a time: {messages}"))?,
    })
}

/// Decodes, verifies and runs the graft.
pub(crate) fn in_a_sandbox(object: &[u8], input: &str, seed: u32) -> Result<Run, String> {
    let decoded =
        DecodedImage::decode(object, &Limits::default()).map_err(|error| error.to_string())?;
    let imports: Vec<String> = decoded.undefined_symbols().map(str::to_owned).collect();
    let functions: Vec<Function> = imports
        .iter()
        .map(|name| Function::named(name).ok_or_else(|| format!("nobody defines {name}")))
        .collect::<Result<_, _>>()?;
    let mut resolve = |name: &str| {
        let index = imports.iter().position(|import| import == name)?;
        u32::try_from(index).ok()
    };
    let linked = decoded
        .link(&mut resolve)
        .map_err(|error| error.to_string())?;
    let engine = Engine::new().map_err(|error| error.to_string())?;
    let config = InstanceConfig {
        stack_bytes: STACK_BYTES,
        heap_bytes_max: HEAP_BYTES,
        deadline: DEADLINE,
        ..InstanceConfig::default()
    };
    let image = VerifiedImage::verify(&engine, linked, &Policy::default())
        .map_err(|error| error.to_string())?;
    let mut instance = Instance::new(&image, config).map_err(|error| error.to_string())?;
    let entry = instance.entry(ENTRY).ok_or("the glue defines no entry")?;
    let mut host = Files {
        functions,
        input: input.as_bytes(),
        output: Vec::new(),
    };
    let start = processor_seconds()?;
    let step = instance
        .call(entry, &[u64::from(seed)], &mut host)
        .map_err(|fault| fault.to_string())?;
    let seconds = processor_seconds()? - start;
    // The function returns an `int`.
    match step & u64::from(u32::MAX) {
        0 => Ok(Run {
            output: host.output,
            seconds,
        }),
        step => Err(format!("in the sandbox: step {step} failed")),
    }
}

/// How long this thread has run.
fn processor_seconds() -> Result<f64, String> {
    let path = "/proc/thread-self/schedstat";
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let nanoseconds = text.split_ascii_whitespace().next();
    let parsed = nanoseconds.and_then(|number| number.parse::<u64>().ok());
    let nanoseconds = parsed.ok_or_else(|| format!("{path}: not a time: {text}"))?;
    Ok(Duration::from_nanos(nanoseconds).as_secs_f64())
}

/// What the host provides.
#[derive(Clone, Copy, Debug)]
enum Function {
    ReadInput,
    WriteOutput,
    GrowHeap,
}

impl Function {
    fn named(name: &str) -> Option<Function> {
        match name {
            "read_input" => Some(Function::ReadInput),
            "write_output" => Some(Function::WriteOutput),
            "vino_heap_grow" => Some(Function::GrowHeap),
            _ => None,
        }
    }
}

struct Files<'a> {
    functions: Vec<Function>,
    input: &'a [u8],
    output: Vec<u8>,
}

impl Host for Files<'_> {
    fn call(
        &mut self,
        memory: &mut GraftMemory<'_>,
        import: u32,
        args: &[u64; 6],
    ) -> Result<u64, HostAbort> {
        let refused = HostAbort(import);
        let function = self.functions.get(import as usize).ok_or(refused)?;
        let [first, second, ..] = *args;
        match function {
            Function::ReadInput => {
                let bytes = second.min(self.input.len() as u64);
                let slice = GraftSlice::claim(first, bytes).ok_or(refused)?;
                let (now, later) = self.input.split_at(slice.len() as usize);
                memory.write(slice, now).map_err(|_| refused)?;
                self.input = later;
                Ok(bytes)
            }
            Function::WriteOutput => {
                let slice = GraftSlice::claim(first, second).ok_or(refused)?;
                let old = self.output.len();
                self.output.resize(old + slice.len() as usize, 0);
                let outcome = memory.read(slice, &mut self.output[old..]);
                outcome.map(|()| 0).map_err(|_| refused)
            }
            Function::GrowHeap => {
                let start = u32::try_from(first)
                    .ok()
                    .and_then(|bytes| memory.grow_heap(bytes))
                    .map(SandboxAddr::offset);
                // A null pointer says that there is no more.
                Ok(start.map_or(0, |offset| memory.base() + u64::from(offset)))
            }
        }
    }
}
