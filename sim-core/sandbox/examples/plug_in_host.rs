//! Hosts a plug-in that nobody vouches for: `plug_in_host PLUG_IN.o WORD...`
//!
//! The plug-in is a C function `uint64_t score(const char *word, uint64_t length)`, compiled,
//! instrumented and assembled by its author:
//!
//! ```text
//! gcc -S -O2 -fPIC -fno-ipa-ra -fcf-protection=none -fno-stack-protector plug_in.c
//! misfit -crws -i plug_in.s -o plug_in.misfit && as plug_in.misfit -o plug_in.o
//! ```
//!
//! It may call one function of this program, `void note(const char *text, uint64_t length)`.
//! Whatever else it does ends as a message here.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use vino_sandbox::{
    DecodedImage, Engine, GraftMemory, GraftSlice, Host, HostAbort, Instance, InstanceConfig,
    Limits, LoadError, Policy, SandboxAddr, VerifiedImage,
};

/// Where the host puts the word: the page that every instance has for arguments.
const WORD_OFFSET: u64 = vino_abi::ARGUMENTS_OFFSET as u64;
/// The longest word, and the longest note, in bytes.
const TEXT_BYTES_MAX: u64 = 1024;

/// The index of `note` among the functions that this program offers.
const NOTE: u32 = 0;

/// Why this program ends an invocation.
const BAD_NOTE: HostAbort = HostAbort(1);

/// Prints what a plug-in has to say.
struct Notes;

impl Host for Notes {
    fn call(
        &mut self,
        memory: &mut GraftMemory<'_>,
        import: u32,
        args: &[u64; 6],
    ) -> Result<u64, HostAbort> {
        assert_eq!(import, NOTE, "only granted functions have gates");
        // The plug-in claims that this is its text; believe it only after the copy succeeded.
        let length = args[1].min(TEXT_BYTES_MAX);
        let claim = GraftSlice::claim(args[0], length).ok_or(BAD_NOTE)?;
        let mut text = vec![0; claim.len() as usize];
        memory.read(claim, &mut text).map_err(|_| BAD_NOTE)?;
        println!("  plug-in notes: {}", String::from_utf8_lossy(&text));
        Ok(0)
    }
}

fn load(path: &str) -> Result<Instance, Box<dyn Error>> {
    let object = std::fs::read(path)?;
    let image = DecodedImage::decode(&object, &Limits::default())?;
    let image = image.link(&mut |name| (name == "note").then_some(NOTE))?;
    let config = InstanceConfig {
        deadline: Duration::from_millis(50),
        ..InstanceConfig::default()
    };
    match VerifiedImage::verify(&Engine::new()?, image, &Policy::default()) {
        Err(LoadError::Rejected(rejection)) => Err(rejection.to_string().into()),
        verified => Ok(Instance::new(&verified?, config)?),
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments
        .next()
        .ok_or("usage: plug_in_host PLUG_IN.o WORD...")?;
    let mut plug_in = load(&path)?;
    let score = plug_in
        .entry("score")
        .ok_or("the plug-in defines no function score")?;
    let word_at = SandboxAddr::new(WORD_OFFSET).ok_or("the argument page is in the sandbox")?;
    for word in arguments {
        let length = word.len() as u64;
        if length > TEXT_BYTES_MAX {
            return Err(format!("a word of {length} bytes; at most {TEXT_BYTES_MAX} fit").into());
        }
        plug_in.write(word_at, word.as_bytes())?;
        let pointer = plug_in.base() + WORD_OFFSET;
        match plug_in.call(score, &[pointer, length], &mut Notes) {
            Ok(value) => println!("{word}: {value}"),
            Err(fault) => println!("{word}: ended early: {fault}\n{}", fault.registers),
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
