//! The whole declaration language, and what the dispatch generated from it does.

// The generated code names the crate of the sandbox; here this file stands in for it.
extern crate self as vino_sandbox;

use std::path::Path;
use std::{env, fs};

use stubgen::{Bound, Direction, Interface, Privilege, Shape, Source, Type};

#[path = "language/generated.rs"]
pub mod generated;

use generated::{Callable, GraftCallables, GraftPtr, Point, dispatch};

/// Stands for the sandbox's claim of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraftSlice {
    addr: u64,
    len: u64,
}

impl GraftSlice {
    /// Refuses what does not fit below 4 GiB, as the sandbox does.
    #[must_use]
    pub fn claim(addr: u64, len: u64) -> Option<GraftSlice> {
        let addr = addr & 0xffff_ffff;
        let end = addr.checked_add(len)?;
        (end <= 1 << 32).then_some(GraftSlice { addr, len })
    }
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language")
}

fn full_interface() -> Interface {
    let text = fs::read_to_string(folder().join("full.H")).expect("full.H is readable");
    let name = "full.H".to_owned();
    stubgen::compile(&[Source { name, text }]).unwrap_or_else(|report| panic!("{report}"))
}

#[test]
fn the_checked_in_outputs_are_those_of_the_full_language() {
    let mut stale = Vec::new();
    for file in stubgen::generate(&full_interface()) {
        let name = Path::new(file.path).file_name().expect("a file");
        if name == "abi.h" {
            continue;
        }
        let path = folder().join(name);
        if env::var_os("VINO_BLESS").is_some() {
            fs::write(&path, &file.text).expect("the output is writable");
        }
        if fs::read_to_string(&path).unwrap_or_default() != file.text {
            stale.push(path.display().to_string());
        }
    }
    assert!(
        stale.is_empty(),
        "{}: VINO_BLESS=1 cargo test -p stubgen --test language",
        stale.join(", ")
    );
}

#[test]
fn attributes_become_directions_shapes_and_elements() {
    let interface = full_interface();
    let [compute, nothing] = &interface.points[..] else {
        panic!("{} points", interface.points.len());
    };
    assert_eq!(nothing.privilege, Privilege::Kernel);
    assert_eq!(compute.default, "reads the next block.");
    assert_eq!(compute.documentation.details, ["A second paragraph."]);
    let found: Vec<_> = compute
        .arguments
        .iter()
        .map(|argument| {
            (
                argument.direction,
                argument.shape.clone(),
                argument.cxx_type(),
            )
        })
        .collect();
    let blocks = Shape::Array(Bound::Argument(2));
    let reason = Shape::Array(Bound::Elements(16));
    let expected = [
        (Direction::In, Shape::String, "char *"),
        (Direction::InOut, blocks, "uint64_t *"),
        (Direction::In, Shape::Scalar, "size_t"),
        (Direction::Out, Shape::Ptr, "list_o<later_o *> **"),
        (Direction::Out, reason, "char *"),
    ];
    let expected = expected.map(|(direction, shape, text)| (direction, shape, text.to_owned()));
    assert_eq!(found, expected);
    assert!(
        matches!(&compute.arguments[3].element, Type::Object { class, .. } if class == "list_o")
    );
}

#[test]
fn declarations_are_found_by_every_name_they_have() {
    let point = Point::from_name("file_o::compute_ra").expect("declared");
    assert_eq!(point, Point::FileComputeRa);
    assert_eq!(Point::from_c_name("file_o__compute_ra"), Some(point));
    assert_eq!(point.info().function, "compute_ra");
    assert_eq!(Point::from_name("compute_ra"), None);
    let callable = Callable::from_c_name("file_o__forget").expect("declared");
    assert!(callable.info().is_static);
    assert_eq!(Callable::from_name("file_o::forget"), Some(callable));
    assert_eq!(Callable::from_name("file_o::compute_ra"), None);
}

/// Writes down what arrives.
#[derive(Default)]
struct Recorder {
    calls: Vec<String>,
}

impl Recorder {
    fn note(&mut self, call: String) -> Result<u64, &'static str> {
        self.calls.push(call);
        Ok(7)
    }
}

impl GraftCallables for Recorder {
    type Abort = &'static str;

    fn file_seek(
        &mut self,
        this: GraftPtr,
        offset: i64,
        mode: u32,
        origin: i32,
    ) -> Result<u64, &'static str> {
        self.note(format!(
            "seek {:#x} {offset} {mode} {origin}",
            this.offset()
        ))
    }

    fn file_read(
        &mut self,
        _this: GraftPtr,
        bytes: GraftSlice,
        n_bytes: u64,
        flags: GraftSlice,
        times: GraftSlice,
        reader: GraftPtr,
    ) -> Result<u64, &'static str> {
        let (flags, times) = (flags.len, times.len);
        let reader = reader.offset();
        self.note(format!(
            "read {} {n_bytes} {flags} {times} {reader:#x}",
            bytes.len
        ))
    }

    fn file_forget(&mut self, _name: GraftPtr) -> Result<u64, &'static str> {
        Err("aborted")
    }

    fn later_pages(
        &mut self,
        _this: GraftPtr,
        from: u64,
        n_pages: u32,
        states: GraftSlice,
    ) -> Result<u64, &'static str> {
        self.note(format!(
            "pages {from:#x} {n_pages} {} {:#x}",
            states.len, states.addr
        ))
    }
}

#[test]
fn registers_arrive_as_the_types_that_were_declared() {
    let mut recorder = Recorder::default();
    let minus_one = u64::MAX;
    let seek = [
        0xabcd_0000_1000,
        minus_one,
        0xffff_ffff_0000_0002,
        minus_one,
        0,
        0,
    ];
    assert_eq!(dispatch(Callable::FileSeek, &seek, &mut recorder), Ok(7));
    let read = [0, 0x1000, 0x2000, 0x3000, 0x4000, 0x1_0000_5000];
    assert_eq!(dispatch(Callable::FileRead, &read, &mut recorder), Ok(7));
    let pages = [0, 0x1_2345_6000, 0xffff_ffff_0000_0005, 0x9_0000_0010, 0, 0];
    assert_eq!(dispatch(Callable::LaterPages, &pages, &mut recorder), Ok(7));
    let expected = [
        "seek 0x1000 -1 2 -1",
        "read 8192 8192 4 24 0x5000",
        "pages 0x123456000 5 20 0x10",
    ];
    assert_eq!(recorder.calls, expected);
}

#[test]
fn a_pointer_that_cannot_lie_in_the_sandbox_is_refused_before_the_kernel_sees_it() {
    let mut recorder = Recorder::default();
    let refused = Ok(u64::from(vino_abi::EINVAL.unsigned_abs()));
    // The count alone, and its product with the size of an element, leave the sandbox.
    let read = [0, 0x1000, u64::MAX, 0x3000, 0x4000, 0];
    assert_eq!(dispatch(Callable::FileRead, &read, &mut recorder), refused);
    let pages = [0, 0, 0x4000_0000, 0x1000, 0, 0];
    assert_eq!(
        dispatch(Callable::LaterPages, &pages, &mut recorder),
        refused
    );
    assert!(recorder.calls.is_empty(), "{:?}", recorder.calls);
}

#[test]
fn an_abort_passes_through_dispatch() {
    let mut recorder = Recorder::default();
    let answer = dispatch(Callable::FileForget, &[0; 6], &mut recorder);
    assert_eq!(answer, Err("aborted"));
}
