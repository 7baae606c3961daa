//! Filters pictures with C code that nobody vouches for: `image_filter [IN.ppm OUT.ppm]`
//!
//! ```text
//! cargo run --release -p vino-sandbox --example image_filter
//! cargo run --release -p vino-sandbox --example image_filter -- photo.ppm blurred.ppm
//! ```
//!
//! Builds `blur.c` with gcc twice, for the sandbox and as a native program (`gcc -O2`); runs both
//! on the same picture (a generated one if none is given), compares every byte, and prints how fast
//! each was.
//! Then it lets the filters of `hostile.c` loose, one of which is told where the picture is in this
//! process, and shows that they are stopped, the picture is as it was, and filtering goes on.
//! Pictures are binary PGM or PPM files.

mod picture;

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use picture::Picture;
use vino_sandbox::{
    DecodedImage, Engine, Function, HostFunctions, Instance, InstanceConfig, Limits, LoadError,
    Policy, SandboxAddr, VerifiedImage,
};
use vino_toolchain::Recipe;

/// The generated picture.
const WIDTH: u32 = 1920;
const HEIGHT: u32 = 1080;
/// Runs of which the fastest counts.
const RUNS: u32 = 10;
/// How long a filter may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// How long a hostile filter may take.
const HOSTILE_DEADLINE: Duration = Duration::from_millis(20);
/// What a filter may allocate, beside the pictures: some rows, and what `malloc` needs itself.
const WORKING_BYTES_MAX: u32 = 4 << 20;
/// What `filter` returns when it succeeded.
const FILTER_DONE: i32 = 0;

type Filter = Function<(SandboxAddr, SandboxAddr, u32, u32, u32), i32>;
type Hostile = Function<(u64, u64), i32>;

/// A filtered picture and how long it took.
struct Filtered {
    bytes: Vec<u8>,
    fastest: Duration,
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/image_filter")
        .join(name)
}

/// Builds a C file for the sandbox and verifies it.
fn verified(name: &str, functions: &HostFunctions<()>) -> Result<VerifiedImage, Box<dyn Error>> {
    let built = vino_toolchain::build(&Recipe {
        sources: &[source(name)],
        compiler: Some("gcc"),
        compiler_flags: &[],
        protections: &misfit::Options::ALL,
        temps_folder: None,
    })?;
    let image = DecodedImage::decode(&built.object, &Limits::default())?;
    let image = image.link(&mut |name| functions.resolve(name))?;
    match VerifiedImage::verify(&Engine::new()?, image, &Policy::default()) {
        Err(LoadError::Rejected(rejection)) => Err(rejection.to_string().into()),
        verified => Ok(verified?),
    }
}

/// Gives a filter a sandbox with room for a picture and its result, and the picture.
fn open(
    image: &VerifiedImage,
    picture: &Picture,
) -> Result<(Instance, [SandboxAddr; 2]), Box<dyn Error>> {
    let bytes = u32::try_from(picture.bytes.len())?.next_multiple_of(4096);
    let config = InstanceConfig {
        deadline: DEADLINE,
        heap_bytes_max: 2 * bytes + WORKING_BYTES_MAX,
        ..InstanceConfig::default()
    };
    let mut instance = Instance::new(image, config)?;
    let places = [(); 2].map(|()| instance.grow_heap(bytes));
    let [Some(input), Some(output)] = places else {
        return Err("no memory for the pictures".into());
    };
    instance.write(input, &picture.bytes)?;
    Ok((instance, [input, output]))
}

/// Runs the filter in a sandbox.
fn sandboxed(
    image: &VerifiedImage,
    functions: &HostFunctions<()>,
    picture: &Picture,
) -> Result<Filtered, Box<dyn Error>> {
    let (mut instance, [input, output]) = open(image, picture)?;
    let filter: Filter = instance.function("filter")?;
    let args = (
        input,
        output,
        picture.width,
        picture.height,
        picture.channels,
    );
    let mut fastest = Duration::MAX;
    for _ in 0..RUNS {
        let start = Instant::now();
        let status = filter.call(&mut instance, args, &mut functions.host(&mut ()))?;
        fastest = fastest.min(start.elapsed());
        if status != FILTER_DONE {
            return Err(format!("the filter gave up with status {status}").into());
        }
    }
    let mut bytes = vec![0; picture.bytes.len()];
    instance.read(output, &mut bytes)?;
    Ok(Filtered { bytes, fastest })
}

