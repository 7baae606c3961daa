//! Objects that cannot be decoded or linked, made by changing real ones, and where the parts of
//! good ones land.

use vino_sandbox::{DecodedImage, Limits, LinkError, LinkedImage, SegmentKind};

use crate::filetest::{BASE, assemble};

const SMALL: &str = ".globl f\n.type f,@function\nf: call g\n lea x(%rip),%rax\n ret\n\
                     .data\nx: .quad f\n.section .rodata\n.long f-.\n";

fn decode(object: &[u8]) -> Result<DecodedImage, String> {
    DecodedImage::decode(object, &Limits::default()).map_err(|error| error.to_string())
}

fn link(source: &str) -> Result<LinkedImage, LinkError> {
    decode(&assemble(source))
        .expect("the object is decoded")
        .link(&mut |name| match name {
            "g" => Some(5),
            "h" => Some(2),
            _ => None,
        })
}

/// Asserts that decoding fails with a message that contains `expected`.
fn refused(object: &[u8], expected: &str) {
    match decode(object) {
        Ok(_) => panic!("decoded, but should fail with: {expected}"),
        Err(message) => assert!(message.contains(expected), "{message}\nlacks: {expected}"),
    }
}

fn refused_source(source: &str, expected: &str) {
    refused(&assemble(source), expected);
}

/// An object with the bytes at an offset replaced.
fn patched(source: &str, at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut object = assemble(source);
    object[at..at + bytes.len()].copy_from_slice(bytes);
    object
}

fn word(object: &[u8], at: usize, bytes: usize) -> usize {
    let mut value = [0; 8];
    value[..bytes].copy_from_slice(&object[at..at + bytes]);
    usize::try_from(u64::from_le_bytes(value)).expect("an offset in the file")
}

/// Where the header of the first section of a type is (ELF-64 Object File Format, figure 3).
fn section_header(object: &[u8], kind: u32) -> usize {
    let (table, count) = (word(object, 0x28, 8), word(object, 0x3c, 2));
    let headers = (0..count).map(|index| table + index * 64);
    let mut found = headers.filter(|at| word(object, at + 4, 4) == kind as usize);
    found.next().expect("a section of this type")
}

/// Where the contents of the first section of a type are.
fn section_contents(object: &[u8], kind: u32) -> usize {
    word(object, section_header(object, kind) + 0x18, 8)
}

const PROGBITS: u32 = 1;
const SYMTAB: u32 = 2;
const RELA: u32 = 4;
const GROUP: u32 = 17;

#[test]
fn what_is_not_an_object_is_named() {
    refused(b"", "not an ELF object (empty file)");
    refused(b"BC\xc0\xde....", "LLVM bitcode, compile without -flto");
    refused(b"!<arch>\n", "an archive");
    refused(b"\t.text\n", "text, assemble it first");
    refused(b"\x00\x01\x02", "unknown format");
    refused(b"\x7fELF", "truncated object: the file header");
}

#[test]
fn every_truncation_is_an_error() {
    let object = assemble(SMALL);
    assert!(decode(&object).is_ok());
    for len in 0..object.len() {
        assert!(
            decode(&object[..len]).is_err(),
            "{len} of {} bytes",
            object.len()
        );
    }
    refused(
        &object[..object.len() - 1],
        "truncated object: the table of sections",
    );
}

#[test]
fn other_kinds_of_objects_are_refused_with_advice() {
    refused(
        &patched(SMALL, 4, &[1]),
        "32-bit object: compile and assemble with -m64",
    );
    refused(&patched(SMALL, 5, &[2]), "the byte order is 0x2");
    refused(&patched(SMALL, 6, &[9]), "the version is 0x9");
    refused(
        &patched(SMALL, 0x12, &[183, 0]),
        "object for machine 183, not x86-64",
    );
    refused(
        &patched(SMALL, 0x10, &[2, 0]),
        "an executable, not a relocatable object",
    );
    refused(
        &patched(SMALL, 0x10, &[3, 0]),
        "a shared library or position-independent",
    );
    refused(&patched(SMALL, 0x10, &[4, 0]), "a core dump");
}

