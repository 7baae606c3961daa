//! Assembles, links and loads the grafts of these tests.

use std::process::{Command, Output};
use std::sync::LazyLock;
use std::time::Duration;

use vino_sandbox::{
    DecodedImage, Engine, Entry, GraftFault, GraftMemory, Host, HostAbort, Instance,
    InstanceConfig, Limits, LinkedImage, NoHost, Policy, SandboxAddr, VerifiedImage,
};

static PRELUDE: &str = include_str!("prelude.s");

/// The process's engine.
pub(crate) static ENGINE: LazyLock<Engine> =
    LazyLock::new(|| Engine::new().expect("this machine runs grafts"));

/// Long enough for any graft that ends by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// The configuration of a test that is not about its configuration.
pub(crate) fn config() -> InstanceConfig {
    InstanceConfig {
        deadline: PATIENCE,
        ..InstanceConfig::default()
    }
}

/// Assembles `source` after the prelude.
pub(crate) fn assemble(source: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let input = folder.path().join("graft.s");
    let output = folder.path().join("graft.o");
    std::fs::write(&input, format!("{PRELUDE}{source}\n")).expect("a file");
    let run = Command::new("as")
        .arg("-o")
        .arg(&output)
        .arg(&input)
        .output()
        .expect("as runs");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    std::fs::read(&output).expect("as wrote its output")
}

/// Assembles and links; `imports` get the indices of their places.
pub(crate) fn link(source: &str, imports: &[&str]) -> LinkedImage {
    let object = assemble(source);
    let decoded = DecodedImage::decode(&object, &Limits::default()).expect("an object");
    let mut resolve = |name: &str| {
        let index = imports.iter().position(|import| *import == name)?;
        u32::try_from(index).ok()
    };
    decoded.link(&mut resolve).expect("every import is known")
}

/// Verifies an image.
pub(crate) fn verify(image: LinkedImage) -> VerifiedImage {
    match VerifiedImage::verify(&ENGINE, image, &Policy::default()) {
        Ok(image) => image,
        Err(error) => panic!("{error:?}"),
    }
}

/// Loads a graft without imports.
pub(crate) fn load(source: &str) -> Instance {
    load_with(source, &[], config())
}

/// Loads a graft.
pub(crate) fn load_with(source: &str, imports: &[&str], config: InstanceConfig) -> Instance {
    let image = verify(link(source, imports));
    Instance::new(&image, config).expect("a sandbox")
}

/// The function `main` of a graft.
pub(crate) fn main_of(instance: &Instance) -> Entry {
    instance.entry("main").expect("the graft defines main")
}

/// Loads a graft and calls its `main`.
pub(crate) fn run(source: &str, args: &[u64]) -> Result<u64, GraftFault> {
    let mut instance = load(source);
    let entry = main_of(&instance);
    instance.call(entry, args, &mut NoHost)
}

/// Loads a graft whose `main` must end early, and says how.
pub(crate) fn fault(source: &str) -> GraftFault {
    run(source, &[]).expect_err("the graft misbehaves")
}

/// A host made of a closure.
pub(crate) struct With<F>(pub(crate) F);

impl<F> Host for With<F>
where
    F: FnMut(&mut GraftMemory<'_>, u32, &[u64; 6]) -> Result<u64, HostAbort>,
{
    fn call(
        &mut self,
        memory: &mut GraftMemory<'_>,
        import: u32,
        args: &[u64; 6],
    ) -> Result<u64, HostAbort> {
        (self.0)(memory, import, args)
    }
}

/// Reads consecutive words of a graft.
pub(crate) fn words(instance: &Instance, pointer: u64, count: u64) -> Vec<u64> {
    let word = |index| {
        let addr = SandboxAddr::of_pointer(pointer + 8 * index);
        instance.read_u64(addr).expect("the graft's own data")
    };
    (0..count).map(word).collect()
}

/// Set in a process that runs one test alone.
const ALONE: &str = "VINO_TEST_ALONE";

/// Runs a test again in a process of its own and returns how that ended; `None` in that process.
pub(crate) fn rerun_alone(test: &str) -> Option<Output> {
    if std::env::var_os(ALONE).is_some() {
        return None;
    }
    let run = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", test, "--nocapture"])
        .env(ALONE, "1")
        .output();
    Some(run.expect("the test runs again"))
}

/// Runs a test again in a process of its own, where it must pass; false in that process.
pub(crate) fn pass_alone(test: &str) -> bool {
    let Some(output) = rerun_alone(test) else {
        return false;
    };
    let (stdout, stderr) = (&output.stdout, &output.stderr);
    println!("{}", String::from_utf8_lossy(stdout));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(stderr)
    );
    true
}
