//! `graft build`: sources in every language, from any folder, and what is said of those that fail.

use crate::bench::{AGREES, Bench};

#[test]
fn a_graft_is_built_from_c_and_from_cxx_in_any_folder() {
    let bench = Bench::new();
    bench.write("agrees.c", AGREES);
    let built = bench.run("graft build agrees.c").exits(0);
    built
        .shows(&["agrees.o", "gcc", "crws"])
        .says(&["next: vinoctl graft verify agrees.o"]);
    let source = "\
        #include \"graft-support.H\"\n\
        status_t vas_o::pick_victim(list_o<coremap_entry_o *> *opt_pages,\n\
                                    coremap_entry_o *proposed, coremap_entry_o **choice) {\n\
            *choice = opt_pages->first() ? opt_pages->first()->get_data() : proposed;\n\
            return SUCCESS;\n\
        }\n";
    bench.write("first.C", source);
    let json = bench
        .run("graft build first.C -o out.o -o json")
        .exits(0)
        .json();
    assert_eq!(json["object"], "out.o");
    assert_eq!(json["compiler"], "g++");
    let object = std::fs::read(bench.path().join("out.o")).expect("the object");
    assert_eq!(json["size_bytes"], object.len());
    assert_eq!(object.get(..4), Some(&b"\x7fELF"[..]));
}

#[test]
fn intermediate_assembly_is_kept_on_request_only() {
    let bench = Bench::new();
    bench.build("agrees.c", AGREES, "");
    assert!(!bench.path().join("agrees.s").exists());
    bench.build("agrees.c", AGREES, "--save-temps");
    let before = std::fs::read_to_string(bench.path().join("agrees.s")).expect("assembly");
    let after = std::fs::read_to_string(bench.path().join("agrees.misfit")).expect("assembly");
    assert!(!before.contains("%gs:") && after.contains("%gs:"));
    // The manual's own path: the compiler's assembly as the source.
    bench
        .run("graft build agrees.s -o again.o")
        .exits(0)
        .shows(&["none"]);
    let object = |name| std::fs::read(bench.path().join(name)).expect("an object");
    assert_eq!(object("agrees.o"), object("again.o"));
}

#[test]
fn the_compiler_is_the_users_choice() {
    let bench = Bench::new();
    bench.write("agrees.c", AGREES);
    let missing = bench
        .run("graft build agrees.c --compiler no-such-cc")
        .exits(1);
    missing.says(&["cannot run no-such-cc", "apt install g++", "--compiler"]);
    let other = bench.run("graft build agrees.c -o json --compiler gcc -- -O0 -DNDEBUG");
    assert_eq!(other.exits(0).json()["compiler"], "gcc");
}

#[test]
fn what_cannot_be_built_is_explained() {
    let bench = Bench::new();
    bench
        .run("graft build nowhere.c")
        .exits(3)
        .says(&["nowhere.c: no such file"]);
    bench
        .run("graft build graft.txt")
        .exits(2)
        .says(&["does not tell the language"]);
    bench
        .run("graft build a.c --protect x")
        .exits(2)
        .says(&["no protection 'x'"]);
    bench.write("broken.c", "int f( {\n");
    let broken = bench.run("graft build broken.c").exits(1);
    broken.says(&["broken.c:1", "gcc could not compile broken.c"]);
    assert!(!bench.path().join("broken.o").exists());
    bench.write("bare.s", "\t.text\nf:\n\tsyscall\n\tret\n");
    let bare = bench.run("graft build bare.s").exits(1);
    bare.says(&["misfit cannot make bare.s safe", "line 3", "syscall"]);
}

#[test]
fn a_source_is_not_replaced_by_its_object() {
    let bench = Bench::new();
    bench.write("graft.c", AGREES);
    bench
        .run("graft build graft.c -o ./graft.c")
        .exits(2)
        .says(&["is the source", "-o"]);
    let kept = std::fs::read_to_string(bench.path().join("graft.c"));
    assert_eq!(kept.expect("it is there"), AGREES);
}