#[test]
fn damaged_headers_are_refused() {
    refused(&patched(SMALL, 0x3a, &[40, 0]), "e_shentsize is 0x28");
    refused(&patched(SMALL, 0x3c, &[0, 0]), "e_shnum is 0x0");
    refused(&patched(SMALL, 0x3e, &[0xff, 0xff]), "e_shstrndx is 0xffff");
    refused(
        &patched(SMALL, 0x28, &[0xff; 8]),
        "truncated object: the table of sections",
    );
    let object = assemble(SMALL);
    let symbols = section_header(&object, SYMTAB);
    refused(
        &patched(SMALL, symbols, &[0xff; 4]),
        "its name is not valid",
    );
    refused(
        &patched(SMALL, symbols + 0x38, &[23]),
        "link, info or entry size",
    );
    refused(
        &patched(SMALL, symbols + 0x28, &[99]),
        "link, info or entry size",
    );
    let relocations = section_header(&object, RELA);
    refused(
        &patched(SMALL, relocations + 0x2c, &[99]),
        "link, info or entry size",
    );
    refused(
        &patched(SMALL, relocations + 0x28, &[1]),
        "link, info or entry size",
    );
    refused(
        &patched(SMALL, relocations + 4, &[9]),
        "relocations without addends",
    );
    let code = section_header(&object, PROGBITS);
    refused(
        &patched(SMALL, code + 0x20, &[0xff; 8]),
        "overlaps another section",
    );
    refused(
        &patched(SMALL, code + 0x18, &[0xff; 8]),
        "truncated object: a section",
    );
    refused(&patched(SMALL, code + 0x30, &[3]), "not a power of two");
    refused(
        &patched(SMALL, code + 4, &[8]),
        "is executable and has no contents",
    );
    refused(
        &patched(SMALL, code + 4, &[11]),
        "has a type that cannot be loaded",
    );
    refused(&patched(SMALL, code + 9, &[8]), "is compressed");
}

#[test]
fn limits_are_enforced_before_anything_is_allocated() {
    let object = assemble(SMALL);
    let cases = [
        (
            Limits {
                object_bytes_max: 64,
                ..Limits::default()
            },
            "over the size limit of 64",
        ),
        (
            Limits {
                sections_max: 3,
                ..Limits::default()
            },
            "sections, the limit is 3",
        ),
        (
            Limits {
                symbols_max: 2,
                ..Limits::default()
            },
            "symbols, the limit is 2",
        ),
        (
            Limits {
                relocations_max: 1,
                ..Limits::default()
            },
            "relocations, the limit is 1",
        ),
    ];
    for (limits, expected) in cases {
        let message = DecodedImage::decode(&object, &limits)
            .expect_err(expected)
            .to_string();
        assert!(message.contains(expected), "{message}");
    }
    refused_source(
        "f: ret\n.bss\n.skip 0x7fffffff\n",
        "larger than an image may be",
    );
    refused_source("f: ret\n.comm x,0x7fffffff,8\n", "common block");
    let two = "f: ret\n.bss\n.skip 0x3000000\n.section .bss.more,\"aw\",@nobits\n.skip 0x3000000\n";
    assert!(matches!(link(two), Err(LinkError::TooLarge { .. })));
}

#[test]
fn sections_that_cannot_be_loaded_are_refused() {
    refused_source(
        ".section .x,\"awx\"\nf: ret\n",
        "is writable and executable",
    );
    refused_source(
        "f: ret\n.section .tdata,\"awT\"\n.quad 0\n",
        "thread-local data",
    );
    refused_source(
        "f: ret\n.section .init_array,\"aw\"\n.quad f\n",
        "holds constructors",
    );
    refused_source(
        "f: ret\n.section .ctors,\"aw\"\n.quad f\n",
        "holds constructors",
    );
    refused_source(
        "f: ret\n.section .init_array.1,\"aw\",@progbits\n.quad f\n",
        "constructors",
    );
    refused_source("f: ret\n.data\n.p2align 13\n.quad 0\n", "at most 4096");
    refused_source(".data\n.quad 0\n", "object has no code");
}

