//! Properties of the decoder and the verifier on bytes that nobody meant.

use std::sync::LazyLock;

use iced_x86::{Decoder, DecoderOptions, Encoder};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::sample::Index;
use vino_sandbox::{DecodedImage, Limits, LinkedImage, Policy, Text, verify};

use crate::filetest::{assemble, link, place_text};

const BODY: &str = "
function f
        push %rbx
        sub $0x18,%rsp
        mov %rdi,8(%rsp)
        mov %gs:8(%edi,%esi,4),%rax
        lock xadd %rax,%gs:(%edi)
        mov x(%rip),%rcx
        mov g@GOTPCREL(%rip),%rax
        call import
        landing
        mov %eax,%eax
        cmpq $0x6e841f0f,%gs:(%eax)
        jne trap
        add %gs:BASE_SLOT,%rax
        call *%rax
        landing
        mov %edi,%edi
        add %gs:BASE_SLOT,%rdi
        rep stosb
        mov %ebp,%esp
        add %gs:BASE_SLOT,%rsp
        add $0x18,%rsp
        pop %rbx
        return
function g
        movaps %xmm0,%gs:(%edi)
        jmp f
        .data
x:      .quad f, g+1, import
        .bss
        .skip 100
        .comm block,64,32
";

static OBJECT: LazyLock<Vec<u8>> =
    LazyLock::new(|| assemble(&format!("{}{BODY}", include_str!("prelude.inc"))));
static IMAGE: LazyLock<LinkedImage> = LazyLock::new(|| link(&OBJECT, "import"));
static TEXT: LazyLock<Vec<u8>> = LazyLock::new(|| place_text(&IMAGE));

/// Bytes among which prefixes, labels and the opcodes of groups are frequent.
fn code_byte() -> impl Strategy<Value = u8> {
    let frequent: Vec<u8> = vec![
        0x65, 0x67, 0x66, 0x48, 0x4c, 0xf2, 0xf3, 0xf0, 0x0f, 0x1f, 0x84, 0x6d, 0x6e, 0x00, 0x89,
        0x8b, 0x24, 0x25, 0xc3, 0xff, 0xe8, 0xe9, 0xeb, 0x75, 0xc4, 0xc5, 0x83, 0x81, 0xcc, 0x01,
    ];
    prop_oneof![any::<u8>(), proptest::sample::select(frequent)]
}

/// What was accepted is re-encoded to itself, but for the order of prefixes and long padding.
fn assert_canonical(bytes: &[u8], offset: u32) {
    let mut decoder = Decoder::with_ip(64, bytes, u64::from(offset), DecoderOptions::NONE);
    let mut encoder = Encoder::new(64);
    while decoder.can_decode() {
        let start = decoder.position();
        let instruction = decoder.decode();
        let bytes = &bytes[start..decoder.position()];
        encoder
            .encode(&instruction, instruction.ip())
            .expect("accepted code is encodable");
        let mut encoded = encoder.take_buffer();
        let mut bytes = bytes.to_vec();
        // Only the padding no-op may be longer than necessary.
        while bytes.len() > encoded.len() && bytes.starts_with(&[0x66, 0x66]) {
            bytes.remove(0);
        }
        bytes.sort_unstable();
        encoded.sort_unstable();
        assert_eq!(encoded, bytes, "at {:#x}", instruction.ip());
    }
}

fn judge(bytes: &[u8]) {
    let text = Text {
        bytes,
        ..Text::of(&IMAGE, bytes).expect("there is code")
    };
    for policy in [
        Policy::default(),
        Policy {
            read_protection: false,
        },
    ] {
        if verify(&text, &policy).is_ok() {
            assert_canonical(bytes, text.offset);
        }
    }
}

#[test]
fn the_object_that_is_mutated_is_accepted() {
    let text = Text::of(&IMAGE, &TEXT).expect("there is code");
    assert!(verify(&text, &Policy::default()).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_code_is_judged_without_panic(
        code in proptest::collection::vec(code_byte(), 0..200),
    ) {
        let mut bytes = code;
        bytes.extend([0xcc; 16]);
        judge(&bytes);
    }

    #[test]
    fn mutated_code_is_judged_without_panic(
        changes in proptest::collection::vec((any::<Index>(), code_byte()), 1..4),
    ) {
        let mut bytes = TEXT.clone();
        // Most of the page is padding; the code is at its start.
        let code = 256;
        for (index, value) in changes {
            bytes[index.index(code)] = value;
        }
        judge(&bytes);
    }

    #[test]
    fn mutated_objects_are_decoded_without_panic(
        changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 1..8),
        cut in prop_oneof![Just(None), any::<Index>().prop_map(Some)],
    ) {
        let mut object = OBJECT.clone();
        for (index, value) in changes {
            let at = index.index(object.len());
            object[at] = value;
        }
        if let Some(cut) = cut {
            object.truncate(cut.index(object.len()));
        }
        if let Ok(decoded) = DecodedImage::decode(&object, &Limits::default())
            && let Ok(image) = decoded.link(&mut |_| Some(0))
        {
            for (index, segment) in image.segments().iter().enumerate() {
                let mut bytes = vec![0; segment.bytes_len as usize];
                image.place(crate::filetest::BASE, index, &mut bytes);
            }
            let bytes = place_text(&image);
            let text = Text::of(&image, &bytes).expect("there is code");
            if verify(&text, &Policy::default()).is_ok() {
                assert_canonical(&bytes, text.offset);
            }
        }
    }

    #[test]
    fn random_objects_are_decoded_without_panic(
        header in 0..64_usize,
        rest in proptest::collection::vec(any::<u8>(), 0..2_000),
    ) {
        let mut object = OBJECT[..header].to_vec();
        object.extend(rest);
        let _outcome = DecodedImage::decode(&object, &Limits::default());
    }
}
