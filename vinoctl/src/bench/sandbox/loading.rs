//! From the bytes of an object to an instance: each step, and the whole.

use std::hint::black_box;

use vino_sandbox::{
    DecodedImage, InstanceConfig, Limits, LinkedImage, Policy, SegmentKind, Text, verify,
};

use super::graft::{self, Lab, failed};
use super::native::Native;
use super::programs::{Programs, TextSizes};
use crate::bench::report::{Measurement, Unit};
use crate::bench::series::Series;
use crate::bench::{Bench, float, thread_seconds, timed_ns};
use crate::failure::{Exit, Failure};

/// Turns for each repetition that was asked for.
const TURNS_PER_REPETITION: u32 = 10;
/// Verifications of the text in one turn.
const VERIFICATIONS: u64 = 5;
/// Instances made and dropped in one turn.
const INSTANCES: u64 = 100;

/// What the verifier must get through.
const VERIFIER_MIB_PER_SECOND_MIN: f64 = 150.0;
/// What a load may take, in microseconds.
const LOAD_US_MAX: f64 = 600.0;
/// What a new instance of a prepared image may take, in microseconds.
const INSTANCE_US_MAX: f64 = 30.0;
/// By how much instrumented text may be larger, in percent.
const GROWTH_PERCENT_MAX: f64 = 30.0;

/// Measures the verifier, loading, and instances of a prepared image.
pub(super) fn measure(
    bench: &Bench,
    lab: &Lab,
    programs: &Programs,
    native: &mut Native,
) -> Result<Vec<Measurement>, Failure> {
    let turns = bench.repetitions * TURNS_PER_REPETITION;
    bench.progress.message("the verifier");
    let mut results = vec![verifier(turns, programs)?];
    bench.progress.message("loading");
    results.extend(loads(turns, lab, programs, native)?);
    bench.progress.message("instances of a prepared image");
    results.push(instances(turns, lab, programs, native)?);
    results.extend(growth(&programs.sizes));
    Ok(results)
}

/// The verifier over final bytes, beside a pass that only reads them one by one.
fn verifier(turns: u32, programs: &Programs) -> Result<Measurement, Failure> {
    let image = Lab::link(&programs.body)?;
    let bytes = text_of(&image)?;
    let text = Text::of(&image, &bytes).ok_or_else(no_text)?;
    let size = float(bytes.len() as u64 * VERIFICATIONS);
    // Bytes in a nanosecond to MiB in a second.
    let rate = |ns: f64| size / (ns * float(VERIFICATIONS)) * 1e9 / 1_048_576.0;
    let pair = Bench::pair(
        turns,
        || {
            let ns = timed_ns(VERIFICATIONS, &mut || {
                for _ in 0..VERIFICATIONS {
                    let verified = verify(black_box(&text), &Policy::default());
                    black_box(verified.map_err(failed("the verifier rejects the benchmark"))?);
                }
                Ok::<(), Failure>(())
            })?;
            Ok(rate(ns))
        },
        || {
            let ns = timed_ns(VERIFICATIONS, &mut || {
                for _ in 0..VERIFICATIONS {
                    black_box(fnv1a(black_box(&bytes)));
                }
                Ok::<(), Failure>(())
            })?;
            Ok(rate(ns))
        },
    )?;
    let baseline = "FNV-1a, which reads byte by byte";
    let row = Measurement::paired("verifier", Unit::Mebibytes, &pair, baseline);
    Ok(row.bar(VERIFIER_MIB_PER_SECOND_MIN))
}