/// Runs the same source as a program of its own.
fn native(picture: &Picture) -> Result<Filtered, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let program = folder.path().join("native");
    let mut gcc = Command::new("gcc");
    gcc.args(["-O2", "-o"]).arg(&program);
    gcc.args([source("native.c"), source("blur.c")]);
    if !gcc.status()?.success() {
        return Err("gcc does not build the native filter".into());
    }
    let arguments = [picture.width, picture.height, picture.channels, RUNS];
    let mut child = Command::new(&program)
        .args(arguments.map(|argument| argument.to_string()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().ok_or("the child has an input")?;
    let run = thread::scope(|scope| {
        let feed = scope.spawn(move || input.write_all(&picture.bytes));
        let run = child.wait_with_output();
        feed.join().map_err(|_| "the feeding thread ended")??;
        Ok::<_, Box<dyn Error>>(run?)
    })?;
    if !run.status.success() {
        return Err(format!("the native filter ended: {}", run.status).into());
    }
    let nanoseconds = String::from_utf8(run.stderr)?.trim().parse()?;
    Ok(Filtered {
        bytes: run.stdout,
        fastest: Duration::from_nanos(nanoseconds),
    })
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn print_speed(how: &str, picture: &Picture, filtered: &Filtered) {
    let (pixels, seconds) = (picture.pixels() as f64, filtered.fastest.as_secs_f64());
    println!(
        "{how:<10} {:6.2} ns/pixel {:8.1} megapixels/s",
        seconds * 1e9 / pixels,
        pixels / seconds / 1e6
    );
}

/// Lets hostile filters loose on a picture of this process.
fn attack(picture: &mut Picture) -> Result<(), Box<dyn Error>> {
    let image = verified("hostile.c", &HostFunctions::new())?;
    let config = InstanceConfig {
        deadline: HOSTILE_DEADLINE,
        ..InstanceConfig::default()
    };
    let before = picture.clone();
    for name in ["paint_over", "never_return"] {
        let mut instance = Instance::new(&image, config.clone())?;
        let hostile: Hostile = instance.function(name)?;
        let (at, bytes) = (picture.bytes.as_mut_ptr().addr(), picture.bytes.len());
        let args = (at as u64, bytes as u64);
        match hostile.call(&mut instance, args, &mut vino_sandbox::NoHost) {
            Ok(_) => println!("{name}: returned, having changed memory of its own"),
            Err(fault) => println!("{name}: stopped: {fault}"),
        }
        if *picture != before {
            return Err(format!("{name} changed the picture").into());
        }
        println!("  the picture is intact");
    }
    Ok(())
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut picture = match arguments.as_slice() {
        [] => Picture::generate(WIDTH, HEIGHT),
        [input, _] => Picture::parse(&std::fs::read(input)?)?,
        _ => return Err("usage: image_filter [IN.ppm OUT.ppm]".into()),
    };
    let (width, height, channels) = (picture.width, picture.height, picture.channels);
    println!("a picture of {width} x {height} pixels, {channels} bytes each");

    let mut functions = HostFunctions::new();
    functions.define_heap()?;
    let image = verified("blur.c", &functions)?;
    let (ours, theirs) = (sandboxed(&image, &functions, &picture)?, native(&picture)?);
    print_speed("sandboxed", &picture, &ours);
    print_speed("native", &picture, &theirs);
    if ours.bytes != theirs.bytes {
        return Err("the sandboxed filter and the native one differ".into());
    }
    println!("the results are the same, byte for byte");

    attack(&mut picture)?;
    let again = sandboxed(&image, &functions, &picture)?;
    if again.bytes != ours.bytes {
        return Err("the filter changed after the attacks".into());
    }
    println!("filtered again: the same");
    if let [_, output] = arguments.as_slice() {
        picture.bytes = again.bytes;
        std::fs::write(output, picture.to_file())?;
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("image_filter: {error}");
            ExitCode::FAILURE
        }
    }
}