#[test]
fn symbols_that_mean_nothing_here_are_refused() {
    refused_source(
        ".type f,@gnu_indirect_function\nf: ret\n",
        "indirect function",
    );
    refused_source("f: mov x@GOTTPOFF(%rip),%rax\n", "x: is thread-local");
    let source = ".globl aa\n.globl ab\naa: nop\nab: ret\n";
    let object = assemble(source);
    let names = object
        .windows(6)
        .position(|bytes| bytes == b"aa\0ab\0")
        .expect("both names");
    refused(
        &patched(source, names + 4, b"a"),
        "symbol aa: is defined twice",
    );
    let symbols = section_contents(&object, SYMTAB);
    let last = word(&object, section_header(&object, SYMTAB) + 0x20, 8) - 24;
    let at = symbols + last;
    refused(
        &patched(source, at + 6, &[0xff, 0xff]),
        "section index 0xffff does not exist",
    );
    refused(
        &patched(source, at + 6, &[0x77, 0]),
        "section index 0x77 does not exist",
    );
    refused(
        &patched(source, at + 8, &[0x40]),
        "its value lies outside its section",
    );
    refused(&patched(source, at, &[0xff; 4]), "its name is not valid");
    refused(&patched(source, at + 4, &[0x50]), "its binding is unknown");
}

#[test]
fn relocations_that_cannot_be_applied_are_refused() {
    refused_source("f: mov $x,%rax\n.data\nx: .quad 0\n", "compile with -fPIC");
    refused_source(
        "f: mov x(,%rax,4),%eax\n.data\nx: .quad 0\n",
        "32-bit absolute address",
    );
    refused_source(
        "f: movabs $x,%rax\n.data\nx: .quad 0\n",
        "absolute address of",
    );
    refused_source("f: ret\n.data\n.byte x-.\n", "type 15 is not supported");
    refused_source("f: mov x@GOT(%rax),%rcx\n", "type 3 is not supported");
    refused_source(
        "f: ret\n.bss\nx: .skip 8\n.reloc x,R_X86_64_64,f\n",
        "without contents",
    );
    let debug = "f: lea x(%rip),%rax\n.section .debug_x,\"\"\nx: .quad 0\n";
    refused_source(debug, "not part of the loaded image");
    refused_source(
        ".set x,5\nf: ret\n.data\n.quad x-.\n",
        "type 24 is not supported",
    );
    let overlap = "f: .reloc f,R_X86_64_PC32,f\n.reloc f+2,R_X86_64_PC32,f\n.quad 0\n";
    refused_source(overlap, "overlaps another relocation");
    let source = "f: ret\n.data\n.quad f\n";
    let at = section_contents(&assemble(source), RELA);
    refused(
        &patched(source, at, &[1]),
        "relocation of .data+0x1: lies outside its section",
    );
    refused(&patched(source, at, &[0xff; 8]), "lies outside its section");
    refused(
        &patched(source, at + 12, &[99]),
        "symbol index 99 does not exist",
    );
    refused(
        &patched(source, at + 12, &[0]),
        "symbol #0, which is not part",
    );
}

#[test]
fn all_undefined_names_are_listed() {
    let source = "f: call missing\n call g\n jmp absent\n.data\n.quad missing\n";
    let error = link(source).expect_err("two names are undefined");
    let names = vec!["absent".to_owned(), "missing".to_owned()];
    assert_eq!(error, LinkError::Undefined { names });
    assert_eq!(
        error.to_string(),
        "undefined symbols: absent, missing: define them, or call only functions that a graft \
         may call"
    );
    let weak = link(".weak maybe\nf: call maybe\n").expect_err("weak names count");
    assert!(
        weak.to_string()
            .starts_with("undefined symbol: maybe: define it")
    );
}

#[test]
fn values_that_do_not_fit_are_refused() {
    let refused = |source: &str, at: &str| {
        let error = link(source)
            .expect_err("the value does not fit")
            .to_string();
        assert!(
            error.contains(at) && error.contains("does not fit"),
            "{error}"
        );
    };
    refused(
        "f: ret\n.data\n.quad f+0x100000000\n",
        "relocation of .data+0x0: the address of",
    );
    refused("f: ret\n.data\n.quad 0, f-0x200000\n", ".data+0x8");
    refused("f: ret\n.data\n.quad f+0x7fffffffffffffff\n", ".data+0x0");
    refused(
        "f: lea x+0x7fffffff(%rip),%rax\n.data\nx: .quad 0\n",
        ".text+0x3",
    );
}