/// Decode, link, verify in place and seal: the whole and its parts.
fn loads(
    turns: u32,
    lab: &Lab,
    programs: &Programs,
    native: &mut Native,
) -> Result<Vec<Measurement>, Failure> {
    let object = &programs.body;
    let limits = Limits::default();
    let baseline = "dlopen and dlclose of the native shared object";
    let request = format!("dlopen {}", programs.shared_object.display());
    let (mut decode, mut link) = (Vec::new(), Vec::new());
    let (mut verify, mut instance) = (Vec::new(), Vec::new());
    let pair = Bench::pair(
        turns,
        || {
            let decoded =
                once(|| DecodedImage::decode(object, &limits).map_err(failed("cannot decode")));
            let (decoded, decode_us) = decoded?;
            let (linked, link_us) =
                once(|| decoded.link(&mut |_| None).map_err(failed("cannot link")))?;
            let (verified, verify_us) = once(|| lab.verify(linked))?;
            // Dropping the instance is not part of loading it.
            let (_instance, instance_us) = once(|| Lab::instance(&verified, graft::patient()))?;
            decode.push(decode_us);
            link.push(link_us);
            verify.push(verify_us);
            instance.push(instance_us);
            Ok(decode_us + link_us + verify_us + instance_us)
        },
        || Ok(native.ask(&request)?.ns / 1e3),
    )?;
    let kib = float(
        programs
            .sizes
            .iter()
            .map(|sizes| sizes.graft_bytes)
            .max()
            .unwrap_or(0),
    );
    let whole = Measurement::paired("load", Unit::Microseconds, &pair, baseline)
        .bar(LOAD_US_MAX)
        .note(format!("an object with {:.1} KiB of text", kib / 1_024.0));
    let part = |name, values| Measurement::of(name, Unit::Microseconds, &Series::of(values));
    Ok(vec![
        whole,
        part("load: decode", decode),
        part("load: link", link),
        part("load: place, verify in place, seal", verify),
        part("load: first instance", instance),
    ])
}

/// A new instance of a prepared image, and its end.
fn instances(
    turns: u32,
    lab: &Lab,
    programs: &Programs,
    native: &mut Native,
) -> Result<Measurement, Failure> {
    let image = lab.prepare(&programs.calls)?;
    let pair = Bench::pair(
        turns,
        || {
            let ns = timed_ns(INSTANCES, &mut || {
                for _ in 0..INSTANCES {
                    black_box(Lab::instance(&image, InstanceConfig::default())?);
                }
                Ok::<(), Failure>(())
            })?;
            Ok(ns / 1e3)
        },
        || Ok(native.ask("fork 10")?.ns / 1e3 / 10.0),
    )?;
    let name = "new instance of a prepared image, and its end";
    let baseline = "fork and wait for an empty process";
    let row = Measurement::paired(name, Unit::Microseconds, &pair, baseline);
    Ok(row.bar(INSTANCE_US_MAX))
}

/// How much larger instrumented text is.
fn growth(sizes: &[TextSizes]) -> Vec<Measurement> {
    let ratio = |sizes: &TextSizes| float(sizes.graft_bytes) / float(sizes.native_bytes);
    let percent = |ratio: f64| Series::single((ratio - 1.0) * 100.0);
    let mut rows: Vec<Measurement> = sizes
        .iter()
        .map(|sizes| {
            let name = format!("growth of text, {}", sizes.name);
            let row = Measurement::of(&name, Unit::Percent, &percent(ratio(sizes)));
            row.note(format!(
                "{} bytes, natively {}",
                sizes.graft_bytes, sizes.native_bytes
            ))
        })
        .collect();
    let ratios: Vec<f64> = sizes.iter().map(ratio).collect();
    let mean = super::kernels::geometric_mean(&ratios);
    let name = "growth of text, geometric mean";
    rows.push(Measurement::of(name, Unit::Percent, &percent(mean)).bar(GROWTH_PERCENT_MAX));
    rows
}

/// What a piece of work made, and its processor time in microseconds.
fn once<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<(T, f64), Failure> {
    let start = thread_seconds();
    let made = work()?;
    Ok((made, (thread_seconds() - start) * 1e6))
}

/// The final bytes of an image's text.
fn text_of(image: &LinkedImage) -> Result<Vec<u8>, Failure> {
    let segments = image.segments();
    let index = segments
        .iter()
        .position(|segment| segment.kind == SegmentKind::Text);
    let index = index.ok_or_else(no_text)?;
    let mut bytes = vec![0; segments[index].bytes_len as usize];
    image.place(0, index, &mut bytes);
    Ok(bytes)
}

fn no_text() -> Failure {
    Failure::new(Exit::Error, "the benchmark's graft has no code")
}

/// A checksum whose every step needs the one before (Fowler, Noll and Vo).
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