/// The C part of a graft in four languages: it asks each of the others.
const ENTRY: &str = "\
#include \"graft-support.h\"
#include <stdlib.h>
int32_t of_cxx(const void *page), of_rust(int32_t value), of_assembly(int32_t value);
status_t vas_o__pick_victim(vas_o *vas, list_o *opt_pages, coremap_entry_o *proposed,
                            coremap_entry_o **my_choice) {
    char *text = malloc(32);
    if (text == 0 || of_assembly(of_rust(of_cxx(proposed))) != 0)
        return ENOSPC;
    free(text);
    *my_choice = proposed;
    return SUCCESS;
}
";
const CXX_PART: &str = "\
#include \"graft-support.H\"
#include \"shared.h\"
template <typename T> int32_t none(const T *page) { return page == nullptr ? ZERO + 1 : ZERO; }
extern \"C\" int32_t of_cxx(const void *page) { return none(page); }
";
const RUST_PART: &str = "\
#![no_std]
use vino_graft as _;
#[unsafe(no_mangle)]
pub extern \"C\" fn of_rust(value: i32) -> i32 {
    value.rotate_left(3)
}
";
const ASSEMBLY_PART: &str = "\
\t.text
\t.globl of_assembly
\t.type of_assembly, @function
of_assembly:
\tmovl %edi, %eax
\tret
";

#[test]
fn one_graft_is_built_from_sources_in_four_languages() {
    let bench = Bench::new();
    bench.write("entry.c", ENTRY);
    bench.write("part.C", CXX_PART);
    bench.write("chooser.rs", RUST_PART);
    bench.write("plain.s", ASSEMBLY_PART);
    std::fs::create_dir(bench.path().join("headers")).expect("a folder");
    bench.write("headers/shared.h", "#define ZERO 0\n");
    let sources = "entry.c part.C chooser.rs plain.s";
    for (compiler, names) in [("", "gcc, g++, rustc"), ("clang", "clang, rustc")] {
        let choice = match compiler {
            "" => String::new(),
            compiler => format!("--compiler {compiler}"),
        };
        let line = format!("graft build {sources} -I headers {choice} -o whole.o -o json");
        let built = bench.run(&line).exits(0).json();
        assert_eq!(built["compiler"], names);
        let runtime = built["runtime"].as_array().expect("a list of parts");
        assert!(runtime.iter().any(|part| part == "malloc.c"), "{runtime:?}");
        bench.run("graft verify whole.o").exits(0);
    }
    // Without the folder of the header, and without one of the sources.
    bench
        .run(&format!("graft build {sources} -o whole.o"))
        .exits(1)
        .says(&["shared.h"]);
    let line = "graft build entry.c part.C chooser.rs -I headers -o less.o";
    bench.run(line).exits(1).says(&["of_assembly"]);
}

#[test]
fn sources_of_two_compilers_are_linked() {
    let bench = Bench::new();
    bench.write(
        "entry.c",
        AGREES.replace("= proposed", "= same(proposed)").replace(
            "status_t vas",
            "coremap_entry_o *same(coremap_entry_o *);\nstatus_t vas",
        ),
    );
    bench.write(
        "same.c",
        "#include <string.h>\nvoid *same(void *page) { return strlen(\"\") == 0 ? page : 0; }\n",
    );
    bench
        .run("graft build same.c --compiler clang --save-temps")
        .exits(0);
    // The clang half as assembly, beside a source for gcc.
    let both = bench.run("graft build entry.c same.s -o both.o --compiler gcc -o json");
    assert_eq!(both.exits(0).json()["compiler"], "gcc");
    bench.run("graft verify both.o").exits(0);
}

#[test]
fn a_rust_graft_is_built_far_from_the_repository() {
    let bench = Bench::new();
    let victim = include_str!("../../../graft-sdk/examples/victim.rs");
    bench.build("mru.rs", victim, "");
    bench
        .run("graft verify mru.o")
        .exits(0)
        .shows(&["vas_o::pick_victim"]);
    bench.write("broken.rs", "#![no_std]\nfn f( {}\n");
    let broken = bench.run("graft build broken.rs").exits(1);
    broken.says(&["broken.rs:2", "rustc could not compile broken.rs"]);
}

#[test]
fn a_refusal_of_misfit_names_the_line_of_the_source() {
    let bench = Bench::new();
    let source = "int f(int x) {\n  x++;\n  __asm__ volatile(\"syscall\");\n  return x;\n}\n";
    for (name, compiler) in [("a.c", "gcc"), ("a.c", "clang"), ("a.C", "g++")] {
        bench.write(name, source);
        bench
            .run(&format!("graft build {name} --compiler {compiler}"))
            .exits(1)
            .says(&["misfit cannot make", &format!("{name}:3: "), "syscall"]);
    }
}

#[test]
fn kept_assembly_of_two_sources_does_not_become_one() {
    let bench = Bench::new();
    bench.write("agrees.c", AGREES);
    bench.write("agrees.C", "int helper() { return 1; }\n");
    bench.run("graft build agrees.c agrees.C").exits(0);
    bench
        .run("graft build agrees.c agrees.C --save-temps")
        .exits(2)
        .says(&["agrees.c", "agrees.C", "agrees.s"]);
}