#[test]
fn the_parts_of_an_image_land_where_the_layout_says() {
    let source = "\
        .globl f\n.type f,@function\nf: call g\n mov x@GOTPCREL(%rip),%rax\n jmp h\n\
        .section .text.two,\"ax\"\n.p2align 6\n.globl two\ntwo: ret\n\
        .section .rodata\nr: .long f-r\n\
        .section .data.rel.ro,\"aw\"\n.p2align 3\n.quad two, g\n\
        .data\n.globl x\nx: .quad x+4\n.bss\ny: .skip 5000\n.comm z,16,16\n";
    let image = link(source).expect("it links");
    let kinds: Vec<_> = image
        .segments()
        .iter()
        .map(|segment| (segment.kind, segment.offset, segment.bytes_len))
        .collect();
    assert_eq!(
        kinds,
        [
            (SegmentKind::Text, 0x1_6000, 0x1000),
            (SegmentKind::ReadOnly, 0x1_7000, 0x1000),
            (SegmentKind::Data, 0x2010_1000, 0x2000),
        ]
    );
    assert_eq!(image.imports(), [2, 5]);
    let offset = |name| image.symbols().offset_of(name).expect("a symbol");
    assert_eq!(image.entry("f").map(|entry| entry.get()), Some(0x1_6000));
    assert_eq!(image.entry("two").map(|entry| entry.get()), Some(0x1_6040));
    assert_eq!(image.entry("x"), None, "data is no entry");
    assert_eq!(offset("z") % 16, 0);

    let place = |segment: usize| {
        let mut bytes = vec![0; image.segments()[segment].bytes_len as usize];
        image.place(BASE, segment, &mut bytes);
        bytes
    };
    let (text, constants, data) = (place(0), place(1), place(2));
    let distance = |bytes: &[u8], at: usize, base: i64| {
        let field = bytes[at..at + 4].try_into().expect("four bytes");
        base + i64::try_from(at).expect("small") + i64::from(i32::from_le_bytes(field))
    };
    let address = |bytes: &[u8], at: usize| {
        u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
    };
    assert_eq!(
        distance(&text, 1, 0x1_6004),
        0x1_1100 + 5 * 32,
        "the gate of import 5"
    );
    assert_eq!(
        distance(&text, 13, 0x1_6004),
        0x1_1100 + 2 * 32,
        "the gate of import 2"
    );
    let got = usize::try_from(distance(&text, 8, 0x1_6004) - 0x1_7000).expect("in the GOT");
    assert_eq!(address(&constants, got), BASE + 0x2010_1000);
    assert_eq!(distance(&constants, 0, 0x1_7000), 0x1_6000);
    assert_eq!(address(&constants, 8), BASE + 0x1_6040);
    assert_eq!(address(&constants, 16), BASE + 0x1_1100 + 5 * 32);
    assert_eq!(address(&data, 0), BASE + 0x2010_1004);
    assert!(
        text[0x41..].iter().all(|&byte| byte == 0xcc),
        "padding after code"
    );
    assert!(
        text[17..0x40].iter().all(|&byte| byte == 0xcc),
        "padding between sections"
    );
}

#[test]
fn code_that_fills_its_page_gets_another_page_of_padding() {
    let image = link(".rept 4090\nnop\n.endr\n").expect("it links");
    assert_eq!(image.segments()[0].bytes_len, 0x2000);
    let image = link(".rept 4080\nnop\n.endr\n").expect("it links");
    assert_eq!(image.segments()[0].bytes_len, 0x1000);
}

#[test]
fn what_only_linkers_and_debuggers_need_is_left_out() {
    let source = ".cfi_sections .eh_frame,.debug_frame\n.globl f\n.type f,@function\n\
        f: .cfi_startproc\n.cfi_personality 0x9b,DW.ref.personality\nret\n.cfi_endproc\n\
        .section .gcc_except_table,\"a\"\n.long absent-.\n\
        .section .note.GNU-stack,\"\"\n.section .note.gnu.property,\"a\",@note\n.quad 0\n\
        .comm unused,8\n.ident \"gcc\"\n.globl undefined_but_unused\n";
    let object = assemble(source);
    let decoded = decode(&object).expect("it is decoded");
    assert_eq!(decoded.functions().collect::<Vec<_>>(), ["f"]);
    assert_eq!(decoded.undefined_symbols().count(), 0);
    assert!(link(source).is_ok());
    let comdat =
        ".section .text.f,\"axG\",@progbits,f,comdat\n.weak f\n.type f,@function\nf: ret\n";
    assert!(
        word(
            &assemble(comdat),
            section_header(&assemble(comdat), GROUP) + 4,
            4
        ) == 17
    );
    let decoded = decode(&assemble(comdat)).expect("it is decoded");
    assert_eq!(decoded.functions().collect::<Vec<_>>(), ["f"]);
}
