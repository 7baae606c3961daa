//! Hosts a plug-in that nobody vouches for: `plug_in_host PLUG_IN.c WORD...`
//!
//! ```text
//! cargo run --release -p vino-sandbox --example plug_in_host -- \
//!     sim-core/sandbox/examples/plug_in_host/plug_in.c rhythm area loop null wild dig lie hoard
//! ```
//!
//! The plug-in defines `uint64_t score(const char *word, uint64_t length)`. It may call two
//! functions of this program, one of which calls it back, and the SDK's `malloc`, which gets its
//! memory from the third. Whatever else it does ends as a message here. The source is built with
//! gcc, as anybody may; an object (`PLUG_IN.o`) that somebody else built is taken as well, since
//! nothing is believed of either.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use vino_sandbox::{
    Caller, DecodedImage, Engine, Function, HostAbort, HostFunctions, Instance, InstanceConfig,
    Limits, LoadError, Policy, SandboxAddr, VerifiedImage,
};
use vino_toolchain::Recipe;

/// Where the host puts the word: the page that every instance has for arguments.
const WORD_OFFSET: u64 = vino_abi::ARGUMENTS_OFFSET as u64;
/// The longest word, in bytes.
const WORD_BYTES_MAX: usize = 1024;
/// The bytes that are printed of a note.
const NOTE_BYTES_MAX: u32 = 80;

/// What a plug-in may take of the machine.
const HEAP_BYTES_MAX: u32 = 4 << 20;
const DEADLINE: Duration = Duration::from_millis(50);

/// Why this program ends an invocation: the plug-in failed when it was called back.
const NO_ANSWER: HostAbort = HostAbort(1);

/// What the host's functions work on.
struct Desk {
    notes: Vec<String>,
    /// The plug-in's own opinion, by which vowels weigh more.
    is_vowel: Function<(u32,), u32>,
}

/// Offers what a plug-in may call, by the names that it imports.
fn functions() -> Result<HostFunctions<Desk>, Box<dyn Error>> {
    let mut functions = HostFunctions::new();
    functions.define_heap()?;
    // The plug-in claims that this is its text; `read_bytes` believes it after a look.
    let note = |caller: &mut Caller<'_, '_, Desk>, text: SandboxAddr, length: u64| {
        let length = u32::try_from(length).map_or(NOTE_BYTES_MAX, |n| n.min(NOTE_BYTES_MAX));
        let text = caller.read_bytes(text, length)?;
        let text = String::from_utf8_lossy(&text);
        caller.state.notes.push(text.escape_debug().to_string());
        Ok(())
    };
    functions.define("note", note)?;
    let weight = |caller: &mut Caller<'_, '_, Desk>, letter: u32| {
        let is_vowel = caller.state.is_vowel;
        let answer = caller.call_back(is_vowel, (letter,));
        let vowel = answer.map_err(|_| NO_ANSWER)? != 0;
        Ok(if vowel { 3_u64 } else { 1 })
    };
    functions.define("weight", weight)?;
    Ok(functions)
}

/// Returns the plug-in's object: the file, or what gcc and misfit make of it.
fn object(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    if path.extension().is_some_and(|extension| extension == "o") {
        return Ok(std::fs::read(path)?);
    }
    let built = vino_toolchain::build(&Recipe {
        sources: &[path.to_owned()],
        compiler: None,
        compiler_flags: &[],
        protections: &misfit::Options::ALL,
        temps_folder: None,
    })?;
    Ok(built.object)
}

fn load(path: &Path, functions: &HostFunctions<Desk>) -> Result<Instance, Box<dyn Error>> {
    let image = DecodedImage::decode(&object(path)?, &Limits::default())?;
    let image = image.link(&mut |name| functions.resolve(name))?;
    let config = InstanceConfig {
        deadline: DEADLINE,
        heap_bytes_max: HEAP_BYTES_MAX,
        ..InstanceConfig::default()
    };
    match VerifiedImage::verify(&Engine::new()?, image, &Policy::default()) {
        Err(LoadError::Rejected(rejection)) => Err(rejection.to_string().into()),
        verified => Ok(Instance::new(&verified?, config)?),
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next();
    let path = path.ok_or("usage: plug_in_host PLUG_IN.c|PLUG_IN.o WORD...")?;
    let functions = functions()?;
    let mut plug_in = load(Path::new(&path), &functions)?;
    let score = plug_in.function::<(SandboxAddr, u64), u64>("score")?;
    let mut desk = Desk {
        notes: Vec::new(),
        is_vowel: plug_in.function("is_vowel")?,
    };
    let word_at = SandboxAddr::new(WORD_OFFSET).ok_or("the argument page is in the sandbox")?;
    for word in arguments {
        let length = word.len();
        if length > WORD_BYTES_MAX {
            return Err(format!("a word of {length} bytes; at most {WORD_BYTES_MAX} fit").into());
        }
        plug_in.write(word_at, word.as_bytes())?;
        let args = (word_at, length as u64);
        match score.call(&mut plug_in, args, &mut functions.host(&mut desk)) {
            Ok(value) => println!("{word}: {value}"),
            Err(fault) => {
                println!("{word}: ended early: {fault}");
                // It was stopped anywhere, so its data may make no sense any more.
                plug_in.reset()?;
            }
        }
        for note in desk.notes.drain(..) {
            println!("  it notes: {note}");
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("plug_in_host: {error}");
            ExitCode::FAILURE
        }
    }
}
